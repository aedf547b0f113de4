/* SPDX-License-Identifier: MIT
 * Loading the PDPTE registers.
 */
#include "cpu/ring/pdpte.h"

#include "cpu/fault.h"

#define CR3_PAE_TABLE 0xFFFFFFE0ull

void pdptes_read(struct cpu *cpu, u64 cr3, u64 pdpte[PDPTES])
{
    if (cpu_is_amd(cpu))
        return;
    physmem_read(cpu->physmem, cr3 & CR3_PAE_TABLE, pdpte, PDPTES * sizeof *pdpte, cpu->mmu.who);
    for (unsigned i = 0; i < PDPTES; i++)
        REQUIRE(cpu, !pdpte_is_bad(&cpu->mmu.mode, pdpte[i]), GP(0), RULE_MD_02);
}

void pdptes_store(struct cpu *cpu, const u64 pdpte[PDPTES])
{
    for (unsigned i = 0; i < PDPTES; i++)
        cpu->arch.pdpte[i] = pdpte[i];
}

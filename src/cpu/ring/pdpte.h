/* SPDX-License-Identifier: MIT
 * The four PDPTE registers of PAE paging, which Intel loads with CR3.
 * SDM 3A, "PDPTE Registers"; APM 2, "PAE Paging".
 */
#ifndef RINGSIDE_CPU_RING_PDPTE_H
#define RINGSIDE_CPU_RING_PDPTE_H

#include "cpu/cpu.h"

#define PDPTES 4u

/* Whether PAE paging outside long mode is in use with these register values. */
ALWAYS_INLINE bool pdptes_in_use(u64 cr0, u64 cr4, u64 efer)
{
    return (cr0 & CR0_PG) && (cr4 & CR4_PAE) && !(efer & EFER_LMA);
}

/* Read and check what cr3 names, for pdptes_store() once nothing can fault any more.
 * effects: fills pdpte; on AMD, which reads the entries at walk time, nothing.   raises: #GP(0) (MD-02) */
void pdptes_read(struct cpu *cpu, u64 cr3, u64 pdpte[PDPTES]);
void pdptes_store(struct cpu *cpu, const u64 pdpte[PDPTES]);

#endif

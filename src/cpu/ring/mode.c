/* SPDX-License-Identifier: MIT
 * Writes to CR0, CR3, CR4, EFER and XCR0: validation, PDPTE loads, TLB invalidation, mode changes through the door.
 * SDM 2A, "MOV-Move to/from Control Registers"; SDM 3A, "Mode Switching", "Initializing IA-32e Mode",
 * "PDPTE Registers", "Operations that Invalidate TLBs and Paging-Structure Caches"; APM 2, "Long-Mode Initialization".
 */
#include "cpu/creg.h"
#include "cpu/fault.h"
#include "cpu/ring/descriptor.h"
#include "cpu/ring/mechanisms.h"
#include "cpu/ring/pdpte.h"

/* CR0 and CR4 bits whose change reloads the PDPTE registers. */
#define CR0_LOADS_PDPTES (CR0_CD | CR0_NW | CR0_PG)
#define CR4_LOADS_PDPTES (CR4_PAE | CR4_PGE | CR4_PSE | CR4_SMEP)
/* SMAP and WP change what a cached translation allows: no invalidation is architectural, but the TLB here stores
 * rights per view, so entries filled under the other setting must go. */
#define CR0_FLUSHES (CR0_PG | CR0_WP)
#define CR4_FLUSHES (CR4_PGE | CR4_PAE | CR4_PSE | CR4_SMEP | CR4_SMAP | CR4_PCIDE | CR4_LA57)

static void flush_all(struct cpu *cpu)
{
    mmu_flush_all(&cpu->mmu);
    cpu->d.fetch_page = 1;
}

/* CS.L and TR when long mode becomes active. source: SDM 3A "Initializing IA-32e Mode" */
static void check_activation(struct cpu *cpu)
{
    unsigned type = cpu->arch.tr.attr & SEG_TYPE;
    bool tss16 = !(cpu->arch.tr.attr & SEG_S) && (type == SYS_TSS16 || type == SYS_TSS16_BUSY);

    if (!cpu_is_amd(cpu)) /* UNVERIFIED: the APM names no check of TR at activation */
        REQUIRE(cpu, !tss16, GP(0), RULE_MD_01);
}

void mode_write_cr0(struct cpu *cpu, u64 value)
{
    u64 old = cpu->arch.cr0, old_efer = cpu->arch.msr.efer, efer = old_efer & ~EFER_LMA, pdpte[PDPTES] = {0};
    struct ring_state before = ring_state_of(cpu, cpu->arch.rip);
    enum rule rule = creg_check_cr0(cpu, value);
    bool load;

    REQUIRE(cpu, rule == RULE_NONE, GP(0), rule);
    RULE_HELD(cpu, RULE_PG_04);
    COVER_IF(cpu, RULE_MD_01, ((old ^ value) & CR0_PG) && (old_efer & EFER_LME));
    value = creg_cr0_store(cpu, value);
    if ((value & CR0_PG) && (efer & EFER_LME))
        efer |= EFER_LMA; /* MSR-06 */
    if ((efer & ~old_efer) & EFER_LMA)
        check_activation(cpu);
    load = pdptes_in_use(value, cpu->arch.cr4, efer) && ((old ^ value) & CR0_LOADS_PDPTES);
    if (load)
        pdptes_read(cpu, cpu->arch.cr3, pdpte);

    COVER_IF(cpu, RULE_MSR_06, efer != old_efer);
    cpu->arch.cr0 = value;
    cpu->arch.msr.efer = efer;
    if (load)
        pdptes_store(cpu, pdpte);
    cpu_update_paging(cpu);
    if ((old ^ value) & CR0_FLUSHES)
        flush_all(cpu);
    ring_side(cpu, SIDE_CR0, 0, old, value);
    if (efer != old_efer)
        ring_commit_mode(cpu, MECH_MODE_LMA, &before);
    else if ((old ^ value) & CR0_PE)
        ring_commit_mode(cpu, MECH_MODE_PE, &before);
    else if ((old ^ value) & CR0_PG)
        ring_commit_mode(cpu, MECH_MODE_PG, &before);
    else
        cpu_update_derived(cpu);
}

void mode_lmsw(struct cpu *cpu, u16 value)
{
    const u64 writable = CR0_PE | CR0_MP | CR0_EM | CR0_TS;
    u64 cr0 = cpu->arch.cr0;

    /* LMSW sets PE but cannot clear it. */
    mode_write_cr0(cpu, (cr0 & ~(writable & ~CR0_PE)) | (value & writable));
}

void mode_write_cr3(struct cpu *cpu, u64 value)
{
    u64 old = cpu->arch.cr3, store = value, pdpte[PDPTES] = {0};
    bool keep_tlb = false, load;
    enum rule rule = creg_check_cr3(cpu, value, &store, &keep_tlb);

    REQUIRE(cpu, rule == RULE_NONE, GP(0), rule);
    COVER_IF(cpu, RULE_PG_03, keep_tlb);
    load = pdptes_in_use(cpu->arch.cr0, cpu->arch.cr4, cpu->arch.msr.efer);
    if (load)
        pdptes_read(cpu, store, pdpte);

    cpu->arch.cr3 = store;
    if (load)
        pdptes_store(cpu, pdpte);
    cpu_switch_address_space(cpu, keep_tlb);
    ring_side(cpu, SIDE_CR3, 0, old, store);
}

void mode_write_cr4(struct cpu *cpu, u64 value)
{
    u64 old = cpu->arch.cr4, pdpte[PDPTES] = {0};
    enum rule rule = creg_check_cr4(cpu, value);
    bool load;

    REQUIRE(cpu, rule == RULE_NONE, GP(0), rule);
    RULE_HELD(cpu, RULE_PG_04);
    load = pdptes_in_use(cpu->arch.cr0, value, cpu->arch.msr.efer) && ((old ^ value) & CR4_LOADS_PDPTES);
    if (load)
        pdptes_read(cpu, cpu->arch.cr3, pdpte);

    cpu->arch.cr4 = value;
    if (load)
        pdptes_store(cpu, pdpte);
    cpu_update_paging(cpu);
    if ((old ^ value) & CR4_FLUSHES)
        flush_all(cpu);
    cpu_update_derived(cpu);
    cpu_attention(cpu);
    ring_side(cpu, SIDE_CR4, 0, old, value);
}

void mode_write_efer(struct cpu *cpu, u64 value)
{
    u64 old = cpu->arch.msr.efer;
    enum rule rule = creg_check_efer(cpu, value);

    REQUIRE(cpu, rule == RULE_NONE, GP(0), rule);
    COVER_IF(cpu, RULE_MSR_05, (old ^ value) & EFER_LME);
    value = creg_efer_store(cpu, value); /* MSR-06: LMA follows LME and PG only */
    cpu->arch.msr.efer = value;
    cpu_update_paging(cpu);
    if ((old ^ value) & EFER_NXE)
        flush_all(cpu);
    cpu_update_derived(cpu);
}

void mode_write_xcr0(struct cpu *cpu, u64 value)
{
    REQUIRE(cpu, value & 1, GP(0), RULE_XC_01);
    REQUIRE(cpu, !(value & ~creg_xcr0_allowed(cpu)), GP(0), RULE_XC_01);
    cpu->arch.xcr0 = value;
}

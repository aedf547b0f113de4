/* SPDX-License-Identifier: MIT
 * Which control-register values are legal on this processor, now.
 * SDM 3A, "Control Registers", "Enabling Protection of ... Process-Context Identifiers", "Initializing IA-32e Mode";
 * APM 2, "System-Control Registers", "Extended Feature Enable Register (EFER)".
 */
#include "cpu/creg.h"

#define CR0_DEFINED (CR0_PE | CR0_MP | CR0_EM | CR0_TS | CR0_ET | CR0_NE | CR0_WP | CR0_AM | CR0_NW | CR0_CD | CR0_PG)
#define CR3_KEEP_TLB BIT(63)

static u64 when(bool condition, u64 value) { return condition ? value : 0; }

/* ---- CR0 */

enum rule creg_check_cr0(const struct cpu *cpu, u64 value)
{
    const struct cpu_arch *arch = &cpu->arch;
    bool sets_pg = (value & CR0_PG) && !(arch->cr0 & CR0_PG);
    bool clears_pg = !(value & CR0_PG) && (arch->cr0 & CR0_PG);

    if (value >> 32)
        return RULE_PG_04;
    if ((value & CR0_PG) && !(value & CR0_PE))
        return RULE_PG_04;
    if ((value & CR0_NW) && !(value & CR0_CD))
        return RULE_PG_04;
    if (sets_pg && (arch->msr.efer & EFER_LME)) {
        if (!(arch->cr4 & CR4_PAE) || (arch->seg[CS].attr & SEG_L))
            return RULE_MD_01;
    }
    if (clears_pg && (cpu_64bit(cpu) || (arch->cr4 & CR4_PCIDE)))
        return RULE_MD_01;
    return RULE_NONE;
}

u64 creg_cr0_store(const struct cpu *cpu, u64 value)
{
    (void)cpu;
    return (value & CR0_DEFINED) | CR0_ET;
}

/* ---- CR3 */

enum rule creg_check_cr3(const struct cpu *cpu, u64 value, u64 *store, bool *keep_tlb)
{
    u64 reserved = ~(BIT(cpu->model.physical_bits) - 1);
    bool pcid = (cpu->arch.cr4 & CR4_PCIDE) != 0;

    *keep_tlb = false;
    if (!cpu_64bit(cpu)) {
        *store = (u32)value; /* a 32-bit operand; compatibility mode cannot be at CPL 0 with more */
        return RULE_NONE;
    }
    if (pcid && (value & CR3_KEEP_TLB)) {
        *keep_tlb = true;
        value &= ~CR3_KEEP_TLB;
    }
    if (value & reserved)
        return RULE_PG_03;
    *store = value;
    return RULE_NONE;
}

/* ---- CR4 */

/* CR4 bits that exist on this model. */
static u64 cr4_allowed(const struct cpu *cpu)
{
    return when(cpu_has(cpu, FEAT_VME), CR4_VME | CR4_PVI) | when(cpu_has(cpu, FEAT_TSC), CR4_TSD) |
           when(cpu_has(cpu, FEAT_DE), CR4_DE) | when(cpu_has(cpu, FEAT_PSE), CR4_PSE) |
           when(cpu_has(cpu, FEAT_PAE), CR4_PAE) | when(cpu_has(cpu, FEAT_MCE), CR4_MCE) |
           when(cpu_has(cpu, FEAT_PGE), CR4_PGE) | when(cpu->model.generation >= 6, CR4_PCE) |
           when(cpu_has(cpu, FEAT_FXSR), CR4_OSFXSR) | when(cpu_has(cpu, FEAT_SSE), CR4_OSXMMEXCPT) |
           when(cpu_has(cpu, FEAT_UMIP), CR4_UMIP) | when(cpu_has(cpu, FEAT_LA57), CR4_LA57) |
           when(cpu_has(cpu, FEAT_FSGSBASE), CR4_FSGSBASE) | when(cpu_has(cpu, FEAT_PCID), CR4_PCIDE) |
           when(cpu_has(cpu, FEAT_XSAVE), CR4_OSXSAVE) | when(cpu_has(cpu, FEAT_SMEP), CR4_SMEP) |
           when(cpu_has(cpu, FEAT_SMAP), CR4_SMAP);
}

enum rule creg_check_cr4(const struct cpu *cpu, u64 value)
{
    u64 changed = value ^ cpu->arch.cr4;
    bool long_mode = cpu_long_mode(cpu);

    if (value & ~cr4_allowed(cpu))
        return RULE_PG_04;
    if (long_mode && !(value & CR4_PAE))
        return RULE_PG_04;
    if (long_mode && (changed & CR4_LA57))
        return RULE_MD_01;
    if ((changed & value & CR4_PCIDE) && (!long_mode || (cpu->arch.cr3 & 0xFFF) != 0))
        return RULE_PG_03;
    return RULE_NONE;
}

/* ---- EFER */

static u64 efer_allowed(const struct cpu *cpu)
{
    return when(cpu_has(cpu, FEAT_SYSCALL), EFER_SCE) | when(cpu_has(cpu, FEAT_LM), EFER_LME | EFER_LMA) |
           when(cpu_has(cpu, FEAT_NX), EFER_NXE) | when(cpu_has(cpu, FEAT_FXSR_OPT), EFER_FFXSR);
}

enum rule creg_check_efer(const struct cpu *cpu, u64 value)
{
    u64 changed = value ^ cpu->arch.msr.efer;

    if (value & ~efer_allowed(cpu))
        return RULE_MSR_03;
    if ((changed & EFER_LME) && (cpu->arch.cr0 & CR0_PG))
        return RULE_MSR_05;
    if ((changed & EFER_LMA) && cpu_is_amd(cpu))
        return RULE_MSR_06; /* UNVERIFIED: Intel ignores the bit; AMD processors were seen to refuse it */
    return RULE_NONE;
}

u64 creg_efer_store(const struct cpu *cpu, u64 value) { return (value & ~EFER_LMA) | (cpu->arch.msr.efer & EFER_LMA); }

/* ---- XCR0 */

u64 creg_xcr0_allowed(const struct cpu *cpu) { return 1 | when(cpu_has(cpu, FEAT_XSAVE), 2); }

/* SPDX-License-Identifier: MIT
 * The model-specific register file: values, declared in msr.def, and their validation. What a write *does* to the
 * processor (its effect) is dispatched above, by the caller.
 * SDM 4, "Model-Specific Registers"; APM 2, "MSR Cross-Reference".
 */
#ifndef RINGSIDE_MSR_MSR_H
#define RINGSIDE_MSR_MSR_H

#include "base/apic_base.h"
#include "base/bits.h"

#define EFER_SCE BIT(0)
#define EFER_LME BIT(8)
#define EFER_LMA BIT(10)
#define EFER_NXE BIT(11)
#define EFER_FFXSR BIT(14)

#define MTRR_VARIABLE 8
#define MTRR_FIXED 11

/* Architectural storage; part of struct cpu's hashed section: no padding, no pointers. */
struct msr_file {
    u64 efer, star, lstar, cstar, fmask;
    u64 sysenter_cs, sysenter_esp, sysenter_eip;
    u64 kernel_gs_base; /* FS.base and GS.base are the hidden segment bases */
    u64 tsc_offset;     /* TSC = ticks + tsc_offset */
    u64 tsc_aux, tsc_adjust;
    u64 apic_base, misc_enable, feature_control, spec_ctrl, pat, debugctl, platform_info;
    u64 mtrr_def_type, mtrr_fixed[MTRR_FIXED], mtrr_base[MTRR_VARIABLE], mtrr_mask[MTRR_VARIABLE];
    u64 mcg_status, syscfg, hwcr, patch_level;
    u64 top_mem, top_mem2, nb_cfg, de_cfg;
    u64 perf_select[4], perf_count[4]; /* written and read back; nothing counts */
};

/* What must exist for a row of msr.def to exist. */
enum msr_gate {
    MSR_GATE_ANY,
    MSR_GATE_P6,    /* the P6 family and later */
    MSR_GATE_P6_32, /* the P6 family without long mode */
    MSR_GATE_MCE,
    MSR_GATE_MCA,
    MSR_GATE_TSC,
    MSR_GATE_APIC,
    MSR_GATE_X2APIC,
    MSR_GATE_TSC_DEADLINE,
    MSR_GATE_TSC_ADJUST,
    MSR_GATE_TSC_AUX, /* RDTSCP or RDPID */
    MSR_GATE_MTRR,
    MSR_GATE_PAT,
    MSR_GATE_SEP,
    MSR_GATE_EFER, /* SYSCALL, NX or long mode */
    MSR_GATE_SYSCALL,
    MSR_GATE_LM,
    MSR_GATE_SPEC_CTRL,
    MSR_GATE_STIBP,
    MSR_GATE_SSBD,
    MSR_GATE_PRED_CMD,
    MSR_GATE_FLUSH_CMD,
    MSR_GATE_ARCH_CAPABILITIES,
    MSR_GATE_SINCE_K8,  /* AMD with long mode */
    MSR_GATE_SINCE_ZEN, /* AMD family 17h and later */
};

/* What a write means beyond the stored value; the ISA's WRMSR carries it out. */
enum msr_effect {
    MSR_EFFECT_NONE,
    MSR_EFFECT_EFER,    /* mode rules; may flush the TLB */
    MSR_EFFECT_FS_BASE, /* hidden base of FS (value is not in the file) */
    MSR_EFFECT_GS_BASE,
    MSR_EFFECT_TSC,
    MSR_EFFECT_TSC_ADJUST,
    MSR_EFFECT_APIC_BASE, /* goes to the local APIC through cpu_ports */
    MSR_EFFECT_APIC,      /* x2APIC registers 800h-8FFh */
    MSR_EFFECT_TSC_DEADLINE,
    MSR_EFFECT_DISCARD, /* accepted, no state (PRED_CMD, FLUSH_CMD, microcode update trigger) */
};

enum msr_status { MSR_OK, MSR_UNKNOWN, MSR_RESERVED_BITS, MSR_NON_CANONICAL, MSR_READ_ONLY };

/* What the file must know of the processor. */
struct msr_context {
    bool amd;
    u8 linear_bits; /* 48 or 57: the widest the CPU supports, not what CR4.LA57 selects (MSR-04) */
    u8 maxphyaddr;
    u64 arch_capabilities; /* IA32_ARCH_CAPABILITIES */
    const void *owner;     /* for has() */
    /* Whether the processor has what enum msr_gate names. */
    bool (*has)(const struct msr_context *ctx, enum msr_gate gate);
};

/* Check and fetch. in: ctx processor facts; file; number = ECX.
 * returns: MSR_OK with *value and *effect; anything else means #GP(0). *effect is MSR_EFFECT_NONE when *value is final
 *          (EFER, APIC_BASE and TSC_ADJUST too); the caller fetches FS_BASE, GS_BASE, TSC, TSC_DEADLINE and APIC. */
enum msr_status msr_read(const struct msr_context *ctx, const struct msr_file *file, u32 number, u64 *value,
                         enum msr_effect *effect);
/* Check and, for MSR_EFFECT_NONE, store. *value may be narrowed by vendor rules (SE-08).
 * For other effects nothing is stored: the caller does it. */
enum msr_status msr_write(const struct msr_context *ctx, struct msr_file *file, u32 number, u64 *value,
                          enum msr_effect *effect);
void msr_reset(struct msr_file *file);
/* Name from msr.def ("IA32_LSTAR"), or NULL. */
const char *msr_name(u32 number);

#endif

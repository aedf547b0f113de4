/* SPDX-License-Identifier: MIT
 * Which model-specific registers a model has.
 * SDM 4, "Model-Specific Registers"; APM 2, "MSR Cross-Reference".
 */
#include "cpu/msr_access.h"

static bool has_gate(const struct msr_context *ctx, enum msr_gate gate)
{
    const struct cpu *cpu = ctx->owner;

    if (!cpu_has(cpu, FEAT_MSR))
        return false;
    switch (gate) {
    case MSR_GATE_ANY: return true;
    case MSR_GATE_P6: return cpu->model.generation >= 6;
    case MSR_GATE_P6_32: return cpu->model.generation >= 6 && !cpu_has(cpu, FEAT_LM);
    case MSR_GATE_MCE: return cpu_has(cpu, FEAT_MCE);
    case MSR_GATE_MCA: return cpu_has(cpu, FEAT_MCA);
    case MSR_GATE_TSC: return cpu_has(cpu, FEAT_TSC);
    case MSR_GATE_APIC: return cpu_has(cpu, FEAT_APIC) && cpu->model.generation >= 6;
    case MSR_GATE_X2APIC: return cpu_has(cpu, FEAT_X2APIC);
    case MSR_GATE_TSC_DEADLINE: return cpu_has(cpu, FEAT_TSC_DEADLINE);
    case MSR_GATE_TSC_ADJUST: return cpu_has(cpu, FEAT_TSC_ADJUST);
    case MSR_GATE_TSC_AUX: return cpu_has(cpu, FEAT_RDTSCP) || cpu_has(cpu, FEAT_RDPID);
    case MSR_GATE_MTRR: return cpu_has(cpu, FEAT_MTRR);
    case MSR_GATE_PAT: return cpu_has(cpu, FEAT_PAT);
    case MSR_GATE_SEP: return cpu_has(cpu, FEAT_SEP);
    case MSR_GATE_EFER: return cpu_has(cpu, FEAT_SYSCALL) || cpu_has(cpu, FEAT_NX) || cpu_has(cpu, FEAT_LM);
    case MSR_GATE_SYSCALL: return cpu_has(cpu, FEAT_SYSCALL);
    case MSR_GATE_LM: return cpu_has(cpu, FEAT_LM);
    case MSR_GATE_SPEC_CTRL: return cpu_has(cpu, FEAT_SPEC_CTRL);
    case MSR_GATE_STIBP: return cpu_has(cpu, FEAT_STIBP);
    case MSR_GATE_SSBD: return cpu_has(cpu, FEAT_SSBD);
    case MSR_GATE_PRED_CMD: return cpu_has(cpu, FEAT_SPEC_CTRL) || cpu_has(cpu, FEAT_AMD_IBPB);
    case MSR_GATE_FLUSH_CMD: return cpu_has(cpu, FEAT_FLUSH_L1D);
    case MSR_GATE_ARCH_CAPABILITIES: return cpu_has(cpu, FEAT_ARCH_CAPABILITIES);
    case MSR_GATE_SINCE_K8: return cpu_is_amd(cpu) && cpu_has(cpu, FEAT_LM);
    case MSR_GATE_SINCE_ZEN: return cpu_is_amd(cpu) && cpu->model.family >= 0x17;
    }
    return false;
}

struct msr_context cpu_msr_context(const struct cpu *cpu)
{
    return (struct msr_context){
        .amd = cpu_is_amd(cpu),
        .linear_bits = cpu->model.linear_bits,
        .maxphyaddr = cpu->model.physical_bits,
        .arch_capabilities = cpu->model.arch_capabilities,
        .owner = cpu,
        .has = has_gate,
    };
}

enum rule cpu_msr_rule(u32 number, enum msr_status status)
{
    switch (status) {
    case MSR_OK: return RULE_NONE;
    case MSR_UNKNOWN: return RULE_MSR_01;
    case MSR_NON_CANONICAL: return RULE_MSR_04;
    case MSR_RESERVED_BITS: return number == 0x1B ? RULE_MSR_07 : RULE_MSR_03;
    case MSR_READ_ONLY: return RULE_MSR_03;
    }
    return RULE_MSR_03;
}

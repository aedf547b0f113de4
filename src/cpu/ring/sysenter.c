/* SPDX-License-Identifier: MIT
 * SYSENTER and SYSEXIT, by vendor and mode.
 * SDM 2B, "SYSENTER-Fast System Call", "SYSEXIT-Fast Return from Fast System Call"; APM 3, "SYSENTER", "SYSEXIT".
 */
#include "cpu/fault.h"
#include "cpu/ring/flat.h"
#include "cpu/ring/mechanisms.h"

/* IA32_SYSENTER_CS as a selector base; bits 15:2 all zero means "not set up". */
static u16 sysenter_selector(const struct cpu *cpu) { return (u16)(cpu->arch.msr.sysenter_cs & 0xFFFC); }

static void record_msrs(const struct cpu *cpu, struct transition *t)
{
    t->msr[0] = cpu->arch.msr.sysenter_cs;
    t->msr[1] = cpu->arch.msr.sysenter_esp;
    t->msr[2] = cpu->arch.msr.sysenter_eip;
    t->msrs = 3;
}

void ring_sysenter(struct cpu *cpu)
{
    struct transition t;
    u16 cs = sysenter_selector(cpu);
    bool long_mode = cpu_long_mode(cpu);

    REQUIRE(cpu, !(cpu_is_amd(cpu) && long_mode), UD, RULE_SE_07);
    REQUIRE(cpu, cpu->d.mode != MODE_REAL, GP(0), RULE_SE_01);
    REQUIRE(cpu, cs != 0, GP(0), RULE_SE_02);

    COVER(cpu, RULE_SE_03, cpu_vm86(cpu));
    COVER(cpu, RULE_SE_04, cpu->arch.rflags & (FLAG_TF | FLAG_NT | FLAG_AC | FLAG_DF | FLAG_IOPL));
    COVER(cpu, RULE_SE_05, cpu->arch.msr.sysenter_cs & 3);
    COVER(cpu, RULE_SE_06, long_mode);
    transition_stage(&t, cpu, MECH_SYSENTER, flags_get(cpu));
    t.new_cpl = 0;
    t.stage = STAGE_SS | STAGE_RSP | STAGE_CONTROL_FLAGS;
    t.cs = long_mode ? flat_code64(cs, 0) : flat_code32(cs, 0); /* SE-05 */
    t.ss = flat_stack((u16)(cs + 8), 0);
    t.rip = long_mode ? cpu->arch.msr.sysenter_eip : (u32)cpu->arch.msr.sysenter_eip; /* SE-06 */
    t.rsp = long_mode ? cpu->arch.msr.sysenter_esp : (u32)cpu->arch.msr.sysenter_esp;
    t.rflags &= ~(FLAG_VM | FLAG_IF); /* SE-03; SE-04: the others survive. RF is 0 by now. */
    t.stack_source = STACK_SYSENTER_ESP;
    record_msrs(cpu, &t);
    ring_commit(cpu, &t);
}

void ring_sysexit(struct cpu *cpu, bool rex_w)
{
    struct transition t;
    u16 cs = sysenter_selector(cpu);
    bool to64 = cpu_64bit(cpu) && rex_w;
    u64 rip = cpu->arch.gpr[RDX], rsp = cpu->arch.gpr[RCX];

    /* UNVERIFIED: AMD in long mode at CPL > 0 gives #GP(0) as seen on hardware, so CPL is tested before the mode. */
    REQUIRE(cpu, cpu->d.mode != MODE_REAL, GP(0), RULE_SE_01);
    REQUIRE(cpu, cpu->arch.cpl == 0, GP(0), RULE_SX_01);
    REQUIRE(cpu, !(cpu_is_amd(cpu) && cpu_long_mode(cpu)), UD, RULE_SX_03);
    REQUIRE(cpu, cs != 0, GP(0), RULE_SX_02);
    if (to64) {
        REQUIRE(cpu, cpu_canonical(cpu, rip), GP(0), RULE_SX_05);
        REQUIRE(cpu, cpu_canonical(cpu, rsp), GP(0), RULE_SX_05);
    }

    COVER(cpu, RULE_SX_04, to64);
    COVER(cpu, RULE_SX_06, cpu->d.intr && (cpu->arch.rflags & FLAG_IF));
    /* SX-03: RFLAGS is untouched. SX-04: the selectors. */
    transition_stage(&t, cpu, MECH_SYSEXIT, flags_get(cpu));
    t.new_cpl = 3;
    t.stage = STAGE_SS | STAGE_RSP;
    t.cs = to64 ? flat_code64((u16)((cs + 32) | 3), 3) : flat_code32((u16)((cs + 16) | 3), 3);
    t.ss = flat_stack((u16)((cs + (to64 ? 40 : 24)) | 3), 3);
    t.rip = to64 ? rip : (u32)rip;
    t.rsp = to64 ? rsp : (u32)rsp;
    t.stack_source = STACK_REGISTER;
    record_msrs(cpu, &t);
    ring_commit(cpu, &t);
}

/* SPDX-License-Identifier: MIT
 * SYSCALL and SYSRET, by vendor and mode.
 * SDM 2B, "SYSCALL-Fast System Call", "SYSRET-Return From Fast System Call"; APM 3, "SYSCALL", "SYSRET".
 */
#include "cpu/fault.h"
#include "cpu/ring/flat.h"
#include "cpu/ring/mechanisms.h"

#define SYSRET_RFLAGS 0x3C7FD7ull /* SR-06: RF, VM and the reserved bits become 0 */

/* SYSCALL in long mode: RIP from LSTAR, or on AMD from CSTAR when it comes from compatibility mode. */
static void syscall_long(struct cpu *cpu, struct transition *t, u16 cs)
{
    const struct msr_file *msr = &cpu->arch.msr;
    u64 rflags = t->rflags; /* RF is 0 while an instruction executes */

    COVER(cpu, RULE_SC_04, t->rflags & msr->fmask);
    COVER(cpu, RULE_SC_06, (t->rflags & FLAG_TF) && (msr->fmask & FLAG_TF));
    COVER(cpu, RULE_SC_07, (t->rflags & FLAG_TF) && !(msr->fmask & FLAG_TF));
    COVER(cpu, RULE_SC_08, !cpu_canonical(cpu, t->rip));
    /* SC-08: the return address is stored as it is, canonical or not. */
    cpu->arch.gpr[RCX] = t->rip;
    cpu->arch.gpr[R11] = rflags; /* SC-04 */
    t->cs = flat_code64(cs, 0);
    t->rip = cpu_64bit(cpu) ? msr->lstar : msr->cstar; /* SC-02 */
    t->rflags = (rflags & ~msr->fmask) | FLAG_FIXED1;
    t->msr[0] = msr->star;
    t->msr[1] = t->rip;
    t->msr[2] = msr->fmask;
    t->msrs = 3;
}

/* SYSCALL outside long mode (AMD only), SC-09. */
static void syscall_legacy(struct cpu *cpu, struct transition *t, u16 cs)
{
    cpu->arch.gpr[RCX] = (u32)t->rip;
    t->cs = flat_code32(cs, 0);
    t->rip = (u32)cpu->arch.msr.star;
    t->rflags &= ~(FLAG_IF | FLAG_VM);
    t->msr[0] = cpu->arch.msr.star;
    t->msrs = 1;
}

void ring_syscall(struct cpu *cpu)
{
    struct transition t;
    u16 cs;

    REQUIRE(cpu, cpu->arch.msr.efer & EFER_SCE, UD, RULE_SC_01);
    /* UNVERIFIED: the APM's pseudocode has no mode check, so AMD real mode and VM86 take the legacy path (SC-02). */
    REQUIRE(cpu, cpu_64bit(cpu) || cpu_is_amd(cpu), UD, RULE_SC_02);

    COVER(cpu, RULE_SC_03, cpu->arch.cpl == 0);
    COVER(cpu, RULE_SC_05, bits(cpu->arch.msr.star, 33, 32) != 0);
    COVER(cpu, RULE_SC_09, !cpu_long_mode(cpu));
    /* SC-05: no table is read, and RSP stays. SC-03: any CPL. */
    transition_stage(&t, cpu, MECH_SYSCALL, flags_get(cpu));
    cs = (u16)(bits(cpu->arch.msr.star, 47, 32) & ~3ull);
    t.new_cpl = 0;
    t.ss = flat_stack((u16)(bits(cpu->arch.msr.star, 47, 32) + 8), 0);
    t.stage = STAGE_SS | STAGE_RFLAGS;
    if (cpu_long_mode(cpu))
        syscall_long(cpu, &t, cs);
    else
        syscall_legacy(cpu, &t, cs);
    ring_commit(cpu, &t);
}

void ring_sysret(struct cpu *cpu, bool rex_w)
{
    struct transition t;
    u16 base = (u16)bits(cpu->arch.msr.star, 63, 48);
    bool from64 = cpu_64bit(cpu), to64 = from64 && rex_w;

    REQUIRE(cpu, cpu->arch.msr.efer & EFER_SCE, UD, RULE_SR_01);
    REQUIRE(cpu, from64 || cpu_is_amd(cpu), UD, RULE_SR_03);
    REQUIRE(cpu, cpu_protected(cpu), GP(0), RULE_SR_03);
    REQUIRE(cpu, cpu->arch.cpl == 0, GP(0), RULE_SR_02);
    if (to64 && !cpu_is_amd(cpu)) /* AMD completes; the fetch faults at CPL 3 */
        REQUIRE(cpu, cpu_canonical(cpu, cpu->arch.gpr[RCX]), GP(0), RULE_SR_04);

    COVER(cpu, RULE_SR_05, !to64);
    COVER(cpu, RULE_SR_06, from64);
    COVER(cpu, RULE_SR_07, !cpu_is_amd(cpu)); /* RPL forced, or as it was */
    COVER(cpu, RULE_SR_08, !cpu_is_amd(cpu));
    COVER(cpu, RULE_SR_09, from64 && (cpu->arch.gpr[R11] & FLAG_TF));
    COVER(cpu, RULE_SR_10, cpu->arch.nmi_blocked);
    transition_stage(&t, cpu, MECH_SYSRET, flags_get(cpu));
    t.new_cpl = 3;
    t.stage = STAGE_SS | STAGE_RFLAGS;
    t.cs = to64 ? flat_code64((u16)((base + 16) | 3), 3) : flat_code32((u16)(base | 3), 3); /* SR-07 */
    t.rip = to64 ? cpu->arch.gpr[RCX] : (u32)cpu->arch.gpr[RCX];                            /* SR-05 */
    if (cpu_is_amd(cpu)) { /* SR-07, SR-08: RPL and the hidden part stay what they were */
        const struct segment *ss = &cpu->arch.seg[SS];

        t.ss = segment_make((u16)(base + 8), ss->attr, ss->limit, ss->base);
    } else {
        t.ss = flat_stack((u16)((base + 8) | 3), 3);
    }
    if (from64)
        t.rflags = (cpu->arch.gpr[R11] & SYSRET_RFLAGS) | FLAG_FIXED1; /* SR-06 */
    else
        t.rflags = (t.rflags & ~FLAG_RF) | FLAG_IF;
    t.msr[0] = cpu->arch.msr.star;
    t.msrs = 1;
    ring_commit(cpu, &t);
    if (t.rflags & FLAG_TF) /* SR-09: the trap comes before the first user instruction */
        cpu->arch.pending_debug |= DR6_BS;
}

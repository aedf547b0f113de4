/* SPDX-License-Identifier: MIT
 * Far RET: real mode and VM86, to the same level, to an outer level.
 * SDM 2B "RET"; SDM 3A "Returning from a Called Procedure"; APM 2 "Return Control Transfers".
 */
#include "cpu/ring/far.h"

#include "cpu/ring/mechanisms.h"
#include "cpu/ring/segment.h"

static void return_real(struct cpu *cpu, enum width operand, u16 release_bytes)
{
    struct transition t = transition_begin(cpu, MECH_RET_FAR);
    struct stack_cursor stack = stack_current(cpu, RULE_SG_04);
    u16 selector;

    t.frame = stack_linear(&stack);
    t.frame_words = 2;
    t.frame_word_bytes = (u8)width_bytes(operand);
    t.rip = stack_pop(&stack, operand);
    selector = (u16)stack_pop(&stack, operand);
    t.cs = cpu_vm86(cpu) ? segment_vm86(selector) : segment_real(&cpu->arch.seg[CS], selector);
    REQUIRE(cpu, t.rip <= t.cs.limit, GP(0), RULE_JF_03);
    stack_release(&stack, release_bytes);
    t.rsp = stack.sp;
    t.stage = STAGE_RSP;
    ring_commit(cpu, &t);
}

/* The code segment returned to: never more privileged than the present one (RF-01). */
static struct descriptor return_code(struct cpu *cpu, u16 selector)
{
    struct descriptor code;
    u32 error = selector_error(selector);
    u8 rpl = selector_rpl(selector);

    REQUIRE(cpu, !selector_is_null(selector), GP(0), RULE_RF_01);
    REQUIRE(cpu, descriptor_fetch(cpu, selector, &code), GP(error), RULE_RF_01);
    REQUIRE(cpu, descriptor_is_code(&code), GP(error), RULE_RF_01);
    REQUIRE(cpu, !(cpu_long_mode(cpu) && (code.attr & SEG_L) && (code.attr & SEG_DB)), GP(error), RULE_JF_04);
    REQUIRE(cpu, rpl >= cpu->arch.cpl, GP(error), RULE_RF_01);
    REQUIRE(cpu, descriptor_is_conforming(&code) ? code.dpl <= rpl : code.dpl == rpl, GP(error), RULE_RF_01);
    REQUIRE(cpu, code.present, NP(error), RULE_RF_01);
    return code;
}

/* The outer stack segment; a null one may be returned to in 64-bit mode above ring 3 (RF-02, IR-06). */
static struct segment return_stack(struct cpu *cpu, u16 selector, u8 cpl, bool to_64bit)
{
    if (selector_is_null(selector) && to_64bit && cpl < 3 && selector_rpl(selector) == cpl)
        return segment_null(selector, cpl);
    return stack_segment_load(cpu, STACK_USE_RETF, selector, cpl, 0);
}

/* The popped pointer as it enters RSP: through a 16-bit stack only SP is restored (IR-11). */
static struct stack_cursor outer_stack(struct cpu *cpu, const struct segment *ss, u64 popped, u8 cpl, bool to_64bit)
{
    u64 kept = cpu_is_amd(cpu) ? cpu->arch.gpr[RSP] & ~0xFFFFull : cpu->arch.gpr[RSP] & 0xFFFF0000;

    if (to_64bit)
        return stack_new64(cpu, popped, cpl, SS_(0), RULE_RF_02);
    if (ss->attr & SEG_DB)
        return stack_new(cpu, ss, popped, cpl, SS_(0), RULE_RF_02);
    return stack_new(cpu, ss, kept | (popped & 0xFFFF), cpl, SS_(0), RULE_RF_02);
}

static void return_protected(struct cpu *cpu, enum width operand, u16 release_bytes)
{
    struct transition t = transition_begin(cpu, MECH_RET_FAR);
    struct stack_cursor stack = stack_current(cpu, far_stack_rule(cpu)), outer;
    struct descriptor code;
    u64 sp;
    u16 selector, ss;
    bool outward, to_64bit;

    t.frame = stack_linear(&stack);
    t.frame_word_bytes = (u8)width_bytes(operand);
    t.rip = stack_pop(&stack, operand);
    selector = (u16)stack_pop(&stack, operand);
    code = return_code(cpu, selector);
    to_64bit = far_target_is_64bit(cpu, &code);
    t.cpl = selector_rpl(selector);
    outward = t.cpl > cpu->arch.cpl;
    stack_release(&stack, release_bytes);

    if (outward) {
        sp = stack_pop(&stack, operand);
        ss = (u16)stack_pop(&stack, operand);
        t.ss = return_stack(cpu, ss, t.cpl, to_64bit);
        outer = outer_stack(cpu, &t.ss, sp, t.cpl, to_64bit);
        stack_release(&outer, release_bytes); /* the parameters lie on both stacks (RF-02) */
        t.rsp = outer.sp;
        t.stage = STAGE_SS | STAGE_RSP;
        t.stack_source = STACK_POPPED;
    } else {
        t.rsp = stack.sp;
        t.stage = STAGE_RSP;
    }
    far_require_offset(cpu, &code, t.rip, RULE_JF_03);
    descriptor_set_accessed(cpu, &code);
    t.frame_words = outward ? 4 : 2;
    t.cs = descriptor_segment(&code, selector);
    ring_commit(cpu, &t);
    if (outward)
        segment_revoke_outward(cpu);
}

void far_return(struct cpu *cpu, enum width operand, u16 release_bytes)
{
    if (cpu_protected(cpu))
        return_protected(cpu, operand, release_bytes);
    else
        return_real(cpu, operand, release_bytes);
}

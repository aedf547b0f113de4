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

static void return_protected(struct cpu *cpu, enum width operand, u16 release_bytes)
{
    struct transition t = transition_begin(cpu, MECH_RET_FAR);
    struct stack_cursor stack = stack_current(cpu, far_stack_rule(cpu));
    struct descriptor code;
    u64 sp;
    u16 selector, ss;
    bool outward, to_64bit;

    t.frame = stack_linear(&stack);
    t.frame_word_bytes = (u8)width_bytes(operand);
    t.rip = stack_pop(&stack, operand);
    selector = (u16)stack_pop(&stack, operand);
    code = segment_return_code(cpu, selector, RULE_RF_01, RULE_JF_04);
    to_64bit = far_target_is_64bit(cpu, &code);
    t.new_cpl = selector_rpl(selector);
    outward = t.new_cpl > cpu->arch.cpl;
    stack_release(&stack, release_bytes);

    if (outward) {
        sp = stack_pop(&stack, operand);
        ss = (u16)stack_pop(&stack, operand);
        t.ss = stack_segment_return(cpu, STACK_USE_RETF, ss, t.new_cpl, to_64bit);
        /* The parameters lie on both stacks (RF-02). */
        t.rsp = stack_pointer_return(cpu, &t.ss, sp + release_bytes, to_64bit);
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

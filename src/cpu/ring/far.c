/* SPDX-License-Identifier: MIT
 * Far JMP and far CALL: real mode, VM86, direct transfers between code segments, and the way to gates and tasks.
 * SDM 2A "CALL", "JMP"; SDM 3A "Direct Calls or Jumps to Code Segments"; APM 2 "Control Transfers".
 */
#include "cpu/ring/far.h"

#include "cpu/flags.h"
#include "cpu/ring/mechanisms.h"
#include "cpu/ring/task.h"

/* Push CS and the return address on the current stack and stage the new stack pointer. */
static void push_return(struct cpu *cpu, struct transition *t, struct stack_cursor *stack, enum width w)
{
    stack_push(stack, cpu->arch.seg[CS].selector, w);
    stack_push(stack, cpu->d.next_rip, w);
    t->rsp = stack->sp;
    t->stage |= STAGE_RSP;
    t->frame = stack_linear(stack);
    t->frame_words = 2;
    t->frame_word_bytes = (u8)width_bytes(w);
}

static enum mechanism direct_mechanism(enum far_kind kind) { return kind == FAR_CALL ? MECH_CALL_FAR : MECH_JMP_FAR; }

/* Real mode and VM86: no descriptor; the limit of CS still counts (JF-03). */
static void transfer_real(struct cpu *cpu, enum far_kind kind, u16 selector, u64 offset, enum width operand)
{
    struct transition t = transition_begin(cpu, direct_mechanism(kind));
    struct stack_cursor stack = stack_current(cpu, RULE_SG_04);

    t.cs = cpu_vm86(cpu) ? segment_vm86(selector) : segment_real(&cpu->arch.seg[CS], selector);
    t.rip = offset;
    if (kind == FAR_CALL)
        stack_require_room(&stack, 2, operand);
    REQUIRE(cpu, offset <= t.cs.limit, GP(0), RULE_JF_03);
    if (kind == FAR_CALL)
        push_return(cpu, &t, &stack, operand);
    ring_commit(cpu, &t);
}

/* To a code segment at the same level. */
static void transfer_direct(struct cpu *cpu, enum far_kind kind, u16 selector, struct descriptor *code, u64 offset,
                            enum width operand)
{
    u32 error = selector_error(selector);
    u8 cpl = cpu->arch.cpl;
    struct transition t = transition_begin(cpu, direct_mechanism(kind));
    struct stack_cursor stack = stack_current(cpu, far_stack_rule(cpu));

    REQUIRE(cpu, !(cpu_long_mode(cpu) && (code->attr & SEG_L) && (code->attr & SEG_DB)), GP(error), RULE_JF_04);
    if (descriptor_is_conforming(code))
        REQUIRE(cpu, code->dpl <= cpl, GP(error), RULE_JF_01);
    else
        REQUIRE(cpu, selector_rpl(selector) <= cpl && code->dpl == cpl, GP(error), RULE_JF_01);
    REQUIRE(cpu, code->present, NP(error), RULE_JF_01);
    if (kind == FAR_CALL)
        stack_require_room(&stack, 2, operand);
    if (kind == FAR_CALL && cpu_is_amd(cpu)) /* a bad offset finds the return address below the stack pointer */
        push_return(cpu, &t, &stack, operand);
    far_require_offset(cpu, code, offset, RULE_JF_03);

    COVER(cpu, RULE_JF_02, descriptor_is_conforming(code));
    descriptor_set_accessed(cpu, code);
    if (kind == FAR_CALL && !cpu_is_amd(cpu))
        push_return(cpu, &t, &stack, operand);
    t.cs = descriptor_segment(code, selector_with_rpl(selector, cpl)); /* JF-02 */
    t.rip = offset;
    ring_commit(cpu, &t);
}

static void switch_task(struct cpu *cpu, enum far_kind kind, u16 tss, enum gate_kind gate, u8 gate_dpl)
{
    struct task_request request = {
        .cause = kind == FAR_CALL ? TASK_CALL : TASK_JMP,
        .selector = tss,
        .return_rip = cpu->d.next_rip,
        .rflags = flags_get(cpu),
        .gate = gate,
        .gate_dpl = gate_dpl,
    };

    task_switch(cpu, &request);
}

/* Through a system descriptor: call gate, task gate or TSS. */
static void transfer_system(struct cpu *cpu, enum far_kind kind, u16 selector, const struct descriptor *d)
{
    u32 error = selector_error(selector);
    bool allowed = d->dpl >= cpu->arch.cpl && d->dpl >= selector_rpl(selector);
    bool legacy = !cpu_long_mode(cpu);

    switch (d->type) {
    case SYS_CALL_GATE16: REQUIRE(cpu, legacy, GP(error), RULE_CG_03); __attribute__((fallthrough));
    case SYS_CALL_GATE: call_gate_transfer(cpu, kind, selector, *d); return;
    case SYS_TASK_GATE:
        REQUIRE(cpu, legacy, GP(error), RULE_TS_05);
        REQUIRE(cpu, allowed, GP(error), RULE_CG_01);
        REQUIRE(cpu, d->present, NP(error), RULE_CG_01);
        switch_task(cpu, kind, d->selector, GATE_TASK, d->dpl);
        return;
    case SYS_TSS16:
    case SYS_TSS16_BUSY:
    case SYS_TSS:
    case SYS_TSS_BUSY:
        REQUIRE(cpu, legacy, GP(error), RULE_TS_05);
        REQUIRE(cpu, allowed, GP(error), RULE_CG_01);
        switch_task(cpu, kind, selector, GATE_NONE, d->dpl);
        return;
    default: cpu_raise(cpu, GP(error), RULE_JF_01);
    }
}

static void transfer(struct cpu *cpu, enum far_kind kind, u16 selector, u64 offset, enum width operand)
{
    struct descriptor d;

    if (!cpu_protected(cpu)) {
        transfer_real(cpu, kind, selector, offset, operand);
        return;
    }
    REQUIRE(cpu, !selector_is_null(selector), GP(0), RULE_JF_01);
    REQUIRE(cpu, descriptor_fetch(cpu, selector, &d), GP(selector_error(selector)), RULE_JF_01);
    REQUIRE(cpu, !descriptor_is_data(&d), GP(selector_error(selector)), RULE_JF_01);
    if (d.code_or_data)
        transfer_direct(cpu, kind, selector, &d, offset, operand);
    else
        transfer_system(cpu, kind, selector, &d);
}

void far_jump(struct cpu *cpu, u16 selector, u64 offset, enum width operand)
{
    transfer(cpu, FAR_JMP, selector, offset & width_mask(operand), operand);
}

void far_call(struct cpu *cpu, u16 selector, u64 offset, enum width operand)
{
    transfer(cpu, FAR_CALL, selector, offset & width_mask(operand), operand);
}

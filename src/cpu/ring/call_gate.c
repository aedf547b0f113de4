/* SPDX-License-Identifier: MIT
 * Far CALL and far JMP through a call gate: 16-bit, 32-bit with parameters, 64-bit.
 * SDM 2A "CALL", "JMP"; SDM 3A "Accessing a Code Segment Through a Call Gate", "Stack Switching"; APM 2 "Call Gates".
 */
#include "cpu/ring/far.h"

#include "cpu/ring/ring.h"

/* A validated gate and its code segment. */
struct gate_call {
    struct cpu *cpu;
    u16 selector; /* of the gate */
    struct descriptor gate, code;
    enum width width; /* of the words pushed */
    struct transition t;
};

/* The gate itself: CG-01; in long mode its upper half (CG-03). */
static void check_gate(struct gate_call *g)
{
    struct cpu *cpu = g->cpu;
    u32 error = selector_error(g->selector);

    if (cpu_long_mode(cpu)) {
        REQUIRE(cpu, descriptor_fetch_high(cpu, g->selector, &g->gate), GP(error), RULE_CG_03);
        REQUIRE(cpu, bits(g->gate.raw_high, 44, 40) == 0, GP(error), RULE_CG_03);
        g->gate.parameters = 0;
    }
    REQUIRE(cpu, g->gate.dpl >= cpu->arch.cpl && g->gate.dpl >= selector_rpl(g->selector), GP(error), RULE_CG_01);
    REQUIRE(cpu, g->gate.present, NP(error), RULE_CG_01);
}

/* The code segment that the gate names: CG-05, CG-06. */
static void check_code(struct gate_call *g, enum far_kind kind)
{
    struct cpu *cpu = g->cpu;
    u32 error = selector_error(g->gate.selector);
    u8 cpl = cpu->arch.cpl;

    REQUIRE(cpu, !selector_is_null(g->gate.selector), GP(0), RULE_CG_05);
    REQUIRE(cpu, descriptor_fetch(cpu, g->gate.selector, &g->code), GP(error), RULE_CG_05);
    REQUIRE(cpu, descriptor_is_code(&g->code) && g->code.dpl <= cpl, GP(error), RULE_CG_05);
    if (kind == FAR_JMP && !descriptor_is_conforming(&g->code))
        REQUIRE(cpu, g->code.dpl == cpl, GP(error), RULE_CG_06);
    if (cpu_long_mode(cpu))
        REQUIRE(cpu, (g->code.attr & (SEG_L | SEG_DB)) == SEG_L, GP(error), RULE_CG_03);
    REQUIRE(cpu, g->code.present, NP(error), RULE_CG_05);
}

/* The new stack of an inner call: from the TSS, fully checked in legacy mode, null with RPL = CPL in long mode. */
static struct stack_cursor inner_stack(struct gate_call *g, u8 cpl)
{
    struct cpu *cpu = g->cpu;
    struct tss_stack from_tss;

    g->t.stage |= STAGE_SS | STAGE_RSP;
    if (cpu_long_mode(cpu)) {
        g->t.stack_source = STACK_TSS_RSP;
        g->t.ss = segment_null(cpl, cpl);
        return stack_new64(cpu, tss_rsp_fetch(cpu, cpl, 0, RULE_CG_04), cpl, SS_(0), RULE_CG_04);
    }
    from_tss = tss_stack_fetch(cpu, cpl, 0, RULE_CG_04);
    g->t.stack_source = STACK_TSS_SS_ESP;
    g->t.ss = stack_segment_load(cpu, STACK_USE_CALL_GATE, from_tss.ss, cpl, 0);
    return stack_new(cpu, &g->t.ss, from_tss.sp, cpl, SS_(selector_error(from_tss.ss)), RULE_CG_04);
}

static void push_return(struct gate_call *g, struct stack_cursor *stack)
{
    stack_push(stack, g->cpu->arch.seg[CS].selector, g->width);
    stack_push(stack, g->cpu->d.next_rip, g->width);
    g->t.rsp = stack->sp;
    g->t.stage |= STAGE_RSP;
    g->t.frame = stack_linear(stack);
    g->t.frame_word_bytes = (u8)width_bytes(g->width);
}

/* To a more privileged level: switch stacks, copy the parameters in the gate's width (CG-03, CG-04). */
static void call_inner(struct gate_call *g)
{
    struct cpu *cpu = g->cpu;
    u8 cpl = g->code.dpl, words = g->gate.parameters;
    u64 old_sp = cpu->arch.gpr[RSP];
    struct stack_cursor old = stack_current(cpu, RULE_SG_04), new = inner_stack(g, cpl);
    u64 parameter[31];

    stack_require_room(&new, words + 4u, g->width);
    far_require_offset(cpu, &g->code, g->gate.offset, RULE_JF_03);
    for (unsigned i = 0; i < words; i++) /* read at the caller's level */
        parameter[i] = stack_pop(&old, g->width);

    descriptor_set_accessed(cpu, &g->code);
    stack_push(&new, cpu->arch.seg[SS].selector, g->width);
    stack_push(&new, old_sp, g->width);
    for (unsigned i = words; i-- > 0;)
        stack_push(&new, parameter[i], g->width);
    push_return(g, &new);
    g->t.parameters = words;
    g->t.frame_words = (u8)(words + 4);
    g->t.new_cpl = cpl;
}

/* The current stack for words of the gate's width. */
static struct stack_cursor same_level_stack(struct gate_call *g)
{
    struct cpu *cpu = g->cpu;

    /* UNVERIFIED: from compatibility mode the 64-bit frame goes to the zero-extended ESP, the base of SS ignored as in
     * the 64-bit mode that is entered. */
    if (cpu_long_mode(cpu) && !cpu_64bit(cpu))
        return stack_new64(cpu, (u32)cpu->arch.gpr[RSP], cpu->arch.cpl, SS_(0), RULE_ID_20);
    return stack_current(cpu, far_stack_rule(cpu));
}

static void call_same(struct gate_call *g)
{
    struct stack_cursor stack = same_level_stack(g);

    stack_require_room(&stack, 2, g->width);
    far_require_offset(g->cpu, &g->code, g->gate.offset, RULE_JF_03);
    descriptor_set_accessed(g->cpu, &g->code);
    push_return(g, &stack);
    g->t.frame_words = 2;
}

static void jump(struct gate_call *g)
{
    far_require_offset(g->cpu, &g->code, g->gate.offset, RULE_JF_03);
    descriptor_set_accessed(g->cpu, &g->code);
}

void call_gate_transfer(struct cpu *cpu, enum far_kind kind, u16 selector, struct descriptor gate)
{
    struct gate_call g = {
        .cpu = cpu,
        .selector = selector,
        .gate = gate,
        .width = gate.type == SYS_CALL_GATE16 ? W16
                 : cpu_long_mode(cpu)         ? W64
                                              : W32,
        .t = transition_begin(cpu, MECH_CALL_GATE),
    };

    check_gate(&g);
    check_code(&g, kind);
    g.t.gate = g.width == W16 ? GATE_CALL16 : g.width == W32 ? GATE_CALL32 : GATE_CALL64;
    g.t.gate_selector = selector;
    g.t.gate_dpl = g.gate.dpl;

    if (kind == FAR_JMP)
        jump(&g);
    else if (!descriptor_is_conforming(&g.code) && g.code.dpl < cpu->arch.cpl)
        call_inner(&g);
    else
        call_same(&g);
    COVER(cpu, RULE_CG_02, selector_rpl(g.gate.selector) != g.t.new_cpl);
    g.t.cs = descriptor_segment(&g.code, selector_with_rpl(g.gate.selector, g.t.new_cpl)); /* CG-02 */
    g.t.rip = g.gate.offset;
    ring_commit(cpu, &g.t);
}

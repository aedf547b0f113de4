/* SPDX-License-Identifier: MIT
 * Delivery of interrupts and exceptions: what all modes share, and protected mode's 16- and 32-bit gates.
 * SDM 2A, "INT n/INTO/INT3/INT1-Call to Interrupt Procedure"; SDM 3A, "Exception- or Interrupt-Handler Procedures";
 * APM 2, "Exceptions and Interrupts".
 */
#include "cpu/ring/interrupt.h"

#include "cpu/flags.h"
#include "cpu/mem.h"
#include "cpu/ring/task.h"

static bool is_software(enum mechanism m) { return m == MECH_INT_N || m == MECH_INT3 || m == MECH_INTO; }

/* RFLAGS as pushed, with RF by the event's class (ID-14). source: SDM 3B "Instruction-Breakpoint Exception Condition"
 */
static u64 pushed_rflags(const struct cpu *cpu, const struct interrupt_event *event)
{
    u64 rflags = flags_get(cpu);

    switch (event->mechanism) {
    case MECH_INT_N:
    case MECH_INT3:
    case MECH_INTO: return rflags & ~FLAG_RF;
    case MECH_FAULT:
    case MECH_BOUND: return event->code_breakpoint ? rflags : rflags | FLAG_RF;
    case MECH_IRQ:
    case MECH_NMI:
    case MECH_TRAP: return (event->in_rep || cpu->d.in_rep) && !cpu_is_amd(cpu) ? rflags | FLAG_RF : rflags;
    default: return rflags;
    }
}

void delivery_check_gate(const struct delivery *dv)
{
    if (dv->software)
        REQUIRE(dv->cpu, dv->gate.dpl >= dv->cpu->arch.cpl, GP(delivery_gate_error(dv)), RULE_ID_02);
    REQUIRE(dv->cpu, dv->gate.present, NP(delivery_gate_error(dv)), RULE_ID_04);
}

struct descriptor delivery_code_segment(const struct delivery *dv)
{
    struct cpu *cpu = dv->cpu;
    u32 error = delivery_selector_error(dv, dv->gate.selector);
    struct descriptor cs;

    REQUIRE(cpu, !selector_is_null(dv->gate.selector), GP(dv->ext), RULE_ID_05);
    REQUIRE(cpu, descriptor_fetch(cpu, dv->gate.selector, &cs), GP(error), RULE_ID_05);
    REQUIRE(cpu, descriptor_is_code(&cs), GP(error), RULE_ID_05);
    REQUIRE(cpu, cs.dpl <= cpu->arch.cpl, GP(error), RULE_ID_07);
    if (cpu_long_mode(cpu)) /* UNVERIFIED: the order of this check against P (ID-06) */
        REQUIRE(cpu, (cs.attr & (SEG_L | SEG_DB)) == SEG_L, GP(error), RULE_ID_06);
    REQUIRE(cpu, cs.present, NP(error), RULE_ID_05);
    return cs;
}

struct transition delivery_transition(const struct delivery *dv, enum gate_kind gate)
{
    const struct interrupt_event *event = dv->event;
    struct transition t = transition_begin(dv->cpu, event->mechanism);

    t.has_vector = true;
    t.vector = event->vector;
    t.has_error = event->has_error;
    t.error = event->error;
    t.cr2 = event->cr2;
    t.rule = event->rule;
    t.gate = gate;
    t.gate_selector = dv->gate.selector;
    t.gate_dpl = dv->gate.dpl;
    return t;
}

u64 delivery_handler_rflags(const struct delivery *dv, bool interrupt_gate)
{
    u64 clear = FLAG_TF | FLAG_NT | FLAG_RF | FLAG_VM | (interrupt_gate ? FLAG_IF : 0);

    return flags_get(dv->cpu) & ~clear;
}

/* ---- protected mode, outside long mode */

/* What a gate's type says. */
struct gate_form {
    enum gate_kind kind;
    enum width width; /* of the pushed words */
    bool interrupt;   /* clears IF */
};

static bool gate_form(const struct descriptor *gate, struct gate_form *form)
{
    if (gate->code_or_data)
        return false;
    switch (gate->type) {
    case SYS_TASK_GATE: *form = (struct gate_form){GATE_TASK, W32, false}; return true;
    case SYS_INTERRUPT_GATE16: *form = (struct gate_form){GATE_INTERRUPT16, W16, true}; return true;
    case SYS_TRAP_GATE16: *form = (struct gate_form){GATE_TRAP16, W16, false}; return true;
    case SYS_INTERRUPT_GATE: *form = (struct gate_form){GATE_INTERRUPT32, W32, true}; return true;
    case SYS_TRAP_GATE: *form = (struct gate_form){GATE_TRAP32, W32, false}; return true;
    default: return false;
    }
}

static void deliver_task(struct delivery *dv)
{
    const struct interrupt_event *event = dv->event;

    task_switch(dv->cpu, &(struct task_request){
                             .cause = TASK_INTERRUPT,
                             .selector = dv->gate.selector,
                             .return_rip = event->return_rip,
                             .rflags = dv->image,
                             .ext = dv->ext,
                             .has_error = event->has_error,
                             .error = event->error,
                             .has_vector = true,
                             .vector = event->vector,
                             .rule = event->rule,
                             .cr2 = event->cr2,
                             .gate = GATE_TASK,
                             .gate_dpl = dv->gate.dpl,
                         });
}

/* The handler's stack: the current one, or the inner one of the TSS, fully checked (ID-09, ID-24). */
static struct stack_cursor protected_stack(const struct delivery *dv, struct transition *t, bool inner)
{
    struct cpu *cpu = dv->cpu;
    struct tss_stack tss;

    if (!inner)
        return stack_new(cpu, &cpu->arch.seg[SS], cpu->arch.gpr[RSP], t->new_cpl, SS_(dv->ext), RULE_ID_24);
    tss = tss_stack_fetch(cpu, t->new_cpl, dv->ext, RULE_ID_09);
    t->ss = stack_segment_load(cpu, STACK_USE_INTERRUPT, tss.ss, t->new_cpl, dv->ext);
    t->stage |= STAGE_SS;
    t->stack_source = STACK_TSS_SS_ESP;
    return stack_new(cpu, &t->ss, tss.sp, t->new_cpl, SS_(delivery_selector_error(dv, tss.ss)), RULE_ID_24);
}

/* Data segments as VM86 leaves them for the handler: saved, then null (ID-18). */
static void push_vm86_segments(struct cpu *cpu, struct stack_cursor *stack, enum width w)
{
    static const enum seg order[] = {GS, FS, DS, ES};

    for (unsigned i = 0; i < ARRAY_LEN(order); i++)
        stack_push(stack, cpu->arch.seg[order[i]].selector, w);
}

static void null_data_segments(struct cpu *cpu)
{
    static const enum seg all[] = {ES, DS, FS, GS};

    for (unsigned i = 0; i < ARRAY_LEN(all); i++)
        cpu->arch.seg[all[i]] = segment_null(0, 0);
}

static void deliver_gate(struct delivery *dv, const struct gate_form *form)
{
    struct cpu *cpu = dv->cpu;
    struct descriptor cs = delivery_code_segment(dv);
    struct transition t = delivery_transition(dv, form->kind);
    bool from_vm86 = cpu_vm86(cpu);
    bool inner = !descriptor_is_conforming(&cs) && cs.dpl < cpu->arch.cpl; /* ID-08 */
    unsigned words = 3u + (inner ? 2 : 0) + (from_vm86 ? 4 : 0) + (dv->event->has_error ? 1 : 0);
    struct stack_cursor stack;

    if (from_vm86)
        REQUIRE(cpu, inner && cs.dpl == 0, GP(delivery_selector_error(dv, dv->gate.selector)), RULE_ID_18);
    t.new_cpl = inner ? cs.dpl : cpu->arch.cpl;
    t.rip = dv->gate.offset & width_mask(form->width); /* ID-17 */
    t.rflags = delivery_handler_rflags(dv, form->interrupt);
    t.stage = STAGE_RSP | STAGE_RFLAGS;
    stack = protected_stack(dv, &t, inner);
    stack_require_room(&stack, words, form->width);
    REQUIRE(cpu, t.rip <= cs.limit, GP(dv->ext), RULE_ID_23);
    descriptor_set_accessed(cpu, &cs);
    t.cs = descriptor_segment(&cs, selector_with_rpl(dv->gate.selector, t.new_cpl));

    /* ID-19: what is pushed stays below the stack pointer when a later push faults; no register has changed. */
    if (from_vm86)
        push_vm86_segments(cpu, &stack, form->width);
    if (inner) {
        stack_push(&stack, cpu->arch.seg[SS].selector, form->width);
        stack_push(&stack, cpu->arch.gpr[RSP], form->width);
    }
    stack_push(&stack, dv->image, form->width);
    stack_push(&stack, cpu->arch.seg[CS].selector, form->width);
    stack_push(&stack, dv->event->return_rip, form->width);
    if (dv->event->has_error)
        stack_push(&stack, dv->event->error, form->width); /* ID-15: a 16-bit gate pushes 16 bits */

    t.rsp = stack.sp;
    t.frame = stack_linear(&stack);
    t.frame_words = (u8)words;
    t.frame_word_bytes = (u8)width_bytes(form->width);
    if (from_vm86)
        null_data_segments(cpu);
    ring_commit(cpu, &t);
}

static void deliver_protected(struct delivery *dv)
{
    struct cpu *cpu = dv->cpu;
    u32 offset = dv->event->vector * 8u;
    struct gate_form form;

    REQUIRE(cpu, offset + 7 <= cpu->arch.idtr.limit, GP(delivery_gate_error(dv)), RULE_ID_01);
    dv->gate = descriptor_parse(sys_read(cpu, cpu->arch.idtr.base + offset, W64));
    REQUIRE(cpu, gate_form(&dv->gate, &form), GP(delivery_gate_error(dv)), RULE_ID_03);
    delivery_check_gate(dv); /* TS-06: a task gate's DPL counts too */
    if (form.kind == GATE_TASK)
        deliver_task(dv);
    else
        deliver_gate(dv, &form);
}

/* ---- entry points */

static struct delivery delivery_of(struct cpu *cpu, const struct interrupt_event *event)
{
    bool software = is_software(event->mechanism);

    return (struct delivery){
        .cpu = cpu,
        .event = event,
        .software = software,
        .ext = !software, /* INT1 counts as a hardware event (ID-15) */
        .image = pushed_rflags(cpu, event),
    };
}

void interrupt_deliver(struct cpu *cpu, const struct interrupt_event *event)
{
    struct delivery dv = delivery_of(cpu, event);

    if (event->mechanism == MECH_FAULT && event->vector == VEC_PF)
        cpu->arch.cr2 = event->cr2;
    if (event->mechanism == MECH_NMI)
        cpu->arch.nmi_blocked = 1; /* SH-05: until the next IRET, also when this delivery faults */

    if (cpu->d.mode == MODE_REAL)
        delivery_ivt(&dv, dv.image, FLAG_IF | FLAG_TF | FLAG_AC | FLAG_RF);
    else if (cpu_long_mode(cpu))
        delivery_long(&dv);
    else
        deliver_protected(&dv);
}

void interrupt_software(struct cpu *cpu, enum mechanism mechanism, u8 vector)
{
    struct interrupt_event event = {
        .mechanism = mechanism, .vector = vector, .return_rip = cpu->d.next_rip, /* ID-26, ID-21 */
    };
    struct delivery dv = delivery_of(cpu, &event);

    if (mechanism == MECH_INTO)
        REQUIRE(cpu, !cpu_64bit(cpu), UD, RULE_ID_26);
    if (cpu_vm86(cpu) && mechanism == MECH_INT_N && delivery_redirected(&dv))
        return;
    interrupt_deliver(cpu, &event);
}

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
ALWAYS_INLINE u64 pushed_rflags(const struct cpu *cpu, const struct interrupt_event *event, u64 rflags)
{
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

/* ---- protected mode, outside long mode */

/* What a gate's type says. */
struct gate_form {
    enum gate_kind kind;
    enum width width; /* of the pushed words */
    bool interrupt;   /* clears IF */
};

ALWAYS_INLINE bool gate_form(const struct descriptor *gate, struct gate_form *form)
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

static void deliver_task(const struct delivery *dv, const struct descriptor *gate)
{
    const struct interrupt_event *event = dv->event;

    task_switch(dv->cpu, &(struct task_request){
                             .cause = TASK_INTERRUPT,
                             .selector = gate->selector,
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
                             .gate_dpl = gate->dpl,
                         });
}

/* The handler's stack: the current one, or the inner one of the TSS, fully checked (ID-09, ID-24). */
ALWAYS_INLINE struct stack_cursor protected_stack(const struct delivery *dv, struct transition *t, bool inner)
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

/* The words of the handler's frame in the order in which they are pushed; VM86's data segments come first (ID-18). */
#define FRAME_MAX 10u

ALWAYS_INLINE void push_frame(const struct delivery *dv, struct stack_cursor *stack, bool inner, bool from_vm86,
                              enum width w)
{
    static const enum seg data[] = {GS, FS, DS, ES};
    const struct cpu_arch *arch = &dv->cpu->arch;
    u64 word[FRAME_MAX];
    unsigned n = 0;

    for (unsigned i = 0; from_vm86 && i < ARRAY_LEN(data); i++)
        word[n++] = arch->seg[data[i]].selector;
    if (inner) {
        word[n++] = arch->seg[SS].selector;
        word[n++] = arch->gpr[RSP];
    }
    word[n++] = dv->image;
    word[n++] = arch->seg[CS].selector;
    word[n++] = dv->event->return_rip;
    if (dv->event->has_error)
        word[n++] = dv->event->error; /* ID-15: a 16-bit gate pushes 16 bits */
    stack_push_words(stack, word, n, w);
}

/* Data segments as VM86 leaves them for the handler (ID-18). */
static void null_data_segments(struct cpu *cpu)
{
    static const enum seg all[] = {ES, DS, FS, GS};

    for (unsigned i = 0; i < ARRAY_LEN(all); i++)
        cpu->arch.seg[all[i]] = segment_null(0, 0);
}

ALWAYS_INLINE void deliver_gate(const struct delivery *dv, const struct descriptor *gate, const struct gate_form *form)
{
    struct cpu *cpu = dv->cpu;
    struct descriptor cs = delivery_code_segment(dv, gate->selector);
    struct transition t;
    bool from_vm86 = cpu_vm86(cpu);
    bool inner = !descriptor_is_conforming(&cs) && cs.dpl < cpu->arch.cpl; /* ID-08 */
    unsigned words = 3u + (inner ? 2 : 0) + (from_vm86 ? 4 : 0) + (dv->event->has_error ? 1 : 0);
    struct stack_cursor stack;

    delivery_transition(&t, dv, form->kind, gate->selector, gate->dpl);
    if (from_vm86)
        REQUIRE(cpu, inner && cs.dpl == 0, GP(delivery_selector_error(dv, gate->selector)), RULE_ID_18);
    t.new_cpl = inner ? cs.dpl : cpu->arch.cpl;
    COVER(cpu, RULE_ID_08, descriptor_is_conforming(&cs));
    COVER(cpu, RULE_ID_17, form->width == W16);
    t.rip = gate->offset;
    t.rflags = delivery_handler_rflags(dv, form->interrupt);
    t.stage = STAGE_RSP | STAGE_CONTROL_FLAGS;
    stack = protected_stack(dv, &t, inner);
    stack_require_room(&stack, words, form->width);
    REQUIRE(cpu, t.rip <= cs.limit, GP(dv->ext), RULE_ID_23);
    descriptor_set_accessed(cpu, &cs);
    t.cs = descriptor_segment(&cs, selector_with_rpl(gate->selector, t.new_cpl));

    /* ID-19: what is pushed stays below the stack pointer when a later push faults; no register has changed. */
    push_frame(dv, &stack, inner, from_vm86, form->width);

    t.rsp = stack.sp;
    t.frame = stack_linear(&stack);
    t.frame_words = (u8)words;
    t.frame_word_bytes = (u8)width_bytes(form->width);
    if (from_vm86)
        null_data_segments(cpu);
    ring_commit(cpu, &t);
}

static void deliver_protected(const struct delivery *dv)
{
    struct cpu *cpu = dv->cpu;
    u32 offset = dv->event->vector * 8u;
    struct descriptor gate;
    struct gate_form form;

    REQUIRE(cpu, offset + 7 <= cpu->arch.idtr.limit, GP(delivery_gate_error(dv)), RULE_ID_01);
    gate = descriptor_parse(sys_read(cpu, cpu->arch.idtr.base + offset, W64));
    REQUIRE(cpu, gate_form(&gate, &form), GP(delivery_gate_error(dv)), RULE_ID_03);
    if (form.kind == GATE_TASK && dv->software)
        COVER(cpu, RULE_TS_06, gate.dpl >= cpu->arch.cpl);
    delivery_check_gate(dv, &gate); /* TS-06: a task gate's DPL counts too */
    if (form.kind == GATE_TASK)
        deliver_task(dv, &gate);
    else
        deliver_gate(dv, &gate, &form);
}

/* ---- entry points */

ALWAYS_INLINE struct delivery delivery_of(struct cpu *cpu, const struct interrupt_event *event)
{
    bool software = is_software(event->mechanism);
    u64 rflags = flags_get(cpu);

    return (struct delivery){
        .cpu = cpu,
        .event = event,
        .software = software,
        .ext = !software, /* INT1 counts as a hardware event (ID-15) */
        .rflags = rflags,
        .image = pushed_rflags(cpu, event, rflags),
    };
}

void interrupt_deliver(struct cpu *cpu, const struct interrupt_event *event)
{
    struct delivery dv = delivery_of(cpu, event);

    COVER(cpu, RULE_ID_14, dv.image & FLAG_RF);
    COVER(cpu, RULE_ID_15, dv.ext);
    COVER(cpu, RULE_ID_28, dv.software);
    COVER(cpu, RULE_ID_27, dv.rflags & (FLAG_AC | FLAG_IOPL | FLAG_DF | FLAG_VIF | FLAG_VIP | FLAG_ID));
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

    COVER(cpu, RULE_DB_01, cpu->arch.rflags & FLAG_TF);
    RULE_HELD(cpu, RULE_ID_26); /* INTO does not decode in 64-bit mode */
    if (cpu_vm86(cpu) && mechanism == MECH_INT_N) {
        struct delivery dv = delivery_of(cpu, &event);

        if (delivery_redirected(&dv))
            return;
    }
    interrupt_deliver(cpu, &event);
}

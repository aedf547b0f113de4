/* SPDX-License-Identifier: MIT
 * The quick half of the recorder: is the event that is passing as the predictor says? Then it is only counted. This is
 * predictor_compare() and predictor_follow() for what passes most often, without making the record: what they would not
 * change is not looked at. A transition with a frame in memory, and most of what is beside transitions, go the long
 * way.
 */
#ifndef RINGSIDE_TRACE_EXPECTED_H
#define RINGSIDE_TRACE_EXPECTED_H

#include "cpu/ring/ring.h"
#include "trace/stream.h"

/* A small field at its place in its word of the record. */
#define EXPECTED_AT(field, value) ((u64)(value) << (offsetof(struct event_record, field) % sizeof(u64) * 8))

_Static_assert(EVENT_WORD(from_cs) == EVENT_WORD(to_ss), "the selectors are one word");
_Static_assert(EVENT_WORD(rule) == EVENT_WORD(cpu) && EVENT_WORD(present) == EVENT_WORD(kind), "one word");
_Static_assert(EVENT_WORD(mechanism) == EVENT_WORD(ist) && EVENT_WORD(from_cpl) == EVENT_WORD(to_mode), "one word");
_Static_assert(EVENT_WORD(stack_source) == EVENT_WORD(msrs) && EVENT_WORD(error) == EVENT_WORD(number), "one word");

ALWAYS_INLINE u64 expected_register(const struct predict_slot *s, unsigned word)
{
    return s->word[word] + s->step[word - EVENT_WORD(rax)];
}

/* Bits in which the registers of a software entry are not as expected. RCX and R11 have no steps. */
ALWAYS_INLINE u64 expected_registers(const struct predict_slot *s, const u64 *gpr, u64 rcx, u64 r11)
{
    u64 differ = (gpr[RCX] ^ rcx) | (gpr[R11] ^ r11);

#define REGISTER(field, number) differ |= gpr[number] ^ expected_register(s, EVENT_WORD(field));
    REGISTER(rax, RAX)
    REGISTER(rbx, RBX)
    REGISTER(rdx, RDX)
    REGISTER(rsi, RSI)
    REGISTER(rdi, RDI)
    REGISTER(rbp, RBP)
    REGISTER(r8, R8)
    REGISTER(r9, R9)
    REGISTER(r10, R10)
#undef REGISTER
    return differ;
}

ALWAYS_INLINE u64 expected_time(const struct predictor *p, const struct predict_slot *s, const struct clock *clock)
{
    u64 passed = clock->ticks - p->ticks;

    return (passed ^ s->pace) | (clock_retired(clock) ^ (p->retired + passed));
}

ALWAYS_INLINE u64 expected_small(const struct predict_slot *s, const struct cpu *cpu, const struct transition *t,
                                 unsigned present)
{
    u64 differ;

    differ = s->word[EVENT_WORD(error)] ^ EXPECTED_AT(error, t->has_error ? t->error : 0);
    differ |= s->word[EVENT_WORD(from_cs)] ^ (EXPECTED_AT(from_cs, t->from.cs) | EXPECTED_AT(from_ss, t->from.ss) |
                                              EXPECTED_AT(to_cs, t->to.cs) | EXPECTED_AT(to_ss, t->to.ss));
    differ |= s->word[EVENT_WORD(rule)] ^ (EXPECTED_AT(rule, t->rule) | EXPECTED_AT(gate_selector, t->gate_selector) |
                                           EXPECTED_AT(present, present) | EXPECTED_AT(cpu, (u8)cpu->mmu.who));
    differ |=
        s->word[EVENT_WORD(mechanism)] ^
        (EXPECTED_AT(mechanism, t->mechanism) | EXPECTED_AT(vector, t->has_vector ? t->vector : 0) |
         EXPECTED_AT(from_cpl, t->from.cpl) | EXPECTED_AT(to_cpl, t->to.cpl) | EXPECTED_AT(from_mode, t->from.mode) |
         EXPECTED_AT(to_mode, t->to.mode) | EXPECTED_AT(gate, t->gate) | EXPECTED_AT(ist, t->ist));
    differ |= s->word[EVENT_WORD(stack_source)] ^
              (EXPECTED_AT(stack_source, t->stack_source) | EXPECTED_AT(gate_dpl, t->gate_dpl) |
               EXPECTED_AT(parameters, t->parameters) | EXPECTED_AT(msrs, t->msrs));
    return differ;
}

ALWAYS_INLINE void expected_learn_time(struct predictor *p, const struct clock *clock)
{
    p->ticks = clock->ticks;
    p->retired = clock_retired(clock);
    p->at = p->slot[p->at].next;
}

/* The slot that follows, when the event is of its site; else NULL. */
ALWAYS_INLINE struct predict_slot *expected_slot(struct predictor *p, unsigned context, u64 site)
{
    unsigned slot = p->slot[p->at].next;
    struct predict_slot *s = &p->slot[slot];

    return LIKELY(slot != 0 && s->context == context && s->site == site) ? s : NULL;
}

/* RFLAGS before an entry may differ: after arithmetic they do, and everything else is as predicted all the same.
 * returns: false, with nothing changed, when the event must go the long way. */
ALWAYS_INLINE bool expected_transition(struct stream *stream, const struct cpu *cpu, const struct transition *t)
{
    struct predictor *p = stream->predictor;
    struct predict_slot *s = expected_slot(p, t->mechanism, t->from.rip);
    const struct ring_state *from = &t->from, *to = &t->to;
    bool returns = to->cpl == 3 && from->cpl < 3, is_syscall = t->mechanism == MECH_SYSCALL;
    unsigned present =
        (t->has_vector ? EVENT_HAS_VECTOR : 0) | (t->has_error ? EVENT_HAS_ERROR : 0) | (t->rule ? EVENT_HAS_RULE : 0);
    struct event_record *e;
    u64 differ, flags;

    if (s == NULL || predict_is_by_vector(t->mechanism) || t->frame_words | t->frame_word_bytes | s->framed)
        return false;
    e = &s->last;
    differ = expected_time(p, s, cpu->clock) | (t->sequence ^ (p->sequence + 1));
    differ |= (from->rip ^ e->from_rip) | (from->rsp ^ e->from_rsp) | (from->cr3 ^ p->cr3) |
              (from->gs_base ^ p->gs_base) | (from->kernel_gs_base ^ p->kernel_gs_base);
    differ |= (to->cr3 ^ from->cr3) | (to->gs_base ^ from->gs_base) | (to->kernel_gs_base ^ from->kernel_gs_base);
    if (returns)
        differ |= (to->rip ^ p->user_rip) | (to->rsp ^ p->user_rsp) | (to->rflags ^ p->user_rflags);
    else
        differ |=
            (to->rip ^ e->to_rip) | (to->rsp ^ (is_syscall ? from->rsp : e->to_rsp)) | (to->rflags ^ e->to_rflags);
    differ |= (t->cr2 ^ e->cr2) | (t->msr[0] ^ e->msr0) | (t->msr[1] ^ e->msr1) | (t->msr[2] ^ e->msr2) | t->frame;
    if (event_mechanism_is_software_entry(t->mechanism)) {
        present |= EVENT_HAS_REGISTERS;
        differ |= is_syscall ? expected_registers(s, cpu->arch.gpr, from->rip + 2, from->rflags)
                             : expected_registers(s, cpu->arch.gpr, e->rcx, e->r11);
    } else if (to->cpl > from->cpl) {
        present |= EVENT_HAS_RESULT;
        differ |= cpu->arch.gpr[RAX] ^ expected_register(s, EVENT_WORD(rax));
    } else {
        differ |= e->rax | s->step[0];
    }
    differ |= expected_small(s, cpu, t, present);
    if (differ)
        return false;

    flags = from->rflags ^ e->from_rflags;
    expected_learn_time(p, cpu->clock);
    p->sequence = t->sequence;
    e->from_rflags = from->rflags;
    if (s->stepping)
        for (unsigned i = 0; i < PREDICT_STEPS; i++)
            s->word[EVENT_WORD(rax) + i] += s->step[i];
    if (returns) {
        e->to_rip = to->rip;
        e->to_rsp = to->rsp;
        e->to_rflags = to->rflags;
    }
    if (from->cpl == 3 && to->cpl < 3) {
        p->user_rip = from->rip + (is_syscall || t->mechanism == MECH_INT_N ? 2 : 0);
        p->user_rsp = from->rsp;
        p->user_rflags = from->rflags;
    }
    if (flags)
        stream_put_one(stream, EVENT_WORD(from_rflags), flags);
    else
        stream_predicted(stream);
    return true;
}

/* The same for SWAPGS and a write of CR3. */
ALWAYS_INLINE bool expected_side(struct stream *stream, const struct cpu *cpu, const struct side_event *event)
{
    struct predictor *p = stream->predictor;
    unsigned kind = EVENT_KIND_TRANSITION + 1 + event->kind;
    bool swapgs = event->kind == SIDE_SWAPGS;
    u64 gs_base = cpu->arch.seg[GS].base, kernel_gs_base = cpu->arch.msr.kernel_gs_base, cr3 = cpu->arch.cr3;
    u16 cs = cpu->arch.seg[CS].selector, ss = cpu->arch.seg[SS].selector;
    struct predict_slot *s;
    const struct event_record *e;
    u64 differ;

    if (!swapgs && event->kind != SIDE_CR3)
        return false;
    s = expected_slot(p, predict_context((u8)kind, 0), cpu->arch.rip);
    if (s == NULL)
        return false;
    e = &s->last;
    differ = expected_time(p, s, cpu->clock);
    differ |= (cpu->arch.gpr[RSP] ^ e->from_rsp) | (flags_get(cpu) ^ e->from_rflags) | (cpu->arch.rip ^ e->from_rip);
    if (swapgs)
        differ |= (gs_base ^ p->kernel_gs_base) | (kernel_gs_base ^ p->gs_base) | (cr3 ^ p->cr3) |
                  (event->old_value ^ p->gs_base) | (event->new_value ^ gs_base);
    else
        differ |= (gs_base ^ p->gs_base) | (kernel_gs_base ^ p->kernel_gs_base) | (event->old_value ^ p->cr3) |
                  (event->new_value ^ e->new_value) | (cr3 ^ event->new_value);
    differ |= s->word[EVENT_WORD(error)] ^ EXPECTED_AT(number, event->number);
    differ |= s->word[EVENT_WORD(from_cs)] ^
              (EXPECTED_AT(from_cs, cs) | EXPECTED_AT(from_ss, ss) | EXPECTED_AT(to_cs, cs) | EXPECTED_AT(to_ss, ss));
    differ |= s->word[EVENT_WORD(rule)] ^ (EXPECTED_AT(kind, kind) | EXPECTED_AT(cpu, (u8)cpu->mmu.who));
    differ |=
        s->word[EVENT_WORD(mechanism)] ^ (EXPECTED_AT(from_cpl, cpu->arch.cpl) | EXPECTED_AT(to_cpl, cpu->arch.cpl) |
                                          EXPECTED_AT(from_mode, cpu->d.mode) | EXPECTED_AT(to_mode, cpu->d.mode));
    differ |= s->word[EVENT_WORD(stack_source)];
    if (differ)
        return false;

    expected_learn_time(p, cpu->clock);
    p->gs_base = gs_base;
    p->kernel_gs_base = kernel_gs_base;
    p->cr3 = cr3;
    stream_predicted(stream);
    return true;
}

#endif

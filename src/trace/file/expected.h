/* SPDX-License-Identifier: MIT
 * The quick half of the recorder: is the event that is passing as the predictor says? Then it is only counted. This is
 * predictor_compare() and predictor_follow() for what passes most often, without making the record: what they would not
 * change is not looked at. A transition with a frame in memory, and most of what is beside transitions, go the long
 * way.
 */
#ifndef RINGSIDE_TRACE_FILE_EXPECTED_H
#define RINGSIDE_TRACE_FILE_EXPECTED_H

#include "cpu/ring/ring.h"
#include "trace/file/stream.h"

/* A small field at its place in its word of the record. */
#define EXPECTED_AT(field, value) ((u64)(value) << (offsetof(struct event_record, field) % sizeof(u64) * 8))

_Static_assert(EVENT_WORD(from_cs) == EVENT_WORD(to_ss), "the selectors are one word");

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

ALWAYS_INLINE u64 expected_side_of(const struct ring_state *state, u16 cs, u16 ss, u8 cpl, u8 mode)
{
    return (u64)((state->cs ^ cs) | (state->ss ^ ss) | (state->cpl ^ cpl) | (state->mode ^ mode));
}

ALWAYS_INLINE void expected_learn_time(struct predictor *p, const struct predict_slot *s, const struct clock *clock)
{
    p->ticks = clock->ticks;
    p->retired = clock_retired(clock);
    p->at = p->following;
    p->following = s->next;
}

/* The slot that follows, when the event is of its site; else NULL. */
ALWAYS_INLINE struct predict_slot *expected_slot(struct predictor *p, unsigned context, u64 site)
{
    unsigned slot = p->following;
    struct predict_slot *s = &p->slot[slot];

    return LIKELY(slot != 0 && s->context == context && s->site == site) ? s : NULL;
}

/* SYSENTER, SYSEXIT, SYSCALL and SYSRET: no gate, no vector, no frame, and CR3 and the bases of GS stay. */
ALWAYS_INLINE bool expected_mechanism(enum mechanism m)
{
    _Static_assert(MECH_SYSEXIT == MECH_SYSENTER + 1 && MECH_SYSCALL == MECH_SYSENTER + 2 &&
                       MECH_SYSRET == MECH_SYSENTER + 3,
                   "the quick mechanisms stand together");
    return (unsigned)m - MECH_SYSENTER <= MECH_SYSRET - MECH_SYSENTER;
}

/* RFLAGS before an entry may differ: after arithmetic they do, and everything else is as predicted all the same.
 * One group of words is compared after the other, so that not all of them have to be held at once.
 * returns: false, with nothing changed, when the event must go the long way. */
ALWAYS_INLINE bool expected_transition(struct stream *stream, const struct cpu *cpu, const struct transition *t)
{
    struct predictor *p = stream->predictor;
    struct predict_slot *s = expected_slot(p, t->mechanism, t->from.rip);
    const struct ring_state *from = &t->from, *to = &t->to;
    bool returns = to->cpl == 3 && from->cpl < 3, is_syscall = t->mechanism == MECH_SYSCALL;
    struct event_record *e;
    u64 flags;

    if (s == NULL || !expected_mechanism(t->mechanism))
        return false;
    e = &s->last;
    if (expected_time(p, s, cpu->clock) | (t->sequence ^ (p->sequence + 1)) | (from->rsp ^ e->from_rsp) |
        (from->cr3 ^ p->cr3) | (from->gs_base ^ p->gs_base) | (from->kernel_gs_base ^ p->kernel_gs_base))
        return false;
    if (returns
            ? (to->rip ^ p->user_rip) | (to->rsp ^ p->user_rsp) | (to->rflags ^ p->user_rflags)
            : (to->rip ^ e->to_rip) | (to->rsp ^ (is_syscall ? from->rsp : e->to_rsp)) | (to->rflags ^ e->to_rflags))
        return false;
    if (expected_side_of(from, e->from_cs, e->from_ss, e->from_cpl, e->from_mode) |
        expected_side_of(to, e->to_cs, e->to_ss, e->to_cpl, e->to_mode))
        return false;
    if ((t->msr[0] ^ e->msr0) | (t->msr[1] ^ e->msr1) | (t->msr[2] ^ e->msr2) | (u64)(t->msrs ^ e->msrs))
        return false;
    if (event_mechanism_is_software_entry(t->mechanism)
            ? expected_registers(s, cpu->arch.gpr, is_syscall ? from->rip + 2 : e->rcx,
                                 is_syscall ? from->rflags : e->r11)
        : to->cpl > from->cpl ? cpu->arch.gpr[RAX] ^ expected_register(s, EVENT_WORD(rax))
                              : e->rax | s->step[0])
        return false;

    flags = from->rflags ^ e->from_rflags;
    expected_learn_time(p, s, cpu->clock);
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
        p->user_rip = from->rip + (is_syscall ? 2 : 0);
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
        differ |= (gs_base ^ p->kernel_gs_base) | (kernel_gs_base ^ p->gs_base) | (cr3 ^ p->cr3);
    else
        differ |= (gs_base ^ p->gs_base) | (kernel_gs_base ^ p->kernel_gs_base) | (event->old_value ^ p->cr3) |
                  (event->new_value ^ e->new_value) | (cr3 ^ event->new_value);
    differ |= s->word[EVENT_WORD(from_cs)] ^
              (EXPECTED_AT(from_cs, cs) | EXPECTED_AT(from_ss, ss) | EXPECTED_AT(to_cs, cs) | EXPECTED_AT(to_ss, ss));
    differ |= (u64)((cpu->arch.cpl ^ e->from_cpl) | ((u8)cpu->d.mode ^ e->from_mode));
    if (differ)
        return false;

    expected_learn_time(p, s, cpu->clock);
    p->gs_base = gs_base;
    p->kernel_gs_base = kernel_gs_base;
    p->cr3 = cr3;
    stream_predicted(stream);
    return true;
}

#endif

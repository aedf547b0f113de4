/* SPDX-License-Identifier: MIT
 * Prediction of event records.
 * SDM 2, "SYSCALL", "SWAPGS", "INT n" (what they leave where); SDM 3A, "Exception- or Interrupt-Handler Procedures".
 */
#include "trace/file/predict.h"

#include <stdlib.h>

static u64 zigzag(u64 d) { return (d << 1) ^ (u64)((i64)d >> 63); }

static u64 unzigzag(u64 z) { return (z >> 1) ^ (0 - (z & 1)); }

struct predictor *predictor_new(void)
{
    struct predictor *p = aligned_alloc(_Alignof(struct predictor), sizeof *p);

    if (!p)
        abort();
    memset(p, 0, sizeof *p);
    predictor_restart(p);
    return p;
}

void predictor_restart(struct predictor *p)
{
    memset(p, 0, offsetof(struct predictor, epoch));
    memset(p->latest, 0, sizeof p->latest);
    p->at = p->following = 0;
    p->slot[0].next = 0;
    p->slot[0].epoch = ++p->epoch;
}

/* SYSCALL and INT n are two bytes long. SDM 2, opcodes 0F 05 and CD ib. */
static u64 return_rip(const struct event_record *entry)
{
    return entry->from_rip + (entry->mechanism == MECH_SYSCALL || entry->mechanism == MECH_INT_N ? 2 : 0);
}

ALWAYS_INLINE bool is_return(const struct event_record *e) { return event_is_exit(e) && e->to_cpl == 3; }

ALWAYS_INLINE bool is_syscall(const struct event_record *e)
{
    return e->kind == EVENT_KIND_TRANSITION && e->mechanism == MECH_SYSCALL;
}

ALWAYS_INLINE u64 target(const struct event_record *e, u64 user, u64 here, u64 otherwise)
{
    return e->kind != EVENT_KIND_TRANSITION ? here : is_return(e) ? user : otherwise;
}

/* Words whose prediction is made from the state before the event and from other words of its record, in this order.
 * X(word, prediction); p: predictor, e: the record, base: the record of the site (or what the word holds before it is
 * predicted, which is the same). */
#define PREDICT_DERIVED(X)                                                                                             \
    X(from_cr3, p->cr3)                                                                                                \
    X(from_gs_base, p->gs_base)                                                                                        \
    X(from_kernel_gs_base, p->kernel_gs_base)                                                                          \
    X(old_value, e->kind == EVENT_KIND_SWAPGS ? e->from_gs_base                                                        \
                 : e->kind == EVENT_KIND_CR3  ? e->from_cr3                                                            \
                                              : base->old_value)                                                        \
    X(new_value, e->kind == EVENT_KIND_SWAPGS ? e->from_kernel_gs_base : base->new_value)                              \
    X(to_cr3, e->kind == EVENT_KIND_CR3 ? e->new_value : e->from_cr3)                                                  \
    X(to_gs_base, e->kind == EVENT_KIND_SWAPGS ? e->from_kernel_gs_base : e->from_gs_base)                             \
    X(to_kernel_gs_base, e->kind == EVENT_KIND_SWAPGS ? e->from_gs_base : e->from_kernel_gs_base)                      \
    X(to_rip, target(e, p->user_rip, e->from_rip, base->to_rip))                                                       \
    X(to_rsp, target(e, p->user_rsp, e->from_rsp, is_syscall(e) ? e->from_rsp : base->to_rsp))                         \
    X(to_rflags, target(e, p->user_rflags, e->from_rflags, base->to_rflags))                                           \
    X(rcx, is_syscall(e) ? return_rip(e) : base->rcx)                                                                  \
    X(r11, is_syscall(e) ? e->from_rflags : base->r11)                                                                 \
    X(frame_address, e->frame_words ? event_frame_is_popped(e) ? e->from_rsp : e->to_rsp : 0)

#define X_BIT(name, prediction) | EVENT_WORD_BIT(name)
#define TIMES (EVENT_WORD_BIT(ticks) | EVENT_WORD_BIT(retired) | EVENT_WORD_BIT(sequence))
#define FRAME (((1ull << EVENT_FRAME_WORDS) - 1) << EVENT_WORD(frame0))
#define STEPS (((1ull << PREDICT_STEPS) - 1) << EVENT_WORD(rax))
#define DIRECT (((1ull << EVENT_WORDS) - 1) & ~(TIMES | FRAME | (0 PREDICT_DERIVED(X_BIT))))

static u64 next_sequence(const struct predictor *p, const struct event_record *e)
{
    return p->sequence + (e->kind == EVENT_KIND_TRANSITION);
}

/* What the architecture pushes or pops. Zeros where no frame was read. */
static void expected_frame(const struct event_record *e, u64 *word)
{
    memset(word, 0, EVENT_FRAME_WORDS * sizeof *word);
    if (e->present & EVENT_HAS_FRAME)
        for (unsigned i = 0; i < e->frame_words && i < EVENT_FRAME_WORDS; i++)
            word[i] = event_frame_expected(e, i);
}

static void choose_slot(const struct predictor *p, const struct event_record *e, u8 *slot, u8 *base)
{
    unsigned context = predict_context(e->kind, e->mechanism);
    u64 site = predict_site(context, e->from_rip, e->vector, e->from_cpl);
    unsigned first = (unsigned)(((site ^ (u64)context << 40) * 0x9E3779B97F4A7C15ull) >> 56);

    *slot = (u8)(first ? first : 1);
    for (unsigned i = 0; i < PREDICT_SITES; i++) {
        unsigned n = first ^ i;
        const struct predict_slot *s = &p->slot[n];

        if (n == 0)
            continue;
        if (s->epoch != p->epoch) {
            *slot = (u8)n;
            break;
        }
        if (s->site == site && s->context == context) {
            *slot = *base = (u8)n;
            return;
        }
    }
    *base = p->latest[context] != *slot ? p->latest[context] : 0; /* that one was of the context, and is given up */
}

void predictor_compare(const struct predictor *p, const struct event_record *e, struct predict_miss *miss)
{
    const struct predict_slot *s;
    const struct event_record *base;
    u64 *d = miss->difference, frame[EVENT_FRAME_WORDS], mask = 0;

    choose_slot(p, e, &miss->slot, &miss->base);
    s = &p->slot[miss->base];
    base = &s->last;
    for (unsigned i = 0; i < EVENT_WORDS; i++)
        d[i] = ((const u64 *)e)[i] ^ s->word[i];
    if (s->stepping && miss->slot == miss->base)
        for (unsigned i = 0; i < PREDICT_STEPS; i++)
            d[EVENT_WORD(rax) + i] =
                ((const u64 *)e)[EVENT_WORD(rax) + i] ^ (s->word[EVENT_WORD(rax) + i] + s->step[i]);
#define X(name, prediction) d[EVENT_WORD(name)] = e->name ^ (prediction);
    PREDICT_DERIVED(X)
#undef X
    d[EVENT_WORD(ticks)] = zigzag(e->ticks - p->ticks - s->pace);
    d[EVENT_WORD(retired)] = zigzag(e->retired - p->retired - (e->ticks - p->ticks));
    d[EVENT_WORD(sequence)] = zigzag(e->sequence - next_sequence(p, e));
    expected_frame(e, frame);
    for (unsigned i = 0; i < EVENT_FRAME_WORDS; i++)
        d[EVENT_WORD(frame0) + i] = frame[i] ^ ((const u64 *)e)[EVENT_WORD(frame0) + i];
    for (unsigned i = 0; i < EVENT_WORDS; i++)
        mask |= (u64)(d[i] != 0) << i;
    miss->mask = mask;
}

/* The registers stand where the record has them; those that SYSCALL fills take no part. */
static void learn_steps(struct predict_slot *s, const u64 *before)
{
    u64 any = 0;

    for (unsigned i = 0; i < PREDICT_STEPS; i++)
        s->step[i] = s->word[EVENT_WORD(rax) + i] - before[i];
    s->step[EVENT_WORD(rcx) - EVENT_WORD(rax)] = s->step[EVENT_WORD(r11) - EVENT_WORD(rax)] = 0;
    for (unsigned i = 0; i < PREDICT_STEPS; i++)
        any |= s->step[i];
    s->stepping = any != 0;
}

/* mask: the words that differ; those among them that are derived, or times, are in indirect too. */
ALWAYS_INLINE const struct event_record *advance(struct predictor *p, u8 slot, bool fresh, u64 mask, u64 indirect,
                                                 const u64 *difference)
{
    struct predict_slot *s = &p->slot[slot];
    struct event_record *e = &s->last;
    const struct event_record *base = e;
    u64 before[PREDICT_STEPS];

    if (mask & STEPS)
        memcpy(before, s->word + EVENT_WORD(rax), sizeof before);
    if (s->stepping)
        for (unsigned i = 0; i < PREDICT_STEPS; i++)
            s->word[EVENT_WORD(rax) + i] += s->step[i];
    for (u64 rest = mask & DIRECT; rest; rest &= rest - 1) {
        unsigned i = (unsigned)__builtin_ctzll(rest);

        s->word[i] ^= difference[i];
    }
#define DIFFERENCE(name) (indirect & EVENT_WORD_BIT(name) ? difference[EVENT_WORD(name)] : 0)
    e->ticks = p->ticks + s->pace + unzigzag(DIFFERENCE(ticks));
    e->retired = p->retired + (e->ticks - p->ticks) + unzigzag(DIFFERENCE(retired));
    e->sequence = next_sequence(p, e) + unzigzag(DIFFERENCE(sequence));
#define X(name, prediction) e->name = (prediction) ^ DIFFERENCE(name);
    PREDICT_DERIVED(X)
#undef X
    if (e->present & EVENT_HAS_FRAME || mask & FRAME || s->framed || fresh) {
        s->framed = e->present & EVENT_HAS_FRAME || mask & FRAME;
        expected_frame(e, s->word + EVENT_WORD(frame0));
        for (u64 rest = mask & FRAME; rest; rest &= rest - 1) {
            unsigned i = (unsigned)__builtin_ctzll(rest);

            s->word[i] ^= difference[i];
        }
    }
    if (mask & STEPS && !fresh)
        learn_steps(s, before);

    s->pace = e->ticks - p->ticks;
    p->ticks = e->ticks;
    p->retired = e->retired;
    p->sequence = e->sequence;
    /* Seldom changed; and a copy of all three at once would wait for the stores above. */
    if (p->cr3 != e->to_cr3)
        p->cr3 = e->to_cr3;
    if (p->gs_base != e->to_gs_base)
        p->gs_base = e->to_gs_base;
    if (p->kernel_gs_base != e->to_kernel_gs_base)
        p->kernel_gs_base = e->to_kernel_gs_base;
    if (event_is_entry(e) && e->from_cpl == 3) {
        p->user_rip = return_rip(e);
        p->user_rsp = e->from_rsp;
        p->user_rflags = e->from_rflags;
    }
    p->at = slot;
    p->following = s->next;
    return e;
}

const struct event_record *predictor_apply(struct predictor *p, const struct predict_miss *miss)
{
    struct predict_slot *s = &p->slot[miss->slot];
    const struct predict_slot *base = &p->slot[miss->base];
    const struct event_record *e;

    if (miss->slot == 0 || base->epoch != p->epoch)
        return NULL;
    p->slot[p->at].next = miss->slot;
    if (s == base)
        return miss->mask & ~DIRECT ? advance(p, miss->slot, false, miss->mask, miss->mask, miss->difference)
                                    : advance(p, miss->slot, false, miss->mask, 0, miss->difference);
    s->last = base->last;
    memset(s->step, 0, sizeof s->step);
    s->stepping = false;
    s->pace = base->pace;
    s->epoch = p->epoch;
    s->next = 0;
    e = advance(p, miss->slot, true, miss->mask, miss->mask, miss->difference);
    s->context = (u8)predict_context(e->kind, e->mechanism);
    s->site = predict_site(s->context, e->from_rip, e->vector, e->from_cpl);
    p->latest[s->context] = miss->slot;
    return e;
}

const struct event_record *predictor_follow(struct predictor *p)
{
    u8 slot = p->following;

    return slot ? advance(p, slot, false, 0, 0, NULL) : NULL;
}

const struct event_record *predictor_follow_transition(struct predictor *p, u8 slot)
{
    if (p->slot[slot].last.kind != EVENT_KIND_TRANSITION)
        __builtin_unreachable();
    return advance(p, slot, false, 0, 0, NULL);
}

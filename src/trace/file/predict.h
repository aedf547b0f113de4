/* SPDX-License-Identifier: MIT
 * Prediction of event records. Every event is one of a site: the same mechanism at the same instruction, or by the same
 * vector. A slot remembers the last record of a site; most events repeat it but for the time, and in a loop the next
 * site is known too. The recorder, the writing thread and the reader all run this predictor over the same events, so
 * that what was predicted right needs no bytes at all.
 *
 * A prediction reads only what came before, and words of the same record that stand above it in PREDICT_DERIVED.
 */
#ifndef RINGSIDE_TRACE_FILE_PREDICT_H
#define RINGSIDE_TRACE_FILE_PREDICT_H

#include "trace/event.h"

#define EVENT_WORDS ((unsigned)(sizeof(struct event_record) / sizeof(u64)))
#define EVENT_WORD(field) ((unsigned)(offsetof(struct event_record, field) / sizeof(u64)))
#define EVENT_WORD_BIT(field) (1ull << EVENT_WORD(field))
#define PREDICT_SLOTS 256u   /* number 0 holds a record of zeros, and is no site */
#define PREDICT_STEPS 11u    /* rax to r11 */
#define PREDICT_SITES 4u     /* slots in which a site may stand */
#define PREDICT_CONTEXTS 96u /* mechanisms, then kinds beside transitions */

_Static_assert(sizeof(struct event_record) % sizeof(u64) == 0 && EVENT_WORDS <= 48, "a mask has 48 bits for words");
_Static_assert(EVENT_WORD(r11) - EVENT_WORD(rax) + 1 == PREDICT_STEPS, "the registers stand together");
_Static_assert(MECHANISMS <= 64 && EVENT_KINDS <= 32, "contexts");

struct predict_slot {
    _Alignas(512) union {
        struct event_record last;
        u64 word[sizeof(struct event_record) / sizeof(u64)];
    };
    u64 step[PREDICT_STEPS]; /* how the registers changed last time */
    u64 pace;                /* ticks since the event before, last time */
    u64 site;                /* used by the encoder only: what the slot stands for */
    u32 epoch;               /* the block in which the slot was filled */
    u8 context;
    u8 next;       /* slot of the event that followed last time */
    bool stepping; /* any of step[] is not 0 */
    bool framed;   /* the frame words may not be 0 */
};

struct predictor {
    /* The processor after the event before. */
    u64 ticks, retired, sequence, cr3, gs_base, kernel_gs_base;
    /* Where the last entry from ring 3 would return to. */
    u64 user_rip, user_rsp, user_rflags;
    u32 epoch;
    u8 at;                       /* slot of the event before */
    u8 following;                /* its next */
    u8 latest[PREDICT_CONTEXTS]; /* encoder only: the slot last filled, per context */
    struct predict_slot slot[PREDICT_SLOTS];
};

/* An event that was not predicted: where it stands, which words differ, and by what. */
struct predict_miss {
    u8 slot, base; /* base: the slot that the record is like; slot itself, unless its content is of another site */
    u64 mask;      /* bit per word */
    u64 difference[sizeof(struct event_record) / sizeof(u64)]; /* valid where mask has a bit */
};

/* Never returns NULL. Freed with free(). */
struct predictor *predictor_new(void);
/* Forget everything: blocks do not depend on each other. */
void predictor_restart(struct predictor *p);
/* Encoder: compare a record with its prediction. miss->mask is 0 where nothing differs. Changes nothing. */
void predictor_compare(const struct predictor *p, const struct event_record *e, struct predict_miss *miss);
/* Make the record that differs so from its prediction, and learn it.
 * returns: the record, valid until the next event of its slot. NULL when miss names slots that a compare never does. */
const struct event_record *predictor_apply(struct predictor *p, const struct predict_miss *miss);
/* The same for an event as predicted, in the slot that follows. NULL when none is known to follow. */
const struct event_record *predictor_follow(struct predictor *p);
static inline unsigned predict_context(u8 kind, u8 mechanism)
{
    return kind == EVENT_KIND_TRANSITION ? mechanism & 63u : 64u + (kind & 31u);
}

/* What comes at no particular instruction is known by its vector, and by whom it interrupts. */
static inline bool predict_is_by_vector(unsigned context)
{
    return context == MECH_FAULT || context == MECH_IRQ || context == MECH_NMI;
}

static inline u64 predict_site(unsigned context, u64 from_rip, u8 vector, u8 from_cpl)
{
    return predict_is_by_vector(context) ? (u64)vector << 8 | from_cpl : from_rip;
}

/* The same, where the slot is known to hold a transition. */
const struct event_record *predictor_follow_transition(struct predictor *p, u8 slot);

/* predictor_follow(), where beside transitions only kind and ticks of the record are wanted. */
static inline const struct event_record *predictor_pass(struct predictor *p)
{
    u8 slot = p->following;
    struct predict_slot *s = &p->slot[slot];
    struct event_record *e = &s->last;
    u64 gs_base = p->gs_base;

    if (e->kind == EVENT_KIND_TRANSITION)
        return slot ? predictor_follow_transition(p, slot) : NULL;
    /* The other words of these are made from what came before, or stay: nobody needs them before they are made again.
     */
    if (e->kind == EVENT_KIND_SWAPGS) {
        p->gs_base = p->kernel_gs_base;
        p->kernel_gs_base = gs_base;
    } else if (e->kind == EVENT_KIND_CR3) {
        p->cr3 = e->new_value;
    } else {
        return predictor_follow(p);
    }
    e->ticks = p->ticks += s->pace;
    p->retired += s->pace;
    p->at = slot;
    p->following = s->next;
    return e;
}

#endif

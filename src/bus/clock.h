/* SPDX-License-Identifier: MIT
 * The virtual clock: ticks, and an ordered queue of timers.
 *
 * One tick is one virtual nanosecond. A tick passes per instruction, per REP iteration and per event delivery; HLT
 * adds the ticks up to the next timer. Nothing here ever reads the host's clock.
 */
#ifndef RINGSIDE_BUS_CLOCK_H
#define RINGSIDE_BUS_CLOCK_H

#include "base/types.h"

#define TICKS_PER_SECOND 1000000000ull
#define CLOCK_NEVER (~0ull)

struct timer {
    u64 when; /* tick at which it fires; meaningful while armed */
    void (*fire)(void *context, u64 now);
    void *context;
    const char *name;
    bool armed;
    struct timer *next; /* queue order: earliest first; equal times fire in the order they were armed */
};

struct clock {
    u64 ticks;     /* virtual time */
    u64 unretired; /* ticks that passed without completing an instruction: clock_retired() */
    u64 deadline;  /* tick of the earliest timer, or CLOCK_NEVER */
    struct timer *queue;
    /* Told when deadline moves earlier, so that a running engine can look again. May be NULL. */
    void (*deadline_changed)(void *context);
    void *deadline_context;
};

/* Completed instructions. */
ALWAYS_INLINE u64 clock_retired(const struct clock *clock) { return clock->ticks - clock->unretired; }
/* Time passes, and no instruction completes. */
ALWAYS_INLINE void clock_pass(struct clock *clock, u64 ticks)
{
    clock->ticks += ticks;
    clock->unretired += ticks;
}

void clock_init(struct clock *clock);
/* (Re)arm at an absolute tick; a tick in the past fires at the next clock_run(); CLOCK_NEVER only disarms. */
void clock_arm(struct clock *clock, struct timer *timer, u64 when);
/* As clock_arm(), but ahead of every timer of the same tick, whenever that one was armed: the input port's, so that an
 * input falls into the same place in a recorded run and in its replay. */
void clock_arm_first(struct clock *clock, struct timer *timer, u64 when);
void clock_cancel(struct clock *clock, struct timer *timer);
/* Fire every timer that is due at clock->ticks, in order. A timer may arm itself or others again; what it arms at or
 * before clock->ticks fires in the same call, so a periodic timer must move past `now`. */
void clock_run(struct clock *clock);

/* Ticks -> counts of a device clock of hz, and back (rounded up), without overflow. */
u64 clock_to_hz(u64 ticks, u64 hz);
u64 clock_from_hz(u64 count, u64 hz);

#endif

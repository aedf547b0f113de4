/* SPDX-License-Identifier: MIT
 * The virtual clock's timer queue and unit conversions.
 */
#include "bus/clock.h"

__extension__ typedef unsigned __int128 u128;

void clock_init(struct clock *clock) { *clock = (struct clock){.deadline = CLOCK_NEVER}; }

static void update_deadline(struct clock *clock)
{
    u64 before = clock->deadline;

    clock->deadline = clock->queue ? clock->queue->when : CLOCK_NEVER;
    if (clock->deadline < before && clock->deadline_changed)
        clock->deadline_changed(clock->deadline_context);
}

static void unlink_timer(struct clock *clock, struct timer *timer)
{
    for (struct timer **link = &clock->queue; *link; link = &(*link)->next) {
        if (*link == timer) {
            *link = timer->next;
            break;
        }
    }
    timer->next = NULL;
    timer->armed = false;
}

static void insert_timer(struct clock *clock, struct timer *timer, u64 when, bool first)
{
    struct timer **link = &clock->queue;

    if (timer->armed)
        unlink_timer(clock, timer);
    if (when == CLOCK_NEVER) {
        update_deadline(clock);
        return;
    }
    while (*link && (first ? (*link)->when < when : (*link)->when <= when))
        link = &(*link)->next;
    timer->when = when;
    timer->armed = true;
    timer->next = *link;
    *link = timer;
    update_deadline(clock);
}

void clock_arm(struct clock *clock, struct timer *timer, u64 when) { insert_timer(clock, timer, when, false); }

void clock_arm_first(struct clock *clock, struct timer *timer, u64 when) { insert_timer(clock, timer, when, true); }

void clock_cancel(struct clock *clock, struct timer *timer)
{
    if (!timer->armed)
        return;
    unlink_timer(clock, timer);
    update_deadline(clock);
}

void clock_run(struct clock *clock)
{
    while (clock->queue && clock->queue->when <= clock->ticks) {
        struct timer *timer = clock->queue;

        unlink_timer(clock, timer);
        update_deadline(clock);
        timer->fire(timer->context, clock->ticks);
    }
}

u64 clock_to_hz(u64 ticks, u64 hz) { return (u64)((u128)ticks * hz / TICKS_PER_SECOND); }

u64 clock_from_hz(u64 count, u64 hz)
{
    u128 ticks = ((u128)count * TICKS_PER_SECOND + hz - 1) / hz;

    return ticks >= CLOCK_NEVER ? CLOCK_NEVER - 1 : (u64)ticks;
}

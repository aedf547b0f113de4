/* SPDX-License-Identifier: MIT
 * The virtual clock and the input port.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "bus/clock.h"
#include "bus/input.h"

struct story {
    char text[256];
    struct clock *clock;
    struct timer *again;
    u64 period;
    size_t room;
    u64 last_tick;
};

struct teller {
    struct story *story;
    char letter;
};

static void tell(void *context, u64 now)
{
    struct teller *teller = context;
    size_t length = strlen(teller->story->text);

    (void)now;
    teller->story->text[length] = teller->letter;
    teller->story->text[length + 1] = 0;
}

static void tell_and_rearm(void *context, u64 now)
{
    struct teller *teller = context;

    tell(context, now);
    clock_arm(teller->story->clock, teller->story->again, teller->story->again->when + teller->story->period);
}

static void timers_fire_in_order(void **state)
{
    struct clock clock;
    struct story story = {.clock = &clock};
    struct teller a = {&story, 'a'}, b = {&story, 'b'}, c = {&story, 'c'}, d = {&story, 'd'};
    struct timer ta = {.fire = tell, .context = &a}, tb = {.fire = tell, .context = &b};
    struct timer tc = {.fire = tell, .context = &c}, td = {.fire = tell, .context = &d};

    (void)state;
    clock_init(&clock);
    assert_true(clock.deadline == CLOCK_NEVER);
    clock_arm(&clock, &ta, 30);
    clock_arm(&clock, &tb, 10);
    clock_arm(&clock, &tc, 10);
    clock_arm_first(&clock, &td, 10);
    assert_int_equal(clock.deadline, 10);
    clock.ticks = 9;
    clock_run(&clock);
    assert_string_equal(story.text, "");
    clock.ticks = 10;
    clock_run(&clock);
    assert_string_equal(story.text, "dbc");
    assert_int_equal(clock.deadline, 30);
    clock_arm(&clock, &tb, 40);
    clock_arm(&clock, &tb, 20); /* re-arming moves it */
    clock_cancel(&clock, &ta);
    clock_cancel(&clock, &ta);
    assert_int_equal(clock.deadline, 20);
    clock.ticks = 100;
    clock_run(&clock);
    assert_string_equal(story.text, "dbcb");
    assert_true(clock.deadline == CLOCK_NEVER);
    clock_arm(&clock, &ta, CLOCK_NEVER);
    assert_false(ta.armed);
}

static void a_timer_may_rearm_itself(void **state)
{
    struct clock clock;
    struct timer t;
    struct story story = {.clock = &clock, .again = &t, .period = 10};
    struct teller teller = {&story, 'x'};

    (void)state;
    clock_init(&clock);
    t = (struct timer){.fire = tell_and_rearm, .context = &teller};
    clock_arm(&clock, &t, 10);
    clock.ticks = 35;
    clock_run(&clock);
    assert_string_equal(story.text, "xxx");
    assert_int_equal(t.when, 40);
}

static void told(void *context) { ++*(unsigned *)context; }

static void deadline_listener_hears_earlier_only(void **state)
{
    struct clock clock;
    unsigned calls = 0;
    struct timer a = {0}, b = {0};

    (void)state;
    clock_init(&clock);
    clock.deadline_changed = told;
    clock.deadline_context = &calls;
    clock_arm(&clock, &a, 100);
    assert_int_equal(calls, 1);
    clock_arm(&clock, &b, 200);
    assert_int_equal(calls, 1);
    clock_cancel(&clock, &a);
    assert_int_equal(calls, 1);
    clock_arm(&clock, &a, 50);
    assert_int_equal(calls, 2);
}

static void conversions_round_trip(void **state)
{
    const u64 hz[] = {1193182, 3579545, 32768, 1000000000, 62500000};

    (void)state;
    for (unsigned i = 0; i < sizeof hz / sizeof hz[0]; i++)
        for (u64 count = 1; count < 1ull << 40; count = count * 3 + 1)
            assert_int_equal(clock_to_hz(clock_from_hz(count, hz[i]), hz[i]), count);
    assert_int_equal(clock_to_hz(TICKS_PER_SECOND, 1193182), 1193182);
    assert_true(clock_from_hz(~0ull, 1) < CLOCK_NEVER);
}

static size_t sink(void *context, const u8 *bytes, size_t size)
{
    struct story *story = context;
    size_t taken = size < story->room ? size : story->room;

    if (!size)
        strcat(story->text, "!");
    else
        strncat(story->text, (const char *)bytes, taken);
    return taken;
}

struct logged {
    struct {
        u64 tick;
        enum input_source source;
        u8 bytes[16];
        size_t size;
    } entry[16];
    unsigned count;
};

static void log_input(void *context, u64 tick, enum input_source source, const u8 *bytes, size_t size)
{
    struct logged *log = context;

    log->entry[log->count].tick = tick;
    log->entry[log->count].source = source;
    if (size)
        memcpy(log->entry[log->count].bytes, bytes, size);
    log->entry[log->count++].size = size;
}

static void live_run(struct logged *log, struct story *story)
{
    struct clock clock;
    struct input_port *port;
    struct teller teller = {story, 'T'};
    struct timer timer = {.fire = tell, .context = &teller};

    clock_init(&clock);
    port = input_new(&clock);
    story->room = 3;
    input_attach(port, INPUT_SERIAL0, sink, story);
    input_attach(port, INPUT_NMI_BUTTON, sink, story);
    input_set_log(port, log_input, log);
    input_push(port, INPUT_SERIAL0, (const u8 *)"boot", 4); /* the clock stands: three go in at once */
    assert_true(input_waiting(port));
    clock.ticks = 49;
    clock_arm(&clock, &timer, 50);
    input_push(port, INPUT_SERIAL0, (const u8 *)"ab", 2);
    input_push(port, INPUT_NMI_BUTTON, NULL, 0);
    assert_string_equal(story->text, "boo"); /* not before the next tick */
    clock.ticks = 53;                        /* the boundary comes late */
    clock_run(&clock);
    input_push(port, INPUT_KEYBOARD, (const u8 *)"z", 1); /* no sink: dropped */
    assert_false(input_waiting(port));
    input_free(port);
}

static void replay_makes_the_same_run(void **state)
{
    struct logged log = {0}, relog = {0};
    struct story live = {0}, again = {.room = 3};
    struct clock clock;
    struct input_port *port;
    struct teller teller = {&again, 'T'};
    struct timer timer = {.fire = tell, .context = &teller};

    (void)state;
    live_run(&log, &live);
    assert_string_equal(live.text, "bootab!T");
    assert_int_equal(log.count, 3);
    assert_int_equal(log.entry[1].tick, 50);

    clock_init(&clock);
    port = input_new(&clock);
    input_attach(port, INPUT_SERIAL0, sink, &again);
    input_attach(port, INPUT_NMI_BUTTON, sink, &again);
    input_set_log(port, log_input, &relog);
    for (unsigned i = 0; i < log.count; i++)
        input_replay(port, log.entry[i].tick, log.entry[i].source, log.entry[i].bytes, log.entry[i].size);
    assert_string_equal(again.text, "boo");
    input_push(port, INPUT_SERIAL0, (const u8 *)"live", 4); /* ignored */
    assert_int_equal(clock.deadline, 50);
    clock_arm(&clock, &timer, 50);
    clock.ticks = 53;
    clock_run(&clock);
    assert_string_equal(again.text, live.text);
    assert_int_equal(input_replay_left(port), 0);
    assert_false(input_replay_diverged(port));
    assert_memory_equal(&log, &relog, sizeof log);
    input_free(port);
}

static void a_refused_replay_is_a_divergence(void **state)
{
    struct clock clock;
    struct story story = {.room = 1};
    struct input_port *port;

    (void)state;
    clock_init(&clock);
    port = input_new(&clock);
    input_attach(port, INPUT_SERIAL0, sink, &story);
    input_replay(port, 5, INPUT_SERIAL0, (const u8 *)"xy", 2);
    input_replay(port, 9, INPUT_SERIAL0, (const u8 *)"z", 1);
    assert_int_equal(input_replay_left(port), 2);
    clock.ticks = 5;
    clock_run(&clock);
    assert_true(input_replay_diverged(port));
    input_free(port);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timers_fire_in_order),
        cmocka_unit_test(a_timer_may_rearm_itself),
        cmocka_unit_test(deadline_listener_hears_earlier_only),
        cmocka_unit_test(conversions_round_trip),
        cmocka_unit_test(replay_makes_the_same_run),
        cmocka_unit_test(a_refused_replay_is_a_divergence),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

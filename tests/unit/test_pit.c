/* SPDX-License-Identifier: MIT
 * The 8254 and port 61h.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "devices/pit.h"

static struct ports *ports;
static struct clock clk;
static struct pit *pit;
static struct irq_line irq0;
static unsigned edges;

static void out(u16 port, u8 value) { ports_write(ports, port, value, 1, INITIATOR_CPU0); }
static u8 in(u16 port) { return (u8)ports_read(ports, port, 1, INITIATOR_CPU0); }

static void count_edges(void *context, unsigned number, bool level)
{
    (void)context, (void)number;
    edges += level;
}

/* Go to an absolute PIT clock, firing timers on the way. */
static void go(u64 pit_clock)
{
    u64 target = clock_from_hz(pit_clock, PIT_HZ);

    while (clk.deadline <= target) {
        clk.ticks = clk.deadline;
        clock_run(&clk);
    }
    clk.ticks = target;
}

static u16 latched(unsigned channel)
{
    u8 low;

    out(0x43, (u8)(channel << 6));
    low = in((u16)(0x40 + channel));
    return (u16)(low | in((u16)(0x40 + channel)) << 8);
}

static int setup(void **state)
{
    (void)state;
    ports = ports_new();
    clock_init(&clk);
    irq0 = (struct irq_line){.changed = count_edges};
    edges = 0;
    pit = pit_new(ports, &clk, &irq0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    pit_free(pit);
    ports_free(ports);
    return 0;
}

static void mode2_interrupts_each_period(void **state)
{
    (void)state;
    out(0x43, 0x34), out(0x40, 100), out(0x40, 0);
    edges = 0;
    go(1 + 50);
    assert_int_equal(latched(0), 50);
    assert_int_equal(edges, 0);
    go(1 + 99);
    assert_false(irq0.level);
    go(1 + 100);
    assert_true(irq0.level);
    assert_int_equal(edges, 1);
    go(1 + 1000);
    assert_int_equal(edges, 10);
    out(0x40, 200), out(0x40, 0); /* takes over at the end of the cycle */
    go(1 + 1100);
    assert_int_equal(edges, 11);
    go(1 + 1299);
    assert_int_equal(edges, 11);
    go(1 + 1300);
    assert_int_equal(edges, 12);
    clk.ticks = clock_from_hz(1 + 1300 + 200 * 5, PIT_HZ); /* one late boundary loses no edge */
    clock_run(&clk);
    assert_int_equal(edges, 17);
}

static void mode3_is_square(void **state)
{
    (void)state;
    out(0x43, 0x36), out(0x40, 7), out(0x40, 0);
    edges = 0;
    go(1 + 3);
    assert_true(irq0.level);
    go(1 + 4);
    assert_false(irq0.level);
    go(1 + 7);
    assert_true(irq0.level);
    assert_int_equal(edges, 1);
    go(1 + 70);
    assert_int_equal(edges, 10);
}

static void mode0_fires_once(void **state)
{
    (void)state;
    out(0x43, 0x30), out(0x40, 10), out(0x40, 0);
    assert_false(irq0.level);
    go(1 + 9);
    assert_false(irq0.level);
    go(1 + 10);
    assert_true(irq0.level);
    go(1 + 12);
    assert_int_equal(latched(0), 0xfffe); /* it counts on below zero */
    out(0x43, 0xe2);                      /* read-back: status of channel 0 */
    assert_int_equal(in(0x40), 0xb0);
    go(1 + 5000);
    assert_int_equal(edges, 1);
}

static void mode0_through_port_61(void **state)
{
    u64 start;

    (void)state;
    out(0x61, 0); /* gate closed: the count waits */
    out(0x43, 0xb0), out(0x42, 0xe8), out(0x42, 3);
    go(500);
    assert_int_equal(in(0x61) & 0x20, 0);
    out(0x61, 1);
    start = clock_to_hz(clk.ticks, PIT_HZ);
    go(start + 999);
    assert_int_equal(in(0x61) & 0x21, 1);
    go(start + 1000);
    assert_int_equal(in(0x61) & 0x21, 0x21);
}

static void refresh_bit_toggles(void **state)
{
    u8 before;

    (void)state;
    go(1000);
    before = in(0x61) & 0x10;
    go(1018);
    assert_int_not_equal(in(0x61) & 0x10, before);
}

static void bcd_latch_and_access_modes(void **state)
{
    (void)state;
    out(0x43, 0x35), out(0x40, 0x00), out(0x40, 0x10); /* BCD 1000 */
    go(1 + 1);
    assert_int_equal(latched(0), 0x0999);
    out(0x43, 0xc2); /* latch status and count */
    go(1 + 500);
    out(0x43, 0xc2); /* a second latch is ignored */
    assert_int_equal(in(0x40), 0xb5);
    assert_int_equal(in(0x40), 0x99);
    assert_int_equal(in(0x40), 0x09);
    out(0x43, 0x54), out(0x41, 18); /* low byte only */
    assert_int_equal(in(0x41), 18);
    assert_int_equal(in(0x43), 0xff);
}

static void one_shot_waits_for_the_gate(void **state)
{
    u64 start;

    (void)state;
    out(0x61, 0);
    out(0x43, 0xb2), out(0x42, 20), out(0x42, 0);
    go(100);
    assert_int_equal(in(0x61) & 0x20, 0x20);
    out(0x61, 1);
    start = clock_to_hz(clk.ticks, PIT_HZ) + 1;
    go(start + 19);
    assert_int_equal(in(0x61) & 0x20, 0);
    go(start + 20);
    assert_int_equal(in(0x61) & 0x20, 0x20);
}

static void hostile_programming_is_harmless(void **state)
{
    u32 seed = 1;

    (void)state;
    for (unsigned i = 0; i < 20000; i++) {
        seed = seed * 1664525 + 1013904223;
        out((u16)(seed >> 30 ? 0x40 + (seed >> 28 & 3) : 0x61), (u8)(seed >> 16));
        in((u16)(0x40 + (seed >> 8 & 3)));
        in(0x61);
        clk.ticks += seed >> 12 & 0xffff;
        clock_run(&clk);
    }
    assert_true(clk.deadline > clk.ticks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(mode2_interrupts_each_period, setup, teardown),
        cmocka_unit_test_setup_teardown(mode3_is_square, setup, teardown),
        cmocka_unit_test_setup_teardown(mode0_fires_once, setup, teardown),
        cmocka_unit_test_setup_teardown(mode0_through_port_61, setup, teardown),
        cmocka_unit_test_setup_teardown(refresh_bit_toggles, setup, teardown),
        cmocka_unit_test_setup_teardown(bcd_latch_and_access_modes, setup, teardown),
        cmocka_unit_test_setup_teardown(one_shot_waits_for_the_gate, setup, teardown),
        cmocka_unit_test_setup_teardown(hostile_programming_is_harmless, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

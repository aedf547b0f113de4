/* SPDX-License-Identifier: MIT
 * The high precision event timer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "devices/hpet.h"

enum { LEGACY0, LEGACY8, PIN20, PIN23 = PIN20 + 3, LINES };
#define CONFIG(n) (0x100u + 0x20u * (n))
#define VALUE(n) (0x108u + 0x20u * (n))
#define LEVEL 2u
#define ENABLE 4u
#define PERIODIC 8u
#define SET_VALUE 0x40u
#define MODE32 0x100u
#define ROUTE(pin) ((pin) << 9)

static struct clock clk;
static struct physmem *pm;
static struct hpet *hpet;
static struct irq_line line[LINES];
static unsigned rises[LINES];

static void count(void *context, unsigned number, bool level)
{
    (void)context;
    rises[number] += level;
}

static void write64(u32 at, u64 value) { physmem_write(pm, HPET_BASE + at, &value, 8, INITIATOR_CPU0); }

static void write32(u32 at, u32 value) { physmem_write(pm, HPET_BASE + at, &value, 4, INITIATOR_CPU0); }

static u64 read64(u32 at)
{
    u64 value;

    physmem_read(pm, HPET_BASE + at, &value, 8, INITIATOR_CPU0);
    return value;
}

static u32 read32(u32 at)
{
    u32 value;

    physmem_read(pm, HPET_BASE + at, &value, 4, INITIATOR_CPU0);
    return value;
}

/* Go to an absolute tick, firing timers on the way. */
static void go(u64 tick)
{
    while (clk.deadline <= tick) {
        clk.ticks = clk.deadline;
        clock_run(&clk);
    }
    clk.ticks = tick;
}

static void make(bool with_pins)
{
    struct hpet_wires wires = {.legacy = {&line[LEGACY0], &line[LEGACY8]}};

    for (unsigned i = 0; with_pins && i < HPET_PINS; i++)
        wires.pin[i] = &line[PIN20 + i];
    hpet = hpet_new(pm, &clk, &wires);
}

static int setup(void **state)
{
    struct error err;

    (void)state;
    clock_init(&clk);
    clk.ticks = 1003;
    pm = physmem_new(1 << 20, &err);
    memset(rises, 0, sizeof rises);
    for (unsigned i = 0; i < LINES; i++)
        line[i] = (struct irq_line){.changed = count, .number = i};
    make(true);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    hpet_free(hpet);
    assert_true(clk.deadline == CLOCK_NEVER);
    physmem_free(pm);
    return 0;
}

static void what_it_says_of_itself(void **state)
{
    (void)state;
    assert_int_equal(read32(0), HPET_BLOCK_ID);
    assert_int_equal(read32(4), 10000000); /* femtoseconds */
    assert_int_equal(read64(0x10), 0);
    assert_int_equal(read64(0x20), 0);
    for (unsigned n = 0; n < 3; n++) {
        assert_int_equal(read64(CONFIG(n)), 0xf0000000000030);
        assert_true(read64(VALUE(n)) == ~0ull);
        write64(CONFIG(n), ~0ull);
        assert_int_equal(read64(CONFIG(n)), 0xf000000000013e); /* no route 31, no FSB; set-value reads 0 */
    }
    assert_int_equal(read64(CONFIG(3)), 0);
    write64(CONFIG(3), ~0ull);
    write64(0x3f8, ~0ull);
    write32(0, 0);
    assert_int_equal(read32(0), HPET_BLOCK_ID);
    write64(0x10, ~0ull);
    assert_int_equal(read64(0x10), 3);
}

static void the_counter_counts_while_enabled(void **state)
{
    u16 half = 0xffff;

    (void)state;
    go(5000);
    assert_int_equal(read64(0xf0), 0);
    write32(0xf4, 7);
    write32(0xf0, 0xfffffffe);
    write32(0x10, 1);
    go(5009);
    assert_true(read64(0xf0) == 0x7fffffffeull);
    go(5010);
    assert_true(read64(0xf0) == 0x7ffffffffull);
    assert_int_equal(read32(0xf4), 7);
    write32(0x10, 1); /* changes nothing, the fraction of a count neither */
    go(5025);
    write32(0x10, 1);
    go(5030);
    assert_true(read64(0xf0) == 0x800000001ull);
    write64(0xf0, 5); /* only while halted */
    assert_true(read64(0xf0) == 0x800000001ull);
    write32(0x10, 0);
    go(9000);
    assert_true(read64(0xf0) == 0x800000001ull);
    write64(0xf0, 5);
    assert_int_equal(read64(0xf0), 5);
    physmem_write(pm, HPET_BASE + 0xf0, &half, 2, INITIATOR_CPU0); /* not defined: nothing */
    physmem_write(pm, HPET_BASE + 0xf2, &(u32){0}, 4, INITIATOR_CPU0);
    assert_int_equal(read64(0xf0), 5);
}

static void one_shot_edge_to_a_pin(void **state)
{
    (void)state;
    write32(0x10, 1);
    write32(CONFIG(2), ENABLE | ROUTE(23));
    write64(VALUE(2), 100);
    go(1003 + 999);
    assert_int_equal(rises[PIN23], 0);
    go(1003 + 1000);
    assert_int_equal(rises[PIN23], 1);
    assert_false(line[PIN23].level);
    assert_int_equal(read64(0x20), 0); /* an edge leaves no status */
    assert_int_equal(read64(VALUE(2)), 100);
    assert_true(clk.deadline == CLOCK_NEVER); /* again after 2^64 counts */
    write64(VALUE(2), 100);                   /* the counter is there: matches at once */
    assert_int_equal(rises[PIN23], 2);
    write64(VALUE(2), 99); /* past */
    go(2000000);
    assert_int_equal(rises[PIN23], 2);
    write32(CONFIG(2), ENABLE | MODE32 | ROUTE(23)); /* ...and comes again in 32 bits */
    go(1003 + (99 + (1ull << 32)) * 10 - 1);
    assert_int_equal(rises[PIN23], 2);
    go(1003 + (99 + (1ull << 32)) * 10);
    assert_int_equal(rises[PIN23], 3);
    go(1003 + (99 + (2ull << 32)) * 10); /* and again */
    assert_int_equal(rises[PIN23], 4);
    write32(CONFIG(2), MODE32 | ROUTE(23));
    assert_true(clk.deadline == CLOCK_NEVER);
    write32(CONFIG(2), ENABLE | ROUTE(5)); /* no such route: stays */
    assert_int_equal(read32(CONFIG(2)) & ROUTE(31), ROUTE(23));
}

static void level_waits_for_its_status(void **state)
{
    (void)state;
    write32(0x10, 1);
    write32(CONFIG(0), LEVEL | ENABLE | PERIODIC | SET_VALUE | ROUTE(20));
    write64(VALUE(0), 50);
    write32(CONFIG(1), LEVEL | ENABLE | ROUTE(20)); /* shares the pin */
    write64(VALUE(1), 60);
    go(1003 + 500);
    assert_true(line[PIN20].level);
    assert_int_equal(read64(0x20), 1);
    go(1003 + 700);
    assert_int_equal(read64(0x20), 3);
    assert_true(clk.deadline == CLOCK_NEVER); /* what would change nothing is not waited for */
    write32(0x20, 0xfffffffe);                /* the first's stays */
    assert_true(line[PIN20].level);
    assert_int_equal(read64(0x20), 1);
    write32(0x24, 1);
    assert_int_equal(read64(0x20), 1);
    go(1003 + 1040); /* two periods more, not seen by anyone */
    write32(0x20, 1);
    assert_false(line[PIN20].level);
    assert_int_equal(rises[PIN20], 1);
    assert_int_equal(read64(VALUE(0)), 150);
    go(1003 + 1500);
    assert_int_equal(rises[PIN20], 2);
    write32(CONFIG(0), LEVEL | PERIODIC | ROUTE(20)); /* no interrupt, but status */
    assert_false(line[PIN20].level);
    write32(0x20, 1);
    go(1003 + 2000);
    assert_int_equal(read64(0x20), 1);
    write32(CONFIG(0), LEVEL | ENABLE | PERIODIC | ROUTE(20));
    assert_true(line[PIN20].level);
    write32(0x10, 0); /* halted: no interrupts */
    assert_false(line[PIN20].level);
    write32(0x10, 1);
    assert_true(line[PIN20].level);
    write32(CONFIG(0), ENABLE | PERIODIC | ROUTE(20)); /* edge: the status is gone */
    assert_int_equal(read64(0x20), 0);
    assert_false(line[PIN20].level);
}

static void periods(void **state)
{
    (void)state;
    write32(0x10, 3);
    write32(CONFIG(0), ENABLE | PERIODIC | SET_VALUE | MODE32);
    write32(VALUE(0), 70); /* value and period */
    write32(VALUE(0), 30); /* period: what a driver for the AMD-8111 writes too */
    go(1003 + 700);
    assert_int_equal(rises[LEGACY0], 1);
    assert_int_equal(read64(VALUE(0)), 100);
    go(1003 + 1000);
    assert_int_equal(rises[LEGACY0], 2);
    assert_int_equal(read64(VALUE(0)), 130);
    clk.ticks = 1003 + 10000; /* late: missed matches are one */
    clock_run(&clk);
    assert_int_equal(rises[LEGACY0], 3);
    assert_int_equal(read64(VALUE(0)), 1000 + 30);
    write32(VALUE(0), 0); /* a period of nothing: no storm */
    go(1003 + 1000000);
    assert_int_equal(rises[LEGACY0], 4);
    assert_int_equal(read64(VALUE(0)), 1030);
    write32(CONFIG(0), ENABLE | PERIODIC | SET_VALUE | MODE32);
    write32(VALUE(0), 0xffffffff); /* wraps in 32 bits: about once per 2^32 */
    write32(0x10, 0);
    write64(0xf0, 0xfffffff0);
    write32(0x10, 3);
    go(clk.ticks + 150);
    assert_int_equal(rises[LEGACY0], 5);
    assert_int_equal(read64(VALUE(0)), 0xfffffffe);
    write32(CONFIG(0), ENABLE | PERIODIC | SET_VALUE); /* 64 bits in two halves */
    write32(VALUE(0), 0x10);
    write32(CONFIG(0), ENABLE | PERIODIC | SET_VALUE);
    write32(VALUE(0) + 4, 1);
    assert_true(read64(VALUE(0)) == 0x100000010ull);
    go(clk.ticks + 1000);
    assert_int_equal(rises[LEGACY0], 6);
    assert_true(read64(VALUE(0)) == 0x200000020ull);
}

static void legacy_replacement(void **state)
{
    struct irq_line *pit = hpet_legacy_input(hpet, 0), *rtc = hpet_legacy_input(hpet, 1);

    (void)state;
    irq_set(pit, true);
    irq_set(rtc, true), irq_set(rtc, false);
    assert_true(line[LEGACY0].level);
    assert_int_equal(rises[LEGACY8], 1);
    write32(0x10, 2); /* not while the block is off */
    irq_set(pit, false), irq_set(pit, true);
    assert_int_equal(rises[LEGACY0], 2);
    write32(0x10, 3);
    assert_false(line[LEGACY0].level);
    irq_set(pit, false), irq_set(pit, true), irq_set(rtc, true);
    assert_false(line[LEGACY0].level || line[LEGACY8].level);
    write32(CONFIG(0), ENABLE | ROUTE(20)), write64(VALUE(0), 1000);
    write32(CONFIG(1), ENABLE | LEVEL | ROUTE(21)), write64(VALUE(1), 2000);
    write32(CONFIG(2), ENABLE | ROUTE(22)), write64(VALUE(2), 3000);
    go(1003 + 10000);
    assert_int_equal(rises[LEGACY0], 3);
    assert_true(line[LEGACY0].level); /* until the next edge */
    write64(VALUE(0), 1500);
    go(1003 + 15000);
    assert_int_equal(rises[LEGACY0], 4);
    go(1003 + 30000);
    assert_int_equal(rises[LEGACY8], 2);
    assert_true(line[LEGACY8].level);
    assert_int_equal(rises[PIN20] + rises[PIN20 + 1], 0);
    assert_int_equal(rises[PIN20 + 2], 1);
    write32(0x20, 2);
    assert_false(line[LEGACY8].level);
    write32(CONFIG(0), 0);
    assert_false(line[LEGACY0].level);
    write32(0x10, 1); /* the 8254 and the clock have their wires again, as they are now */
    assert_true(line[LEGACY0].level && line[LEGACY8].level);
    irq_set(pit, false);
    assert_false(line[LEGACY0].level);
}

static void without_an_io_apic(void **state)
{
    (void)state;
    hpet_free(hpet);
    make(false);
    write32(0x10, 1);
    assert_int_equal(read32(CONFIG(0) + 4), 0);
    for (unsigned pin = 0; pin < 32; pin++) {
        write32(CONFIG(0), ENABLE | ROUTE(pin));
        write64(VALUE(0), read64(0xf0));
        write32(CONFIG(1), ENABLE | LEVEL | ROUTE(pin));
        write64(VALUE(1), read64(0xf0));
    }
    for (unsigned i = 0; i < LINES; i++)
        assert_int_equal(rises[i], 0);
    write32(0x10, 3); /* the pending level reaches its wire */
    assert_int_equal(rises[LEGACY8], 1);
}

/* Random accesses: no write brings the clock to a standstill, and every wire is down once the block is off. */
static void hostile(void **state)
{
    u32 random = 12345;

    (void)state;
    for (unsigned i = 0; i < 200000; i++) {
        unsigned size, fired = 0;
        u64 value;

        random = random * 1664525 + 1013904223;
        size = 1u << (random >> 30);
        value = random >> 8 & 1 ? (u64)random << (random >> 4 & 31) : ~0ull >> (random & 63);
        physmem_write(pm, HPET_BASE + (random >> 12 & (random & 2 ? 0x17f : 0xff8)), &value, size, INITIATOR_CPU0);
        clk.ticks += random >> 20 & 63;
        for (; clk.deadline <= clk.ticks; fired++)
            clock_run(&clk);
        assert_true(fired <= 1);
    }
    write32(0x10, 0);
    for (unsigned i = 0; i < LINES; i++)
        assert_false(line[i].level);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_it_says_of_itself, setup, teardown),
        cmocka_unit_test_setup_teardown(the_counter_counts_while_enabled, setup, teardown),
        cmocka_unit_test_setup_teardown(one_shot_edge_to_a_pin, setup, teardown),
        cmocka_unit_test_setup_teardown(level_waits_for_its_status, setup, teardown),
        cmocka_unit_test_setup_teardown(periods, setup, teardown),
        cmocka_unit_test_setup_teardown(legacy_replacement, setup, teardown),
        cmocka_unit_test_setup_teardown(without_an_io_apic, setup, teardown),
        cmocka_unit_test_setup_teardown(hostile, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

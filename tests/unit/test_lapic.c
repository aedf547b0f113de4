/* SPDX-License-Identifier: MIT
 * Local APIC, their bus, and the I/O APIC.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "devices/ioapic.h"

static struct clock clk;
static struct physmem *pm;
static struct apic_bus *bus;
static struct lapic *apic[2];
static struct ioapic *io;
static unsigned nmis[2], inits[2], sipis[2];
static u8 sipi_vector;
static u64 tsc_offset;

static void on_nmi(void *context) { ++nmis[*(unsigned *)context]; }
static void on_init(void *context) { ++inits[*(unsigned *)context]; }
static void on_sipi(void *context, u8 vector)
{
    ++sipis[*(unsigned *)context];
    sipi_vector = vector;
}

static u64 tsc(void *context, u64 ticks)
{
    (void)context;
    return ticks + tsc_offset;
}

static void write_reg(unsigned cpu, u32 offset, u32 value)
{
    physmem_write(pm, LAPIC_DEFAULT_BASE + offset, &value, 4, (enum initiator)cpu);
}

static u32 read_reg(unsigned cpu, u32 offset)
{
    u32 value;

    physmem_read(pm, LAPIC_DEFAULT_BASE + offset, &value, 4, (enum initiator)cpu);
    return value;
}

static void write_io(unsigned index, u32 value)
{
    physmem_write(pm, IOAPIC_BASE, &index, 4, INITIATOR_CPU0);
    physmem_write(pm, IOAPIC_BASE + 0x10, &value, 4, INITIATOR_CPU0);
}

static u32 read_io(unsigned index)
{
    u32 value;

    physmem_write(pm, IOAPIC_BASE, &index, 4, INITIATOR_CPU0);
    physmem_read(pm, IOAPIC_BASE + 0x10, &value, 4, INITIATOR_CPU0);
    return value;
}

static void go(u64 ticks)
{
    clk.ticks = ticks;
    clock_run(&clk);
}

static int setup(void **state)
{
    static unsigned numbers[2] = {0, 1};
    struct error err;

    (void)state;
    clock_init(&clk);
    tsc_offset = 0;
    pm = physmem_new(1 << 20, &err);
    bus = apic_bus_new(pm, &clk);
    for (unsigned i = 0; i < 2; i++) {
        struct lapic_hooks hooks = {.context = &numbers[i],
                                    .nmi = on_nmi,
                                    .init = on_init,
                                    .startup = on_sipi,
                                    .tsc = tsc,
                                    .tsc_deadline = i == 0};

        apic[i] = lapic_new(bus, i, &hooks);
        write_reg(i, 0xf0, 0x1ff);
        nmis[i] = inits[i] = sipis[i] = 0;
    }
    io = ioapic_new(pm, bus, 2);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    ioapic_free(io);
    apic_bus_free(bus);
    physmem_free(pm);
    return 0;
}

static void priorities(void **state)
{
    (void)state;
    lapic_deliver(apic[0], 0x41, APIC_FIXED, false);
    lapic_deliver(apic[0], 0x52, APIC_FIXED, false);
    assert_true(lapic_interrupt_pending(apic[0]));
    assert_int_equal(lapic_acknowledge(apic[0]), 0x52);
    assert_int_equal(read_reg(0, 0xa0), 0x50);
    assert_false(lapic_interrupt_pending(apic[0]));
    lapic_deliver(apic[0], 0x5f, APIC_FIXED, false); /* same class: waits */
    assert_false(lapic_interrupt_pending(apic[0]));
    write_reg(0, 0xb0, 0);
    assert_int_equal(lapic_acknowledge(apic[0]), 0x5f);
    write_reg(0, 0xb0, 0);
    lapic_set_task_priority(apic[0], 4);
    assert_int_equal(read_reg(0, 0x80), 0x40);
    assert_false(lapic_interrupt_pending(apic[0]));
    assert_int_equal(lapic_acknowledge(apic[0]), 0xff); /* spurious, nothing in service */
    lapic_set_task_priority(apic[0], 3);
    assert_int_equal(lapic_acknowledge(apic[0]), 0x41);
    lapic_deliver(apic[0], 5, APIC_FIXED, false);
    write_reg(0, 0x280, 0);
    assert_int_equal(read_reg(0, 0x280), 0x40);
}

static void timer_modes(void **state)
{
    u64 value;

    (void)state;
    write_reg(0, 0x3e0, 0xb); /* divide by 1: 16 ticks a count */
    write_reg(0, 0x320, 0x60);
    write_reg(0, 0x380, 100);
    go(800);
    assert_int_equal(read_reg(0, 0x390), 50);
    go(1599);
    assert_false(lapic_interrupt_pending(apic[0]));
    go(1600);
    assert_int_equal(lapic_acknowledge(apic[0]), 0x60);
    write_reg(0, 0xb0, 0);
    assert_int_equal(read_reg(0, 0x390), 0);
    assert_true(clk.deadline == CLOCK_NEVER);
    write_reg(0, 0x320, 0x20060); /* periodic */
    write_reg(0, 0x380, 100);
    go(1600 + 3205);
    assert_int_equal(clk.deadline, 1600 + 4800);
    assert_true(lapic_interrupt_pending(apic[0]));
    write_reg(0, 0x320, 0x40061); /* deadline: the count is gone */
    assert_true(clk.deadline == CLOCK_NEVER);
    assert_true(lapic_msr_write(apic[0], 0x6e0, 9000));
    go(8999);
    assert_int_equal(read_reg(0, 0x210 + 0x20), 1); /* IRR 60h only */
    go(9000);
    assert_int_equal(read_reg(0, 0x210 + 0x20), 3);
    assert_true(lapic_msr_read(apic[0], 0x6e0, &value));
    assert_int_equal(value, 0);
    write_reg(0, 0x320, 0);
    write_reg(0, 0x3e0, 3); /* divide by 16 */
    write_reg(0, 0x380, 0xffffffff);
    go(9000 + 256 * 5);
    assert_int_equal(read_reg(0, 0x390), 0xffffffff - 5);
}

static u64 deadline(void)
{
    u64 value;

    assert_true(lapic_msr_read(apic[0], 0x6e0, &value));
    return value;
}

static void tsc_deadline(void **state)
{
    u64 value;

    (void)state;
    write_reg(0, 0x320, 0x60); /* one-shot: the deadline is ignored */
    assert_true(lapic_msr_write(apic[0], 0x6e0, 500));
    assert_int_equal(deadline(), 0);
    write_reg(0, 0x320, 0x40060);
    assert_true(lapic_msr_write(apic[0], 0x6e0, 500));
    assert_int_equal(deadline(), 500);
    write_reg(0, 0x380, 7); /* no count in this mode */
    assert_int_equal(read_reg(0, 0x380), 0);
    assert_int_equal(read_reg(0, 0x390), 0);
    assert_int_equal(clk.deadline, 500);
    assert_true(lapic_msr_write(apic[0], 0x6e0, 0)); /* disarms */
    assert_true(clk.deadline == CLOCK_NEVER);
    assert_true(lapic_msr_write(apic[0], 0x6e0, ~0ull)); /* the end of the counter never comes */
    assert_true(clk.deadline == CLOCK_NEVER);
    assert_true(lapic_msr_write(apic[0], 0x6e0, 5000));
    tsc_offset = 4000; /* software moves the counter: the deadline is nearer */
    lapic_tsc_moved(apic[0]);
    assert_int_equal(clk.deadline, 1000);
    tsc_offset = -500ull;
    lapic_tsc_moved(apic[0]);
    go(5499);
    assert_false(lapic_interrupt_pending(apic[0]));
    assert_int_equal(deadline(), 5000);
    go(5500);
    assert_int_equal(lapic_acknowledge(apic[0]), 0x60);
    assert_int_equal(deadline(), 0);
    write_reg(0, 0xb0, 0);
    assert_true(lapic_msr_write(apic[0], 0x6e0, 1)); /* past: at once */
    go(5501);
    assert_int_equal(lapic_acknowledge(apic[0]), 0x60);
    write_reg(0, 0xb0, 0);
    write_reg(0, 0x320, 0x50060); /* masked: it passes without an interrupt */
    assert_true(lapic_msr_write(apic[0], 0x6e0, 5100));
    go(6000);
    assert_false(lapic_interrupt_pending(apic[0]));
    assert_int_equal(deadline(), 0);
    assert_true(lapic_msr_write(apic[0], 0x6e0, 9000));
    write_reg(0, 0x320, 0x20060); /* leaving the mode disarms, also on coming back */
    write_reg(0, 0x320, 0x40060);
    assert_int_equal(deadline(), 0);
    assert_true(clk.deadline == CLOCK_NEVER);
    write_reg(1, 0x320, 0x40060); /* a processor without it has no such bit */
    assert_int_equal(read_reg(1, 0x320), 0x60);
    assert_true(lapic_msr_read(apic[1], 0x6e0, &value));
    assert_int_equal(value, 0);
}

/* Everything but the IDs survives the change to x2APIC mode; nothing survives being disabled. */
static void x2apic_keeps_what_xapic_had(void **state)
{
    const u64 at = LAPIC_DEFAULT_BASE | APIC_BASE_BSP, on = at | APIC_BASE_ENABLE, wide = on | APIC_BASE_X2APIC;
    struct apic_message m = {.destination = 1u << 16 | 1, .logical = true, .wide = true, .vector = 0x50};
    u64 value;

    (void)state;
    write_reg(0, 0x20, 0x77000000);
    assert_int_equal(read_reg(0, 0x20), 0x77000000);
    assert_int_equal(lapic_id(apic[0]), 0); /* the initial one, as CPUID tells it */
    write_reg(0, 0x350, 0x700);
    write_reg(0, 0x320, 0x40060);
    assert_true(lapic_msr_write(apic[0], 0x6e0, 9000));
    lapic_deliver(apic[0], 0x41, APIC_FIXED, false);
    assert_true(lapic_set_base(apic[0], wide));
    assert_true(lapic_interrupt_pending(apic[0]));
    assert_int_equal(deadline(), 9000);
    assert_true(lapic_msr_read(apic[0], 0x835, &value));
    assert_int_equal(value, 0x700);
    assert_true(lapic_msr_read(apic[0], 0x802, &value));
    assert_int_equal(value, 0);
    assert_false(apic_bus_send(bus, &m)); /* cluster 1 */
    m.destination = 1;
    assert_true(apic_bus_send(bus, &m));
    assert_int_equal(lapic_acknowledge(apic[0]), 0x50);
    write_reg(0, 0xb0, 0); /* the page is gone: no end of interrupt */
    assert_false(lapic_interrupt_pending(apic[0]));
    assert_true(lapic_msr_write(apic[0], 0x80b, 0));
    assert_int_equal(lapic_acknowledge(apic[0]), 0x41);
    assert_true(lapic_msr_write(apic[0], 0x83f, 15)); /* an illegal vector: sent, not received */
    assert_true(lapic_msr_write(apic[0], 0x828, 0));
    assert_true(lapic_msr_read(apic[0], 0x828, &value));
    assert_int_equal(value, 0x20);
    lapic_init(apic[0]); /* INIT: x2APIC mode stays */
    assert_true(lapic_msr_read(apic[0], 0x80f, &value));
    assert_int_equal(value, 0xff);
    assert_true(clk.deadline == CLOCK_NEVER);
    assert_false(lapic_set_base(apic[0], on));
    assert_false(lapic_set_base(apic[0], at | APIC_BASE_X2APIC));
    assert_true(lapic_set_base(apic[0], at));
    assert_true(lapic_set_base(apic[0], on));
    assert_int_equal(read_reg(0, 0x350), 0x10000);
}

static void interprocessor(void **state)
{
    (void)state;
    write_reg(0, 0x310, 1u << 24);
    write_reg(0, 0x300, 0x4500); /* INIT */
    assert_int_equal(inits[1], 1);
    write_reg(0, 0x300, 0x8500); /* INIT de-assert: nothing */
    assert_int_equal(inits[1], 1);
    write_reg(0, 0x300, 0x4608);
    assert_int_equal(sipis[1], 1);
    assert_int_equal(sipi_vector, 8);
    assert_int_equal(read_reg(1, 0xf0), 0xff); /* INIT reset the other one */
    write_reg(1, 0xf0, 0x1ff);
    write_reg(0, 0x300, 0xc4033 & ~0x4000u); /* all but self, fixed 33h */
    assert_true(lapic_interrupt_pending(apic[1]));
    assert_false(lapic_interrupt_pending(apic[0]));
    write_reg(0, 0x300, 0x40034); /* self */
    assert_int_equal(lapic_acknowledge(apic[0]), 0x34);
    write_reg(0, 0x300, 0x80400); /* all, NMI */
    assert_int_equal(nmis[0], 1);
    assert_int_equal(nmis[1], 1);
    write_reg(0, 0xd0, 1u << 24), write_reg(1, 0xd0, 2u << 24);
    write_reg(1, 0x310, 1u << 24);
    write_reg(1, 0x300, 0x0c00 | 0x400); /* logical, NMI to the first */
    assert_int_equal(nmis[0], 2);
    assert_int_equal(nmis[1], 1);
    write_reg(0, 0x300, 0x40003); /* an illegal vector */
    write_reg(0, 0x280, 0);
    assert_int_equal(read_reg(0, 0x280), 0x20);
}

static void lowest_priority_picks_the_idler(void **state)
{
    struct apic_message m = {.destination = 0xff, .mode = APIC_LOWEST, .vector = 0x70};

    (void)state;
    lapic_set_task_priority(apic[0], 2);
    assert_true(apic_bus_send(bus, &m));
    assert_true(lapic_interrupt_pending(apic[1]));
    assert_false(lapic_interrupt_pending(apic[0]));
}

static void base_changes_follow_the_rules(void **state)
{
    const u64 at = LAPIC_DEFAULT_BASE | APIC_BASE_BSP;
    u64 value;

    (void)state;
    assert_int_equal(lapic_base(apic[0]), at | APIC_BASE_ENABLE);
    assert_int_equal(lapic_base(apic[1]), LAPIC_DEFAULT_BASE | APIC_BASE_ENABLE);
    assert_false(lapic_set_base(apic[0], at | APIC_BASE_ENABLE | 1));
    assert_false(lapic_set_base(apic[0], at | APIC_BASE_X2APIC));
    assert_false(lapic_msr_read(apic[0], 0x802, &value)); /* not in xAPIC mode */
    assert_true(lapic_set_base(apic[0], at | APIC_BASE_ENABLE | APIC_BASE_X2APIC));
    assert_false(lapic_set_base(apic[0], at | APIC_BASE_ENABLE)); /* no way back but by disabling */
    assert_int_equal(read_reg(0, 0x30), 0xffffffff);
    assert_true(lapic_msr_read(apic[0], 0x802, &value));
    assert_int_equal(value, 0);
    assert_true(lapic_msr_read(apic[0], 0x80d, &value));
    assert_int_equal(value, 1);
    assert_false(lapic_msr_write(apic[0], 0x802, 1));
    assert_false(lapic_msr_write(apic[0], 0x80b, 1));
    assert_true(lapic_msr_write(apic[0], 0x80b, 0));
    assert_false(lapic_msr_write(apic[0], 0x808, 0x100));
    assert_false(lapic_msr_read(apic[0], 0x80b, &value));
    assert_false(lapic_msr_read(apic[0], 0x80e, &value)); /* no DFR */
    assert_false(lapic_msr_read(apic[0], 0x831, &value)); /* no high half of ICR */
    assert_true(lapic_msr_write(apic[0], 0x83f, 0x44));
    assert_int_equal(lapic_acknowledge(apic[0]), 0x44);
    assert_true(lapic_msr_write(apic[0], 0x830, 1ull << 32 | 0x45));
    assert_int_equal(lapic_acknowledge(apic[1]), 0x45);
    assert_true(lapic_set_base(apic[0], at));
    assert_false(lapic_set_base(apic[0], at | APIC_BASE_ENABLE | APIC_BASE_X2APIC));
    assert_true(lapic_accepts_extint(apic[0]));
}

static void virtual_wire(void **state)
{
    (void)state;
    assert_false(lapic_accepts_extint(apic[0]));
    write_reg(0, 0x350, 0x700);
    assert_true(lapic_accepts_extint(apic[0]));
    write_reg(0, 0x350, 0x10700);
    assert_false(lapic_accepts_extint(apic[0]));
    write_reg(0, 0x360, 0x400);
    lapic_set_lint(apic[0], 1, true);
    assert_int_equal(nmis[0], 1);
    write_reg(0, 0xf0, 0xff); /* software-disabled: every local vector is masked */
    assert_int_equal(read_reg(0, 0x360), 0x10400);
}

static void ioapic_edges_and_levels(void **state)
{
    (void)state;
    assert_int_equal(read_io(1), 0x170020);
    assert_int_equal(read_io(0), 2u << 24);
    assert_int_equal(read_io(0x10), 0x10000);
    irq_set(ioapic_input(io, 4), true); /* masked: lost */
    write_io(0x18, 0x34), write_io(0x19, 1u << 24);
    assert_false(lapic_interrupt_pending(apic[1]));
    irq_set(ioapic_input(io, 4), false), irq_set(ioapic_input(io, 4), true);
    assert_int_equal(lapic_acknowledge(apic[1]), 0x34);
    assert_false(lapic_interrupt_pending(apic[0]));
    write_reg(1, 0xb0, 0);
    write_io(0x22, 0xa035), write_io(0x23, 0); /* pin 9: level, active low */
    irq_set(ioapic_input(io, 9), true);
    assert_int_equal(read_io(0x22), 0xe035); /* remote IRR */
    assert_int_equal(lapic_acknowledge(apic[0]), 0x35);
    write_reg(0, 0xb0, 0);
    assert_true(lapic_interrupt_pending(apic[0])); /* still asserted: again */
    assert_int_equal(lapic_acknowledge(apic[0]), 0x35);
    irq_set(ioapic_input(io, 9), false);
    write_reg(0, 0xb0, 0);
    assert_false(lapic_interrupt_pending(apic[0]));
    assert_int_equal(read_io(0x22), 0xa035);
    assert_int_equal(read_io(0xff), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(priorities, setup, teardown),
        cmocka_unit_test_setup_teardown(timer_modes, setup, teardown),
        cmocka_unit_test_setup_teardown(tsc_deadline, setup, teardown),
        cmocka_unit_test_setup_teardown(x2apic_keeps_what_xapic_had, setup, teardown),
        cmocka_unit_test_setup_teardown(interprocessor, setup, teardown),
        cmocka_unit_test_setup_teardown(lowest_priority_picks_the_idler, setup, teardown),
        cmocka_unit_test_setup_teardown(base_changes_follow_the_rules, setup, teardown),
        cmocka_unit_test_setup_teardown(virtual_wire, setup, teardown),
        cmocka_unit_test_setup_teardown(ioapic_edges_and_levels, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

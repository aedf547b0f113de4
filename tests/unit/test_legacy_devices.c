/* SPDX-License-Identifier: MIT
 * Serial port, real-time clock, ACPI fixed hardware and the small ports.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "devices/acpi_pm.h"
#include "devices/cf9.h"
#include "devices/debug_port.h"
#include "devices/fpu_error.h"
#include "devices/parallel.h"
#include "devices/port92.h"
#include "devices/rtc.h"
#include "devices/uart.h"

static struct ports *ports;
static struct clock clk;
static struct irq_line irq;
static char text[64];
static unsigned resets, sleeps, status;
static bool a20;

static void out(u16 port, u8 value) { ports_write(ports, port, value, 1, INITIATOR_CPU0); }
static u8 in(u16 port) { return (u8)ports_read(ports, port, 1, INITIATOR_CPU0); }

static void go(u64 ticks)
{
    while (clk.deadline <= ticks) {
        clk.ticks = clk.deadline;
        clock_run(&clk);
    }
    clk.ticks = ticks;
}

static int setup(void **state)
{
    (void)state;
    ports = ports_new();
    clock_init(&clk);
    irq = (struct irq_line){0};
    memset(text, 0, sizeof text);
    resets = sleeps = status = 0;
    a20 = true;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    ports_free(ports);
    return 0;
}

static void on_text(void *context, const u8 *bytes, size_t size)
{
    (void)context;
    strncat(text, (const char *)bytes, size);
}
static void on_a20(void *context, bool enabled)
{
    (void)context;
    a20 = enabled;
}
static void on_reset(void *context)
{
    (void)context;
    resets++;
}
static void on_hard_reset(void *context, bool hard)
{
    (void)context;
    resets += hard ? 10 : 1;
}
static void on_sleep(void *context, unsigned type)
{
    (void)context;
    sleeps += 10 + type;
}
static void on_exit_status(void *context, u32 value)
{
    (void)context;
    status = value;
}

static void serial_port(void **state)
{
    struct uart *u = uart_new(ports, &clk, 0x3f8, &irq, on_text, NULL, "com1");

    (void)state;
    out(0x3fb, 0x80), out(0x3f8, 1), out(0x3f9, 0); /* 115200 */
    out(0x3fb, 3);
    assert_int_equal(in(0x3fd), 0x60);
    assert_int_equal(in(0x3fa), 0x01);
    out(0x3ff, 0x5a);
    assert_int_equal(in(0x3ff), 0x5a);
    out(0x3fc, 8); /* OUT2 opens the line */
    out(0x3f9, 2);
    assert_true(irq.level);
    assert_int_equal(in(0x3fa), 0x02);
    assert_false(irq.level); /* reading it answered THRE */
    out(0x3f8, 'h'), out(0x3f8, 'i');
    assert_string_equal(text, "hi");
    assert_true(irq.level);
    out(0x3f9, 5);
    assert_false(irq.level);
    assert_int_equal(uart_receive(u, (const u8 *)"xy", 2), 1); /* no FIFO: one byte */
    assert_int_equal(in(0x3fa), 0x04);
    assert_int_equal(in(0x3f8), 'x');
    out(0x3fa, 0x81); /* FIFO, trigger at 8 */
    assert_int_equal(uart_receive(u, (const u8 *)"0123456789abcdefgh", 18), 16);
    assert_int_equal(in(0x3fa), 0xc4);
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(in(0x3f8), '0' + i);
    assert_false(irq.level);
    go(clk.ticks + 4 * 10 * 8681);
    assert_int_equal(in(0x3fa), 0xcc); /* character timeout */
    assert_int_equal(in(0x3f8), 'a');
    assert_false(irq.level);
    out(0x3fa, 0x03);
    assert_int_equal(in(0x3fd), 0x60);
    out(0x3fc, 0x1f); /* loopback */
    assert_int_equal(in(0x3fe) & 0xf0, 0xf0);
    out(0x3f8, 'L');
    assert_int_equal(uart_receive(u, (const u8 *)"x", 1), 0);
    assert_int_equal(in(0x3f8), 'L');
    out(0x3fc, 0x12);
    assert_int_equal(in(0x3fe), 0x1e); /* RTS -> CTS; DSR, DCD and RI fell */
    for (unsigned i = 0; i < 17; i++)
        out(0x3f8, 'o');
    assert_int_equal(in(0x3fd), 0x63); /* overrun, once */
    assert_int_equal(in(0x3fd), 0x61);
    uart_free(u);
}

static u8 cmos(u8 index)
{
    out(0x70, index);
    return in(0x71);
}

static void set_cmos(u8 index, u8 value)
{
    out(0x70, index);
    out(0x71, value);
}

static void real_time_clock(void **state)
{
    struct rtc *r = rtc_new(ports, &clk, &irq, 951868798); /* 2000-02-29 23:59:58 */

    (void)state;
    assert_int_equal(cmos(0), 0x58);
    assert_int_equal(cmos(8), 0x02);
    assert_int_equal(cmos(0x32), 0x20);
    assert_int_equal(cmos(10) & 0x80, 0);
    go(TICKS_PER_SECOND - 200000);
    assert_int_equal(cmos(10) & 0x80, 0x80);
    go(2 * TICKS_PER_SECOND);
    assert_int_equal(cmos(0), 0);
    assert_int_equal(cmos(4), 0);
    assert_int_equal(cmos(7), 0x01);
    assert_int_equal(cmos(8), 0x03);
    assert_int_equal(cmos(6), 4);     /* Wednesday */
    assert_int_equal(cmos(12), 0x70); /* UF, AF at 00:00:00, PF; nobody asked to interrupt */
    assert_int_equal(cmos(12), 0);
    set_cmos(1, 0x05), set_cmos(3, 0xff), set_cmos(5, 0xff);
    set_cmos(11, 0x22); /* alarm at each :05 */
    go(7 * TICKS_PER_SECOND - 1);
    assert_false(irq.level);
    go(7 * TICKS_PER_SECOND);
    assert_true(irq.level);
    assert_int_equal(cmos(12) & 0xb0, 0xb0);
    assert_false(irq.level);
    set_cmos(11, 0x42); /* periodic, 1024 Hz */
    go(clk.ticks + 976563);
    assert_true(irq.level);
    assert_int_equal(cmos(12) & 0xc0, 0xc0);
    assert_false(irq.level);
    go(clk.ticks + 976563);
    assert_true(irq.level);
    set_cmos(11, 0x82); /* SET: the calendar stands */
    go(clk.ticks + 5 * TICKS_PER_SECOND);
    assert_int_equal(cmos(0), 0x05);
    set_cmos(11, 0x04); /* binary, 12 hours */
    set_cmos(0, 59), set_cmos(2, 59), set_cmos(4, 0x80 | 11);
    go(clk.ticks + TICKS_PER_SECOND);
    assert_int_equal(cmos(4), 12);
    assert_int_equal(cmos(7), 2);
    assert_int_equal(cmos(13), 0x80);
    out(0x70, 0x80);
    assert_true(rtc_nmi_masked(r));
    rtc_set_memory_size(r, 64 << 20, 1ull << 30);
    assert_int_equal(cmos(0x34) | cmos(0x35) << 8, 768);
    assert_int_equal(cmos(0x5c), 0x40);
    for (unsigned i = 0; i < 512; i++) /* nonsense in the registers */
        set_cmos((u8)(i & 15), (u8)(i * 37)), go(clk.ticks + TICKS_PER_SECOND / 3);
    rtc_free(r);
}

static unsigned acknowledged;

static void on_acknowledge(void *context, unsigned number, bool level)
{
    (void)context, (void)number;
    acknowledged += level;
}

static void parallel_port(void **state)
{
    struct parallel *p;

    (void)state;
    acknowledged = 0;
    irq = (struct irq_line){.changed = on_acknowledge};
    p = parallel_new(ports, 0x378, &irq, on_text, NULL, "lpt1");
    assert_int_equal(in(0x379), 0xdf);
    assert_int_equal(in(0x37a), 0xcc);
    out(0x378, 'h');
    assert_int_equal(in(0x378), 'h');
    out(0x37a, 0x0d), out(0x37a, 0x0d), out(0x37a, 0x0c);
    assert_string_equal(text, "h"); /* once a strobe */
    assert_int_equal(acknowledged, 0);
    out(0x378, 'i'), out(0x37a, 0x1d), out(0x37a, 0x1c);
    assert_string_equal(text, "hi");
    assert_int_equal(acknowledged, 1);
    assert_false(irq.level);
    out(0x37a, 0x2c); /* the lines are turned round: nobody drives them */
    assert_int_equal(in(0x378), 0xff);
    out(0x37a, 0x2d);
    assert_string_equal(text, "hi");
    out(0x379, 0);
    assert_int_equal(in(0x379), 0xdf);
    parallel_free(p);
}

static void acpi(void **state)
{
    struct acpi_pm *p = acpi_pm_new(ports, &clk, 0x600, &irq, on_sleep, NULL);

    (void)state;
    go(TICKS_PER_SECOND);
    assert_int_equal(ports_read(ports, 0x608, 4, INITIATOR_CPU0), 3579545);
    go(5 * TICKS_PER_SECOND);
    assert_int_equal(ports_read(ports, 0x608, 4, INITIATOR_CPU0), 5 * 3579545 & 0xffffff);
    assert_int_equal(ports_read(ports, 0x600, 2, INITIATOR_CPU0), 1); /* TMR_STS */
    ports_write(ports, 0x602, 0x100, 2, INITIATOR_CPU0);
    acpi_pm_power_button(p);
    assert_false(irq.level); /* SCI_EN is clear */
    out(0xb2, ACPI_PM_ENABLE_COMMAND);
    assert_int_equal(ports_read(ports, 0x604, 2, INITIATOR_CPU0), 1);
    assert_true(irq.level);
    ports_write(ports, 0x600, 0x100, 2, INITIATOR_CPU0);
    assert_false(irq.level);
    ports_write(ports, 0x604, 5 << 10, 2, INITIATOR_CPU0);
    assert_int_equal(sleeps, 0);
    ports_write(ports, 0x604, 5 << 10 | 1 << 13, 2, INITIATOR_CPU0);
    assert_int_equal(sleeps, 15);
    acpi_pm_free(p);
}

static void small_ports(void **state)
{
    struct port92_hooks hooks = {NULL, on_a20, on_reset};
    struct port92 *p92 = port92_new(ports, true, &hooks);
    struct cf9 *cf9 = cf9_new(ports, on_hard_reset, NULL);
    struct debug_console *console = debug_console_new(ports, 0xe9, on_text, NULL);
    struct debug_exit *leave = debug_exit_new(ports, 0xf4, on_exit_status, NULL);

    (void)state;
    out(0x92, 0);
    assert_false(a20);
    out(0x92, 3);
    assert_true(a20);
    assert_int_equal(resets, 1);
    out(0x92, 3);
    assert_int_equal(resets, 1);
    out(0xcf9, 2), out(0xcf9, 6);
    assert_int_equal(resets, 11);
    assert_int_equal(in(0xe9), 0xe9);
    out(0xe9, 'x');
    assert_string_equal(text, "x");
    ports_write(ports, 0xf4, 0x10, 4, INITIATOR_CPU0);
    assert_int_equal(status, 0x21);
    debug_console_free(console);
    debug_exit_free(leave);
    cf9_free(cf9);
    port92_free(p92);
}

/* FERR# latches IRQ 13; port F0h ends the request and asserts IGNNE# for as long as the error lasts. */
static void coprocessor_error(void **state)
{
    struct fpu_error *f = fpu_error_new(ports, &irq);

    (void)state;
    out(0xf0, 0);
    assert_false(fpu_error_set(f, true)); /* a write without an error asserts nothing */
    assert_true(irq.level);
    out(0xf1, 0);
    assert_true(irq.level);
    assert_false(fpu_error_set(f, true));
    out(0xf0, 0);
    assert_false(irq.level);
    assert_true(fpu_error_set(f, true));
    assert_false(irq.level); /* the same error asks once */
    assert_false(fpu_error_set(f, false));
    assert_false(fpu_error_set(f, true));
    assert_true(irq.level);
    assert_false(fpu_error_set(f, false));
    assert_true(irq.level); /* the latch outlives the pin */
    fpu_error_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(serial_port, setup, teardown),
        cmocka_unit_test_setup_teardown(real_time_clock, setup, teardown),
        cmocka_unit_test_setup_teardown(parallel_port, setup, teardown),
        cmocka_unit_test_setup_teardown(acpi, setup, teardown),
        cmocka_unit_test_setup_teardown(small_ports, setup, teardown),
        cmocka_unit_test_setup_teardown(coprocessor_error, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

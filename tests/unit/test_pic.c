/* SPDX-License-Identifier: MIT
 * The 8259 pair.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "devices/pic.h"

static struct ports *ports;
static struct pic *pic;

static void out(u16 port, u8 value) { ports_write(ports, port, value, 1, INITIATOR_CPU0); }
static u8 in(u16 port) { return (u8)ports_read(ports, port, 1, INITIATOR_CPU0); }
static void wire(unsigned n, bool level) { irq_set(pic_input(pic, n), level); }
static bool intr(void) { return pic_output(pic)->level; }

/* Master at 20h, slave at 28h, all inputs open. */
static void program(u8 master_icw4, u8 slave_icw4)
{
    out(0x20, 0x11), out(0x21, 0x20), out(0x21, 4), out(0x21, master_icw4);
    out(0xa0, 0x11), out(0xa1, 0x28), out(0xa1, 2), out(0xa1, slave_icw4);
    out(0x21, 0), out(0xa1, 0);
}

static int setup(void **state)
{
    (void)state;
    ports = ports_new();
    pic = pic_new(ports);
    program(1, 1);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    pic_free(pic);
    ports_free(ports);
    return 0;
}

static void priorities_and_eoi(void **state)
{
    (void)state;
    wire(4, true);
    wire(1, true);
    assert_true(intr());
    assert_int_equal(pic_acknowledge(pic), 0x21);
    assert_false(intr()); /* 4 is lower than 1, which is in service */
    out(0x20, 0x0b);
    assert_int_equal(in(0x20), 0x02);
    out(0x20, 0x0a);
    assert_int_equal(in(0x20), 0x10);
    wire(0, true);
    assert_true(intr());
    assert_int_equal(pic_acknowledge(pic), 0x20);
    out(0x20, 0x20);
    assert_false(intr());
    out(0x20, 0x61); /* specific EOI of 1 */
    assert_true(intr());
    assert_int_equal(pic_acknowledge(pic), 0x24);
}

static void cascade_asks_again(void **state)
{
    (void)state;
    wire(8, true);
    wire(12, true);
    assert_int_equal(pic_acknowledge(pic), 0x28);
    assert_false(intr());
    out(0xa0, 0x20);
    assert_false(intr()); /* the master still serves its input 2 */
    out(0x20, 0x20);
    assert_true(intr());
    assert_int_equal(pic_acknowledge(pic), 0x2c);
    out(0xa0, 0x20), out(0x20, 0x20);
    assert_false(intr());
}

static void edges_and_levels(void **state)
{
    (void)state;
    wire(3, true);
    assert_int_equal(pic_acknowledge(pic), 0x23);
    out(0x20, 0x20);
    assert_false(intr()); /* an edge counts once */
    wire(3, false);
    wire(3, true);
    assert_true(intr());
    wire(3, false); /* gone before the acknowledge: spurious, nothing in service */
    assert_false(intr());
    assert_int_equal(pic_acknowledge(pic), 0x27);
    out(0x20, 0x0b);
    assert_int_equal(in(0x20), 0);
    out(0x4d0, 0xff), out(0x4d1, 0xff);
    assert_int_equal(in(0x4d0), 0xf8);
    assert_int_equal(in(0x4d1), 0xde);
    wire(11, true);
    assert_int_equal(pic_acknowledge(pic), 0x2b);
    out(0xa0, 0x20), out(0x20, 0x20);
    assert_true(intr()); /* the level is still there */
    assert_int_equal(pic_acknowledge(pic), 0x2b);
    wire(11, false);
    out(0xa0, 0x20), out(0x20, 0x20);
    assert_false(intr());
}

static void masks_rotation_and_special_mask(void **state)
{
    (void)state;
    out(0x21, 0x08);
    assert_int_equal(in(0x21), 0x08);
    wire(3, true);
    assert_false(intr());
    out(0x21, 0);
    assert_int_equal(pic_acknowledge(pic), 0x23);
    wire(5, true);
    assert_false(intr());
    out(0x20, 0x68); /* special mask mode, and mask the one in service: lower ones pass */
    out(0x21, 0x08);
    assert_true(intr());
    assert_int_equal(pic_acknowledge(pic), 0x25);
    out(0x20, 0x20); /* non-specific EOI passes over the masked one */
    out(0x20, 0x0b);
    assert_int_equal(in(0x20), 0x08);
    out(0x20, 0x63);
    out(0x20, 0x48), out(0x21, 0);
    out(0x20, 0xc4); /* 4 becomes the lowest: 5 is the highest */
    wire(5, false), wire(0, true), wire(5, true);
    assert_int_equal(pic_acknowledge(pic), 0x25);
    out(0x20, 0xa0); /* rotate on EOI: 5 becomes the lowest */
    wire(5, false), wire(5, true);
    assert_int_equal(pic_acknowledge(pic), 0x20);
}

static void poll_and_automatic_eoi(void **state)
{
    (void)state;
    wire(6, true);
    out(0x20, 0x0c);
    assert_int_equal(in(0x20), 0x86);
    assert_false(intr());
    out(0x20, 0x0c);
    assert_int_equal(in(0x20), 0);
    out(0x20, 0x20);
    wire(6, false);
    program(3, 3);
    wire(1, true), wire(9, true), wire(10, true);
    assert_int_equal(pic_acknowledge(pic), 0x21);
    assert_int_equal(pic_acknowledge(pic), 0x29);
    assert_int_equal(pic_acknowledge(pic), 0x2a);
    assert_false(intr());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(priorities_and_eoi, setup, teardown),
        cmocka_unit_test_setup_teardown(cascade_asks_again, setup, teardown),
        cmocka_unit_test_setup_teardown(edges_and_levels, setup, teardown),
        cmocka_unit_test_setup_teardown(masks_rotation_and_special_mask, setup, teardown),
        cmocka_unit_test_setup_teardown(poll_and_automatic_eoi, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT
 * The keyboard controller, and the keyboard and mouse behind it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "bus/input.h"
#include "devices/i8042.h"
#include "devices/ps2_keyboard.h"
#include "devices/ps2_mouse.h"

static struct ports *ports;
static struct clock clk;
static struct irq_line irq1, irq12;
static struct i8042 *c;
static unsigned resets;
static bool a20;

static void out(u16 port, u8 value) { ports_write(ports, port, value, 1, INITIATOR_CPU0); }
static u8 in(u16 port) { return (u8)ports_read(ports, port, 1, INITIATOR_CPU0); }

static void go(u64 ticks)
{
    u64 end = clk.ticks + ticks;

    while (clk.deadline <= end) {
        clk.ticks = clk.deadline;
        clock_run(&clk);
    }
    clk.ticks = end;
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

static int setup(void **state)
{
    static const struct i8042_hooks hooks = {NULL, on_a20, on_reset};

    (void)state;
    ports = ports_new();
    clock_init(&clk);
    irq1 = irq12 = (struct irq_line){0};
    resets = 0;
    a20 = true;
    c = i8042_new(ports, &clk, &irq1, &irq12, &hooks);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    i8042_free(c);
    ports_free(ports);
    return 0;
}

/* The next byte, as a driver that polls takes it. returns: -1 when none comes */
static int next(void)
{
    if (!(in(0x64) & 1))
        go(I8042_NEXT_BYTE_TICKS);
    return in(0x64) & 1 ? in(0x60) : -1;
}

static void expect(const char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        assert_int_equal(next(), (u8)bytes[i]);
}
#define EXPECT(text) expect(text, sizeof(text) - 1)

static void command_byte(u8 value)
{
    out(0x64, 0x60);
    out(0x60, value);
}

static void keys(const char *set2, size_t size) { i8042_keyboard_receive(c, (const u8 *)set2, size); }
#define KEYS(text) keys(text, sizeof(text) - 1)

static void controller(void **state)
{
    (void)state;
    assert_int_equal(in(0x64), 0x14);
    out(0x64, 0xaa);
    assert_int_equal(in(0x64), 0x1d);
    assert_int_equal(in(0x60), 0x55);
    assert_int_equal(in(0x64) & 1, 0);
    out(0x64, 0xa9);
    assert_int_equal(in(0x60), 0);
    out(0x64, 0xab);
    assert_int_equal(in(0x60), 0);
    out(0x64, 0xa4);
    assert_int_equal(in(0x60), 0xf1);
    out(0x64, 0x20);
    assert_int_equal(in(0x60), 0x65);
    out(0x64, 0x65), out(0x60, 0x77); /* the controller's memory */
    out(0x64, 0x25);
    assert_int_equal(in(0x60), 0x77);
    out(0x64, 0xa8), out(0x64, 0xad), out(0x64, 0x20);
    assert_int_equal(in(0x60), 0x55);
    out(0x64, 0xa7), out(0x64, 0xae), out(0x64, 0x20);
    assert_int_equal(in(0x60), 0x65);
    out(0x64, 0xd3), out(0x60, 0x5a); /* as if from the mouse, though its port is disabled */
    assert_int_equal(in(0x64) & 0x21, 0x21);
    assert_false(irq12.level);
    assert_int_equal(in(0x60), 0x5a);
    out(0x64, 0xd2), out(0x60, 0x1e); /* as if from the keyboard, not translated */
    assert_true(irq1.level);
    out(0x64, 0xd0);
    assert_int_equal(in(0x60), 0x1e);
    assert_int_equal(in(0x60), 0xdf); /* the buffer was full of a keyboard's byte */
    out(0x64, 0x99), out(0x64, 0xe0);
    assert_int_equal(in(0x60), 0);
}

static void output_port(void **state)
{
    (void)state;
    out(0x64, 0xd1), out(0x60, 0xdd);
    assert_false(a20);
    out(0x64, 0xdf);
    assert_true(a20);
    out(0x64, 0xdd);
    assert_false(a20);
    out(0x64, 0xd1), out(0x60, 0xdf);
    assert_true(a20);
    assert_int_equal(resets, 0);
    out(0x64, 0xff); /* no bit is pulsed */
    assert_int_equal(resets, 0);
    out(0x64, 0xfe);
    assert_int_equal(resets, 1);
    out(0x64, 0xd1), out(0x60, 0xde);
    assert_int_equal(resets, 2);
}

static void keyboard_commands(void **state)
{
    (void)state;
    out(0x60, 0xf2);
    assert_true(irq1.level);
    EXPECT("\xfa\xab\x41"); /* 83h, translated */
    assert_false(irq1.level);
    command_byte(0x03); /* no translation, both interrupts, mouse on */
    out(0x60, 0xf2);
    EXPECT("\xfa\xab\x83");
    out(0x60, 0xff);
    EXPECT("\xfa\xaa");
    out(0x60, 0xed);
    EXPECT("\xfa");
    out(0x60, PS2_LED_CAPS | PS2_LED_NUM);
    EXPECT("\xfa");
    assert_int_equal(i8042_leds(c), 6);
    out(0x60, 0xed), out(0x60, 0xf4); /* a command instead of the argument */
    EXPECT("\xfa\xfa");
    assert_int_equal(i8042_leds(c), 6);
    out(0x60, 0xf3), out(0x60, 0x20), out(0x60, 0xee);
    EXPECT("\xfa\xfa\xee");
    out(0x60, 0xfe); /* once more */
    EXPECT("\xee");
    out(0x60, 0x42);
    EXPECT("\xfe");
    out(0x60, 0xf0), out(0x60, 0);
    EXPECT("\xfa\xfa\x02");
    out(0x60, 0xf0), out(0x60, 4);
    EXPECT("\xfa\xfe");
    out(0x60, 0xf5);
    EXPECT("\xfa");
    KEYS("\x1c"); /* lost */
    assert_int_equal(next(), -1);
    out(0x60, 0xf4);
    EXPECT("\xfa");
    KEYS("\x1c");
    EXPECT("\x1c");
}

/* A, Pause and the cursor key up in each set; set 1 made by the keyboard is set 1 made by the controller. */
static void scan_code_sets(void **state)
{
    static const char pressed[] = "\x1c\xf0\x1c\xe1\x14\x77\xe1\xf0\x14\xf0\x77\xe0\x75\xe0\xf0\x75";

    (void)state;
    KEYS(pressed);
    EXPECT("\x1e\x9e\xe1\x1d\x45\xe1\x9d\xc5\xe0\x48\xe0\xc8");
    command_byte(0x01);
    KEYS(pressed);
    expect(pressed, sizeof pressed - 1);
    out(0x60, 0xf0), out(0x60, 1);
    EXPECT("\xfa\xfa");
    KEYS(pressed);
    EXPECT("\x1e\x9e\xe1\x1d\x45\xe1\x9d\xc5\xe0\x48\xe0\xc8");
    out(0x60, 0xf0), out(0x60, 3);
    EXPECT("\xfa\xfa");
    KEYS(pressed);
    EXPECT("\x1c\x62\x63"); /* such keys do not tell their release */
    KEYS("\x12\x1c\xf0\x12");
    EXPECT("\x12\x1c\xf0\x12"); /* Shift does */
    out(0x60, 0xf8);
    EXPECT("\xfa");
    KEYS(pressed);
    EXPECT("\x1c\xf0\x1c\x62\xf0\x62\x63\xf0\x63");
    KEYS("\xe0\x12\xe0\x7c\xe0\xf0\x7c\xe0\xf0\x12"); /* Print Screen, without its shifts */
    EXPECT("\x57\xf0\x57");
    out(0x60, 0xfd), out(0x60, 0x1c), out(0x60, 0x32); /* A and B: make only */
    EXPECT("\xfa\xfa\xfa");
    out(0x60, 0xee);
    EXPECT("\xee");
    KEYS("\x1c\xf0\x1c\x32\xf0\x32\x21\xf0\x21");
    EXPECT("\x1c\x32\x21\xf0\x21");
    out(0x60, 0xf6);
    EXPECT("\xfa");
    KEYS("\xf0\x1c");
    EXPECT("\xf0\x1c");
}

/* A handler that reads the byte after one that it hooks reads the same byte; then the next one comes by itself. */
static void bytes_stay_for_a_while(void **state)
{
    (void)state;
    KEYS("\x1c\xf0\x1c");
    assert_true(irq1.level);
    assert_int_equal(in(0x60), 0x1e);
    assert_int_equal(in(0x60), 0x1e);
    assert_false(irq1.level);
    assert_int_equal(in(0x64) & 1, 0);
    go(I8042_NEXT_BYTE_TICKS - 1);
    assert_false(irq1.level);
    go(1);
    assert_true(irq1.level);
    assert_int_equal(in(0x60), 0x9e);
}

static void full_buffers(void **state)
{
    u8 many[100];

    (void)state;
    memset(many, 0x1c, sizeof many);
    command_byte(0x01);
    assert_in_range(i8042_keyboard_receive(c, many, sizeof many), 16, 40);
    assert_int_equal(i8042_keyboard_receive(c, many, 3), 1); /* one is in the output buffer */
    assert_int_equal(i8042_keyboard_receive(c, many, 3), 0);
    assert_int_equal(in(0x60), 0x1c);
    go(I8042_NEXT_BYTE_TICKS);
    assert_int_equal(i8042_keyboard_receive(c, many, 3), 1); /* it has room again */
    for (unsigned i = 0; i < 300; i++)                       /* answers that nobody reads */
        out(0x60, 0xf2), out(0x64, 0xd4), out(0x60, 0xe9), out(0x64, 0x20);
}

static void mouse(const char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        out(0x64, 0xd4);
        out(0x60, (u8)bytes[i]);
    }
}
#define MOUSE(text) mouse(text, sizeof(text) - 1)

static void move(u8 buttons, int x, int y, int wheel)
{
    u8 event[] = {buttons, (u8)x, (u8)y, (u8)wheel};

    assert_int_equal(i8042_mouse_receive(c, event, sizeof event), sizeof event);
}

static void mouse_commands(void **state)
{
    (void)state;
    command_byte(0x03);
    MOUSE("\xff");
    assert_int_equal(in(0x64) & 0x21, 0x21);
    assert_true(irq12.level);
    EXPECT("\xfa\xaa\x00");
    assert_false(irq12.level);
    MOUSE("\xf2");
    EXPECT("\xfa\x00");
    MOUSE("\xe8\x03\xf3\x28\xe7");
    EXPECT("\xfa\xfa\xfa\xfa\xfa");
    move(PS2_BUTTON_LEFT | PS2_BUTTON_MIDDLE, 1, 1, 0); /* not reported */
    MOUSE("\xe9");
    EXPECT("\xfa\x16\x03\x28");
    MOUSE("\xf3\x29"); /* no such rate */
    EXPECT("\xfa\xfe");
    MOUSE("\x2a");
    EXPECT("\xfc");
    MOUSE("\x42"); /* no such command */
    EXPECT("\xfe");
    MOUSE("\xee\x42\xf2\xec"); /* echoes until it is told to stop */
    EXPECT("\xfa\x42\xf2\xfa");
    MOUSE("\xf6\xe9");
    EXPECT("\xfa\xfa\x06\x02\x64");
    MOUSE("\xfe");
    EXPECT("\x64");
}

static void stream_mode(void **state)
{
    (void)state;
    command_byte(0x03);
    move(0, 5, 5, 0);
    assert_int_equal(next(), -1);
    MOUSE("\xf4");
    EXPECT("\xfa");
    go(I8042_NEXT_BYTE_TICKS);
    move(0, 5, -3, 0);
    assert_true(irq12.level);
    EXPECT("\x28\x05\xfd");
    move(PS2_BUTTON_RIGHT, 0, 0, 0);
    EXPECT("\x0a\x00\x00");
    move(PS2_BUTTON_RIGHT | PS2_BUTTON_4, 0, 0, 1); /* nothing that this mouse has */
    assert_int_equal(next(), -1);
    MOUSE("\xe7");
    EXPECT("\xfa");
    move(0, 3, -5, 0);
    EXPECT("\x28\x03\xf7");
    move(0, 127, -128, 0);
    EXPECT("\xa8\xfe\x01"); /* 2 * 128 does not fit: overflow, the sign, and as much as there is */
    assert_int_equal(next(), -1);
    MOUSE("\xe6");
    EXPECT("\xfa");
    for (unsigned i = 0; i < 40; i++)
        move(i & 1, 100, 0, 0); /* more than it can keep: the last state and the sum arrive */
    for (int sum = 0; sum < 4000;) {
        int flags = next(), x = next();

        assert_int_equal(flags & 0x18, 8);
        sum += x;
        assert_int_equal(next(), 0);
        if (sum >= 4000)
            assert_int_equal(flags & 1, 1);
    }
    MOUSE("\xf5");
    EXPECT("\xfa");
    move(0, 1, 1, 1);
    assert_int_equal(next(), -1);
}

static void remote_mode(void **state)
{
    (void)state;
    command_byte(0x03);
    MOUSE("\xf4\xf0");
    EXPECT("\xfa\xfa");
    move(PS2_BUTTON_LEFT, 100, 1, 0), move(PS2_BUTTON_LEFT, 100, 1, 0), move(PS2_BUTTON_LEFT, 100, 1, 0);
    assert_int_equal(next(), -1);
    MOUSE("\xeb");
    EXPECT("\xfa\x09\xff\x03");
    MOUSE("\xeb");
    EXPECT("\xfa\x09\x00\x00");
    MOUSE("\xea");
    EXPECT("\xfa");
    move(0, 1, 1, 0);
    EXPECT("\x08\x01\x01");
}

static void wheel(void **state)
{
    (void)state;
    command_byte(0x03);
    MOUSE("\xf3\xc8\xf3\x64\xf3\x50\xf2");
    EXPECT("\xfa\xfa\xfa\xfa\xfa\xfa\xfa\x03");
    MOUSE("\xf4");
    EXPECT("\xfa");
    move(0, 1, 2, -1);
    EXPECT("\x08\x01\x02\xff");
    move(0, 0, 0, 9); /* more than a report carries */
    EXPECT("\x08\x00\x00\x07\x08\x00\x00\x02");
    MOUSE("\xf3\xc8\xf3\xc8\xf3\x50\xf2");
    EXPECT("\xfa\xfa\xfa\xfa\xfa\xfa\xfa\x04");
    move(PS2_BUTTON_5, 0, 0, -1);
    EXPECT("\x08\x00\x00\x2f");
    MOUSE("\xff\xf2");
    EXPECT("\xfa\xaa\x00\xfa\x00");
}

/* A command in the middle of a report: the rest of the report does not follow the answer. */
static void cut_off_report(void **state)
{
    (void)state;
    command_byte(0x03);
    MOUSE("\xf4");
    EXPECT("\xfa");
    move(0, 1, 1, 0);
    EXPECT("\x08");
    MOUSE("\xf2");
    EXPECT("\xfa\x00");
    assert_int_equal(next(), -1);
}

static void through_the_input_port(void **state)
{
    struct input_port *input = input_new(&clk);
    u8 events[7] = {PS2_BUTTON_LEFT, 1, 1, 0, 0, 2, 2};

    (void)state;
    input_attach(input, INPUT_KEYBOARD, i8042_keyboard_receive, c);
    input_attach(input, INPUT_MOUSE, i8042_mouse_receive, c);
    command_byte(0x03);
    MOUSE("\xf4");
    EXPECT("\xfa");
    go(I8042_NEXT_BYTE_TICKS);
    input_push(input, INPUT_MOUSE, events, sizeof events);
    go(2);
    EXPECT("\x09\x01\x01");
    assert_int_equal(next(), -1);
    assert_true(input_waiting(input)); /* three bytes are no event */
    input_push(input, INPUT_MOUSE, events + 3, 1);
    go(2);
    EXPECT("\x08\x02\x02");
    input_push(input, INPUT_KEYBOARD, (const u8 *)"\x1c", 1);
    go(2);
    EXPECT("\x1c");
    input_free(input);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(controller, setup, teardown),
        cmocka_unit_test_setup_teardown(output_port, setup, teardown),
        cmocka_unit_test_setup_teardown(keyboard_commands, setup, teardown),
        cmocka_unit_test_setup_teardown(scan_code_sets, setup, teardown),
        cmocka_unit_test_setup_teardown(bytes_stay_for_a_while, setup, teardown),
        cmocka_unit_test_setup_teardown(full_buffers, setup, teardown),
        cmocka_unit_test_setup_teardown(mouse_commands, setup, teardown),
        cmocka_unit_test_setup_teardown(stream_mode, setup, teardown),
        cmocka_unit_test_setup_teardown(remote_mode, setup, teardown),
        cmocka_unit_test_setup_teardown(wheel, setup, teardown),
        cmocka_unit_test_setup_teardown(cut_off_report, setup, teardown),
        cmocka_unit_test_setup_teardown(through_the_input_port, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

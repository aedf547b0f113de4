/* SPDX-License-Identifier: MIT
 * The 8042: controller commands, the output buffer and its two interrupts, scan code translation, the output port.
 * IBM PS/2 Hardware Interface Technical Reference, "Keyboard and Auxiliary Device Controller".
 * Not implemented: the password (A4h says that there is none), the diagnostic dump (ACh), and pulses of output port
 * bits other than the reset line's: such commands have no effect. A command takes no time, so the input buffer is never
 * full.
 */
#include "devices/i8042.h"

#include <stdlib.h>

#include "devices/ps2_keyboard.h"
#include "devices/ps2_mouse.h"
#include "devices/ps2_queue.h"

enum { STATUS_OBF = 1, STATUS_SYS = 4, STATUS_COMMAND = 8, STATUS_UNLOCKED = 0x10, STATUS_AUX = 0x20 };
enum { CB_IRQ1 = 1, CB_IRQ12 = 2, CB_SYS = 4, CB_NO_KEYBOARD = 0x10, CB_NO_MOUSE = 0x20, CB_TRANSLATE = 0x40 };
enum { OUT_NOT_RESET = 1, OUT_A20 = 2, OUT_OBF = 0x10, OUT_AUX = 0x20 };
enum { INPUT_PORT = 0xa0 }; /* not locked, colour display */
enum { NO_PASSWORD = 0xf1, TEST_PASSED = 0x55, RELEASE = 0xf0 };

struct i8042 {
    struct i8042_hooks hooks;
    struct clock *clock;
    struct irq_line *irq1, *irq12;
    struct timer next_byte;
    u8 ram[32]; /* [0] is the command byte */
    u8 output, output_port;
    u8 command; /* waits for its argument at port 60h; 0 none */
    bool full, from_mouse, last_was_command;
    bool released;            /* F0h was translated away: the next code is a release */
    struct ps2_queue answers; /* the controller's own, */
    struct ps2_queue loop;    /* and those that pass as the mouse's: D3h */
    struct ps2_keyboard *keyboard;
    struct ps2_mouse *mouse;
};

/* ---- the output buffer */

static void update_irqs(struct i8042 *c)
{
    irq_set(c->irq1, c->full && !c->from_mouse && (c->ram[0] & CB_IRQ1));
    irq_set(c->irq12, c->full && c->from_mouse && (c->ram[0] & CB_IRQ12));
}

static void fill(struct i8042 *c, u8 byte, bool from_mouse)
{
    c->output = byte;
    c->full = true;
    c->from_mouse = from_mouse;
}

static void fill_from_keyboard(struct i8042 *c)
{
    bool translate = c->ram[0] & CB_TRANSLATE;
    u8 byte;

    while (!c->full && ps2_keyboard_read(c->keyboard, &byte)) {
        if (translate && byte == RELEASE) {
            c->released = true;
            continue;
        }
        fill(c, translate ? (u8)(ps2_set2_to_set1(byte) | (c->released ? 0x80 : 0)) : byte, false);
        c->released = false;
    }
}

/* The controller's answers come at once and also for disabled ports; the devices' after a pause. */
static void refill(struct i8042 *c)
{
    u8 byte;

    if (!c->full && ps2_queue_get(&c->answers, &byte))
        fill(c, byte, false);
    if (!c->full && ps2_queue_get(&c->loop, &byte))
        fill(c, byte, true);
    if (!c->full && !c->next_byte.armed && !(c->ram[0] & CB_NO_KEYBOARD))
        fill_from_keyboard(c);
    if (!c->full && !c->next_byte.armed && !(c->ram[0] & CB_NO_MOUSE) && ps2_mouse_read(c->mouse, &byte))
        fill(c, byte, true);
    update_irqs(c);
}

static void next_byte_due(void *context, u64 now)
{
    (void)now;
    refill(context);
}

static u8 read_output(struct i8042 *c)
{
    u8 value = c->output;

    if (!c->full)
        return value;
    c->full = false;
    update_irqs(c); /* the line falls before the next byte raises it */
    clock_arm(c->clock, &c->next_byte, c->clock->ticks + I8042_NEXT_BYTE_TICKS);
    refill(c);
    return value;
}

size_t i8042_keyboard_receive(void *i8042, const u8 *bytes, size_t size)
{
    struct i8042 *c = i8042;
    size_t taken = ps2_keyboard_receive(c->keyboard, bytes, size);

    refill(c);
    return taken;
}

size_t i8042_mouse_receive(void *i8042, const u8 *bytes, size_t size)
{
    struct i8042 *c = i8042;
    size_t taken = ps2_mouse_receive(c->mouse, bytes, size);

    refill(c);
    return taken;
}

u8 i8042_leds(const struct i8042 *c) { return ps2_keyboard_leds(c->keyboard); }

/* ---- the controller */

static void write_output_port(struct i8042 *c, u8 value)
{
    bool a20_moves = (value ^ c->output_port) & OUT_A20;

    c->output_port = value;
    if (a20_moves && c->hooks.a20)
        c->hooks.a20(c->hooks.context, value & OUT_A20);
    if (!(value & OUT_NOT_RESET) && c->hooks.reset)
        c->hooks.reset(c->hooks.context);
}

static u8 read_output_port(const struct i8042 *c)
{
    u8 lines = c->output_port & (u8) ~(OUT_OBF | OUT_AUX);

    return lines | (c->full ? c->from_mouse ? OUT_AUX : OUT_OBF : 0);
}

static void answer(struct i8042 *c, u8 byte) { ps2_queue_put(&c->answers, byte); }

/* Commands F0h-FFh pulse the output port's bits 0-3 whose bit is clear: only the reset line is wired to one. */
static void pulse(struct i8042 *c, u8 value)
{
    if (!(value & OUT_NOT_RESET) && c->hooks.reset)
        c->hooks.reset(c->hooks.context);
}

static void controller_command(struct i8042 *c, u8 value)
{
    c->command = 0;
    if (value >= 0x20 && value < 0x40) {
        answer(c, c->ram[value & 31]);
        return;
    }
    if ((value >= 0x60 && value < 0x80) || (value >= 0xd1 && value <= 0xd4)) {
        c->command = value;
        return;
    }
    if (value >= 0xf0) {
        pulse(c, value);
        return;
    }
    switch (value) {
    case 0xa4: answer(c, NO_PASSWORD); break;
    case 0xa7: c->ram[0] |= CB_NO_MOUSE; break;
    case 0xa8: c->ram[0] &= (u8)~CB_NO_MOUSE; break;
    case 0xa9:
    case 0xab: answer(c, 0); break; /* the lines of the port are good */
    case 0xaa:
        c->ram[0] |= CB_SYS;
        answer(c, TEST_PASSED);
        break;
    case 0xad: c->ram[0] |= CB_NO_KEYBOARD; break;
    case 0xae: c->ram[0] &= (u8)~CB_NO_KEYBOARD; break;
    case 0xc0: answer(c, INPUT_PORT); break;
    case 0xd0: answer(c, read_output_port(c)); break;
    case 0xdd: write_output_port(c, (u8)(c->output_port & ~OUT_A20)); break;
    case 0xdf: write_output_port(c, c->output_port | OUT_A20); break;
    case 0xe0: answer(c, 0); break; /* test inputs: both clocks low */
    default: break;
    }
}

static void data_write(struct i8042 *c, u8 value)
{
    u8 command = c->command;

    c->command = 0;
    if (command >= 0x60 && command < 0x80) {
        c->ram[command & 31] = value;
        return;
    }
    switch (command) {
    case 0xd1: write_output_port(c, value); break;
    case 0xd2: answer(c, value); break;
    case 0xd3: ps2_queue_put(&c->loop, value); break;
    case 0xd4: ps2_mouse_write(c->mouse, value); break;
    default: /* a byte for the keyboard enables its port */
        c->ram[0] &= (u8)~CB_NO_KEYBOARD;
        ps2_keyboard_write(c->keyboard, value);
        break;
    }
}

static void port_write(void *device, u16 port, u32 value, unsigned size)
{
    struct i8042 *c = device;

    (void)size;
    c->last_was_command = port == 0x64;
    if (port == 0x64)
        controller_command(c, (u8)value);
    else
        data_write(c, (u8)value);
    refill(c);
}

static u8 read_status(const struct i8042 *c)
{
    return (u8)((c->full ? STATUS_OBF | (c->from_mouse ? STATUS_AUX : 0) : 0) | (c->ram[0] & CB_SYS) |
                (c->last_was_command ? STATUS_COMMAND : 0) | STATUS_UNLOCKED);
}

static u32 port_read(void *device, u16 port, unsigned size)
{
    (void)size;
    return port == 0x64 ? read_status(device) : read_output(device);
}

static const struct port_ops i8042_ops = {port_read, port_write, 0};

struct i8042 *i8042_new(struct ports *ports, struct clock *clock, struct irq_line *irq1, struct irq_line *irq12,
                        const struct i8042_hooks *hooks)
{
    struct i8042 *c = calloc(1, sizeof *c);

    if (!c)
        abort();
    c->hooks = *hooks;
    c->clock = clock;
    c->irq1 = irq1;
    c->irq12 = irq12;
    c->next_byte = (struct timer){.fire = next_byte_due, .context = c, .name = "i8042"};
    c->ram[0] = CB_IRQ1 | CB_SYS | CB_NO_MOUSE | CB_TRANSLATE;
    c->output_port = 0xcc | OUT_NOT_RESET | OUT_A20;
    c->keyboard = ps2_keyboard_new();
    c->mouse = ps2_mouse_new();
    ports_claim(ports, 0x60, 1, &i8042_ops, c, "i8042");
    ports_claim(ports, 0x64, 1, &i8042_ops, c, "i8042");
    return c;
}

void i8042_free(struct i8042 *c)
{
    if (!c)
        return;
    clock_cancel(c->clock, &c->next_byte);
    ps2_keyboard_free(c->keyboard);
    ps2_mouse_free(c->mouse);
    free(c);
}

/* SPDX-License-Identifier: MIT
 * The 8042: controller commands, the two device queues, scan code translation.
 * IBM PS/2 Hardware Interface Technical Reference.
 * Not implemented: scan code set 3 (the keyboard refuses it with RESEND).
 */
#include "devices/i8042.h"

#include <stdlib.h>

#define QUEUE_SIZE 64

enum { STATUS_OBF = 1, STATUS_SYS = 4, STATUS_COMMAND = 8, STATUS_UNLOCKED = 0x10, STATUS_AUX = 0x20 };
enum { CB_IRQ1 = 1, CB_IRQ12 = 2, CB_SYS = 4, CB_NO_KEYBOARD = 0x10, CB_NO_MOUSE = 0x20, CB_TRANSLATE = 0x40 };
enum { OUT_NOT_RESET = 1, OUT_A20 = 2 };
enum { ACK = 0xfa, RESEND = 0xfe };

struct queue {
    u8 bytes[QUEUE_SIZE];
    unsigned head, count;
};

struct device {
    struct queue queue;
    u8 command; /* waits for its argument; 0 none */
    u8 last;
    bool reporting;
};

struct i8042 {
    struct i8042_hooks hooks;
    struct irq_line *irq1, *irq12;
    u8 ram[32]; /* [0] is the command byte */
    u8 output, output_port, command;
    bool full, from_mouse, last_was_command, broken; /* broken: F0h seen, the next code is a release */
    struct queue answers;                            /* the controller's own, */
    struct queue loop;                               /* and those that pass as the mouse's: D3h */
    struct device keyboard, mouse;
    u8 scan_set, leds, mouse_rate, mouse_resolution, mouse_scale, mouse_remote, mouse_buttons;
};

static bool put(struct queue *q, u8 byte)
{
    if (q->count == QUEUE_SIZE)
        return false;
    q->bytes[(q->head + q->count++) % QUEUE_SIZE] = byte;
    return true;
}

static u8 get(struct queue *q)
{
    u8 byte = q->bytes[q->head];

    q->head = (q->head + 1) % QUEUE_SIZE;
    q->count--;
    return byte;
}

/* Set 2 to set 1, as the controller's ROM does it; codes from 85h on pass unchanged. */
static u8 translate(u8 code)
{
    static const u8 table[0x85] = {
        0xff, 0x43, 0x41, 0x3f, 0x3d, 0x3b, 0x3c, 0x58, 0x64, 0x44, 0x42, 0x40, 0x3e, 0x0f, 0x29, 0x59, /* 00 */
        0x65, 0x38, 0x2a, 0x70, 0x1d, 0x10, 0x02, 0x5a, 0x66, 0x71, 0x2c, 0x1f, 0x1e, 0x11, 0x03, 0x5b, /* 10 */
        0x67, 0x2e, 0x2d, 0x20, 0x12, 0x05, 0x04, 0x5c, 0x68, 0x39, 0x2f, 0x21, 0x14, 0x13, 0x06, 0x5d, /* 20 */
        0x69, 0x31, 0x30, 0x23, 0x22, 0x15, 0x07, 0x5e, 0x6a, 0x72, 0x32, 0x24, 0x16, 0x08, 0x09, 0x5f, /* 30 */
        0x6b, 0x33, 0x25, 0x17, 0x18, 0x0b, 0x0a, 0x60, 0x6c, 0x34, 0x35, 0x26, 0x27, 0x19, 0x0c, 0x61, /* 40 */
        0x6d, 0x73, 0x28, 0x74, 0x1a, 0x0d, 0x62, 0x6e, 0x3a, 0x36, 0x1c, 0x1b, 0x75, 0x2b, 0x63, 0x76, /* 50 */
        0x55, 0x56, 0x77, 0x78, 0x79, 0x7a, 0x0e, 0x7b, 0x7c, 0x4f, 0x7d, 0x4b, 0x47, 0x7e, 0x7f, 0x6f, /* 60 */
        0x52, 0x53, 0x50, 0x4c, 0x4d, 0x48, 0x01, 0x45, 0x57, 0x4e, 0x51, 0x4a, 0x37, 0x49, 0x46, 0x54, /* 70 */
        0x80, 0x81, 0x82, 0x41, 0x54,                                                                   /* 80 */
    };

    return code < sizeof table ? table[code] : code;
}

/* ---- the output buffer ---- */

static void update_irqs(struct i8042 *c)
{
    irq_set(c->irq1, c->full && !c->from_mouse && (c->ram[0] & CB_IRQ1));
    irq_set(c->irq12, c->full && c->from_mouse && (c->ram[0] & CB_IRQ12));
}

static void fill_from_keyboard(struct i8042 *c)
{
    bool convert = (c->ram[0] & CB_TRANSLATE) || c->scan_set == 1;

    while (c->keyboard.queue.count && !c->full) {
        u8 byte = get(&c->keyboard.queue);

        if (convert && byte == 0xf0) {
            c->broken = true;
            continue;
        }
        c->output = convert ? (u8)(translate(byte) | (c->broken ? 0x80 : 0)) : byte;
        c->broken = false;
        c->full = true;
        c->from_mouse = false;
    }
}

static void refill(struct i8042 *c)
{
    if (!c->full && c->answers.count) {
        c->output = get(&c->answers);
        c->full = true;
        c->from_mouse = false;
    }
    if (!c->full && c->loop.count) { /* a disabled port holds back the mouse, not the controller */
        c->output = get(&c->loop);
        c->full = true;
        c->from_mouse = true;
    }
    if (!c->full && !(c->ram[0] & CB_NO_KEYBOARD))
        fill_from_keyboard(c);
    if (!c->full && c->mouse.queue.count && !(c->ram[0] & CB_NO_MOUSE)) {
        c->output = get(&c->mouse.queue);
        c->full = true;
        c->from_mouse = true;
    }
    update_irqs(c);
}

static size_t receive(struct i8042 *c, struct device *d, const u8 *bytes, size_t size)
{
    size_t taken = 0;

    if (!d->reporting)
        return size;
    while (taken < size && put(&d->queue, bytes[taken]))
        taken++;
    refill(c);
    return taken;
}

size_t i8042_keyboard_receive(void *i8042, const u8 *bytes, size_t size)
{
    struct i8042 *c = i8042;

    return receive(c, &c->keyboard, bytes, size);
}

size_t i8042_mouse_receive(void *i8042, const u8 *bytes, size_t size)
{
    struct i8042 *c = i8042;

    if (size)
        c->mouse_buttons = bytes[0] & 7;
    return receive(c, &c->mouse, bytes, size);
}

static void reply(struct device *d, u8 byte)
{
    d->last = byte;
    put(&d->queue, byte);
}

/* ---- the keyboard ---- */

static void keyboard_defaults(struct i8042 *c, bool reporting)
{
    c->keyboard.queue.count = 0;
    c->keyboard.reporting = reporting;
    c->scan_set = 2;
}

static void keyboard_argument(struct i8042 *c, u8 command, u8 value)
{
    struct device *k = &c->keyboard;

    if (command == 0xed) {
        c->leds = value & 7;
    } else if (command == 0xf0 && value > 2) {
        reply(k, RESEND);
        return;
    }
    reply(k, ACK);
    if (command == 0xf0 && value == 0)
        reply(k, c->scan_set);
    else if (command == 0xf0)
        c->scan_set = value;
}

static void keyboard_write(struct i8042 *c, u8 value)
{
    struct device *k = &c->keyboard;
    u8 command = k->command;

    k->command = 0;
    if (command && value < 0xed) {
        keyboard_argument(c, command, value);
        return;
    }
    switch (value) {
    case 0xee: reply(k, 0xee); break;
    case 0xf2:
        reply(k, ACK);
        reply(k, 0xab);
        reply(k, 0x83);
        break;
    case 0xed:
    case 0xf0:
    case 0xf3:
        k->command = value;
        reply(k, ACK);
        break;
    case 0xf4:
        k->reporting = true;
        reply(k, ACK);
        break;
    case 0xf5:
    case 0xf6:
        keyboard_defaults(c, value == 0xf6);
        reply(k, ACK);
        break;
    case 0xfe: put(&k->queue, k->last); break;
    case 0xff:
        keyboard_defaults(c, true);
        reply(k, ACK);
        reply(k, 0xaa);
        break;
    default: reply(k, RESEND); break;
    }
}

/* ---- the mouse ---- */

static void mouse_defaults(struct i8042 *c)
{
    c->mouse.queue.count = 0;
    c->mouse.reporting = false;
    c->mouse_rate = 100;
    c->mouse_resolution = 2;
    c->mouse_scale = c->mouse_remote = 0;
}

static void mouse_status(struct i8042 *c)
{
    reply(&c->mouse, (u8)(c->mouse_remote << 6 | c->mouse.reporting << 5 | c->mouse_scale << 4 | c->mouse_buttons));
    reply(&c->mouse, c->mouse_resolution);
    reply(&c->mouse, c->mouse_rate);
}

static void mouse_write(struct i8042 *c, u8 value)
{
    struct device *m = &c->mouse;
    u8 command = m->command;

    m->command = 0;
    if (command == 0xe8 || command == 0xf3) {
        *(command == 0xe8 ? &c->mouse_resolution : &c->mouse_rate) = value;
        reply(m, ACK);
        return;
    }
    if (value < 0xe6 || (value > 0xeb && value < 0xf0 && value != 0xec && value != 0xee)) {
        reply(m, RESEND);
        return;
    }
    if (value == 0xff || value == 0xf6)
        mouse_defaults(c);
    reply(m, ACK);
    switch (value) {
    case 0xe6:
    case 0xe7: c->mouse_scale = value & 1; break;
    case 0xe8:
    case 0xf3: m->command = value; break;
    case 0xe9: mouse_status(c); break;
    case 0xea:
    case 0xf0: c->mouse_remote = value == 0xf0; break;
    case 0xeb: /* a packet without movement */
        reply(m, (u8)(8 | c->mouse_buttons));
        reply(m, 0);
        reply(m, 0);
        break;
    case 0xf2: reply(m, 0); break;
    case 0xf4:
    case 0xf5: m->reporting = value == 0xf4; break;
    case 0xff:
        reply(m, 0xaa);
        reply(m, 0);
        break;
    default: break;
    }
}

/* ---- the controller ---- */

static void write_output_port(struct i8042 *c, u8 value)
{
    bool a20_moves = (value ^ c->output_port) & OUT_A20;

    c->output_port = value;
    if (a20_moves && c->hooks.a20)
        c->hooks.a20(c->hooks.context, value & OUT_A20);
    if (!(value & OUT_NOT_RESET) && c->hooks.reset)
        c->hooks.reset(c->hooks.context);
}

static void controller_command(struct i8042 *c, u8 value)
{
    c->command = 0;
    if (value >= 0x20 && value < 0x40) {
        put(&c->answers, c->ram[value & 31]);
        return;
    }
    switch (value) {
    case 0xa7: c->ram[0] |= CB_NO_MOUSE; break;
    case 0xa8: c->ram[0] &= (u8)~CB_NO_MOUSE; break;
    case 0xa9:
    case 0xab: put(&c->answers, 0); break; /* the lines of the port are good */
    case 0xaa:
        c->ram[0] |= CB_SYS;
        put(&c->answers, 0x55);
        break;
    case 0xad: c->ram[0] |= CB_NO_KEYBOARD; break;
    case 0xae: c->ram[0] &= (u8)~CB_NO_KEYBOARD; break;
    case 0xc0: put(&c->answers, 0xa0); break; /* input port: not locked, colour display strap */
    case 0xd0: put(&c->answers, (u8)(c->output_port | (c->full ? c->from_mouse ? 0x20 : 0x10 : 0))); break;
    case 0xdd: write_output_port(c, (u8)(c->output_port & ~OUT_A20)); break;
    case 0xdf: write_output_port(c, c->output_port | OUT_A20); break;
    case 0xe0: put(&c->answers, 0); break;
    default:
        if ((value >= 0x60 && value < 0x80) || (value >= 0xd1 && value <= 0xd4))
            c->command = value; /* its argument follows at port 60h */
        else if (value >= 0xf0 && !(value & 1) && c->hooks.reset)
            c->hooks.reset(c->hooks.context); /* pulse output bit 0 */
        break;
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
    case 0xd2: put(&c->answers, value); break;
    case 0xd3: put(&c->loop, value); break;
    case 0xd4: mouse_write(c, value); break;
    default: /* a byte for the keyboard enables its port */
        c->ram[0] &= (u8)~CB_NO_KEYBOARD;
        keyboard_write(c, value);
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

static u32 port_read(void *device, u16 port, unsigned size)
{
    struct i8042 *c = device;
    u8 value = c->output;

    (void)size;
    if (port == 0x64)
        return (c->full ? STATUS_OBF | (c->from_mouse ? STATUS_AUX : 0) : 0u) | (c->ram[0] & CB_SYS) |
               (c->last_was_command ? STATUS_COMMAND : 0u) | STATUS_UNLOCKED;
    c->full = false;
    update_irqs(c); /* the line falls before the next byte raises it */
    refill(c);
    return value;
}

static const struct port_ops i8042_ops = {port_read, port_write, 0};

struct i8042 *i8042_new(struct ports *ports, struct irq_line *irq1, struct irq_line *irq12,
                        const struct i8042_hooks *hooks)
{
    struct i8042 *c = calloc(1, sizeof *c);

    if (!c)
        abort();
    c->hooks = *hooks;
    c->irq1 = irq1;
    c->irq12 = irq12;
    c->ram[0] = CB_IRQ1 | CB_SYS | CB_NO_MOUSE | CB_TRANSLATE;
    c->output_port = 0xcc | OUT_NOT_RESET | OUT_A20;
    keyboard_defaults(c, true);
    mouse_defaults(c);
    ports_claim(ports, 0x60, 1, &i8042_ops, c, "i8042");
    ports_claim(ports, 0x64, 1, &i8042_ops, c, "i8042");
    return c;
}

void i8042_free(struct i8042 *c) { free(c); }

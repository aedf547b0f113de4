/* SPDX-License-Identifier: MIT
 * The 8259A pair: initialisation words, operation words, priorities and the acknowledge cycle.
 * Intel 8259A data sheet.
 * Not implemented: 8080/8085 mode (ICW4 bit 0 clear): vectors are always delivered in 8086 fashion.
 */
#include "devices/pic.h"

#include <stdlib.h>

#define CASCADE 2u

enum init_step { READY, WANT_ICW2, WANT_ICW3, WANT_ICW4 };

struct chip {
    u8 level, latch; /* input wires now; rising edges not yet acknowledged */
    u8 imr, isr;
    u8 elcr, elcr_mask;
    u8 base;   /* vector of input 0 */
    u8 lowest; /* input with the lowest priority */
    enum init_step step;
    bool single, need_icw4, level_all;
    bool auto_eoi, rotate_auto, nested_special, special_mask;
    bool read_isr, poll;
};

struct pic {
    struct chip chip[2];
    struct irq_line input[16], intr;
};

static u8 requests(const struct chip *c)
{
    u8 by_level = c->level_all ? 0xff : c->elcr;

    return (u8)((by_level & c->level) | (~by_level & c->latch));
}

/* The input that may interrupt now, or -1. master tells whether special fully nested mode can apply. */
static int best_request(const struct chip *c, bool master)
{
    u8 pending = requests(c) & (u8)~c->imr;
    u8 serving = c->special_mask ? c->isr & (u8)~c->imr : c->isr;

    for (unsigned i = 1; i <= 8; i++) {
        unsigned n = (c->lowest + i) & 7;
        bool slave_again = master && c->nested_special && n == CASCADE;

        if ((serving & (1u << n)) && !slave_again)
            return -1;
        if ((pending & (1u << n)) && !(c->special_mask && (c->isr & (1u << n))))
            return (int)n;
        if (serving & (1u << n))
            return -1;
    }
    return -1;
}

static void set_wire(struct chip *c, unsigned n, bool level)
{
    u8 bit = (u8)(1u << n);

    if (level && !(c->level & bit))
        c->latch |= bit;
    if (level) {
        c->level |= bit;
    } else { /* a request that falls before its acknowledge is gone: "default IR7" */
        c->level &= (u8)~bit;
        c->latch &= (u8)~bit;
    }
}

static void update(struct pic *pic)
{
    set_wire(&pic->chip[0], CASCADE, best_request(&pic->chip[1], false) >= 0);
    irq_set(&pic->intr, best_request(&pic->chip[0], true) >= 0);
}

static void input_changed(void *context, unsigned number, bool level)
{
    struct pic *pic = context;

    if (number == CASCADE)
        return;
    set_wire(&pic->chip[number / 8], number % 8, level);
    update(pic);
}

/* One chip's part of the acknowledge. returns: the input number, 7 when nothing asks. */
static unsigned acknowledge_chip(struct chip *c, bool master)
{
    int n = best_request(c, master);

    if (n < 0)
        return 7;
    c->latch &= (u8) ~(1u << n);
    if (!c->auto_eoi)
        c->isr |= (u8)(1u << n);
    else if (c->rotate_auto)
        c->lowest = (u8)n;
    return (unsigned)n;
}

int pic_acknowledge(struct pic *pic)
{
    struct chip *master = &pic->chip[0], *slave = &pic->chip[1];
    bool cascaded = best_request(master, true) == (int)CASCADE;
    unsigned n = acknowledge_chip(master, true);
    int vector = master->base + (int)n;

    if (cascaded && !master->single) {
        vector = slave->base + (int)acknowledge_chip(slave, false);
        set_wire(master, CASCADE, false); /* the slave's INT falls during INTA, so that its next request is an edge */
    }
    update(pic);
    return vector & 0xff;
}

/* ---- registers ---- */

static int highest_in_service(const struct chip *c)
{
    u8 isr = c->special_mask ? c->isr & (u8)~c->imr : c->isr;

    for (unsigned i = 1; i <= 8; i++) {
        unsigned n = (c->lowest + i) & 7;

        if (isr & (1u << n))
            return (int)n;
    }
    return -1;
}

static void write_icw1(struct chip *c, u8 value)
{
    c->step = WANT_ICW2;
    c->need_icw4 = value & 1;
    c->single = value & 2;
    c->level_all = value & 8;
    c->latch = 0;
    c->imr = 0;
    c->isr = 0; /* UNVERIFIED: the data sheet lists the mask and the edge latches only */
    c->lowest = 7;
    c->special_mask = c->read_isr = c->poll = false;
    if (!c->need_icw4)
        c->auto_eoi = c->nested_special = false;
}

static void write_ocw2(struct chip *c, u8 value)
{
    bool rotate = value & 0x80, specific = value & 0x40, eoi = value & 0x20;
    int n = specific ? value & 7 : highest_in_service(c);

    if (!eoi) {
        if (!specific)
            c->rotate_auto = rotate;
        else if (rotate)
            c->lowest = (u8)n;
        return;
    }
    if (n < 0)
        return;
    c->isr &= (u8) ~(1u << n);
    if (rotate)
        c->lowest = (u8)n;
}

static void write_ocw3(struct chip *c, u8 value)
{
    if (value & 0x40)
        c->special_mask = value & 0x20;
    c->poll = value & 4;
    if (value & 2)
        c->read_isr = value & 1;
}

static void write_data(struct chip *c, u8 value)
{
    switch (c->step) {
    case WANT_ICW2:
        c->base = value & 0xf8;
        c->step = !c->single ? WANT_ICW3 : c->need_icw4 ? WANT_ICW4 : READY;
        break;
    case WANT_ICW3: /* the wiring of a PC is fixed: the value is not looked at */
        c->step = c->need_icw4 ? WANT_ICW4 : READY;
        break;
    case WANT_ICW4:
        c->auto_eoi = value & 2;
        c->nested_special = value & 0x10;
        c->step = READY;
        break;
    default: c->imr = value; break;
    }
}

static void port_write(void *device, u16 port, u32 value, unsigned size)
{
    struct pic *pic = device;
    struct chip *c = &pic->chip[port >= 0xa0];

    (void)size;
    if (port & 1)
        write_data(c, (u8)value);
    else if (value & 0x10)
        write_icw1(c, (u8)value);
    else if (value & 8)
        write_ocw3(c, (u8)value);
    else
        write_ocw2(c, (u8)value);
    update(pic);
}

static u32 poll_read(struct pic *pic, struct chip *c)
{
    bool master = c == &pic->chip[0];
    bool asks = best_request(c, master) >= 0;
    unsigned n = acknowledge_chip(c, master);

    c->poll = false;
    update(pic);
    return asks ? 0x80 | n : 0;
}

static u32 port_read(void *device, u16 port, unsigned size)
{
    struct pic *pic = device;
    struct chip *c = &pic->chip[port >= 0xa0];

    (void)size;
    if (c->poll)
        return poll_read(pic, c);
    if (port & 1)
        return c->imr;
    return c->read_isr ? c->isr : requests(c);
}

static u32 elcr_read(void *device, u16 port, unsigned size)
{
    (void)size;
    return ((struct pic *)device)->chip[port & 1].elcr;
}

static void elcr_write(void *device, u16 port, u32 value, unsigned size)
{
    struct pic *pic = device;
    struct chip *c = &pic->chip[port & 1];

    (void)size;
    c->elcr = (u8)value & c->elcr_mask;
    update(pic);
}

static const struct port_ops chip_ops = {port_read, port_write, 0};
static const struct port_ops elcr_ops = {elcr_read, elcr_write, 0};

struct pic *pic_new(struct ports *ports)
{
    struct pic *pic = calloc(1, sizeof *pic);

    if (!pic)
        abort();
    for (unsigned i = 0; i < 16; i++)
        pic->input[i] = (struct irq_line){.changed = input_changed, .context = pic, .number = i};
    for (unsigned i = 0; i < 2; i++)
        pic->chip[i] = (struct chip){.imr = 0xff, .lowest = 7, .base = (u8)(8 * i)};
    pic->chip[0].elcr_mask = 0xf8; /* timer, keyboard, cascade: always edges */
    pic->chip[1].elcr_mask = 0xde; /* RTC and FERR# likewise */
    ports_claim(ports, 0x20, 2, &chip_ops, pic, "pic-master");
    ports_claim(ports, 0xa0, 2, &chip_ops, pic, "pic-slave");
    ports_claim(ports, 0x4d0, 2, &elcr_ops, pic, "elcr");
    return pic;
}

void pic_free(struct pic *pic) { free(pic); }

struct irq_line *pic_input(struct pic *pic, unsigned number) { return &pic->input[number & 15]; }

struct irq_line *pic_output(struct pic *pic) { return &pic->intr; }

struct pic_chip_state pic_chip_state(const struct pic *pic, unsigned number)
{
    const struct chip *c = &pic->chip[number & 1];

    return (struct pic_chip_state){
        .lines = c->level,
        .requests = requests(c),
        .mask = c->imr,
        .in_service = c->isr,
        .level_triggered = c->level_all ? 0xff : c->elcr,
        .base = c->base,
        .lowest = c->lowest,
        .ready = c->step == READY,
        .auto_eoi = c->auto_eoi,
        .special_mask = c->special_mask,
    };
}

/* SPDX-License-Identifier: MIT
 * 8237A pair: registers, and transfers on behalf of devices.
 * Intel 8237A data sheet, "DMA Operation", "Register Description".
 * Not implemented: memory-to-memory transfers (a PC's board does not support them) and transfers by software request:
 * the request register keeps its bits and shows them in the status.
 */
#include "devices/i8237.h"

#include <stdlib.h>
#include <string.h>

enum { COMMAND_DISABLE = 4 };
enum { MODE_TO_MEMORY = 4, MODE_FROM_MEMORY = 8, MODE_TRANSFER = 12, MODE_AUTO = 0x10, MODE_DOWN = 0x20 };
enum { MODE_KIND = 0xc0, MODE_CASCADE = 0xc0 };

struct channel {
    u16 base_address, base_count; /* as programmed */
    u16 address, count;           /* as they stand; a count is transfers less one */
    u8 mode;
    void (*ready)(void *context);
    void *context;
};

struct controller {
    struct channel channel[4];
    u8 mask, command, software_request, device_request, terminal; /* bit n: channel n */
    bool high_byte;                                               /* the flip-flop */
};

struct i8237 {
    struct physmem *physmem;
    struct controller controller[2];
    u8 page[16];
};

/* Page register (port 80h + n) of each channel. */
static const u8 page_of[8] = {7, 3, 1, 2, 15, 11, 9, 10};

static void master_clear(struct controller *c)
{
    c->mask = 0x0f;
    c->command = c->software_request = c->terminal = 0;
    c->high_byte = false;
}

/* ---- transfers */

static bool may_run(const struct controller *c, unsigned n)
{
    return !(c->mask & 1u << n) && !(c->command & COMMAND_DISABLE);
}

/* Requests of the first controller pass through channel 4, the second's channel 0 in cascade mode. */
static bool served(const struct i8237 *d, unsigned channel)
{
    const struct controller *second = &d->controller[1];

    if (channel >= 4)
        return channel != 4 && may_run(second, channel & 3);
    return may_run(&d->controller[0], channel) && may_run(second, 0) &&
           (second->channel[0].mode & MODE_KIND) == MODE_CASCADE;
}

/* Byte address of the channel's next transfer; the page register stands while the address counts. */
static paddr_t address_of(const struct i8237 *d, unsigned channel)
{
    const struct channel *ch = &d->controller[channel >> 2].channel[channel & 3];
    u64 page = d->page[page_of[channel]];

    return channel >= 4 ? (page & 0xfe) << 16 | (u64)ch->address << 1 : page << 16 | ch->address;
}

/* How many transfers can be made at ascending addresses before the address counter wraps. */
static size_t run_length(const struct channel *ch, size_t transfers)
{
    size_t room = 0x10000u - ch->address;

    if (transfers > ch->count + 1u)
        transfers = ch->count + 1u;
    if (ch->mode & MODE_DOWN)
        return 1;
    return transfers < room ? transfers : room;
}

static void move(struct i8237 *d, paddr_t address, u8 mode, enum i8237_direction direction, u8 *bytes, size_t size)
{
    if (direction == I8237_TO_MEMORY && (mode & MODE_TRANSFER) == MODE_TO_MEMORY)
        physmem_write(d->physmem, address, bytes, size, INITIATOR_DMA);
    else if (direction == I8237_FROM_MEMORY && (mode & MODE_TRANSFER) == MODE_FROM_MEMORY)
        physmem_read(d->physmem, address, bytes, size, INITIATOR_DMA);
    else if (direction == I8237_FROM_MEMORY)
        memset(bytes, 0xff, size); /* nobody drives the data lines */
}

static void reach_terminal_count(struct controller *c, unsigned n)
{
    struct channel *ch = &c->channel[n];

    c->terminal |= (u8)(1u << n);
    c->software_request &= (u8) ~(1u << n);
    if (ch->mode & MODE_AUTO) {
        ch->address = ch->base_address;
        ch->count = ch->base_count;
    } else {
        c->mask |= (u8)(1u << n);
    }
}

size_t i8237_transfer(struct i8237 *d, unsigned channel, enum i8237_direction direction, u8 *bytes, size_t size,
                      bool *terminal)
{
    unsigned n = channel & 3, words = channel >> 2 & 1;
    struct controller *c = &d->controller[words];
    struct channel *ch = &c->channel[n];
    size_t moved = 0;

    *terminal = false;
    while (!*terminal && (size - moved) >> words != 0 && served(d, channel & 7)) {
        size_t transfers = run_length(ch, (size - moved) >> words);

        move(d, address_of(d, channel & 7), ch->mode, direction, bytes + moved, transfers << words);
        moved += transfers << words;
        ch->address = (u16)(ch->mode & MODE_DOWN ? ch->address - transfers : ch->address + transfers);
        *terminal = transfers > ch->count;
        ch->count = (u16)(ch->count - transfers);
        if (*terminal)
            reach_terminal_count(c, n);
    }
    return moved;
}

void i8237_attach(struct i8237 *d, unsigned channel, void (*ready)(void *context), void *context)
{
    struct channel *ch = &d->controller[channel >> 2 & 1].channel[channel & 3];

    ch->ready = ready;
    ch->context = context;
}

void i8237_request(struct i8237 *d, unsigned channel, bool asserted)
{
    struct controller *c = &d->controller[channel >> 2 & 1];
    u8 bit = (u8)(1u << (channel & 3));

    c->device_request = (u8)(asserted ? c->device_request | bit : c->device_request & ~bit);
}

/* Bit n: channel n (0-7) has a request and can be served. */
static unsigned runnable(const struct i8237 *d)
{
    unsigned set = 0;

    for (unsigned i = 0; i < 8; i++)
        if (d->controller[i >> 2].device_request & 1u << (i & 3) && served(d, i))
            set |= 1u << i;
    return set;
}

/* ---- registers */

static void write_half(struct controller *c, u16 *base, u16 *current, u8 value)
{
    *base = (u16)(c->high_byte ? (*base & 0x00ff) | value << 8 : (*base & 0xff00) | value);
    *current = (u16)(c->high_byte ? (*current & 0x00ff) | value << 8 : (*current & 0xff00) | value);
    c->high_byte = !c->high_byte;
}

static void write_register(struct controller *c, unsigned reg, u8 value)
{
    u8 bit = (u8)(1u << (value & 3));
    struct channel *ch;

    switch (reg) {
    case 8: c->command = value; break;
    case 9: c->software_request = (u8)(value & 4 ? c->software_request | bit : c->software_request & ~bit); break;
    case 10: c->mask = (u8)(value & 4 ? c->mask | bit : c->mask & ~bit); break;
    case 11: c->channel[value & 3].mode = value & 0xfc; break;
    case 12: c->high_byte = false; break;
    case 13: master_clear(c); break;
    case 14: c->mask = 0; break;
    case 15: c->mask = value & 15; break;
    default:
        ch = &c->channel[reg / 2];
        if (reg & 1)
            write_half(c, &ch->base_count, &ch->count, value);
        else
            write_half(c, &ch->base_address, &ch->address, value);
        break;
    }
}

static u8 read_status(struct controller *c)
{
    u8 value = (u8)((c->software_request | c->device_request) << 4 | c->terminal);

    c->terminal = 0;
    return value;
}

static u8 read_register(struct controller *c, unsigned reg)
{
    u16 value;

    if (reg == 8)
        return read_status(c);
    if (reg == 15)
        return c->mask;
    if (reg > 8)
        return 0;
    value = reg & 1 ? c->channel[reg / 2].count : c->channel[reg / 2].address;
    c->high_byte = !c->high_byte;
    return (u8)(c->high_byte ? value : value >> 8);
}

static struct controller *select_register(struct i8237 *d, u16 port, unsigned *reg)
{
    *reg = port < 0x10 ? port : (port - 0xc0u) / 2; /* the second controller decodes A1 up */
    return &d->controller[port >= 0x10];
}

static u32 port_read(void *device, u16 port, unsigned size)
{
    unsigned reg;
    struct controller *c = select_register(device, port, &reg);

    (void)size;
    return read_register(c, reg);
}

static void port_write(void *device, u16 port, u32 value, unsigned size)
{
    struct i8237 *d = device;
    unsigned reg, before = runnable(d), begun;
    struct controller *c = select_register(d, port, &reg);

    (void)size;
    write_register(c, reg, (u8)value);
    begun = runnable(d) & ~before;
    for (unsigned i = 0; i < 8; i++) {
        const struct channel *ch = &d->controller[i >> 2].channel[i & 3];

        if (begun & 1u << i && ch->ready)
            ch->ready(ch->context);
    }
}

static u32 page_read(void *device, u16 port, unsigned size)
{
    (void)size;
    return ((struct i8237 *)device)->page[port & 15];
}

static void page_write(void *device, u16 port, u32 value, unsigned size)
{
    (void)size;
    ((struct i8237 *)device)->page[port & 15] = (u8)value;
}

static const struct port_ops dma_ops = {port_read, port_write, 0};
static const struct port_ops page_ops = {page_read, page_write, 0};

struct i8237 *i8237_new(struct ports *ports, struct physmem *physmem)
{
    struct i8237 *d = calloc(1, sizeof *d);

    if (!d)
        abort();
    d->physmem = physmem;
    master_clear(&d->controller[0]);
    master_clear(&d->controller[1]);
    d->controller[1].channel[0].mode = MODE_CASCADE;
    d->controller[1].mask = 0x0e;
    ports_claim(ports, 0x00, 16, &dma_ops, d, "dma1");
    ports_claim(ports, 0xc0, 32, &dma_ops, d, "dma2");
    ports_claim(ports, 0x80, 16, &page_ops, d, "dma-page");
    return d;
}

void i8237_free(struct i8237 *d) { free(d); }

struct i8237_channel i8237_channel(const struct i8237 *d, unsigned channel)
{
    const struct controller *c = &d->controller[channel >> 2 & 1];
    const struct channel *ch = &c->channel[channel & 3];

    return (struct i8237_channel){.address = address_of(d, channel & 7),
                                  .bytes = (ch->count + 1u) << (channel >> 2 & 1),
                                  .mode = ch->mode,
                                  .masked = c->mask >> (channel & 3) & 1};
}

u8 i8237_post_code(const struct i8237 *d) { return d->page[0]; }

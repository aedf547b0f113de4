/* SPDX-License-Identifier: MIT
 * 8237A pair: registers and the byte flip-flop.
 * Intel 8237A data sheet, "Register Description".
 * Not implemented: transfers (a device that makes them reads its channel's programming with dma_channel()).
 */
#include "devices/dma.h"

#include <stdlib.h>

struct controller {
    u16 address[4], count[4];
    u8 mode[4], mask, command, request;
    bool high_byte; /* the flip-flop */
};

struct dma {
    struct controller controller[2];
    u8 page[16];
};

/* Page register (port 80h + n) of each channel. */
static const u8 page_of[8] = {7, 3, 1, 2, 15, 11, 9, 10};

static void master_clear(struct controller *c)
{
    c->mask = 0x0f;
    c->command = c->request = 0;
    c->high_byte = false;
}

static void write_half(struct controller *c, u16 *reg, u8 value)
{
    *reg = (u16)(c->high_byte ? (*reg & 0x00ff) | value << 8 : (*reg & 0xff00) | value);
    c->high_byte = !c->high_byte;
}

static void write_register(struct controller *c, unsigned reg, u8 value)
{
    u8 bit = (u8)(1u << (value & 3));

    switch (reg) {
    case 8: c->command = value; break;
    case 9: c->request = (u8)(value & 4 ? c->request | bit : c->request & ~bit); break;
    case 10: c->mask = (u8)(value & 4 ? c->mask | bit : c->mask & ~bit); break;
    case 11: c->mode[value & 3] = value & 0xfc; break;
    case 12: c->high_byte = false; break;
    case 13: master_clear(c); break;
    case 14: c->mask = 0; break;
    case 15: c->mask = value & 15; break;
    default: write_half(c, reg & 1 ? &c->count[reg / 2] : &c->address[reg / 2], value); break;
    }
}

static u8 read_register(struct controller *c, unsigned reg)
{
    u16 value;

    if (reg == 8)
        return (u8)(c->request << 4); /* no channel has reached its terminal count */
    if (reg == 15)
        return c->mask;
    if (reg > 8)
        return 0;
    value = reg & 1 ? c->count[reg / 2] : c->address[reg / 2];
    c->high_byte = !c->high_byte;
    return (u8)(c->high_byte ? value : value >> 8);
}

static struct controller *select_register(struct dma *d, u16 port, unsigned *reg)
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
    unsigned reg;
    struct controller *c = select_register(device, port, &reg);

    (void)size;
    write_register(c, reg, (u8)value);
}

static u32 page_read(void *device, u16 port, unsigned size)
{
    (void)size;
    return ((struct dma *)device)->page[port & 15];
}

static void page_write(void *device, u16 port, u32 value, unsigned size)
{
    (void)size;
    ((struct dma *)device)->page[port & 15] = (u8)value;
}

static const struct port_ops dma_ops = {port_read, port_write, 0};
static const struct port_ops page_ops = {page_read, page_write, 0};

struct dma *dma_new(struct ports *ports)
{
    struct dma *d = calloc(1, sizeof *d);

    if (!d)
        abort();
    master_clear(&d->controller[0]);
    master_clear(&d->controller[1]);
    ports_claim(ports, 0x00, 16, &dma_ops, d, "dma1");
    ports_claim(ports, 0xc0, 32, &dma_ops, d, "dma2");
    ports_claim(ports, 0x80, 16, &page_ops, d, "dma-page");
    return d;
}

void dma_free(struct dma *d) { free(d); }

struct dma_channel_state dma_channel(const struct dma *d, unsigned channel)
{
    const struct controller *c = &d->controller[channel >> 2 & 1];
    unsigned n = channel & 3;
    bool words = channel & 4;
    u64 page = d->page[page_of[channel & 7]];
    struct dma_channel_state state = {.mode = c->mode[n], .masked = c->mask >> n & 1};

    state.address = words ? (page & 0xfe) << 16 | (u64)c->address[n] << 1 : page << 16 | c->address[n];
    state.bytes = (c->count[n] + 1u) << words;
    return state;
}

u8 dma_post_code(const struct dma *d) { return d->page[0]; }

/* SPDX-License-Identifier: MIT
 * 16550A: registers, FIFOs, interrupt priorities, loopback.
 * PC16550D data sheet, "Registers", "FIFO Interrupt Mode Operation".
 */
#include "devices/uart.h"

#include <stdlib.h>

#define FIFO_SIZE 16
#define UART_HZ 1843200ull

enum { IER_RDA = 1, IER_THRE = 2, IER_LINE = 4, IER_MODEM = 8 };
enum { LSR_DR = 1, LSR_OE = 2, LSR_ERRORS = 0x1e, LSR_THRE = 0x20, LSR_TEMT = 0x40 };
enum { MCR_OUT2 = 8, MCR_LOOP = 0x10 };
enum { LCR_DLAB = 0x80 };

struct uart {
    struct clock *clock;
    struct irq_line *irq;
    uart_out *out;
    void *out_context;
    struct timer timeout; /* four character times without traffic in the receiver */
    u16 base, divisor;
    u8 ier, fcr, lcr, mcr, msr, scratch, errors;
    bool thre_pending, timed_out;
    u8 fifo[FIFO_SIZE];
    unsigned head, count;
};

static unsigned trigger_level(const struct uart *u)
{
    static const u8 levels[4] = {1, 4, 8, 14};

    return u->fcr & 1 ? levels[u->fcr >> 6] : 1;
}

/* Interrupt identification, bits 3-0, in the order of priority. */
static u8 identify(const struct uart *u)
{
    if ((u->ier & IER_LINE) && (u->errors & LSR_ERRORS))
        return 6;
    if ((u->ier & IER_RDA) && u->count >= trigger_level(u))
        return 4;
    if ((u->ier & IER_RDA) && u->timed_out)
        return 12;
    if ((u->ier & IER_THRE) && u->thre_pending)
        return 2;
    if ((u->ier & IER_MODEM) && (u->msr & 0x0f))
        return 0;
    return 1;
}

/* OUT2 gates the interrupt line on a PC; loopback forces the pin inactive. */
static void update(struct uart *u)
{
    irq_set(u->irq, identify(u) != 1 && (u->mcr & (MCR_OUT2 | MCR_LOOP)) == MCR_OUT2);
}

static u64 character_time(const struct uart *u)
{
    unsigned bit_count = 7 + (u->lcr & 3) + !!(u->lcr & 4) + !!(u->lcr & 8); /* start, 5-8 data, stops, parity */

    return clock_from_hz(16ull * bit_count * (u->divisor ? u->divisor : 1), UART_HZ);
}

static void restart_timeout(struct uart *u)
{
    u->timed_out = false;
    clock_cancel(u->clock, &u->timeout);
    if ((u->fcr & 1) && u->count)
        clock_arm(u->clock, &u->timeout, u->clock->ticks + 4 * character_time(u));
}

static void timeout_due(void *context, u64 now)
{
    struct uart *u = context;

    (void)now;
    u->timed_out = u->count != 0;
    update(u);
}

static void receiver_put(struct uart *u, u8 byte)
{
    unsigned room = u->fcr & 1 ? FIFO_SIZE : 1;

    if (u->count >= room) {
        u->errors |= LSR_OE;
        if (room == 1) /* without the FIFO the new byte overwrites the old one */
            u->fifo[u->head] = byte;
        return;
    }
    u->fifo[(u->head + u->count++) % FIFO_SIZE] = byte;
}

size_t uart_receive(void *uart, const u8 *bytes, size_t size)
{
    struct uart *u = uart;
    size_t room = (u->fcr & 1 ? FIFO_SIZE : 1) - (size_t)u->count, taken = size < room ? size : room;

    if ((u->mcr & MCR_LOOP) || !taken)
        return 0;
    for (size_t i = 0; i < taken; i++)
        receiver_put(u, bytes[i]);
    restart_timeout(u);
    update(u);
    return taken;
}

static u8 receiver_get(struct uart *u)
{
    u8 byte = u->fifo[u->head];

    if (!u->count)
        return byte;
    u->count--;
    u->head = (u->head + 1) % FIFO_SIZE;
    restart_timeout(u);
    return byte;
}

static void transmit(struct uart *u, u8 byte)
{
    u->thre_pending = false;
    update(u); /* the request falls and rises again: an edge-triggered controller must see it */
    if (u->mcr & MCR_LOOP) {
        receiver_put(u, byte);
        restart_timeout(u);
    } else if (u->out) {
        u->out(u->out_context, &byte, 1);
    }
    u->thre_pending = true;
}

/* The modem inputs: a peer that is always ready, or the outputs looped back (RTS, DTR, OUT1, OUT2). */
static void update_modem(struct uart *u)
{
    u8 lines = 0xb0, changed;

    if (u->mcr & MCR_LOOP)
        lines = (u8)((u->mcr & 2) << 3 | (u->mcr & 1) << 5 | (u->mcr & 4) << 4 | (u->mcr & 8) << 4);
    changed = (u->msr ^ lines) & 0xf0;
    if (!(u->msr & 0x40) || (lines & 0x40))
        changed &= (u8)~0x40; /* the ring indicator reports its trailing edge only */
    u->msr = (u8)(lines | (u->msr & 0x0f) | changed >> 4);
}

static void write_fcr(struct uart *u, u8 value)
{
    if ((value ^ u->fcr) & 1)
        value |= 6; /* turning the FIFOs on or off clears them */
    if (value & 2) {
        u->count = u->head = 0;
        restart_timeout(u);
    }
    u->fcr = value & 1 ? value & 0xc9 : 0;
}

static void port_write(void *device, u16 port, u32 value32, unsigned size)
{
    struct uart *u = device;
    u8 value = (u8)value32;

    (void)size;
    switch (port - u->base) {
    case 0:
        if (u->lcr & LCR_DLAB)
            u->divisor = (u16)((u->divisor & 0xff00) | value);
        else
            transmit(u, value);
        break;
    case 1:
        if (u->lcr & LCR_DLAB) {
            u->divisor = (u16)((u->divisor & 0xff) | value << 8);
            break;
        }
        if ((value & IER_THRE) && !(u->ier & IER_THRE))
            u->thre_pending = true; /* enabling it with an empty transmitter asks at once */
        u->ier = value & 0x0f;
        break;
    case 2: write_fcr(u, value); break;
    case 3: u->lcr = value; break;
    case 4:
        u->mcr = value & 0x1f;
        update_modem(u);
        break;
    case 7: u->scratch = value; break;
    default: break; /* LSR and MSR are not written in service */
    }
    update(u);
}

static u8 read_register(struct uart *u, unsigned index)
{
    u8 value;

    switch (index) {
    case 0: return u->lcr & LCR_DLAB ? (u8)u->divisor : receiver_get(u);
    case 1: return u->lcr & LCR_DLAB ? (u8)(u->divisor >> 8) : u->ier;
    case 2:
        value = identify(u);
        if (value == 2)
            u->thre_pending = false;
        return (u8)(value | (u->fcr & 1 ? 0xc0 : 0));
    case 3: return u->lcr;
    case 4: return u->mcr;
    case 5:
        value = (u8)(LSR_THRE | LSR_TEMT | u->errors | (u->count ? LSR_DR : 0));
        u->errors = 0;
        return value;
    case 6:
        value = u->msr;
        u->msr &= 0xf0;
        return value;
    default: return u->scratch;
    }
}

static u32 port_read(void *device, u16 port, unsigned size)
{
    struct uart *u = device;
    u8 value = read_register(u, port - u->base);

    (void)size;
    update(u);
    return value;
}

static const struct port_ops uart_ops = {port_read, port_write, 0};

struct uart *uart_new(struct ports *ports, struct clock *clock, u16 base, struct irq_line *irq, uart_out *out,
                      void *out_context, const char *name)
{
    struct uart *u = calloc(1, sizeof *u);

    if (!u)
        abort();
    u->clock = clock;
    u->irq = irq;
    u->out = out;
    u->out_context = out_context;
    u->base = base;
    u->divisor = 12;
    u->msr = 0xb0;
    u->timeout = (struct timer){.fire = timeout_due, .context = u, .name = name};
    ports_claim(ports, base, 8, &uart_ops, u, name);
    return u;
}

void uart_free(struct uart *u)
{
    if (u)
        clock_cancel(u->clock, &u->timeout);
    free(u);
}

/* SPDX-License-Identifier: MIT
 * The 8254: three counters computed from elapsed time.
 * Intel 8254 data sheet, "Mode Definitions", "Read Operations".
 *
 * A counter is (N, start): N was loaded at PIT clock `start`; value and output are functions of the clocks elapsed.
 */
#include "devices/pit.h"

#include <stdlib.h>

#define NEVER CLOCK_NEVER
#define REFRESH_CLOCKS 18 /* channel 1's period on a PC: the toggle of port 61h bit 4 */

struct channel {
    u8 mode, access; /* mode 0-5; access 1 low byte, 2 high byte, 3 both */
    bool bcd, gate;
    bool loaded;    /* a count was written since the control word */
    bool triggered; /* modes 1, 5: the gate has risen since */
    bool frozen;    /* the gate stops counting; elapsed is kept in frozen_at */
    bool high_next; /* next written byte is the high one */
    bool read_high; /* next read byte is the high one */
    u8 latch_bytes; /* bytes of a latched count still to read */
    bool status_latched;
    u8 status, low_byte;
    u16 latch, written;
    u32 n; /* counts in force */
    u64 start, frozen_at;
    u32 next_n; /* modes 2, 3: takes over at the end of the cycle; 0 none */
    u64 next_start;
};

struct pit {
    struct clock *clock;
    struct irq_line *irq0;
    struct timer timer;
    struct channel channel[3];
    u64 edge; /* PIT clock of channel 0's next output change */
    u8 port61;
};

static u64 pit_now(const struct pit *pit) { return clock_to_hz(pit->clock->ticks, PIT_HZ); }

static u32 modulus(const struct channel *c) { return c->bcd ? 10000 : 65536; }

static u32 decode_count(const struct channel *c)
{
    u32 w = c->written;

    if (c->bcd)
        w = (w >> 12) * 1000 + (w >> 8 & 15) * 100 + (w >> 4 & 15) * 10 + (w & 15);
    return w ? w : modulus(c);
}

static u16 encode_count(const struct channel *c, u32 value)
{
    value %= modulus(c);
    if (!c->bcd)
        return (u16)value;
    return (u16)(value / 1000 << 12 | value / 100 % 10 << 8 | value / 10 % 10 << 4 | value % 10);
}

static bool periodic(const struct channel *c) { return c->mode == 2 || c->mode == 3; }

static bool gate_triggered(const struct channel *c) { return c->mode == 1 || c->mode == 5; }

/* A count written during a cycle of modes 2 and 3 takes over at its end. */
static void advance(struct channel *c, u64 now)
{
    if (c->next_n && !c->frozen && now >= c->next_start) {
        c->n = c->next_n;
        c->start = c->next_start;
        c->next_n = 0;
    }
}

static u64 elapsed(const struct channel *c, u64 now)
{
    if (c->frozen)
        return c->frozen_at;
    return now > c->start ? now - c->start : 0;
}

static bool running(const struct channel *c) { return c->loaded && (!gate_triggered(c) || c->triggered); }

static u32 count_at(const struct channel *c, u64 e)
{
    u32 n = c->n, m = modulus(c), phase;

    switch (c->mode) {
    case 2: return n - (u32)(e % n);
    case 3: /* two down per clock, twice per period; an odd count loads one less and its high half is longer */
        phase = (u32)(e % n);
        if (phase >= (n + 1) / 2)
            phase -= (n + 1) / 2;
        return (n & ~1u) - 2 * phase;
    default: return (n + m - (u32)(e % m)) % m;
    }
}

static bool output_at(const struct channel *c, u64 e)
{
    switch (c->mode) {
    case 0: return running(c) && e >= c->n;
    case 1: return !running(c) || e >= c->n;
    case 2: return !running(c) || c->frozen || e % c->n != c->n - 1;
    case 3: return !running(c) || c->frozen || e % c->n < (c->n + 1) / 2;
    default: return !running(c) || e != c->n;
    }
}

/* The next elapsed count after e at which the output may change, or NEVER. */
static u64 next_change(const struct channel *c, u64 e)
{
    u64 cycle, phase;

    if (!running(c) || c->frozen)
        return NEVER;
    switch (c->mode) {
    case 0:
    case 1: return e < c->n ? c->n : NEVER;
    case 2:
    case 3:
        if (c->n < 2)
            return NEVER;
        cycle = e - e % c->n;
        phase = c->mode == 2 ? c->n - 1 : (c->n + 1) / 2;
        return e % c->n < phase ? cycle + phase : cycle + c->n;
    default: return e < c->n ? c->n : e == c->n ? e + 1 : NEVER;
    }
}

/* ---- channel 0's interrupt ---- */

static void arm_edge(struct pit *pit, u64 now)
{
    struct channel *c = &pit->channel[0];
    u64 change = next_change(c, elapsed(c, now));

    pit->edge = change == NEVER ? NEVER : c->start + change;
    if (c->next_n && pit->edge > c->next_start)
        pit->edge = c->next_start;
    clock_arm(pit->clock, &pit->timer, pit->edge == NEVER ? CLOCK_NEVER : clock_from_hz(pit->edge, PIT_HZ));
}

static void drive_irq0(struct pit *pit, u64 now)
{
    struct channel *c = &pit->channel[0];

    advance(c, now);
    irq_set(pit->irq0, output_at(c, elapsed(c, now)));
    arm_edge(pit, now);
}

/* Each change is shown at its own clock, so that a boundary which comes late loses no edge. */
static void edge_due(void *context, u64 ticks)
{
    struct pit *pit = context;
    u64 now = clock_to_hz(ticks, PIT_HZ);

    do
        drive_irq0(pit, pit->edge);
    while (pit->edge <= now);
}

static void changed(struct pit *pit, unsigned index)
{
    if (index == 0)
        drive_irq0(pit, pit_now(pit));
}

/* ---- writes ---- */

static void load_count(struct pit *pit, struct channel *c)
{
    u64 now = pit_now(pit);

    advance(c, now);
    if (periodic(c) && c->loaded && !c->frozen) {
        u64 e = elapsed(c, now);

        /* UNVERIFIED: mode 3 hardware takes the new count at the next half-cycle; here at the end of the period */
        c->next_n = decode_count(c);
        c->next_start = c->start + (e / c->n + 1) * c->n;
        return;
    }
    if (gate_triggered(c) && c->triggered) {
        c->next_n = decode_count(c); /* for the next trigger */
        c->next_start = NEVER;
        return;
    }
    c->n = decode_count(c);
    c->next_n = 0;
    c->loaded = true;
    c->start = now + 1; /* the count moves into the counter on the next clock */
    c->frozen_at = 0;
    c->frozen = !gate_triggered(c) && !c->gate;
}

static void write_count(struct pit *pit, unsigned index, u8 value)
{
    struct channel *c = &pit->channel[index];

    if (c->access == 3 && !c->high_next) {
        c->low_byte = value;
        c->high_next = true;
        if (c->mode == 0) { /* the first byte stops the count */
            c->loaded = false;
            changed(pit, index);
        }
        return;
    }
    if (c->access == 3)
        c->written = (u16)(value << 8 | c->low_byte);
    else
        c->written = (u16)(c->access == 2 ? value << 8 : value);
    c->high_next = false;
    load_count(pit, c);
    changed(pit, index);
}

static void latch_count(struct pit *pit, struct channel *c)
{
    u64 now = pit_now(pit);

    if (c->latch_bytes)
        return;
    advance(c, now);
    c->latch = c->n ? encode_count(c, count_at(c, running(c) ? elapsed(c, now) : 0)) : 0;
    c->latch_bytes = c->access == 3 ? 2 : 1;
}

static void latch_status(struct pit *pit, struct channel *c)
{
    u64 now = pit_now(pit);
    bool null_count;

    if (c->status_latched)
        return;
    advance(c, now);
    null_count = !running(c) || c->next_n || (!c->frozen && now < c->start);
    c->status = (u8)(output_at(c, elapsed(c, now)) << 7 | null_count << 6 | c->access << 4 | c->mode << 1 | c->bcd);
    c->status_latched = true;
}

static void read_back(struct pit *pit, u8 value)
{
    for (unsigned i = 0; i < 3; i++) {
        if (!(value & 2u << i))
            continue;
        if (!(value & 0x20))
            latch_count(pit, &pit->channel[i]);
        if (!(value & 0x10))
            latch_status(pit, &pit->channel[i]);
    }
}

static void write_control(struct pit *pit, u8 value)
{
    unsigned index = value >> 6;
    struct channel *c;
    u8 access = value >> 4 & 3, mode = value >> 1 & 7;

    if (index == 3) {
        read_back(pit, value);
        return;
    }
    c = &pit->channel[index];
    if (access == 0) {
        latch_count(pit, c);
        return;
    }
    *c = (struct channel){.mode = mode > 5 ? mode & 3 : mode, .access = access, .bcd = value & 1, .gate = c->gate};
    changed(pit, index);
}

static u8 read_count(struct pit *pit, struct channel *c)
{
    bool both = c->access == 3, high = c->access == 2 || (both && c->read_high);
    u64 now = pit_now(pit);
    u16 value;

    if (c->status_latched) {
        c->status_latched = false;
        return c->status;
    }
    if (c->latch_bytes) {
        value = c->latch;
        c->latch_bytes--;
    } else {
        advance(c, now);
        value = c->n ? encode_count(c, count_at(c, running(c) ? elapsed(c, now) : 0)) : 0;
    }
    c->read_high = both && !c->read_high;
    return (u8)(high ? value >> 8 : value);
}

/* ---- the gate and port 61h ---- */

static void set_gate(struct pit *pit, struct channel *c, bool gate)
{
    u64 now = pit_now(pit);

    advance(c, now);
    if (gate == c->gate)
        return;
    c->gate = gate;
    if (!c->loaded)
        return;
    if (gate_triggered(c)) {
        if (!gate)
            return;
        if (c->next_n)
            c->n = c->next_n;
        c->next_n = 0;
        c->triggered = true;
        c->start = now + 1;
    } else if (!gate) {
        c->frozen_at = elapsed(c, now);
        c->frozen = true;
    } else {
        if (periodic(c) && c->next_n)
            c->n = c->next_n;
        c->next_n = 0;
        c->frozen = false;
        c->start = periodic(c) ? now + 1 : now - c->frozen_at; /* modes 2, 3 start over; 0, 4 go on */
    }
}

static u32 port61_read(void *device, u16 port, unsigned size)
{
    struct pit *pit = device;
    struct channel *c = &pit->channel[2];
    u64 now = pit_now(pit);

    (void)port, (void)size;
    advance(c, now);
    return pit->port61 | (u32)(now / REFRESH_CLOCKS & 1) << 4 | (u32)output_at(c, elapsed(c, now)) << 5;
}

static void port61_write(void *device, u16 port, u32 value, unsigned size)
{
    struct pit *pit = device;

    (void)port, (void)size;
    pit->port61 = value & 0x0f;
    set_gate(pit, &pit->channel[2], value & 1);
}

static u32 port_read(void *device, u16 port, unsigned size)
{
    struct pit *pit = device;

    (void)size;
    return port == 0x43 ? 0xff : read_count(pit, &pit->channel[port & 3]);
}

static void port_write(void *device, u16 port, u32 value, unsigned size)
{
    struct pit *pit = device;

    (void)size;
    if (port == 0x43)
        write_control(pit, (u8)value);
    else
        write_count(pit, port & 3, (u8)value);
}

static const struct port_ops pit_ops = {port_read, port_write, 0};
static const struct port_ops port61_ops = {port61_read, port61_write, 0};

struct pit *pit_new(struct ports *ports, struct clock *clock, struct irq_line *irq0)
{
    struct pit *pit = calloc(1, sizeof *pit);

    if (!pit)
        abort();
    pit->clock = clock;
    pit->irq0 = irq0;
    pit->timer = (struct timer){.fire = edge_due, .context = pit, .name = "pit"};
    pit->edge = NEVER;
    for (unsigned i = 0; i < 3; i++)
        pit->channel[i] = (struct channel){.access = 3, .gate = i != 2};
    ports_claim(ports, 0x40, 4, &pit_ops, pit, "pit");
    ports_claim(ports, 0x61, 1, &port61_ops, pit, "port61");
    return pit;
}

void pit_free(struct pit *pit)
{
    if (pit)
        clock_cancel(pit->clock, &pit->timer);
    free(pit);
}

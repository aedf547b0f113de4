/* SPDX-License-Identifier: MIT
 * The high precision event timer: registers, comparators, routing.
 * IA-PC HPET Specification 1.0a, "Hardware Implementation", "Register Overview".
 *
 * The counter and the comparators are computed when they are looked at. A timer of the clock is armed only for a
 * comparator whose next match would interrupt.
 * Not implemented: FSB (message) delivery, which Tn_FSB_INT_DEL_CAP says.
 */
#include "devices/hpet.h"

#include <stdlib.h>

#include "base/bits.h"

#define TIMERS 3u
#define TICKS_PER_COUNT (TICKS_PER_SECOND / HPET_HZ)
#define PERIOD_FS (1000000000000000ull / HPET_HZ)

enum reg { REG_ID = 0x000, REG_CONFIG = 0x010, REG_STATUS = 0x020, REG_COUNTER = 0x0f0, REG_TIMERS = 0x100 };
enum timer_reg { TIMER_CONFIG = 0x00, TIMER_COMPARATOR = 0x08, TIMER_BYTES = 0x20 };

#define CONFIG_ENABLE BIT(0)
#define CONFIG_LEGACY BIT(1)

#define TN_LEVEL BIT(1)
#define TN_ENABLE BIT(2)
#define TN_PERIODIC BIT(3)
#define TN_CAPABLE (BIT(4) | BIT(5)) /* periodic mode, 64 bits */
#define TN_SET_VALUE BIT(6)
#define TN_32BIT BIT(8)
#define TN_ROUTE_SHIFT 9
#define TN_ROUTE (31ull << TN_ROUTE_SHIFT)
#define TN_KEPT (TN_LEVEL | TN_ENABLE | TN_PERIODIC | TN_32BIT)

struct comparator {
    struct hpet *hpet;
    struct timer timer;
    u64 config; /* TN_KEPT and TN_ROUTE */
    u64 value, period;
    u64 seen;       /* counter value up to which matches have been looked for */
    bool set_value; /* the next write of a periodic comparator sets the value too */
    bool held;      /* edge mode on a legacy wire: high since the last match, as the 8259 wants it */
};

struct hpet {
    struct physmem *pm;
    struct clock *clock;
    struct hpet_wires wires;
    struct irq_line input[2];
    u64 config;
    u32 status;
    u64 base, start; /* the counter was base at tick start, or is base while halted */
    struct comparator comparator[TIMERS];
};

static bool running(const struct hpet *h) { return h->config & CONFIG_ENABLE; }

static bool legacy(const struct hpet *h) { return running(h) && (h->config & CONFIG_LEGACY); }

static u64 counter(const struct hpet *h)
{
    return running(h) ? h->base + (h->clock->ticks - h->start) / TICKS_PER_COUNT : h->base;
}

static unsigned index_of(const struct comparator *c) { return (unsigned)(c - c->hpet->comparator); }

static u64 width(const struct comparator *c) { return c->config & TN_32BIT ? 0xffffffff : ~0ull; }

/* ---- interrupts ---- */

static u64 routes(const struct hpet *h) { return h->wires.pin[0] ? ((1ull << HPET_PINS) - 1) << HPET_FIRST_PIN : 0; }

/* The pin that a comparator is routed to. returns: NULL for a legacy wire, and for a route that does not exist */
static struct irq_line *pin_of(const struct comparator *c)
{
    unsigned route = (unsigned)((c->config & TN_ROUTE) >> TN_ROUTE_SHIFT);

    if ((legacy(c->hpet) && index_of(c) < 2) || !(routes(c->hpet) >> route & 1))
        return NULL;
    return c->hpet->wires.pin[route - HPET_FIRST_PIN];
}

static bool level_of(const struct comparator *c)
{
    const struct hpet *h = c->hpet;

    return running(h) && (c->config & TN_ENABLE) && (c->config & TN_LEVEL) && (h->status >> index_of(c) & 1);
}

/* Every wire as it is between two edges. */
static void drive(struct hpet *h)
{
    bool level[HPET_PINS] = {false};

    for (unsigned i = 0; i < TIMERS; i++) {
        const struct comparator *c = &h->comparator[i];

        for (unsigned p = 0; p < HPET_PINS; p++)
            level[p] |= h->wires.pin[0] && pin_of(c) == h->wires.pin[p] && level_of(c);
    }
    for (unsigned p = 0; h->wires.pin[0] && p < HPET_PINS; p++)
        irq_set(h->wires.pin[p], level[p]);
    for (unsigned i = 0; i < 2; i++) {
        struct comparator *c = &h->comparator[i];

        if (!legacy(h) || (c->config & (TN_ENABLE | TN_LEVEL)) != TN_ENABLE)
            c->held = false;
        irq_set(h->wires.legacy[i], legacy(h) ? c->held || level_of(c) : h->input[i].level);
    }
}

static void interrupt(struct comparator *c)
{
    struct hpet *h = c->hpet;
    unsigned i = index_of(c);
    struct irq_line *pin = pin_of(c);

    if (c->config & TN_LEVEL) {
        h->status |= 1u << i;
        drive(h);
    } else if (!(c->config & TN_ENABLE)) {
        return;
    } else if (legacy(h) && i < 2) { /* a new edge; the wire then stays high: an 8259 forgets a request that falls */
        irq_set(h->wires.legacy[i], false);
        c->held = true;
        drive(h);
    } else if (pin && !pin->level) {
        irq_set(pin, true);
        irq_set(pin, false);
    }
}

static void legacy_input_changed(void *context, unsigned which, bool level)
{
    struct hpet *h = context;

    if (!legacy(h))
        irq_set(h->wires.legacy[which], level);
}

/* ---- matches ---- */

/* Counts from `from` to the next match, at least 1. returns: 0 for none within 2^64 counts */
static u64 distance(const struct comparator *c, u64 from)
{
    u64 d = (c->value - from) & width(c);

    return d == 0 && (c->config & TN_32BIT) ? BIT(32) : d;
}

/* Take the comparator to the counter value now. returns: whether it matched on the way */
static bool advance(struct comparator *c, u64 now)
{
    u64 d = distance(c, c->seen), gone = now - c->seen, period = c->period & width(c);

    c->seen = now;
    if (d == 0 || gone < d)
        return false;
    if ((c->config & TN_PERIODIC) && period != 0) /* UNVERIFIED: what a period of 0 does; here a match per wrap */
        c->value = (c->value + ((gone - d) / period + 1) * period) & width(c);
    return true;
}

static void arm(struct comparator *c, u64 now)
{
    struct hpet *h = c->hpet;
    u64 d = distance(c, now), far = (CLOCK_NEVER - h->clock->ticks) / TICKS_PER_COUNT;
    bool heard = (c->config & TN_ENABLE) && !((c->config & TN_LEVEL) && (h->status >> index_of(c) & 1));

    if (!running(h) || !heard || d == 0 || d >= far)
        clock_cancel(h->clock, &c->timer);
    else
        clock_arm(h->clock, &c->timer, h->start + (now - h->base + d) * TICKS_PER_COUNT);
}

/* Bring everything up to now: before a register is looked at or changed, and after a change. */
static void catch_up(struct hpet *h)
{
    u64 now = counter(h);

    for (unsigned i = 0; i < TIMERS; i++) {
        struct comparator *c = &h->comparator[i];

        if (running(h) && advance(c, now))
            interrupt(c);
        arm(c, now);
    }
}

static void timer_due(void *context, u64 ticks)
{
    struct comparator *c = context;

    (void)ticks;
    catch_up(c->hpet);
}

/* A comparator that was set to the present count, or is there when the counter starts, matches. */
static void look_again(struct comparator *c) { c->seen = counter(c->hpet) - 1; }

/* ---- registers ---- */

static u64 read_comparator(const struct comparator *c, unsigned reg)
{
    switch (reg) {
    case TIMER_CONFIG: return routes(c->hpet) << 32 | c->config | TN_CAPABLE;
    case TIMER_COMPARATOR: return c->value;
    default: return 0; /* the FSB route */
    }
}

static u64 read_register(const struct hpet *h, unsigned reg)
{
    switch (reg) {
    case REG_ID: return PERIOD_FS << 32 | HPET_BLOCK_ID;
    case REG_CONFIG: return h->config;
    case REG_STATUS: return h->status;
    case REG_COUNTER: return counter(h);
    default:
        if (reg < REG_TIMERS || reg >= REG_TIMERS + TIMERS * TIMER_BYTES)
            return 0;
        return read_comparator(&h->comparator[(reg - REG_TIMERS) / TIMER_BYTES], reg % TIMER_BYTES);
    }
}

static void write_config(struct hpet *h, u64 value)
{
    u64 now = counter(h);
    bool same = !((value ^ h->config) & CONFIG_ENABLE);

    h->config = value & (CONFIG_ENABLE | CONFIG_LEGACY);
    if (same)
        return;
    h->base = now;
    h->start = h->clock->ticks;
    for (unsigned i = 0; i < TIMERS; i++)
        look_again(&h->comparator[i]);
}

static void write_timer_config(struct comparator *c, u64 value)
{
    u64 route = value & TN_ROUTE;

    if (!(routes(c->hpet) >> (route >> TN_ROUTE_SHIFT) & 1)) /* reads back as it was: how software finds out */
        route = c->config & TN_ROUTE;
    c->config = (value & TN_KEPT) | route;
    c->set_value = (value & TN_SET_VALUE) && (value & TN_PERIODIC);
    c->value &= width(c);
    c->period &= width(c);
    if (!(value & TN_LEVEL))
        c->hpet->status &= ~(1u << index_of(c));
}

/* in: written  the bits that the access covers.  source: "Timer N Comparator Value Register" */
static void write_value(struct comparator *c, u64 value, u64 written)
{
    bool periodic = c->config & TN_PERIODIC;

    written &= width(c);
    if (periodic)
        c->period = (c->period & ~written) | (value & written);
    if (!periodic || c->set_value) {
        c->value = (c->value & ~written) | (value & written);
        look_again(c);
    }
    c->set_value = false;
}

static void write_register(struct hpet *h, unsigned reg, u64 value, u64 written)
{
    u64 merged = (read_register(h, reg) & ~written) | (value & written);
    struct comparator *c;

    switch (reg) {
    case REG_CONFIG: write_config(h, merged); return;
    case REG_STATUS: h->status &= (u32) ~(value & written); return;
    case REG_COUNTER:
        if (!running(h)) /* while it counts, a write is not defined */
            h->base = merged;
        return;
    default: break;
    }
    if (reg < REG_TIMERS || reg >= REG_TIMERS + TIMERS * TIMER_BYTES)
        return;
    c = &h->comparator[(reg - REG_TIMERS) / TIMER_BYTES];
    if (reg % TIMER_BYTES == TIMER_CONFIG && (written & 1))
        write_timer_config(c, merged);
    else if (reg % TIMER_BYTES == TIMER_COMPARATOR)
        write_value(c, value, written);
}

static u64 page_read(void *device, u64 offset, unsigned size, enum initiator who)
{
    struct hpet *h = device;

    (void)size, (void)who;
    catch_up(h);
    return read_register(h, (unsigned)offset & ~7u) >> (8 * (offset & 7));
}

/* Aligned accesses of 32 and 64 bits only: others are not defined, and do nothing here. */
static void page_write(void *device, u64 offset, u64 value, unsigned size, enum initiator who)
{
    struct hpet *h = device;
    unsigned shift = 8 * (offset & 4);

    (void)who;
    if (size < 4 || offset % size != 0)
        return;
    catch_up(h);
    write_register(h, (unsigned)offset & ~7u, value << shift, (size == 8 ? ~0ull : 0xffffffffull) << shift);
    drive(h);
    catch_up(h);
}

static const struct mmio_ops page_ops = {page_read, page_write};

/* ---- life ---- */

struct hpet *hpet_new(struct physmem *pm, struct clock *clock, const struct hpet_wires *wires)
{
    struct hpet *h = calloc(1, sizeof *h);

    if (!h)
        abort();
    h->pm = pm;
    h->clock = clock;
    h->wires = *wires;
    for (unsigned i = 0; i < 2; i++)
        h->input[i] = (struct irq_line){.changed = legacy_input_changed, .context = h, .number = i};
    for (unsigned i = 0; i < TIMERS; i++) {
        struct comparator *c = &h->comparator[i];

        c->hpet = h;
        c->value = ~0ull;
        c->timer = (struct timer){.fire = timer_due, .context = c, .name = "hpet"};
    }
    physmem_map_mmio(pm, HPET_BASE, PAGE_SIZE, &page_ops, h, "hpet");
    return h;
}

void hpet_free(struct hpet *h)
{
    if (!h)
        return;
    for (unsigned i = 0; i < TIMERS; i++)
        clock_cancel(h->clock, &h->comparator[i].timer);
    physmem_unmap_mmio(h->pm, HPET_BASE);
    free(h);
}

struct irq_line *hpet_legacy_input(struct hpet *h, unsigned which) { return &h->input[which & 1]; }

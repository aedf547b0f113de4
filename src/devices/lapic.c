/* SPDX-License-Identifier: MIT
 * The local APIC: registers, priorities, local vectors, timer, interprocessor interrupts.
 * SDM 3A, "Advanced Programmable Interrupt Controller (APIC)".
 * Not implemented: the page follows IA32_APIC_BASE only at FEE00000h (a relocated base is stored, not moved); CMCI;
 * focus-processor checking; bus arbitration IDs.
 */
#include "devices/lapic_state.h"

#include <stdlib.h>
#include <string.h>

#include "base/bits.h"

#define IA32_TSC_DEADLINE 0x6e0u
#define APIC_BASE_ADDRESS 0x000ffffffffff000ull
#define LVT_MASKED 0x10000u
#define VERSION 0x01050014u /* 14h integrated APIC, six local vectors, EOI-broadcast suppression */
#define SVR_NO_BROADCAST 0x1000u
#define ESR_SEND_ILLEGAL 0x20u
#define ESR_RECEIVE_ILLEGAL 0x40u
#define ESR_REGISTER 0x80u

#define LVT_TIMER_DEADLINE 0x40000u
#define LVT_STATUS 0x1000u /* read-only: delivery status, and of LINT0 and LINT1 remote IRR */
#define LVT_REMOTE_IRR 0x4000u

/* UNVERIFIED: timer mode 3, which is reserved, counts as one-shot. */
static const u32 lvt_bits[LVT_COUNT] = {0x700ff, 0x107ff, 0x107ff, 0x1a7ff, 0x1a7ff, 0x100ff};

static u32 lvt_writable(const struct lapic *l, enum lvt entry)
{
    return lvt_bits[entry] & ~(entry == LVT_TIMER && !l->hooks.tsc_deadline ? LVT_TIMER_DEADLINE : 0);
}

static bool test(const u32 *set, u8 v) { return set[v / 32] >> (v % 32) & 1; }

static void set_bit(u32 *set, u8 v, bool on)
{
    u32 bit = 1u << (v % 32);

    set[v / 32] = on ? set[v / 32] | bit : set[v / 32] & ~bit;
}

static int highest(const u32 *set)
{
    for (int i = 7; i >= 0; i--)
        if (set[i])
            return 32 * i + 31 - __builtin_clz(set[i]);
    return -1;
}

static void changed(struct lapic *l)
{
    if (l->hooks.changed)
        l->hooks.changed(l->hooks.context);
}

/* ---- priorities, acceptance ---- */

u32 lapic_priority(const struct lapic *l)
{
    int serving = highest(l->isr);
    u32 class = serving < 0 ? 0 : (u32)serving & 0xf0;

    return (l->tpr & 0xf0) >= class ? l->tpr : class;
}

bool lapic_interrupt_pending(const struct lapic *l)
{
    int vector = highest(l->irr);

    return software_enabled(l) && vector >= 0 && ((u32)vector & 0xf0) > (lapic_priority(l) & 0xf0);
}

int lapic_acknowledge(struct lapic *l)
{
    int vector = highest(l->irr);

    if (!lapic_interrupt_pending(l))
        return (int)(l->svr & 0xff);
    set_bit(l->irr, (u8)vector, false);
    set_bit(l->isr, (u8)vector, true);
    changed(l);
    return vector;
}

static void deliver_error(struct lapic *l, u32 error);

static void accept(struct lapic *l, u8 vector, bool level)
{
    if (vector < 16) {
        deliver_error(l, ESR_RECEIVE_ILLEGAL);
        return;
    }
    set_bit(l->irr, vector, true);
    set_bit(l->tmr, vector, level);
    changed(l);
}

void lapic_deliver(struct lapic *l, u8 vector, enum apic_mode mode, bool level)
{
    void *context = l->hooks.context;

    switch (mode) {
    case APIC_FIXED:
    case APIC_LOWEST:
        if (software_enabled(l))
            accept(l, vector, level);
        break;
    case APIC_NMI:
        if (l->hooks.nmi)
            l->hooks.nmi(context);
        break;
    case APIC_SMI:
        if (l->hooks.smi)
            l->hooks.smi(context);
        break;
    case APIC_INIT:
        lapic_init(l);
        if (l->hooks.init)
            l->hooks.init(context);
        break;
    case APIC_STARTUP:
        if (l->hooks.startup)
            l->hooks.startup(context, vector);
        break;
    case APIC_EXTINT: /* the vector stays with the PIC: only the query of the gate matters */
    case APIC_RESERVED: break;
    }
}

static void local_interrupt(struct lapic *l, enum lvt entry, bool level)
{
    u32 lvt = l->lvt[entry];
    enum apic_mode mode = entry == LVT_TIMER || entry == LVT_ERROR ? APIC_FIXED : (enum apic_mode)(lvt >> 8 & 7);

    if (!(lvt & LVT_MASKED) && enabled(l))
        lapic_deliver(l, (u8)lvt, mode, level && mode == APIC_FIXED);
}

static void deliver_error(struct lapic *l, u32 error)
{
    bool news = !(l->esr_next & error);

    l->esr_next |= error;
    if (news && (l->lvt[LVT_ERROR] & 0xff) >= 16)
        local_interrupt(l, LVT_ERROR, false);
}

static void end_of_interrupt(struct lapic *l)
{
    int vector = highest(l->isr);

    if (vector < 0)
        return;
    set_bit(l->isr, (u8)vector, false);
    if (test(l->tmr, (u8)vector) && !(l->svr & SVR_NO_BROADCAST) && l->bus->eoi)
        l->bus->eoi(l->bus->eoi_context, (u8)vector);
    changed(l);
}

bool lapic_accepts_extint(const struct lapic *l)
{
    return !enabled(l) || (l->lvt[LVT_LINT0] & (LVT_MASKED | 0x700)) == APIC_EXTINT << 8;
}

void lapic_set_lint(struct lapic *l, unsigned pin, bool level)
{
    bool rose = level && !l->lint[pin & 1];

    l->lint[pin & 1] = level;
    if (rose)
        local_interrupt(l, pin & 1 ? LVT_LINT1 : LVT_LINT0, l->lvt[LVT_LINT0 + (pin & 1)] & 0x8000);
    changed(l);
}

/* ---- timer ---- */

static enum timer_mode timer_mode(const struct lapic *l) { return (enum timer_mode)(l->lvt[LVT_TIMER] >> 17 & 3); }

static u64 timer_period(const struct lapic *l) /* ticks per count */
{
    unsigned code = (l->divide & 3) | (l->divide >> 1 & 4);

    return (TICKS_PER_SECOND / LAPIC_TIMER_HZ) << ((code + 1) & 7);
}

static u64 guest_tsc(const struct lapic *l)
{
    u64 ticks = l->bus->clock->ticks;

    return l->hooks.tsc ? l->hooks.tsc(l->hooks.context, ticks) : ticks;
}

static u32 current_count(const struct lapic *l)
{
    u64 gone;

    if (!l->initial || timer_mode(l) == DEADLINE)
        return 0;
    gone = (l->bus->clock->ticks - l->timer_start) / timer_period(l);
    if (timer_mode(l) == PERIODIC)
        return l->initial - (u32)(gone % l->initial);
    return gone < l->initial ? l->initial - (u32)gone : 0;
}

static void start_timer(struct lapic *l)
{
    struct clock *clock = l->bus->clock;

    clock_cancel(clock, &l->timer);
    if (timer_mode(l) == DEADLINE) {
        u64 tsc = guest_tsc(l), wait = l->deadline > tsc ? l->deadline - tsc : 1;

        if (l->deadline && wait < CLOCK_NEVER - clock->ticks)
            clock_arm(clock, &l->timer, clock->ticks + wait);
    } else if (l->initial) {
        clock_arm(clock, &l->timer, l->timer_start + l->initial * timer_period(l));
    }
}

static void timer_due(void *context, u64 now)
{
    struct lapic *l = context;

    if (timer_mode(l) == DEADLINE) {
        if (guest_tsc(l) < l->deadline) { /* the TSC was moved back since */
            start_timer(l);
            return;
        }
        l->deadline = 0;
    } else if (timer_mode(l) == PERIODIC) {
        u64 cycle = l->initial * timer_period(l);

        l->timer_start += (now - l->timer_start) / cycle * cycle;
        start_timer(l);
    }
    local_interrupt(l, LVT_TIMER, false);
}

void lapic_tsc_moved(struct lapic *l)
{
    if (timer_mode(l) == DEADLINE)
        start_timer(l);
}

static void write_timer_lvt(struct lapic *l, u32 value)
{
    enum timer_mode before = timer_mode(l);
    u32 count = current_count(l);

    l->lvt[LVT_TIMER] = value;
    if ((before == DEADLINE) == (timer_mode(l) == DEADLINE)) {
        if (before != timer_mode(l) && count) { /* one-shot <-> periodic: the count goes on */
            l->timer_start = l->bus->clock->ticks - (u64)(l->initial - count) * timer_period(l);
            start_timer(l);
        }
        return;
    }
    l->initial = 0; /* entering or leaving deadline mode disarms */
    l->deadline = 0;
    clock_cancel(l->bus->clock, &l->timer);
}

/* ---- messages ---- */

#define ICR_SELF (1u << 18)

static void send_ipi(struct lapic *l, u64 icr)
{
    unsigned shorthand = icr >> 18 & 3;
    struct apic_message m = {
        .destination = x2apic(l) ? (u32)(icr >> 32) : (u32)(icr >> 56),
        .logical = icr & 0x800,
        .wide = x2apic(l),
        .mode = (enum apic_mode)(icr >> 8 & 7),
        .vector = (u8)icr,
    };

    if (m.mode == APIC_INIT && (icr & 0xc000) == 0x8000)
        return; /* INIT level de-assert: arbitration IDs only */
    if (m.mode <= APIC_LOWEST && m.vector < 16) {
        deliver_error(l, ESR_SEND_ILLEGAL);
        return;
    }
    if (shorthand == 0) {
        apic_bus_send(l->bus, &m);
        return;
    }
    for (unsigned i = 0; i < l->bus->count; i++) {
        struct lapic *to = l->bus->lapic[i];

        if (shorthand == 1 ? to == l : shorthand == 2 || to != l)
            lapic_deliver(to, m.vector, m.mode, false);
    }
}

/* ---- registers ---- */

u32 lapic_read_register(struct lapic *l, unsigned reg)
{
    switch (reg) {
    case REG_ID: return x2apic(l) ? l->number : l->id << 24;
    case REG_VERSION: return VERSION;
    case REG_TPR: return l->tpr;
    case REG_APR: return 0; /* arbitration priority: not on processors since the Pentium 4 */
    case REG_PPR: return lapic_priority(l);
    case REG_LDR: return x2apic(l) ? lapic_logical_id(l) : l->ldr;
    case REG_DFR: return l->dfr;
    case REG_SVR: return l->svr;
    case REG_ESR: return l->esr;
    case REG_ICR: return (u32)l->icr;
    case REG_ICR_HIGH: return (u32)(l->icr >> 32);
    case REG_INITIAL: return timer_mode(l) == DEADLINE ? 0 : l->initial;
    case REG_CURRENT: return current_count(l);
    case REG_DIVIDE: return l->divide;
    default: break;
    }
    if (reg >= REG_ISR && reg < REG_ISR + 8)
        return l->isr[reg - REG_ISR];
    if (reg >= REG_TMR && reg < REG_TMR + 8)
        return l->tmr[reg - REG_TMR];
    if (reg >= REG_IRR && reg < REG_IRR + 8)
        return l->irr[reg - REG_IRR];
    if (reg >= REG_LVT && reg < REG_LVT + LVT_COUNT) {
        u32 lvt = l->lvt[reg - REG_LVT];
        unsigned pin = reg - REG_LVT - LVT_LINT0;

        return pin < 2 && l->lint[pin] && (lvt & 0x8700) == 0x8000 ? lvt | 0x4000 : lvt;
    }
    return 0;
}

static void write_lvt(struct lapic *l, enum lvt entry, u32 value)
{
    value &= lvt_writable(l, entry);
    if (!(l->svr & SVR_ENABLE))
        value |= LVT_MASKED;
    if (entry == LVT_TIMER)
        write_timer_lvt(l, value);
    else
        l->lvt[entry] = value;
    changed(l);
}

static void write_svr(struct lapic *l, u32 value)
{
    l->svr = value & 0x11ff;
    if (!(l->svr & SVR_ENABLE))
        for (unsigned i = 0; i < LVT_COUNT; i++)
            l->lvt[i] |= LVT_MASKED;
    changed(l);
}

void lapic_write_register(struct lapic *l, unsigned reg, u32 value)
{
    switch (reg) {
    case REG_ID: l->id = value >> 24; break;
    case REG_TPR:
        l->tpr = value & 0xff;
        changed(l);
        break;
    case REG_EOI: end_of_interrupt(l); break;
    case REG_LDR: l->ldr = value & 0xff000000; break;
    case REG_DFR: l->dfr = value | 0x0fffffff; break;
    case REG_SVR: write_svr(l, value); break;
    case REG_ESR: /* a write makes what was gathered since the last one readable */
        l->esr = l->esr_next;
        l->esr_next = 0;
        break;
    case REG_ICR:
        l->icr = (l->icr & 0xffffffff00000000ull) | (value & 0xccfff);
        send_ipi(l, l->icr);
        break;
    case REG_ICR_HIGH: l->icr = (u32)l->icr | (u64)value << 32; break;
    case REG_INITIAL:
        if (timer_mode(l) == DEADLINE)
            break;
        l->initial = value;
        l->timer_start = l->bus->clock->ticks;
        start_timer(l);
        break;
    case REG_DIVIDE: {
        u32 count = current_count(l);

        l->divide = value & 0xb;
        if (count) {
            l->timer_start = l->bus->clock->ticks - (u64)(l->initial - count) * timer_period(l);
            start_timer(l);
        }
        break;
    }
    default:
        if (reg >= REG_LVT && reg < REG_LVT + LVT_COUNT)
            write_lvt(l, (enum lvt)(reg - REG_LVT), value);
        else if (reg != REG_VERSION && reg != REG_PPR && reg != REG_CURRENT && !(reg >= REG_ISR && reg < REG_ESR))
            deliver_error(l, ESR_REGISTER);
        break;
    }
}

/* ---- MSRs ---- */

static bool x2apic_readable(unsigned reg)
{
    return reg == REG_ID || reg == REG_VERSION || reg == REG_TPR || reg == REG_PPR || reg == REG_LDR ||
           reg == REG_SVR || (reg >= REG_ISR && reg <= REG_ESR) || reg == REG_ICR ||
           (reg >= REG_LVT && reg <= REG_CURRENT) || reg == REG_DIVIDE;
}

bool lapic_msr_read(struct lapic *l, u32 number, u64 *value)
{
    unsigned reg = number - 0x800;

    if (number == IA32_TSC_DEADLINE) {
        *value = timer_mode(l) == DEADLINE ? l->deadline : 0;
        return true;
    }
    if (!x2apic(l) || reg > 0xff || !x2apic_readable(reg))
        return false;
    *value = reg == REG_ICR ? l->icr : lapic_read_register(l, reg);
    return true;
}

/* Bits that an x2APIC register takes; writing others is #GP(0). 0: not writable at all. */
static u64 x2apic_writable(const struct lapic *l, unsigned reg)
{
    u64 status = reg == REG_LVT + LVT_LINT0 || reg == REG_LVT + LVT_LINT1 ? LVT_STATUS | LVT_REMOTE_IRR : LVT_STATUS;

    switch (reg) {
    case REG_TPR: return 0xff;
    case REG_SVR: return 0x11ff;
    case REG_ICR: return 0xffffffff000ccfffull;
    case REG_INITIAL: return 0xffffffff;
    case REG_DIVIDE: return 0xb;
    case REG_SELF_IPI: return 0xff;
    default:
        if (reg < REG_LVT || reg >= REG_LVT + LVT_COUNT)
            return 0;
        return lvt_writable(l, (enum lvt)(reg - REG_LVT)) | status;
    }
}

bool lapic_msr_write(struct lapic *l, u32 number, u64 value)
{
    unsigned reg = number - 0x800;

    if (number == IA32_TSC_DEADLINE) {
        if (timer_mode(l) == DEADLINE) {
            l->deadline = value;
            start_timer(l);
        }
        return true;
    }
    if (!x2apic(l) || reg > 0xff)
        return false;
    if (reg == REG_EOI || reg == REG_ESR) { /* only 0 may be written */
        if (value)
            return false;
    } else if (!x2apic_writable(l, reg) || (value & ~x2apic_writable(l, reg))) {
        return false;
    }
    if (reg == REG_ICR) {
        l->icr = value;
        send_ipi(l, value);
    } else if (reg == REG_SELF_IPI) {
        send_ipi(l, value | ICR_SELF);
    } else {
        lapic_write_register(l, reg, (u32)value);
    }
    return true;
}

bool lapic_set_base(struct lapic *l, u64 value)
{
    bool on = value & APIC_BASE_ENABLE, wide = value & APIC_BASE_X2APIC;

    if (value & ~(APIC_BASE_BSP | APIC_BASE_X2APIC | APIC_BASE_ENABLE | APIC_BASE_ADDRESS))
        return false;
    if ((wide && !on) || (wide && !enabled(l)) || (on && !wide && x2apic(l)))
        return false; /* MSR-07: no way but disabled -> xAPIC -> x2APIC -> disabled */
    if (enabled(l) && !on) {
        l->base = value;
        lapic_init(l);
    }
    if (wide && !x2apic(l))
        l->icr = 0;
    l->base = value;
    changed(l);
    return true;
}

u64 lapic_base(const struct lapic *l) { return l->base; }

u8 lapic_task_priority(const struct lapic *l) { return (u8)(l->tpr >> 4); }

void lapic_set_task_priority(struct lapic *l, u8 value)
{
    l->tpr = (value & 15u) << 4;
    changed(l);
}

u32 lapic_id(const struct lapic *l) { return l->number; }

/* ---- life ---- */

void lapic_init(struct lapic *l)
{
    clock_cancel(l->bus->clock, &l->timer);
    memset(l->isr, 0, sizeof l->isr);
    memset(l->tmr, 0, sizeof l->tmr);
    memset(l->irr, 0, sizeof l->irr);
    l->tpr = l->ldr = l->esr = l->esr_next = l->initial = l->divide = 0;
    l->icr = l->deadline = 0;
    l->dfr = 0xffffffff;
    l->svr = 0xff;
    for (unsigned i = 0; i < LVT_COUNT; i++)
        l->lvt[i] = LVT_MASKED;
    changed(l);
}

void lapic_reset(struct lapic *l)
{
    l->base = LAPIC_DEFAULT_BASE | APIC_BASE_ENABLE | (l->number == 0 ? APIC_BASE_BSP : 0);
    l->id = l->number;
    lapic_init(l);
}

struct lapic *lapic_new(struct apic_bus *bus, unsigned number, const struct lapic_hooks *hooks)
{
    struct lapic *l = calloc(1, sizeof *l);

    if (!l || bus->count >= APIC_CPU_MAX || number != bus->count)
        abort(); /* processors are made in order of their numbers */
    l->bus = bus;
    l->number = number;
    l->timer = (struct timer){.fire = timer_due, .context = l, .name = "lapic"};
    lapic_reset(l); /* before the hooks are known: the processor need not hear of it */
    l->hooks = *hooks;
    bus->lapic[bus->count++] = l;
    return l;
}

struct lapic_description lapic_describe(const struct lapic *l)
{
    struct lapic_description d = {
        .base = l->base,
        .icr = l->icr,
        .deadline = l->deadline,
        .enabled = enabled(l),
        .x2apic = x2apic(l),
        .id = lapic_id(l),
        .version = VERSION,
        .tpr = l->tpr,
        .ppr = lapic_priority(l),
        .ldr = x2apic(l) ? lapic_logical_id(l) : l->ldr,
        .dfr = l->dfr,
        .svr = l->svr,
        .esr = l->esr,
        .initial_count = l->initial,
        .current_count = current_count(l),
        .divide = l->divide,
    };

    memcpy(d.lvt, l->lvt, sizeof d.lvt);
    memcpy(d.isr, l->isr, sizeof d.isr);
    memcpy(d.tmr, l->tmr, sizeof d.tmr);
    memcpy(d.irr, l->irr, sizeof d.irr);
    return d;
}

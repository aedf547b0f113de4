/* SPDX-License-Identifier: MIT
 * The state of a local APIC and of the bus, for lapic.c and apic_bus.c only.
 * SDM 3A, "Advanced Programmable Interrupt Controller (APIC)".
 */
#ifndef RINGSIDE_DEVICES_LAPIC_STATE_H
#define RINGSIDE_DEVICES_LAPIC_STATE_H

#include "devices/lapic.h"

#define SVR_ENABLE 0x100u

/* Register numbers: MMIO offset / 16, x2APIC MSR - 800h. */
enum reg {
    REG_ID = 0x02,
    REG_VERSION = 0x03,
    REG_TPR = 0x08,
    REG_APR = 0x09,
    REG_PPR = 0x0a,
    REG_EOI = 0x0b,
    REG_RRD = 0x0c,
    REG_LDR = 0x0d,
    REG_DFR = 0x0e,
    REG_SVR = 0x0f,
    REG_ISR = 0x10,
    REG_TMR = 0x18,
    REG_IRR = 0x20,
    REG_ESR = 0x28,
    REG_ICR = 0x30,
    REG_ICR_HIGH = 0x31,
    REG_LVT = 0x32,
    REG_INITIAL = 0x38,
    REG_CURRENT = 0x39,
    REG_DIVIDE = 0x3e,
    REG_SELF_IPI = 0x3f
};
enum lvt { LVT_TIMER, LVT_THERMAL, LVT_PERF, LVT_LINT0, LVT_LINT1, LVT_ERROR, LVT_COUNT };
enum timer_mode { ONE_SHOT, PERIODIC, DEADLINE };

struct lapic {
    struct apic_bus *bus;
    struct lapic_hooks hooks;
    unsigned number;
    u64 base;
    u32 id; /* xAPIC: 8 bits */
    u32 tpr, ldr, dfr, svr, esr, esr_next, lvt[LVT_COUNT], initial, divide;
    u64 icr, deadline;
    u64 timer_start; /* tick at which the count was loaded */
    u32 isr[8], tmr[8], irr[8];
    bool lint[2];
    struct timer timer;
};

struct apic_bus {
    struct physmem *pm;
    struct clock *clock;
    struct lapic *lapic[APIC_CPU_MAX];
    unsigned count, turn; /* turn: lowest-priority ties go round */
    void (*eoi)(void *context, u8 vector);
    void *eoi_context;
};

static inline bool x2apic(const struct lapic *l) { return l->base & APIC_BASE_X2APIC; }

static inline bool enabled(const struct lapic *l) { return l->base & APIC_BASE_ENABLE; }

static inline bool software_enabled(const struct lapic *l) { return enabled(l) && (l->svr & SVR_ENABLE); }

/* Processor priority: the higher class of TPR and of what is in service. */
u32 lapic_priority(const struct lapic *l);
/* x2APIC logical ID: cluster and bit follow from the ID. */
u32 lapic_logical_id(const struct lapic *l);
u32 lapic_read_register(struct lapic *l, unsigned reg);
void lapic_write_register(struct lapic *l, unsigned reg, u32 value);

#endif

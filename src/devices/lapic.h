/* SPDX-License-Identifier: MIT
 * The local APIC (xAPIC and x2APIC) and the bus that joins all of them.
 * SDM 3A, "Advanced Programmable Interrupt Controller (APIC)".
 *
 * Every local APIC registers with one apic_bus. The bus claims the APIC page once: an access goes to the APIC of the
 * processor that makes it (enum initiator). Messages from the IO-APIC, MSIs and IPIs go through apic_bus_send().
 */
#ifndef RINGSIDE_DEVICES_LAPIC_H
#define RINGSIDE_DEVICES_LAPIC_H

#include "base/apic_base.h"
#include "bus/clock.h"
#include "bus/physmem.h"

#define LAPIC_DEFAULT_BASE 0xfee00000ull
#define LAPIC_TIMER_HZ 62500000ull /* the timer's input before its divider: one sixteenth of the tick rate */
#define APIC_CPU_MAX 64

enum apic_mode { APIC_FIXED, APIC_LOWEST, APIC_SMI, APIC_RESERVED, APIC_NMI, APIC_INIT, APIC_STARTUP, APIC_EXTINT };

struct apic_message {
    u32 destination; /* 8-bit (IO-APIC, MSI, xAPIC) or 32-bit (x2APIC) */
    bool logical;
    bool wide;  /* destination is in x2APIC format */
    bool level; /* trigger mode: level */
    enum apic_mode mode;
    u8 vector;
};

/* What a local APIC asks of its processor. Any member may be NULL. */
struct lapic_hooks {
    void *context;
    void (*changed)(void *context); /* lapic_interrupt_pending() or the ExtINT gate may have changed */
    void (*nmi)(void *context);
    void (*init)(void *context);
    void (*startup)(void *context, u8 vector); /* SIPI */
    void (*smi)(void *context);
    u64 (*tsc)(void *context, u64 ticks); /* guest TSC at a tick; NULL: equal to ticks */
    bool tsc_deadline;                    /* the processor has IA32_TSC_DEADLINE: bit 18 of the LVT timer is there */
};

struct apic_bus;
struct lapic;

/* Claims the page at FEE00000h. returns: never NULL. */
struct apic_bus *apic_bus_new(struct physmem *pm, struct clock *clock);
/* Frees the local APICs too. */
void apic_bus_free(struct apic_bus *bus);
/* An EOI of a level-triggered vector is broadcast to this listener (the IO-APIC). */
void apic_bus_set_eoi(struct apic_bus *bus, void (*eoi)(void *context, u8 vector), void *context);
/* Route a message to every local APIC it names. returns: whether one accepted it. */
bool apic_bus_send(struct apic_bus *bus, const struct apic_message *message);

/* A local APIC in reset state for processor `number` (0 is the boot processor), whose initial APIC ID it is. */
struct lapic *lapic_new(struct apic_bus *bus, unsigned number, const struct lapic_hooks *hooks);
void lapic_reset(struct lapic *l);
/* INIT: as reset, but IA32_APIC_BASE and the ID stay. */
void lapic_init(struct lapic *l);

/* A vector of higher priority than PPR waits. */
bool lapic_interrupt_pending(const struct lapic *l);
/* Move the highest request into service. returns: its vector, or the spurious vector. */
int lapic_acknowledge(struct lapic *l);
/* Accept a message directly. */
void lapic_deliver(struct lapic *l, u8 vector, enum apic_mode mode, bool level);
/* The PIC's INTR may pass: the APIC is globally disabled, or LINT0 is an unmasked ExtINT. */
bool lapic_accepts_extint(const struct lapic *l);
/* The wires LINT0 (PIC INTR) and LINT1 (NMI): for fixed and NMI modes. ExtINT is polled through the query above. */
void lapic_set_lint(struct lapic *l, unsigned pin, bool level);

/* IA32_APIC_BASE. returns: false when the value or the change of mode is refused (MSR-07, #GP(0)). */
bool lapic_set_base(struct lapic *l, u64 value);
u64 lapic_base(const struct lapic *l);
/* CR8: TPR[7:4]. */
u8 lapic_task_priority(const struct lapic *l);
void lapic_set_task_priority(struct lapic *l, u8 value);
/* MSRs 800h-8FFh (x2APIC mode only) and 6E0h (TSC deadline). returns: false for #GP(0) (MSR-09).
 * effects: as the register's; a deadline that is past interrupts at the next tick.
 * source: SDM 3A, "x2APIC Register Address Space", "TSC-Deadline Mode" */
bool lapic_msr_read(struct lapic *l, u32 number, u64 *value);
bool lapic_msr_write(struct lapic *l, u32 number, u64 value);
/* The guest's TSC was moved (WRMSR): a deadline is compared with what it says now. */
void lapic_tsc_moved(struct lapic *l);
/* The initial APIC ID, as CPUID shows it: writes to the ID register do not change it. */
u32 lapic_id(const struct lapic *l);

/* What a local APIC holds, for people: its registers as they are in xAPIC mode. */
struct lapic_description {
    u64 base, icr, deadline;
    bool enabled, x2apic;
    u32 id, version, tpr, ppr, ldr, dfr, svr, esr;
    u32 lvt[6]; /* timer, thermal, performance, LINT0, LINT1, error */
    u32 initial_count, current_count, divide;
    u32 isr[8], tmr[8], irr[8];
};
struct lapic_description lapic_describe(const struct lapic *l);

#endif

/* SPDX-License-Identifier: MIT
 * The high precision event timer: one block of three comparators on a 64-bit counter.
 * IA-PC HPET (High Precision Event Timers) Specification 1.0a.
 */
#ifndef RINGSIDE_DEVICES_HPET_H
#define RINGSIDE_DEVICES_HPET_H

#include "bus/clock.h"
#include "bus/irq.h"
#include "bus/physmem.h"

#define HPET_BASE 0xfed00000ull
#define HPET_HZ 100000000ull /* the counter: 10 ns, ten ticks */
#define HPET_BLOCK_ID                                                                                                  \
    0x8086a201u            /* low half of GCAP_ID, as the ACPI table repeats it: 64 bits, legacy routing, 3 timers */
#define HPET_FIRST_PIN 20u /* interrupt inputs that a timer may be routed to, beside the legacy ones */
#define HPET_PINS 4u

struct hpet;

/* Where the block's interrupts go. */
struct hpet_wires {
    struct irq_line *legacy[2];      /* IRQ 0 and IRQ 8: driven by timers 0 and 1, or by hpet_legacy_input() */
    struct irq_line *pin[HPET_PINS]; /* inputs 20-23 of the I/O APIC; pin[0] NULL: there is none */
};

/* Claims the page at FED00000h. The counter is halted at 0. Time is the clock's; timers are armed only while they can
 * interrupt. returns: never NULL. */
struct hpet *hpet_new(struct physmem *pm, struct clock *clock, const struct hpet_wires *wires);
void hpet_free(struct hpet *hpet);
/* The wire that the 8254's channel 0 (0) or the real-time clock (1) drives: passed on to wires.legacy unless legacy
 * replacement routing is on. source: "LegacyReplacement Route" */
struct irq_line *hpet_legacy_input(struct hpet *hpet, unsigned which);

#endif

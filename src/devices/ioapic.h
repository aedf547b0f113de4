/* SPDX-License-Identifier: MIT
 * The I/O APIC: 24 inputs, each with a redirection entry.
 * Intel 82093AA data sheet.
 */
#ifndef RINGSIDE_DEVICES_IOAPIC_H
#define RINGSIDE_DEVICES_IOAPIC_H

#include "bus/irq.h"
#include "devices/lapic.h"

#define IOAPIC_BASE 0xfec00000ull
#define IOAPIC_PINS 24

struct ioapic;

/* Claims the page at FEC00000h and becomes the bus's EOI listener. Every entry starts masked. returns: never NULL. */
struct ioapic *ioapic_new(struct physmem *pm, struct apic_bus *bus, u8 id);
void ioapic_free(struct ioapic *io);
/* The wire into pin 0-23, active high: the polarity bit is stored but the wires carry "asserted", not volts. */
struct irq_line *ioapic_input(struct ioapic *io, unsigned pin);
/* For people: a pin's redirection entry, and its wire. */
u64 ioapic_entry(const struct ioapic *io, unsigned pin);
bool ioapic_asserted(const struct ioapic *io, unsigned pin);

#endif

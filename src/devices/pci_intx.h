/* SPDX-License-Identifier: MIT
 * PCI interrupts: from the functions' pins INTA#-INTD# through the south bridge's four PIRQ inputs to ISA IRQs.
 * Intel 82371SB (PIIX3) datasheet, "PIRQRC[A:D] - PIRQx Route Control Registers"; PCI Local Bus Specification 2.2,
 * "Interrupt Pins".
 *
 * The board turns the pins by one PIRQ from slot to slot: INTA# of slot s is PIRQ (s - 1) mod 4, INTB# the next. That
 * is how PC firmware knows this chip set to be wired, and what the DSDT says (firmware/dsdt.asl).
 */
#ifndef RINGSIDE_DEVICES_PCI_INTX_H
#define RINGSIDE_DEVICES_PCI_INTX_H

#include "bus/irq.h"

#define PCI_PIRQS 4
#define PIRQ_DISABLED 0x80 /* bit 7 of PIRQRC: the input goes nowhere; its value at reset */

struct pci_intx;

/* in: changed  told that the level of pci_intx_level(irq) may have changed */
struct pci_intx *pci_intx_new(void (*changed)(void *context, unsigned irq), void *context);
void pci_intx_free(struct pci_intx *intx);
/* The wire of one pin, for the function to drive: active means asserted (the real one is low).
 * in: slot  0 to 31; pin  0 = INTA# to 3 = INTD# */
struct irq_line *pci_intx_line(struct pci_intx *intx, unsigned slot, unsigned pin);
/* PIRQRC was written.  in: pirq  0 = A to 3; route  the register: an IRQ in bits 3-0 unless bit 7 is set. The IRQs 0,
 * 1, 2, 8 and 13, which the chip reserves, are no route. */
void pci_intx_route(struct pci_intx *intx, unsigned pirq, u8 route);
/* Some PIRQ that is routed to this ISA IRQ is asserted. */
bool pci_intx_level(const struct pci_intx *intx, unsigned irq);

#endif

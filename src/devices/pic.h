/* SPDX-License-Identifier: MIT
 * The pair of 8259A interrupt controllers of a PC, with the PIIX edge/level registers.
 * Intel 8259A data sheet; 82371SB (PIIX3), "Interrupt Controller Registers".
 */
#ifndef RINGSIDE_DEVICES_PIC_H
#define RINGSIDE_DEVICES_PIC_H

#include "bus/irq.h"
#include "bus/ports.h"

struct pic;

/* Claims 20h-21h, A0h-A1h and 4D0h-4D1h. The chips start uninitialised with every input masked, vectors at 0 and 8.
 * returns: never NULL. */
struct pic *pic_new(struct ports *ports);
void pic_free(struct pic *pic);
/* The wire into input 0-15. Input 2 is the cascade: whoever drives it is not heard. */
struct irq_line *pic_input(struct pic *pic, unsigned number);
/* The INTR wire; the owner fills its changed callback. */
struct irq_line *pic_output(struct pic *pic);
/* The INTA cycles. returns: vector 0-255; input 7 of the chip when the request went away ("spurious").
 * effects: sets the in-service bit (or ends it at once in automatic-EOI mode) and recomputes INTR. */
int pic_acknowledge(struct pic *pic);

/* What one of the chips holds, for people: bit per input. */
struct pic_chip_state {
    u8 lines, requests, mask, in_service;
    u8 level_triggered; /* ELCR */
    u8 base;            /* vector of input 0 */
    u8 lowest;          /* input with the lowest priority */
    bool ready;         /* not in the middle of its initialisation words */
    bool auto_eoi, special_mask;
};
/* in: number  0 the master, 1 the slave */
struct pic_chip_state pic_chip_state(const struct pic *pic, unsigned number);

#endif

/* SPDX-License-Identifier: MIT
 * What a PC makes of the processor's FERR#: IRQ 13, and IGNNE# by a write to port F0h.
 * 82371SB (PIIX3), "Coprocessor Error Register", "FERR#", "IGNNE#"; SDM 1, "MS-DOS Compatibility Sub-mode".
 */
#ifndef RINGSIDE_DEVICES_FPU_ERROR_H
#define RINGSIDE_DEVICES_FPU_ERROR_H

#include "bus/irq.h"
#include "bus/ports.h"

struct fpu_error;

/* Claims F0h and F1h (the latter reset the 80287: it does nothing here). irq: line 13. returns: never NULL. */
struct fpu_error *fpu_error_new(struct ports *ports, struct irq_line *irq);
void fpu_error_free(struct fpu_error *f);
/* Drive FERR#. Its assertion latches IRQ 13 until F0h is written; its end ends IGNNE#.
 * returns: IGNNE#: the processor shall ignore the exception for now */
bool fpu_error_set(struct fpu_error *f, bool ferr);

#endif

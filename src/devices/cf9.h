/* SPDX-License-Identifier: MIT
 * The reset control register at CF9h.
 * 82371SB (PIIX3), "Reset Control Register".
 */
#ifndef RINGSIDE_DEVICES_CF9_H
#define RINGSIDE_DEVICES_CF9_H

#include "bus/ports.h"

struct cf9;

/* Claims CF9h; claim it after the PCI address register (CF8h-CFBh), which keeps its doubleword accesses.
 * reset: bit 2 rose; hard is bit 1 (also resets the chip set). returns: never NULL. */
struct cf9 *cf9_new(struct ports *ports, void (*reset)(void *context, bool hard), void *context);
void cf9_free(struct cf9 *c);

#endif

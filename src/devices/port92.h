/* SPDX-License-Identifier: MIT
 * System control port A (92h): fast A20 and fast reset.
 * 82371SB (PIIX3), "Port 92 Register".
 */
#ifndef RINGSIDE_DEVICES_PORT92_H
#define RINGSIDE_DEVICES_PORT92_H

#include "bus/ports.h"

struct port92;

struct port92_hooks {
    void *context;
    void (*a20)(void *context, bool enabled); /* bit 1 changed; the board ORs it with the 8042's gate */
    void (*reset)(void *context);             /* bit 0 rose */
};

/* Claims 92h. in: a20  initial state of bit 1. returns: never NULL. */
struct port92 *port92_new(struct ports *ports, bool a20, const struct port92_hooks *hooks);
void port92_free(struct port92 *p);

#endif

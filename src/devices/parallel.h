/* SPDX-License-Identifier: MIT
 * A parallel port with a printer that is always ready.
 * IBM PS/2 Hardware Interface Technical Reference, "Parallel Port Controller"; IEEE 1284, "Compatibility Mode".
 */
#ifndef RINGSIDE_DEVICES_PARALLEL_H
#define RINGSIDE_DEVICES_PARALLEL_H

#include "bus/irq.h"
#include "bus/ports.h"

typedef void parallel_out(void *context, const u8 *bytes, size_t size);

struct parallel;

/* Claims base..base+2 (LPT1 378h with IRQ 7). out gets each byte as it is strobed, and may be NULL. A byte takes no
 * virtual time. returns: never NULL. */
struct parallel *parallel_new(struct ports *ports, u16 base, struct irq_line *irq, parallel_out *out, void *out_context,
                              const char *name);
void parallel_free(struct parallel *p);

#endif

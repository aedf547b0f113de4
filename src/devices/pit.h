/* SPDX-License-Identifier: MIT
 * The 8254 programmable interval timer and the system control port 61h that gates its channel 2.
 * Intel 8254 data sheet; 82371SB (PIIX3), "NMI Status and Control Register".
 */
#ifndef RINGSIDE_DEVICES_PIT_H
#define RINGSIDE_DEVICES_PIT_H

#include "bus/clock.h"
#include "bus/irq.h"
#include "bus/ports.h"

#define PIT_HZ 1193182ull

struct pit;

/* Claims 40h-43h and 61h. irq0 is driven with channel 0's output (may be a line without a listener).
 * Counters are computed from the clock when looked at; only channel 0 arms a timer.
 * returns: never NULL. */
struct pit *pit_new(struct ports *ports, struct clock *clock, struct irq_line *irq0);
void pit_free(struct pit *pit);

#endif

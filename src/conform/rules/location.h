/* SPDX-License-Identifier: MIT
 * The pieces of processor state that rule cases set and compare, by name.
 */
#ifndef RINGSIDE_CONFORM_LOCATION_H
#define RINGSIDE_CONFORM_LOCATION_H

#include "cpu/cpu.h"

enum location {
#define LOC(id, name, member) L_##id,
#define SEGMENT_LOC(id, name, member) L_##id, L_##id##_BASE, L_##id##_LIMIT, L_##id##_ATTR,
#include "conform/rules/location.def"
#undef LOC
#undef SEGMENT_LOC
    LOCATIONS,
    /* Readable only, and outside the comparison of what must stay unchanged. */
    L_MODE = LOCATIONS, /* enum cpu_mode */
    L_VECTOR,           /* of the last transition shown at the door, as the ones below */
    L_ERROR,
    L_STACK_SOURCE,
    L_GATE,
    L_GATE_DPL,
    L_IST,
    L_FRAME,
    L_FRAME_WORDS,
    L_PARAMETERS,
    L_RULE,
    L_IRQ, /* vector of the external interrupt line; NO_IRQ: not asserted */
    L_TPR, /* task priority, as the interrupt controller got it */
    LOCATIONS_ALL
};

const char *location_name(enum location location);
/* One of the first LOCATIONS. RFLAGS is whole, arithmetic flags included. */
u64 location_get(const struct cpu *cpu, enum location location);
/* Any but CPL, which the door alone assigns. The caller recomputes the derived state. */
void location_put(struct cpu *cpu, enum location location, u64 value);

#endif

/* SPDX-License-Identifier: MIT
 * The machine that corpora are replayed on: the pages, descriptors and control registers that the recording ran under.
 *
 * It is built once and put into a case's state for each. What the kernel would own lies far above the case's pages, so
 * that a case sees nothing but those.
 */
#ifndef RINGSIDE_CONFORM_HARDWARE_MACHINE_H
#define RINGSIDE_CONFORM_HARDWARE_MACHINE_H

#include "conform/hardware/corpus.h"
#include "cpu/engine/engine.h"
#include "cpu/ring/transition.h"

#define MACHINE_DATA_BYTES (HARDWARE_READ_ONLY_END - HARDWARE_DATA)

struct hardware_machine {
    struct cpu *cpu;
    struct physmem *pm;
    struct ports *io;
    struct clock clock;
    struct cpu_observer observer;
    struct cpu_arch ready; /* what all cases have in common */
    const struct hardware_source *source;
    u16 kernel_cs;
    u8 background[MACHINE_DATA_BYTES], expected[MACHINE_DATA_BYTES];
    /* The exception that the door showed. */
    bool watching, seen;
    struct transition exception;
};

/* What came of a case here. */
struct hardware_outcome {
    const char *stopped; /* NULL: an exception came; else why not */
    u8 vector;
    u32 error;
    u64 cr2;
    struct hardware_state after;
};

/* in:      source  must outlive the machine
 * returns: false with err set: the host has no memory, or the source's descriptors cannot carry a machine (EXIT_FILE)
 */
bool hardware_machine_open(struct hardware_machine *m, const struct hardware_source *source, enum cpu_vendor vendor,
                           enum engine_kind engine, struct error *err);
void hardware_machine_close(struct hardware_machine *m);

/* Take the machine to the state before the case, with its code and memory in place.
 * returns: NULL, or why the state cannot be entered at CPL 3 */
const char *hardware_machine_enter(struct hardware_machine *m, const struct hardware_case *c);
/* Run to the first exception. */
void hardware_machine_run(struct hardware_machine *m, struct hardware_outcome *outcome);
/* The data pages as they are now and as the case says; then they are the background again.
 * in:  different  called for each byte that is not as the case says */
void hardware_machine_compare(struct hardware_machine *m, const struct hardware_case *c,
                              void (*different)(void *context, u32 address, u8 expected, u8 got), void *context);

#endif

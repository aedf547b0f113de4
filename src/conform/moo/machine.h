/* SPDX-License-Identifier: MIT
 * The machine that captures are run on: one processor in real mode, and RAM that is zero but for what a test says.
 */
#ifndef RINGSIDE_CONFORM_MOO_MACHINE_H
#define RINGSIDE_CONFORM_MOO_MACHINE_H

#include "conform/moo/moo.h"
#include "cpu/engine/engine.h"

/* The oldest model: nothing that came after it can answer where the captured processor had no instruction. */
#define MOO_MODEL "486"

/* Real mode reaches FFFFh:FFFFh, and a word or a prefetch a little more. */
#define MOO_REACH_PAGES 0x111u

struct moo_machine {
    struct cpu *cpu;
    struct physmem *pm;
    struct ports *io;
    struct clock clock;
    struct cpu_arch pristine; /* after reset */
    bool ends_with_halt;      /* the captures end behind a HLT, not behind the instruction itself */
    /* The memory that is expected, all zero between tests. */
    u8 *expected;
    bool held_code[MOO_REACH_PAGES]; /* before the run: writes go byte by byte, and may end that */
    bool soiled;                     /* RAM may differ from zero anywhere */
    int awaited;                     /* the vector that the capture has; -1: none, or the set does not say */
    int raised;                      /* vector of the first event that the test delivered; -1: none */
    struct cpu_observer observer;
};

enum moo_outcome {
    MOO_DONE,
    MOO_SHUTDOWN,      /* no handler could be entered */
    MOO_UNIMPLEMENTED, /* cpu->host.stop_text */
    MOO_ASTRAY,        /* an event was delivered that the capture does not have: m->raised */
    MOO_ENDLESS,
};

bool moo_machine_open(struct moo_machine *m, enum moo_cpu captured, enum cpu_vendor vendor, enum engine_kind engine,
                      struct error *err);
void moo_machine_close(struct moo_machine *m);

/* FLAGS as a 16- or 32-bit capture has them: the bits that the emulated processor is given. */
u32 moo_machine_flags(enum moo_cpu captured, u32 flags);
/* Put registers and memory to the state before a test. */
void moo_machine_load(struct moo_machine *m, const struct moo_test *test);
/* Execute the test's instruction, deliver what it raised, and execute the HLT behind it if there is one. */
enum moo_outcome moo_machine_run(struct moo_machine *m);
u32 moo_machine_register(const struct moo_machine *m, enum moo_register r);

/* A byte of memory that is not as expected. */
struct moo_stray {
    u32 address;
    u8 expected, got;
};
/* Compare memory with m->expected: wherever the processor may have written, and where the test says.
 * returns: how many bytes differ; the first `max` of them in *stray */
unsigned moo_machine_compare(struct moo_machine *m, const struct moo_test *test, struct moo_stray *stray, unsigned max);
/* Expect of these bits of a byte what they are. */
void moo_machine_forgive(struct moo_machine *m, u32 address, u8 bits);
/* Bits of a byte that are not as expected. */
u8 moo_machine_differs(struct moo_machine *m, u32 address);
/* Make RAM and m->expected zero again. */
void moo_machine_clear(struct moo_machine *m, const struct moo_test *test);

#endif

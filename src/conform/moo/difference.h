/* SPDX-License-Identifier: MIT
 * What captured processors do otherwise than the emulated one, by design: the rows of differences.def.
 */
#ifndef RINGSIDE_CONFORM_MOO_DIFFERENCE_H
#define RINGSIDE_CONFORM_MOO_DIFFERENCE_H

#include "conform/moo/moo.h"

/* How the two runs of a test came out: what a row may look at. */
struct moo_run {
    enum moo_cpu captured;
    const struct moo_test *test;
    bool has_0f;
    u8 opcode, extended; /* behind the prefixes; extended: the byte behind 0F */
    u8 modrm;            /* the byte behind the opcode */
    unsigned length;     /* of prefixes and opcode */
    u32 registers;       /* bit per enum moo_register that differs, within the masks; FLAGS apart */
    u32 flags;           /* bits of FLAGS that differ, in the register */
    u16 pushed_flags;    /* ... and in the frame of an exception or interrupt */
    bool memory;         /* other memory differs */
    bool astray;         /* the run did not come to its end */
    int raised;          /* vector that the emulated processor delivered first; -1: none */
};

struct moo_difference {
    const char *name; /* a word */
    u32 cpus;         /* bit per enum moo_cpu */
    bool (*applies)(const struct moo_run *run);
    u32 flags; /* these bits may differ, in the register and in a frame; 0: everything may */
    const char *reason, *source;
};

unsigned moo_difference_count(void);
const struct moo_difference *moo_difference_row(unsigned row);
/* The first row that explains all of a run's differences; moo_difference_count(): none does. */
unsigned moo_difference_find(const struct moo_run *run);

#endif

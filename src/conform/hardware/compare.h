/* SPDX-License-Identifier: MIT
 * What differs between what a processor did and what came of the case here.
 */
#ifndef RINGSIDE_CONFORM_HARDWARE_COMPARE_H
#define RINGSIDE_CONFORM_HARDWARE_COMPARE_H

#include "conform/hardware/corpus_layout.h"
#include "conform/hardware/machine.h"

/* The fields of a state are the items of the layout, in its order; then what is beside them. */
enum hardware_field {
    FIELD_GPR = 0,
    FIELD_RIP = 16,
    FIELD_RFLAGS,
    FIELD_MXCSR,
    FIELD_SELECTOR,
    FIELD_FS_BASE = 25,
    FIELD_GS_BASE,
    FIELD_X87_CONTROL,
    FIELD_X87_STATUS,
    FIELD_X87_VALID,
    FIELD_ST,
    FIELD_XMM = 38,
    FIELD_VECTOR = CORPUS_ITEMS,
    FIELD_ERROR,
    FIELD_CR2,
    FIELD_MEMORY, /* one byte */
};

struct hardware_difference {
    u8 field;
    u32 address; /* FIELD_MEMORY */
    u64 expected[2], got[2];
    u64 bits[2]; /* that differ and are not excused */
};

#define DIFFERENCES_MAX 160u

struct hardware_differences {
    unsigned count; /* more were found when it is DIFFERENCES_MAX */
    struct hardware_difference list[DIFFERENCES_MAX];
    const char *stopped; /* no outcome to compare: why */
};

/* Compare, and put the machine's memory back. */
void hardware_compare(struct hardware_machine *m, const struct hardware_case *c, const struct hardware_outcome *outcome,
                      struct hardware_differences *differences);

/* One line per field that differs still. */
void hardware_print_differences(FILE *out, const struct hardware_differences *differences);

#endif

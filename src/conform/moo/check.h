/* SPDX-License-Identifier: MIT
 * One capture, run and compared.
 */
#ifndef RINGSIDE_CONFORM_MOO_CHECK_H
#define RINGSIDE_CONFORM_MOO_CHECK_H

#include <stdio.h>

#include "conform/moo/difference.h"
#include "conform/moo/machine.h"

enum moo_verdict {
    MOO_SAME,
    MOO_UNDEFINED, /* the same but for bits that the manuals leave undefined, or that the processors differ in */
    MOO_OTHER,     /* another processor: a row of differences.def says why, and nothing was compared */
    MOO_WRONG,
};

/* Run a test on the machine, and leave the machine ready for the next.
 * in:   out     told what is different when the verdict is MOO_WRONG; NULL: silence
 * out:  *row    the row that explains MOO_UNDEFINED or MOO_OTHER */
enum moo_verdict moo_check(struct moo_machine *m, enum moo_cpu captured, const struct moo_test *test, FILE *out,
                           unsigned *row);

#endif

/* SPDX-License-Identifier: MIT
 * How many rule cases execute each row of the instruction table.
 */
#ifndef RINGSIDE_CONFORM_RULES_ROW_CASES_H
#define RINGSIDE_CONFORM_RULES_ROW_CASES_H

#include "base/types.h"

/* Run every case in all of its modes, on all of its vendors, on the stepping engine.
 * in:      rows  insn_row_count + 1 counts, to which the cases are added; the last: undefined instructions. A case
 *                counts once for each row that it executes.
 * returns: false when the host has no memory */
bool rules_row_cases(unsigned *rows);

#endif

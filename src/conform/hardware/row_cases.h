/* SPDX-License-Identifier: MIT
 * How many cases of the corpora execute each row of the instruction table.
 */
#ifndef RINGSIDE_CONFORM_HARDWARE_ROW_CASES_H
#define RINGSIDE_CONFORM_HARDWARE_ROW_CASES_H

#include "base/error.h"

/* in:      corpus  a file or directory; NULL: those that came with the program, of which there may be none
 *          rows    insn_row_count + 1 counts, to which the cases are added; the last: cases that are undefined
 * returns: false with err set: a corpus cannot be read. Cases are decoded for the vendor whose processor made them. */
bool hardware_row_cases(const char *corpus, unsigned *rows, struct error *err);

#endif

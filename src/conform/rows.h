/* SPDX-License-Identifier: MIT
 * Coverage of the instruction table: how many cases execute each row, and which rows none does.
 */
#ifndef RINGSIDE_CONFORM_ROWS_H
#define RINGSIDE_CONFORM_ROWS_H

#include <stdio.h>

#include "base/error.h"

/* Cases that execute each row; insn_row_count + 1 of each, the last for the undefined. */
struct row_coverage {
    unsigned *rules;    /* rule cases, in any mode and on any vendor */
    unsigned *hardware; /* of the corpora */
};

/* Run the rule cases, and decode those of the corpora.
 * in:      corpus  a file or directory; NULL: those that came with the program, of which there may be none
 * returns: false with err set: no memory, or a corpus cannot be read */
bool row_coverage_open(struct row_coverage *coverage, const char *corpus, struct error *err);
void row_coverage_close(struct row_coverage *coverage);

/* Why no case can execute a row, from uncovered.def; NULL when one can. */
const char *row_uncovered_reason(unsigned row);

/* A row's bytes as the manual writes them: "66 0F AE /7 mem". */
#define ROW_OPCODE_MAX 32u
void row_opcode(unsigned row, char text[ROW_OPCODE_MAX]);

/* A line per row, or only for those that no case executes though one could, or that uncovered.def is wrong about; then
 * the sums.   returns: how many such rows */
unsigned row_coverage_report(const struct row_coverage *coverage, bool all, FILE *out);

#endif

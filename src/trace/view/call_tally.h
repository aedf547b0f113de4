/* SPDX-License-Identifier: MIT
 * Counts of system calls: how many, how they failed, what they cost. For the statistics of a recording and for the
 * summary of a live trace. The table is bounded; what does not fit is counted as "others".
 */
#ifndef RINGSIDE_TRACE_VIEW_CALL_TALLY_H
#define RINGSIDE_TRACE_VIEW_CALL_TALLY_H

#include "trace/calls.h"

struct call_tally;

struct call_tally *call_tally_new(void);
void call_tally_free(struct call_tally *t);
/* A call that has ended, or never will (end = CALL_NEVER). What is no system call is ignored. */
void call_tally_add(struct call_tally *t, const struct call *call);
/* returns: whether there is anything to print */
bool call_tally_any(const struct call_tally *t);
/* A table of system calls, the costliest first; with histogram, bars below each. */
void call_tally_print(FILE *out, const struct call_tally *t, bool histogram);
/* A JSON array, one object per system call. */
void call_tally_print_json(FILE *out, const struct call_tally *t);

#endif

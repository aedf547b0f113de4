/* SPDX-License-Identifier: MIT
 * The table of `ringside trace -c`: system calls by name, with their errors and the instructions inside.
 */
#ifndef RINGSIDE_CLI_TRACE_TALLY_H
#define RINGSIDE_CLI_TRACE_TALLY_H

#include <stdio.h>

#include "trace/calls.h"

struct trace_tally;

/* Never returns NULL (aborts when the host has no memory). */
struct trace_tally *trace_tally_new(void);
void trace_tally_free(struct trace_tally *t);
/* Count a call that ended. */
void trace_tally_add(struct trace_tally *t, const struct call *call, i64 result);
/* The most instructions first. */
void trace_tally_print(struct trace_tally *t, FILE *out);

#endif

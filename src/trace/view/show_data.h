/* SPDX-License-Identifier: MIT
 * What was kept of the guest's memory beside an event, told piece by piece.
 */
#ifndef RINGSIDE_TRACE_VIEW_SHOW_DATA_H
#define RINGSIDE_TRACE_VIEW_SHOW_DATA_H

#include "trace/file/reader.h"
#include "trace/pieces.h"

/* Copy the pieces of event id. effects: moves the reader behind that event */
void show_collect(struct trace_reader *r, u64 id, struct pieces *pieces);
/* Print them. effects: moves the reader behind that event */
void show_data(FILE *out, struct trace_reader *r, u64 id, const struct event_record *e);

#endif

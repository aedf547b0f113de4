/* SPDX-License-Identifier: MIT
 * Which entries into the kernel each process used, and the exceptions in its code. The table is bounded; what does not
 * fit is counted as "others".
 */
#ifndef RINGSIDE_TRACE_VIEW_PROCESS_TALLY_H
#define RINGSIDE_TRACE_VIEW_PROCESS_TALLY_H

#include <stdio.h>

#include "guest/guest.h"
#include "trace/event.h"

struct process_tally;

struct process_tally *process_tally_new(void);
void process_tally_free(struct process_tally *t);
/* An entry from ring 3. in: task  may be NULL or unknown: the process is its CR3 then */
void process_tally_add(struct process_tally *t, const struct event_record *entry, const struct guest_task *task);
/* A table of entries, the busiest process first, and one of exceptions. Prints nothing where there was no entry. */
void process_tally_print(FILE *out, const struct process_tally *t);
/* A JSON array, one object per process. */
void process_tally_print_json(FILE *out, const struct process_tally *t);

#endif

/* SPDX-License-Identifier: MIT
 * Event records from what an observer is given, for those who watch a processor without recording it.
 */
#ifndef RINGSIDE_TRACE_FILL_H
#define RINGSIDE_TRACE_FILL_H

#include "trace/event.h"

/* As the recorder fills them; `sequence` of a side event is 0. Memory is read without effects. */
void event_fill_transition(struct event_record *e, struct cpu *cpu, const struct transition *t);
void event_fill_side(struct event_record *e, const struct cpu *cpu, const struct side_event *event);

#endif

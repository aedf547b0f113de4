/* SPDX-License-Identifier: MIT
 * A chain of faults explained on one page: each fault and the rule that it broke, what its delivery went by and where
 * that failed, why it became a double fault or shutdown, and the processor as it stood. The same for a run that has
 * just ended and for a recording.
 */
#ifndef RINGSIDE_TRACE_FAULT_PAGE_H
#define RINGSIDE_TRACE_FAULT_PAGE_H

#include <stdio.h>

#include "trace/event.h"
#include "trace/fault/chain.h"
#include "trace/names.h"

enum fault_page_end { FAULT_PAGE_SHUTDOWN, FAULT_PAGE_DOUBLE_FAULT };

/* in: chain  at least one step, else nothing is printed; names  may be NULL; end  what the chain ended in: the double
 *     fault's handler was entered, or the processor shut down */
void fault_page_print(FILE *out, const struct fault_chain *chain, const struct names *names, enum fault_page_end end);

struct trace_reader;

/* The same for a recording: of event id, a shutdown or the entry into a double fault's handler.
 * effects: the reader goes back to gather the chain, and stands behind event id afterwards */
void fault_page_recorded(FILE *out, struct trace_reader *r, u64 id);
/* Whether an event is the end of a chain. */
bool fault_page_ends(const struct event_record *e);

/* ---- parts of the page (fault_page.c, fault_delivery.c) */

/* The label of a line: "       gate      ". */
void fault_page_label(FILE *out, const char *label);
/* "  do_syscall_64+0x35", or nothing. names  may be NULL */
void fault_page_symbol(FILE *out, const struct names *names, u64 address);
/* The walk of a page fault, level by level. */
void fault_page_walk(FILE *out, const struct fault_step *step);
/* The descriptor or IDT entry that the error code of step i names, unless it is shown with the delivery of this step or
 * of the one before. */
void fault_page_named(FILE *out, const struct fault_chain *chain, unsigned i, const struct fault_registers *r);
/* Gate, target, stack and frame of the step's delivery, as far as it came, and where it failed. in: raised  what it
 * raised; NULL: not known */
void fault_page_delivery(FILE *out, const struct fault_step *step, const struct fault_registers *r,
                         const struct fault_site *raised, const struct names *names);

#endif

/* SPDX-License-Identifier: MIT
 * The call that an event of a recording belongs to, found from the event's number alone.
 */
#ifndef RINGSIDE_TRACE_VIEW_LOCATE_H
#define RINGSIDE_TRACE_VIEW_LOCATE_H

#include "trace/calls.h"
#include "trace/file/reader.h"

/* in:      id  of an event
 * returns: what the event means, as calls_event(); CALL_BEGINS, CALL_ENDS and CALL_INSIDE fill *call, with its end as
 * far as the recording has it (else end = CALL_NEVER) effects: moves the reader. Reads as much of the recording as it
 * takes: a little for a call that is near, all of it for one that never returned. */
enum call_news locate_call(struct trace_reader *r, u64 id, struct call *call);

#endif

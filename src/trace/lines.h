/* SPDX-License-Identifier: MIT
 * Events told as text, one after the other as they come: from a recording, or from a run while it happens.
 */
#ifndef RINGSIDE_TRACE_LINES_H
#define RINGSIDE_TRACE_LINES_H

#include "trace/calls.h"
#include "trace/names.h"
#include "trace/pieces.h"
#include "trace/trace.h"

struct lines_options {
    enum trace_format format;
    const struct trace_filter *filter; /* NULL: all */
    const struct names *names;         /* may grow while it is used */
    bool calls;                        /* an entry and its exit are told together; TRACE_JSON: one object a call */
    bool linux_kernel;                 /* system calls are decoded */
    bool color;
    const u32 *own;        /* the task with this number goes without its name; NULL: none does */
    bool no_place;         /* leave out event number, time and rings: the lines of strace, and what the rings cost */
    unsigned string_limit; /* bytes of a string that are shown; 0 = 32 */
    u64 limit;             /* stop after so many lines; 0 = no limit */
    /* Told of each call that ended and passed the filter, after its line (may be NULL). */
    void (*on_call)(void *context, const struct call *call, const struct linux_call *linux_call);
    /* Told of each return to ring 3 where a signal handler runs first, also of calls that do not pass (may be NULL).
     * The processor is still as it returned. */
    void (*on_signal)(void *context, const struct call *call);
    void *context;
};

struct lines;

struct lines *lines_new(FILE *out, const struct lines_options *options);
/* Take the next event. in: task may be NULL; pieces: data of this event, may be NULL. */
void lines_event(struct lines *l, u64 id, const struct event_record *e, const struct guest_task *task,
                 const struct pieces *pieces);
/* True once `limit` lines were printed, or printing failed. */
bool lines_full(const struct lines *l);
/* A call that passes the filter is open: its exit may lie in a block that the filter alone would skip. */
bool lines_waiting(const struct lines *l);
/* What is still open is told as never returned; free. */
void lines_free(struct lines *l);

#endif

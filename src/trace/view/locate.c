/* SPDX-License-Identifier: MIT
 * The call that an event belongs to. An exit does not say where its entry is, so the reader goes back in growing steps
 * until the pairing finds one.
 */
#include "trace/view/locate.h"

#define FIRST_STEP 4096u

/* Read from event `from` on, until it is known what event id means. */
static enum call_news run_to(struct trace_reader *r, struct calls *calls, u64 from, u64 id, struct call *call)
{
    const struct event_record *e;
    u64 at;

    trace_reader_seek(r, from);
    while ((e = trace_reader_next(r, NULL, &at)) != NULL && at <= id) {
        struct call *found = NULL;
        enum call_news news = calls_event(calls, at, e, trace_reader_task(r), &found);

        if (at != id)
            continue;
        if (found)
            *call = *found;
        return found || news == CALL_STARTS_TASK ? news : CALL_NOTHING;
    }
    return CALL_NOTHING;
}

/* Read on until the call ends. */
static void run_to_end(struct trace_reader *r, struct calls *calls, struct call *call)
{
    const struct event_record *e;
    u64 at;

    while ((e = trace_reader_next(r, NULL, &at)) != NULL) {
        struct call *found = NULL;

        if (calls_event(calls, at, e, trace_reader_task(r), &found) == CALL_ENDS && found &&
            found->entry_id == call->entry_id) {
            *call = *found;
            return;
        }
    }
    call->end = CALL_NEVER;
}

enum call_news locate_call(struct trace_reader *r, u64 id, struct call *call)
{
    bool linux_kernel = trace_reader_names(r)->kernel != NULL;

    for (u64 step = FIRST_STEP;; step = step < UINT64_MAX / 16 ? step * 16 : UINT64_MAX) {
        u64 from = id > step ? id - step : 1;
        struct calls *calls = calls_new(linux_kernel);
        enum call_news news = run_to(r, calls, from, id, call);

        if (news == CALL_BEGINS || news == CALL_INSIDE)
            run_to_end(r, calls, call);
        calls_free(calls);
        if (news == CALL_BEGINS || news == CALL_ENDS || news == CALL_INSIDE || from == 1)
            return news;
    }
}

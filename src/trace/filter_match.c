/* SPDX-License-Identifier: MIT
 * Whether an event passes a filter: by its record, by the task that runs, by the system call that it begins or ends.
 */
#include <fnmatch.h>

#include "trace/calls.h"
#include "trace/trace.h"

#define X32_BIT BIT(30) /* set in the numbers of this ABI */

bool trace_filter_needs_task(const struct trace_filter *f) { return f && (f->pids || f->comms || f->pid_from); }

static bool task_matches(const struct trace_filter *f, const struct guest_task *task)
{
    bool pid = f->pids == 0, comm = f->comms == 0;

    if (pid && comm && f->pid_from == 0)
        return true;
    if (!task || !task->known || task->pid < f->pid_from)
        return false;
    for (unsigned i = 0; i < f->pids; i++)
        pid |= f->pid[i] == task->pid || f->pid[i] == task->tgid;
    for (unsigned i = 0; i < f->comms; i++)
        comm |= fnmatch(f->comm[i], task->comm, FNM_NOESCAPE) == 0;
    return pid && comm;
}

bool trace_filter_needs_calls(const struct trace_filter *f) { return f && (f->by_call || f->by_error); }

static bool call_matches(const struct trace_filter *f, const struct call *call)
{
    u64 number;

    if (!f->by_call && !f->by_error)
        return true;
    if (!call || !call->is_syscall)
        return false;
    number = call->abi == LINUX_X32 ? call->number & ~X32_BIT : call->number;
    if (number >= TRACE_FILTER_CALLS)
        number = TRACE_FILTER_CALLS - 1;
    if (f->by_call && !((f->calls[call->abi % TRACE_FILTER_ABIS][number / 64] >> (number % 64)) & 1))
        return false;
    if (!f->by_error)
        return true;
    if (call->end != CALL_RETURNED && call->end != CALL_SIGNAL)
        return false;
    number =
        call->result < 0 && call->result > -(i64)TRACE_FILTER_ERRORS ? (u64)-call->result : 0; /* 0: it succeeded */
    return (f->errors[number / 64] >> (number % 64)) & 1;
}

static bool event_matches(const struct trace_filter *f, const struct event_record *e)
{
    bool transition = event_is_transition(e);

    if (f->kinds && !((f->kinds >> (e->kind & 31)) & 1))
        return false;
    if (f->by_cr3 && e->from_cr3 != f->cr3)
        return false;
    /* The other terms speak of transitions only. */
    if (f->mechanisms && !(transition && (f->mechanisms >> (e->mechanism & 63)) & 1))
        return false;
    if (f->by_vector &&
        !(transition && e->present & EVENT_HAS_VECTOR && (f->vectors[e->vector / 64] >> (e->vector % 64)) & 1))
        return false;
    if (f->rings && !(transition && (f->rings >> ((e->from_cpl & 3) * 4 + (e->to_cpl & 3))) & 1))
        return false;
    if (f->directions) {
        unsigned direction = e->to_cpl < e->from_cpl ? 1 : e->to_cpl > e->from_cpl ? 2 : 4;

        if (!transition || !(f->directions & direction))
            return false;
    }
    if (f->by_rule && !(e->rule < 512 && (f->rules[e->rule / 64] >> (e->rule % 64)) & 1))
        return false;
    return true;
}

bool trace_filter_match(const struct trace_filter *f, const struct trace_context *c)
{
    if (!f)
        return true;
    if ((f->from && c->id < f->from) || (f->to && c->id > f->to))
        return false;
    return event_matches(f, c->event) && task_matches(f, c->task) && call_matches(f, c->call);
}

/* SPDX-License-Identifier: MIT
 * Pairing: which exit ends which entry. By what the processor did and which task ran, never by guessing:
 *
 * From ring 3: a task has at most one entry open. The next transition to ring 3 of the same task closes it. Without a
 * known task the processor's address space and user stack pointer stand for it, and the exit must lead back to where
 * the entry came from.
 *
 * Within ring 0: same-ring events (a page fault or interrupt in the kernel) nest by the address of their frame, per
 * task. An IRET that pops the frame closes the one that pushed it.
 */
#ifndef RINGSIDE_TRACE_CALLS_H
#define RINGSIDE_TRACE_CALLS_H

#include "guest/guest.h"
#include "linux/linux.h"
#include "trace/data.h"
#include "trace/event.h"

/* How an entry came back. */
enum call_end {
    CALL_OPEN,      /* not yet */
    CALL_RETURNED,  /* behind the instruction (a call), or to it (a fault, an IRQ) */
    CALL_SIGNAL,    /* to another place: a signal handler runs first */
    CALL_RESTARTED, /* to the instruction itself: the call will be made again */
    CALL_EXEC,      /* a new program runs */
    CALL_RESUMED,   /* rt_sigreturn and the like: to where a signal had interrupted */
    CALL_NEVER,     /* the task is gone, or the recording ends */
};
const char *call_end_name(enum call_end end); /* "returned" */

struct call {
    u64 entry_id, exit_id; /* event numbers; exit_id 0 while open */
    struct event_record entry, exit;
    struct guest_task task; /* as at the entry; known = false: told by CR3 */
    bool nested;            /* within ring 0 */
    bool is_syscall;        /* the entry is a system call of Linux */
    enum linux_abi abi;
    u64 number;
    const struct linux_syscall *syscall; /* NULL: a number that the table does not have, or no system call */
    enum call_end end;
    i64 result;        /* of a system call that came back; before a handler runs see call_signal_frame() */
    u64 events_inside; /* transitions of this task between the two */
    u64 switched;      /* how often the task lost the processor before it came back */
    u64 insns_inside;  /* instructions from entry to exit while this task was the current one at the events between */
    void *user;        /* for the caller; taken over by whoever is told that the call ends */
};

/* What an event means for the calls. */
enum call_news {
    CALL_NOTHING,
    CALL_BEGINS,      /* call: the entry, open now */
    CALL_ENDS,        /* call: entry and exit */
    CALL_STARTS_TASK, /* an exit to ring 3 without an entry: a new thread, or one that entered before the recording */
    CALL_INSIDE,      /* something of a task with an open call; call is that one */
};

struct calls;

/* linux_kernel: SYSCALL, SYSENTER and INT 80h from ring 3 are system calls of Linux. Never returns NULL. */
struct calls *calls_new(bool linux_kernel);
void calls_free(struct calls *c);
/* Take the next event. in: task  the one that is current (NULL or not known: CR3 stands for it)
 * returns: what it means; *call is valid until the next event. */
enum call_news calls_event(struct calls *c, u64 id, const struct event_record *e, const struct guest_task *task,
                           struct call **call);
/* Called for every call that is given up: its task is gone, or there is no room. At most one function. */
typedef void call_dropped_fn(void *context, struct call *call);
void calls_on_drop(struct calls *c, call_dropped_fn *fn, void *context);
/* Give up every call still open, as at the end of a recording, in the order of their entries. */
void calls_finish(struct calls *c);
/* Entries from ring 3 so far, those of them that ended, and exits to ring 3 that ended none. */
struct calls_counts {
    u64 entries, ended, unpaired_exits;
};
struct calls_counts calls_counts(const struct calls *c);

/* ---- one entry as a system call of Linux */

/* Whether the entry is one. out: the table and the number */
bool call_is_linux(const struct event_record *entry, enum linux_abi *abi, u64 *number);
/* Arguments from the registers at the entry. The sixth of a call by SYSENTER, or by SYSCALL from 32-bit code, stands on
 * the user's stack: *sixth is its address then, else 0. */
void call_arguments(const struct event_record *entry, enum linux_abi abi, u64 arg[LINUX_ARGS], u64 *sixth);
/* RAX as the caller's code sees it. */
i64 call_result(enum linux_abi abi, u64 rax);
/* A call before whose return a signal handler runs has its result in the signal frame, not in RAX.
 * in: piece  any that belongs to the exit; those of other kinds say nothing. effects: call->result */
void call_signal_frame(struct call *call, const struct data_piece *piece);
/* The call for linux_print_call(). in, out: see linux.h; out NULL while it is open. */
void call_linux(const struct call *call, const struct linux_memory *in, const struct linux_memory *out,
                struct linux_call *linux_call);

#endif

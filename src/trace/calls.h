/* SPDX-License-Identifier: MIT
 * Pairing: which exit ends which entry. By what the processor did and which task ran, never by guessing:
 *
 *   from ring 3     a task has at most one entry open. The next transition to ring 3 of the same task closes it. Without a
 *                   known task the processor's address space and user stack pointer stand for it, and the exit must lead
 *                   back to where the entry came from.
 *   within ring 0   same-ring events (a page fault or interrupt in the kernel) nest by the address of their frame, last in
 *                   first out, per task.
 *
 * An entry ends as returned, switched (another task came first, and the recording ends before it is back), or never
 * returned (exit, or the end of the recording).
 */
#ifndef RINGSIDE_TRACE_CALLS_H
#define RINGSIDE_TRACE_CALLS_H

#include "guest/guest.h"
#include "linux/linux.h"
#include "trace/event.h"

/* How an entry from ring 3 came back to it. */
enum call_end {
    CALL_OPEN,      /* not yet */
    CALL_RETURNED,  /* behind the instruction (a call), or to it (a fault, an IRQ) */
    CALL_SIGNAL,    /* to a signal handler first; the call itself is done */
    CALL_RESTARTED, /* to a signal handler, or at once, and the call will be made again */
    CALL_EXEC,      /* a new program runs */
    CALL_RESUMED,   /* rt_sigreturn and the like: to where a signal had interrupted */
    CALL_NEVER,     /* the task is gone, or the recording ends */
};
const char *call_end_name(enum call_end end); /* "returned" */

struct call {
    u64 entry_id, exit_id;        /* event numbers; exit_id 0 while open */
    struct event_record entry, exit;
    struct guest_task task;       /* as at the entry; known = false: told by CR3 */
    bool is_syscall;              /* the entry is a system call of the Linux ABI */
    enum linux_abi abi;
    const struct linux_syscall *syscall; /* NULL: a number that the table does not have, or no system call */
    enum call_end end;
    u64 events_inside;            /* events between, of this task */
    u64 switched;                 /* how often another task ran before it came back */
    u64 insns_inside;             /* instructions of this task between entry and exit, without those of other tasks */
    void *user;                   /* the user's own; calls_free() and the end of a call leave it alone */
};

/* What an event means for the calls. */
enum call_news {
    CALL_NOTHING,
    CALL_BEGINS, /* call: the entry, open now */
    CALL_ENDS,   /* call: entry and exit */
    CALL_STARTS_TASK, /* an exit to ring 3 of a task that has no entry: a new thread, or one that was there before */
    CALL_INSIDE, /* something of a task with an open call; call is that one */
};

struct calls;

struct calls *calls_new(void);
void calls_free(struct calls *c);
/* Take the next event. in: task  the one that is current (NULL or unknown: by CR3); linux_kernel  system calls are those of
 * Linux (else INT n is never a system call)
 * returns: what it means; *call is valid until the next event. */
enum call_news calls_event(struct calls *c, u64 id, const struct event_record *e, const struct guest_task *task,
                           bool linux_kernel, struct call **call);
/* Every call still open, as at the end of a recording; each is shown once with end = CALL_NEVER. */
void calls_finish(struct calls *c, void (*show)(void *context, struct call *call), void *context);
/* How many are open. */
size_t calls_open(const struct calls *c);
/* Events that closed nothing though they returned to ring 3. */
u64 calls_unpaired(const struct calls *c);

/* The call for linux_print_call(). */
void call_linux(const struct call *call, const struct linux_memory *in, const struct linux_memory *out,
                struct linux_call *linux_call);

#endif

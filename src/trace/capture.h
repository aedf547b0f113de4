/* SPDX-License-Identifier: MIT
 * What a recorder keeps of the guest's memory beside an event: what the arguments of a Linux system call point to, at
 * its entry and at its return, and what a signal frame says of the call that it interrupted.
 */
#ifndef RINGSIDE_TRACE_CAPTURE_H
#define RINGSIDE_TRACE_CAPTURE_H

#include "guest/guest.h"
#include "trace/calls.h"
#include "trace/pieces.h"

#define CAPTURE_STRING 256u /* bytes of a string or buffer that are kept */
#define CAPTURE_NUMBERS 512u

struct capture_task;

struct capture {
    struct capture_task *current; /* of the task that runs; NULL: not known */
    struct capture_task *slot;    /* hash table by address of the task */
    size_t tasks, capacity;
    unsigned string_limit;
    u8 wanted[LINUX_ABIS][CAPTURE_NUMBERS]; /* 1: reads memory at the entry, 2: is filled at the return */
};

void capture_init(struct capture *c, unsigned string_limit);
void capture_free(struct capture *c);
/* Another task runs. */
void capture_task(struct capture *c, const struct guest_task *task);
/* Quick: whether capture_transition() would keep something, or has to be told, of this transition. */
bool capture_wants(const struct capture *c, const struct cpu *cpu, const struct transition *t);
/* Gather into pieces what explains the transition; e is its record. */
void capture_transition(struct capture *c, struct cpu *cpu, u64 id, const struct event_record *e,
                        struct pieces *pieces);

#endif

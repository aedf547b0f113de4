/* SPDX-License-Identifier: MIT
 * Event records from what an observer is given: for the recorder, and for those who watch a processor without recording
 * it. Memory is read without effects only.
 */
#ifndef RINGSIDE_TRACE_FILL_H
#define RINGSIDE_TRACE_FILL_H

#include "trace/event.h"

/* Every word 0. In pieces that compilers store in line: for the whole they take a string instruction, which starts
 * slowly. */
ALWAYS_INLINE void event_clear(struct event_record *e)
{
    enum { PIECE = 32 };

    _Static_assert(sizeof(struct event_record) % PIECE == 0, "whole pieces");
    for (unsigned i = 0; i < sizeof *e / PIECE; i++)
        memset((u8 *)e + i * PIECE, 0, PIECE);
}

/* All of these fill a record that is cleared. */

/* A transition: all but the words of its frame, which are no part of the digest. */
void event_fill_transition(struct event_record *e, const struct cpu *cpu, const struct transition *t);
/* The words of its frame, as they stand in memory, when it has one. */
void event_fill_frame(struct event_record *e, struct cpu *cpu);
/* What is beside transitions. in: sequence  number of the last transition */
void event_fill_side(struct event_record *e, const struct cpu *cpu, const struct side_event *event, u64 sequence);
/* An event of this kind at the next instruction: time and both sides. */
void event_fill_here(struct event_record *e, const struct cpu *cpu, enum event_kind kind, u64 sequence);

#endif

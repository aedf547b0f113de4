/* SPDX-License-Identifier: MIT
 * The instruction boundary: what may happen between two instructions, in the order of priority.
 */
#ifndef RINGSIDE_CPU_ENGINE_EVENT_H
#define RINGSIDE_CPU_ENGINE_EVENT_H

#include "cpu/engine/door.h"
#include "cpu/engine/engine.h"
#include "cpu/engine/insn_cache.h"

enum boundary {
    BOUNDARY_EXECUTE, /* go on with the next instruction */
    BOUNDARY_AGAIN,   /* an event was delivered: look again */
    BOUNDARY_LEAVE,   /* *exit says why */
};

/* Look for events before the next instruction; deliver at most one; set d.stop_tick for the run that follows.
 * May unwind through cpu_raise() (delivery that faults). source: SDM 3A, "Priority Among Concurrent Events"; NX-06 */
enum boundary event_boundary(struct cpu *cpu, u64 until_tick, enum engine_exit *exit);

/* Note what the instruction just completed leaves behind: TF trap, shadows, RF. */
void event_insn_done(struct cpu *cpu);

/* A fault was raised (host.fault): decide what is delivered next - it, a double fault, or shutdown (NX-01..04). */
void event_fault_raised(struct cpu *cpu);

#endif

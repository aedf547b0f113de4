/* SPDX-License-Identifier: MIT
 * The door: the one function that commits CPL, CS and execution mode.
 */
#ifndef RINGSIDE_CPU_RING_RING_H
#define RINGSIDE_CPU_RING_RING_H

#include "cpu/ring/transition.h"

/* Begin staging: a transition whose target is the processor's present state. Remembers that state as t.from, so a
 * mechanism that changes more than the door commits (CR3, control registers) calls this before it changes anything. */
struct transition transition_begin(const struct cpu *cpu, enum mechanism mechanism);

/* Commit a validated, staged transition and show it to the observer.
 * in:      t  from transition_begin(); target and cause filled by the mechanism; to/sequence are filled here
 * effects: CS, CPL, next_rip (the engine moves it to rip), and by stage: SS, RSP, RFLAGS; derived state recomputed;
 *          door_count moves. Never raises: everything was validated before. */
void ring_commit(struct cpu *cpu, struct transition *t);

/* The same for a change of CR0, EFER or EFLAGS.VM that changes the mode without a far transfer: the mechanism has
 * already assigned the control register; the door recomputes the mode (and CPL where PE decides it) and shows it. */
void ring_commit_mode(struct cpu *cpu, enum mechanism mechanism, const struct ring_state *before);

/* Fill one side of a transition from the processor's present state. rip is the instruction pointer to report. */
struct ring_state ring_state_of(const struct cpu *cpu, u64 rip);

/* Report SWAPGS, CR3 writes, WRMSR to the observer. */
void ring_side(struct cpu *cpu, enum side_kind kind, u32 number, u64 old_value, u64 new_value);
/* Report a fault that no handler will see as such (NX-01 to NX-04). */
void ring_side_undelivered(struct cpu *cpu, const struct fault *fault);

#endif

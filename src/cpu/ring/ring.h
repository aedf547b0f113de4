/* SPDX-License-Identifier: MIT
 * The door: the one function that commits CPL, CS and execution mode.
 */
#ifndef RINGSIDE_CPU_RING_RING_H
#define RINGSIDE_CPU_RING_RING_H

#include "cpu/flags.h"
#include "cpu/ring/transition.h"

/* Fill one side of a transition from the processor's present state. rip is the instruction pointer to report. */
struct ring_state ring_state_of(const struct cpu *cpu, u64 rip);

/* The same in place, which a copy would have to wait for. in: rflags  flags_get() */
ALWAYS_INLINE void ring_state_put(struct ring_state *state, const struct cpu *cpu, u64 rip, u64 rflags)
{
    state->rip = rip;
    state->rsp = cpu->arch.gpr[RSP];
    state->rflags = rflags;
    state->cr3 = cpu->arch.cr3;
    state->gs_base = cpu->arch.seg[GS].base;
    state->kernel_gs_base = cpu->arch.msr.kernel_gs_base;
    state->cs = cpu->arch.seg[CS].selector;
    state->ss = cpu->arch.seg[SS].selector;
    state->cpl = cpu->arch.cpl;
    state->mode = (u8)cpu->d.mode;
}

ALWAYS_INLINE bool ring_is_observed(const struct cpu *cpu)
{
    return cpu->host.observer != NULL && cpu->host.observer->transition != NULL;
}

/* Begin staging: a transition whose target is the processor's present state. Remembers that state as t.from, so a
 * mechanism that changes more than the door commits (CR3, control registers) calls this before it changes anything.
 *
 * transition_stage() leaves cs, and ss with STAGE_SS, to the mechanism. in: rflags  flags_get() */
ALWAYS_INLINE void transition_stage(struct transition *t, const struct cpu *cpu, enum mechanism mechanism, u64 rflags)
{
    t->mechanism = mechanism;
    t->new_cpl = cpu->arch.cpl;
    t->stage = 0;
    t->rip = cpu->d.next_rip;
    t->rsp = cpu->arch.gpr[RSP];
    t->rflags = rflags;
    if (!ring_is_observed(cpu))
        return; /* the door does not look at the cause */
    t->vector = 0;
    t->has_vector = t->has_error = false;
    t->error = 0;
    t->cr2 = 0;
    t->rule = 0;
    t->gate = GATE_NONE;
    t->ist = 0;
    t->stack_source = STACK_UNCHANGED;
    t->gate_selector = 0;
    t->gate_dpl = 0;
    t->parameters = 0;
    t->frame = 0;
    t->frame_words = t->frame_word_bytes = 0;
    t->msr[0] = t->msr[1] = t->msr[2] = 0;
    t->msrs = 0;
    ring_state_put(&t->from, cpu, cpu->arch.rip, flags_get(cpu));
}

ALWAYS_INLINE struct transition transition_begin(const struct cpu *cpu, enum mechanism mechanism)
{
    struct transition t;

    transition_stage(&t, cpu, mechanism, flags_get(cpu));
    t.cs = cpu->arch.seg[CS];
    t.ss = cpu->arch.seg[SS];
    return t;
}

/* Commit a validated, staged transition and show it to the observer.
 * in:      t  from transition_begin(); target and cause filled by the mechanism; to/sequence are filled here
 * effects: CS, CPL, next_rip (the engine moves it to rip), and by stage: SS, RSP, RFLAGS; derived state recomputed;
 *          door_count moves. Never raises: everything was validated before. */
void ring_commit(struct cpu *cpu, struct transition *t);

/* The same for a change of CR0, EFER or EFLAGS.VM that changes the mode without a far transfer: the mechanism has
 * already assigned the control register; the door recomputes the mode (and CPL where PE decides it) and shows it. */
void ring_commit_mode(struct cpu *cpu, enum mechanism mechanism, const struct ring_state *before);

/* Report SWAPGS, CR3 writes, WRMSR to the observer. */
void ring_side(struct cpu *cpu, enum side_kind kind, u32 number, u64 old_value, u64 new_value);
/* Report a fault that no handler will see as such (NX-01 to NX-04). */
void ring_side_undelivered(struct cpu *cpu, const struct fault *fault);

#endif

/* SPDX-License-Identifier: MIT
 * The hardware task switch. SDM 3A, "Task Management", "Task Switching".
 */
#ifndef RINGSIDE_CPU_RING_TASK_H
#define RINGSIDE_CPU_RING_TASK_H

#include "cpu/ring/transition.h"

enum task_cause { TASK_JMP, TASK_CALL, TASK_INTERRUPT, TASK_IRET, TASK_CAUSES };

/* A switch to the task whose TSS selector is known. The caller has checked what led to it: the gate's own type, DPL
 * and P (CG-01, ID-02 to ID-04), or CPL and RPL against the TSS descriptor's DPL for a direct JMP or CALL. */
struct task_request {
    enum task_cause cause;
    u16 selector;   /* of the TSS: from the operand, the task gate, or the back link (IRET: task_return()) */
    u64 return_rip; /* saved in the old TSS */
    u64 rflags;     /* image saved in the old TSS (RF as ID-14 says); IRET: NT is cleared here by task_switch() */
    u32 ext;        /* interrupt: EXT bit for faults before the commit */
    bool has_error; /* interrupt: an error code goes on the new task's stack */
    u32 error;
    bool has_vector; /* interrupt, for the observer */
    u8 vector;
    u16 rule;            /* for the observer: the check that failed, when the interrupt is a fault */
    u64 cr2;             /* for the observer */
    enum gate_kind gate; /* GATE_TASK or GATE_NONE */
    u8 gate_dpl;
};

/* Validate both TSSs, save, load, commit at the door.
 * effects: before the commit nothing but accessed bits of pages; after it everything of the new task; CR0.TS; busy
 *          bits and back link as the cause says (TS-01); the T bit leaves DR6.BT in pending_debug (TS-03)
 * raises:  before the commit, in the old task: #GP, #NP, #TS, #PF (TS-07, ID-25, IR-01).
 *          After it, with arch.rip and every register the new task's (TS-02): #TS, #NP, #SS, #GP, #PF (TS-08).
 * Long mode: callers have raised #GP already (TS-05). */
void task_switch(struct cpu *cpu, const struct task_request *request);
/* IRET with NT = 1 outside long mode: follow the back link of the current TSS (IR-01). */
void task_return(struct cpu *cpu);

#endif

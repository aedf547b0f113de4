/* SPDX-License-Identifier: MIT
 * struct transition: what a mechanism stages and the door commits and shows. Also the events beside transitions.
 */
#ifndef RINGSIDE_CPU_RING_TRANSITION_H
#define RINGSIDE_CPU_RING_TRANSITION_H

#include "cpu/cpu.h"
#include "cpu/rule.h"

enum mechanism {
#define MECHANISM(id, name, text) MECH_##id,
#include "cpu/ring/mechanism.def"
#undef MECHANISM
    MECHANISMS
};

const char *mechanism_name(enum mechanism m); /* "syscall" */
const char *mechanism_text(enum mechanism m);

enum gate_kind {
    GATE_NONE,
    GATE_INTERRUPT16,
    GATE_INTERRUPT32,
    GATE_INTERRUPT64,
    GATE_TRAP16,
    GATE_TRAP32,
    GATE_TRAP64,
    GATE_CALL16,
    GATE_CALL32,
    GATE_CALL64,
    GATE_TASK,
    GATE_IVT,
    GATE_KINDS
};

/* Where the new stack pointer came from. */
enum stack_source {
    STACK_UNCHANGED,
    STACK_TSS_RSP,
    STACK_TSS_SS_ESP,
    STACK_IST,
    STACK_SYSENTER_ESP,
    STACK_POPPED,
    STACK_REGISTER /* SYSEXIT: (E)CX */,
    STACK_TSS_IMAGE,
    STACK_SOURCES
};

/* One side of a transition, for the observer. */
struct ring_state {
    u64 rip, rsp, rflags, cr3, gs_base, kernel_gs_base;
    u16 cs, ss;
    u8 cpl;
    u8 mode; /* enum cpu_mode */
};

/* Which parts of the staged target the door commits besides CPL, CS and RIP. CONTROL_FLAGS: RFLAGS, whose arithmetic
 * flags are what they were. */
enum stage { STAGE_SS = 1, STAGE_RSP = 2, STAGE_RFLAGS = 4, STAGE_CONTROL_FLAGS = 8 };

struct transition {
    /* The target, staged by the mechanism. */
    enum mechanism mechanism;
    u8 new_cpl; /* the door alone makes it the CPL */
    u8 stage;   /* enum stage bits */
    struct segment cs, ss;
    u64 rip, rsp, rflags;
    /* The cause, for the observer. */
    u8 vector;
    bool has_vector, has_error;
    u32 error;
    u64 cr2;
    u16 rule; /* at a fault: the check that failed */
    enum gate_kind gate;
    u8 ist; /* 1-7, 0 = none */
    enum stack_source stack_source;
    u16 gate_selector; /* CS selector in the gate, or the call gate's or TSS's own selector */
    u8 gate_dpl;
    u8 parameters; /* call gate: words copied */
    u64 frame;     /* linear address of the lowest word of the frame pushed or popped; 0 = none */
    u8 frame_words, frame_word_bytes;
    u64 msr[3]; /* values of the MSRs read, in the order STAR/LSTAR/FMASK or SYSENTER_CS/ESP/EIP */
    u8 msrs;
    u64 sequence; /* number of this transition, from 1: given by the door */
    /* Filled only when somebody observes, by transition_begin() and by the door. */
    struct ring_state from, to;
};

enum side_kind { SIDE_SWAPGS, SIDE_CR3, SIDE_WRMSR, SIDE_CR0, SIDE_CR4, SIDE_UNDELIVERED, SIDE_KINDS };

struct side_event {
    enum side_kind kind;
    u32 number; /* WRMSR: the MSR */
    u64 old_value, new_value;
    const struct fault *fault; /* SIDE_UNDELIVERED: a fault that became part of a double fault or shutdown, or whose
                                  delivery raised another; valid during the call */
};

#endif

/* SPDX-License-Identifier: MIT
 * The instruction boundary: what may happen between two instructions, in the order of priority.
 */
#ifndef RINGSIDE_CPU_ENGINE_EVENT_H
#define RINGSIDE_CPU_ENGINE_EVENT_H

#include "cpu/engine/door.h"
#include "cpu/engine/engine.h"
#include "cpu/engine/insn_cache.h"
#include "cpu/ring/mechanisms.h"

/* What the engine must remember across an unwind. */
struct engine {
    enum engine_kind kind;
    struct interrupt_event event; /* being delivered, or waiting for its delivery */
    bool delivering;
    bool pending;
    bool trap_armed; /* TF was set when the instruction began */
    bool rf_before;
    u64 door_before, retired_before;
    /* An exit that asked the run loop for its target, and the linear page that it leaves. */
    struct block_exit *link;
    laddr_t link_page;
#ifdef RINGSIDE_DOOR_CHECK
    struct door_check door;
#endif
    u8 writes[4096];        /* to pages that hold code, by page number: engine.c, code_written() */
    struct insn straddling; /* decoding of an instruction that crosses a page: never cached */
    struct insn_cache cache;
    struct block_cache blocks;
};

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

/* SPDX-License-Identifier: MIT
 * The run loop: executes instructions until a tick, an event for the machine, or a stop.
 */
#ifndef RINGSIDE_CPU_ENGINE_ENGINE_H
#define RINGSIDE_CPU_ENGINE_ENGINE_H

#include "cpu/cpu.h"

enum engine_exit {
    ENGINE_TICK,    /* reached the tick asked for */
    ENGINE_HALTED,  /* HLT, MWAIT, wait-for-SIPI: nothing to do until a timer or an interrupt */
    ENGINE_STOPPED, /* cpu->host.stop says why */
};

/* Both give the same events and states; the stepping engine is the reference. */
enum engine_kind {
    ENGINE_BLOCK, /* decoded blocks, linked: the default */
    ENGINE_STEP,  /* one instruction at a time */
};
void engine_select(struct cpu *cpu, enum engine_kind kind);

/* Run, at most until clock->ticks reaches until_tick. Timers due are fired on the way.
 * returns: why it came back; the processor is at an instruction boundary, flags and RIP current. */
enum engine_exit engine_run(struct cpu *cpu, u64 until_tick);

/* Give the processor an engine (its caches, and the listener of physical memory); take it away again. */
void engine_attach(struct cpu *cpu);
void engine_detach(struct cpu *cpu);

/* On the stepping engine: execute exactly one instruction or deliver one event (tests, debugger). */
enum engine_exit engine_step(struct cpu *cpu);

/* Drop every cached decoding (tests, memory map changes). */
void engine_flush_code(struct cpu *cpu);

#endif

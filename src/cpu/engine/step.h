/* SPDX-License-Identifier: MIT
 * One instruction at a time: what the stepping engine does always, and the block engine wherever it must be exact.
 */
#ifndef RINGSIDE_CPU_ENGINE_STEP_H
#define RINGSIDE_CPU_ENGINE_STEP_H

#include "cpu/cpu.h"

/* Fetch and execute one instruction at arch.rip, and count it.   raises: as the instruction */
void step_one(struct cpu *cpu);

/* Translate the page of arch.rip for execution, unless it is open already: d.fetch_*.
 * returns: the linear address of arch.rip.   raises: #PF, #GP(0) (canonicality, limit) */
laddr_t step_open_page(struct cpu *cpu);

#endif

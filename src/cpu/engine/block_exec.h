/* SPDX-License-Identifier: MIT
 * The functions that stand in blocks beside the instructions' own.
 */
#ifndef RINGSIDE_CPU_ENGINE_BLOCK_EXEC_H
#define RINGSIDE_CPU_ENGINE_BLOCK_EXEC_H

#include "cpu/engine/block.h"

/* Exits. arch.rip stands at the block's first byte before, at the target's after. */
exec_fn block_exit_unlinked; /* asks the run loop for the target, and for a link */
exec_fn block_exit_near;     /* linked, in the same linear page */
exec_fn block_exit_far;      /* linked, in another one */
exec_fn block_exit_indirect; /* to d.next_rip */
/* Around an exact instruction. */
exec_fn block_enter_exact;
exec_fn block_leave_exact;
/* In the place of every instruction of a block that was forgotten while it was executed. */
exec_fn block_abandoned;

/* Enter a block at arch.rip and execute until the run loop is needed: for an event, or for a block that is not known.
 */
void block_run(struct cpu *cpu, struct block *block);

#endif

/* SPDX-License-Identifier: MIT
 * What direct far transfers, call gates and far returns share.
 */
#ifndef RINGSIDE_CPU_RING_FAR_H
#define RINGSIDE_CPU_RING_FAR_H

#include "cpu/fault.h"
#include "cpu/ring/descriptor.h"
#include "cpu/ring/stack.h"
#include "cpu/ring/transition.h"

enum far_kind { FAR_JMP, FAR_CALL };

/* Whether a code segment runs in 64-bit mode. */
ALWAYS_INLINE bool far_target_is_64bit(const struct cpu *cpu, const struct descriptor *code)
{
    return cpu_long_mode(cpu) && (code->attr & SEG_L);
}

/* Raise #GP(0) unless offset can be executed in the segment: canonical in 64-bit mode, else within the limit (JF-03).
 */
ALWAYS_INLINE void far_require_offset(struct cpu *cpu, const struct descriptor *code, u64 offset, enum rule rule)
{
    if (far_target_is_64bit(cpu, code))
        REQUIRE(cpu, cpu_canonical(cpu, offset), GP(0), rule);
    else
        REQUIRE(cpu, offset <= code->limit, GP(0), rule);
}

/* The rule of a push or pop on the current stack that does not fit. */
ALWAYS_INLINE enum rule far_stack_rule(const struct cpu *cpu) { return cpu_64bit(cpu) ? RULE_ID_20 : RULE_SG_04; }

/* call_gate.c: JMP or CALL through a call gate. gate was read by selector; nothing of it is checked yet. */
void call_gate_transfer(struct cpu *cpu, enum far_kind kind, u16 selector, struct descriptor gate);

#endif

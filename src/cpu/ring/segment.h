/* SPDX-License-Identifier: MIT
 * Segment register rules that several mechanisms share (the instructions' entry points are in mechanisms.h).
 */
#ifndef RINGSIDE_CPU_RING_SEGMENT_H
#define RINGSIDE_CPU_RING_SEGMENT_H

#include "cpu/fault.h"
#include "cpu/ring/descriptor.h"

/* The code segment that IRET or a far RET goes back to: never more privileged than the present one.
 * in: rule  under which the checks stand; size_rule  that of L with D in long mode (IR-05; RF-01, JF-04)
 * raises: #GP(0) or #GP(selector), #NP(selector), #PF.   source: SDM 2A "IRET", SDM 2B "RET" */
ALWAYS_INLINE struct descriptor segment_return_code(struct cpu *cpu, u16 selector, enum rule rule, enum rule size_rule)
{
    u32 error = selector_error(selector);
    u8 rpl = selector_rpl(selector);
    struct descriptor code;

    REQUIRE(cpu, !selector_is_null(selector), GP(0), rule);
    REQUIRE(cpu, descriptor_fetch(cpu, selector, &code), GP(error), rule);
    REQUIRE(cpu, descriptor_is_code(&code), GP(error), rule);
    REQUIRE(cpu, !(cpu_long_mode(cpu) && (code.attr & SEG_L) && (code.attr & SEG_DB)), GP(error), size_rule);
    REQUIRE(cpu, rpl >= cpu->arch.cpl, GP(error), rule);
    REQUIRE(cpu, descriptor_is_conforming(&code) ? code.dpl <= rpl : code.dpl == rpl, GP(error), rule);
    REQUIRE(cpu, code.present, NP(error), rule);
    return code;
}

/* After a return to a less privileged level, once the door has committed it: null DS, ES, FS, GS where the new level
 * may not use what they hold (IR-10), and recompute the derived state. The base stays (IR-14). effects: segment
 * registers; raises: never.   source: SDM 2A "IRET", "RET", RETURN-TO-OUTER-PRIVILEGE-LEVEL */
void segment_revoke_outward(struct cpu *cpu);

#endif

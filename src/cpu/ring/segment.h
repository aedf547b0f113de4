/* SPDX-License-Identifier: MIT
 * Segment register rules that several mechanisms share (the instructions' entry points are in mechanisms.h).
 */
#ifndef RINGSIDE_CPU_RING_SEGMENT_H
#define RINGSIDE_CPU_RING_SEGMENT_H

#include "cpu/ring/descriptor.h"

/* After a return to a less privileged level, once the door has committed it: null DS, ES, FS, GS where the new level
 * may not use what they hold (IR-10), and recompute the derived state. The base stays (IR-14). effects: segment
 * registers; raises: never.   source: SDM 2A "IRET", "RET", RETURN-TO-OUTER-PRIVILEGE-LEVEL */
void segment_revoke_outward(struct cpu *cpu);

#endif

/* SPDX-License-Identifier: MIT
 * Instructions with no effect on this processor: NOP, PAUSE, prefetches, fences (one processor executes in order),
 * cache flushes, INVD and WBINVD (no cache is modelled); and those that are undefined on purpose.
 * SDM 2A, "CLFLUSH", "INVD", "LFENCE"; SDM 2B, "MFENCE", "NOP", "PAUSE", "PREFETCHh", "SFENCE", "UD"; SDM 2D, "WBINVD".
 */
#include "cpu/fault.h"
#include "cpu/isa/operand.h"

BODY_PLAIN(op_nop)
{
    (void)cpu;
    (void)insn;
}

/* Faults as a load of one byte does. */
BODY_PLAIN(op_clflush) { mem_probe(cpu, (enum seg)insn->seg, effective_address(cpu, insn), 1, false); }

BODY_PLAIN(op_ud)
{
    (void)insn;
    cpu_raise(cpu, UD, RULE_IS_01);
}

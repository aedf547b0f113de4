/* SPDX-License-Identifier: MIT
 * One instruction by itself: for the stepping engine and for tests.
 */
#include "cpu/isa/insn.h"

static const struct insn *stop(struct cpu *cpu, const struct insn *insn)
{
    (void)cpu;
    (void)insn;
    return NULL;
}

void insn_execute(struct cpu *cpu, const struct insn *insn)
{
    struct insn alone[2];

    alone[0] = *insn;
    alone[0].taken = 1;
    alone[1].exec = stop;
    insn = alone;
    while (insn != NULL)
        insn = insn->exec(cpu, insn);
}

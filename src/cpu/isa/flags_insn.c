/* SPDX-License-Identifier: MIT
 * PUSHF, POPF, CLI and STI: the stack and the mechanism in ring/rflags.c.
 * SDM 2B, "PUSHF/PUSHFD/PUSHFQ", "POPF/POPFD/POPFQ", "STI"; SDM 2A, "CLI".
 */
#include "cpu/isa/operand.h"
#include "cpu/isa/stack_access.h"
#include "cpu/ring/mechanisms.h"

BODY_PLAIN(op_pushf)
{
    enum width w = (enum width)insn->width;

    stack_push(cpu, rflags_pushf_image(cpu, w), w);
}

BODY_PLAIN(op_popf)
{
    enum width w = (enum width)insn->width;

    rflags_popf(cpu, stack_peek(cpu, 0, w), w);
    stack_adjust(cpu, (i64)width_bytes(w));
}

BODY_PLAIN(op_cli)
{
    (void)insn;
    rflags_cli(cpu);
}

BODY_PLAIN(op_sti)
{
    (void)insn;
    rflags_sti(cpu);
}

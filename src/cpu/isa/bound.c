/* SPDX-License-Identifier: MIT
 * BOUND: check an array index against the two signed bounds in memory.
 * SDM 2, "BOUND".
 */
#include "cpu/isa/operand.h"

BODY_PLAIN(op_bound)
{
    enum width w = (enum width)insn->width;
    u64 offset = effective_address(cpu, insn);
    u64 next = (offset + width_bytes(w)) & width_mask((enum width)insn->address_width);
    i64 index = (i64)sign_extend(reg_read(cpu, insn->dst, w), w);
    i64 lower = (i64)sign_extend(mem_read(cpu, (enum seg)insn->seg, offset, w), w);
    i64 upper = (i64)sign_extend(mem_read(cpu, (enum seg)insn->seg, next, w), w);

    REQUIRE(cpu, index >= lower && index <= upper, FAULT(VEC_BR), RULE_IN_04);
}

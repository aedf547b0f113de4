/* SPDX-License-Identifier: MIT
 * Read-modify-write primitives: XADD CMPXCHG CMPXCHG8B CMPXCHG16B.
 * SDM 2, the instructions' pages; SDM 3A, "Locked Atomic Operations". One processor runs at a time, so each is atomic.
 */
#include "cpu/isa/operand.h"

BODY_FORMS(op_xadd)
{
    struct mem_rmw rmw;
    u64 a = dst_begin(cpu, insn, w, f, &rmw);
    u64 b = reg_read(cpu, insn->src, w);

    flags_add(cpu, w, a, b, a + b);
    reg_write(cpu, insn->src, a, w);
    dst_end(cpu, insn, w, f, &rmw, a + b); /* last: wins when both are one register */
}

/* A memory destination is written in both cases, with its old value when the comparison fails; a register then stays as
 * it is, with the upper half of a 32-bit one (as observed on Intel processors). */
BODY_FORMS(op_cmpxchg)
{
    struct mem_rmw rmw;
    u64 a = dst_begin(cpu, insn, w, f, &rmw);
    u64 accumulator = reg_read(cpu, RAX, w);
    u64 b = reg_read(cpu, insn->src, w);

    flags_sub(cpu, w, accumulator, a, accumulator - a);
    if (accumulator == a) {
        dst_end(cpu, insn, w, f, &rmw, b);
    } else {
        if (form_dst_is_memory(f))
            dst_end(cpu, insn, w, f, &rmw, a);
        reg_write(cpu, RAX, a, w);
    }
}

/* ZF alone changes. */
static void compare_exchange_8(struct cpu *cpu, const struct insn *insn)
{
    struct mem_rmw rmw;
    u64 old = mem_rmw_begin(cpu, (enum seg)insn->seg, effective_address(cpu, insn), W64, &rmw);
    u64 expected = (cpu->arch.gpr[RDX] << 32) | (u32)cpu->arch.gpr[RAX];
    u64 replacement = (cpu->arch.gpr[RCX] << 32) | (u32)cpu->arch.gpr[RBX];

    mem_rmw_end(cpu, &rmw, old == expected ? replacement : old, W64);
    flags_put_zf(cpu, old == expected);
    if (old != expected) {
        reg_write(cpu, RAX, old, W32);
        reg_write(cpu, RDX, old >> 32, W32);
    }
}

static void compare_exchange_16(struct cpu *cpu, const struct insn *insn)
{
    u64 offset = effective_address(cpu, insn);
    u64 old[2], replacement[2] = {cpu->arch.gpr[RBX], cpu->arch.gpr[RCX]};
    bool equal;

    REQUIRE(cpu, cpu_has(cpu, FEAT_CX16), UD, RULE_IS_01);
    /* SDM 2, "CMPXCHG8B/CMPXCHG16B": #GP(0) unless the operand is aligned on 16 bytes. */
    REQUIRE(cpu, (mem_linear(cpu, (enum seg)insn->seg, offset, 16, true) & 15) == 0, GP(0), RULE_IN_03);
    mem_probe(cpu, (enum seg)insn->seg, offset, 16, true);
    mem_read_block(cpu, (enum seg)insn->seg, offset, old, 16, 16);
    equal = old[0] == cpu->arch.gpr[RAX] && old[1] == cpu->arch.gpr[RDX];
    mem_write_block(cpu, (enum seg)insn->seg, offset, equal ? replacement : old, 16, 16);
    flags_put_zf(cpu, equal);
    if (!equal) {
        cpu->arch.gpr[RAX] = old[0];
        cpu->arch.gpr[RDX] = old[1];
    }
}

/* REX.W makes it CMPXCHG16B. */
BODY_PLAIN(op_cmpxchg8b)
{
    if (insn->prefixes & PREFIX_REX_W)
        compare_exchange_16(cpu, insn);
    else
        compare_exchange_8(cpu, insn);
}

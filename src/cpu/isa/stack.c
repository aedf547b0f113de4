/* SPDX-License-Identifier: MIT
 * PUSH POP PUSHA POPA ENTER LEAVE.
 * SDM 1, "Procedure Calls, Interrupts, and Exceptions"; SDM 2, the instructions' pages.
 */
#include "cpu/isa/fuse.h"
#include "cpu/isa/operand.h"
#include "cpu/isa/stack_access.h"

/* The operand is read before RSP moves: PUSH RSP stores the old value, and an address by RSP uses the old one. */
BODY_STACK(op_push) { stack_push_by(cpu, dst_read(cpu, insn, w, f), w, f); }

BODY_STACK(op_push_imm) { stack_push_by(cpu, insn->imm, w, f); }

/* An address by RSP uses the incremented value, and POP RSP keeps what was popped. SDM 2, "POP". */
BODY_STACK(op_pop)
{
    u64 value = stack_top_by(cpu, w, f);

    if (form_dst_is_memory(f)) {
        u64 old_rsp = cpu->arch.gpr[RSP], address;

        stack_release_by(cpu, width_bytes(w), f);
        address = operand_address(cpu, insn, f);
        cpu->arch.gpr[RSP] = old_rsp;
        operand_store_at(cpu, insn, address, w, f, value);
        stack_release_by(cpu, width_bytes(w), f);
    } else {
        stack_release_by(cpu, width_bytes(w), f);
        reg_write(cpu, insn->dst, value, w);
    }
}

/* rAX rCX rDX rBX old-rSP rBP rSI rDI, in the order of their numbers. A fault half way leaves the words already stored
 * and no register changed. */
BODY_PLAIN(op_pusha)
{
    enum width w = (enum width)insn->width;
    i64 bytes = (i64)width_bytes(w);

    for (unsigned n = 0; n < 8; n++)
        stack_poke(cpu, -bytes * (i64)(n + 1), cpu->arch.gpr[n], w);
    stack_adjust(cpu, -bytes * 8);
}

BODY_PLAIN(op_popa)
{
    enum width w = (enum width)insn->width;
    i64 bytes = (i64)width_bytes(w);
    u64 value[8];

    for (unsigned n = 0; n < 8; n++)
        value[n] = stack_peek(cpu, bytes * (i64)(7 - n), w);
    stack_adjust(cpu, bytes * 8);
    for (unsigned n = 0; n < 8; n++)
        if (n != RSP)
            reg_write(cpu, n, value[n], w);
}

/* SDM 2, "ENTER": push rBP, copy level-1 frame pointers of the enclosing procedures, push the new frame pointer, and
 * make room. A write at the final stack pointer must be possible. */
BODY_PLAIN(op_enter)
{
    enum width w = (enum width)insn->width;
    i64 bytes = (i64)width_bytes(w), depth = bytes;
    unsigned level = insn->imm2 & 31;
    u64 frame;

    stack_poke(cpu, -depth, cpu->arch.gpr[RBP], w);
    frame = stack_offset(cpu, -depth);
    for (unsigned i = 1; i < level; i++) {
        u64 display = (cpu->arch.gpr[RBP] - i * (u64)bytes) & stack_mask(cpu);
        u64 link = mem_read(cpu, SS, display, w);

        depth += bytes;
        stack_poke(cpu, -depth, link, w);
    }
    if (level > 0) {
        depth += bytes;
        stack_poke(cpu, -depth, frame, w);
    }
    depth += (i64)(u16)insn->imm;
    mem_probe(cpu, SS, stack_offset(cpu, -depth), (unsigned)bytes, true);
    stack_adjust(cpu, -depth);
    reg_write(cpu, RBP, frame, cpu_64bit(cpu) ? W64 : w);
}

/* rSP := rBP in the stack's size, then POP rBP in the operand's. */
BODY_STACK(op_leave)
{
    u64 mask = form_is_plain(f) ? cpu->d.laddr_mask : stack_mask(cpu);
    u64 frame = cpu->arch.gpr[RBP] & mask;
    u64 value = form_is_plain(f) ? mem_read_linear(cpu, SS, frame, w) : mem_read(cpu, SS, frame, w);

    (void)insn;
    if (form_is_plain(f))
        cpu->arch.gpr[RSP] = (frame + width_bytes(w)) & mask;
    else
        stack_set(cpu, frame + width_bytes(w));
    reg_write(cpu, RBP, value, w);
}

/* ---- runs of pushes and pops of registers, in pairs: how functions begin and end */

/* A push may have written over the second. */
#define FUSED(name, w)                                                                                                 \
    static const struct insn *name##_pair_##w(BODY_SIGNATURE)                                                          \
    {                                                                                                                  \
        cpu->d.insn = insn;                                                                                            \
        name##_body(cpu, insn, w, FORM_RP);                                                                            \
        insn++;                                                                                                        \
        if (UNLIKELY(insn->exec != name##_FORM_RP_##w))                                                                \
            BODY_CONTINUE(0);                                                                                          \
        cpu->d.insn = insn;                                                                                            \
        name##_body(cpu, insn, w, FORM_RP);                                                                            \
        BODY_CONTINUE(1);                                                                                              \
    }
FUSED(op_push, W32)
FUSED(op_push, W64)
FUSED(op_pop, W32)
FUSED(op_pop, W64)

const struct fusion stack_fusions[] = {
    {&op_push, &op_push, FORM_RP, {[FORM_RP] = {[W32] = op_push_pair_W32, [W64] = op_push_pair_W64}}},
    {&op_pop, &op_pop, FORM_RP, {[FORM_RP] = {[W32] = op_pop_pair_W32, [W64] = op_pop_pair_W64}}},
};
const unsigned stack_fusion_count = ARRAY_LEN(stack_fusions);

/* SPDX-License-Identifier: MIT
 * Binary integer arithmetic and logic: ADD OR ADC SBB AND SUB XOR CMP TEST INC DEC NEG NOT.
 * SDM 1, "Binary Arithmetic Instructions", "Logical Instructions"; SDM 2, the instructions' pages.
 *
 * AF after logic is undefined in the manual; real processors clear it, and so do we.
 */
#include "cpu/isa/operand.h"

#define ALU_BODY(name, expression, set_flags)                                                                          \
    BODY_FORMS(name)                                                                                                   \
    {                                                                                                                  \
        u64 b = src_read(cpu, insn, w, f);                                                                             \
        struct mem_rmw rmw;                                                                                            \
        u64 a = dst_begin(cpu, insn, w, f, &rmw);                                                                      \
        u64 r = (expression);                                                                                          \
                                                                                                                       \
        set_flags;                                                                                                     \
        dst_end(cpu, insn, w, f, &rmw, r);                                                                             \
    }

ALU_BODY(op_add, a + b, flags_add(cpu, w, a, b, r))
ALU_BODY(op_adc, a + b + flag_cf(cpu), flags_add(cpu, w, a, b, r))
ALU_BODY(op_sub, a - b, flags_sub(cpu, w, a, b, r))
ALU_BODY(op_sbb, a - b - flag_cf(cpu), flags_sub(cpu, w, a, b, r))
ALU_BODY(op_and, (a & b), flags_logic(cpu, w, r))
ALU_BODY(op_or, a | b, flags_logic(cpu, w, r))
ALU_BODY(op_xor, a ^ b, flags_logic(cpu, w, r))

BODY_FORMS(op_cmp)
{
    u64 b = src_read(cpu, insn, w, f);
    u64 a = dst_read(cpu, insn, w, f);

    flags_sub(cpu, w, a, b, a - b);
}

BODY_FORMS(op_test)
{
    u64 b = src_read(cpu, insn, w, f);

    flags_logic(cpu, w, dst_read(cpu, insn, w, f) & b);
}

BODY_UNARY(op_inc)
{
    struct mem_rmw rmw;
    u64 a = dst_begin(cpu, insn, w, f, &rmw);
    bool cf = flag_cf(cpu);

    flags_add(cpu, w, a, 1, a + 1);
    flags_keep_cf(cpu, cf);
    dst_end(cpu, insn, w, f, &rmw, a + 1);
}

BODY_UNARY(op_dec)
{
    struct mem_rmw rmw;
    u64 a = dst_begin(cpu, insn, w, f, &rmw);
    bool cf = flag_cf(cpu);

    flags_sub(cpu, w, a, 1, a - 1);
    flags_keep_cf(cpu, cf);
    dst_end(cpu, insn, w, f, &rmw, a - 1);
}

BODY_UNARY(op_neg)
{
    struct mem_rmw rmw;
    u64 a = dst_begin(cpu, insn, w, f, &rmw);

    flags_sub(cpu, w, 0, a, 0 - a);
    dst_end(cpu, insn, w, f, &rmw, 0 - a);
}

BODY_UNARY(op_not)
{
    struct mem_rmw rmw;
    u64 a = dst_begin(cpu, insn, w, f, &rmw);

    dst_end(cpu, insn, w, f, &rmw, ~a);
}

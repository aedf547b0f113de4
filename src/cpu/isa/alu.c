/* SPDX-License-Identifier: MIT
 * Binary integer arithmetic and logic: ADD OR ADC SBB AND SUB XOR CMP TEST INC DEC NEG NOT.
 * SDM 1, "Binary Arithmetic Instructions", "Logical Instructions"; SDM 2, the instructions' pages.
 *
 * AF after logic is undefined in the manual; real processors clear it, and so do we.
 */
#include "cpu/isa/condition.h"
#include "cpu/isa/fuse.h"
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

/* ---- CMP and TEST with the conditional jump behind, to a target in its page
 *
 * The walk of a memory operand may set an accessed bit in the very bytes of the jump: then the block is abandoned. */

#define FUSED(first, f, w, cc, condition)                                                                              \
    static const struct insn *first##_##f##_##w##_j##cc(BODY_SIGNATURE)                                                \
    {                                                                                                                  \
        if (form_is_plain(f))                                                                                          \
            cpu->d.insn = insn;                                                                                        \
        first##_body(cpu, insn, w, f);                                                                                 \
        if (form_is_plain(f) && UNLIKELY(insn->exec != first##_##f##_##w##_j##cc))                                     \
            BODY_CONTINUE(1);                                                                                          \
        insn++;                                                                                                        \
        if (condition)                                                                                                 \
            BODY_CONTINUE(insn->taken);                                                                                \
        BODY_CONTINUE(1);                                                                                              \
    }
#define FUSED_WIDTHS(first, f, cc, condition)                                                                          \
    FUSED(first, f, W8, cc, condition) FUSED(first, f, W32, cc, condition) FUSED(first, f, W64, cc, condition)
#define FUSED_FORMS(first, cc, condition)                                                                              \
    FUSED_WIDTHS(first, FORM_RR, cc, condition)                                                                        \
    FUSED_WIDTHS(first, FORM_RI, cc, condition)                                                                        \
    FUSED_WIDTHS(first, FORM_RP, cc, condition)                                                                        \
    FUSED_WIDTHS(first, FORM_PR, cc, condition) FUSED_WIDTHS(first, FORM_PI, cc, condition)
#define FUSED_ROW(first, f, cc)                                                                                        \
    [f] = {[W8] = first##_##f##_W8_j##cc, [W32] = first##_##f##_W32_j##cc, [W64] = first##_##f##_W64_j##cc}
#define FUSION(name, cc)                                                                                               \
    {.first = &name,                                                                                                   \
     .second = &op_j##cc,                                                                                              \
     .second_form = FORM_PI,                                                                                           \
     .fn = {FUSED_ROW(name, FORM_RR, cc), FUSED_ROW(name, FORM_RI, cc), FUSED_ROW(name, FORM_RP, cc),                  \
            FUSED_ROW(name, FORM_PR, cc), FUSED_ROW(name, FORM_PI, cc)}},

#define FUSED_CMP(cc, condition) FUSED_FORMS(op_cmp, cc, condition)
#define FUSED_TEST(cc, condition) FUSED_FORMS(op_test, cc, condition)
CONDITIONS(FUSED_CMP)
CONDITIONS(FUSED_TEST)

#define FUSION_CMP(cc, condition) FUSION(op_cmp, cc)
#define FUSION_TEST(cc, condition) FUSION(op_test, cc)
const struct fusion alu_fusions[] = {CONDITIONS(FUSION_CMP) CONDITIONS(FUSION_TEST)};
const unsigned alu_fusion_count = ARRAY_LEN(alu_fusions);

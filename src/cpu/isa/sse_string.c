/* SPDX-License-Identifier: MIT
 * SSE4.2 string comparison: PCMPESTRI, PCMPESTRM, PCMPISTRI, PCMPISTRM.
 * SDM 2B, "Imm8 Control Byte Operation for PCMPESTRI / PCMPESTRM / PCMPISTRI / PCMPISTRM".
 */
#include "cpu/isa/simd.h"

enum aggregation { EQUAL_ANY, RANGES, EQUAL_EACH, EQUAL_ORDERED };

#define IMM_WORDS 0x01u /* elements are words, else bytes */
#define IMM_SIGNED 0x02u
#define IMM_NEGATE 0x10u       /* complement IntRes1... */
#define IMM_NEGATE_VALID 0x20u /* ...only where the second operand has elements */
#define IMM_MOST 0x40u         /* index of the most significant bit; mask expanded to elements */

struct comparison {
    const union xmm_reg *a, *b; /* first operand (the set, the needle) and second (the text) */
    unsigned a_length, b_length, elements;
    u8 imm;
};

static i32 element(const struct comparison *c, const union xmm_reg *v, unsigned i)
{
    if (c->imm & IMM_WORDS)
        return c->imm & IMM_SIGNED ? (i16)v->u16[i] : v->u16[i];
    return c->imm & IMM_SIGNED ? (i8)v->u8[i] : v->u8[i];
}

static bool equal(const struct comparison *c, unsigned i, unsigned j)
{
    return element(c, c->a, i) == element(c, c->b, j);
}

/* Is element j of b any of the elements of a? */
static bool equal_any(const struct comparison *c, unsigned j)
{
    for (unsigned i = 0; i < c->a_length && j < c->b_length; i++)
        if (equal(c, i, j))
            return true;
    return false;
}

/* Does element j of b lie in one of the pairs (low, high) of a? An odd last element is no pair. */
static bool in_ranges(const struct comparison *c, unsigned j)
{
    for (unsigned i = 0; i + 1 < c->a_length && j < c->b_length; i += 2)
        if (element(c, c->b, j) >= element(c, c->a, i) && element(c, c->b, j) <= element(c, c->a, i + 1))
            return true;
    return false;
}

/* Both ended counts as equal, one ended as different. */
static bool equal_each(const struct comparison *c, unsigned j)
{
    if (j >= c->a_length || j >= c->b_length)
        return j >= c->a_length && j >= c->b_length;
    return equal(c, j, j);
}

/* Does the string a begin at element j of b? What would lie beyond the register is taken to match. */
static bool equal_ordered(const struct comparison *c, unsigned j)
{
    for (unsigned i = 0; i < c->a_length && i + j < c->elements; i++)
        if (i + j >= c->b_length || !equal(c, i, i + j))
            return false;
    return true;
}

/* IntRes2: one bit per element of b. */
static u32 compare(const struct comparison *c)
{
    u32 result = 0, all = (1u << c->elements) - 1;

    for (unsigned j = 0; j < c->elements; j++) {
        bool bit = false;

        switch ((enum aggregation)((c->imm >> 2) & 3)) {
        case EQUAL_ANY: bit = equal_any(c, j); break;
        case RANGES: bit = in_ranges(c, j); break;
        case EQUAL_EACH: bit = equal_each(c, j); break;
        case EQUAL_ORDERED: bit = equal_ordered(c, j); break;
        }
        result |= (u32)bit << j;
    }
    if (c->imm & IMM_NEGATE)
        result ^= c->imm & IMM_NEGATE_VALID ? (1u << c->b_length) - 1 : all;
    return result;
}

/* Length up to the first zero element. */
static unsigned implicit_length(const struct comparison *c, const union xmm_reg *v)
{
    unsigned n = 0;

    while (n < c->elements && element(c, v, n) != 0)
        n++;
    return n;
}

/* Absolute value of EAX or EDX (RAX, RDX with REX.W), at most the number of elements. */
static unsigned explicit_length(const struct cpu *cpu, const struct insn *insn, unsigned n, unsigned elements)
{
    u64 value = sign_extend(cpu->arch.gpr[n], rex_width(insn));

    if ((i64)value < 0)
        value = 0 - value;
    return value < elements ? (unsigned)value : elements;
}

/* The common part. returns: IntRes2, with the arithmetic flags set */
static u32 string_compare(struct cpu *cpu, const struct insn *insn, bool explicit, unsigned *elements)
{
    union xmm_reg a, b;
    struct comparison c = {.a = &a, .b = &b, .imm = (u8)insn->imm, .elements = insn->imm & IMM_WORDS ? 8 : 16};
    u32 result;

    if (insn->form == FORM_RM)
        vec_load(cpu, insn, &b, 16, 1);
    else
        b = cpu->arch.xmm[insn->src];
    a = cpu->arch.xmm[insn->dst];
    c.a_length = explicit ? explicit_length(cpu, insn, RAX, c.elements) : implicit_length(&c, &a);
    c.b_length = explicit ? explicit_length(cpu, insn, RDX, c.elements) : implicit_length(&c, &b);
    result = compare(&c);
    flags_put_arithmetic(cpu, (result != 0 ? FLAG_CF : 0) | (c.b_length < c.elements ? FLAG_ZF : 0) |
                                  (c.a_length < c.elements ? FLAG_SF : 0) | (result & 1 ? FLAG_OF : 0));
    *elements = c.elements;
    return result;
}

/* ECX = index of the least or most significant set bit, the number of elements when there is none. */
static void compare_index(struct cpu *cpu, const struct insn *insn, bool explicit)
{
    unsigned elements, index;
    u32 result = string_compare(cpu, insn, explicit, &elements);

    if (result == 0)
        index = elements;
    else
        index = (unsigned)(insn->imm & IMM_MOST ? 31 - __builtin_clz(result) : __builtin_ctz(result));
    reg_write(cpu, RCX, index, W32);
}

/* XMM0 = the bits, or a mask of elements. */
static void compare_mask(struct cpu *cpu, const struct insn *insn, bool explicit)
{
    unsigned elements;
    u32 result = string_compare(cpu, insn, explicit, &elements);
    union xmm_reg mask = {.u64 = {result, 0}};

    if (insn->imm & IMM_MOST) {
        for (unsigned i = 0; i < elements; i++) {
            if (elements == 8)
                mask.u16[i] = (result >> i) & 1 ? 0xFFFF : 0;
            else
                mask.u8[i] = (result >> i) & 1 ? 0xFF : 0;
        }
    }
    cpu->arch.xmm[0] = mask;
}

BODY_PLAIN(op_pcmpestri) { compare_index(cpu, insn, true); }

BODY_PLAIN(op_pcmpestrm) { compare_mask(cpu, insn, true); }

BODY_PLAIN(op_pcmpistri) { compare_index(cpu, insn, false); }

BODY_PLAIN(op_pcmpistrm) { compare_mask(cpu, insn, false); }

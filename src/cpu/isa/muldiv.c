/* SPDX-License-Identifier: MIT
 * Multiplication and division: MUL IMUL DIV IDIV.
 * SDM 2, "MUL", "IMUL", "DIV", "IDIV".
 *
 * SF, ZF, AF and PF after a multiplication are undefined: SF, ZF and PF are set from the low half, AF is cleared.
 * All flags after a division are undefined and stay as they were.
 */
#include "cpu/isa/operand.h"

typedef unsigned __int128 u128;
typedef __int128 i128;

/* Low and high halves to AX, DX:AX, EDX:EAX or RDX:RAX. */
ALWAYS_INLINE void write_double(struct cpu *cpu, enum width w, u64 low, u64 high)
{
    if (w == W8) {
        reg_write(cpu, RAX, (high << 8) | (low & 0xFF), W16);
    } else {
        reg_write(cpu, RAX, low, w);
        reg_write(cpu, RDX, high, w);
    }
}

ALWAYS_INLINE void multiply_flags(struct cpu *cpu, enum width w, u64 low, bool overflow)
{
    flags_logic(cpu, w, low);
    flags_put_cf_of(cpu, overflow, overflow);
}

BODY_UNARY(op_mul)
{
    u128 product = (u128)reg_read(cpu, RAX, w) * dst_read(cpu, insn, w, f);
    u64 low = (u64)product & width_mask(w), high = (u64)(product >> width_bits(w)) & width_mask(w);

    write_double(cpu, w, low, high);
    multiply_flags(cpu, w, low, high != 0);
}

BODY_UNARY(op_imul1)
{
    i64 a = (i64)sign_extend(reg_read(cpu, RAX, w), w);
    i128 product = (i128)a * (i64)sign_extend(dst_read(cpu, insn, w, f), w);
    u64 low = (u64)product & width_mask(w), high = (u64)((u128)product >> width_bits(w)) & width_mask(w);

    write_double(cpu, w, low, high);
    multiply_flags(cpu, w, low, product != (i64)sign_extend(low, w));
}

ALWAYS_INLINE void multiply_signed(BODY_SIGNATURE, enum width w, u64 a, u64 b)
{
    i128 product = (i128)(i64)sign_extend(a, w) * (i64)sign_extend(b, w);
    u64 low = (u64)product & width_mask(w);

    reg_write(cpu, insn->dst, low, w);
    multiply_flags(cpu, w, low, product != (i64)sign_extend(low, w));
}

/* IMUL r, r/m */
BODY_FORMS(op_imul2)
{
    u64 b = src_read(cpu, insn, w, f);

    multiply_signed(cpu, insn, w, reg_read(cpu, insn->dst, w), b);
}

/* IMUL r, r/m, imm: the forms speak of dst and src, the immediate is beside them. */
BODY_FORMS(op_imul3) { multiply_signed(cpu, insn, w, src_read(cpu, insn, w, f), insn->imm); }

BODY_UNARY(op_div)
{
    u64 divisor = dst_read(cpu, insn, w, f);
    u64 low, high;
    u128 dividend, quotient;

    if (w == W8) {
        low = (u8)cpu->arch.gpr[RAX];
        high = (u8)(cpu->arch.gpr[RAX] >> 8);
    } else {
        low = reg_read(cpu, RAX, w);
        high = reg_read(cpu, RDX, w);
    }
    REQUIRE(cpu, divisor != 0, DE, RULE_IN_01);
    /* The quotient fits if and only if the high half is below the divisor. */
    REQUIRE(cpu, high < divisor, DE, RULE_IN_01);
    if (w != W64) {
        u64 value = (high << (width_bits(w) & 63)) | low;

        write_double(cpu, w, value / divisor, value % divisor);
        return;
    }
    dividend = ((u128)high << 64) | low;
    quotient = dividend / divisor;
    write_double(cpu, w, (u64)quotient, (u64)(dividend % divisor));
}

/* Up to 32 bits the dividend fits in 64. */
ALWAYS_INLINE void divide_signed_short(struct cpu *cpu, enum width w, i64 divisor)
{
    i64 dividend, quotient;

    switch (w) {
    case W8: dividend = (i16)cpu->arch.gpr[RAX]; break;
    case W16: dividend = (i32)((u32)reg_read(cpu, RDX, W16) << 16 | (u32)reg_read(cpu, RAX, W16)); break;
    default: dividend = (i64)(reg_read(cpu, RDX, W32) << 32 | reg_read(cpu, RAX, W32)); break;
    }
    /* The most negative dividend by -1 has no quotient in the host's type either. */
    REQUIRE(cpu, divisor != -1 || dividend != INT64_MIN, DE, RULE_IN_01);
    quotient = dividend / divisor;
    REQUIRE(cpu, quotient == (i64)sign_extend((u64)quotient, w), DE, RULE_IN_01);
    write_double(cpu, w, (u64)quotient, (u64)(dividend % divisor));
}

BODY_UNARY(op_idiv)
{
    i64 divisor = (i64)sign_extend(dst_read(cpu, insn, w, f), w);
    i128 dividend, quotient;

    REQUIRE(cpu, divisor != 0, DE, RULE_IN_01);
    if (w != W64) {
        divide_signed_short(cpu, w, divisor);
        return;
    }
    dividend = (i128)((u128)cpu->arch.gpr[RDX] << 64 | cpu->arch.gpr[RAX]);
    REQUIRE(cpu, divisor != -1 || dividend != (i128)((u128)1 << 127), DE, RULE_IN_01);
    quotient = dividend / divisor;
    REQUIRE(cpu, quotient == (i64)quotient, DE, RULE_IN_01);
    write_double(cpu, w, (u64)quotient, (u64)(dividend % divisor));
}

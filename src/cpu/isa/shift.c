/* SPDX-License-Identifier: MIT
 * Shifts and rotates: ROL ROR RCL RCR SHL SHR SAR SHLD SHRD.
 * SDM 1, "Shift and Rotate Instructions"; SDM 2, the instructions' pages.
 *
 * A masked count of zero changes no flag. OF is defined for a count of 1 only: for others the same formula is used.
 * AF is undefined and cleared. CF of an 8- or 16-bit shift by more than its width is undefined: SHL and SHR give the
 * bit a wider register would have shifted out (0 past the width).
 */
#include "cpu/isa/operand.h"

/* SDM 2, "SAL/SAR/SHL/SHR": the count is masked to 5 bits, 6 with a 64-bit operand. */
ALWAYS_INLINE unsigned shift_count(struct cpu *cpu, const struct insn *insn, enum width w, enum form f)
{
    u64 count = form_has_immediate(f) ? insn->imm : cpu->arch.gpr[RCX];

    return (unsigned)(count & (w == W64 ? 63 : 31));
}

/* Flags of a shift's result, with CF and OF given. */
ALWAYS_INLINE void shift_flags(struct cpu *cpu, enum width w, u64 result, bool cf, bool of)
{
    cpu->d.flag_result = sign_extend(result, w);
    cpu->d.flag_carries = ((u64)cf << 63) | ((u64)(cf ^ of) << 62);
}

ALWAYS_INLINE bool top_bit(u64 value, enum width w) { return (value >> (width_bits(w) - 1)) & 1; }

ALWAYS_INLINE bool second_bit(u64 value, enum width w) { return (value >> (width_bits(w) - 2)) & 1; }

BODY_FORMS(op_shl)
{
    unsigned count = shift_count(cpu, insn, w, f);
    struct mem_rmw rmw;
    u64 a = dst_begin(cpu, insn, w, f, &rmw);
    u64 r = a << count;

    if (LIKELY(count != 0)) {
        bool cf = count <= width_bits(w) && ((a >> (width_bits(w) - count)) & 1);

        shift_flags(cpu, w, r, cf, top_bit(r, w) ^ cf);
    }
    dst_end(cpu, insn, w, f, &rmw, r);
}

BODY_FORMS(op_shr)
{
    unsigned count = shift_count(cpu, insn, w, f);
    struct mem_rmw rmw;
    u64 a = dst_begin(cpu, insn, w, f, &rmw);
    u64 r = a >> count;

    if (LIKELY(count != 0))
        shift_flags(cpu, w, r, (a >> (count - 1)) & 1, top_bit(a, w));
    dst_end(cpu, insn, w, f, &rmw, r);
}

BODY_FORMS(op_sar)
{
    unsigned count = shift_count(cpu, insn, w, f);
    struct mem_rmw rmw;
    i64 a = (i64)sign_extend(dst_begin(cpu, insn, w, f, &rmw), w);
    u64 r = (u64)(a >> count);

    if (LIKELY(count != 0))
        shift_flags(cpu, w, r, (a >> (count - 1)) & 1, false);
    dst_end(cpu, insn, w, f, &rmw, r);
}

/* Rotate left by less than the width. */
ALWAYS_INLINE u64 rotate_left(u64 a, unsigned count, enum width w)
{
    return count == 0 ? a : ((a << count) | (a >> (width_bits(w) - count))) & width_mask(w);
}

BODY_FORMS(op_rol)
{
    unsigned count = shift_count(cpu, insn, w, f);
    struct mem_rmw rmw;
    u64 r = rotate_left(dst_begin(cpu, insn, w, f, &rmw), count & (width_bits(w) - 1), w);

    if (LIKELY(count != 0))
        flags_put_cf_of(cpu, r & 1, top_bit(r, w) ^ (r & 1));
    dst_end(cpu, insn, w, f, &rmw, r);
}

BODY_FORMS(op_ror)
{
    unsigned count = shift_count(cpu, insn, w, f);
    struct mem_rmw rmw;
    u64 r = rotate_left(dst_begin(cpu, insn, w, f, &rmw), (0 - count) & (width_bits(w) - 1), w);

    if (LIKELY(count != 0))
        flags_put_cf_of(cpu, top_bit(r, w), top_bit(r, w) ^ second_bit(r, w));
    dst_end(cpu, insn, w, f, &rmw, r);
}

/* RCL and RCR turn through CF: 9, 17, 33 or 65 places. SDM 2, "RCL/RCR/ROL/ROR". */
ALWAYS_INLINE unsigned carry_count(unsigned count, enum width w)
{
    return w == W8 ? count % 9 : w == W16 ? count % 17 : count;
}

BODY_FORMS(op_rcl)
{
    unsigned count = carry_count(shift_count(cpu, insn, w, f), w);
    unsigned width = width_bits(w);
    struct mem_rmw rmw;
    u64 a = dst_begin(cpu, insn, w, f, &rmw), r = a;

    if (LIKELY(count != 0)) {
        bool cf = (a >> (width - count)) & 1;

        r = ((count < 64 ? a << count : 0) | ((u64)flag_cf(cpu) << (count - 1)));
        if (count > 1)
            r |= a >> (width - count + 1);
        flags_put_cf_of(cpu, cf, top_bit(r, w) ^ cf);
    }
    dst_end(cpu, insn, w, f, &rmw, r);
}

BODY_FORMS(op_rcr)
{
    unsigned count = carry_count(shift_count(cpu, insn, w, f), w);
    unsigned width = width_bits(w);
    struct mem_rmw rmw;
    u64 a = dst_begin(cpu, insn, w, f, &rmw), r = a;

    if (LIKELY(count != 0)) {
        r = (a >> count) | ((u64)flag_cf(cpu) << (width - count));
        if (count > 1)
            r |= a << (width - count + 1);
        flags_put_cf_of(cpu, (a >> (count - 1)) & 1, top_bit(r, w) ^ second_bit(r, w));
    }
    dst_end(cpu, insn, w, f, &rmw, r);
}

/* Double shifts. A 16-bit operand with a count above 16 is undefined: as on Intel processors, the destination comes
 * round again behind the source. */
ALWAYS_INLINE void double_shift(BODY_SIGNATURE, enum width w, enum form f, unsigned count, bool left)
{
    u64 b = reg_read(cpu, insn->src, w);
    struct mem_rmw rmw;
    u64 a = dst_begin(cpu, insn, w, f, &rmw), r = a;
    unsigned width = width_bits(w);

    count &= w == W64 ? 63 : 31;
    if (LIKELY(count != 0)) {
        u64 ring = (a << 32) | (b << 16) | a; /* of 16-bit operands */
        bool cf;

        if (left) {
            r = w <= W16 ? (ring << count) >> 32 : (a << count) | (b >> (width - count));
            cf = (w <= W16 ? ring >> (48 - count) : a >> (width - count)) & 1;
        } else {
            r = w <= W16 ? ring >> count : (a >> count) | (b << (width - count));
            cf = (w <= W16 ? ring >> (count - 1) : a >> (count - 1)) & 1;
        }
        shift_flags(cpu, w, r, cf, top_bit(r ^ a, w));
    }
    dst_end(cpu, insn, w, f, &rmw, r);
}

BODY_UNARY(op_shld_imm) { double_shift(cpu, insn, w, f, (unsigned)(insn->imm & 0xFF), true); }
BODY_UNARY(op_shld_cl) { double_shift(cpu, insn, w, f, (u8)cpu->arch.gpr[RCX], true); }
BODY_UNARY(op_shrd_imm) { double_shift(cpu, insn, w, f, (unsigned)(insn->imm & 0xFF), false); }
BODY_UNARY(op_shrd_cl) { double_shift(cpu, insn, w, f, (u8)cpu->arch.gpr[RCX], false); }

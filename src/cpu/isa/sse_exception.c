/* SPDX-License-Identifier: MIT
 * SIMD floating-point exceptions that are not masked: which flags are set, and the fault.
 * SDM 1, "SIMD Floating-Point Exception Conditions", "Generating SIMD Floating-Point Exceptions".
 */
#include "cpu/isa/sse_fp.h"

static u32 unmasked_exceptions(const struct cpu *cpu) { return ~(cpu->arch.mxcsr >> MXCSR_MASK_SHIFT) & MXCSR_FLAGS; }

static NORETURN void raise_simd_exception(struct cpu *cpu)
{
    REQUIRE(cpu, cpu->arch.cr4 & CR4_OSXMMEXCPT, UD, RULE_MM_02);
    cpu_raise(cpu, FAULT(VEC_XM), RULE_MM_02);
}

/* An unmasked exception of the operands stops the instruction before anything is computed: no OE, UE, PE then. */
void fp_finish_unmasked(struct cpu *cpu, u32 flags)
{
    u32 unmasked = unmasked_exceptions(cpu);

    if (flags & MXCSR_PRE & unmasked)
        flags &= MXCSR_PRE;
    cpu->arch.mxcsr |= flags;
    if (flags & unmasked)
        raise_simd_exception(cpu);
}

/* ---- lanes as sign, exponent and fraction */
static unsigned lane_count(enum fp_lanes lanes) { return lanes == FP_PS ? 4 : lanes == FP_PD ? 2 : 1; }

static bool lanes_are_double(enum fp_lanes lanes) { return lanes == FP_PD || lanes == FP_SD; }

static bool any_denormal(const union xmm_reg *v, enum fp_lanes lanes)
{
    for (unsigned i = 0; i < lane_count(lanes); i++) {
        u64 raw = lanes_are_double(lanes) ? v->u64[i] : (u64)v->u32[i] << 32;
        u64 exponent = lanes_are_double(lanes) ? 0x7FF0000000000000ull : 0x7F80000000000000ull;

        if (!(raw & exponent) && raw << 1)
            return true;
    }
    return false;
}

/* Scale one finite nonzero value; zeros, infinities and NaNs stay. */
static u64 scale_lane(u64 raw, unsigned fraction_bits, unsigned exponent_bits, enum fp_scale scale)
{
    u64 sign = raw & BIT(fraction_bits + exponent_bits), fraction = raw & (BIT(fraction_bits) - 1);
    u64 limit = BIT(exponent_bits) - 1, exponent = (raw >> fraction_bits) & limit;

    if (exponent == limit || (exponent == 0 && fraction == 0))
        return raw;
    if (scale == FP_PRODUCT) {
        while (exponent == 0 && !(fraction >> fraction_bits))
            fraction <<= 1;
        exponent = limit / 2;
        fraction &= BIT(fraction_bits) - 1;
    } else if (exponent > 4) {
        exponent -= 4;
    } else { /* next to a sum that overflows: only that it is not zero matters */
        exponent = 1;
    }
    return sign | exponent << fraction_bits | fraction;
}

static void scale_lanes(union xmm_reg *v, enum fp_lanes lanes, enum fp_scale scale)
{
    for (unsigned i = 0; i < lane_count(lanes); i++) {
        if (lanes_are_double(lanes))
            v->u64[i] = scale_lane(v->u64[i], 52, 11, scale);
        else
            v->u32[i] = (u32)scale_lane(v->u32[i], 23, 8, scale);
    }
}

/* Denormal operands are zeros under DAZ, before any scaling. */
static void flush_denormals(union xmm_reg *v, enum fp_lanes lanes)
{
    for (unsigned i = 0; i < lane_count(lanes); i++) {
        if (lanes_are_double(lanes)) {
            if (!(v->u64[i] & 0x7FF0000000000000ull))
                v->u64[i] &= BIT(63);
        } else if (!(v->u32[i] & 0x7F800000u)) {
            v->u32[i] &= 0x80000000u;
        }
    }
}

/* Would the result be inexact if exponents had no bounds? That is what PE says beside an unmasked OE or UE. */
static u32 unbounded_precision(const struct cpu *cpu, const struct fp_operation *operation, union xmm_reg d,
                               union xmm_reg s)
{
    if (cpu->arch.mxcsr & MXCSR_DAZ) {
        flush_denormals(&d, operation->operands);
        flush_denormals(&s, operation->operands);
    }
    scale_lanes(&d, operation->operands, operation->scale);
    scale_lanes(&s, operation->operands, operation->scale);
    return operation->host(cpu, &d, &s) & MXCSR_PE;
}

/* An unmasked underflow is signalled for every tiny result, exact ones too; a masked one only when it is inexact.
 * A sum of denormals is exact, so only an overflowing sum needs scaling. */
void fp_finish_arithmetic_unmasked(struct cpu *cpu, u32 flags, const struct fp_operation *operation,
                                   const union xmm_reg *d, const union xmm_reg *s, const union xmm_reg *result)
{
    u32 unmasked = unmasked_exceptions(cpu), beyond;

    if (!(flags & MXCSR_PRE & unmasked)) {
        if ((unmasked & MXCSR_UE) && any_denormal(result, operation->result))
            flags |= MXCSR_UE;
        beyond = flags & (MXCSR_OE | MXCSR_UE);
        if ((beyond & unmasked) && (operation->scale == FP_PRODUCT || (beyond & unmasked & MXCSR_OE))) {
            flags &= ~MXCSR_PE;
            flags |= unbounded_precision(cpu, operation, *d, *s);
            if (beyond & ~unmasked) /* a masked overflow or underflow of another lane is inexact */
                flags |= MXCSR_PE;
        }
    }
    fp_finish_unmasked(cpu, flags);
}

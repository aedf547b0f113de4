/* SPDX-License-Identifier: MIT
 * SSE floating-point arithmetic: the IEEE-exact operations on the host's unit, dot products, rounding, and the two
 * approximations, which are our own so that their results are the same on every host.
 * SDM 2A/2B, the instructions named; SDM 1, "SIMD Floating-Point Exceptions".
 *
 * The host must have SSE4.1 (ROUNDPS) and SSE3 (HADDPS).
 */
#include "cpu/isa/sse_fp.h"

static bool any_denormal(const union xmm_reg *v, enum fp_lanes lanes)
{
    unsigned singles = lanes == FP_PS ? 4 : lanes == FP_SS ? 1 : 0;
    unsigned doubles = lanes == FP_PD ? 2 : lanes == FP_SD ? 1 : 0;

    for (unsigned i = 0; i < singles; i++)
        if (!(v->u32[i] & 0x7F800000u) && (v->u32[i] & 0x007FFFFFu))
            return true;
    for (unsigned i = 0; i < doubles; i++)
        if (!(v->u64[i] & 0x7FF0000000000000ull) && (v->u64[i] & 0x000FFFFFFFFFFFFFull))
            return true;
    return false;
}

static NORETURN void raise_simd_exception(struct cpu *cpu)
{
    REQUIRE(cpu, cpu->arch.cr4 & CR4_OSXMMEXCPT, UD, RULE_NONE);
    cpu_raise(cpu, FAULT(VEC_XM), RULE_NONE);
}

/* An unmasked exception of the operands stops the instruction before anything is computed: no OE, UE, PE then.
 * An unmasked underflow is signalled for every tiny result, exact ones too; a masked one only when it is inexact. */
void fp_finish_unmasked(struct cpu *cpu, u32 flags, const union xmm_reg *result, enum fp_lanes lanes)
{
    u32 unmasked = ~(cpu->arch.mxcsr >> MXCSR_MASK_SHIFT) & MXCSR_FLAGS;

    if (flags & MXCSR_PRE & unmasked) {
        cpu->arch.mxcsr |= flags & MXCSR_PRE;
        raise_simd_exception(cpu);
    }
    if ((unmasked & MXCSR_UE) && any_denormal(result, lanes))
        flags |= MXCSR_UE;
    cpu->arch.mxcsr |= flags;
    if (flags & unmasked)
        raise_simd_exception(cpu);
}

/* ---- V = V op W */
FP_OP(addps, 16, FP_PS)
FP_OP(addpd, 16, FP_PD)
FP_OP(addss, 4, FP_SS)
FP_OP(addsd, 8, FP_SD)
FP_OP(subps, 16, FP_PS)
FP_OP(subpd, 16, FP_PD)
FP_OP(subss, 4, FP_SS)
FP_OP(subsd, 8, FP_SD)
FP_OP(mulps, 16, FP_PS)
FP_OP(mulpd, 16, FP_PD)
FP_OP(mulss, 4, FP_SS)
FP_OP(mulsd, 8, FP_SD)
FP_OP(divps, 16, FP_PS)
FP_OP(divpd, 16, FP_PD)
FP_OP(divss, 4, FP_SS)
FP_OP(divsd, 8, FP_SD)
FP_OP(sqrtps, 16, FP_NEVER_TINY)
FP_OP(sqrtpd, 16, FP_NEVER_TINY)
FP_OP(sqrtss, 4, FP_NEVER_TINY)
FP_OP(sqrtsd, 8, FP_NEVER_TINY)
FP_OP(minps, 16, FP_NEVER_TINY)
FP_OP(minpd, 16, FP_NEVER_TINY)
FP_OP(minss, 4, FP_NEVER_TINY)
FP_OP(minsd, 8, FP_NEVER_TINY)
FP_OP(maxps, 16, FP_NEVER_TINY)
FP_OP(maxpd, 16, FP_NEVER_TINY)
FP_OP(maxss, 4, FP_NEVER_TINY)
FP_OP(maxsd, 8, FP_NEVER_TINY)
FP_OP(haddps, 16, FP_PS)
FP_OP(haddpd, 16, FP_PD)
FP_OP(hsubps, 16, FP_PS)
FP_OP(hsubpd, 16, FP_PD)
FP_OP(addsubps, 16, FP_PS)
FP_OP(addsubpd, 16, FP_PD)

/* ---- dot products: a product of the selected lanes, then sums of pairs; each step reports its own exceptions, and
 * the lanes not selected count as +0. SDM 2A, "DPPS", "DPPD" */
BODY_PLAIN(op_dpps)
{
    union xmm_reg s = xmm_source(cpu, insn, 16, insn->form == FORM_RM), d = cpu->arch.xmm[insn->dst], t;
    u8 imm = (u8)insn->imm;
    u32 flags;

    for (unsigned i = 0; i < 4; i++)
        if (!((imm >> (4 + i)) & 1))
            d.u32[i] = s.u32[i] = 0;
    flags = host_mulps(cpu, &d, &s);
    fp_finish(cpu, flags, &d, FP_PS);
    s = (union xmm_reg){.u32 = {d.u32[1], d.u32[0], d.u32[3], d.u32[2]}};
    flags = host_addps(cpu, &s, &d);
    fp_finish(cpu, flags, &s, FP_PS);
    t = (union xmm_reg){.u32 = {s.u32[2], s.u32[3], s.u32[0], s.u32[1]}};
    flags = host_addps(cpu, &s, &t);
    fp_finish(cpu, flags, &s, FP_PS);
    for (unsigned i = 0; i < 4; i++)
        cpu->arch.xmm[insn->dst].u32[i] = (imm >> i) & 1 ? s.u32[i] : 0;
}

BODY_PLAIN(op_dppd)
{
    union xmm_reg s = xmm_source(cpu, insn, 16, insn->form == FORM_RM), d = cpu->arch.xmm[insn->dst];
    u8 imm = (u8)insn->imm;
    u32 flags;

    for (unsigned i = 0; i < 2; i++)
        if (!((imm >> (4 + i)) & 1))
            d.u64[i] = s.u64[i] = 0;
    flags = host_mulpd(cpu, &d, &s);
    fp_finish(cpu, flags, &d, FP_PD);
    s = (union xmm_reg){.u64 = {d.u64[1], 0}};
    flags = host_addsd(cpu, &d, &s);
    fp_finish(cpu, flags, &d, FP_SD);
    for (unsigned i = 0; i < 2; i++)
        cpu->arch.xmm[insn->dst].u64[i] = (imm >> i) & 1 ? d.u64[0] : 0;
}

/* ---- rounding: imm bit 2 takes the mode from MXCSR, else bits 1:0 are the mode; bit 3 suppresses the precision
 * exception. DAZ holds; denormals raise nothing. */
#define ROUND(name, size)                                                                                              \
    BODY_PLAIN(op_##name)                                                                                              \
    {                                                                                                                  \
        union xmm_reg s = xmm_source(cpu, insn, size, insn->form == FORM_RM), d = cpu->arch.xmm[insn->dst];            \
        __m128 x = vec_ps(&d), y = vec_ps(&s);                                                                         \
        u32 control = cpu->arch.mxcsr, flags;                                                                          \
        struct fp_guard guard;                                                                                         \
        if (!(insn->imm & 4))                                                                                          \
            control = (control & ~MXCSR_RC) | (u32)(insn->imm & 3) << MXCSR_RC_SHIFT;                                  \
        guard = fp_enter_control(control);                                                                             \
        __asm__ volatile(#name " $4, %1, %0" : "+x"(x) : "x"(y));                                                      \
        flags = fp_leave(guard);                                                                                       \
        if (insn->imm & 8)                                                                                             \
            flags &= ~MXCSR_PE;                                                                                        \
        vec_put_ps(&d, x);                                                                                             \
        fp_finish(cpu, flags, &d, FP_NEVER_TINY);                                                                      \
        cpu->arch.xmm[insn->dst] = d;                                                                                  \
    }

ROUND(roundps, 16)
ROUND(roundpd, 16)
ROUND(roundss, 4)
ROUND(roundsd, 8)

/* ---- approximations: computed in double precision and rounded to 12 fraction bits, so the relative error is at most
 * 2^-13 (the manuals promise 1.5 * 2^-12). No exceptions, MXCSR is not looked at; denormals count as zero of their
 * sign, and a tiny result is zero. SDM 2B, "RCPPS", "RSQRTPS" */
#define FLOAT_SIGN 0x80000000u
#define FLOAT_INFINITY 0x7F800000u
#define FLOAT_QUIET 0x00400000u
#define FLOAT_DEFAULT_NAN 0xFFC00000u

static u32 double_to_float_12(double v)
{
    u64 raw;
    u32 sign, fraction;
    i32 exponent;

    memcpy(&raw, &v, sizeof raw);
    raw += 1ull << 39; /* half of the last kept bit; a carry moves into the exponent as it should */
    sign = (u32)(raw >> 32) & FLOAT_SIGN;
    exponent = (i32)((raw >> 52) & 0x7FF) - 1023 + 127;
    fraction = (u32)((raw >> 40) & 0xFFF) << 11;
    if (exponent <= 0)
        return sign;
    return sign | (u32)exponent << 23 | fraction;
}

static double float_bits_to_double(u32 raw)
{
    float f;

    memcpy(&f, &raw, sizeof f);
    return (double)f;
}

static u32 approximate_reciprocal(u32 x)
{
    u32 magnitude = x & ~FLOAT_SIGN;

    if (magnitude > FLOAT_INFINITY)
        return x | FLOAT_QUIET;
    if (magnitude == FLOAT_INFINITY)
        return x & FLOAT_SIGN;
    if (magnitude < 0x00800000u)
        return (x & FLOAT_SIGN) | FLOAT_INFINITY;
    return double_to_float_12(1.0 / float_bits_to_double(x));
}

static u32 approximate_reciprocal_root(u32 x)
{
    u32 magnitude = x & ~FLOAT_SIGN;
    __m128d v;

    if (magnitude > FLOAT_INFINITY)
        return x | FLOAT_QUIET;
    if (magnitude < 0x00800000u)
        return (x & FLOAT_SIGN) | FLOAT_INFINITY;
    if (x & FLOAT_SIGN)
        return FLOAT_DEFAULT_NAN;
    if (magnitude == FLOAT_INFINITY)
        return 0;
    v = _mm_set_sd(float_bits_to_double(x));
    return double_to_float_12(1.0 / _mm_cvtsd_f64(_mm_sqrt_sd(v, v)));
}

#define APPROXIMATE(name, function, count, size)                                                                       \
    BODY_PLAIN(op_##name)                                                                                              \
    {                                                                                                                  \
        union xmm_reg s = xmm_source(cpu, insn, size, insn->form == FORM_RM);                                          \
        for (unsigned i = 0; i < (count); i++)                                                                         \
            cpu->arch.xmm[insn->dst].u32[i] = function(s.u32[i]);                                                      \
    }

APPROXIMATE(rcpps, approximate_reciprocal, 4, 16)
APPROXIMATE(rcpss, approximate_reciprocal, 1, 4)
APPROXIMATE(rsqrtps, approximate_reciprocal_root, 4, 16)
APPROXIMATE(rsqrtss, approximate_reciprocal_root, 1, 4)

/* SPDX-License-Identifier: MIT
 * SSE floating-point arithmetic: the IEEE-exact operations on the host's unit, dot products, rounding, and the two
 * approximations, which are our own so that their results are the same on every host.
 * SDM 2A/2B, the instructions named; SDM 1, "SIMD Floating-Point Exceptions".
 *
 * The host must have SSE4.1 (ROUNDPS) and SSE3 (HADDPS).
 */
#include "cpu/isa/sse_fp.h"

/* ---- V = V op W */
FP_ARITHMETIC(addps, 16, FP_PS, FP_PS, FP_SUM)
FP_ARITHMETIC(addpd, 16, FP_PD, FP_PD, FP_SUM)
FP_ARITHMETIC(addss, 4, FP_SS, FP_SS, FP_SUM)
FP_ARITHMETIC(addsd, 8, FP_SD, FP_SD, FP_SUM)
FP_ARITHMETIC(subps, 16, FP_PS, FP_PS, FP_SUM)
FP_ARITHMETIC(subpd, 16, FP_PD, FP_PD, FP_SUM)
FP_ARITHMETIC(subss, 4, FP_SS, FP_SS, FP_SUM)
FP_ARITHMETIC(subsd, 8, FP_SD, FP_SD, FP_SUM)
FP_ARITHMETIC(mulps, 16, FP_PS, FP_PS, FP_PRODUCT)
FP_ARITHMETIC(mulpd, 16, FP_PD, FP_PD, FP_PRODUCT)
FP_ARITHMETIC(mulss, 4, FP_SS, FP_SS, FP_PRODUCT)
FP_ARITHMETIC(mulsd, 8, FP_SD, FP_SD, FP_PRODUCT)
FP_ARITHMETIC(divps, 16, FP_PS, FP_PS, FP_PRODUCT)
FP_ARITHMETIC(divpd, 16, FP_PD, FP_PD, FP_PRODUCT)
FP_ARITHMETIC(divss, 4, FP_SS, FP_SS, FP_PRODUCT)
FP_ARITHMETIC(divsd, 8, FP_SD, FP_SD, FP_PRODUCT)
FP_OP(sqrtps, 16)
FP_OP(sqrtpd, 16)
FP_OP(sqrtss, 4)
FP_OP(sqrtsd, 8)
FP_OP(minps, 16)
FP_OP(minpd, 16)
FP_OP(minss, 4)
FP_OP(minsd, 8)
FP_OP(maxps, 16)
FP_OP(maxpd, 16)
FP_OP(maxss, 4)
FP_OP(maxsd, 8)
FP_ARITHMETIC(haddps, 16, FP_PS, FP_PS, FP_SUM)
FP_ARITHMETIC(haddpd, 16, FP_PD, FP_PD, FP_SUM)
FP_ARITHMETIC(hsubps, 16, FP_PS, FP_PS, FP_SUM)
FP_ARITHMETIC(hsubpd, 16, FP_PD, FP_PD, FP_SUM)
FP_ARITHMETIC(addsubps, 16, FP_PS, FP_PS, FP_SUM)
FP_ARITHMETIC(addsubpd, 16, FP_PD, FP_PD, FP_SUM)

/* ---- dot products: a product of the selected lanes (the others count as +0), then sums with the neighbour and with
 * the other half; each step reports its own exceptions. All lanes are summed, in the order that decides between two
 * NaNs as the processor does. SDM 2A, "DPPS", "DPPD" */
BODY_PLAIN(op_dpps)
{
    union xmm_reg s = xmm_source(cpu, insn, 16, insn->form == FORM_RM), d = cpu->arch.xmm[insn->dst], t;
    u8 imm = (u8)insn->imm;

    for (unsigned i = 0; i < 4; i++)
        if (!((imm >> (4 + i)) & 1))
            d.u32[i] = s.u32[i] = 0;
    step_mulps(cpu, &d, &s);
    s = (union xmm_reg){.u32 = {d.u32[1], d.u32[0], d.u32[3], d.u32[2]}};
    step_addps(cpu, &d, &s);
    t = (union xmm_reg){.u32 = {d.u32[2], d.u32[3], d.u32[0], d.u32[1]}};
    step_addps(cpu, &d, &t);
    for (unsigned i = 0; i < 4; i++) /* one sum for all lanes: of two NaNs the one of the lower lanes */
        cpu->arch.xmm[insn->dst].u32[i] = (imm >> i) & 1 ? d.u32[0] : 0;
}

BODY_PLAIN(op_dppd)
{
    union xmm_reg s = xmm_source(cpu, insn, 16, insn->form == FORM_RM), d = cpu->arch.xmm[insn->dst];
    u8 imm = (u8)insn->imm;

    for (unsigned i = 0; i < 2; i++)
        if (!((imm >> (4 + i)) & 1))
            d.u64[i] = s.u64[i] = 0;
    step_mulpd(cpu, &d, &s);
    s = (union xmm_reg){.u64 = {d.u64[1], d.u64[0]}};
    step_addpd(cpu, &d, &s);
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
        fp_finish(cpu, flags);                                                                                         \
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

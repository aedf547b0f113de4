/* SPDX-License-Identifier: MIT
 * SSE conversions between single, double and integers, in XMM, general and MMX registers. Out of range gives the
 * integer indefinite and the invalid flag, as the host does.
 * SDM 2A, "CVT..."; SDM 1, "Integer Indefinite" in "Numeric Data Types".
 */
#include "cpu/isa/sse_fp.h"

/* ---- XMM to XMM: the destination's remaining lanes are as each instruction says, the host's own */
FP_OP(cvtps2pd, 8)
FP_ARITHMETIC(cvtpd2ps, 16, FP_PD, FP_PS, FP_PRODUCT)
FP_OP(cvtss2sd, 4)
FP_ARITHMETIC(cvtsd2ss, 8, FP_SD, FP_SS, FP_PRODUCT)
FP_OP(cvtdq2ps, 16)
FP_OP(cvtps2dq, 16)
FP_OP(cvttps2dq, 16)
FP_OP(cvtdq2pd, 8)
FP_OP(cvtpd2dq, 16)
FP_OP(cvttpd2dq, 16)

/* ---- general register or memory to XMM, 32 bits or 64 with REX.W */
#define FROM_INTEGER(name)                                                                                             \
    BODY_PLAIN(op_##name)                                                                                              \
    {                                                                                                                  \
        enum width w = rex_width(insn);                                                                                \
        u64 v = insn->form == FORM_RM ? memory_read(cpu, insn, w) : reg_read(cpu, insn->src, w);                       \
        union xmm_reg d = cpu->arch.xmm[insn->dst];                                                                    \
        __m128 x = vec_ps(&d);                                                                                         \
        struct fp_guard guard = fp_enter(cpu);                                                                         \
        u32 flags;                                                                                                     \
        if (w == W64)                                                                                                  \
            __asm__ volatile(#name "q %1, %0" : "+x"(x) : "r"(v));                                                     \
        else                                                                                                           \
            __asm__ volatile(#name "l %1, %0" : "+x"(x) : "r"((u32)v));                                                \
        flags = fp_leave(guard);                                                                                       \
        vec_put_ps(&d, x);                                                                                             \
        fp_finish(cpu, flags);                                                                                         \
        cpu->arch.xmm[insn->dst] = d;                                                                                  \
    }

FROM_INTEGER(cvtsi2ss)
FROM_INTEGER(cvtsi2sd)

/* ---- XMM or memory to a general register */
#define TO_INTEGER(name, size)                                                                                         \
    BODY_PLAIN(op_##name)                                                                                              \
    {                                                                                                                  \
        union xmm_reg s = xmm_source(cpu, insn, size, insn->form == FORM_RM);                                          \
        __m128 x = vec_ps(&s);                                                                                         \
        struct fp_guard guard = fp_enter(cpu);                                                                         \
        u64 wide = 0;                                                                                                  \
        u32 narrow = 0, flags;                                                                                         \
        if (rex_width(insn) == W64)                                                                                    \
            __asm__ volatile(#name " %1, %0" : "=r"(wide) : "x"(x));                                                   \
        else                                                                                                           \
            __asm__ volatile(#name " %1, %0" : "=r"(narrow) : "x"(x));                                                 \
        flags = fp_leave(guard);                                                                                       \
        fp_finish(cpu, flags);                                                                                         \
        cpu->arch.gpr[insn->dst] = rex_width(insn) == W64 ? wide : narrow;                                             \
    }

TO_INTEGER(cvtss2si, 4)
TO_INTEGER(cvttss2si, 4)
TO_INTEGER(cvtsd2si, 8)
TO_INTEGER(cvttsd2si, 8)

/* ---- MMX to XMM. Two integers are converted; CVTPI2PS keeps the upper half of the destination.
 * The host's MMX registers are not used: CVTDQ2PS and CVTDQ2PD compute the same. */
static u64 mmx_source(struct cpu *cpu, const struct insn *insn)
{
    return insn->form == FORM_RM ? memory_read(cpu, insn, W64) : mmx_read(cpu, insn->src);
}

/* The end of a conversion that uses an MMX register. An unmasked exception finds the x87 state of an MMX instruction on
 * AMD's processors. UNVERIFIED: that on Intel's it finds the state as it was. */
static void convert_finish(struct cpu *cpu, u32 flags, bool enters)
{
    COVER(cpu, RULE_MM_06, enters);
    if (enters && cpu_is_amd(cpu))
        mmx_enter_state(cpu);
    fp_finish(cpu, flags);
    if (enters)
        mmx_enter_state(cpu);
}

/* From memory it does not touch the x87 state on AMD's processors; on Intel's it does by the manual. */
BODY_PLAIN(op_cvtpi2ps)
{
    union xmm_reg s = {.u64 = {0, 0}}, r = {.u64 = {0, 0}};
    u32 flags;

    if (!mmx_begin(cpu))
        return;
    s.u64[0] = mmx_source(cpu, insn);
    flags = host_cvtdq2ps(cpu, &r, &s);
    convert_finish(cpu, flags, insn->form != FORM_RM || !cpu_is_amd(cpu));
    cpu->arch.xmm[insn->dst].u64[0] = r.u64[0];
}

/* Exact, so no exception; from memory it does not touch the x87 state. SDM 2A, "CVTPI2PD" */
BODY_PLAIN(op_cvtpi2pd)
{
    union xmm_reg s = {.u64 = {0, 0}}, r = {.u64 = {0, 0}};

    if (insn->form != FORM_RM && !mmx_begin(cpu))
        return;
    s.u64[0] = mmx_source(cpu, insn);
    host_cvtdq2pd(cpu, &r, &s);
    if (insn->form != FORM_RM)
        mmx_enter_state(cpu);
    cpu->arch.xmm[insn->dst] = r;
}

/* ---- XMM to MMX. CVTPS2PI reads two singles: the other lanes must not raise, so they are zero. */
#define TO_MMX(name, host, size)                                                                                       \
    BODY_PLAIN(op_##name)                                                                                              \
    {                                                                                                                  \
        union xmm_reg s, r = {.u64 = {0, 0}};                                                                          \
        u32 flags;                                                                                                     \
        if (!mmx_begin(cpu))                                                                                           \
            return;                                                                                                    \
        s = xmm_source(cpu, insn, size, insn->form == FORM_RM);                                                        \
        if ((size) == 8)                                                                                               \
            s.u64[1] = 0;                                                                                              \
        flags = host(cpu, &r, &s);                                                                                     \
        convert_finish(cpu, flags, true);                                                                              \
        mmx_write(cpu, insn->dst, r.u64[0]);                                                                           \
    }

TO_MMX(cvtps2pi, host_cvtps2dq, 8)
TO_MMX(cvttps2pi, host_cvttps2dq, 8)
TO_MMX(cvtpd2pi, host_cvtpd2dq, 16)
TO_MMX(cvttpd2pi, host_cvttpd2dq, 16)

/* SPDX-License-Identifier: MIT
 * Running one floating-point operation on the host's SSE unit under the guest's MXCSR, and what its flags lead to.
 * SDM 1, "SSE and SSE2 Exceptions", "MXCSR Control and Status Register"; "Exception Priority" in "SIMD Floating-Point
 * Exceptions".
 *
 * The operation itself is one `asm volatile`, so that the compiler keeps it between fp_enter() and fp_leave().
 */
#ifndef RINGSIDE_CPU_ISA_SSE_FP_H
#define RINGSIDE_CPU_ISA_SSE_FP_H

#include <emmintrin.h>

#include "cpu/isa/simd.h"

#define MXCSR_IE 0x0001u
#define MXCSR_DE 0x0002u
#define MXCSR_ZE 0x0004u
#define MXCSR_OE 0x0008u
#define MXCSR_UE 0x0010u
#define MXCSR_PE 0x0020u
#define MXCSR_FLAGS 0x003Fu
#define MXCSR_DAZ 0x0040u
#define MXCSR_MASKS 0x1F80u
#define MXCSR_MASK_SHIFT 7
#define MXCSR_UM 0x0800u
#define MXCSR_RC 0x6000u
#define MXCSR_RC_SHIFT 13
#define MXCSR_FTZ 0x8000u
#define MXCSR_DEFAULT 0x1F80u
/* What a guest may set, and what FXSAVE reports as MXCSR_MASK: everything but the AMD MM bit. */
#define MXCSR_VALID 0xFFFFu

/* Exceptions found on the operands, before anything is computed. */
#define MXCSR_PRE (MXCSR_IE | MXCSR_DE | MXCSR_ZE)

struct fp_guard {
    u32 control; /* in force for the operation */
    u32 host;    /* to be restored */
};

ALWAYS_INLINE void host_mxcsr_set(u32 value) { __asm__ volatile("ldmxcsr %0" : : "m"(value)); }

ALWAYS_INLINE u32 host_mxcsr_get(void)
{
    u32 value;

    __asm__ volatile("stmxcsr %0" : "=m"(value));
    return value;
}

/* Begin: guest rounding, DAZ and FTZ, every exception masked, flags clear. FTZ counts only while underflow is masked.
 */
ALWAYS_INLINE struct fp_guard fp_enter_control(u32 mxcsr)
{
    struct fp_guard guard = {.control = (mxcsr & (MXCSR_RC | MXCSR_DAZ)) | MXCSR_MASKS, .host = MXCSR_DEFAULT};

    if ((mxcsr & (MXCSR_FTZ | MXCSR_UM)) == (MXCSR_FTZ | MXCSR_UM))
        guard.control |= MXCSR_FTZ;
    /* With the default control word only the host's sticky flags change, which nobody reads. */
    if (UNLIKELY(guard.control != MXCSR_DEFAULT))
        guard.host = host_mxcsr_get();
    host_mxcsr_set(guard.control);
    return guard;
}

ALWAYS_INLINE struct fp_guard fp_enter(const struct cpu *cpu) { return fp_enter_control(cpu->arch.mxcsr); }

/* End. returns: the flags that the operation set */
ALWAYS_INLINE u32 fp_leave(struct fp_guard guard)
{
    u32 flags = host_mxcsr_get() & MXCSR_FLAGS;

    if (UNLIKELY(guard.control != MXCSR_DEFAULT))
        host_mxcsr_set(guard.host);
    return flags;
}

/* What the lanes of an operand or result are. */
enum fp_lanes { FP_PS, FP_PD, FP_SS, FP_SD };

/* How the operands may be scaled without changing what the fraction of the result is rounded to. */
enum fp_scale { FP_PRODUCT /* each to exponent 0 */, FP_SUM /* all by the same power of two */ };

/* d = d op s on the host. returns: the flags */
typedef u32 host_op_fn(const struct cpu *cpu, union xmm_reg *d, const union xmm_reg *s);

/* An operation whose results may overflow or underflow, for its exceptions. */
struct fp_operation {
    host_op_fn *host;
    enum fp_lanes operands, result;
    enum fp_scale scale;
};

/* The slow halves of fp_finish() and fp_finish_arithmetic(), for when some exception is unmasked (sse_exception.c). */
COLD void fp_finish_unmasked(struct cpu *cpu, u32 flags);
COLD void fp_finish_arithmetic_unmasked(struct cpu *cpu, u32 flags, const struct fp_operation *operation,
                                        const union xmm_reg *d, const union xmm_reg *s, const union xmm_reg *result);

/* Record the flags; an unmasked exception among them is raised and the caller's destination stays as it was.
 * raises: #XM, or #UD when CR4.OSXMMEXCPT is clear */
ALWAYS_INLINE void fp_finish(struct cpu *cpu, u32 flags)
{
    if (LIKELY((cpu->arch.mxcsr & MXCSR_MASKS) == MXCSR_MASKS))
        cpu->arch.mxcsr |= flags;
    else
        fp_finish_unmasked(cpu, flags);
}

/* Scalar and packed views of a register. */
ALWAYS_INLINE __m128 vec_ps(const union xmm_reg *v) { return _mm_loadu_ps((const float *)(const void *)v); }
ALWAYS_INLINE void vec_put_ps(union xmm_reg *v, __m128 x) { _mm_storeu_ps((float *)(void *)v, x); }

/* Source of a V,W row with `size` bytes in memory (16 = aligned), or a whole register. */
ALWAYS_INLINE union xmm_reg xmm_source(struct cpu *cpu, const struct insn *insn, unsigned size, bool memory)
{
    union xmm_reg s = {.u64 = {0, 0}};

    if (memory)
        vec_load(cpu, insn, &s, size, size == 16 ? 16 : 1);
    else
        s = cpu->arch.xmm[insn->src];
    return s;
}

/* d = mnemonic(d, s) on the host; returns the flags. Every V,W floating-point row is an instance of this.
 * The asm template is a string, so that one macro serves all mnemonics. */
#define HOST_OP(name, mnemonic)                                                                                        \
    ALWAYS_INLINE u32 name(const struct cpu *cpu, union xmm_reg *d, const union xmm_reg *s)                            \
    {                                                                                                                  \
        __m128 x = vec_ps(d), y = vec_ps(s);                                                                           \
        struct fp_guard guard = fp_enter(cpu);                                                                         \
        __asm__ volatile(mnemonic " %1, %0" : "+x"(x) : "x"(y));                                                       \
        u32 flags = fp_leave(guard);                                                                                   \
        vec_put_ps(d, x);                                                                                              \
        return flags;                                                                                                  \
    }

#define FP_INSTANCE(name, suffix, step, size, memory)                                                                  \
    BODY_FUNCTION(name##_##suffix)                                                                                     \
    {                                                                                                                  \
        union xmm_reg s = xmm_source(cpu, insn, size, memory), d = cpu->arch.xmm[insn->dst];                           \
        step(cpu, &d, &s);                                                                                             \
        cpu->arch.xmm[insn->dst] = d;                                                                                  \
    }

#define FP_BODY(mnemonic, size)                                                                                        \
    FP_INSTANCE(op_##mnemonic, rr, step_##mnemonic, size, false)                                                       \
    FP_INSTANCE(op_##mnemonic, rm, step_##mnemonic, size, true)                                                        \
    BODY_RR_RM(op_##mnemonic)

/* op_<mnemonic> with `size` bytes of memory operand, and step_<mnemonic>: the operation with its exceptions. */
#define FP_OP(mnemonic, size)                                                                                          \
    HOST_OP(host_##mnemonic, #mnemonic)                                                                                \
    ALWAYS_INLINE void step_##mnemonic(struct cpu *cpu, union xmm_reg *d, const union xmm_reg *s)                      \
    {                                                                                                                  \
        fp_finish(cpu, host_##mnemonic(cpu, d, s));                                                                    \
    }                                                                                                                  \
    FP_BODY(mnemonic, size)

/* The same for results that can overflow or underflow. */
#define FP_ARITHMETIC(mnemonic, size, operands, result, scale)                                                         \
    HOST_OP(host_##mnemonic, #mnemonic)                                                                                \
    static void unmasked_##mnemonic(struct cpu *cpu, u32 flags, const union xmm_reg *d, const union xmm_reg *s,        \
                                    const union xmm_reg *r)                                                            \
    {                                                                                                                  \
        static const struct fp_operation operation = {host_##mnemonic, operands, result, scale};                       \
        fp_finish_arithmetic_unmasked(cpu, flags, &operation, d, s, r);                                                \
    }                                                                                                                  \
    ALWAYS_INLINE void step_##mnemonic(struct cpu *cpu, union xmm_reg *d, const union xmm_reg *s)                      \
    {                                                                                                                  \
        const union xmm_reg before = *d;                                                                               \
        u32 flags = host_##mnemonic(cpu, d, s);                                                                        \
        if (LIKELY((cpu->arch.mxcsr & MXCSR_MASKS) == MXCSR_MASKS))                                                    \
            cpu->arch.mxcsr |= flags;                                                                                  \
        else                                                                                                           \
            unmasked_##mnemonic(cpu, flags, &before, s, d);                                                            \
    }                                                                                                                  \
    FP_BODY(mnemonic, size)

#endif

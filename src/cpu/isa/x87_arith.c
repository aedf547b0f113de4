/* SPDX-License-Identifier: MIT
 * x87 arithmetic: sums, products, quotients, square root, rounding, remainder, scaling, signs.
 * SDM 2A, "FADD/FADDP/FIADD", "FSUB", "FSUBR", "FMUL", "FDIV", "FDIVR", "FSQRT", "FRNDINT", "FPREM", "FPREM1",
 * "FSCALE", "FXTRACT", "FABS", "FCHS".
 */
#include "cpu/isa/x87_host.h"

typedef u16 binary_fn(u16 control, struct x87_reg *d, const struct x87_reg *s);

/* The masked response to an empty operand. */
static COLD bool underflow_into(struct cpu *cpu, unsigned i)
{
    const struct x87_reg indefinite = X87_INDEFINITE;

    if (!x87_stack_fault(cpu, X87_UNDERFLOW))
        return false;
    x87_put(cpu, i, &indefinite);
    return true;
}

/* ST(d) = ST(d) op ST(s), and pop. */
ALWAYS_INLINE void binary_stack(struct cpu *cpu, const struct insn *insn, unsigned d, unsigned s, binary_fn *op,
                                bool pops)
{
    struct x87_reg result;

    if (!x87_begin(cpu))
        return;
    x87_note(cpu, insn);
    if (UNLIKELY(x87_empty(cpu, d) || x87_empty(cpu, s))) {
        if (!underflow_into(cpu, d))
            return;
    } else {
        result = *x87_st(cpu, d);
        if (!x87_report(cpu, op(cpu->arch.x87_control, &result, x87_st(cpu, s)), X87_PRE))
            return;
        *x87_st(cpu, d) = result;
    }
    if (pops)
        x87_pop(cpu);
}

#define MEMORY_BODY(body, host, operand)                                                                               \
    BODY_PLAIN(body)                                                                                                   \
    {                                                                                                                  \
        struct x87_reg result;                                                                                         \
                                                                                                                       \
        if (!x87_begin(cpu))                                                                                           \
            return;                                                                                                    \
        operand;                                                                                                       \
        x87_note_memory(cpu, insn);                                                                                    \
        if (UNLIKELY(x87_empty(cpu, 0))) {                                                                             \
            (void)underflow_into(cpu, 0);                                                                              \
            return;                                                                                                    \
        }                                                                                                              \
        result = *x87_st(cpu, 0);                                                                                      \
        if (x87_report(cpu, host(cpu->arch.x87_control, &result, s), X87_PRE))                                         \
            *x87_st(cpu, 0) = result;                                                                                  \
    }

#define INTEGER_OPERAND(width)                                                                                         \
    struct x87_reg integer = x87_from_integer((i64)sign_extend(memory_read(cpu, insn, width), width));                 \
    const struct x87_reg *s = &integer

/* All forms of one operation. */
#define ARITHMETIC(name)                                                                                               \
    HOST_BINARY(host_f##name, "f" #name " %%st(1), %%st")                                                              \
    HOST_MEMORY(host_f##name##_m32, "f" #name "s", u32)                                                                \
    HOST_MEMORY(host_f##name##_m64, "f" #name "l", u64)                                                                \
    BODY_PLAIN(op_f##name) { binary_stack(cpu, insn, insn->dst, insn->src, host_f##name, false); }                     \
    BODY_PLAIN(op_f##name##p) { binary_stack(cpu, insn, insn->dst, insn->src, host_f##name, true); }                   \
    MEMORY_BODY(op_f##name##_m32, host_f##name##_m32, u32 s = (u32)memory_read(cpu, insn, W32))                        \
    MEMORY_BODY(op_f##name##_m64, host_f##name##_m64, u64 s = memory_read(cpu, insn, W64))                             \
    MEMORY_BODY(op_fi##name##_m16, host_f##name, INTEGER_OPERAND(W16))                                                 \
    MEMORY_BODY(op_fi##name##_m32, host_f##name, INTEGER_OPERAND(W32))

ARITHMETIC(add)
ARITHMETIC(mul)
ARITHMETIC(sub)
ARITHMETIC(subr)
ARITHMETIC(div)
ARITHMETIC(divr)

/* ---- ST(0) with ST(1) */
HOST_BINARY(host_fscale, "fscale")
HOST_BINARY(host_fprem, "fprem")
HOST_BINARY(host_fprem1, "fprem1")

BODY_PLAIN(op_fscale) { binary_stack(cpu, insn, 0, 1, host_fscale, false); }
/* C2 = not complete; C0 C3 C1 = the last three bits of the quotient, which are only there when there is one. */
ALWAYS_INLINE void remainder_step(struct cpu *cpu, const struct insn *insn, binary_fn *op)
{
    struct x87_reg result;
    u16 status, codes = X87_CC;

    if (!x87_begin(cpu))
        return;
    x87_note(cpu, insn);
    if (UNLIKELY(x87_empty(cpu, 0) || x87_empty(cpu, 1))) {
        cpu->arch.x87_status &= (u16)~X87_C2;
        (void)underflow_into(cpu, 0);
        return;
    }
    result = *x87_st(cpu, 0);
    status = op(cpu->arch.x87_control, &result, x87_st(cpu, 1));
    if ((status & X87_IE) || (status & ~cpu->arch.x87_control & X87_PRE) || x87_is_nan(&result))
        codes = X87_C1 | X87_C2;
    if (x87_report_codes(cpu, status, X87_PRE, codes))
        *x87_st(cpu, 0) = result;
}

BODY_PLAIN(op_fprem) { remainder_step(cpu, insn, host_fprem); }
BODY_PLAIN(op_fprem1) { remainder_step(cpu, insn, host_fprem1); }

/* ---- ST(0) alone */
#define UNARY(name)                                                                                                    \
    HOST_UNARY(host_##name, #name)                                                                                     \
    BODY_PLAIN(op_##name)                                                                                              \
    {                                                                                                                  \
        struct x87_reg result;                                                                                         \
                                                                                                                       \
        if (!x87_begin(cpu))                                                                                           \
            return;                                                                                                    \
        x87_note(cpu, insn);                                                                                           \
        if (UNLIKELY(x87_empty(cpu, 0))) {                                                                             \
            (void)underflow_into(cpu, 0);                                                                              \
            return;                                                                                                    \
        }                                                                                                              \
        result = *x87_st(cpu, 0);                                                                                      \
        if (x87_report(cpu, host_##name(cpu->arch.x87_control, &result), X87_PRE))                                     \
            *x87_st(cpu, 0) = result;                                                                                  \
    }
UNARY(fsqrt)
UNARY(frndint)

ALWAYS_INLINE void change_sign(struct cpu *cpu, const struct insn *insn, u16 keep, u16 invert)
{
    struct x87_reg *r;

    if (!x87_begin(cpu))
        return;
    x87_note(cpu, insn);
    if (UNLIKELY(x87_empty(cpu, 0))) {
        (void)underflow_into(cpu, 0);
        return;
    }
    cpu->arch.x87_status &= (u16)~X87_C1;
    r = x87_st(cpu, 0);
    r->sign_exponent = (r->sign_exponent & keep) ^ invert;
}

BODY_PLAIN(op_fabs) { change_sign(cpu, insn, 0x7FFF, 0); }
BODY_PLAIN(op_fchs) { change_sign(cpu, insn, 0xFFFF, 0x8000); }

/* ---- FXTRACT: *d becomes the exponent, *significand the rest */
static u16 host_fxtract(struct x87_reg *d, struct x87_reg *significand)
{
    u16 status;

    __asm__ volatile("fldt %[d]\n\tfnclex\n\tfxtract\n\tfnstsw %[status]\n\tfnclex\n\t"
                     "fstpt %[significand]\n\tfstpt %[d]"
                     : [status] "=a"(status), [d] "+m"(*d), [significand] "+m"(*significand)
                     :
                     : HOST_CLOBBERS);
    return status;
}

/* One operand, so at most one exception: masked on the host, judged here. */
BODY_PLAIN(op_fxtract)
{
    struct x87_reg exponent = X87_INDEFINITE, significand = X87_INDEFINITE;

    if (!x87_begin(cpu))
        return;
    x87_note(cpu, insn);
    if (UNLIKELY(x87_empty(cpu, 0) || !x87_empty(cpu, 7))) {
        if (!x87_stack_fault(cpu, x87_empty(cpu, 0) ? X87_UNDERFLOW : X87_OVERFLOW))
            return;
    } else {
        exponent = *x87_st(cpu, 0);
        if (!x87_report(cpu, host_fxtract(&exponent, &significand), X87_PRE))
            return;
    }
    x87_put(cpu, 0, &exponent);
    x87_push(cpu, &significand);
}

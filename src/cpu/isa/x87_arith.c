/* SPDX-License-Identifier: MIT
 * x87 arithmetic: sums, products, quotients, square root, rounding, remainder, scaling, signs.
 * SDM 2A, "FADD/FADDP/FIADD", "FSUB", "FSUBR", "FMUL", "FDIV", "FDIVR", "FSQRT", "FRNDINT", "FPREM", "FPREM1",
 * "FSCALE", "FXTRACT", "FABS", "FCHS".
 */
#include "cpu/isa/x87_host.h"

typedef u16 binary_fn(struct x87_mode mode, struct x87_reg *d, const struct x87_reg *s);

/* The masked response to an empty operand. */
static COLD bool underflow_into(struct cpu *cpu, unsigned i)
{
    const struct x87_reg indefinite = X87_INDEFINITE;

    if (!x87_stack_fault(cpu, X87_UNDERFLOW))
        return false;
    x87_put(cpu, i, &indefinite);
    return true;
}

/* *at = op(*at, further operands). In place, unless an unmasked exception could withhold the result; `stored` becomes
 * false when it does. */
#define APPLY(at, stored, op, ...)                                                                                     \
    do {                                                                                                               \
        const struct x87_mode mode_ = x87_mode(cpu);                                                                   \
        struct x87_reg *at_ = (at), result_;                                                                           \
                                                                                                                       \
        if (LIKELY(host_all_masked(mode_))) {                                                                          \
            stored = x87_report(cpu, op(mode_, at_ __VA_OPT__(, ) __VA_ARGS__), 0);                                    \
        } else {                                                                                                       \
            result_ = *at_;                                                                                            \
            stored = x87_report(cpu, op(mode_, &result_ __VA_OPT__(, ) __VA_ARGS__), X87_PRE);                         \
            if (stored)                                                                                                \
                *at_ = result_;                                                                                        \
        }                                                                                                              \
    } while (0)

/* ST(d) = ST(d) op ST(s), and pop. */
ALWAYS_INLINE void binary_stack(struct cpu *cpu, const struct insn *insn, unsigned d, unsigned s, binary_fn *op,
                                bool pops)
{
    if (!x87_begin(cpu))
        return;
    x87_note(cpu, insn);
    if (UNLIKELY(x87_empty(cpu, d) || x87_empty(cpu, s))) {
        if (!underflow_into(cpu, d))
            return;
    } else {
        bool stored;

        APPLY(x87_st(cpu, d), stored, op, x87_st(cpu, s));
        if (UNLIKELY(!stored))
            return;
    }
    if (pops)
        x87_pop(cpu);
}

#define MEMORY_BODY(body, host, operand)                                                                               \
    BODY_PLAIN(body)                                                                                                   \
    {                                                                                                                  \
        bool stored;                                                                                                   \
                                                                                                                       \
        if (!x87_begin(cpu))                                                                                           \
            return;                                                                                                    \
        operand;                                                                                                       \
        x87_note_memory(cpu, insn);                                                                                    \
        if (UNLIKELY(x87_empty(cpu, 0)))                                                                               \
            (void)underflow_into(cpu, 0);                                                                              \
        else                                                                                                           \
            APPLY(x87_st(cpu, 0), stored, host, s);                                                                    \
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
    status = op(x87_mode_exact(cpu->arch.x87_control), &result, x87_st(cpu, 1));
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
        bool stored;                                                                                                   \
                                                                                                                       \
        if (!x87_begin(cpu))                                                                                           \
            return;                                                                                                    \
        x87_note(cpu, insn);                                                                                           \
        if (UNLIKELY(x87_empty(cpu, 0)))                                                                               \
            (void)underflow_into(cpu, 0);                                                                              \
        else                                                                                                           \
            APPLY(x87_st(cpu, 0), stored, host_##name);                                                                \
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
    struct x87_mode mode = x87_mode_exact(X87_CONTROL_INITIAL);
    u16 status;

    HOST_RUN("fldt %[d]\n\t", "fxtract", "fstpt %[significand]\n\tfstpt %[d]",
             HOST_STATUS AND[d] "+m"(*d)AND[significand] "+m"(*significand), HOST_CONTROL);
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

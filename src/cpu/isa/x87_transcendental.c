/* SPDX-License-Identifier: MIT
 * Transcendental x87 instructions: zeros, infinities, NaNs and exceptions here, values by x87_function.c, so that
 * results do not depend on the host. SDM 2A, "FSIN", "FCOS", "FSINCOS", "FPTAN", "FPATAN", "F2XM1", "FYL2X", "FYL2XP1":
 * the tables of results.
 */
#include "cpu/isa/x87_function.h"
#include "cpu/isa/x87_host.h"

/* Which NaN results from NaN operands, and IE for those that signal and for unsupported formats. */
HOST_BINARY(host_propagate, "fadd %%st(1), %%st")

enum number_class { IS_ZERO, IS_FINITE, IS_INFINITE, IS_NO_NUMBER };

static enum number_class class_of(const struct x87_reg *r)
{
    unsigned exponent = r->sign_exponent & 0x7FFF;

    if (exponent == 0)
        return r->mantissa == 0 ? IS_ZERO : IS_FINITE;
    if (!(r->mantissa >> 63))
        return IS_NO_NUMBER;
    if (exponent == 0x7FFF)
        return r->mantissa << 1 ? IS_NO_NUMBER : IS_INFINITE;
    return IS_FINITE;
}

static bool is_negative(const struct x87_reg *r) { return r->sign_exponent >> 15; }

static u16 denormal_flag(const struct x87_reg *r)
{
    return (r->sign_exponent & 0x7FFF) == 0 && r->mantissa != 0 ? X87_DE : 0;
}

static u16 put_indefinite(struct x87_reg *out)
{
    *out = X87_INDEFINITE;
    return X87_IE;
}

static u16 put_zero(struct x87_reg *out, bool negative)
{
    *out = (struct x87_reg){.mantissa = 0, .sign_exponent = negative ? 0x8000 : 0};
    return 0;
}

static u16 put_infinity(struct x87_reg *out, bool negative)
{
    *out = (struct x87_reg){.mantissa = BIT(63), .sign_exponent = negative ? 0xFFFF : 0x7FFF};
    return 0;
}

/* An unmasked denormal operand ends the computation. */
static u16 put_rounded(struct wide v, u16 denormal, u16 control, struct x87_reg *out)
{
    if (denormal & ~control)
        return denormal;
    return denormal | wide_round(v, control, out);
}

/* ---- functions of one angle. C2 in the result: out of range, nothing was computed */

/* returns: false when *status already says it all */
static bool angle_of(u16 control, struct x87_reg *v, struct angle *a, u16 *status)
{
    struct x87_reg same = *v;

    *status = 0;
    switch (class_of(v)) {
    case IS_NO_NUMBER: *status = host_propagate(x87_mode_exact(control), v, &same) & (u16)~X87_CC; return false;
    case IS_INFINITE: *status = put_indefinite(v); return false;
    case IS_FINITE:
        if ((v->sign_exponent & 0x7FFF) < 0x3FFF + 63) {
            *a = function_reduce(wide_from_x87(v));
            return true;
        }
        *status = X87_C2;
        return false;
    default: return false;
    }
}

static u16 sine(u16 control, struct x87_reg *v)
{
    struct wide s;
    struct angle a;
    u16 status;

    if (!angle_of(control, v, &a, &status))
        return status;
    s = function_sine(&a);
    s.negative ^= is_negative(v);
    return put_rounded(s, denormal_flag(v), control, v);
}

static u16 cosine(u16 control, struct x87_reg *v)
{
    struct angle a;
    u16 status;

    if (angle_of(control, v, &a, &status))
        return put_rounded(function_cosine(&a), denormal_flag(v), control, v);
    if (class_of(v) == IS_ZERO)
        *v = x87_from_integer(1);
    return status;
}

/* *v becomes the tangent, *one is pushed. */
static u16 tangent(u16 control, struct x87_reg *v, struct x87_reg *one)
{
    struct wide t;
    struct angle a;
    u16 status;

    *one = x87_from_integer(1);
    if (!angle_of(control, v, &a, &status)) {
        if (class_of(v) == IS_NO_NUMBER)
            *one = *v;
        return status;
    }
    t = wide_divide(function_sine(&a), function_cosine(&a));
    t.negative ^= is_negative(v);
    return put_rounded(t, denormal_flag(v), control, v);
}

/* *v becomes the sine, *pushed the cosine. Their flags are joined; C1 is the sine's. */
static u16 sine_and_cosine(u16 control, struct x87_reg *v, struct x87_reg *pushed)
{
    u16 status;

    *pushed = *v;
    status = cosine(control, pushed) & (u16)~X87_C1;
    return status | sine(control, v);
}

typedef u16 unary_fn(u16 control, struct x87_reg *v);
typedef u16 pair_fn(u16 control, struct x87_reg *v, struct x87_reg *pushed);

ALWAYS_INLINE void unary(struct cpu *cpu, const struct insn *insn, unary_fn *function, u16 codes)
{
    struct x87_reg result = X87_INDEFINITE;

    if (!x87_begin(cpu))
        return;
    x87_note(cpu, insn);
    if (UNLIKELY(x87_empty(cpu, 0))) {
        cpu->arch.x87_status &= (u16)~codes;
        if (!x87_stack_fault(cpu, X87_UNDERFLOW))
            return;
    } else {
        result = *x87_st(cpu, 0);
        if (!x87_report_codes(cpu, function(cpu->arch.x87_control, &result), X87_PRE, codes))
            return;
    }
    x87_put(cpu, 0, &result);
}

ALWAYS_INLINE void pair(struct cpu *cpu, const struct insn *insn, pair_fn *function)
{
    struct x87_reg result = X87_INDEFINITE, pushed = X87_INDEFINITE;
    u16 status;

    if (!x87_begin(cpu))
        return;
    x87_note(cpu, insn);
    if (UNLIKELY(x87_empty(cpu, 0) || !x87_empty(cpu, 7))) {
        cpu->arch.x87_status &= (u16)~X87_C2;
        if (!x87_stack_fault(cpu, x87_empty(cpu, 0) ? X87_UNDERFLOW : X87_OVERFLOW))
            return;
    } else {
        result = *x87_st(cpu, 0);
        status = function(cpu->arch.x87_control, &result, &pushed);
        if (!x87_report_codes(cpu, status, X87_PRE, X87_C1 | X87_C2) || (status & X87_C2))
            return;
    }
    x87_put(cpu, 0, &result);
    x87_push(cpu, &pushed);
}

BODY_PLAIN(op_fsin) { unary(cpu, insn, sine, X87_C1 | X87_C2); }
BODY_PLAIN(op_fcos) { unary(cpu, insn, cosine, X87_C1 | X87_C2); }
BODY_PLAIN(op_fptan) { pair(cpu, insn, tangent); }
BODY_PLAIN(op_fsincos) { pair(cpu, insn, sine_and_cosine); }

/* ---- F2XM1: -1 to 1 is exact in the manual's sense; beyond, where the manual leaves the result open, x itself.
 * UNVERIFIED: for other processors than those that the tests ran on. */
static u16 exponential(u16 control, struct x87_reg *v)
{
    struct x87_reg same = *v;
    struct wide x;

    switch (class_of(v)) {
    case IS_NO_NUMBER: return host_propagate(x87_mode_exact(control), v, &same);
    case IS_INFINITE:
        if (is_negative(v))
            *v = x87_from_integer(-1);
        return 0;
    case IS_ZERO: return 0;
    default: break;
    }
    if ((v->sign_exponent & 0x7FFF) >= 0x3FFF) {
        if (v->sign_exponent == 0xBFFF && v->mantissa == BIT(63))
            v->sign_exponent = 0xBFFE; /* 1/2 - 1 */
        return X87_PE;                 /* although it is exact */
    }
    x = wide_from_x87(v);
    return put_rounded(function_exp2_m1(x), denormal_flag(v), control, v);
}

BODY_PLAIN(op_f2xm1) { unary(cpu, insn, exponential, X87_C1); }

/* ---- functions of two: *y = f(*y, *x), and pop */

static u16 arctangent(u16 control, struct x87_reg *y, const struct x87_reg *x)
{
    enum number_class cy = class_of(y), cx = class_of(x);
    bool left = is_negative(x), below = is_negative(y);
    struct wide v;

    if (cy == IS_NO_NUMBER || cx == IS_NO_NUMBER)
        return host_propagate(x87_mode_exact(control), y, x);
    if (cy == IS_INFINITE && cx == IS_INFINITE)
        v = function_pi(left ? 3 : 1, 2);
    else if (cy == IS_INFINITE || (cx == IS_ZERO && cy != IS_ZERO))
        v = function_pi(1, 1);
    else if (cx == IS_INFINITE || cy == IS_ZERO)
        v = left ? function_pi(1, 0) : (struct wide){.significand = 0};
    else
        v = function_arctangent(wide_from_x87(y), wide_from_x87(x));
    v.negative = below;
    return put_rounded(v, denormal_flag(y) | denormal_flag(x), control, y);
}

/* log * y, where neither is zero or infinite. */
static u16 put_product(struct wide log, struct x87_reg *y, const struct x87_reg *x, u16 control)
{
    return put_rounded(wide_multiply(log, wide_from_x87(y)), denormal_flag(y) | denormal_flag(x), control, y);
}

/* The sign and size of the logarithm decide, when y or the logarithm is zero or infinite. */
static u16 special_product(struct x87_reg *y, bool log_negative, bool log_zero, bool log_infinite)
{
    bool negative = is_negative(y) != log_negative;
    enum number_class cy = class_of(y);

    if ((log_zero && cy == IS_INFINITE) || (log_infinite && cy == IS_ZERO))
        return put_indefinite(y);
    if (log_infinite || cy == IS_INFINITE)
        return put_infinity(y, negative);
    return put_zero(y, negative);
}

static bool is_one(const struct x87_reg *x) { return x->sign_exponent == 0x3FFF && x->mantissa == BIT(63); }

static u16 logarithm(u16 control, struct x87_reg *y, const struct x87_reg *x)
{
    enum number_class cy = class_of(y), cx = class_of(x);
    u16 denormal;

    if (cy == IS_NO_NUMBER || cx == IS_NO_NUMBER)
        return host_propagate(x87_mode_exact(control), y, x);
    if (is_negative(x) && cx != IS_ZERO)
        return put_indefinite(y);
    if (cx == IS_ZERO && cy == IS_FINITE)
        return X87_ZE | (X87_ZE & ~control ? 0 : special_product(y, true, false, true));
    denormal = denormal_flag(y) | denormal_flag(x);
    if (cx == IS_FINITE && cy == IS_FINITE && !is_one(x))
        return put_product(function_log2(wide_from_x87(x)), y, x, control);
    if (denormal & ~control)
        return denormal;
    return denormal | special_product(y, (x->sign_exponent & 0x7FFF) < 0x3FFF, is_one(x), cx != IS_FINITE);
}

/* UNVERIFIED: x outside of +-(1 - sqrt(2)/2), where the manual leaves the result open: log2(1 + x) as far as it exists.
 */
static u16 logarithm_1p(u16 control, struct x87_reg *y, const struct x87_reg *x)
{
    enum number_class cy = class_of(y), cx = class_of(x);
    u16 denormal;

    if (cy == IS_NO_NUMBER || cx == IS_NO_NUMBER)
        return host_propagate(x87_mode_exact(control), y, x);
    if (is_negative(x) && (x->sign_exponent & 0x7FFF) >= 0x3FFF)
        return put_indefinite(y);
    denormal = denormal_flag(y) | denormal_flag(x);
    if (cx == IS_FINITE && cy == IS_FINITE)
        return put_product(function_log2_1p(wide_from_x87(x)), y, x, control);
    if (denormal & ~control)
        return denormal;
    return denormal | special_product(y, is_negative(x), cx == IS_ZERO, cx == IS_INFINITE);
}

typedef u16 two_fn(u16 control, struct x87_reg *y, const struct x87_reg *x);

ALWAYS_INLINE void two(struct cpu *cpu, const struct insn *insn, two_fn *function)
{
    struct x87_reg result = X87_INDEFINITE;

    if (!x87_begin(cpu))
        return;
    x87_note(cpu, insn);
    if (UNLIKELY(x87_empty(cpu, 0) || x87_empty(cpu, 1))) {
        if (!x87_stack_fault(cpu, X87_UNDERFLOW))
            return;
    } else {
        result = *x87_st(cpu, 1);
        if (!x87_report(cpu, function(cpu->arch.x87_control, &result, x87_st(cpu, 0)), X87_PRE))
            return;
    }
    x87_put(cpu, 1, &result);
    x87_pop(cpu);
}

BODY_PLAIN(op_fpatan) { two(cpu, insn, arctangent); }
BODY_PLAIN(op_fyl2x) { two(cpu, insn, logarithm); }
BODY_PLAIN(op_fyl2xp1) { two(cpu, insn, logarithm_1p); }

/* SPDX-License-Identifier: MIT
 * Sine, cosine, arctangent, logarithm and exponential on wide numbers, by their series on a reduced argument.
 * SDM 1, "Transcendental Instruction Accuracy", "Approximation of Pi".
 */
#include "cpu/isa/x87_function.h"

#include "cpu/isa/wide_constants.h"

static const struct wide wide_one = WIDE(0x8000000000000000, 0, 0);

/* c[first] + c[first + stride] z + c[first + 2 stride] z^2 + ... */
static struct wide series(const struct wide *c, unsigned first, unsigned stride, unsigned terms, struct wide z)
{
    struct wide sum = c[first + stride * (terms - 1)];

    for (unsigned i = terms - 1; i-- > 0;)
        sum = wide_add(wide_multiply(sum, z), c[first + stride * i]);
    return sum;
}

static struct wide square(struct wide a) { return wide_multiply(a, a); }

/* ---- sine and cosine */

/* Everything in units of 2^-65, in which half of the unit's pi is an odd integer. */
struct angle function_reduce(struct wide x)
{
    const u128 half_pi = ((u128)3 << 64) | 0x243F6A8885A308D3ull;
    struct angle a = {.rest = x};
    u128 scaled, turns, rest;
    bool beyond;

    a.rest.negative = false;
    if (x.exponent < -2)
        return a;
    scaled = (x.significand >> 64) << (x.exponent + 2);
    turns = scaled / half_pi;
    rest = scaled % half_pi;
    beyond = rest > half_pi / 2;
    a.rest = wide_from_integer(beyond ? half_pi - rest : rest, -65);
    a.rest.negative = beyond;
    a.quadrant = (unsigned)(turns + beyond) & 3;
    return a;
}

/* |r| <= pi/4: 2^-130 after 16 terms. */
static struct wide sine_near_zero(struct wide r)
{
    return wide_multiply(r, series(inverse_factorial, 1, 2, 16, wide_negate(square(r))));
}

static struct wide cosine_near_zero(struct wide r)
{
    return series(inverse_factorial, 0, 2, 16, wide_negate(square(r)));
}

static struct wide by_quadrant(struct wide r, unsigned quadrant)
{
    struct wide v = quadrant & 1 ? cosine_near_zero(r) : sine_near_zero(r);

    return quadrant & 2 ? wide_negate(v) : v;
}

struct wide function_sine(const struct angle *a) { return by_quadrant(a->rest, a->quadrant); }
struct wide function_cosine(const struct angle *a) { return by_quadrant(a->rest, a->quadrant + 1); }

/* ---- arctangent */
struct wide function_pi(unsigned numerator, unsigned log2_denominator)
{
    struct wide v = wide_multiply(wide_pi, wide_from_integer(numerator, 0));

    v.exponent -= (i32)log2_denominator;
    return v;
}

/* 16 * small / large to the nearest integer, for positive small <= large. */
static unsigned nearest_sixteenth(struct wide small, struct wide large)
{
    unsigned distance = (unsigned)(large.exponent - small.exponent);
    u128 divisor = large.significand >> 64;

    if (distance > 6)
        return 0;
    return (unsigned)((((small.significand >> 64) << 4 >> distance) + divisor / 2) / divisor);
}

/* atan(small / large), 0 <= small <= large: with c = n/16 close to the quotient, atan q = atan c + atan((q-c)/(1+qc)).
 */
static struct wide arctangent_to_one(struct wide small, struct wide large)
{
    unsigned n = nearest_sixteenth(small, large);
    struct wide c = wide_from_integer(n, -4), t, v;

    if (n == 0)
        t = wide_divide(small, large);
    else
        t = wide_divide(wide_subtract(small, wide_multiply(large, c)), wide_add(large, wide_multiply(small, c)));
    v = wide_multiply(t, series(inverse_odd, 0, 1, 14, wide_negate(square(t)))); /* |t| <= 1/32 */
    return n == 0 ? v : wide_add(atan_sixteenth[n], v);
}

struct wide function_arctangent(struct wide y, struct wide x)
{
    bool y_negative = y.negative, x_negative = x.negative, steep;
    struct wide v;

    y.negative = x.negative = false;
    steep = wide_compare(y, x) > 0;
    v = steep ? wide_subtract(function_pi(1, 1), arctangent_to_one(x, y)) : arctangent_to_one(y, x);
    if (x_negative)
        v = wide_subtract(wide_pi, v);
    v.negative = y_negative;
    return v;
}

/* ---- logarithm and exponential */

/* ln((1+s)/(1-s)) / ln 2 */
static struct wide log2_by_atanh(struct wide s)
{
    struct wide v = wide_multiply(wide_multiply(s, series(inverse_odd, 0, 1, 26, square(s))), wide_log2e);

    v.exponent += v.significand != 0;
    return v;
}

struct wide function_log2(struct wide x)
{
    const u128 root_2 = (u128)0xB504F333F9DE6484ull << 64;
    i32 exponent = x.exponent;
    struct wide fraction = x, whole;

    fraction.exponent = 0;
    if (fraction.significand > root_2) {
        fraction.exponent = -1;
        exponent++;
    }
    whole = wide_from_integer((u128)(exponent < 0 ? -exponent : exponent), 0);
    whole.negative = exponent < 0;
    fraction = wide_divide(wide_subtract(fraction, wide_one), wide_add(fraction, wide_one));
    return wide_add(whole, log2_by_atanh(fraction));
}

struct wide function_log2_1p(struct wide x)
{
    if (x.exponent >= -2)
        return function_log2(wide_add(wide_one, x));
    return log2_by_atanh(wide_divide(x, wide_add(wide_add(wide_one, wide_one), x)));
}

struct wide function_exp2_m1(struct wide x)
{
    struct wide y = wide_multiply(x, wide_ln2);

    return wide_multiply(y, series(inverse_factorial, 1, 1, 30, y));
}

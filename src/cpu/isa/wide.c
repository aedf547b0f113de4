/* SPDX-License-Identifier: MIT
 * Floating-point numbers with a 128-bit significand. SDM 1, "Rounding", "Floating-Point Exception Conditions".
 */
#include "cpu/isa/wide.h"

#include "cpu/isa/x87.h"

#define TOP_BIT ((u128)1 << 127)
#define EXPONENT_BIAS 16383
#define EXPONENT_SPECIAL 0x7FFF
#define EXPONENT_WRAP 24576 /* what an unmasked overflow or underflow adds to an exponent */

static unsigned leading_zeros(u128 v)
{
    u64 high = (u64)(v >> 64);

    return (unsigned)(high ? __builtin_clzll(high) : 64 + __builtin_clzll((u64)v));
}

static struct wide normalized(u128 significand, i32 exponent, bool negative)
{
    unsigned shift;

    if (significand == 0)
        return (struct wide){.significand = 0, .negative = negative};
    shift = leading_zeros(significand);
    return (struct wide){.significand = significand << shift, .exponent = exponent - (i32)shift, .negative = negative};
}

struct wide wide_from_x87(const struct x87_reg *r)
{
    i32 exponent = r->sign_exponent & 0x7FFF;

    return normalized((u128)r->mantissa << 64, (exponent ? exponent : 1) - EXPONENT_BIAS, r->sign_exponent >> 15);
}

struct wide wide_from_integer(u128 significand, i32 exponent) { return normalized(significand, exponent + 127, false); }

struct wide wide_negate(struct wide a)
{
    a.negative = !a.negative;
    return a;
}

int wide_compare(struct wide a, struct wide b)
{
    if (a.significand == 0 || b.significand == 0)
        return (a.significand != 0) - (b.significand != 0);
    if (a.exponent != b.exponent)
        return a.exponent < b.exponent ? -1 : 1;
    return (a.significand > b.significand) - (a.significand < b.significand);
}

struct wide wide_add(struct wide a, struct wide b)
{
    unsigned distance;
    u128 sum;

    if (wide_compare(a, b) < 0) {
        struct wide t = a;

        a = b;
        b = t;
    }
    if (b.significand == 0)
        return a;
    distance = (unsigned)(a.exponent - b.exponent);
    b.significand = distance < 128 ? b.significand >> distance : 0;
    if (a.negative != b.negative)
        return normalized(a.significand - b.significand, a.exponent, a.negative);
    sum = a.significand + b.significand;
    if (sum < a.significand) {
        sum = sum >> 1 | TOP_BIT;
        a.exponent++;
    }
    a.significand = sum;
    return a;
}

struct wide wide_subtract(struct wide a, struct wide b) { return wide_add(a, wide_negate(b)); }

/* Upper half of the product of two significands. */
static u128 multiply_high(u128 a, u128 b)
{
    u64 a1 = (u64)(a >> 64), a0 = (u64)a, b1 = (u64)(b >> 64), b0 = (u64)b;
    u128 low = (u128)a0 * b0, mid = (u128)a1 * b0, mid2 = (u128)a0 * b1;
    u128 carry = (low >> 64) + (u64)mid + (u64)mid2;

    return (u128)a1 * b1 + (mid >> 64) + (mid2 >> 64) + (carry >> 64);
}

struct wide wide_multiply(struct wide a, struct wide b)
{
    return normalized(multiply_high(a.significand, b.significand), a.exponent + b.exponent + 1,
                      a.negative != b.negative);
}

struct wide wide_divide(struct wide a, struct wide b)
{
    u128 quotient = 0, remainder = a.significand, divisor = b.significand;
    i32 exponent = a.exponent - b.exponent;
    bool carry = false;

    if (a.significand == 0)
        return normalized(0, 0, a.negative != b.negative);
    for (unsigned i = 0; i < 128; i++) {
        quotient <<= 1;
        if (carry || remainder >= divisor) {
            remainder -= divisor;
            quotient |= 1;
        }
        carry = (remainder >> 127) != 0;
        remainder <<= 1;
    }
    return normalized(quotient, exponent, a.negative != b.negative);
}

/* ---- rounding */

/* A significand cut to 64 bits. */
struct cut {
    u64 mantissa;
    bool carry; /* rounded up to the next power of two: the mantissa is 0 */
    bool up;
};

/* Keep the bits from `drop` (64 or more) on. */
static struct cut cut_significand(u128 significand, unsigned drop, bool negative, u16 control)
{
    u128 kept = drop < 128 ? significand >> drop : 0;
    u128 rest = drop < 128 ? significand << (128 - drop) : (drop == 128 ? significand : 1);
    struct cut cut = {.mantissa = (u64)kept};

    switch ((control & X87_RC) >> 10) {
    case 0: cut.up = rest > TOP_BIT || (rest == TOP_BIT && (kept & 1)); break;
    case 1: cut.up = rest && negative; break;
    case 2: cut.up = rest && !negative; break;
    default: break;
    }
    if (cut.up) {
        cut.mantissa++;
        cut.carry = cut.mantissa == 0;
    }
    return cut;
}

/* Too large, and masked: infinity or the largest number. */
static u16 overflowed(bool negative, u16 control, struct x87_reg *out)
{
    unsigned rc = (control & X87_RC) >> 10;
    bool infinity = rc == 0 || rc == (negative ? 1u : 2u);

    out->mantissa = infinity ? BIT(63) : ~0ull;
    out->sign_exponent = (u16)((negative ? 0x8000 : 0) | (infinity ? EXPONENT_SPECIAL : EXPONENT_SPECIAL - 1));
    return X87_OE | X87_PE | (infinity ? X87_C1 : 0);
}

static u16 pack(struct cut cut, i32 biased, bool negative, struct x87_reg *out)
{
    out->mantissa = cut.carry ? BIT(63) : cut.mantissa;
    out->sign_exponent = (u16)((negative ? 0x8000 : 0) | (biased + cut.carry));
    return X87_PE | (cut.up ? X87_C1 : 0);
}

u16 wide_round(struct wide v, u16 control, struct x87_reg *out)
{
    i32 biased = v.exponent + EXPONENT_BIAS;
    struct cut cut;

    if (v.significand == 0) {
        *out = (struct x87_reg){.mantissa = 0, .sign_exponent = v.negative ? 0x8000 : 0};
        return 0;
    }
    cut = cut_significand(v.significand, 64, v.negative, control);
    if (biased + cut.carry >= EXPONENT_SPECIAL) {
        if (control & X87_OE)
            return overflowed(v.negative, control, out);
        return X87_OE | pack(cut, biased - EXPONENT_WRAP, v.negative, out);
    }
    if (biased + cut.carry > 0)
        return pack(cut, biased, v.negative, out);
    if (!(control & X87_UE))
        return X87_UE | pack(cut, biased + EXPONENT_WRAP, v.negative, out);
    cut = cut_significand(v.significand, (unsigned)(65 - biased), v.negative, control);
    /* A denormal that rounds up to 2^63 is the smallest normal number: exponent field 1. */
    return X87_UE | pack(cut, (i32)(cut.mantissa >> 63), v.negative, out);
}

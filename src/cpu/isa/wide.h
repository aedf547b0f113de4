/* SPDX-License-Identifier: MIT
 * Floating-point numbers with a 128-bit significand, in integer arithmetic only: the same on every host.
 *
 * Operations truncate, with a relative error below 2^-126 each; that leaves 60 bits of reserve for extended results.
 */
#ifndef RINGSIDE_CPU_ISA_WIDE_H
#define RINGSIDE_CPU_ISA_WIDE_H

#include "cpu/cpu.h"

typedef unsigned __int128 u128;

/* (-1)^negative * significand * 2^(exponent - 127). The significand has its top bit set; 0 is zero. */
struct wide {
    u128 significand;
    i32 exponent;
    bool negative;
};

#define WIDE(high, low, exp)                                                                                           \
    {                                                                                                                  \
        .significand = ((u128)high##ull << 64) | low##ull, .exponent = exp                                             \
    }

/* in: a finite extended number, denormals included (not an unnormal, infinity or NaN). Exact. */
struct wide wide_from_x87(const struct x87_reg *r);
/* significand * 2^exponent, exact. */
struct wide wide_from_integer(u128 significand, i32 exponent);
struct wide wide_negate(struct wide a);
struct wide wide_add(struct wide a, struct wide b);
struct wide wide_subtract(struct wide a, struct wide b);
struct wide wide_multiply(struct wide a, struct wide b);
/* in: b not zero */
struct wide wide_divide(struct wide a, struct wide b);
/* Compare magnitudes: < 0, 0, > 0. */
int wide_compare(struct wide a, struct wide b);

/* Round to 64 bits as the x87 unit does, by the rounding control and the masks of the control word. A nonzero value
 * counts as inexact even if it fits, as processors report every transcendental result.
 * returns: OE UE PE C1 of the status word. An unmasked overflow or underflow gives *out with its exponent moved by
 * 24576. source:  SDM 1, "Numeric Overflow Exception", "Numeric Underflow Exception" */
u16 wide_round(struct wide v, u16 control, struct x87_reg *out);

#endif

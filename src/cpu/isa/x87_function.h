/* SPDX-License-Identifier: MIT
 * Sine, cosine, arctangent, logarithm and exponential on wide numbers: what the transcendental instructions compute.
 *
 * Before rounding to 64 bits the results are right to about 2^-120, so that the rounded ones err by less than 0.5000001
 * units in the last place. Pure; the callers deal with zeros, infinities and NaNs.
 */
#ifndef RINGSIDE_CPU_ISA_X87_FUNCTION_H
#define RINGSIDE_CPU_ISA_X87_FUNCTION_H

#include "cpu/isa/wide.h"

/* An angle as quadrant * pi/2 + rest, |rest| <= pi/4. */
struct angle {
    struct wide rest;
    unsigned quadrant; /* 0..3 */
};

/* Reduce the magnitude of x by pi as the x87 unit knows it, which has 66 bits: 3.243F6A8885A308D3h.
 * in: 0 < |x| < 2^63 (exact integer arithmetic).  source: SDM 1, "Approximation of Pi" */
struct angle function_reduce(struct wide x);
/* Of the reduced angle, quadrant included. */
struct wide function_sine(const struct angle *a);
struct wide function_cosine(const struct angle *a);

/* Angle of the point (x, y), -pi..pi. in: not both zero */
struct wide function_arctangent(struct wide y, struct wide x);
/* log2 x. in: x > 0 */
struct wide function_log2(struct wide x);
/* log2(1 + x), exact in relative terms near 0. in: x > -1 */
struct wide function_log2_1p(struct wide x);
/* 2^x - 1. in: |x| <= 1, not zero */
struct wide function_exp2_m1(struct wide x);

/* Pi times a fraction, for the angles of the axes. */
struct wide function_pi(unsigned numerator, unsigned log2_denominator);

#endif

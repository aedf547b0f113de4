/* SPDX-License-Identifier: MIT
 * How numbers are distributed: count, sum, quantiles within 1 %, and a picture of bars by powers of two. Memory is
 * taken by need, so that many of them fit.
 */
#ifndef RINGSIDE_TRACE_VIEW_HISTOGRAM_H
#define RINGSIDE_TRACE_VIEW_HISTOGRAM_H

#include <stdio.h>

#include "base/types.h"

#define HISTOGRAM_FINE 128u  /* buckets of a power of two */
#define HISTOGRAM_POWERS 58u /* the first holds 0 to 127, one value a bucket */

/* Zero-initialised: empty. */
struct histogram {
    u64 count, sum, min, max;
    u64 *power[HISTOGRAM_POWERS]; /* HISTOGRAM_FINE counts, or NULL */
};

void histogram_add(struct histogram *h, u64 value);
void histogram_free(struct histogram *h); /* what it holds; it is empty then */
/* The value below which the given share lies. in: thousandths  0 to 1000. returns: 0 when it is empty */
u64 histogram_quantile(const struct histogram *h, unsigned thousandths);
/* "      min    median       p99        max", each in its column, with a blank before; dashes when it is empty. */
#define HISTOGRAM_COLUMNS " %9s %9s %9s %10s"
void histogram_print_columns(FILE *out, const struct histogram *h);
/* A line for each power of two from the lowest to the highest that occurs, indented: range, count, bar. */
void histogram_print(FILE *out, const struct histogram *h);

#endif

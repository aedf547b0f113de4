/* SPDX-License-Identifier: MIT
 * How numbers are distributed.
 */
#include "trace/view/histogram.h"

#include <stdlib.h>

typedef unsigned long long ull;

#define FINE_BITS 7u
#define BAR_WIDTH 40u

_Static_assert(HISTOGRAM_FINE == 1u << FINE_BITS && HISTOGRAM_POWERS == 64 - FINE_BITS + 1, "every u64 has a bucket");

/* Which power, and which of its buckets: the first FINE_BITS + 1 significant bits decide. */
static unsigned power_of(u64 value, unsigned *bucket)
{
    unsigned shift;

    if (value < HISTOGRAM_FINE) {
        *bucket = (unsigned)value;
        return 0;
    }
    shift = 63u - FINE_BITS - (unsigned)__builtin_clzll(value);
    *bucket = (unsigned)((value >> shift) - HISTOGRAM_FINE);
    return shift + 1;
}

static u64 floor_of(unsigned power, unsigned bucket)
{
    return power == 0 ? bucket : (u64)(HISTOGRAM_FINE + bucket) << (power - 1);
}

void histogram_add(struct histogram *h, u64 value)
{
    unsigned bucket, power = power_of(value, &bucket);

    if (!h->power[power]) {
        h->power[power] = calloc(HISTOGRAM_FINE, sizeof *h->power[power]);
        if (!h->power[power])
            abort();
    }
    h->power[power][bucket]++;
    h->min = h->count == 0 || value < h->min ? value : h->min;
    h->max = value > h->max ? value : h->max;
    h->count++;
    h->sum += value;
}

void histogram_free(struct histogram *h)
{
    for (unsigned i = 0; i < HISTOGRAM_POWERS; i++)
        free(h->power[i]);
    *h = (struct histogram){0};
}

u64 histogram_quantile(const struct histogram *h, unsigned thousandths)
{
    u64 rank = (h->count * thousandths + 999) / 1000, seen = 0;

    for (unsigned p = 0; p < HISTOGRAM_POWERS; p++)
        for (unsigned b = 0; h->power[p] && b < HISTOGRAM_FINE; b++) {
            seen += h->power[p][b];
            if (seen >= rank && seen) {
                u64 value = floor_of(p, b);

                return value < h->min ? h->min : value > h->max ? h->max : value;
            }
        }
    return h->max;
}

void histogram_print_columns(FILE *out, const struct histogram *h)
{
    if (h->count == 0)
        fprintf(out, HISTOGRAM_COLUMNS, "-", "-", "-", "-");
    else
        fprintf(out, " %9llu %9llu %9llu %10llu", (ull)h->min, (ull)histogram_quantile(h, 500),
                (ull)histogram_quantile(h, 990), (ull)h->max);
}

/* Bits that a value has: 0 for 0, else 1 + the power of two at or below it. */
static unsigned width_of(u64 value) { return value ? 64u - (unsigned)__builtin_clzll(value) : 0; }

static void by_width(const struct histogram *h, u64 count[65])
{
    for (unsigned p = 0; p < HISTOGRAM_POWERS; p++)
        for (unsigned b = 0; h->power[p] && b < HISTOGRAM_FINE; b++)
            count[width_of(floor_of(p, b))] += h->power[p][b];
}

void histogram_print(FILE *out, const struct histogram *h)
{
    u64 count[65] = {0}, most = 0;

    if (h->count == 0)
        return;
    by_width(h, count);
    for (unsigned w = 0; w < 65; w++)
        most = count[w] > most ? count[w] : most;
    for (unsigned w = width_of(h->min); w <= width_of(h->max); w++) {
        u64 low = w == 0 ? 0 : 1ull << (w - 1), high = w == 0 ? 0 : low + (low - 1);
        unsigned bar = (unsigned)((count[w] * BAR_WIDTH + most - 1) / most); /* what occurs has a bar */

        fprintf(out, "    %12llu to %-12llu %10llu  ", (ull)low, (ull)high, (ull)count[w]);
        while (bar--)
            fputc('#', out);
        fputc('\n', out);
    }
}

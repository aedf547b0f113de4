/* SPDX-License-Identifier: MIT
 * The table of `ringside trace -c`: system calls by name, with their errors and the instructions inside.
 */
#include "cli/trace/tally.h"

#include <stdlib.h>
#include <string.h>

typedef unsigned long long ull;

#define ROWS_MAX 2048u
#define SAMPLES_MAX 65536u /* of a row; with more, every second, fourth... is kept */

struct row {
    enum linux_abi abi;
    u64 number;
    const struct linux_syscall *syscall;
    u64 calls, errors, total, least, most;
    u64 every; /* of so many calls one is kept */
    size_t samples, room;
    u64 *sample;
};

struct trace_tally {
    struct row *row[ROWS_MAX];
    size_t rows;
    u64 lost; /* calls for which there was no row */
};

static void *must(void *memory)
{
    if (memory == NULL)
        abort();
    return memory;
}

struct trace_tally *trace_tally_new(void) { return must(calloc(1, sizeof(struct trace_tally))); }

void trace_tally_free(struct trace_tally *t)
{
    if (t == NULL)
        return;
    for (size_t i = 0; i < t->rows; i++) {
        free(t->row[i]->sample);
        free(t->row[i]);
    }
    free(t);
}

static struct row *find_row(struct trace_tally *t, const struct call *call)
{
    struct row *r;

    for (size_t i = 0; i < t->rows; i++)
        if (t->row[i]->abi == call->abi && t->row[i]->number == call->number)
            return t->row[i];
    if (t->rows == ROWS_MAX)
        return NULL;
    r = t->row[t->rows++] = must(calloc(1, sizeof *r));
    *r = (struct row){
        .abi = call->abi, .number = call->number, .syscall = call->syscall, .least = UINT64_MAX, .every = 1};
    return r;
}

static void keep_sample(struct row *r, u64 insns)
{
    if (r->calls % r->every != 0)
        return;
    if (r->samples == SAMPLES_MAX) {
        for (size_t i = 0; i < SAMPLES_MAX / 2; i++)
            r->sample[i] = r->sample[2 * i];
        r->samples /= 2;
        r->every *= 2;
    }
    if (r->samples == r->room) {
        r->room = r->room == 0 ? 16 : 2 * r->room;
        r->sample = must(realloc(r->sample, r->room * sizeof *r->sample));
    }
    r->sample[r->samples++] = insns;
}

void trace_tally_add(struct trace_tally *t, const struct call *call, i64 result)
{
    struct row *r = find_row(t, call);

    if (r == NULL) {
        t->lost++;
        return;
    }
    keep_sample(r, call->insns_inside);
    r->calls++;
    /* Up to 511: what is above says that the call is made again. */
    r->errors += (call->end == CALL_RETURNED || call->end == CALL_SIGNAL) && result < 0 && result > -512;
    r->total += call->insns_inside;
    r->least = call->insns_inside < r->least ? call->insns_inside : r->least;
    r->most = call->insns_inside > r->most ? call->insns_inside : r->most;
}

static int by_total(const void *a, const void *b)
{
    const struct row *x = *(const struct row *const *)a, *y = *(const struct row *const *)b;

    if (x->total != y->total)
        return x->total < y->total ? 1 : -1;
    return x->number < y->number ? -1 : x->number > y->number;
}

static int by_value(const void *a, const void *b)
{
    const u64 *x = a, *y = b;

    return *x < *y ? -1 : *x > *y;
}

static void print_name(FILE *out, const struct row *r)
{
    if (r->syscall != NULL)
        fprintf(out, "%s", linux_syscall_name(r->syscall));
    else
        fprintf(out, "syscall_%llu", (ull)r->number);
    if (r->abi != LINUX_AMD64)
        fprintf(out, " (%s)", r->abi == LINUX_I386 ? "i386" : "x32");
    fputc('\n', out);
}

void trace_tally_print(struct trace_tally *t, FILE *out)
{
    u64 calls = 0, errors = 0, total = 0;

    qsort(t->row, t->rows, sizeof t->row[0], by_total);
    fprintf(out, "%% insns     insns inside      min   median        max     calls   errors  system call\n");
    for (size_t i = 0; i < t->rows; i++)
        total += t->row[i]->total;
    for (size_t i = 0; i < t->rows; i++) {
        struct row *r = t->row[i];

        qsort(r->sample, r->samples, sizeof *r->sample, by_value);
        fprintf(out, "%7.2f %16llu %8llu %7llu%c %10llu %9llu %8llu  ",
                total == 0 ? 0.0 : 100.0 * (double)r->total / (double)total, (ull)r->total, (ull)r->least,
                (ull)r->sample[r->samples / 2], r->every == 1 ? ' ' : '~', (ull)r->most, (ull)r->calls, (ull)r->errors);
        print_name(out, r);
        calls += r->calls;
        errors += r->errors;
    }
    fprintf(out, "%7.2f %16llu %8s %7s  %10s %9llu %8llu  total\n", total == 0 ? 0.0 : 100.0, (ull)total, "", "", "",
            (ull)calls, (ull)errors);
    if (t->lost != 0)
        fprintf(out, "%llu calls of further numbers are not in the table\n", (ull)t->lost);
}

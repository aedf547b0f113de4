/* SPDX-License-Identifier: MIT
 * Counts of system calls.
 */
#include "trace/view/call_tally.h"

#include <stdlib.h>

#include "trace/view/histogram.h"
#include "trace/words.h"

typedef unsigned long long ull;

#define ROWS 1024u
#define SLOTS (ROWS * 2u) /* half of them stay empty */
#define ERRORS_NAMED 4u
#define RESTARTS 512u /* ERESTARTSYS and up: the kernel's own business, no program sees them */

struct call_row {
    u64 number;
    enum linux_abi abi;
    const struct linux_syscall *syscall;
    u64 count, returned, errors;
    struct {
        unsigned number;
        u64 count;
    } error[ERRORS_NAMED]; /* the first that occurred */
    struct histogram inside;
};

/* Row numbers from 1 by hash, and the rows; row 0 stands for all that found no room. */
struct call_tally {
    u16 slot[SLOTS];
    unsigned rows;
    struct call_row row[ROWS];
    u64 inside; /* instructions in all of them */
};

struct call_tally *call_tally_new(void)
{
    struct call_tally *t = calloc(1, sizeof *t);

    if (!t)
        abort();
    t->rows = 1;
    return t;
}

void call_tally_free(struct call_tally *t)
{
    for (unsigned i = 0; t && i < ROWS; i++)
        histogram_free(&t->row[i].inside);
    free(t);
}

static u64 mix(u64 x)
{
    x *= 0x9E3779B97F4A7C15ull;
    return x ^ (x >> 29);
}

static struct call_row *row_of(struct call_tally *t, const struct call *call)
{
    u64 number = call->number, h = mix(number * 4 + call->abi);

    for (;; h++) {
        u16 *slot = &t->slot[h % SLOTS];
        struct call_row *row = &t->row[*slot];

        if (*slot && row->number == number && row->abi == call->abi)
            return row;
        if (*slot)
            continue;
        if (t->rows == ROWS)
            return &t->row[0];
        *slot = (u16)t->rows++;
        t->row[*slot].number = number;
        t->row[*slot].abi = call->abi;
        t->row[*slot].syscall = call->syscall;
        return &t->row[*slot];
    }
}

static void count_error(struct call_row *row, unsigned number)
{
    row->errors++;
    for (unsigned i = 0; i < ERRORS_NAMED; i++)
        if (row->error[i].number == number || row->error[i].count == 0) {
            row->error[i].number = number;
            row->error[i].count++;
            return;
        }
}

void call_tally_add(struct call_tally *t, const struct call *call)
{
    struct call_row *row;

    if (!call->is_syscall)
        return;
    row = row_of(t, call);
    row->count++;
    if (call->end == CALL_OPEN || call->end == CALL_NEVER)
        return;
    row->returned++;
    histogram_add(&row->inside, call->insns_inside);
    t->inside += call->insns_inside;
    if ((call->end == CALL_RETURNED || call->end == CALL_SIGNAL) && call->result < 0 && call->result > -(i64)RESTARTS)
        count_error(row, (unsigned)-call->result);
}

bool call_tally_any(const struct call_tally *t) { return t->rows > 1; }

static int by_cost(const void *a, const void *b)
{
    const struct call_row *x = *(const struct call_row *const *)a, *y = *(const struct call_row *const *)b;

    if (x->inside.sum != y->inside.sum)
        return x->inside.sum < y->inside.sum ? 1 : -1;
    if (x->count != y->count)
        return x->count < y->count ? 1 : -1;
    return x->abi != y->abi ? (x->abi < y->abi ? -1 : 1) : x->number < y->number ? -1 : x->number > y->number;
}

static const struct call_row **sorted(const struct call_tally *t)
{
    const struct call_row **list = malloc(t->rows * sizeof *list);

    if (!list)
        abort();
    for (unsigned i = 0; i < t->rows; i++)
        list[i] = &t->row[i];
    qsort(list + 1, t->rows - 1, sizeof *list, by_cost);
    return list;
}

static void call_label(const struct call_tally *t, const struct call_row *row, char *out, size_t size)
{
    if (row == &t->row[0])
        snprintf(out, size, "(others)");
    else if (row->syscall)
        snprintf(out, size, "%s", linux_syscall_name(row->syscall));
    else
        snprintf(out, size, "%lld", (long long)row->number);
}

static void print_errors(FILE *out, const struct call_row *row)
{
    u64 named = 0;

    for (unsigned i = 0; i < ERRORS_NAMED && row->error[i].count; i++) {
        const char *name = linux_error_name(row->error[i].number);

        named += row->error[i].count;
        fprintf(out, "%s", i ? ", " : "  ");
        if (name)
            fprintf(out, "%llu %s", (ull)row->error[i].count, name);
        else
            fprintf(out, "%llu error %u", (ull)row->error[i].count, row->error[i].number);
    }
    if (row->errors > named)
        fprintf(out, ", %llu others", (ull)(row->errors - named));
}

static void print_row(FILE *out, const struct call_tally *t, const struct call_row *row, bool histogram)
{
    const struct histogram *h = &row->inside;
    char name[64];

    call_label(t, row, name, sizeof name);
    fprintf(out, "%-20s %-6s %8llu %7llu", name, row == &t->row[0] ? "" : words_abi(row->abi), (ull)row->count,
            (ull)row->errors);
    histogram_print_columns(out, h);
    fprintf(out, " %12llu %5.1f%%", (ull)h->sum, t->inside ? 100.0 * (double)h->sum / (double)t->inside : 0.0);
    print_errors(out, row);
    if (row->count > row->returned)
        fprintf(out, "%s%llu not back", row->errors ? ", " : "  ", (ull)(row->count - row->returned));
    fputc('\n', out);
    if (histogram)
        histogram_print(out, h);
}

void call_tally_print(FILE *out, const struct call_tally *t, bool histogram)
{
    const struct call_row **list;

    if (!call_tally_any(t))
        return;
    list = sorted(t);
    fprintf(out, "\n%-20s %-6s %8s %7s" HISTOGRAM_COLUMNS " %12s %6s\n", "system call", "abi", "calls", "errors", "min",
            "median", "p99", "max", "instructions", "share");
    for (unsigned i = 1; i < t->rows; i++)
        print_row(out, t, list[i], histogram);
    if (t->row[0].count)
        print_row(out, t, &t->row[0], histogram);
    free(list);
}

static void json_row(FILE *out, const struct call_tally *t, const struct call_row *row)
{
    const struct histogram *h = &row->inside;
    char name[64];

    call_label(t, row, name, sizeof name);
    fprintf(out, "{\"name\":\"%s\",\"abi\":\"%s\",\"number\":%llu,\"count\":%llu,\"returned\":%llu,\"errors\":%llu",
            name, words_abi(row->abi), (ull)row->number, (ull)row->count, (ull)row->returned, (ull)row->errors);
    fprintf(out, ",\"instructions\":%llu,\"min\":%llu,\"median\":%llu,\"p99\":%llu,\"max\":%llu}", (ull)h->sum,
            (ull)h->min, (ull)histogram_quantile(h, 500), (ull)histogram_quantile(h, 990), (ull)h->max);
}

void call_tally_print_json(FILE *out, const struct call_tally *t)
{
    const struct call_row **list = sorted(t);
    unsigned first = t->row[0].count ? 0 : 1;

    fprintf(out, "[");
    for (unsigned i = first; i < t->rows; i++) {
        fprintf(out, "%s", i > first ? "," : "");
        json_row(out, t, list[i]);
    }
    fprintf(out, "]");
    free(list);
}

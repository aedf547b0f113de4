/* SPDX-License-Identifier: MIT
 * Sums over a run: by suite and by subject; and the words that every format uses.
 */
#include <stdlib.h>
#include <string.h>

#include "conform/report/report.h"

static const struct conform_format *const formats[] = {&format_text, &format_tap, &format_junit, &format_json};

const struct conform_format *conform_format_named(const char *name)
{
    for (unsigned i = 0; i < ARRAY_LEN(formats); i++)
        if (strcmp(formats[i]->name, name) == 0)
            return formats[i];
    return NULL;
}

static void add(struct conform_total *total, const struct conform_outcome *outcome)
{
    total->tests++;
    total->failed_tests += outcome->failed != 0;
    total->passed += outcome->passed;
    total->failed += outcome->failed;
    total->unsettled += outcome->unsettled;
    total->skipped += outcome->skipped;
}

struct conform_total conform_suite_total(const struct conform_run *run, unsigned suite)
{
    const struct conform_open_suite *open = &run->suites[suite];
    struct conform_total total = {0};

    for (unsigned i = 0; i < open->count; i++)
        add(&total, &run->tests[open->first + i].outcome);
    return total;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct conform_total *)a)->name, ((const struct conform_total *)b)->name);
}

unsigned conform_subject_totals(const struct conform_run *run, unsigned suite, struct conform_total **totals)
{
    const struct conform_open_suite *open = &run->suites[suite];
    struct conform_total *all = calloc((size_t)open->count + 1, sizeof *all);
    unsigned count = 0;

    *totals = all;
    if (all == NULL)
        return 0;
    for (unsigned i = 0; i < open->count; i++) {
        struct conform_test test;

        conform_run_describe(run, open->first + i, &test);
        snprintf(all[i].name, sizeof all[i].name, "%s", test.subject);
        add(&all[i], &run->tests[open->first + i].outcome);
    }
    qsort(all, open->count, sizeof *all, by_name);
    for (unsigned i = 0; i < open->count; i++) {
        struct conform_total *last = count > 0 ? &all[count - 1] : NULL;

        if (last == NULL || strcmp(last->name, all[i].name) != 0) {
            all[count++] = all[i];
            continue;
        }
        last->tests += all[i].tests;
        last->failed_tests += all[i].failed_tests;
        last->passed += all[i].passed;
        last->failed += all[i].failed;
        last->unsettled += all[i].unsettled;
        last->skipped += all[i].skipped;
    }
    return count;
}

void conform_print_subject_under_test(FILE *out, const struct conform_run *run)
{
    fprintf(out, "engine %s", run->options.engine == ENGINE_BLOCK ? "block" : "step");
    for (unsigned v = VENDOR_INTEL; v <= VENDOR_AMD; v++)
        if (run->options.vendor[v])
            fprintf(out, "; vendor %s, model max", v == VENDOR_AMD ? "amd" : "intel");
}

const char *conform_outcome_word(const struct conform_outcome *outcome)
{
    if (outcome->failed != 0)
        return "failed";
    if (outcome->passed != 0)
        return "passed";
    return outcome->skipped != 0 ? "skipped" : "unsettled";
}

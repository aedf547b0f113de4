/* SPDX-License-Identifier: MIT
 * How a run of tests is told: as text for people, or as what machines read.
 */
#ifndef RINGSIDE_CONFORM_REPORT_REPORT_H
#define RINGSIDE_CONFORM_REPORT_REPORT_H

#include "conform/run.h"

struct conform_report {
    FILE *out;
    bool verbose; /* text: tests that passed, and the whole summary by subject */
    double seconds;
};

struct conform_format {
    const char *name;
    /* Each may be NULL. test() is called in the order of the tests. */
    void (*begin)(const struct conform_report *report, const struct conform_run *run);
    void (*test)(const struct conform_report *report, const struct conform_run *run, unsigned number);
    void (*end)(const struct conform_report *report, const struct conform_run *run);
};

extern const struct conform_format format_text, format_tap, format_junit, format_json;
/* returns: NULL for an unknown name */
const struct conform_format *conform_format_named(const char *name);

/* ---- sums */

struct conform_total {
    char name[32]; /* of the subject; "" in a suite's total */
    unsigned tests, failed_tests;
    u64 passed, failed, unsettled, skipped; /* checks */
};
struct conform_total conform_suite_total(const struct conform_run *run, unsigned suite);
/* One total per subject of a suite, by name. returns: how many; *totals is for free(), NULL when there are none */
unsigned conform_subject_totals(const struct conform_run *run, unsigned suite, struct conform_total **totals);

/* "engine block; vendor intel (model max), vendor amd (model max)" */
void conform_print_subject_under_test(FILE *out, const struct conform_run *run);
/* A test's outcome in a word: "passed", "failed", "unsettled", "skipped". */
const char *conform_outcome_word(const struct conform_outcome *outcome);

#endif

/* SPDX-License-Identifier: MIT
 * The report for people: failures as they come, then sums by suite and by subject.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "conform/report/report.h"

static void text_begin(const struct conform_report *report, const struct conform_run *run)
{
    conform_print_subject_under_test(report->out, run);
    fputc('\n', report->out);
    for (unsigned s = 0; s < run->suite_count; s++) {
        const struct conform_open_suite *open = &run->suites[s];

        if (open->suite->subtitle == NULL || open->count == 0)
            continue;
        fprintf(report->out, "%s: ", open->suite->name);
        open->suite->subtitle(open->state, report->out);
        fputc('\n', report->out);
    }
}

static void print_indented(FILE *out, const char *text)
{
    while (*text != '\0') {
        size_t length = strcspn(text, "\n");

        fprintf(out, "  %.*s\n", (int)length, text);
        text += length + (text[length] == '\n');
    }
}

static void text_test(const struct conform_report *report, const struct conform_run *run, unsigned number)
{
    const struct conform_outcome *outcome = &run->tests[number].outcome;
    struct conform_test test;

    if (outcome->failed == 0 && !report->verbose)
        return;
    conform_run_describe(run, number, &test);
    fprintf(report->out, "%s %s: %s", outcome->failed != 0 ? "FAIL" : conform_outcome_word(outcome),
            run->suites[run->tests[number].suite].suite->name, test.name);
    if (outcome->passed + outcome->failed > 1)
        fprintf(report->out, " (%u passed, %u failed)", outcome->passed, outcome->failed);
    fputc('\n', report->out);
    print_indented(report->out, outcome->details);
}

static void print_total(FILE *out, const struct conform_total *t)
{
    fprintf(out, "%" PRIu64 " passed, %" PRIu64 " failed", t->passed, t->failed);
    if (t->unsettled != 0)
        fprintf(out, ", %" PRIu64 " unsettled", t->unsettled);
    if (t->skipped != 0)
        fprintf(out, ", %" PRIu64 " skipped", t->skipped);
}

/* Subjects with a failure; verbose: all. */
static void print_subjects(const struct conform_report *report, const struct conform_run *run, unsigned suite)
{
    struct conform_total *totals;
    unsigned count = conform_subject_totals(run, suite, &totals);

    for (unsigned i = 0; i < count; i++) {
        if (totals[i].failed == 0 && !report->verbose)
            continue;
        fprintf(report->out, "    %-14s ", totals[i].name);
        print_total(report->out, &totals[i]);
        fputc('\n', report->out);
    }
    free(totals);
}

static void text_end(const struct conform_report *report, const struct conform_run *run)
{
    struct conform_total *subjects;

    for (unsigned s = 0; s < run->suite_count; s++) {
        struct conform_total total = conform_suite_total(run, s);
        unsigned count;

        if (total.tests == 0)
            continue;
        count = conform_subject_totals(run, s, &subjects);
        free(subjects);
        fprintf(report->out, "%s (%s): ", run->suites[s].suite->name, run->suites[s].suite->title);
        print_total(report->out, &total);
        fprintf(report->out, "; %u tests of %u subjects, %u tests failed\n", total.tests, count, total.failed_tests);
        print_subjects(report, run, s);
    }
    fprintf(report->out, "%u of %u tests failed, %.1f s\n", conform_run_failed(run), run->count, report->seconds);
}

const struct conform_format format_text = {"text", text_begin, text_test, text_end};

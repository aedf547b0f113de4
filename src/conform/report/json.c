/* SPDX-License-Identifier: MIT
 * One JSON object: what was tested, sums by suite and subject, and each test that did not pass.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "conform/report/report.h"
#include "trace/words.h"

static void print_sums(FILE *out, const struct conform_total *t)
{
    fprintf(out,
            "\"tests\":%u,\"failed_tests\":%u,\"passed\":%" PRIu64 ",\"failed\":%" PRIu64 ",\"unsettled\":%" PRIu64
            ",\"skipped\":%" PRIu64,
            t->tests, t->failed_tests, t->passed, t->failed, t->unsettled, t->skipped);
}

static void print_subjects(FILE *out, const struct conform_run *run, unsigned suite)
{
    struct conform_total *totals;
    unsigned count = conform_subject_totals(run, suite, &totals);

    fputs(",\"subjects\":[", out);
    for (unsigned i = 0; i < count; i++) {
        fputs(i > 0 ? ",\n  {\"name\":" : "\n  {\"name\":", out);
        words_json(out, totals[i].name);
        fputc(',', out);
        print_sums(out, &totals[i]);
        fputc('}', out);
    }
    fputs("]", out);
    free(totals);
}

static void print_failures(FILE *out, const struct conform_run *run, unsigned suite)
{
    const struct conform_open_suite *open = &run->suites[suite];
    const char *separator = "\n  ";

    fputs(",\"not_passed\":[", out);
    for (unsigned i = 0; i < open->count; i++) {
        const struct conform_outcome *outcome = &run->tests[open->first + i].outcome;
        struct conform_test test;

        if (outcome->failed == 0 && outcome->passed != 0)
            continue;
        conform_run_describe(run, open->first + i, &test);
        fprintf(out, "%s{\"name\":", separator);
        words_json(out, test.name);
        fputs(",\"subject\":", out);
        words_json(out, test.subject);
        fprintf(out, ",\"outcome\":\"%s\",\"details\":", conform_outcome_word(outcome));
        words_json(out, outcome->details);
        fputc('}', out);
        separator = ",\n  ";
    }
    fputs("]", out);
}

static void json_end(const struct conform_report *report, const struct conform_run *run)
{
    const char *separator = "";
    FILE *out = report->out;

    fprintf(out, "{\"engine\":\"%s\",\"model\":\"max\",\"vendors\":[",
            run->options.engine == ENGINE_BLOCK ? "block" : "step");
    for (unsigned v = VENDOR_INTEL; v <= VENDOR_AMD; v++) {
        if (!run->options.vendor[v])
            continue;
        fprintf(out, "%s\"%s\"", separator, v == VENDOR_AMD ? "amd" : "intel");
        separator = ",";
    }
    fprintf(out, "],\"seconds\":%.3f,\"tests\":%u,\"failed_tests\":%u,\"suites\":[", report->seconds, run->count,
            conform_run_failed(run));
    separator = "\n";
    for (unsigned s = 0; s < run->suite_count; s++) {
        struct conform_total total = conform_suite_total(run, s);

        if (total.tests == 0)
            continue;
        fprintf(out, "%s {\"name\":\"%s\",", separator, run->suites[s].suite->name);
        print_sums(out, &total);
        print_subjects(out, run, s);
        print_failures(out, run, s);
        fputc('}', out);
        separator = ",\n";
    }
    fputs("]}\n", out);
}

const struct conform_format format_json = {.name = "json", .end = json_end};

/* SPDX-License-Identifier: MIT
 * The Test Anything Protocol, version 14 (testanything.org).
 */
#include <string.h>

#include "conform/report/report.h"

static void tap_begin(const struct conform_report *report, const struct conform_run *run)
{
    fputs("TAP version 14\n# ", report->out);
    conform_print_subject_under_test(report->out, run);
    fprintf(report->out, "\n1..%u\n", run->count);
}

/* A description ends at '#' unless it is escaped. */
static void print_description(FILE *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '#' || *text == '\\')
            fputc('\\', out);
        fputc(*text, out);
    }
}

/* A YAML block: literal text, whose lines are indented and so need no escapes. */
static void print_block(FILE *out, const struct conform_outcome *outcome)
{
    const char *text = outcome->details;

    fprintf(out, "  ---\n  passed: %u\n  failed: %u\n  details: |\n", outcome->passed, outcome->failed);
    while (*text != '\0') {
        size_t length = strcspn(text, "\n");

        fprintf(out, "    %.*s\n", (int)length, text);
        text += length + (text[length] == '\n');
    }
    fputs("  ...\n", out);
}

static void tap_test(const struct conform_report *report, const struct conform_run *run, unsigned number)
{
    const struct conform_outcome *outcome = &run->tests[number].outcome;
    struct conform_test test;

    conform_run_describe(run, number, &test);
    fprintf(report->out, "%sok %u - %s: ", outcome->failed != 0 ? "not " : "", number + 1,
            run->suites[run->tests[number].suite].suite->name);
    print_description(report->out, test.name);
    if (outcome->failed == 0 && outcome->passed == 0 && outcome->skipped != 0)
        fprintf(report->out, " # SKIP %.*s", (int)strcspn(outcome->details, "\n"), outcome->details);
    fputc('\n', report->out);
    if (outcome->failed != 0)
        print_block(report->out, outcome);
}

static void tap_end(const struct conform_report *report, const struct conform_run *run)
{
    fprintf(report->out, "# %u of %u tests failed, %.1f s\n", conform_run_failed(run), run->count, report->seconds);
}

const struct conform_format format_tap = {"tap", tap_begin, tap_test, tap_end};

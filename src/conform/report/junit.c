/* SPDX-License-Identifier: MIT
 * JUnit's XML, as continuous integration servers read it: a suite is a testsuite, a test a testcase.
 */
#include "conform/report/report.h"

/* XML 1.0 allows no control characters but tab and newline, not even escaped. */
static void print_xml(FILE *out, const char *text)
{
    for (; *text != '\0'; text++) {
        switch (*text) {
        case '&': fputs("&amp;", out); break;
        case '<': fputs("&lt;", out); break;
        case '>': fputs("&gt;", out); break;
        case '"': fputs("&quot;", out); break;
        case '\n':
        case '\t': fputc(*text, out); break;
        default: fputc((unsigned char)*text < 0x20 || *text == 0x7F ? '?' : *text, out);
        }
    }
}

static void print_test(FILE *out, const struct conform_run *run, unsigned number)
{
    const struct conform_outcome *outcome = &run->tests[number].outcome;
    struct conform_test test;

    conform_run_describe(run, number, &test);
    fputs("    <testcase classname=\"", out);
    print_xml(out, run->suites[run->tests[number].suite].suite->name);
    fputc('.', out);
    print_xml(out, test.subject);
    fputs("\" name=\"", out);
    print_xml(out, test.name);
    fputs("\"", out);
    if (outcome->failed != 0) {
        fprintf(out, "><failure message=\"%u of %u checks failed\">", outcome->failed,
                outcome->failed + outcome->passed);
        print_xml(out, outcome->details);
        fputs("</failure></testcase>\n", out);
    } else if (outcome->passed == 0 && outcome->skipped != 0) {
        fputs("><skipped message=\"", out);
        print_xml(out, outcome->details);
        fputs("\"/></testcase>\n", out);
    } else {
        fputs("/>\n", out);
    }
}

static unsigned skipped_tests(const struct conform_run *run, const struct conform_open_suite *open)
{
    unsigned skipped = 0;

    for (unsigned i = 0; i < open->count; i++) {
        const struct conform_outcome *outcome = &run->tests[open->first + i].outcome;

        skipped += outcome->failed == 0 && outcome->passed == 0 && outcome->skipped != 0;
    }
    return skipped;
}

static void print_suite(FILE *out, const struct conform_run *run, unsigned suite)
{
    const struct conform_open_suite *open = &run->suites[suite];
    struct conform_total total = conform_suite_total(run, suite);

    fprintf(out, "  <testsuite name=\"%s\" tests=\"%u\" failures=\"%u\" skipped=\"%u\">\n", open->suite->name,
            total.tests, total.failed_tests, skipped_tests(run, open));
    fputs("    <properties><property name=\"under test\" value=\"", out);
    conform_print_subject_under_test(out, run);
    fputs("\"/></properties>\n", out);
    for (unsigned i = 0; i < open->count; i++)
        print_test(out, run, open->first + i);
    fputs("  </testsuite>\n", out);
}

static void junit_end(const struct conform_report *report, const struct conform_run *run)
{
    fprintf(report->out,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<testsuites name=\"ringside conform\" tests=\"%u\" failures=\"%u\" time=\"%.3f\">\n",
            run->count, conform_run_failed(run), report->seconds);
    for (unsigned s = 0; s < run->suite_count; s++)
        if (run->suites[s].count != 0)
            print_suite(report->out, run, s);
    fputs("</testsuites>\n", report->out);
}

const struct conform_format format_junit = {.name = "junit", .end = junit_end};

/* SPDX-License-Identifier: MIT
 * The runner: a made-up suite whose tests pass, fail, are skipped, crash and hang, in one process and in several.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "conform/report/report.h"

enum made_up { PASSES, FAILS, SKIPPED, UNSETTLED, CRASHES, LEAVES, HANGS, MADE_UP };
static const char *const names[] = {"passes", "fails <&\">", "skipped # a", "unsettled", "crashes", "leaves", "hangs"};

/* The suite's state: which tests it has. */
struct suite {
    unsigned count;
};
static const struct suite harmless = {CRASHES}, whole = {MADE_UP};

static bool open_harmless(void **state, const struct conform_options *options, struct error *err)
{
    (void)options, (void)err;
    *state = (void *)(uintptr_t)&harmless;
    return true;
}

static bool open_whole(void **state, const struct conform_options *options, struct error *err)
{
    (void)options, (void)err;
    *state = (void *)(uintptr_t)&whole;
    return true;
}

static bool open_fails(void **state, const struct conform_options *options, struct error *err)
{
    (void)state, (void)options;
    return error_set(err, EXIT_FILE, "no such corpus");
}

static void close_suite(void *state) { (void)state; }
static unsigned count_tests(void *state) { return ((const struct suite *)state)->count; }

static void describe(void *state, unsigned index, struct conform_test *test)
{
    (void)state;
    snprintf(test->name, sizeof test->name, "%s", names[index]);
    test->subject = index % 2 ? "XX-01" : "mov";
    test->group = "";
}

static void run_made_up(void *state, unsigned index, struct conform_result *result)
{
    (void)state;
    switch ((enum made_up)index) {
    case PASSES: result->passed = 3; break;
    case FAILS:
        result->passed = 1;
        result->failed = 2;
        fprintf(result->details, "expected <1> & \"2\"\ngot 3\n");
        break;
    case SKIPPED:
        result->skipped = 1;
        fprintf(result->details, "no such processor\n");
        break;
    case UNSETTLED: result->unsettled = 1; break;
    case CRASHES:
        signal(SIGSEGV, SIG_DFL); /* not a sanitizer's */
        raise(SIGSEGV);
        break;
    case LEAVES: _exit(9);
    case HANGS:
        for (;;)
            pause();
    case MADE_UP: break;
    }
}

#define SUITE(opener)                                                                                                  \
    {                                                                                                                  \
        .name = "made-up", .title = "made up", .open = (opener), .close = close_suite, .count = count_tests,           \
        .describe = describe, .run = run_made_up                                                                       \
    }
static const struct conform_suite suite_harmless = SUITE(open_harmless), suite_whole = SUITE(open_whole),
                                  suite_fails = SUITE(open_fails);
static const struct conform_options options = {.vendor = {true, true}};

struct seen {
    unsigned order[MADE_UP], count;
};

static void see(void *context, const struct conform_run *run, unsigned number)
{
    struct seen *seen = context;

    assert_true(run->tests[number].outcome.done);
    seen->order[seen->count++] = number;
}

static void execute(struct conform_run *run, const struct conform_suite *suite, unsigned jobs)
{
    const struct conform_suite *const suites[] = {suite, NULL};
    static const char *const all[] = {NULL};
    struct seen seen = {0};
    struct conform_listener listener = {.context = &seen, .test = see};
    struct error err;

    assert_true(conform_run_open(run, suites, all, &options, &err));
    run->test_seconds = 1;
    assert_true(conform_run_execute(run, jobs, &listener, &err));
    assert_int_equal(seen.count, run->count);
    for (unsigned i = 0; i < seen.count; i++)
        assert_int_equal(seen.order[i], i);
}

static void assert_outcome(const struct conform_run *run, unsigned number, unsigned passed, unsigned failed,
                           const char *details)
{
    const struct conform_outcome *outcome = &run->tests[number].outcome;

    assert_int_equal(outcome->passed, passed);
    assert_int_equal(outcome->failed, failed);
    assert_non_null(strstr(outcome->details, details));
}

static void outcomes(void **state)
{
    (void)state;
    for (unsigned jobs = 1; jobs <= 3; jobs++) {
        struct conform_run run;

        execute(&run, &suite_harmless, jobs);
        assert_outcome(&run, PASSES, 3, 0, "");
        assert_outcome(&run, FAILS, 1, 2, "got 3");
        assert_outcome(&run, SKIPPED, 0, 0, "no such processor");
        assert_int_equal(run.tests[UNSETTLED].outcome.unsettled, 1);
        assert_int_equal(conform_run_failed(&run), 1);
        conform_run_close(&run);
    }
}

static void processes_that_die(void **state)
{
    (void)state;
    for (unsigned jobs = 2; jobs <= 9; jobs += 7) {
        struct conform_run run;

        execute(&run, &suite_whole, jobs);
        assert_outcome(&run, PASSES, 3, 0, "");
        assert_outcome(&run, CRASHES, 0, 1, "died: Segmentation fault");
        assert_outcome(&run, LEAVES, 0, 1, "ended with code 9");
        assert_outcome(&run, HANGS, 0, 1, "did not end within 1 seconds");
        assert_int_equal(conform_run_failed(&run), 4);
        conform_run_close(&run);
    }
}

static char *report(const struct conform_format *format)
{
    struct conform_run run;
    struct conform_report r = {.seconds = 1};
    char *text;
    size_t size;

    execute(&run, &suite_harmless, 1);
    r.out = open_memstream(&text, &size);
    if (format->begin)
        format->begin(&r, &run);
    for (unsigned i = 0; i < run.count && format->test; i++)
        format->test(&r, &run, i);
    if (format->end)
        format->end(&r, &run);
    fclose(r.out);
    conform_run_close(&run);
    return text;
}

static void assert_report(const char *format, const char *const *parts)
{
    char *text = report(conform_format_named(format));

    for (; *parts != NULL; parts++)
        if (strstr(text, *parts) == NULL)
            fail_msg("%s lacks <%s>:\n%s", format, *parts, text);
    free(text);
}

static void reports_of_failures(void **state)
{
    (void)state;
    assert_report("text", (const char *const[]){
                              "FAIL made-up: fails <&\">", "  expected <1> & \"2\"\n  got 3\n",
                              "4 passed, 2 failed, 1 unsettled, 1 skipped; 4 tests of 2 subjects, 1 tests failed",
                              "    XX-01          1 passed, 2 failed, 1 unsettled", "1 of 4 tests failed", NULL});
    assert_report("tap", (const char *const[]){"1..4\nok 1 - made-up: passes\nnot ok 2 - made-up: fails <&\">\n  ---\n",
                                               "    got 3\n  ...\n",
                                               "ok 3 - made-up: skipped \\# a # SKIP no such processor\n", NULL});
    assert_report(
        "junit", (const char *const[]){"tests=\"4\" failures=\"1\" skipped=\"1\"", "name=\"fails &lt;&amp;&quot;&gt;\"",
                                       "<failure message=\"2 of 3 checks failed\">expected &lt;1&gt; &amp;", NULL});
    assert_report("json",
                  (const char *const[]){"\"failed_tests\":1", "\"outcome\":\"failed\"", "\"outcome\":\"skipped\"",
                                        "expected <1> & \\\"2\\\"\\u000agot 3", NULL});
    assert_null(conform_format_named("xml"));
}

static void what_cannot_be_opened(void **state)
{
    const struct conform_suite *const broken[] = {&suite_harmless, &suite_fails, NULL}, *const good[] = {
                                                                                            &suite_harmless, NULL};
    static const char *const all[] = {NULL}, *const unknown[] = {"mov", "nothing", NULL},
                             *const family[] = {"xx", NULL};
    struct conform_run run;
    struct error err;

    (void)state;
    assert_false(conform_run_open(&run, broken, all, &options, &err));
    assert_int_equal(err.code, EXIT_FILE);
    assert_false(conform_run_open(&run, good, unknown, &options, &err));
    assert_int_equal(err.code, EXIT_USAGE);
    assert_non_null(strstr(err.text, "'nothing'"));
    assert_true(conform_run_open(&run, good, family, &options, &err));
    assert_int_equal(run.count, 2);
    conform_run_close(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(outcomes), cmocka_unit_test(processes_that_die),
                                       cmocka_unit_test(reports_of_failures), cmocka_unit_test(what_cannot_be_opened)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT
 * Opening suites and choosing their tests.
 */
#define _GNU_SOURCE /* FNM_CASEFOLD */
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "conform/run.h"

static bool is_pattern(const char *word) { return strpbrk(word, "*?[") != NULL; }

/* A rule's name up to its dash. */
static bool is_family(const char *subject, const char *word)
{
    size_t length = strlen(word);

    return strncasecmp(subject, word, length) == 0 && subject[length] == '-';
}

static bool matches(const struct conform_test *test, const char *word)
{
    if (is_pattern(word))
        return fnmatch(word, test->name, FNM_CASEFOLD) == 0;
    return strcasecmp(word, test->name) == 0 || strcasecmp(word, test->subject) == 0 ||
           strcasecmp(word, test->group) == 0 || is_family(test->subject, word);
}

/* used: a flag per filter. */
static bool chosen(const struct conform_test *test, const char *const *filters, bool *used)
{
    bool any = filters[0] == NULL;

    for (unsigned i = 0; filters[i] != NULL; i++) {
        if (matches(test, filters[i])) {
            used[i] = true;
            any = true;
        }
    }
    return any;
}

static bool open_suite(struct conform_run *run, const struct conform_suite *suite, const char *const *filters,
                       bool *used, struct error *err)
{
    struct conform_open_suite *open = &run->suites[run->suite_count];
    struct conform_selected *tests;
    unsigned count;

    *open = (struct conform_open_suite){.suite = suite, .first = run->count};
    if (!suite->open(&open->state, &run->options, err))
        return false;
    run->suite_count++;
    count = suite->count(open->state);
    tests = realloc(run->tests, ((size_t)run->count + count + 1) * sizeof *tests);
    if (tests == NULL)
        return error_set(err, EXIT_LIMIT, "no memory for %u tests", count);
    run->tests = tests;
    for (unsigned i = 0; i < count; i++) {
        struct conform_test test = {.group = ""};

        suite->describe(open->state, i, &test);
        if (chosen(&test, filters, used))
            tests[run->count++] = (struct conform_selected){.suite = run->suite_count - 1, .index = i};
    }
    open->count = run->count - open->first;
    return true;
}

bool conform_run_open(struct conform_run *run, const struct conform_suite *const *suites, const char *const *filters,
                      const struct conform_options *options, struct error *err)
{
    bool used[CONFORM_FILTERS_MAX + 1] = {false};

    memset(run, 0, sizeof *run);
    run->options = *options;
    run->test_seconds = CONFORM_TEST_SECONDS;
    for (unsigned i = 0; suites[i] != NULL && i < CONFORM_SUITES_MAX; i++) {
        if (!open_suite(run, suites[i], filters, used, err)) {
            conform_run_close(run);
            return false;
        }
    }
    for (unsigned i = 0; filters[i] != NULL && i < CONFORM_FILTERS_MAX; i++) {
        if (!used[i]) {
            conform_run_close(run);
            return error_set(err, EXIT_USAGE,
                             "no suite, rule, family, mnemonic, theme or test is called '%s'; 'ringside conform "
                             "--suites' and '--list' have the names",
                             filters[i]);
        }
    }
    return true;
}

void conform_run_close(struct conform_run *run)
{
    for (unsigned i = 0; i < run->count; i++)
        free(run->tests[i].outcome.details);
    for (unsigned i = 0; i < run->suite_count; i++)
        run->suites[i].suite->close(run->suites[i].state);
    free(run->tests);
    memset(run, 0, sizeof *run);
}

void conform_run_describe(const struct conform_run *run, unsigned number, struct conform_test *test)
{
    const struct conform_selected *s = &run->tests[number];
    const struct conform_open_suite *open = &run->suites[s->suite];

    *test = (struct conform_test){.group = ""};
    open->suite->describe(open->state, s->index, test);
}

unsigned conform_run_failed(const struct conform_run *run)
{
    unsigned failed = 0;

    for (unsigned i = 0; i < run->count; i++)
        failed += run->tests[i].outcome.failed != 0;
    return failed;
}

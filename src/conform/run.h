/* SPDX-License-Identifier: MIT
 * Choosing tests from suites, and running them in several processes.
 */
#ifndef RINGSIDE_CONFORM_RUN_H
#define RINGSIDE_CONFORM_RUN_H

#include "conform/suite.h"

#define CONFORM_SUITES_MAX 8u
#define CONFORM_FILTERS_MAX 32u
#define CONFORM_JOBS_MAX 256u
/* A test that takes longer than this is taken for one that hangs (conform_run.test_seconds, when tests need another).
 */
#define CONFORM_TEST_SECONDS 300u

struct conform_outcome {
    bool done;
    unsigned passed, failed, unsettled, skipped;
    char *details; /* "" when there are none */
};

struct conform_selected {
    unsigned suite; /* into conform_run.suites */
    unsigned index; /* the suite's own number of the test */
    struct conform_outcome outcome;
};

struct conform_open_suite {
    const struct conform_suite *suite;
    void *state;
    unsigned first, count; /* its tests in conform_run.tests */
};

struct conform_run {
    struct conform_options options;
    struct conform_open_suite suites[CONFORM_SUITES_MAX];
    unsigned suite_count;
    struct conform_selected *tests;
    unsigned count;
    unsigned test_seconds;
};

/* Open suites and choose their tests.
 * in:  suites  NULL-terminated
 *      filters NULL-terminated, none: all tests. A word with * ? [ is a pattern for the whole name of a test; another
 * is a test's name, subject (a rule, a mnemonic), its family (SC of SC-01) or its group. Case does not matter. returns:
 * false with err set: a suite cannot be opened (EXIT_FILE or what it says), or a filter matches nothing (EXIT_USAGE) */
bool conform_run_open(struct conform_run *run, const struct conform_suite *const *suites, const char *const *filters,
                      const struct conform_options *options, struct error *err);
void conform_run_close(struct conform_run *run);

void conform_run_describe(const struct conform_run *run, unsigned number, struct conform_test *test);

/* Sees the tests in their order, each as soon as it and all before it are done. */
struct conform_listener {
    void *context;
    void (*test)(void *context, const struct conform_run *run, unsigned number);
    void (*progress)(void *context, const struct conform_run *run, unsigned done, unsigned failed); /* may be NULL */
};

/* Run all chosen tests. jobs: processes at a time; 1: in this very process, where a crash is a crash. In others a test
 * whose process dies or hangs has failed, and its details say how.
 * returns: false with err set when the host refuses processes or memory */
bool conform_run_execute(struct conform_run *run, unsigned jobs, const struct conform_listener *listener,
                         struct error *err);

/* Tests of which a check failed. */
unsigned conform_run_failed(const struct conform_run *run);

#endif

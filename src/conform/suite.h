/* SPDX-License-Identifier: MIT
 * What a conformance suite is: an ordered set of tests, each with checks that pass or fail on this very engine.
 *
 * The runner (run.h) chooses tests by name, spreads them over processes and reports them; a suite knows nothing of
 * that. A test must give the same outcome whatever ran before it in the process.
 */
#ifndef RINGSIDE_CONFORM_SUITE_H
#define RINGSIDE_CONFORM_SUITE_H

#include <stdio.h>

#include "base/error.h"
#include "cpu/engine/engine.h"
#include "cpu/model.h"

#define TEST_NAME_MAX 128u

/* What is tested, and on what. */
struct conform_options {
    enum engine_kind engine;
    bool vendor[2];            /* enum cpu_vendor: which are under test */
    bool quick;                /* a stratified part: of every subject something */
    const char *corpus;        /* hardware: the file; NULL: where it was installed or built from */
    const char *moo_directory; /* moo: the captures; the suite wants one */
};

/* One line of TAP, one test case of JUnit. */
struct conform_test {
    char name[TEST_NAME_MAX]; /* unique in the suite, stable between runs: "SC-01 without SCE, LONG_0, intel" */
    const char *subject;      /* what the summary counts by: a rule's name or a mnemonic; lives as long as the suite */
    const char *group;        /* a theme or a file, for filters; "" if there is none */
};

/* What became of a test's checks. One check is one execution that is compared, however many values that takes. */
struct conform_result {
    unsigned passed, failed;
    unsigned unsettled; /* executed, and not compared: the manuals leave it open */
    unsigned skipped;   /* not executed: what it needs is not there, as the details say */
    /* Where failures are told: the check, expected and got, the rule or instruction with its manual section. Bounded:
     * after DETAILS_MAX failures of one test a suite only counts. Also why something was skipped. */
    FILE *details;
};
#define DETAILS_MAX 5u

struct conform_suite {
    const char *name;  /* a word for the command line */
    const char *title; /* in the summary */
    bool only_named;   /* not among the suites that run when none is named */
    /* Make ready: read and check data. returns: false with err set. Memory stays bounded whatever a file says. */
    bool (*open)(void **state, const struct conform_options *options, struct error *err);
    void (*close)(void *state);
    unsigned (*count)(void *state); /* tests; the same number on every call */
    void (*describe)(void *state, unsigned index, struct conform_test *test);
    /* May run in a child of the process that opened the suite; what it changes in *state may be lost. */
    void (*run)(void *state, unsigned index, struct conform_result *result);

    /* ---- may be NULL */

    /* One line on what is under test beyond vendor and engine (a corpus and its processor). */
    void (*subtitle)(void *state, FILE *out);
    /* Report subjects that no test covers. returns: how many */
    unsigned (*missing)(void *state, FILE *out);
    /* After every test ran in this very process: report what was not reached. returns: how many holes */
    unsigned (*coverage)(void *state, FILE *out);
};

extern const struct conform_suite suite_rules;
extern const struct conform_suite suite_hardware;
extern const struct conform_suite suite_decoder;
extern const struct conform_suite suite_moo;

/* In the order of the reports; NULL past the last. A suite takes part once it stands in suite.c. */
const struct conform_suite *conform_suite_at(unsigned index);
const struct conform_suite *conform_suite_named(const char *name);

#endif

/* SPDX-License-Identifier: MIT
 * Running the rule cases: each architectural rule on the real engine, both sides, on each vendor and in each mode.
 */
#ifndef RINGSIDE_CONFORM_RULES_H
#define RINGSIDE_CONFORM_RULES_H

#include <stdio.h>

#include "cpu/engine/engine.h"
#include "cpu/rule.h"

struct conform_summary {
    unsigned passed, failed, unpinned; /* runs: a case counts once per vendor and preset */
    unsigned cases;                    /* rows of the tables that took part */
    unsigned cases_of_rule[RULES];
    /* How often each check held [1] and failed [0]; counted in builds with RINGSIDE_COVERAGE only. */
    u64 hits[2][RULES];
};

/* Run the cases of a theme ("syscall"), of a rule ("SC-01") or of a family ("SC") on an engine; filter NULL: all.
 * out: failures, each with what was expected and found, the rule and its source; then one line of summary.
 * returns: the number of failed runs, and fills *summary (may be NULL). An unknown filter fails. */
unsigned conform_rules(FILE *out, const char *filter, enum engine_kind engine, struct conform_summary *summary);

/* Themes by number, NULL past the last. */
const char *conform_theme(unsigned index);

/* List rules without a case. returns: how many. */
unsigned conform_report_missing(FILE *out, const struct conform_summary *summary);
/* List the checks that held and never failed, and what counters cannot tell. Meaningful with RINGSIDE_COVERAGE.
 * returns: how many never failed */
unsigned conform_report_coverage(FILE *out, const struct conform_summary *summary);

#endif

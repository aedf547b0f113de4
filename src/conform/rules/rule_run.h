/* SPDX-License-Identifier: MIT
 * One run of a rule case, in one mode on one vendor.
 */
#ifndef RINGSIDE_CONFORM_RULE_RUN_H
#define RINGSIDE_CONFORM_RULE_RUN_H

#include "conform/rules/rule_case.h"
#include "conform/suite.h"

/* How often each check held [1] and failed [0]; counted in builds with RINGSIDE_COVERAGE only. */
struct rule_hits {
    u64 side[2][RULES];
};

/* Run on an engine and count the outcome in *result. hits: added to; may be NULL. */
void rule_run(const struct rule_case *rc, enum preset_index index, enum cpu_vendor vendor, enum engine_kind engine,
              struct conform_result *result, struct rule_hits *hits);

#endif

/* SPDX-License-Identifier: MIT
 * One run of a rule case, in one mode on one vendor.
 */
#ifndef RINGSIDE_CONFORM_RULE_RUN_H
#define RINGSIDE_CONFORM_RULE_RUN_H

#include "conform/rules/rule_case.h"
#include "conform/rules/rules.h"

/* Run on an engine and count the outcome in *summary; differences go to out. */
void rule_run(FILE *out, const struct rule_case *rc, enum preset_index index, enum cpu_vendor vendor,
              enum engine_kind engine, struct conform_summary *summary);

#endif

/* SPDX-License-Identifier: MIT
 * One run of a rule case, in one mode on one vendor.
 */
#ifndef RINGSIDE_CONFORM_RULE_RUN_H
#define RINGSIDE_CONFORM_RULE_RUN_H

#include "conform/rules/rule_case.h"
#include "conform/suite.h"

/* A check fails or holds. A rule that is no check has a condition (TF is set, the vendor is AMD, the form is the 64-bit
 * one), which does not hold or does. */
enum rule_side { RULE_SIDE_FAILS, RULE_SIDE_HOLDS };

/* How often each side of each rule was reached by a case of that rule, which compares what comes out; counted in builds
 * with RINGSIDE_COVERAGE only. */
struct rule_hits {
    u64 side[2][RULES];
};

/* Sees a case's machine: prepared, before each step and delivery (arch.rip is what executes), and at the end. */
struct rule_watch {
    void *context;
    void (*prepared)(void *context, struct preset_machine *m);
    void (*step)(void *context, struct preset_machine *m);
    void (*done)(void *context, struct preset_machine *m);
};

/* Run on an engine and count the outcome in *result. An exception that the row of an instruction does not declare
 * (cpu/isa/raises.h) fails the case too.
 * in: hits  added to; may be NULL
 *     rows  insn_row_count + 1 counts, to which the case's instructions are added as they are executed; may be NULL */
void rule_run(const struct rule_case *rc, enum preset_index index, enum cpu_vendor vendor, enum engine_kind engine,
              struct conform_result *result, struct rule_hits *hits, u32 *rows);
/* The same on the stepping engine, watched. */
void rule_run_watched(const struct rule_case *rc, enum preset_index index, enum cpu_vendor vendor,
                      struct conform_result *result, const struct rule_watch *watch);

#endif

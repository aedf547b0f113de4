/* SPDX-License-Identifier: MIT
 * The suite of rule cases: each architectural rule on the real engine, both sides, on each vendor and in each mode.
 * A test is one case in one mode on one vendor.
 */
#include <stdlib.h>
#include <string.h>

#include "conform/rules/rule_run.h"
#include "conform/suite.h"

static const struct rule_theme *const themes[] = {
#define X(name) &theme_##name,
    RULE_THEMES(X)
#undef X
};

struct rule_test {
    const struct rule_theme *theme;
    const struct rule_case *rc;
    u8 preset, vendor;
    u8 again; /* cases of the same name before this one */
};

struct rule_suite {
    struct rule_test *tests;
    unsigned count;
    enum engine_kind engine;
    struct rule_hits hits;
};

/* ---- tests */

/* Cases of one theme that share rule and title differ in vendor and mode, or in what they prepare. */
static u8 same_before(const struct rule_theme *theme, unsigned number, unsigned preset, unsigned vendor)
{
    const struct rule_case *rc = &theme->cases[number];
    unsigned count = 0;

    for (unsigned i = 0; i < number; i++) {
        const struct rule_case *other = &theme->cases[i];

        count += other->rule == rc->rule && strcmp(other->title, rc->title) == 0 && (other->presets >> preset & 1) &&
                 (other->vendors >> vendor & 1);
    }
    return (u8)count;
}

/* quick: in the first of its modes only. test NULL: only count. returns: how many tests the case makes */
static unsigned tests_of_case(const struct rule_theme *theme, unsigned number, const struct conform_options *options,
                              struct rule_test *test)
{
    const struct rule_case *rc = &theme->cases[number];
    u32 presets = options->quick ? rc->presets & -rc->presets : rc->presets;
    unsigned count = 0;

    for (unsigned vendor = VENDOR_INTEL; vendor <= VENDOR_AMD; vendor++) {
        for (unsigned preset = 0; preset < PRESET_COUNT; preset++) {
            if (!options->vendor[vendor] || !(rc->vendors >> vendor & 1) || !(presets >> preset & 1))
                continue;
            if (test != NULL)
                test[count] =
                    (struct rule_test){theme, rc, (u8)preset, (u8)vendor, same_before(theme, number, preset, vendor)};
            count++;
        }
    }
    return count;
}

static unsigned all_tests(const struct conform_options *options, struct rule_test *tests)
{
    unsigned count = 0;

    for (unsigned t = 0; t < ARRAY_LEN(themes); t++)
        for (unsigned i = 0; i < themes[t]->count; i++)
            count += tests_of_case(themes[t], i, options, tests != NULL ? tests + count : NULL);
    return count;
}

static bool rules_open(void **state, const struct conform_options *options, struct error *err)
{
    struct rule_suite *suite = calloc(1, sizeof *suite);

    if (suite != NULL) {
        suite->engine = options->engine;
        suite->count = all_tests(options, NULL);
        suite->tests = calloc((size_t)suite->count + 1, sizeof *suite->tests);
    }
    if (suite == NULL || suite->tests == NULL) {
        free(suite);
        return error_set(err, EXIT_LIMIT, "no memory for the rule cases");
    }
    all_tests(options, suite->tests);
    *state = suite;
    return true;
}

static void rules_close(void *state)
{
    struct rule_suite *suite = state;

    free(suite->tests);
    free(suite);
}

static unsigned rules_count(void *state) { return ((const struct rule_suite *)state)->count; }

static void rules_describe(void *state, unsigned index, struct conform_test *test)
{
    const struct rule_test *t = &((const struct rule_suite *)state)->tests[index];
    char again[8] = "";

    if (t->again != 0)
        snprintf(again, sizeof again, " (%u)", t->again + 1u);
    snprintf(test->name, sizeof test->name, "%s %s%s, %s, %s", rule_name(t->rc->rule), t->rc->title, again,
             preset_name((enum preset_index)t->preset), t->vendor == VENDOR_AMD ? "amd" : "intel");
    test->subject = rule_name(t->rc->rule);
    test->group = t->theme->name;
}

static void rules_run(void *state, unsigned index, struct conform_result *result)
{
    struct rule_suite *suite = state;
    const struct rule_test *t = &suite->tests[index];

    rule_run(t->rc, (enum preset_index)t->preset, (enum cpu_vendor)t->vendor, suite->engine, result, &suite->hits,
             NULL);
}

/* ---- reports */

static unsigned rules_missing(void *state, FILE *out)
{
    const struct rule_suite *suite = state;
    bool has_case[RULES] = {false};
    unsigned missing = 0;

    for (unsigned i = 0; i < suite->count; i++)
        has_case[suite->tests[i].rc->rule] = true;
    for (unsigned r = RULE_NONE + 1; r < RULES; r++) {
        if (has_case[r])
            continue;
        fprintf(out, "no case: %s %s\n", rule_name((enum rule)r), rule_text((enum rule)r));
        missing++;
    }
    fprintf(out, "%u of %u rules have no case\n", missing, RULES - 1);
    return missing;
}

/* The sides that no case can reach, with the reason. */
static const char *const one_sided[2][RULES] = {
#define ONE_SIDED(id, which, reason) [RULE_SIDE_##which][RULE_##id] = (reason),
#include "conform/rules/one_sided.def"
#undef ONE_SIDED
};

static const char *const side_names[2] = {[RULE_SIDE_FAILS] = "fails", [RULE_SIDE_HOLDS] = "holds"};

/* A side that was not reached and could have been, or that was reached although the table says that it cannot be.
 * returns: whether it is one */
static bool report_side(FILE *out, enum rule rule, enum rule_side side, bool reached)
{
    const char *reason = one_sided[side][rule];

    if (reached == (reason == NULL))
        return false;
    if (reached)
        fprintf(out, "reached, although one_sided.def says it cannot be: %s %s (%s)\n", rule_name(rule),
                side_names[side], reason);
    else
        fprintf(out, "not reached: %s %s: %s\n", rule_name(rule), side_names[side], rule_text(rule));
    return true;
}

#ifdef RINGSIDE_COVERAGE
#define COUNTERS true
#else
#define COUNTERS false
#endif

static unsigned rules_coverage(void *state, FILE *out)
{
    const struct rule_suite *suite = state;
    unsigned holes = 0, unreachable = 0;

    if (!COUNTERS) {
        fprintf(out, "rules: this build counts nothing: configure one with -DRINGSIDE_COVERAGE=ON\n");
        return 1;
    }
    for (unsigned r = RULE_NONE + 1; r < RULES; r++) {
        for (unsigned side = 0; side < 2; side++) {
            holes += report_side(out, (enum rule)r, (enum rule_side)side, suite->hits.side[side][r] != 0);
            unreachable += one_sided[side][r] != NULL;
        }
    }
    fprintf(out, "rules: %u sides, %u cannot be reached, %u holes\n", 2 * (RULES - 1u), unreachable, holes);
    return holes;
}

const struct conform_suite suite_rules = {
    .name = "rules",
    .title = "architectural rules",
    .open = rules_open,
    .close = rules_close,
    .count = rules_count,
    .describe = rules_describe,
    .run = rules_run,
    .missing = rules_missing,
    .coverage = rules_coverage,
};

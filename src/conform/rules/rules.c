/* SPDX-License-Identifier: MIT
 * Choosing and counting rule cases; the reports about rules that nothing exercised.
 */
#include "conform/rules/rules.h"

#include <string.h>

#include "conform/rules/rule_run.h"

static const struct rule_theme *const themes[] = {
#define X(name) &theme_##name,
    RULE_THEMES(X)
#undef X
};

const char *conform_theme(unsigned index) { return index < ARRAY_LEN(themes) ? themes[index]->name : NULL; }

/* A rule's whole name, or the letters before its dash. */
static bool rule_matches(enum rule rule, const char *filter)
{
    const char *name = rule_name(rule);
    size_t length = strlen(filter);

    return strncmp(name, filter, length) == 0 && (name[length] == '\0' || name[length] == '-');
}

static void run_case(FILE *out, const struct rule_case *rc, enum engine_kind engine, struct conform_summary *summary)
{
    summary->cases++;
    summary->cases_of_rule[rc->rule]++;
    for (unsigned vendor = VENDOR_INTEL; vendor <= VENDOR_AMD; vendor++)
        for (unsigned index = 0; index < PRESET_COUNT; index++)
            if ((rc->vendors >> vendor & 1) && (rc->presets >> index & 1))
                rule_run(out, rc, (enum preset_index)index, (enum cpu_vendor)vendor, engine, summary);
}

unsigned conform_rules(FILE *out, const char *filter, enum engine_kind engine, struct conform_summary *summary)
{
    struct conform_summary own;

    if (summary == NULL)
        summary = &own;
    memset(summary, 0, sizeof *summary);
    for (unsigned t = 0; t < ARRAY_LEN(themes); t++) {
        bool whole = filter == NULL || strcmp(filter, themes[t]->name) == 0;

        for (unsigned i = 0; i < themes[t]->count; i++)
            if (whole || rule_matches(themes[t]->cases[i].rule, filter))
                run_case(out, &themes[t]->cases[i], engine, summary);
    }
    if (summary->cases == 0) {
        fprintf(out, "no rule case matches '%s'\n", filter ? filter : "");
        summary->failed++;
    }
    fprintf(out, "rules%s%s: %u passed, %u failed, %u unsettled (%u cases)\n", filter ? " " : "", filter ? filter : "",
            summary->passed, summary->failed, summary->unpinned, summary->cases);
    return summary->failed;
}

unsigned conform_report_missing(FILE *out, const struct conform_summary *summary)
{
    unsigned missing = 0;

    for (unsigned r = RULE_NONE + 1; r < RULES; r++) {
        if (summary->cases_of_rule[r] != 0)
            continue;
        fprintf(out, "no case: %s %s\n", rule_name((enum rule)r), rule_text((enum rule)r));
        missing++;
    }
    fprintf(out, "%u of %u rules have no case\n", missing, RULES - 1);
    return missing;
}

static void list_rules(FILE *out, const char *title, const bool wanted[RULES])
{
    unsigned count = 0;

    for (unsigned r = RULE_NONE + 1; r < RULES; r++) {
        if (wanted[r])
            fprintf(out, "%s%s", count++ == 0 ? title : " ", rule_name((enum rule)r));
    }
    if (count != 0)
        fputc('\n', out);
}

unsigned conform_report_coverage(FILE *out, const struct conform_summary *summary)
{
    bool never_held[RULES] = {false}, neither[RULES] = {false};
    unsigned holes = 0;

    for (unsigned r = RULE_NONE + 1; r < RULES; r++) {
        bool failed = summary->hits[0][r] != 0, held = summary->hits[1][r] != 0;

        never_held[r] = failed && !held;
        neither[r] = !failed && !held;
        if (!held || failed)
            continue;
        fprintf(out, "never failed: %s %s\n", rule_name((enum rule)r), rule_text((enum rule)r));
        holes++;
    }
    fprintf(out, "%u checks never failed\n", holes);
    /* A page walk, the decoder or a table of values decides these; only their failure passes through cpu_raise(). */
    list_rules(out, "failed, but not counted where they hold: ", never_held);
    list_rules(out, "behaviour without a check in the code, or never reached: ", neither);
    return holes;
}

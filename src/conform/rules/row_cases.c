/* SPDX-License-Identifier: MIT
 * Which rows of the instruction table the rule cases execute.
 */
#include "conform/rules/row_cases.h"

#include <stdlib.h>
#include <string.h>

#include "conform/rules/rule_run.h"
#include "cpu/isa/insn.h"

static const struct rule_theme *const themes[] = {
#define X(name) &theme_##name,
    RULE_THEMES(X)
#undef X
};

/* executed: insn_row_count + 1 counts of runs, which are added to */
static void run_case(const struct rule_case *rc, struct conform_result *result, u32 *executed)
{
    for (unsigned preset = 0; preset < PRESET_COUNT; preset++)
        for (unsigned vendor = VENDOR_INTEL; vendor <= VENDOR_AMD; vendor++)
            if ((rc->presets >> preset & 1) && (rc->vendors >> vendor & 1))
                rule_run(rc, (enum preset_index)preset, (enum cpu_vendor)vendor, ENGINE_STEP, result, NULL, executed);
}

bool rules_row_cases(unsigned *rows)
{
    size_t size = (insn_row_count + 1) * sizeof(u32);
    u32 *executed = malloc(size);
    /* Failures are the suite's to tell. */
    struct conform_result result = {.details = fopen("/dev/null", "w")};

    if (executed == NULL || result.details == NULL) {
        free(executed);
        return false;
    }
    for (unsigned t = 0; t < ARRAY_LEN(themes); t++) {
        for (unsigned i = 0; i < themes[t]->count; i++) {
            memset(executed, 0, size);
            run_case(&themes[t]->cases[i], &result, executed);
            for (unsigned row = 0; row <= insn_row_count; row++)
                rows[row] += executed[row] != 0;
        }
    }
    fclose(result.details);
    free(executed);
    return true;
}

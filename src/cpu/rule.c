/* SPDX-License-Identifier: MIT
 * The texts of rules.def by rule number.
 */
#include "cpu/rule.h"

struct rule_row {
    const char *subject;
    const char *text;
    const char *source;
};

static const struct rule_row rows[RULES] = {
    [RULE_NONE] = {"none", "No architectural check failed.", ""},
#define RULE(id, subject, text, source) [RULE_##id] = {subject, text, source},
#include "cpu/rules.def"
#undef RULE
};

/* Identifiers spell the dash of "SC-01" as an underscore; the names are derived once, by the compiler. */
#define DASHED(s)                                                                                                      \
    {                                                                                                                  \
        DASH_AT(s, 0), DASH_AT(s, 1), DASH_AT(s, 2), DASH_AT(s, 3), DASH_AT(s, 4), DASH_AT(s, 5), DASH_AT(s, 6),       \
            DASH_AT(s, 7)                                                                                              \
    }
#define DASH_AT(s, i)                                                                                                  \
    ((i) >= sizeof(s) ? '\0' : (s)[(i) < sizeof(s) ? (i) : 0] == '_' ? '-' : (s)[(i) < sizeof(s) ? (i) : 0])

static const char names[RULES][8] = {
    [RULE_NONE] = "-",
#define RULE(id, subject, text, source) [RULE_##id] = DASHED(#id),
#include "cpu/rules.def"
#undef RULE
};

static const struct rule_row *row_of(enum rule rule) { return &rows[(unsigned)rule < RULES ? rule : RULE_NONE]; }

const char *rule_name(enum rule rule) { return names[(unsigned)rule < RULES ? rule : RULE_NONE]; }

const char *rule_subject(enum rule rule) { return row_of(rule)->subject; }

const char *rule_text(enum rule rule) { return row_of(rule)->text; }

const char *rule_source(enum rule rule) { return row_of(rule)->source; }

/* SPDX-License-Identifier: MIT
 * The names of the architectural rules, from rules.def.
 */
#ifndef RINGSIDE_CPU_RULE_H
#define RINGSIDE_CPU_RULE_H

enum rule {
    RULE_NONE,
#define RULE(id, subject, text, source) RULE_##id,
#include "cpu/rules.def"
#undef RULE
    RULES
};

/* "SC-01"; "-" for RULE_NONE. */
const char *rule_name(enum rule rule);
const char *rule_subject(enum rule rule);
const char *rule_text(enum rule rule);
/* The manual and section the rule stands in. */
const char *rule_source(enum rule rule);

#endif

/* SPDX-License-Identifier: MIT
 * rules.def: every rule has a name that matches its identifier, a text and a source.
 */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cpu/rule.h"

static void names(void **state)
{
    (void)state;
    assert_string_equal(rule_name(RULE_SC_01), "SC-01");
    assert_string_equal(rule_name(RULE_MSR_07), "MSR-07");
    assert_string_equal(rule_name(RULE_NONE), "-");
    assert_string_equal(rule_name(RULES), "-");
    assert_string_equal(rule_subject(RULE_SC_01), "SYSCALL");
}

static void every_rule_is_complete(void **state)
{
    (void)state;
    for (unsigned i = RULE_NONE + 1; i < RULES; i++) {
        enum rule rule = (enum rule)i;
        const char *dash = strchr(rule_name(rule), '-');

        if (dash == NULL || !isdigit((unsigned char)dash[1]) || strlen(rule_name(rule)) > 7)
            fail_msg("rule %u has the name '%s'", i, rule_name(rule));
        if (rule_subject(rule)[0] == '\0' || strlen(rule_text(rule)) < 10)
            fail_msg("%s has no subject or text", rule_name(rule));
        if (strncmp(rule_source(rule), "SDM ", 4) != 0 && strncmp(rule_source(rule), "APM ", 4) != 0)
            fail_msg("%s has no source", rule_name(rule));
        for (unsigned j = i + 1; j < RULES; j++)
            assert_string_not_equal(rule_name(rule), rule_name((enum rule)j));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(names), cmocka_unit_test(every_rule_is_complete)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}

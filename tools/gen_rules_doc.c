/* SPDX-License-Identifier: MIT
 * Writes docs/rules.md from rules.def to standard output: every architectural rule by subject, with its source.
 */
#include <stdio.h>
#include <string.h>

#include "base/types.h"

struct doc_rule {
    const char *id, *subject, *text, *source;
};

static const struct doc_rule rules[] = {
#define RULE(id, subject, text, source) {#id, subject, text, source},
#include "cpu/rules.def"
#undef RULE
};

/* An identifier spells the dash of "SC-01" as an underscore. */
static void print_name(const char *id)
{
    for (; *id; id++)
        putchar(*id == '_' ? '-' : *id);
}

/* A bar would end the table's cell. */
static void print_cell(const char *text)
{
    for (; *text; text++)
        printf(*text == '|' ? "\\%c" : "%c", *text);
}

/* The index of the first rule of the same subject. */
static size_t first_of_subject(size_t i)
{
    size_t first = 0;

    while (strcmp(rules[first].subject, rules[i].subject) != 0)
        first++;
    return first;
}

static void print_subject(size_t first)
{
    printf("\n## %s\n\n| rule | what the processor does | source |\n|---|---|---|\n", rules[first].subject);
    for (size_t i = first; i < ARRAY_LEN(rules); i++) {
        if (first_of_subject(i) != first)
            continue;
        printf("| ");
        print_name(rules[i].id);
        printf(" | ");
        print_cell(rules[i].text);
        printf(" | ");
        print_cell(rules[i].source);
        printf(" |\n");
    }
}

int main(void)
{
    printf(
        "# Rules\n\n"
        "Generated from `src/cpu/rules.def` by `tools/gen_rules_doc.c`; a test fails when this page is stale.\n\n"
        "Each architectural check in the code names one of these rules, and a recorded fault names the rule that was\n"
        "broken. `ringside explain SC-01` prints one rule, `ringside explain IRET` a subject. The check itself is\n"
        "found by its identifier: `grep -rn RULE_SC_01 src`. Where the manuals contradict each other or themselves\n"
        "the text says \"unsettled\" and gives the reading taken. SDM is the Intel 64 and IA-32 Architectures "
        "Software\n"
        "Developer's Manual, APM the AMD64 Architecture Programmer's Manual.\n\n"
        "%zu rules.\n",
        ARRAY_LEN(rules));
    for (size_t i = 0; i < ARRAY_LEN(rules); i++)
        if (first_of_subject(i) == i)
            print_subject(i);
    return 0;
}

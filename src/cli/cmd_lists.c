/* SPDX-License-Identifier: MIT
 * ringside cpus, machines and explain: what there is, in words.
 */
#include <ctype.h>
#include <string.h>

#include "cli/cli.h"
#include "cpu/rule.h"

int cmd_cpus(int argc, char **argv)
{
    (void)argc, (void)argv;
    printf("models (-cpu MODEL[,+feature][,-feature][,vendor=intel|amd]):\n");
    for (unsigned row = 0; cpu_model_row_name(row) != NULL; row++) {
        struct cpu_model model;
        struct error err;

        if (!cpu_model_parse(&model, cpu_model_row_name(row), &err))
            return cli_fail(&err);
        printf("  %-10s %-6s family %u model %u, %u-bit physical  %s\n", model.name,
               model.vendor == VENDOR_AMD ? "amd" : "intel", model.family, model.model, model.physical_bits,
               model.brand);
    }
    printf("\nfeatures:");
    for (unsigned f = 0; f < CPU_FEATURES; f++)
        printf("%s%s", f % 8 == 0 ? "\n  " : " ", cpu_feature_name((enum cpu_feature)f));
    printf("\n");
    return EXIT_OK;
}

int cmd_machines(int argc, char **argv)
{
    (void)argc, (void)argv;
    printf("  pc  an ISA PC with local APIC, I/O APIC and HPET (pc[,acpi=on|off][,hpet=on|off])\n");
    return EXIT_OK;
}

static bool same_rule(const char *name, const char *word)
{
    for (; *name != '\0' && *word != '\0'; name++, word++) {
        char c = *word == '_' ? '-' : (char)toupper((unsigned char)*word);

        if (*name != c)
            return false;
    }
    return *name == *word;
}

static void print_rule(enum rule rule)
{
    printf("%s  %s\n    %s\n    %s\n", rule_name(rule), rule_subject(rule), rule_text(rule), rule_source(rule));
}

int cmd_explain(int argc, char **argv)
{
    struct error err;
    bool found = false;

    if (argc != 2 || argv[1][0] == '-') {
        fprintf(stderr, "usage: ringside explain RULE | SUBJECT      e.g. explain SC-01, explain SYSCALL\n");
        return argc == 2 && strcmp(argv[1], "--help") == 0 ? EXIT_OK : EXIT_USAGE;
    }
    for (unsigned r = RULE_NONE + 1; r < RULES; r++) {
        if (same_rule(rule_name((enum rule)r), argv[1]) || strcasecmp(rule_subject((enum rule)r), argv[1]) == 0) {
            print_rule((enum rule)r);
            found = true;
        }
    }
    if (found)
        return EXIT_OK;
    error_set(&err, EXIT_USAGE,
              "no rule or subject is called '%s'; rules are SC-01, IR-07 and the like, subjects SYSCALL, IRET...",
              argv[1]);
    return cli_fail(&err);
}

/* SPDX-License-Identifier: MIT
 * ringside conform: the rule cases, run on this very engine.
 */
#include <string.h>

#include "cli/cli.h"
#include "conform/rules/rules.h"

static void usage(FILE *out)
{
    fputs("usage: ringside conform [--engine step|block] [THEME | RULE | FAMILY]\n\n"
          "Runs the cases of the architectural rules: all, or those of a theme (syscall), a rule (SC-01) or a family "
          "(SC).\n"
          "Exit code 0 when all pass, 1 when one fails.\n\n"
          "  --engine E   step or block (default)\n"
          "  --list       the themes, with their number of cases\n"
          "  --missing    the rules that have no case\n"
          "  --coverage   the checks that never failed in a run of all cases (a build with RINGSIDE_COVERAGE)\n",
          out);
}

static int list_themes(void)
{
    FILE *quiet = fopen("/dev/null", "w");
    struct error err;

    if (quiet == NULL) {
        error_set(&err, EXIT_FILE, "cannot open /dev/null");
        return cli_fail(&err);
    }
    for (unsigned i = 0; conform_theme(i) != NULL; i++) {
        struct conform_summary summary;

        conform_rules(quiet, conform_theme(i), ENGINE_BLOCK, &summary);
        printf("%-14s %4u cases, %4u runs\n", conform_theme(i), summary.cases,
               summary.passed + summary.failed + summary.unpinned);
    }
    fclose(quiet);
    return EXIT_OK;
}

/* Take --engine out of the words, wherever it stands. returns: how many are left, or -1 with err set */
static int take_engine(int argc, char **argv, enum engine_kind *engine, struct error *err)
{
    int kept = 1;

    *engine = ENGINE_BLOCK;
    for (int i = 1; i < argc; i++) {
        const char *name = argv[i] + (strncmp(argv[i], "--", 2) == 0);
        const char *value;

        if (strncmp(name, "-engine", 7) != 0 || (name[7] != '\0' && name[7] != '=')) {
            argv[kept++] = argv[i];
            continue;
        }
        value = name[7] == '=' ? name + 8 : i + 1 < argc ? argv[++i] : "";
        if (!cli_parse_engine(engine, value, err))
            return -1;
    }
    return kept;
}

int cmd_conform(int argc, char **argv)
{
    struct conform_summary summary;
    enum engine_kind engine;
    struct error err;
    const char *what;
    unsigned failed;

    if (cli_wants_help(argc, argv)) {
        usage(stdout);
        return EXIT_OK;
    }
    argc = take_engine(argc, argv, &engine, &err);
    if (argc < 0)
        return cli_fail(&err);
    what = argc > 1 ? argv[1] : NULL;
    if (argc > 2) {
        error_set(&err, EXIT_USAGE, "'%s' is one word too many: conform takes one theme, rule or family", argv[2]);
        return cli_fail(&err);
    }
    if (what == NULL || what[0] != '-') {
        failed = conform_rules(stdout, what, engine, &summary);
        if (summary.cases == 0) {
            error_set(&err, EXIT_USAGE,
                      "no rule, family or theme is called '%s'; 'ringside conform --list' has the themes", what);
            return cli_fail(&err);
        }
        return failed != 0 ? EXIT_DIFFERENT : EXIT_OK;
    }
    if (strcmp(what, "--list") == 0)
        return list_themes();
    if (strcmp(what, "--missing") != 0 && strcmp(what, "--coverage") != 0) {
        error_set(&err, EXIT_USAGE, "unknown option '%s'; 'ringside conform --help' lists them", what);
        return cli_fail(&err);
    }
    conform_rules(stdout, NULL, engine, &summary);
    if (strcmp(what, "--missing") == 0)
        return conform_report_missing(stdout, &summary) != 0 ? EXIT_DIFFERENT : EXIT_OK;
    conform_report_coverage(stdout, &summary); /* a report, not a test: rules that cannot fail here are listed too */
    return EXIT_OK;
}

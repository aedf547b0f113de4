/* SPDX-License-Identifier: MIT
 * Run the rule cases: conform_rules [THEME | RULE | FAMILY], --missing, --coverage.
 */
#include <string.h>

#include "conform/rules.h"

static int usage(void)
{
    fputs("usage: conform_rules [THEME | RULE | FAMILY | --missing | --coverage]\nthemes:", stderr);
    for (unsigned i = 0; conform_theme(i) != NULL; i++)
        fprintf(stderr, " %s", conform_theme(i));
    fputc('\n', stderr);
    return 2;
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : NULL;
    bool missing = what != NULL && strcmp(what, "--missing") == 0;
    bool coverage = what != NULL && strcmp(what, "--coverage") == 0;
    struct conform_summary summary;

    if (argc > 2 || (what != NULL && what[0] == '-' && !missing && !coverage))
        return usage();
    if (!missing && !coverage)
        return conform_rules(stdout, what, NULL) != 0;
    conform_rules(stdout, NULL, &summary);
    if (coverage) /* a report, not a test: rules that cannot fail here are listed too */
        return conform_report_coverage(stdout, &summary), 0;
    return conform_report_missing(stdout, &summary) != 0;
}

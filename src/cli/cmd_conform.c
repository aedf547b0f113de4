/* SPDX-License-Identifier: MIT
 * ringside conform: conformance tests, run on this very engine.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/cli.h"
#include "conform/report/report.h"
#include "conform/rows.h"

struct conform_command {
    struct conform_options options;
    const struct conform_suite *suites[CONFORM_SUITES_MAX + 1];
    unsigned suite_count;
    const char *filters[CONFORM_FILTERS_MAX + 1];
    unsigned filter_count;
    const struct conform_format *format;
    unsigned jobs;
    bool list, list_suites, missing, coverage, rows, verbose;
    enum color_choice progress; /* auto: when stderr is a terminal */
};

/* ---- options */

static bool add_filter(struct conform_command *c, const char *word, struct error *err)
{
    if (c->filter_count == CONFORM_FILTERS_MAX)
        return error_set(err, EXIT_USAGE, "more than %u filters", CONFORM_FILTERS_MAX);
    c->filters[c->filter_count++] = word;
    return true;
}

static bool add_suite(struct conform_command *c, const struct conform_suite *suite)
{
    for (unsigned i = 0; i < c->suite_count; i++)
        if (c->suites[i] == suite)
            return true;
    c->suites[c->suite_count++] = suite;
    return true;
}

static bool opt_filter(struct conform_command *c, const char *value, struct error *err)
{
    return add_filter(c, value, err);
}

static bool opt_jobs(struct conform_command *c, const char *value, struct error *err)
{
    char *end;
    unsigned long jobs = strtoul(value, &end, 10);

    if (end == value || *end != '\0' || *value == '-' || jobs == 0 || jobs > CONFORM_JOBS_MAX)
        return error_set(err, EXIT_USAGE, "--jobs wants a number of processes, 1 to %u, not '%s'", CONFORM_JOBS_MAX,
                         value);
    c->jobs = (unsigned)jobs;
    return true;
}

static bool opt_engine(struct conform_command *c, const char *value, struct error *err)
{
    return cli_parse_engine(&c->options.engine, value, err);
}

static bool opt_vendor(struct conform_command *c, const char *value, struct error *err)
{
    bool intel = strcmp(value, "intel") == 0, amd = strcmp(value, "amd") == 0, both = strcmp(value, "both") == 0;

    if (!intel && !amd && !both)
        return error_set(err, EXIT_USAGE, "--vendor %s: intel, amd or both", value);
    c->options.vendor[VENDOR_INTEL] = intel || both;
    c->options.vendor[VENDOR_AMD] = amd || both;
    return true;
}

static bool opt_format(struct conform_command *c, const char *value, struct error *err)
{
    c->format = conform_format_named(value);
    return c->format != NULL || error_set(err, EXIT_USAGE, "--format %s: text, tap, junit or json", value);
}

static bool opt_corpus(struct conform_command *c, const char *value, struct error *err)
{
    (void)err;
    c->options.corpus = value;
    return true;
}

static bool opt_moo(struct conform_command *c, const char *value, struct error *err)
{
    const struct conform_suite *moo = conform_suite_named("moo");

    c->options.moo_directory = value;
    return moo != NULL ? add_suite(c, moo) : error_set(err, EXIT_USAGE, "--moo: this build has no such suite");
}

static bool opt_quick(struct conform_command *c, const char *value, struct error *err)
{
    (void)value, (void)err;
    c->options.quick = true;
    return true;
}

static bool opt_list(struct conform_command *c, const char *value, struct error *err)
{
    (void)value, (void)err;
    c->list = true;
    return true;
}

static bool opt_suites(struct conform_command *c, const char *value, struct error *err)
{
    (void)value, (void)err;
    c->list_suites = true;
    return true;
}

static bool opt_missing(struct conform_command *c, const char *value, struct error *err)
{
    (void)value, (void)err;
    c->missing = true;
    return true;
}

static bool opt_coverage(struct conform_command *c, const char *value, struct error *err)
{
    (void)value, (void)err;
    c->coverage = true;
    return true;
}

static bool opt_rows(struct conform_command *c, const char *value, struct error *err)
{
    (void)value, (void)err;
    c->rows = true;
    return true;
}

static bool opt_verbose(struct conform_command *c, const char *value, struct error *err)
{
    (void)value, (void)err;
    c->verbose = true;
    return true;
}

static bool opt_progress(struct conform_command *c, const char *value, struct error *err)
{
    if (strcmp(value, "auto") == 0)
        c->progress = COLOR_AUTO;
    else if (strcmp(value, "always") == 0 || strcmp(value, "never") == 0)
        c->progress = value[0] == 'a' ? COLOR_ALWAYS : COLOR_NEVER;
    else
        return error_set(err, EXIT_USAGE, "--progress %s: auto, always or never", value);
    return true;
}

static const struct option {
    const char *name;
    bool has_value;
    bool (*handle)(struct conform_command *c, const char *value, struct error *err);
    const char *left, *help;
} options[] = {
    {"filter", true, opt_filter, "--filter WORD",
     "a rule (SC-01), a family (SC), a mnemonic, a theme or a test; with * ? [ a pattern for a test's name; "
     "repeatable"},
    {"list", false, opt_list, "--list", "the tests, one a line, without running them"},
    {"suites", false, opt_suites, "--suites", "the suites and their themes, with numbers of tests"},
    {"quick", false, opt_quick, "--quick", "a part of each suite that has something of everything"},
    {"engine", true, opt_engine, "--engine step|block", "the engine under test; default block"},
    {"vendor", true, opt_vendor, "--vendor intel|amd|both", "the processor under test; default both"},
    {"jobs", true, opt_jobs, "--jobs N", "processes at a time; default one per host processor; 1: no other process"},
    {"format", true, opt_format, "--format FORMAT", "text, tap, junit or json"},
    {"v", false, opt_verbose, "-v", "text: every test, and the sums of every rule or instruction"},
    {"progress", true, opt_progress, "--progress WHEN", "a bar on standard error: auto (default), always, never"},
    {"corpus", true, opt_corpus, "--corpus FILE",
     "hardware: this corpus, or those of a directory; default: Ringside's own"},
    {"moo", true, opt_moo, "--moo DIR", "moo: captures of the SingleStepTests, in MOO format"},
    {"missing", false, opt_missing, "--missing", "the rules and instructions without a test"},
    {"coverage", false, opt_coverage, "--coverage",
     "run in one process, and report what was not reached (a build with RINGSIDE_COVERAGE)"},
    {"rows", false, opt_rows, "--rows",
     "the rows of the instruction table that no case executes; with -v: all, and how many cases execute each"},
};

static const struct option *find_option(const char *word, const char **value)
{
    const char *name = word + 1 + (word[1] == '-');
    size_t length = strcspn(name, "=");

    *value = name[length] == '=' ? name + length + 1 : NULL;
    for (unsigned i = 0; i < ARRAY_LEN(options); i++)
        if (strlen(options[i].name) == length && strncmp(options[i].name, name, length) == 0)
            return &options[i];
    return NULL;
}

static bool unknown_option(const char *word, struct error *err)
{
    const char *names[ARRAY_LEN(options) + 1] = {NULL}, *near;

    for (unsigned i = 0; i < ARRAY_LEN(options); i++)
        names[i] = options[i].name;
    near = cli_nearest(word + 1 + (word[1] == '-'), names);
    return error_set(err, EXIT_USAGE, "unknown option '%s'%s%s%s; 'ringside conform --help' lists them", word,
                     near != NULL ? ", did you mean '--" : "", near != NULL ? near : "", near != NULL ? "'" : "");
}

static bool take_word(struct conform_command *c, const char *word, struct error *err)
{
    const struct conform_suite *suite = conform_suite_named(word);

    return suite != NULL ? add_suite(c, suite) : add_filter(c, word, err);
}

static bool parse(struct conform_command *c, int argc, char **argv, struct error *err)
{
    for (int i = 1; i < argc; i++) {
        const struct option *o;
        const char *value;

        if (argv[i][0] != '-' || argv[i][1] == '\0') {
            if (!take_word(c, argv[i], err))
                return false;
            continue;
        }
        o = find_option(argv[i], &value);
        if (o == NULL)
            return unknown_option(argv[i], err);
        if (!o->has_value && value != NULL)
            return error_set(err, EXIT_USAGE, "--%s takes no value", o->name);
        if (o->has_value && value == NULL) {
            if (i + 1 == argc)
                return error_set(err, EXIT_USAGE, "--%s wants a value: %s", o->name, o->left);
            value = argv[++i];
        }
        if (!o->handle(c, value, err))
            return false;
    }
    return true;
}

static void usage(FILE *out)
{
    fputs("usage: ringside conform [OPTIONS] [SUITE | WORD]...\n\n"
          "Tests this very engine: all suites, or those named; all of their tests, or those that a WORD or --filter "
          "chooses.\n"
          "Exit code 0 when all pass, 1 when one fails.\n\nsuites:\n",
          out);
    for (unsigned i = 0; conform_suite_at(i) != NULL; i++)
        fprintf(out, "  %-10s %s\n", conform_suite_at(i)->name, conform_suite_at(i)->title);
    fputs("\noptions:\n", out);
    for (unsigned i = 0; i < ARRAY_LEN(options); i++)
        fprintf(out, "  %-24s %s\n", options[i].left, options[i].help);
}

/* ---- lists */

static int list_tests(const struct conform_run *run)
{
    for (unsigned i = 0; i < run->count; i++) {
        struct conform_test test;

        conform_run_describe(run, i, &test);
        printf("%s: %s\n", run->suites[run->tests[i].suite].suite->name, test.name);
    }
    return EXIT_OK;
}

/* Tests of one theme stand together. */
static int list_suites(const struct conform_run *run)
{
    for (unsigned s = 0; s < run->suite_count; s++) {
        const struct conform_open_suite *open = &run->suites[s];
        struct conform_test test, last = {.group = ""};
        unsigned in_group = 0;

        printf("%-10s %6u tests   %s\n", open->suite->name, open->count, open->suite->title);
        for (unsigned i = 0; i <= open->count; i++) {
            if (i < open->count)
                conform_run_describe(run, open->first + i, &test);
            if (i == open->count || strcmp(test.group, last.group) != 0) {
                if (last.group[0] != '\0')
                    printf("  %-14s %6u\n", last.group, in_group);
                in_group = 0;
            }
            last = test;
            in_group++;
        }
    }
    return EXIT_OK;
}

static int report_missing(const struct conform_run *run)
{
    unsigned missing = 0;

    for (unsigned s = 0; s < run->suite_count; s++)
        if (run->suites[s].suite->missing != NULL)
            missing += run->suites[s].suite->missing(run->suites[s].state, stdout);
    return missing != 0 ? EXIT_DIFFERENT : EXIT_OK;
}

static int report_rows(const struct conform_command *c)
{
    struct row_coverage coverage;
    struct error err;
    unsigned holes;

    if (!row_coverage_open(&coverage, c->options.corpus, &err))
        return cli_fail(&err);
    holes = row_coverage_report(&coverage, c->verbose, stdout);
    row_coverage_close(&coverage);
    return holes != 0 ? EXIT_DIFFERENT : EXIT_OK;
}

/* ---- running */

struct progress {
    const struct conform_format *format;
    struct conform_report report;
    bool bar;
    struct timespec drawn;
};

static double seconds_between(const struct timespec *from, const struct timespec *to)
{
    return (double)(to->tv_sec - from->tv_sec) + (double)(to->tv_nsec - from->tv_nsec) * 1e-9;
}

static void erase_bar(const struct progress *p)
{
    if (p->bar)
        fputs("\r\033[K", stderr);
}

static void show_test(void *context, const struct conform_run *run, unsigned number)
{
    const struct progress *p = context;

    if (p->format->test == NULL)
        return;
    if (run->tests[number].outcome.failed != 0 || p->report.verbose)
        erase_bar(p);
    p->format->test(&p->report, run, number);
}

static void draw_bar(void *context, const struct conform_run *run, unsigned done, unsigned failed)
{
    static const char full[] = "########################################";
    const int width = (int)sizeof full - 1;
    struct progress *p = context;
    struct timespec now;
    int filled;

    if (!p->bar)
        return;
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (done < run->count && seconds_between(&p->drawn, &now) < 0.1)
        return;
    p->drawn = now;
    filled = run->count != 0 ? (int)((u64)done * (unsigned)width / run->count) : width;
    fprintf(stderr, "\r[%-*.*s] %u of %u, %u failed ", width, filled, full, done, run->count, failed);
    if (done == run->count)
        erase_bar(p);
}

static int run_tests(const struct conform_command *c, struct conform_run *run)
{
    struct progress p = {.format = c->format, .report = {.out = stdout, .verbose = c->verbose}};
    struct conform_listener listener = {.context = &p, .test = show_test, .progress = draw_bar};
    struct timespec begin, end;
    unsigned holes = 0;
    struct error err;

    p.bar = c->progress == COLOR_ALWAYS || (c->progress == COLOR_AUTO && isatty(fileno(stderr)));
    if (p.format->begin != NULL)
        p.format->begin(&p.report, run);
    clock_gettime(CLOCK_MONOTONIC, &begin);
    if (!conform_run_execute(run, c->coverage ? 1 : c->jobs, &listener, &err))
        return cli_fail(&err);
    clock_gettime(CLOCK_MONOTONIC, &end);
    p.report.seconds = seconds_between(&begin, &end);
    if (p.format->end != NULL)
        p.format->end(&p.report, run);
    for (unsigned s = 0; c->coverage && s < run->suite_count; s++)
        if (run->suites[s].suite->coverage != NULL)
            holes += run->suites[s].suite->coverage(run->suites[s].state, stdout);
    return conform_run_failed(run) != 0 || holes != 0 ? EXIT_DIFFERENT : EXIT_OK;
}

/* No suite named: all that need not be. */
static void default_suites(struct conform_command *c)
{
    const struct conform_suite *suite;

    if (c->suite_count != 0)
        return;
    for (unsigned i = 0; (suite = conform_suite_at(i)) != NULL; i++)
        if (!suite->only_named)
            add_suite(c, suite);
}

int cmd_conform(int argc, char **argv)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    struct conform_command c = {.options = {.engine = ENGINE_BLOCK, .vendor = {true, true}},
                                .format = &format_text,
                                .jobs = processors < 1 ? 1 : (unsigned)processors,
                                .progress = COLOR_AUTO};
    struct conform_run run;
    struct error err;
    int code;

    if (cli_wants_help(argc, argv)) {
        usage(stdout);
        return EXIT_OK;
    }
    if (!parse(&c, argc, argv, &err))
        return cli_fail(&err);
    if (c.jobs > CONFORM_JOBS_MAX)
        c.jobs = CONFORM_JOBS_MAX;
    if (c.rows)
        return report_rows(&c);
    default_suites(&c);
    if (!conform_run_open(&run, c.suites, c.filters, &c.options, &err))
        return cli_fail(&err);
    if (c.list)
        code = list_tests(&run);
    else if (c.list_suites)
        code = list_suites(&run);
    else if (c.missing)
        code = report_missing(&run);
    else
        code = run_tests(&c, &run);
    conform_run_close(&run);
    return code;
}

/* SPDX-License-Identifier: MIT
 * ringside report, stat, show and info: reading a recording.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/view_options.h"

typedef enum exit_code viewer(FILE *out, const char *path, const struct trace_filter *filter,
                              const struct trace_view *view, struct error *err);

static int view(int argc, char **argv, viewer *viewer)
{
    struct view_options o;
    struct error err;
    enum exit_code code;

    if (!view_options_parse(&o, argc, argv, 1, &err))
        return cli_fail(&err);
    if (o.help) {
        view_options_help(argv[0]);
        return EXIT_OK;
    }
    code = viewer(stdout, o.words[0], &o.filter, &o.view, &err);
    return code == EXIT_OK ? EXIT_OK : cli_fail(&err);
}

/* Calls are the default for people, events for programs. Events beside transitions are shown when asked for. */
static enum exit_code report(FILE *out, const char *path, const struct trace_filter *filter,
                             const struct trace_view *options, struct error *err)
{
    struct trace_filter shown = *filter;

    if (options->format != TRACE_JSON && !options->side && shown.kinds == 0)
        trace_filter_transitions(&shown);
    return trace_report(out, path, &shown, options, err);
}

int cmd_report(int argc, char **argv) { return view(argc, argv, report); }

int cmd_msrs(int argc, char **argv) { return view(argc, argv, trace_msrs); }

int cmd_stat(int argc, char **argv) { return view(argc, argv, trace_stat); }

static enum exit_code info(FILE *out, const char *path, const struct trace_filter *filter,
                           const struct trace_view *options, struct error *err)
{
    (void)filter;
    return trace_info(out, path, options, err);
}

int cmd_info(int argc, char **argv) { return view(argc, argv, info); }

int cmd_show(int argc, char **argv)
{
    struct view_options o;
    struct error err;
    enum exit_code code;
    char *end;
    u64 id;

    if (!view_options_parse(&o, argc, argv, 2, &err))
        return cli_fail(&err);
    if (o.help) {
        view_options_help(argv[0]);
        return EXIT_OK;
    }
    id = strtoull(o.words[0] + (o.words[0][0] == '#'), &end, 10);
    if (*end != '\0' || id == 0) {
        error_set(&err, EXIT_USAGE, "'%s' is not an event number; 'ringside report' prints them", o.words[0]);
        return cli_fail(&err);
    }
    code = trace_show(stdout, o.words[1], id, &o.view, &err);
    return code == EXIT_OK ? EXIT_OK : cli_fail(&err);
}

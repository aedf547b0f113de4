/* SPDX-License-Identifier: MIT
 * ringside report, stat, show and info: reading a recording.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "linux/linux.h"
#include "trace/capture.h"

struct view_options {
    struct trace_filter filter;
    struct trace_view view;
    enum color_choice color;
    const char *words[2]; /* what is not an option */
    unsigned word_count;
    bool help;
    bool events; /* report: each for itself */
};

static bool set_format(struct view_options *o, const char *text, struct error *err)
{
    if (strcmp(text, "text") == 0)
        o->view.format = TRACE_TEXT;
    else if (strcmp(text, "verbose") == 0)
        o->view.format = TRACE_VERBOSE;
    else if (strcmp(text, "json") == 0)
        o->view.format = TRACE_JSON;
    else
        return error_set(err, EXIT_USAGE, "--format %s: text, verbose or json", text);
    return true;
}

static bool set_limit(struct view_options *o, const char *text, struct error *err)
{
    char *end;

    o->view.limit = strtoull(text, &end, 10);
    if (end == text || *end != '\0' || *text == '-')
        return error_set(err, EXIT_USAGE, "--limit wants a number, not '%s'", text);
    return true;
}

static bool set_string_limit(struct view_options *o, const char *text, struct error *err)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);

    if (end == text || *end != '\0' || *text == '-' || value == 0 || value > LINUX_STRING_MAX)
        return error_set(err, EXIT_USAGE, "-s wants a number of bytes, 1 to %u, not '%s'", LINUX_STRING_MAX, text);
    /* What was not kept cannot be shown: a buffer that is longer than what was kept would be its address. */
    o->view.string_limit = value < CAPTURE_STRING ? (unsigned)value : CAPTURE_STRING;
    return true;
}

static bool apply(struct view_options *o, const char *name, const char *value, struct error *err)
{
    if (strcmp(name, "e") == 0 || strcmp(name, "filter") == 0)
        return trace_filter_add(&o->filter, value, err);
    if (strcmp(name, "p") == 0)
        return trace_filter_pid(&o->filter, value, err);
    if (strcmp(name, "comm") == 0)
        return trace_filter_comm(&o->filter, value, err);
    if (strcmp(name, "cpl") == 0)
        return trace_filter_cpl(&o->filter, value, err);
    if (strcmp(name, "from") == 0)
        return trace_filter_range(&o->filter, value, NULL, err);
    if (strcmp(name, "to") == 0)
        return trace_filter_range(&o->filter, NULL, value, err);
    if (strcmp(name, "format") == 0)
        return set_format(o, value, err);
    if (strcmp(name, "limit") == 0)
        return set_limit(o, value, err);
    if (strcmp(name, "s") == 0)
        return set_string_limit(o, value, err);
    return cli_parse_color(&o->color, value, err);
}

/* Options without a value, each of one command. returns: false when the word is none of them */
static bool flag(struct view_options *o, const char *command, const char *name, struct error *err)
{
    const struct {
        const char *name, *command;
        bool *value;
    } flags[] = {
        {"calls", "report", &o->view.calls},       {"events", "report", &o->events}, {"side", "report", &o->view.side},
        {"histogram", "stat", &o->view.histogram}, {"all", "msrs", &o->view.all},
    };

    for (size_t i = 0; i < ARRAY_LEN(flags); i++)
        if (strcmp(name, flags[i].name) == 0) {
            *flags[i].value = true;
            if (strcmp(command, flags[i].command) != 0)
                error_set(err, EXIT_USAGE, "--%s is an option of %s, not of %s", name, flags[i].command, command);
            return true;
        }
    return false;
}

static bool takes_value(const char *word)
{
    static const char *const names[] = {"e",  "filter", "p",     "comm",  "cpl", "from",
                                        "to", "format", "limit", "color", "s"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strcmp(names[i], word) == 0)
            return true;
    return false;
}

static bool unknown(const char *given, const char *word, struct error *err)
{
    static const char *const names[] = {"filter", "comm", "cpl",   "from",   "to",   "format",    "limit",
                                        "color",  "all",  "calls", "events", "side", "histogram", NULL};
    const char *near = cli_nearest(word, names);

    return error_set(err, EXIT_USAGE, "unknown option '%s'%s%s%s", given, near ? ", did you mean '--" : "",
                     near ? near : "", near ? "'?" : "");
}

static bool parse(struct view_options *o, int argc, char **argv, unsigned words, struct error *err)
{
    *o = (struct view_options){0};
    *err = (struct error){0};
    for (int i = 1; i < argc; i++) {
        const char *name = argv[i] + (argv[i][0] == '-') + (argv[i][0] == '-' && argv[i][1] == '-');
        size_t length = strcspn(name, "=");
        char word[32];

        if (argv[i][0] != '-' || argv[i][1] == '\0') {
            if (o->word_count == words)
                return error_set(err, EXIT_USAGE, "'%s' is one word too many", argv[i]);
            o->words[o->word_count++] = argv[i];
            continue;
        }
        snprintf(word, sizeof word, "%.*s", (int)(length < 31 ? length : 31), name);
        if (strcmp(word, "help") == 0 || strcmp(word, "h") == 0) {
            o->help = true;
            return true;
        }
        if (flag(o, argv[0], word, err)) {
            if (err->code != EXIT_OK)
                return false;
            continue;
        }
        if (strcmp(word, "v") == 0) {
            o->view.format = TRACE_VERBOSE;
            continue;
        }
        if (!takes_value(word))
            return unknown(argv[i], word, err);
        if (name[length] != '=' && i + 1 >= argc)
            return error_set(err, EXIT_USAGE, "option '%s' wants a value", argv[i]);
        if (!apply(o, word, name[length] == '=' ? name + length + 1 : argv[++i], err))
            return false;
    }
    if (o->word_count != words)
        return error_set(err, EXIT_USAGE,
                         words == 2 ? "show wants an event number and a recording: show ID FILE"
                                    : "give the recording to read");
    if (o->view.format == TRACE_TEXT && !o->events)
        o->view.calls = true;
    o->view.color = cli_color(o->color, stdout);
    return true;
}

static void usage(const char *command)
{
    printf(
        "usage: ringside %s %sFILE [OPTIONS]\n\n"
        "  -e EXPR          mech=syscall,irq  vec=14,gp  kind=cr3,wrmsr  dir=in|out|same  rule=SC-01  cr3=HEX\n"
        "                   trace=openat,%%file  errno=ENOENT\n"
        "  -p PID           a process, or one thread\n"
        "  --comm NAME      tasks of this name, with * and ?\n"
        "  --cpl FROM:TO    ring before and after, 0-3 or *\n"
        "  --from N --to N  event numbers\n"
        "  --calls, --events  report: an entry and its return on one line (text's default), or each event by itself\n"
        "  --side           report: SWAPGS, control registers, MSRs and what became known too\n"
        "  -s N             bytes of a string that are shown; default: report 32, show all that was kept\n"
        "  --histogram      stat: how the costs are distributed\n"
        "  --all            msrs: every register, not only those behind the kernel's entries\n"
        "  --limit N        stop after N lines\n"
        "  --format F       text, verbose (-v) or json\n"
        "  --color WHEN     auto, always or never\n",
        command, strcmp(command, "show") == 0 ? "ID " : "");
}

typedef enum exit_code viewer(FILE *out, const char *path, const struct trace_filter *filter,
                              const struct trace_view *view, struct error *err);

static int view(int argc, char **argv, viewer *viewer)
{
    struct view_options o;
    struct error err;
    enum exit_code code;

    if (!parse(&o, argc, argv, 1, &err))
        return cli_fail(&err);
    if (o.help) {
        usage(argv[0]);
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

    if (!parse(&o, argc, argv, 2, &err))
        return cli_fail(&err);
    if (o.help) {
        usage(argv[0]);
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

/* SPDX-License-Identifier: MIT
 * The options of the views: each says which of them it belongs to, and what it does.
 */
#include "cli/view_options.h"

#include <stdlib.h>
#include <string.h>

#include "linux/linux.h"
#include "trace/capture.h"

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

static bool set_expression(struct view_options *o, const char *text, struct error *err)
{
    return trace_filter_add(&o->filter, text, err);
}

static bool set_pid(struct view_options *o, const char *text, struct error *err)
{
    return trace_filter_pid(&o->filter, text, err);
}

static bool set_comm(struct view_options *o, const char *text, struct error *err)
{
    return trace_filter_comm(&o->filter, text, err);
}

static bool set_cpl(struct view_options *o, const char *text, struct error *err)
{
    return trace_filter_cpl(&o->filter, text, err);
}

static bool set_from(struct view_options *o, const char *text, struct error *err)
{
    return trace_filter_range(&o->filter, text, NULL, err);
}

static bool set_to(struct view_options *o, const char *text, struct error *err)
{
    return trace_filter_range(&o->filter, NULL, text, err);
}

static bool set_color(struct view_options *o, const char *text, struct error *err)
{
    return cli_parse_color(&o->color, text, err);
}

#define FLAG(name, member)                                                                                             \
    static bool set_##name(struct view_options *o, const char *text, struct error *err)                                \
    {                                                                                                                  \
        (void)text, (void)err;                                                                                         \
        o->member = true;                                                                                              \
        return true;                                                                                                   \
    }
FLAG(calls, view.calls)
FLAG(events, events)
FLAG(side, view.side)
FLAG(histogram, view.histogram)
FLAG(all, view.all)
#undef FLAG

static bool set_verbose(struct view_options *o, const char *text, struct error *err)
{
    (void)text, (void)err;
    o->view.format = TRACE_VERBOSE;
    return true;
}

static const struct option {
    const char *name;
    const char *commands; /* of which it is an option, each between blanks */
    bool (*set)(struct view_options *o, const char *text, struct error *err);
    const char *value; /* NULL: it takes none */
    const char *help;  /* NULL: another name of the one before */
} options[] = {
    {"e", " report stat msrs ", set_expression, "EXPR",
     "mech=syscall,irq  vec=14,gp  kind=cr3,wrmsr  dir=in|out|same  rule=SC-01  cr3=HEX\n"
     "                   trace=openat,%file  errno=ENOENT"},
    {"filter", " report stat msrs ", set_expression, "EXPR", NULL},
    {"p", " report stat msrs ", set_pid, "PID", "a process, or one thread"},
    {"comm", " report stat msrs ", set_comm, "NAME", "tasks of this name, with * and ?"},
    {"cpl", " report stat msrs ", set_cpl, "FROM:TO", "ring before and after, 0-3 or *"},
    {"from", " report stat msrs ", set_from, "N", "events from this number on"},
    {"to", " report stat msrs ", set_to, "N", "events up to this number"},
    {"calls", " report ", set_calls, NULL, "an entry and its return on one line (the default of text)"},
    {"events", " report ", set_events, NULL, "each event by itself"},
    {"side", " report ", set_side, NULL, "SWAPGS, control registers, MSRs and what became known too"},
    {"s", " report show ", set_string_limit, "N",
     "bytes of a string that are shown; default: report 32, show all that was kept"},
    {"histogram", " stat ", set_histogram, NULL, "how the costs are distributed"},
    {"all", " msrs ", set_all, NULL, "every register, not only those behind the kernel's entries"},
    {"limit", " report ", set_limit, "N", "stop after N lines"},
    {"format", " report stat show msrs ", set_format, "F", "text or json; report also verbose"},
    {"v", " report ", set_verbose, NULL, "as --format verbose: several lines an event"},
    {"color", " report stat show msrs ", set_color, "WHEN", "auto, always or never"},
};

static bool is_of(const struct option *option, const char *command)
{
    size_t length = strlen(command);

    for (const char *at = option->commands; (at = strstr(at, command)) != NULL; at += length)
        if (at[-1] == ' ' && at[length] == ' ')
            return true;
    return false;
}

static const struct option *find(const char *word)
{
    for (size_t i = 0; i < ARRAY_LEN(options); i++)
        if (strcmp(options[i].name, word) == 0)
            return &options[i];
    return NULL;
}

static bool unknown(const char *command, const char *given, const char *word, struct error *err)
{
    const char *names[ARRAY_LEN(options) + 1] = {NULL}, *near;
    size_t count = 0;

    for (size_t i = 0; i < ARRAY_LEN(options); i++)
        if (is_of(&options[i], command) && strlen(options[i].name) > 1)
            names[count++] = options[i].name;
    near = cli_nearest(word, names);
    return error_set(err, EXIT_USAGE, "unknown option '%s'%s%s%s", given, near ? ", did you mean '--" : "",
                     near ? near : "", near ? "'?" : "");
}

/* One option, with the word behind it when it takes that. *at: its place among the words. */
static bool take_option(struct view_options *o, int argc, char **argv, int *at, struct error *err)
{
    const char *given = argv[*at], *name = given + 1 + (given[1] == '-'), *value = NULL;
    size_t length = strcspn(name, "=");
    const struct option *option;
    char word[32];

    snprintf(word, sizeof word, "%.*s", (int)(length < 31 ? length : 31), name);
    if (strcmp(word, "help") == 0 || strcmp(word, "h") == 0) {
        o->help = true;
        return true;
    }
    option = find(word);
    if (option == NULL)
        return unknown(argv[0], given, word, err);
    if (!is_of(option, argv[0]))
        return error_set(err, EXIT_USAGE, "'%s' is an option of%.*s, not of %s", given,
                         (int)strlen(option->commands) - 1, option->commands, argv[0]);
    if (option->value == NULL && name[length] == '=')
        return error_set(err, EXIT_USAGE, "option '%s' takes no value", given);
    if (option->value != NULL) {
        if (name[length] != '=' && *at + 1 >= argc)
            return error_set(err, EXIT_USAGE, "option '%s' wants a value", given);
        value = name[length] == '=' ? name + length + 1 : argv[++*at];
    }
    return option->set(o, value, err);
}

bool view_options_parse(struct view_options *o, int argc, char **argv, unsigned words, struct error *err)
{
    *o = (struct view_options){0};
    for (int i = 1; i < argc && !o->help; i++) {
        if (argv[i][0] == '-' && argv[i][1] != '\0') {
            if (!take_option(o, argc, argv, &i, err))
                return false;
            continue;
        }
        if (o->word_count == words)
            return error_set(err, EXIT_USAGE, "'%s' is one word too many", argv[i]);
        o->words[o->word_count++] = argv[i];
    }
    if (o->help)
        return true;
    if (o->word_count != words)
        return error_set(err, EXIT_USAGE,
                         words == 2 ? "show wants an event number and a recording: show ID FILE"
                                    : "give the recording to read");
    if (o->view.format == TRACE_TEXT && !o->events)
        o->view.calls = true;
    o->view.color = cli_color(o->color, stdout);
    return true;
}

void view_options_help(const char *command)
{
    printf("usage: ringside %s %sFILE [OPTIONS]\n\n", command, strcmp(command, "show") == 0 ? "ID " : "");
    for (size_t i = 0; i < ARRAY_LEN(options); i++) {
        const struct option *option = &options[i];
        char left[64];

        if (!is_of(option, command) || option->help == NULL)
            continue;
        snprintf(left, sizeof left, "%s%s%s%s", option->name[1] ? "--" : "-", option->name, option->value ? " " : "",
                 option->value ? option->value : "");
        printf("  %-16s %s\n", left, option->help);
    }
}

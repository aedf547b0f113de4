/* SPDX-License-Identifier: MIT
 * The command line: choice of the sub-command.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/cli.h"

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *help;
} commands[] = {
    {"run", cmd_run, "run a kernel, or the embedded ring tour (tour:32, tour:64)"},
    {"record", cmd_record, "run with every transition written to a file: record -o FILE ..."},
    {"trace", cmd_trace, "run one program on a kernel of its own and print its system calls"},
    {"replay", cmd_replay, "make a recorded run again, with its input, and compare"},
    {"report", cmd_report, "list the events of a recording"},
    {"stat", cmd_stat, "count them: mechanisms, system calls, processes, costs"},
    {"show", cmd_show, "everything about one event: show ID FILE"},
    {"path", cmd_path, "the walk of one crossing: every function from entry to return: path ID FILE"},
    {"msrs", cmd_msrs, "who wrote the model-specific registers, and which entry each serves"},
    {"info", cmd_info, "how a recording was made and how it ended"},
    {"symbols", cmd_symbols, "what can be known from a kernel file: symbols, layouts, system calls"},
    {"explain", cmd_explain, "an architectural rule in words: explain SC-01"},
    {"conform", cmd_conform, "run conformance tests on this engine"},
    {"cpus", cmd_cpus, "what -cpu accepts"},
    {"machines", cmd_machines, "what -machine accepts"},
};

int cli_fail(const struct error *err)
{
    fflush(stdout);
    fputs("ringside: ", stderr);
    text_print_plain(stderr, err->text); /* it may quote a file or a guest */
    fputc('\n', stderr);
    return err->code;
}

bool cli_color(enum color_choice choice, FILE *stream)
{
    const char *no_color = getenv("NO_COLOR");

    if (choice != COLOR_AUTO)
        return choice == COLOR_ALWAYS;
    return (no_color == NULL || *no_color == '\0') && isatty(fileno(stream));
}

bool cli_parse_color(enum color_choice *choice, const char *text, struct error *err)
{
    static const char *const words[] = {[COLOR_AUTO] = "auto", [COLOR_ALWAYS] = "always", [COLOR_NEVER] = "never"};

    for (unsigned i = 0; i < ARRAY_LEN(words); i++) {
        if (strcmp(text, words[i]) == 0) {
            *choice = (enum color_choice)i;
            return true;
        }
    }
    return error_set(err, EXIT_USAGE, "--color=%s: auto, always or never", text);
}

bool cli_parse_engine(enum engine_kind *engine, const char *text, struct error *err)
{
    if (strcmp(text, "step") != 0 && strcmp(text, "block") != 0)
        return error_set(err, EXIT_USAGE, "--engine %s: step or block", text);
    *engine = strcmp(text, "step") == 0 ? ENGINE_STEP : ENGINE_BLOCK;
    return true;
}

bool cli_wants_help(int argc, char **argv)
{
    return argc >= 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0);
}

static void usage(FILE *out)
{
    fprintf(out,
            "ringside %s - an x86 emulator that shows every privilege transition\n\n"
            "usage: ringside COMMAND [OPTIONS]\n\n",
            RINGSIDE_VERSION);
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        fprintf(out, "  %-9s %s\n", commands[i].name, commands[i].help);
    fprintf(out, "\n'ringside COMMAND --help' explains a command. First look: ringside run tour:64 --trace -v\n");
}

/* What could not be written to standard output is an error of any command. */
static int flushed(int code)
{
    struct error err;

    if ((fflush(stdout) == 0 && !ferror(stdout)) || code != EXIT_OK)
        return code;
    error_set(&err, EXIT_FILE, "cannot write to standard output");
    return cli_fail(&err);
}

int main(int argc, char **argv)
{
    const char *names[ARRAY_LEN(commands) + 1] = {NULL};
    const char *near;
    struct error err;

    if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
        usage(argc < 2 ? stderr : stdout);
        return argc < 2 ? EXIT_USAGE : flushed(EXIT_OK);
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("ringside %s\n", RINGSIDE_VERSION);
        return flushed(EXIT_OK);
    }
    for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
        if (strcmp(argv[1], commands[i].name) == 0)
            return flushed(commands[i].run(argc - 1, argv + 1));
        names[i] = commands[i].name;
    }
    near = cli_nearest(argv[1], names);
    error_set(&err, EXIT_USAGE, "unknown command '%s'%s%s%s; 'ringside --help' lists them", argv[1],
              near ? ", did you mean '" : "", near ? near : "", near ? "'?" : "");
    return cli_fail(&err);
}

/* SPDX-License-Identifier: MIT
 * The options of `ringside trace`: those of strace that have a meaning here, and those of the machine.
 */
#include "cli/trace/options.h"

#include <stdlib.h>
#include <string.h>

typedef bool handler(struct trace_options *o, const char *value, struct error *err);

static bool opt_kernel(struct trace_options *o, const char *value, struct error *err)
{
    (void)err;
    o->kernel = value;
    return true;
}

static bool opt_vmlinux(struct trace_options *o, const char *value, struct error *err)
{
    (void)err;
    o->vmlinux = value;
    return true;
}

static bool opt_append(struct trace_options *o, const char *value, struct error *err)
{
    (void)err;
    o->append = value;
    return true;
}

static bool opt_cpu(struct trace_options *o, const char *value, struct error *err)
{
    return cpu_model_parse(&o->model, value, err);
}

static bool opt_memory(struct trace_options *o, const char *value, struct error *err)
{
    return cli_parse_memory(&o->ram_bytes, value, err);
}

static bool opt_engine(struct trace_options *o, const char *value, struct error *err)
{
    return cli_parse_engine(&o->engine, value, err);
}

static bool opt_timeout(struct trace_options *o, const char *value, struct error *err)
{
    return cli_parse_timeout(&o->timeout, value, err);
}

static bool opt_follow(struct trace_options *o, const char *value, struct error *err)
{
    (void)value, (void)err;
    o->follow = true;
    return true;
}

static bool opt_counts(struct trace_options *o, const char *value, struct error *err)
{
    (void)value, (void)err;
    o->counts = true;
    return true;
}

static bool opt_path(struct trace_options *o, const char *value, struct error *err)
{
    (void)value, (void)err;
    o->path = true;
    return true;
}

static bool opt_rings(struct trace_options *o, const char *value, struct error *err)
{
    (void)value, (void)err;
    o->rings = true;
    return true;
}

static bool opt_filter(struct trace_options *o, const char *value, struct error *err)
{
    return trace_filter_add(&o->filter, value, err);
}

static bool opt_output(struct trace_options *o, const char *value, struct error *err)
{
    (void)err;
    o->output = value;
    return true;
}

static bool opt_strings(struct trace_options *o, const char *value, struct error *err)
{
    char *end;
    unsigned long limit = strtoul(value, &end, 10);

    if (end == value || *end != '\0' || *value == '-' || limit == 0 || limit > LINUX_STRING_MAX)
        return error_set(err, EXIT_USAGE, "-s wants a number of bytes, 1 to %u, not '%s'", LINUX_STRING_MAX, value);
    o->string_limit = (unsigned)limit;
    return true;
}

static bool opt_stdin(struct trace_options *o, const char *value, struct error *err)
{
    (void)err;
    o->stdin_from = value;
    return true;
}

static bool opt_color(struct trace_options *o, const char *value, struct error *err)
{
    return cli_parse_color(&o->color, value, err);
}

static bool opt_env(struct trace_options *o, const char *value, struct error *err)
{
    if (strchr(value, '=') == NULL || value[0] == '=')
        return error_set(err, EXIT_USAGE, "--env wants NAME=VALUE, not '%s'", value);
    if (o->envs == TRACE_LIST_MAX)
        return error_set(err, EXIT_USAGE, "more than %u times --env", TRACE_LIST_MAX);
    o->env[o->envs++] = value;
    return true;
}

static bool opt_file(struct trace_options *o, const char *value, struct error *err)
{
    const char *colon = strchr(value, ':');

    if (value[0] == '\0' || value[0] == ':' || (colon != NULL && colon[1] != '/'))
        return error_set(err, EXIT_USAGE, "--file wants HOST or HOST:GUEST, GUEST an absolute path, not '%s'", value);
    if (o->files == TRACE_LIST_MAX)
        return error_set(err, EXIT_USAGE, "more than %u times --file; a directory is added with all that is in it",
                         TRACE_LIST_MAX);
    o->file[o->files++] = value;
    return true;
}

static const struct option {
    const char *name;
    bool has_value;
    handler *handle;
    const char *left, *help; /* NULL: another name of the option before */
} options[] = {
    {"kernel", true, opt_kernel, "-kernel FILE", "the kernel; default: the newest /boot/vmlinuz-*"},
    {"vmlinux", true, opt_vmlinux, "-vmlinux FILE", "an unstripped ELF of the same kernel, for its symbols"},
    {"append", true, opt_append, "-append TEXT", "more for the kernel's command line"},
    {"cpu", true, opt_cpu, "-cpu MODEL", "processor: MODEL[,+FEATURE][,-FEATURE][,vendor=intel|amd]; default max"},
    {"m", true, opt_memory, "-m SIZE", "memory; default 512M, or more if the files need it"},
    {"engine", true, opt_engine, "--engine step|block", "the engine that runs the guest; default block"},
    {"f", false, opt_follow, "-f", "the processes that it starts, too, until the last has ended"},
    {"e", true, opt_filter, "-e EXPR", "only what matches: trace=openat,%network  mech=syscall  vec=14"},
    {"filter", true, opt_filter, NULL, NULL},
    {"o", true, opt_output, "-o FILE", "the trace goes to FILE, not to stderr"},
    {"c", false, opt_counts, "-c", "count: a table at the end instead of lines"},
    {"s", true, opt_strings, "-s N", "show so many bytes of a string; default 32"},
    {"path", false, opt_path, "--path", "after each call its walk through the kernel; slow"},
    {"rings", false, opt_rings, "--rings", "faults and interrupts, too"},
    {"env", true, opt_env, "--env NAME=VALUE", "add to the program's environment, or replace"},
    {"file", true, opt_file, "--file HOST[:GUEST]", "put a file or directory of the host into the guest"},
    {"stdin-from", true, opt_stdin, "--stdin-from FILE", "the program's standard input"},
    {"timeout", true, opt_timeout, "--timeout S", "end after S seconds of the host's time"},
    {"color", true, opt_color, "--color WHEN", "auto, always or never"},
};

void trace_options_help(FILE *out)
{
    fputs("usage: ringside trace [OPTIONS] [--] PROGRAM [ARGUMENTS]\n\n"
          "Runs a program of this host on a Linux kernel of its own and prints its system calls, with what the "
          "processor\n"
          "did for each. The exit code is the program's; 128 and the signal's number when a signal ended it.\n\n",
          out);
    for (size_t i = 0; i < ARRAY_LEN(options); i++)
        if (options[i].left != NULL)
            fprintf(out, "  %-21s %s\n", options[i].left, options[i].help);
}

static bool unknown_option(const char *name, const char *given, struct error *err)
{
    const char *names[ARRAY_LEN(options) + 1] = {NULL};
    const char *near;

    for (size_t i = 0; i < ARRAY_LEN(options); i++)
        names[i] = options[i].name;
    near = cli_nearest(name, names);
    return error_set(err, EXIT_USAGE,
                     "unknown option '%s'%s%s%s; 'ringside trace --help' lists them; the program's own stand behind it",
                     given, near ? ", did you mean '-" : "", near ? near : "", near ? "'?" : "");
}

static bool parse_option(struct trace_options *o, int argc, char **argv, int *i, struct error *err)
{
    const char *given = argv[*i];
    const char *name = given + (given[1] == '-' ? 2 : 1);
    size_t length = strcspn(name, "=");

    for (size_t k = 0; k < ARRAY_LEN(options); k++) {
        const struct option *p = &options[k];
        const char *value = name[length] == '=' ? name + length + 1 : NULL;

        if (strlen(p->name) != length || strncmp(p->name, name, length) != 0)
            continue;
        if (!p->has_value && value != NULL)
            return error_set(err, EXIT_USAGE, "option '-%s' takes no value", p->name);
        if (p->has_value && value == NULL) {
            if (*i + 1 >= argc)
                return error_set(err, EXIT_USAGE, "option '-%s' wants a value", p->name);
            value = argv[++*i];
        }
        return p->handle(o, value, err);
    }
    return unknown_option(name, given, err);
}

bool trace_options_parse(struct trace_options *o, int argc, char **argv, struct error *err)
{
    int i = 1;

    *o = (struct trace_options){.string_limit = 32};
    if (!cpu_model_parse(&o->model, "max", err))
        return false;
    for (; i < argc && argv[i][0] == '-' && argv[i][1] != '\0'; i++) {
        if (strcmp(argv[i], "--") == 0) {
            i++;
            break;
        }
        if (!parse_option(o, argc, argv, &i, err))
            return false;
    }
    if (o->counts && (o->path || o->rings))
        return error_set(err, EXIT_USAGE, "-c prints a table instead of lines: leave out %s",
                         o->path ? "--path" : "--rings");
    if (i == argc)
        return error_set(err, EXIT_USAGE, "give the program to trace: ringside trace [OPTIONS] PROGRAM [ARGUMENTS]");
    o->argc = argc - i;
    o->argv = argv + i;
    return true;
}

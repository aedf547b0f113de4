/* SPDX-License-Identifier: MIT
 * The options of `ringside trace`.
 */
#ifndef RINGSIDE_CLI_TRACE_OPTIONS_H
#define RINGSIDE_CLI_TRACE_OPTIONS_H

#include "cli/cli.h"
#include "linux/linux.h"

#define TRACE_LIST_MAX 256u

struct trace_options {
    const char *kernel;  /* NULL: the newest installed */
    const char *vmlinux; /* NULL: none */
    const char *append;  /* more for the kernel's command line; NULL = none */
    struct cpu_model model;
    u64 ram_bytes; /* 0: as much as is needed */
    enum engine_kind engine;
    double timeout;
    bool follow; /* -f: child processes too */
    bool counts; /* -c */
    bool path;   /* --path: the walk of each call */
    bool rings;  /* --rings: faults and interrupts too */
    struct trace_filter filter;
    const char *output;    /* NULL: stderr */
    unsigned string_limit; /* -s */
    const char *stdin_from;
    enum color_choice color;
    const char *env[TRACE_LIST_MAX];
    unsigned envs;
    const char *file[TRACE_LIST_MAX];
    unsigned files;
    int argc; /* the program and its arguments */
    char **argv;
};

/* Parse the words after the sub-command, up to the program's. Strings are borrowed from argv.
 * returns: false with err set (EXIT_USAGE) */
bool trace_options_parse(struct trace_options *o, int argc, char **argv, struct error *err);
void trace_options_help(FILE *out);

#endif

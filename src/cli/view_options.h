/* SPDX-License-Identifier: MIT
 * The options of the commands that read a recording: report, stat, show, msrs, info.
 */
#ifndef RINGSIDE_CLI_VIEW_OPTIONS_H
#define RINGSIDE_CLI_VIEW_OPTIONS_H

#include "cli/cli.h"

struct view_options {
    struct trace_filter filter;
    struct trace_view view;
    enum color_choice color;
    const char *words[2]; /* what is not an option */
    unsigned word_count;
    bool help;
    bool events; /* report: each for itself */
};

/* in: argv[0]  the command; words  how many it takes beside options
 * returns: false with err set (EXIT_USAGE). With o->help set nothing else is looked at. */
bool view_options_parse(struct view_options *o, int argc, char **argv, unsigned words, struct error *err);
/* Usage and options of one command, on standard output. */
void view_options_help(const char *command);

#endif

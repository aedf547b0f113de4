/* SPDX-License-Identifier: MIT
 * The screen at the end of a run, in files.
 */
#ifndef RINGSIDE_CLI_SCREEN_H
#define RINGSIDE_CLI_SCREEN_H

#include "machine/machine.h"

struct screen_options {
    const char *picture_path; /* --screendump: a PNG file; NULL: none */
    const char *text_path;    /* --screentext: UTF-8, "-" is standard output; NULL: none */
};

/* returns: false with err set (EXIT_USAGE) when a screen is asked for and the machine has none */
bool screen_check(const struct screen_options *o, const struct machine *m, struct error *err);
/* Write what is asked for.  returns: false with err set (EXIT_FILE) */
bool screen_write(const struct screen_options *o, const struct machine *m, struct error *err);
/* One picture of the screen now.  returns: false with err set (EXIT_FILE, or EXIT_USAGE: there is no display) */
bool screen_dump(const struct machine *m, const char *path, struct error *err);

#endif

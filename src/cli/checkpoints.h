/* SPDX-License-Identifier: MIT
 * Checkpoints of a run: one line each with the digest and the state hash, by which two runs are compared.
 */
#ifndef RINGSIDE_CLI_CHECKPOINTS_H
#define RINGSIDE_CLI_CHECKPOINTS_H

#include "cli/cli.h"

/* Parse FILE[,every=N][,from=TICK][,to=TICK][,ram][,registers][,stop].
 * returns: false with err set (EXIT_USAGE). */
bool checkpoints_parse(struct checkpoint_options *c, const char *text, struct error *err);

struct checkpoints {
    const struct checkpoint_options *options;
    struct recorder *recorder; /* for the digest; set before the run */
    FILE *out;
};

/* Open the file and ask the machine for the pauses and, with `stop`, for its end. *c and the options must outlive the
 * run. returns: false with err set (EXIT_FILE); true, and nothing done, when no checkpoints are wanted. */
bool checkpoints_open(struct checkpoints *c, const struct checkpoint_options *options, struct machine_options *machine,
                      struct error *err);
/* Write the last line, how the run ended (result may be NULL: it never began), and close. Once is enough, twice is
 * harmless. returns: false with err set when not all could be written. */
bool checkpoints_close(struct checkpoints *c, const struct machine_result *result, struct error *err);

/* Every register that the state hash covers, as words name=hex, indented by two spaces, and the bytes at RIP. */
void registers_print(FILE *out, struct cpu *cpu);

#endif

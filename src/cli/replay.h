/* SPDX-License-Identifier: MIT
 * A recorded run made again: its options, from the words of the recorded command.
 */
#ifndef RINGSIDE_CLI_REPLAY_H
#define RINGSIDE_CLI_REPLAY_H

#include "cli/cli.h"

/* A run description has room for so many words of the command, beside its other properties. */
#define RECORDED_WORDS_MAX (TRACE_PROPERTIES_MAX - 16)

/* Options that make the run again: without recording, live trace and host timeout. Strings are borrowed from run.
 * returns: false with err set: the recording does not say how it was made, or an image file is not the recorded one. */
bool replay_options_from(struct run_options *o, const char *path, const struct trace_properties *run,
                         struct error *err);
/* The number under key; 0 when there is none. */
u64 replay_number(const struct trace_properties *p, const char *key, int base);

#endif

/* SPDX-License-Identifier: MIT
 * The trace that is printed while a run goes on: --trace, and the monitor's trace command.
 */
#ifndef RINGSIDE_CLI_LIVE_TRACE_H
#define RINGSIDE_CLI_LIVE_TRACE_H

#include "cli/cli.h"
#include "trace/lines.h"

struct live_trace {
    FILE *out;           /* NULL before the first start */
    struct lines *lines; /* NULL while it is off */
};

/* Begin, where and as the options say. The options' filter and the names are looked at until the stop.
 * in: names  NULL: none; linux_kernel  decode system calls
 * returns: false with err set (EXIT_FILE) */
bool live_trace_start(struct live_trace *t, struct run_options *o, const struct names *names, bool linux_kernel,
                      struct error *err);
/* Tell what is still open; it may be started again. Nobody may hold its lines any more. */
void live_trace_stop(struct live_trace *t);
/* returns: false with err set (EXIT_FILE) when the file could not be written */
bool live_trace_close(struct live_trace *t, const struct run_options *o, struct error *err);

#endif

/* SPDX-License-Identifier: MIT
 * The crossings of a traced program as they are printed: from its execve() on, its own or also its children's.
 */
#ifndef RINGSIDE_CLI_TRACE_CROSSINGS_H
#define RINGSIDE_CLI_TRACE_CROSSINGS_H

#include "cli/trace/options.h"

struct trace_crossings;

/* Read the kernel's symbols, by which tasks are told apart. Options are borrowed.
 * returns: NULL with err set (EXIT_FILE) when the kernel has none that can be found */
struct trace_crossings *trace_crossings_open(const struct trace_options *o, const char *kernel, bool kernel64,
                                             FILE *out, struct error *err);
/* Before machine_power_on(). */
void trace_crossings_watch(struct trace_crossings *c, struct machine *m);
/* The next execve() is the program's, which will be process pid: print from there. */
void trace_crossings_start(struct trace_crossings *c, u32 pid);
/* Print what is still open and the count. Before machine_free(). ended: how the program did, as wait4() says it; NULL:
 * not known. */
void trace_crossings_finish(struct trace_crossings *c, const int *ended);
/* After a shutdown of the guest: the page that explains it, on stderr. Before machine_free(). */
void trace_crossings_explain(struct trace_crossings *c);
void trace_crossings_free(struct trace_crossings *c);

#endif

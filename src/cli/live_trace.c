/* SPDX-License-Identifier: MIT
 * The trace that is printed while a run goes on.
 */
#include "cli/live_trace.h"

#include <errno.h>
#include <string.h>

bool live_trace_start(struct live_trace *t, struct run_options *o, const struct names *names, bool linux_kernel,
                      struct error *err)
{
    struct lines_options lines = {.format = o->trace_verbose ? TRACE_VERBOSE : TRACE_TEXT,
                                  .filter = &o->filter,
                                  .names = names,
                                  .calls = o->trace_calls,
                                  .linux_kernel = linux_kernel};

    if (t->out == NULL)
        t->out = o->trace_path == NULL ? stderr : fopen(o->trace_path, "w");
    if (t->out == NULL)
        return error_set(err, EXIT_FILE, "cannot write the trace to '%s': %s", o->trace_path, strerror(errno));
    lines.color = cli_color(o->color, t->out);
    if (!o->trace_side && o->filter.kinds == 0)
        trace_filter_transitions(&o->filter);
    t->lines = lines_new(t->out, &lines);
    return true;
}

void live_trace_stop(struct live_trace *t)
{
    lines_free(t->lines);
    t->lines = NULL;
}

bool live_trace_close(struct live_trace *t, const struct run_options *o, struct error *err)
{
    bool ok = true;

    live_trace_stop(t);
    if (t->out != NULL && t->out != stderr && fclose(t->out) != 0)
        ok = error_set(err, EXIT_FILE, "cannot write the trace to '%s': %s", o->trace_path, strerror(errno));
    t->out = NULL;
    return ok;
}

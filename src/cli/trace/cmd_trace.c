/* SPDX-License-Identifier: MIT
 * ringside trace: one program of the host on a kernel of its own, its crossings printed as they happen.
 */
#include <errno.h>
#include <string.h>
#include <sys/wait.h>

#include "cli/trace/crossings.h"
#include "cli/trace/guest.h"

struct trace_session {
    struct trace_options options;
    struct trace_streams streams;
    struct trace_guest guest;
    struct machine_options machine_options;
    struct machine *machine;
    FILE *out;
    struct trace_crossings *crossings;
};

static void started(void *context, u32 pid)
{
    struct trace_session *t = context;

    trace_crossings_start(t->crossings, pid);
}

static bool open_trace(struct trace_session *t, struct error *err)
{
    t->out = t->options.output == NULL ? stderr : fopen(t->options.output, "we");
    if (t->out == NULL)
        return error_set(err, EXIT_FILE, "cannot write the trace to '%s': %s", t->options.output, strerror(errno));
    setvbuf(t->out, NULL, _IOLBF, BUFSIZ); /* a line is seen when it is whole */
    t->crossings = trace_crossings_open(&t->options, t->guest.kernel, t->guest.kernel64, t->out, err);
    return t->crossings != NULL;
}

static bool open_session(struct trace_session *t, struct error *err)
{
    if (!trace_streams_open(&t->streams, t->options.stdin_from, err) ||
        !trace_guest_make(&t->guest, &t->options, &t->streams, &t->machine_options, err) || !open_trace(t, err))
        return false;
    trace_streams_world(&t->streams, &t->machine_options.world);
    t->machine = machine_new(&t->machine_options, err);
    if (t->machine == NULL)
        return false;
    t->streams.machine = t->machine;
    t->streams.started = started;
    t->streams.started_context = t;
    trace_crossings_watch(t->crossings, t->machine);
    console_catch_signals();
    machine_power_on(t->machine);
    return true;
}

/* ---- how it ended */

static int program_code(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status); }

/* The guest's first process could not start the program. */
static int start_failed(const struct trace_session *t)
{
    const struct trace_streams *s = &t->streams;
    struct error err;

    if (s->pid == 0)
        error_set(&err, EXIT_FILE, "the guest could not be prepared: %s%s%s", s->what, s->error != 0 ? ": " : "",
                  s->error != 0 ? strerror(s->error) : "");
    else
        error_set(&err, EXIT_FILE, "the guest's kernel refused to execute '%s': %s%s", s->what, strerror(s->error),
                  s->error == ENOEXEC && t->guest.kernel64 && !t->guest.program64
                      ? "; it may have no support for 32-bit programs"
                      : "");
    return cli_fail(&err);
}

/* The run ended before the first process could say how the program did. */
static int ended_early(const struct trace_session *t, const struct machine_result *r)
{
    bool started = t->streams.pid != 0;
    struct error err;

    switch (r->end) {
    case END_INTERRUPTED:
    case END_QUIT: return EXIT_INTERRUPTED;
    case END_TIMEOUT:
        error_set(&err, EXIT_TIMEOUT, "--timeout: ended after %g seconds, %s", t->options.timeout,
                  started ? "while the program ran" : "before the program was started");
        break;
    case END_UNIMPLEMENTED: error_set(&err, EXIT_LIMIT, "unimplemented: %.180s", r->detail); break;
    case END_SHUTDOWN:
        error_set(&err, EXIT_SHUTDOWN, "the guest shut down (triple fault)");
        trace_crossings_explain(t->crossings);
        break;
    default:
        error_set(&err, EXIT_SHUTDOWN, "the guest ended (%s) before the program %s", machine_end_name(r->end),
                  started ? "did" : "was started");
        break;
    }
    if (!started || r->end != END_TIMEOUT)
        trace_streams_print_kernel(&t->streams);
    return cli_fail(&err);
}

static int exit_code(const struct trace_session *t, const struct machine_result *r)
{
    const struct trace_streams *s = &t->streams;
    struct error err;

    if (s->write_failed) {
        error_set(&err, EXIT_FILE, "the program's output could not be written");
        return cli_fail(&err);
    }
    if (s->broken_pipe)
        return 128 + SIGPIPE; /* as the program would have ended */
    if (s->failed)
        return start_failed(t);
    return s->exited ? program_code(s->status) : ended_early(t, r);
}

static int close_session(struct trace_session *t, int code)
{
    struct error err;

    trace_streams_close(&t->streams);
    trace_crossings_free(t->crossings);
    if (t->out != NULL && t->out != stderr) {
        bool failed = ferror(t->out); /* a line that was lost earlier: its reason is not known any more */

        if (fclose(t->out) != 0 || failed) {
            error_set(&err, EXIT_FILE, "cannot write the whole trace to '%s'%s%s", t->options.output,
                      failed ? "" : ": ", failed ? "" : strerror(errno));
            code = cli_fail(&err);
        }
    }
    if (t->machine != NULL)
        machine_free(t->machine);
    trace_guest_free(&t->guest);
    return code;
}

int cmd_trace(int argc, char **argv)
{
    struct trace_session t = {0};
    struct machine_result result;
    struct error err;

    if (cli_wants_help(argc, argv)) {
        trace_options_help(stdout);
        return EXIT_OK;
    }
    if (!trace_options_parse(&t.options, argc, argv, &err))
        return cli_fail(&err);
    if (!open_session(&t, &err))
        return close_session(&t, cli_fail(&err));
    machine_run(t.machine, &result);
    trace_crossings_finish(t.crossings, t.streams.exited ? &t.streams.status : NULL);
    trace_streams_close(&t.streams); /* messages come after the program's output, on a terminal as it was */
    return close_session(&t, exit_code(&t, &result));
}

/* SPDX-License-Identifier: MIT
 * The views that need no analysis: the list of events, the file's own description, properties and the input log.
 */
#include "base/text.h"
#include "bus/input.h"
#include "trace/fault/page.h"
#include "trace/lines.h"
#include "trace/view/views.h"

static void properties(FILE *out, const struct trace_properties *p, bool with_arguments)
{
    for (size_t i = 0; i < p->count; i++)
        if (with_arguments || strncmp(p->item[i].key, "argv.", 5) != 0) {
            fputs("# ", out);
            text_print_plain(out, p->item[i].key);
            fputs(": ", out);
            text_print_plain(out, p->item[i].value);
            fputc('\n', out);
        }
}

void view_header(FILE *out, const struct trace_reader *r) { properties(out, trace_reader_run(r), false); }

void view_end(FILE *out, const struct trace_reader *r)
{
    if (trace_reader_end(r)->count)
        properties(out, trace_reader_end(r), true);
    else
        fprintf(out, "# end of the run: not recorded\n");
}

void view_no_tasks(const char *path, const struct trace_view *view)
{
    fprintf(
        view && view->messages ? view->messages : stderr,
        "%s: no task is known in it (it was recorded without a known Linux kernel), so -p and --comm match nothing\n",
        path);
}

void view_close(struct trace_reader *r, const char *path, const struct trace_view *view)
{
    FILE *messages = view && view->messages ? view->messages : stderr;

    if (trace_reader_damage(r))
        fprintf(messages, "%s: %s\n", path, trace_reader_damage(r));
    trace_reader_close(r);
}

static struct lines *open_lines(FILE *out, struct trace_reader *r, const struct trace_filter *filter,
                                const struct trace_view *view)
{
    const struct names *names = trace_reader_names(r);
    struct lines_options options = {
        .format = view->format,
        .filter = filter,
        .names = names,
        .calls = view->calls && view->format != TRACE_VERBOSE,
        .linux_kernel = names->kernel != NULL,
        .color = view->color,
        .string_limit = view->string_limit,
        .limit = view->limit,
    };

    return lines_new(out, &options);
}

static bool shows(const struct trace_filter *filter, u64 id, const struct event_record *e,
                  const struct guest_task *task)
{
    struct trace_context context = {.id = id, .event = e, .task = task};

    return trace_filter_match(filter, &context);
}

enum exit_code trace_report(FILE *out, const char *path, const struct trace_filter *filter,
                            const struct trace_view *view, struct error *err)
{
    static const struct trace_view plain;
    struct trace_reader *r = trace_reader_open(path, err);
    const struct event_record *e;
    struct pieces pieces = {0};
    struct lines *lines;
    u64 id;

    if (!r)
        return EXIT_FILE;
    if (!view)
        view = &plain;
    lines = open_lines(out, r, filter, view);
    if (!view->no_header && view->format != TRACE_JSON)
        view_header(out, r);
    if (filter && filter->from)
        trace_reader_seek(r, filter->from);
    /* While a call that is shown is open, its exit may stand in a block that the filter would skip, or behind its end.
     */
    while (!lines_full(lines) && (e = trace_reader_next(r, lines_waiting(lines) ? NULL : filter, &id)) != NULL) {
        if (filter && filter->to && id > filter->to && !lines_waiting(lines))
            break;
        trace_reader_pieces(r, &pieces);
        lines_event(lines, id, e, trace_reader_task(r), &pieces);
        if (view->format != TRACE_JSON && e->mechanism == MECH_SHUTDOWN && fault_page_ends(e) &&
            shows(filter, id, e, trace_reader_task(r)))
            fault_page_recorded(out, r, id);
    }
    lines_free(lines);
    pieces_free(&pieces);
    if (trace_filter_needs_task(filter) && !trace_reader_names(r)->kernel)
        view_no_tasks(path, view);
    view_close(r, path, view);
    return EXIT_OK;
}

enum exit_code trace_info(FILE *out, const char *path, const struct trace_view *view, struct error *err)
{
    struct trace_reader *r = trace_reader_open(path, err);
    u64 blocks = 0, inputs = 0;

    if (!r)
        return EXIT_FILE;
    for (size_t i = 0; i < trace_reader_sections(r); i++) {
        const struct trace_index_entry *s = trace_reader_section(r, i);

        if (s->tag == TAG_EVENTS)
            blocks++;
        else if (s->tag == TAG_INPUT)
            inputs += s->count;
    }
    properties(out, trace_reader_run(r), true);
    view_end(out, r);
    fprintf(out, "schema: %u\nevents: %llu in %llu blocks\ninputs: %llu\nindex: %s\n", TRACE_SCHEMA_VERSION,
            (unsigned long long)trace_reader_events(r), (unsigned long long)blocks, (unsigned long long)inputs,
            trace_reader_complete(r) ? "whole" : "rebuilt by scanning");
    view_close(r, path, view);
    return EXIT_OK;
}

static void copy(struct trace_properties *to, const struct trace_properties *from)
{
    for (size_t i = 0; to && i < from->count; i++)
        trace_properties_set(to, from->item[i].key, "%s", from->item[i].value);
}

bool trace_read_properties(const char *path, struct trace_properties *run, struct trace_properties *end,
                           struct error *err)
{
    struct trace_reader *r = trace_reader_open(path, err);

    if (!r)
        return false;
    copy(run, trace_reader_run(r));
    copy(end, trace_reader_end(r));
    trace_reader_close(r);
    return true;
}

struct replay {
    struct input_port *port;
    u64 inputs;
};

static void replay_one(void *context, u64 tick, u32 source, const u8 *bytes, size_t size)
{
    struct replay *p = context;

    input_replay(p->port, tick, (enum input_source)source, bytes, size);
    p->inputs++;
}

static void count_one(void *context, u64 tick, u32 source, const u8 *bytes, size_t size)
{
    (void)context, (void)tick, (void)source, (void)bytes, (void)size;
}

bool trace_replay(const char *path, struct input_port *port, u64 *inputs, struct error *err)
{
    struct trace_reader *r = trace_reader_open(path, err);
    struct replay p = {.port = port};
    bool ok;

    if (!r)
        return false;
    /* Checked whole before the first input is scheduled: a refused replay leaves the port as it was. */
    ok = trace_reader_inputs(r, count_one, NULL, err) && trace_reader_inputs(r, replay_one, &p, err);
    trace_reader_close(r);
    if (ok && inputs)
        *inputs = p.inputs;
    return ok;
}

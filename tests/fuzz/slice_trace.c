/* SPDX-License-Identifier: MIT
 * Cut a recording of a Linux guest down to some events of one program, with its data, its task and the symbols that the
 * events go by: a seed of a few kilobytes that holds what whole recordings hold.
 * usage: slice_trace IN.trace OUT.trace COMM SKIP COUNT
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trace/file/reader.h"
#include "trace/file/stream.h"

struct slice {
    struct trace_reader *in;
    struct stream *out;
    struct symbols *symbols;
    u64 skip, count;
};

static int fail(const char *path, const char *what)
{
    fprintf(stderr, "%s: %s\n", path, what);
    return 1;
}

static bool is_of(const struct trace_reader *in, const char *comm)
{
    return trace_reader_task(in)->known && strcmp(trace_reader_task(in)->comm, comm) == 0;
}

static void add_symbol(struct slice *s, u64 address)
{
    const struct names *names = trace_reader_names(s->in);
    u64 offset, end;
    const char *name = names_lookup(names, address, &offset, &end);

    if (name && strchr(name, ' ') == NULL)
        symbols_add(s->symbols, address - offset - names->slide, 'T', name, strlen(name));
}

static void add_symbols(struct slice *s, const struct event_record *e)
{
    const struct data_piece *piece;

    add_symbol(s, e->from_rip);
    add_symbol(s, e->to_rip);
    for (size_t i = 0; (piece = trace_reader_data(s->in, i)) != NULL; i++)
        for (size_t at = 0; piece->kind == DATA_BACKTRACE && at + 8 <= piece->size; at += 8)
            add_symbol(s, load_le64(piece->bytes + at));
}

/* The events that are kept, each given to take(). */
static u64 each_event(struct slice *s, const char *comm, void (*take)(struct slice *s, const struct event_record *e))
{
    const struct event_record *e;
    u64 id, seen = 0;

    trace_reader_seek(s->in, 1);
    while (seen < s->skip + s->count && (e = trace_reader_next(s->in, NULL, &id)) != NULL)
        if (is_of(s->in, comm) && seen++ >= s->skip)
            take(s, e);
    return seen;
}

static void put_event(struct slice *s, const struct event_record *e)
{
    const struct data_piece *piece;

    if (s->out->events == 0) {
        struct event_record note = *e;

        memset(&note, 0, sizeof note);
        note.ticks = e->ticks;
        note.kind = EVENT_KIND_KERNEL;
        note.number = 1;
        note.new_value = trace_reader_names(s->in)->slide;
        stream_event(s->out, &note);
        note.kind = EVENT_KIND_TASK;
        event_put_task(&note, trace_reader_task(s->in));
        stream_event(s->out, &note);
    }
    for (size_t i = 0; (piece = trace_reader_data(s->in, i)) != NULL; i++) {
        struct data_piece copy = *piece;

        copy.event = s->out->events + 1;
        stream_data(s->out, &copy);
    }
    stream_event(s->out, e);
}

/* The kernel, as far as the events go by it: few symbols and system calls. Its modules, whole. */
static void put_kernel(struct slice *s)
{
    struct kernel kernel = *trace_reader_names(s->in)->kernel;
    size_t size;
    u8 *bytes;

    symbols_sort(s->symbols);
    kernel.symbols = s->symbols;
    kernel.syscalls = kernel.syscalls < 3 ? kernel.syscalls : 3;
    bytes = kernel_pack(&kernel, &size);
    stream_section(s->out, TAG_KERNEL, bytes, size);
    free(bytes);
    for (size_t i = 0; i < trace_reader_names(s->in)->modules; i++) {
        bytes = module_pack(&trace_reader_names(s->in)->module[i], &size);
        stream_section(s->out, TAG_MODULE, bytes, size);
        free(bytes);
    }
}

static int slice(struct slice *s, const char *to, const char *comm)
{
    struct trace_properties run = {0}, end = {0};
    struct error err;
    struct trace_writer *w;

    s->symbols = symbols_new();
    if (each_event(s, comm, add_symbols) < s->skip + s->count || !trace_reader_names(s->in)->kernel)
        return fail(to, "the recording has no such events, or no kernel");
    trace_properties_set(&run, "version", "slice");
    trace_properties_set(&run, "cpu.vendor", "intel");
    w = trace_writer_open(to, 0, &run, &err);
    if (!w)
        return fail(to, err.text);
    s->out = stream_open(w, NULL);
    put_kernel(s);
    each_event(s, comm, put_event);
    stream_close(s->out);
    trace_properties_set(&end, "end.reason", "power-off");
    if (!trace_writer_close(w, &end, &err))
        return fail(to, err.text);
    trace_properties_free(&run);
    trace_properties_free(&end);
    symbols_free(s->symbols);
    return 0;
}

int main(int argc, char **argv)
{
    struct error err;
    struct slice s = {0};
    int status;

    if (argc != 6)
        return fail(argv[0], "usage: slice_trace IN.trace OUT.trace COMM SKIP COUNT");
    s.in = trace_reader_open(argv[1], &err);
    if (!s.in)
        return fail(argv[1], err.text);
    s.skip = strtoull(argv[4], NULL, 10);
    s.count = strtoull(argv[5], NULL, 10);
    status = slice(&s, argv[2], argv[3]);
    trace_reader_close(s.in);
    return status;
}

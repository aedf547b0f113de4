/* SPDX-License-Identifier: MIT
 * The recorder: watches the processor, on its thread. An event that is as the predictor says is only compared with that
 * and counted; of others a whole record is filled, and its differences go to the writing thread (stream.h).
 * Guest memory is read without effects only (mmu_peek, or a TLB hit, which changes nothing).
 */
#include "trace/trace.h"

#include <stdlib.h>

#include "bus/input.h"
#include "cpu/ring/ring.h"
#include "trace/capture.h"
#include "trace/fault/data.h"
#include "trace/file/expected.h"
#include "trace/fill.h"
#include "trace/lines.h"

struct recorder {
    struct recorder_options options;
    struct cpu_observer observer;
    struct cpu *cpu;
    struct input_port *port;
    /* Over every transition, kept or not. When all are kept in a file it is made by the writing thread (then it belongs
     * to that, between stream_flush() and the next event excepted), so that it costs this thread nothing. */
    struct event_digest digest;
    bool digest_later;
    bool only_recorded; /* nothing but the stream sees the events: those that are as predicted need no record */
    u64 transitions;
    u64 events;   /* kept */
    u64 sequence; /* of the last transition */
    struct event_record scratch;
    struct pieces pieces; /* data of the event at hand */
    struct capture capture;
    size_t modules;  /* recorded so far */
    u64 kernel_news; /* at how many places the kernel was found */
    struct trace_writer *writer;
    struct stream *stream; /* NULL without a file */
};

/* ---- keeping an event ---- */

static struct event_record *record_begin(struct recorder *r)
{
    event_clear(&r->scratch);
    return &r->scratch;
}

static void keep_pieces(struct recorder *r)
{
    for (size_t i = 0; i < r->pieces.count; i++) {
        struct data_piece piece = pieces_get(&r->pieces, i);

        stream_data(r->stream, &piece);
    }
}

static void record_keep(struct recorder *r, const struct event_record *e)
{
    const struct guest *guest = r->options.guest;

    r->events++;
    if (r->options.live)
        lines_event(r->options.live, r->events, e, guest ? guest_task(guest) : NULL, &r->pieces);
    if (r->stream) {
        if (r->pieces.count) /* first: the event may end its block */
            keep_pieces(r);
        stream_event(r->stream, e);
        if (stream_data_full(r->stream))
            stream_end_block(r->stream);
    }
    pieces_clear(&r->pieces);
}

/* ---- what becomes known of the guest, as events of their own ---- */

static void keep_note(struct recorder *r, const struct cpu *cpu, enum event_kind kind,
                      void (*put)(struct event_record *e, const struct recorder *r))
{
    struct event_record *e = record_begin(r);

    event_fill_here(e, cpu, kind, r->sequence);
    put(e, r);
    record_keep(r, e);
}

static void put_task(struct event_record *e, const struct recorder *r)
{
    event_put_task(e, guest_task(r->options.guest));
}

static void put_kernel(struct event_record *e, const struct recorder *r)
{
    e->number = guest_slide(r->options.guest, &e->new_value);
}

static void put_module(struct event_record *e, const struct recorder *r)
{
    event_put_module(e, guest_module(r->options.guest, r->modules));
}

/* The kernel's own symbols stand at the front of the file; a module's come when it is found. */
static void keep_module(struct recorder *r, const struct cpu *cpu)
{
    const struct guest_module *module = guest_module(r->options.guest, r->modules);

    names_module_add(r->options.names, module);
    if (r->stream) {
        size_t size;
        u8 *bytes = module_pack(module, &size);

        stream_section(r->stream, TAG_MODULE, bytes, size);
        free(bytes);
    }
    keep_note(r, cpu, EVENT_KIND_MODULE, put_module);
    r->modules++;
}

static COLD void keep_news(struct recorder *r, const struct cpu *cpu, unsigned news)
{
    struct names *names = r->options.names;

    if (news & GUEST_SLIDE) {
        u64 before = names->slide;
        bool known = names->slid;

        names->slid = guest_slide(r->options.guest, &names->slide);
        /* More anchors that say the same are no other place: the reader counts on that. */
        if (names->slid && (!known || names->slide != before))
            r->kernel_news++;
        keep_note(r, cpu, EVENT_KIND_KERNEL, put_kernel);
    }
    if (news & GUEST_TASK) {
        capture_task(&r->capture, guest_task(r->options.guest));
        keep_note(r, cpu, EVENT_KIND_TASK, put_task);
    }
    while (r->modules < guest_modules(r->options.guest))
        keep_module(r, cpu);
    /* A block says by itself which task runs, also one that begins because a note above filled the block before. */
    if (r->stream && r->stream->events == 0 && guest_task(r->options.guest)->known)
        keep_note(r, cpu, EVENT_KIND_TASK, put_task);
}

ALWAYS_INLINE void look_at_guest(struct recorder *r, struct cpu *cpu, bool at_user)
{
    unsigned news = guest_look(r->options.guest, cpu, at_user);

    if (UNLIKELY(news != 0 || (r->stream && r->stream->events == 0)))
        keep_news(r, cpu, news);
}

/* ---- events ---- */

#ifdef RINGSIDE_DOOR_CHECK
/* The quick way must find what the long way finds. */
static struct predict_miss compare_all(const struct recorder *r, const struct event_record *e)
{
    struct predict_miss miss;

    predictor_compare(r->stream->predictor, e, &miss);
    return miss;
}

static void check_quick(const struct predict_miss *miss, unsigned slot)
{
    if (miss->slot != slot || miss->base != slot || (miss->mask & ~EVENT_WORD_BIT(from_rflags)) != 0)
        abort();
}
#endif

/* returns: whether the event was as expected, and is recorded. */
ALWAYS_INLINE bool quick_transition(struct recorder *r, const struct cpu *cpu, const struct transition *t)
{
    if (!r->only_recorded)
        return false;
#ifdef RINGSIDE_DOOR_CHECK
    struct event_record *e = record_begin(r);
    u8 slot = r->stream->predictor->following;

    event_fill_transition(e, cpu, t);
    struct predict_miss miss = compare_all(r, e);
    if (!expected_transition(r->stream, cpu, t))
        return false;
    check_quick(&miss, slot);
    return true;
#else
    return expected_transition(r->stream, cpu, t);
#endif
}

/* Who called the function that writes an MSR, or that faults. */
static void keep_backtrace(struct recorder *r, struct cpu *cpu)
{
    u64 address[16];
    size_t n = guest_backtrace(r->options.guest, cpu, address, ARRAY_LEN(address));

    pieces_add(&r->pieces, DATA_BACKTRACE, r->events + 1, cpu->arch.gpr[RSP], address, n * sizeof *address);
}

static void add_piece(void *context, enum data_kind kind, u64 address, const void *bytes, u32 size)
{
    struct recorder *r = context;

    pieces_add(&r->pieces, kind, r->events + 1, address, bytes, size);
}

/* What explains a fault; in the kernel, and while the stack is that of the fault, also who called. */
static COLD void keep_fault(struct recorder *r, struct cpu *cpu, const struct fault_site *site, bool undelivered)
{
    fault_data_collect(cpu, site, undelivered, add_piece, r);
    if (r->options.guest && site->from.cpl == 0 && (undelivered || site->vector != VEC_DF))
        keep_backtrace(r, cpu);
}

static void on_transition(void *context, struct cpu *cpu, const struct transition *t)
{
    struct recorder *r = context;
    bool explain = false;

    if (r->options.guest) {
        look_at_guest(r, cpu, t->from.cpl == 3 || t->to.cpl == 3);
        explain = capture_wants(&r->capture, cpu, t);
    }
    r->sequence = t->sequence;
    r->transitions++;
    if (LIKELY(!explain && !fault_data_wanted(t) && quick_transition(r, cpu, t))) {
        r->events++;
        return;
    }

    struct event_record *e = record_begin(r);
    bool keep = !(r->options.no_same_ring && t->from.cpl == t->to.cpl && t->from.mode == t->to.mode);

    event_fill_transition(e, cpu, t);
    if (!r->digest_later)
        event_digest_add(&r->digest, e);
    if (!keep || (!r->stream && !r->options.live))
        return;
    if (t->frame_words)
        event_fill_frame(e, cpu);
    if (explain)
        capture_transition(&r->capture, cpu, r->events + 1, e, &r->pieces);
    if (r->stream && fault_data_wanted(t)) {
        struct fault_site site = fault_site_delivered(t);

        keep_fault(r, cpu, &site, false);
    }
    record_keep(r, e);
}

ALWAYS_INLINE bool quick_side(struct recorder *r, const struct cpu *cpu, const struct side_event *event)
{
    if (!r->only_recorded)
        return false;
#ifdef RINGSIDE_DOOR_CHECK
    struct event_record *e = record_begin(r);
    u8 slot = r->stream->predictor->following;

    event_fill_side(e, cpu, event, r->sequence);
    struct predict_miss miss = compare_all(r, e);
    if (!expected_side(r->stream, cpu, event))
        return false;
    check_quick(&miss, slot);
    return true;
#else
    return expected_side(r->stream, cpu, event);
#endif
}

static void on_side(void *context, struct cpu *cpu, const struct side_event *event)
{
    struct recorder *r = context;
    struct event_record *e;

    if (r->options.guest)
        look_at_guest(r, cpu, false);
    if (LIKELY(quick_side(r, cpu, event))) {
        r->events++;
        return;
    }
    e = record_begin(r);
    event_fill_side(e, cpu, event, r->sequence);
    if (r->options.guest && event->kind == SIDE_WRMSR)
        keep_backtrace(r, cpu);
    if (r->stream && event->kind == SIDE_UNDELIVERED) {
        struct fault_site site = fault_site_undelivered(cpu, event->fault);

        keep_fault(r, cpu, &site, true);
    }
    record_keep(r, e);
}

static void on_input(void *context, u64 tick, enum input_source source, const u8 *bytes, size_t size)
{
    struct recorder *r = context;
    struct event_record *e;

    if (r->stream)
        stream_input(r->stream, tick, source, bytes, size);
    if (r->stream || r->options.live) {
        e = record_begin(r);
        event_fill_here(e, r->cpu, EVENT_KIND_INPUT, r->sequence);
        e->ticks = tick;
        e->number = source;
        e->new_value = size;
        if (size) /* a reset button has no bytes */
            memcpy(&e->old_value, bytes, size < 8 ? size : 8);
        record_keep(r, e);
    }
    if (r->stream && r->stream->current->input_size > STREAM_INPUT_BYTES)
        stream_end_block(r->stream);
}

/* ---- life ---- */

void recorder_set_live(struct recorder *r, struct lines *live)
{
    r->options.live = live;
    r->only_recorded = r->digest_later && !live;
    r->observer.side = !r->options.no_side_events && (r->options.path || live) ? on_side : NULL;
}

struct recorder *recorder_open(const struct recorder_options *options, struct error *err)
{
    struct recorder *r = calloc(1, sizeof *r);

    if (!r)
        abort();
    r->options = *options;
    r->options.run = NULL; /* only read here */
    event_digest_init(&r->digest);
    r->observer = (struct cpu_observer){.context = r, .transition = on_transition};
    if (options->guest)
        capture_init(&r->capture, options->string_limit);
    if (!options->path) {
        recorder_set_live(r, options->live);
        return r;
    }
    r->writer = trace_writer_open(options->path, options->level, options->run, err);
    if (!r->writer) {
        free(r);
        return NULL;
    }
    r->digest_later = !options->no_same_ring;
    recorder_set_live(r, options->live);
    r->stream = stream_open(r->writer, r->digest_later ? &r->digest : NULL);
    if (options->guest) {
        size_t size;
        u8 *bytes = kernel_pack(options->names->kernel, &size);

        stream_section(r->stream, TAG_KERNEL, bytes, size);
        free(bytes);
    }
    return r;
}

void recorder_attach(struct recorder *r, struct cpu *cpu, struct input_port *port)
{
    r->cpu = cpu;
    r->port = port;
    cpu->host.observer = &r->observer;
    if (port)
        input_set_log(port, on_input, r);
}

bool recorder_failed(const struct recorder *r) { return r->stream && stream_failed(r->stream); }

u64 recorder_digest(struct recorder *r)
{
    if (r->digest_later)
        stream_flush(r->stream);
    return event_digest_value(&r->digest);
}

u64 recorder_events(const struct recorder *r) { return r->events; }

u64 recorder_transitions(const struct recorder *r) { return r->transitions; }

static void describe_kernel(const struct recorder *r, struct trace_properties *end)
{
    const struct names *names = r->options.names;

    trace_properties_set(end, "kernel.slides", "%llu", (unsigned long long)r->kernel_news);
    if (names->slid)
        trace_properties_set(end, "kernel.slide", "%llx", (unsigned long long)names->slide);
    trace_properties_set(end, "kernel.slide_how", "%s", guest_slide_how(r->options.guest));
}

bool recorder_close(struct recorder *r, const struct trace_properties *end, struct error *err)
{
    bool ok = true;

    if (r->cpu && r->cpu->host.observer == &r->observer)
        r->cpu->host.observer = NULL;
    if (r->port)
        input_set_log(r->port, NULL, NULL);
    if (r->writer) {
        struct trace_properties all = {0};
        u64 digest = recorder_digest(r);

        stream_close(r->stream);
        for (size_t i = 0; end && i < end->count; i++)
            trace_properties_set(&all, end->item[i].key, "%s", end->item[i].value);
        trace_properties_set(&all, "digest", "%016llx", (unsigned long long)digest);
        trace_properties_set(&all, "transitions", "%llu", (unsigned long long)r->transitions);
        trace_properties_set(&all, "events", "%llu", (unsigned long long)r->events);
        if (r->options.guest)
            describe_kernel(r, &all);
        ok = trace_writer_close(r->writer, &all, err);
        trace_properties_free(&all);
    }
    capture_free(&r->capture);
    pieces_free(&r->pieces);
    free(r);
    return ok;
}

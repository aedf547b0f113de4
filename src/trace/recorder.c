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

/* ---- filling records on the processor's thread ---- */

#define ZERO_BYTES 32u
_Static_assert(sizeof(struct event_record) % ZERO_BYTES == 0, "record_begin() clears whole pieces");

static struct event_record *record_begin(struct recorder *r)
{
    struct event_record *e = &r->scratch;

    /* In pieces that compilers store in line: for the whole they take a string instruction, which starts slowly. */
    for (unsigned i = 0; i < sizeof *e / ZERO_BYTES; i++)
        memset((u8 *)e + i * ZERO_BYTES, 0, ZERO_BYTES);
    return e;
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

static void put_time(struct event_record *e, const struct cpu *cpu)
{
    e->ticks = cpu->clock->ticks;
    e->retired = clock_retired(cpu->clock);
    e->cpu = (u8)cpu->mmu.who;
}

#define PUT_SIDE(e, side, s)                                                                                           \
    do {                                                                                                               \
        (e)->side##_rip = (s)->rip;                                                                                    \
        (e)->side##_rsp = (s)->rsp;                                                                                    \
        (e)->side##_rflags = (s)->rflags;                                                                              \
        (e)->side##_cr3 = (s)->cr3;                                                                                    \
        (e)->side##_gs_base = (s)->gs_base;                                                                            \
        (e)->side##_kernel_gs_base = (s)->kernel_gs_base;                                                              \
        (e)->side##_cs = (s)->cs;                                                                                      \
        (e)->side##_ss = (s)->ss;                                                                                      \
        (e)->side##_cpl = (s)->cpl;                                                                                    \
        (e)->side##_mode = (s)->mode;                                                                                  \
    } while (0)

static void put_registers(struct event_record *e, const u64 *gpr)
{
    e->present |= EVENT_HAS_REGISTERS;
    e->rax = gpr[RAX];
    e->rbx = gpr[RBX];
    e->rcx = gpr[RCX];
    e->rdx = gpr[RDX];
    e->rsi = gpr[RSI];
    e->rdi = gpr[RDI];
    e->rbp = gpr[RBP];
    e->r8 = gpr[R8];
    e->r9 = gpr[R9];
    e->r10 = gpr[R10];
    e->r11 = gpr[R11];
}

/* Frame words as they stand in memory. A supervisor TLB hit is the same bytes as the peek, without the walk. */
static void put_frame(struct event_record *e, struct cpu *cpu)
{
    unsigned words = e->frame_words < EVENT_FRAME_WORDS ? e->frame_words : EVENT_FRAME_WORDS;
    unsigned width = e->frame_word_bytes, size = words * width;
    u8 bytes[EVENT_FRAME_WORDS * 8];
    u64 word[EVENT_FRAME_WORDS] = {0};
    const u8 *host;

    if (!size || width > 8)
        return;
    host = tlb_read_hit(&cpu->mmu.view[VIEW_SUPERVISOR], e->frame_address, size);
    if (host)
        memcpy(bytes, host, size);
    else if (!mmu_peek(&cpu->mmu, e->frame_address, bytes, size))
        return;
    for (unsigned i = 0; i < words; i++)
        memcpy(&word[i], bytes + i * width, width);
    memcpy((u8 *)e + offsetof(struct event_record, frame0), word, sizeof word);
    e->present |= EVENT_HAS_FRAME;
}

/* All but the frame words, which are no part of the digest. */
static void fill_transition(struct event_record *e, const struct cpu *cpu, const struct transition *t)
{
    put_time(e, cpu);
    e->sequence = t->sequence;
    PUT_SIDE(e, from, &t->from);
    PUT_SIDE(e, to, &t->to);
    e->mechanism = (u8)t->mechanism;
    e->present = (u16)((t->has_vector ? EVENT_HAS_VECTOR : 0) | (t->has_error ? EVENT_HAS_ERROR : 0) |
                       (t->rule ? EVENT_HAS_RULE : 0));
    if (t->has_vector)
        e->vector = t->vector;
    if (t->has_error)
        e->error = t->error;
    e->cr2 = t->cr2;
    e->rule = t->rule;
    e->gate = (u8)t->gate;
    e->ist = t->ist;
    e->stack_source = (u8)t->stack_source;
    e->gate_selector = t->gate_selector;
    e->gate_dpl = t->gate_dpl;
    e->parameters = t->parameters;
    e->frame_address = t->frame;
    e->frame_words = t->frame_words;
    e->frame_word_bytes = t->frame_word_bytes;
    e->msrs = t->msrs;
    if (t->msrs > 0)
        e->msr0 = t->msr[0];
    if (t->msrs > 1)
        e->msr1 = t->msr[1];
    if (t->msrs > 2)
        e->msr2 = t->msr[2];
    if (event_mechanism_is_software_entry(t->mechanism)) {
        put_registers(e, cpu->arch.gpr);
    } else if (t->to.cpl > t->from.cpl) {
        e->rax = cpu->arch.gpr[RAX];
        e->present |= EVENT_HAS_RESULT;
    }
}

/* ---- what becomes known of the guest, as events of their own ---- */

static void keep_note(struct recorder *r, const struct cpu *cpu, enum event_kind kind,
                      void (*put)(struct event_record *e, const struct recorder *r))
{
    struct event_record *e = record_begin(r);
    struct ring_state now = ring_state_of(cpu, cpu->arch.rip);

    put_time(e, cpu);
    e->kind = (u8)kind;
    e->sequence = r->sequence;
    PUT_SIDE(e, from, &now);
    PUT_SIDE(e, to, &now);
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

    fill_transition(e, cpu, t);
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

    fill_transition(e, cpu, t);
    if (!r->digest_later)
        event_digest_add(&r->digest, e);
    if (!keep || (!r->stream && !r->options.live))
        return;
    if (t->frame_words)
        put_frame(e, cpu);
    if (explain)
        capture_transition(&r->capture, cpu, r->events + 1, e, &r->pieces);
    if (r->stream && fault_data_wanted(t)) {
        struct fault_site site = fault_site_delivered(t);

        keep_fault(r, cpu, &site, false);
    }
    record_keep(r, e);
}

void event_fill_transition(struct event_record *e, struct cpu *cpu, const struct transition *t)
{
    *e = (struct event_record){0};
    fill_transition(e, cpu, t);
    if (t->frame_words)
        put_frame(e, cpu);
}

static void fill_side(struct event_record *e, u64 sequence, const struct cpu *cpu, const struct side_event *event)
{
    struct ring_state now = ring_state_of(cpu, cpu->arch.rip);

    put_time(e, cpu);
    e->kind = (u8)(EVENT_KIND_TRANSITION + 1 + event->kind);
    e->sequence = sequence;
    PUT_SIDE(e, from, &now);
    PUT_SIDE(e, to, &now);
    e->number = event->number;
    e->old_value = event->old_value;
    e->new_value = event->new_value;
    if (event->fault != NULL) {
        e->vector = event->fault->vector;
        e->error = event->fault->error;
        e->cr2 = event->fault->cr2;
        e->rule = event->fault->rule;
        e->present |= EVENT_HAS_VECTOR;
        if (event->fault->has_error)
            e->present |= EVENT_HAS_ERROR;
    }
    /* The change has been made already: put the source side back. */
    if (event->kind == SIDE_CR3) {
        e->from_cr3 = event->old_value;
    } else if (event->kind == SIDE_SWAPGS) {
        e->from_gs_base = event->old_value;
        e->from_kernel_gs_base = event->new_value;
    } else if (event->kind == SIDE_WRMSR && event->number == 0xC0000101) { /* IA32_GS_BASE */
        e->from_gs_base = event->old_value;
    } else if (event->kind == SIDE_WRMSR && event->number == 0xC0000102) { /* IA32_KERNEL_GS_BASE */
        e->from_kernel_gs_base = event->old_value;
    }
}

void event_fill_side(struct event_record *e, const struct cpu *cpu, const struct side_event *event)
{
    *e = (struct event_record){0};
    fill_side(e, 0, cpu, event);
}

ALWAYS_INLINE bool quick_side(struct recorder *r, const struct cpu *cpu, const struct side_event *event)
{
    if (!r->only_recorded)
        return false;
#ifdef RINGSIDE_DOOR_CHECK
    struct event_record *e = record_begin(r);
    u8 slot = r->stream->predictor->following;

    fill_side(e, r->sequence, cpu, event);
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
    fill_side(e, r->sequence, cpu, event);
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
        struct ring_state now = ring_state_of(r->cpu, r->cpu->arch.rip);

        e = record_begin(r);
        put_time(e, r->cpu);
        e->ticks = tick;
        e->kind = EVENT_KIND_INPUT;
        e->sequence = r->sequence;
        PUT_SIDE(e, from, &now);
        PUT_SIDE(e, to, &now);
        e->number = source;
        e->new_value = size;
        memcpy(&e->old_value, bytes, size < 8 ? size : 8);
        record_keep(r, e);
    }
    if (r->stream && r->stream->current->input_size > STREAM_INPUT_BYTES)
        stream_end_block(r->stream);
}

/* ---- life ---- */

struct recorder *recorder_open(const struct recorder_options *options, struct error *err)
{
    struct recorder *r = calloc(1, sizeof *r);

    if (!r)
        abort();
    r->options = *options;
    r->options.run = NULL; /* only read here */
    event_digest_init(&r->digest);
    r->observer = (struct cpu_observer){.context = r, .transition = on_transition};
    if (!options->no_side_events && (options->path || options->live))
        r->observer.side = on_side;
    if (options->guest)
        capture_init(&r->capture, options->string_limit);
    if (!options->path)
        return r;
    r->writer = trace_writer_open(options->path, options->level, options->run, err);
    if (!r->writer) {
        free(r);
        return NULL;
    }
    r->digest_later = !options->no_same_ring;
    r->only_recorded = r->digest_later && !options->live;
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

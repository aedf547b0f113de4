/* SPDX-License-Identifier: MIT
 * The recorder: fills one record per event on the processor's thread; a second thread encodes, compresses and writes.
 * Guest memory is read without effects only (mmu_peek, or a TLB hit, which changes nothing).
 */
#include "trace/trace.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "bus/input.h"
#include "cpu/ring/ring.h"
#include "trace/file.h"

#define BUFFERS 4u
#define INPUT_BUFFER 65536u
#define INPUT_HEADER 16u /* u64 tick, u32 source, u32 size */

struct buffer {
    u32 count;
    u32 digested; /* how many of them the digest has seen */
    u64 first;
    u32 inputs;
    size_t input_size, input_capacity;
    u8 *input;
    struct event_record *records; /* BLOCK_EVENTS */
};

struct recorder {
    struct recorder_options options;
    struct cpu_observer observer;
    struct cpu *cpu;
    struct input_port *port;
    /* Over every transition, kept or not. When all are kept in a file it is made by the writing thread, from the
     * buffers handed over (under the mutex: no buffer is being written), so that it costs this thread nothing. */
    struct event_digest digest;
    bool digest_later;
    u64 transitions;
    u64 events;   /* kept */
    u64 sequence; /* of the last transition */
    struct event_record scratch;

    struct trace_writer *writer;
    struct buffer buffer[BUFFERS];
    struct buffer *current;
    atomic_bool failed;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    u64 filled, written; /* buffers handed over and done, under the mutex */
    bool closing;
};

/* ---- the writing thread ---- */

static void digest_buffer(struct recorder *r, struct buffer *b)
{
    for (; r->digest_later && b->digested < b->count; b->digested++)
        event_digest_add(&r->digest, &b->records[b->digested]);
}

static void *write_buffers(void *context)
{
    struct recorder *r = context;

    pthread_mutex_lock(&r->mutex);
    for (;;) {
        while (r->written == r->filled && !r->closing)
            pthread_cond_wait(&r->changed, &r->mutex);
        if (r->written == r->filled)
            break;
        struct buffer *b = &r->buffer[r->written % BUFFERS];
        pthread_mutex_unlock(&r->mutex);
        digest_buffer(r, b);
        /* Inputs first: an event that an input caused never stands in the file without it. */
        if (b->inputs && !trace_writer_input(r->writer, b->input, b->input_size, b->inputs))
            atomic_store_explicit(&r->failed, true, memory_order_relaxed);
        if (b->count && !trace_writer_events(r->writer, b->records, b->count, b->first))
            atomic_store_explicit(&r->failed, true, memory_order_relaxed);
        pthread_mutex_lock(&r->mutex);
        r->written++;
        pthread_cond_broadcast(&r->changed);
    }
    pthread_mutex_unlock(&r->mutex);
    return NULL;
}

static void hand_over(struct recorder *r)
{
    pthread_mutex_lock(&r->mutex);
    r->filled++;
    pthread_cond_broadcast(&r->changed);
    while (r->filled - r->written >= BUFFERS)
        pthread_cond_wait(&r->changed, &r->mutex);
    r->current = &r->buffer[r->filled % BUFFERS];
    pthread_mutex_unlock(&r->mutex);
    r->current->count = 0;
    r->current->digested = 0;
    r->current->inputs = 0;
    r->current->input_size = 0;
    r->current->first = r->events + 1;
}

/* ---- filling records on the processor's thread ---- */

#define ZERO_BYTES 32u
_Static_assert(sizeof(struct event_record) % ZERO_BYTES == 0, "record_begin() clears whole pieces");

static struct event_record *record_begin(struct recorder *r)
{
    struct event_record *e = r->writer ? &r->current->records[r->current->count] : &r->scratch;

    /* In pieces that compilers store in line: for the whole they take a string instruction, which starts slowly. */
    for (unsigned i = 0; i < sizeof *e / ZERO_BYTES; i++)
        memset((u8 *)e + i * ZERO_BYTES, 0, ZERO_BYTES);
    return e;
}

static void record_keep(struct recorder *r, const struct event_record *e)
{
    const struct recorder_options *o = &r->options;

    r->events++;
    if (o->live && (!o->live_filter || trace_filter_match(o->live_filter, r->events, e))) {
        if (o->verbose)
            trace_print_verbose(o->live, r->events, e, o->color);
        else
            trace_print_line(o->live, r->events, e, o->color);
    }
    if (r->writer && ++r->current->count == BLOCK_EVENTS)
        hand_over(r);
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

static void on_transition(void *context, struct cpu *cpu, const struct transition *t)
{
    struct recorder *r = context;
    struct event_record *e = record_begin(r);
    bool keep = !(r->options.no_same_ring && t->from.cpl == t->to.cpl && t->from.mode == t->to.mode);

    put_time(e, cpu);
    r->sequence = t->sequence;
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
    r->transitions++;
    /* The frame words are no part of the digest: they are not read when nobody looks. */
    if (!r->digest_later)
        event_digest_add(&r->digest, e);
    if (!keep || (!r->writer && !r->options.live))
        return;
    if (t->frame_words)
        put_frame(e, cpu);
    record_keep(r, e);
}

static void on_side(void *context, struct cpu *cpu, const struct side_event *event)
{
    struct recorder *r = context;
    struct ring_state now;
    struct event_record *e;

    e = record_begin(r);
    now = ring_state_of(cpu, cpu->arch.rip);
    put_time(e, cpu);
    e->kind = (u8)(EVENT_KIND_TRANSITION + 1 + event->kind);
    e->sequence = r->sequence;
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
    record_keep(r, e);
}

static void log_input(struct recorder *r, u64 tick, enum input_source source, const u8 *bytes, size_t size)
{
    struct buffer *b = r->current;
    size_t need = b->input_size + INPUT_HEADER + size;

    if (need > b->input_capacity) {
        b->input_capacity = need > INPUT_BUFFER ? need * 2 : INPUT_BUFFER;
        b->input = realloc(b->input, b->input_capacity);
        if (!b->input)
            abort();
    }
    store_le64(b->input + b->input_size, tick);
    store_le32(b->input + b->input_size + 8, source);
    store_le32(b->input + b->input_size + 12, (u32)size);
    if (size)
        memcpy(b->input + b->input_size + INPUT_HEADER, bytes, size);
    b->input_size = need;
    b->inputs++;
}

static void on_input(void *context, u64 tick, enum input_source source, const u8 *bytes, size_t size)
{
    struct recorder *r = context;
    struct event_record *e;

    if (r->writer)
        log_input(r, tick, source, bytes, size);
    if (r->writer || r->options.live) {
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
    if (r->writer && r->current->input_size > INPUT_BUFFER)
        hand_over(r);
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
    r->digest_later = options->path && !options->no_same_ring;
    if (!options->path)
        return r;
    r->writer = trace_writer_open(options->path, options->level, options->run, err);
    if (!r->writer) {
        free(r);
        return NULL;
    }
    for (unsigned i = 0; i < BUFFERS; i++) {
        r->buffer[i].records = malloc(BLOCK_EVENTS * sizeof(struct event_record));
        if (!r->buffer[i].records)
            abort();
    }
    r->current = &r->buffer[0];
    r->current->first = 1;
    pthread_mutex_init(&r->mutex, NULL);
    pthread_cond_init(&r->changed, NULL);
    if (pthread_create(&r->thread, NULL, write_buffers, r) != 0)
        abort();
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

bool recorder_failed(const struct recorder *r) { return atomic_load_explicit(&r->failed, memory_order_relaxed); }

u64 recorder_digest(struct recorder *r)
{
    if (r->digest_later) {
        pthread_mutex_lock(&r->mutex);
        while (r->written != r->filled)
            pthread_cond_wait(&r->changed, &r->mutex);
        pthread_mutex_unlock(&r->mutex);
        digest_buffer(r, r->current);
    }
    return event_digest_value(&r->digest);
}

u64 recorder_transitions(const struct recorder *r) { return r->transitions; }

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

        if (r->current->count || r->current->inputs)
            hand_over(r);
        pthread_mutex_lock(&r->mutex);
        r->closing = true;
        pthread_cond_broadcast(&r->changed);
        pthread_mutex_unlock(&r->mutex);
        pthread_join(r->thread, NULL);
        pthread_mutex_destroy(&r->mutex);
        pthread_cond_destroy(&r->changed);
        for (size_t i = 0; end && i < end->count; i++)
            trace_properties_set(&all, end->item[i].key, "%s", end->item[i].value);
        trace_properties_set(&all, "digest", "%016llx", (unsigned long long)digest);
        trace_properties_set(&all, "transitions", "%llu", (unsigned long long)r->transitions);
        trace_properties_set(&all, "events", "%llu", (unsigned long long)r->events);
        ok = trace_writer_close(r->writer, &all, err);
        trace_properties_free(&all);
        for (unsigned i = 0; i < BUFFERS; i++) {
            free(r->buffer[i].records);
            free(r->buffer[i].input);
        }
    }
    free(r);
    return ok;
}

/* SPDX-License-Identifier: MIT
 * The stream of events from the processor's thread to the writing thread.
 */
#include "trace/file/stream.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#define BUFFERS 4u
#define INPUT_HEADER 16u /* u64 tick, u32 source, u32 size */

struct stream_thread {
    struct trace_writer *writer;
    struct event_digest *digest;
    struct stream_buffer buffer[BUFFERS];
    atomic_bool failed;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    u64 filled, written; /* buffers handed over and done, under the mutex */
    bool closing;
};

/* ---- the writing thread ---- */

static void write_buffer(struct stream_thread *t, const struct stream_buffer *b)
{
    bool ok = true;

    /* Inputs first: an event that an input caused never stands in the file without it. */
    if (b->inputs)
        ok = trace_writer_input(t->writer, b->input, b->input_size, b->inputs);
    for (const u64 *w = b->word, *end = w + b->words; w < end;) {
        struct predict_miss miss; /* the differences are not cleared */

        miss.slot = (u8)(w[0] >> 48);
        miss.base = (u8)(w[0] >> 56);
        miss.mask = w[0] & (BIT(48) - 1);
        trace_writer_follow(t->writer, (u32)w[1], t->digest);
        w += 2;
        for (u64 rest = miss.mask; rest; rest &= rest - 1)
            miss.difference[__builtin_ctzll(rest)] = *w++;
        trace_writer_add(t->writer, &miss, t->digest);
    }
    trace_writer_follow(t->writer, b->run, t->digest);
    if (b->ends_block && !trace_writer_block(t->writer, b->data.bytes, b->data.size, b->data.pieces))
        ok = false;
    if (!ok)
        atomic_store_explicit(&t->failed, true, memory_order_relaxed);
}

static void *write_buffers(void *context)
{
    struct stream_thread *t = context;

    pthread_mutex_lock(&t->mutex);
    for (;;) {
        while (t->written == t->filled && !t->closing)
            pthread_cond_wait(&t->changed, &t->mutex);
        if (t->written == t->filled)
            break;
        struct stream_buffer *b = &t->buffer[t->written % BUFFERS];
        pthread_mutex_unlock(&t->mutex);
        write_buffer(t, b);
        pthread_mutex_lock(&t->mutex);
        t->written++;
        pthread_cond_broadcast(&t->changed);
    }
    pthread_mutex_unlock(&t->mutex);
    return NULL;
}

/* ---- the processor's thread ---- */

static void hand_over(struct stream *s, bool ends_block)
{
    struct stream_thread *t = s->thread;

    s->current->run = s->run;
    s->current->ends_block = ends_block;
    if (ends_block) { /* the buffer's old memory serves the next block */
        struct stream_data data = s->current->data;

        s->current->data = s->data;
        s->data = data;
        s->data.size = s->data.pieces = 0;
    }
    s->run = 0;
    pthread_mutex_lock(&t->mutex);
    t->filled++;
    pthread_cond_broadcast(&t->changed);
    while (t->filled - t->written >= BUFFERS)
        pthread_cond_wait(&t->changed, &t->mutex);
    s->current = &t->buffer[t->filled % BUFFERS];
    pthread_mutex_unlock(&t->mutex);
    s->current->words = 0;
    s->current->inputs = 0;
    s->current->input_size = 0;
}

void stream_end_block(struct stream *s)
{
    hand_over(s, true);
    s->events = s->rows = 0;
    predictor_restart(s->predictor);
}

void stream_filled(struct stream *s)
{
    if (s->rows == BLOCK_ROWS || s->events == BLOCK_EVENTS)
        stream_end_block(s);
    else if (s->current->words > STREAM_WORDS - STREAM_EVENT_WORDS)
        hand_over(s, false);
}

void stream_put(struct stream *s, const struct predict_miss *miss)
{
    struct stream_buffer *b = s->current;
    u64 *w = b->word + b->words;

    *w++ = miss->mask | (u64)miss->slot << 48 | (u64)miss->base << 56;
    *w++ = s->run;
    for (u64 rest = miss->mask; rest; rest &= rest - 1)
        *w++ = miss->difference[__builtin_ctzll(rest)];
    b->words = (u32)(w - b->word);
    s->run = 0;
    s->rows++;
    s->events++;
    stream_filled(s);
}

void stream_event(struct stream *s, const struct event_record *e)
{
    struct predictor *p = s->predictor;
    struct predict_miss miss;

    predictor_compare(p, e, &miss);
    if (miss.mask == 0 && miss.slot == miss.base && miss.slot == p->following) {
        predictor_follow(p);
        stream_predicted(s);
    } else {
        predictor_apply(p, &miss);
        stream_put(s, &miss);
    }
}

void stream_input(struct stream *s, u64 tick, u32 source, const u8 *bytes, size_t size)
{
    struct stream_buffer *b = s->current;
    size_t need = b->input_size + INPUT_HEADER + size;

    if (need > b->input_capacity) {
        b->input_capacity = need > STREAM_INPUT_BYTES ? need * 2 : STREAM_INPUT_BYTES;
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

void stream_data(struct stream *s, const struct data_piece *piece)
{
    struct stream_data *d = &s->data;
    size_t need = d->size + DATA_HEADER + piece->size;

    if (need > d->capacity) {
        d->capacity = need * 2;
        d->bytes = realloc(d->bytes, d->capacity);
        if (!d->bytes)
            abort();
    }
    store_le64(d->bytes + d->size, piece->event);
    store_le64(d->bytes + d->size + 8, piece->address);
    store_le32(d->bytes + d->size + 16, piece->size);
    store_le32(d->bytes + d->size + 20, piece->kind);
    if (piece->size)
        memcpy(d->bytes + d->size + DATA_HEADER, piece->bytes, piece->size);
    d->size = need;
    d->pieces++;
}

void stream_section(struct stream *s, enum trace_tag tag, const u8 *bytes, size_t size)
{
    stream_flush(s); /* the thread is idle now: the writer is this one's until the next event */
    if (!trace_writer_section(s->thread->writer, tag, bytes, size))
        atomic_store_explicit(&s->thread->failed, true, memory_order_relaxed);
}

void stream_flush(struct stream *s)
{
    struct stream_thread *t = s->thread;

    hand_over(s, false);
    pthread_mutex_lock(&t->mutex);
    while (t->written != t->filled)
        pthread_cond_wait(&t->changed, &t->mutex);
    pthread_mutex_unlock(&t->mutex);
}

bool stream_failed(const struct stream *s) { return atomic_load_explicit(&s->thread->failed, memory_order_relaxed); }

struct stream *stream_open(struct trace_writer *writer, struct event_digest *digest)
{
    struct stream *s = calloc(1, sizeof *s);
    struct stream_thread *t = calloc(1, sizeof *t);

    if (!s || !t)
        abort();
    s->predictor = predictor_new();
    s->thread = t;
    t->writer = writer;
    t->digest = digest;
    for (unsigned i = 0; i < BUFFERS; i++) {
        t->buffer[i].word = malloc(STREAM_WORDS * sizeof(u64));
        if (!t->buffer[i].word)
            abort();
    }
    s->current = &t->buffer[0];
    pthread_mutex_init(&t->mutex, NULL);
    pthread_cond_init(&t->changed, NULL);
    if (pthread_create(&t->thread, NULL, write_buffers, t) != 0)
        abort();
    return s;
}

void stream_close(struct stream *s)
{
    struct stream_thread *t = s->thread;

    stream_end_block(s);
    pthread_mutex_lock(&t->mutex);
    t->closing = true;
    pthread_cond_broadcast(&t->changed);
    pthread_mutex_unlock(&t->mutex);
    pthread_join(t->thread, NULL);
    pthread_mutex_destroy(&t->mutex);
    pthread_cond_destroy(&t->changed);
    for (unsigned i = 0; i < BUFFERS; i++) {
        free(t->buffer[i].word);
        free(t->buffer[i].input);
        free(t->buffer[i].data.bytes);
    }
    free(t);
    free(s->data.bytes);
    free(s->predictor);
    free(s);
}

/* SPDX-License-Identifier: MIT
 * The stream of events from the processor's thread to the writing thread. What the predictor knew is only counted; of
 * other events the words that differ are handed over, in buffers.
 */
#ifndef RINGSIDE_TRACE_FILE_STREAM_H
#define RINGSIDE_TRACE_FILE_STREAM_H

#include "trace/file/file.h"

#define STREAM_WORDS 16384u /* of a buffer */
#define STREAM_EVENT_WORDS (2 + EVENT_WORDS)
#define STREAM_INPUT_BYTES 65536u    /* a buffer with more input than this is handed over by the caller */
#define STREAM_DATA_BYTES (4u << 20) /* a block with more data than this ends */

struct stream_thread;

/* Pieces of data of one block, as they stand in its DATA section. */
struct stream_data {
    u8 *bytes;
    size_t size, capacity;
    u32 pieces;
};

struct stream_buffer {
    bool ends_block;
    u32 words; /* used */
    u32 run;   /* predicted events after the last that was not */
    u32 inputs;
    size_t input_size, input_capacity;
    u8 *input;
    u64 *word; /* per event: mask, slot and base; predicted events before it; a difference per bit of the mask */
    struct stream_data data; /* of the block that ends */
};

struct stream {
    struct predictor *predictor;
    struct stream_buffer *current;
    u32 run;          /* predicted events since the last that was not */
    u32 events, rows; /* of the block */
    struct stream_data data;
    struct stream_thread *thread;
};

/* Start the writing thread. The stream takes the writer; with digest (may be NULL) the thread makes the digest.
 * Never returns NULL. */
struct stream *stream_open(struct trace_writer *writer, struct event_digest *digest);
/* Hand over and wait until the thread has done all there is: the digest is up to date then. */
void stream_flush(struct stream *s);
/* True once writing has failed. Any thread. */
bool stream_failed(const struct stream *s);
/* End the last block and join the thread; free. The writer stays, for trace_writer_close(). */
void stream_close(struct stream *s);

/* Append a whole record. */
void stream_event(struct stream *s, const struct event_record *e);
/* Append an entry of the input log. It will stand in the file before every event appended later. */
void stream_input(struct stream *s, u64 tick, u32 source, const u8 *bytes, size_t size);
/* Append a piece of data that belongs to the event appended next; its number is piece->event. The caller ends the block
 * when stream_data_full() says so. */
void stream_data(struct stream *s, const struct data_piece *piece);
static inline bool stream_data_full(const struct stream *s) { return s->data.size > STREAM_DATA_BYTES; }
/* Append a section of its own, at once: what is known of the kernel, or of a module. The bytes are copied. */
void stream_section(struct stream *s, enum trace_tag tag, const u8 *bytes, size_t size);
/* Append an event that differs so from its prediction, which the caller's predictor has learned. */
void stream_put(struct stream *s, const struct predict_miss *miss);
void stream_end_block(struct stream *s);
/* End the block or hand over when one of them is full. Called after each event with a difference. */
void stream_filled(struct stream *s);

/* Append an event as predicted, which the caller's predictor has learned. */
ALWAYS_INLINE void stream_predicted(struct stream *s)
{
    s->run++;
    if (UNLIKELY(++s->events == BLOCK_EVENTS))
        stream_end_block(s);
}

/* Append an event in the slot that followed which differs from its prediction in one word. */
ALWAYS_INLINE void stream_put_one(struct stream *s, unsigned word, u64 difference)
{
    struct stream_buffer *b = s->current;
    u64 *w = b->word + b->words, at = s->predictor->at;

    w[0] = 1ull << word | at << 48 | at << 56;
    w[1] = s->run;
    w[2] = difference;
    b->words += 3;
    s->run = 0;
    s->rows++;
    s->events++;
    if (UNLIKELY(s->rows == BLOCK_ROWS || s->events == BLOCK_EVENTS || b->words > STREAM_WORDS - STREAM_EVENT_WORDS))
        stream_filled(s);
}

#endif

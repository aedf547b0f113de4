/* SPDX-License-Identifier: MIT
 * A block of event records as bytes: only events that were not predicted have a row, with the number of predicted ones
 * before it and its differences to the prediction, stored by byte plane, so that the general-purpose compressor behind
 * it sees long runs.
 */
#ifndef RINGSIDE_TRACE_FILE_BLOCK_H
#define RINGSIDE_TRACE_FILE_BLOCK_H

#include "trace/file/predict.h"

#define BLOCK_EVENTS 16384u /* events of one block; and */
#define BLOCK_ROWS 4096u    /* events of one block that were not predicted */
#define BLOCK_PLANES sizeof(struct event_record)
#define BLOCK_MAP_BYTES ((BLOCK_PLANES + 7) / 8)
#define BLOCK_ROW_BYTES 4u /* slot, base, events before: two bytes */
#define BLOCK_RAW_MAX (4u + BLOCK_MAP_BYTES + (BLOCK_ROW_BYTES + BLOCK_PLANES) * BLOCK_ROWS)

struct block_bytes;

struct block_codec {
    struct predictor *predictor;
    u32 count;  /* events of the block so far */
    u32 rows;   /* of them not predicted */
    u32 before; /* predicted since the last row */
    struct block_bytes *bytes;
};

/* Never returns NULL (aborts when the host has no memory). */
struct block_codec *block_codec_new(void);
void block_codec_free(struct block_codec *codec);

/* Encoder. Blocks do not depend on each other; a block is what comes between two calls of block_end().
 * block_follow: the next event is as predicted (beside transitions, only kind and ticks of the result are made).
 * block_add: it differs as miss says. returns: the event, valid until the next call. NULL when there can be no such
 * event (predict.h). in: at most BLOCK_EVENTS events and BLOCK_ROWS calls of block_add() per block. */
static inline const struct event_record *block_follow(struct block_codec *codec)
{
    codec->count++;
    codec->before++;
    return predictor_pass(codec->predictor);
}
const struct event_record *block_add(struct block_codec *codec, const struct predict_miss *miss);
/* out: valid until the next call.  returns: size in bytes. */
size_t block_end(struct block_codec *codec, const u8 **out);

/* Not between block_add() or block_follow() and block_end() of the same codec.
 * in: size bytes, of any origin; count.  out: count records.  returns: false when the size does not fit the content, or
 * a record holds a kind, mechanism, ring or rule that does not exist. */
bool block_decode(struct block_codec *codec, const u8 *bytes, size_t size, u32 count, struct event_record *records);

#endif

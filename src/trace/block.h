/* SPDX-License-Identifier: MIT
 * A block of event records as bytes: each record as its difference to a prediction, stored by byte plane, so that the
 * general-purpose compressor behind it sees long runs.
 */
#ifndef RINGSIDE_TRACE_BLOCK_H
#define RINGSIDE_TRACE_BLOCK_H

#include "trace/event.h"

#define BLOCK_EVENTS 4096u
#define BLOCK_PLANES sizeof(struct event_record)
#define BLOCK_MAP_BYTES ((BLOCK_PLANES + 7) / 8)
#define BLOCK_RAW_MAX (BLOCK_MAP_BYTES + BLOCK_PLANES * BLOCK_EVENTS)

struct block_codec;

/* Never returns NULL (aborts when the host has no memory). */
struct block_codec *block_codec_new(void);
void block_codec_free(struct block_codec *codec);
/* in: count 1..BLOCK_EVENTS; padding bytes of the records are zero.  out: valid until the next call.
 * returns: size in bytes. Blocks do not depend on each other. */
size_t block_encode(struct block_codec *codec, const struct event_record *records, u32 count, const u8 **out);
/* in: size bytes, of any origin; count.  out: count records.  returns: false when the size does not fit the content, or
 * a record holds a kind, mechanism, ring or rule that does not exist. */
bool block_decode(struct block_codec *codec, const u8 *bytes, size_t size, u32 count, struct event_record *records);

#endif

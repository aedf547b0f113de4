/* SPDX-License-Identifier: MIT
 * Numbers and strings in bytes, as a recording keeps them: base-128 numbers, low digits first, and strings that end
 * with a 0. What is read is distrusted: a read past the end, or of a number that does not fit, gives 0 or "" and marks
 * the reader as failed.
 */
#ifndef RINGSIDE_KERNEL_PACK_H
#define RINGSIDE_KERNEL_PACK_H

#include "base/types.h"

struct pack_writer {
    u8 *bytes;
    size_t size, room;
};

void pack_bytes(struct pack_writer *w, const void *bytes, size_t size);
void pack_number(struct pack_writer *w, u64 value);
void pack_string(struct pack_writer *w, const char *text);

struct pack_reader {
    const u8 *at, *end;
    bool failed;
};

u64 unpack_number(struct pack_reader *r);
/* The string stays where it is, in the reader's bytes. */
const char *unpack_string(struct pack_reader *r);
/* A number of things that follow and take at least `each` bytes: more than there can be fail. */
size_t unpack_count(struct pack_reader *r, size_t each);
/* returns: NULL when fewer bytes are left */
const u8 *unpack_bytes(struct pack_reader *r, size_t size);

/* Memory of the host; these abort when there is none. */
void *kernel_alloc(size_t size); /* zeroed */
void *kernel_grow(void *old, size_t *room, size_t wanted, size_t each);

#endif

/* SPDX-License-Identifier: MIT
 * Pieces of guest memory gathered for one event or one call, and read back as memory.
 */
#ifndef RINGSIDE_TRACE_PIECES_H
#define RINGSIDE_TRACE_PIECES_H

#include "linux/linux.h"
#include "trace/data.h"

/* Zero-initialised: empty. */
struct pieces {
    struct data_piece *piece; /* bytes is set by pieces_get() only, because the arena moves */
    size_t count, capacity;
    u8 *bytes;
    size_t size, bytes_capacity;
};

/* Append a copy. Never fails (aborts when the host has no memory); what is past one of these is left out, and what is
 * empty. */
#define PIECES_MAX_BYTES (1u << 20)
#define PIECES_MAX 65536u
void pieces_add(struct pieces *p, enum data_kind kind, u64 event, u64 address, const void *bytes, size_t size);
/* in: i < p->count.  returns: valid until the next pieces_add() */
struct data_piece pieces_get(const struct pieces *p, size_t i);
void pieces_clear(struct pieces *p);
void pieces_free(struct pieces *p);

/* The pieces of one kind as memory: a read succeeds when they hold every byte of it, be it in several pieces. */
struct pieces_memory {
    const struct pieces *pieces;
    enum data_kind kind;
    struct linux_memory memory; /* set by pieces_memory_init() */
};
void pieces_memory_init(struct pieces_memory *m, const struct pieces *pieces, enum data_kind kind);

#endif

/* SPDX-License-Identifier: MIT
 * The inside of a reader, for the files that make it up: reader.c the file and its events, reader_guest.c what they say
 * of the guest.
 */
#ifndef RINGSIDE_TRACE_FILE_READER_STATE_H
#define RINGSIDE_TRACE_FILE_READER_STATE_H

#include "trace/file/reader.h"

struct trace_reader {
    FILE *file;
    char *path;
    u64 size;
    struct trace_properties run, end;
    struct trace_index_entry *entry;
    size_t entries, capacity;
    bool complete;
    bool has_run, has_end;
    char damage[512];
    u8 *stored, *raw;
    size_t stored_capacity, raw_capacity;
    struct block_codec *codec;
    struct event_record *records;
    size_t loaded; /* entry whose events stand in records, or SIZE_MAX */
    size_t at;     /* the entry to read from next */
    u64 next_id;
    /* What is known of the guest at the event given last. */
    struct guest_task task;
    struct names *names;
    struct kernel *kernel;
    bool kernel_read;
    u64 names_size; /* bytes of KERN and MODL sections unpacked so far */
    /* Data of the block in records: loaded when it is asked for. */
    u8 *data;
    size_t data_capacity, data_size;
    size_t data_block; /* the entry whose data stands there, or SIZE_MAX */
    struct data_piece *piece;
    size_t pieces, piece_capacity;
    size_t first_piece; /* of the event given last */
};

/* Say on the reader's record of damage what was lost. */
void reader_lost(struct trace_reader *r, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* A buffer of at least size bytes; what it held is lost when it grows. */
u8 *reader_room(u8 **buffer, size_t *capacity, size_t size);
/* Section at offset -> r->raw, checked. returns: false when anything about it is wrong. */
bool reader_load(struct trace_reader *r, u64 offset, struct trace_section *s, size_t *size);

/* Take in what an event says of the guest. */
void reader_note(struct trace_reader *r, const struct event_record *e);
/* Free what reader_guest.c made. */
void reader_guest_free(struct trace_reader *r);

#endif

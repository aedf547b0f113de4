/* SPDX-License-Identifier: MIT
 * Reading a trace file: in order, or by event number. Every byte of the file is distrusted.
 */
#ifndef RINGSIDE_TRACE_FILE_READER_H
#define RINGSIDE_TRACE_FILE_READER_H

#include "trace/data.h"
#include "trace/file/file.h"
#include "trace/names.h"
#include "trace/pieces.h"

struct trace_reader;

/* Open, check magic and schema, find the index or rebuild it by scanning.
 * returns: NULL with err set (EXIT_FILE): not a trace, another schema version, unreadable. */
struct trace_reader *trace_reader_open(const char *path, struct error *err);
void trace_reader_close(struct trace_reader *r);
/* Highest event number; fewer may be readable. */
u64 trace_reader_events(const struct trace_reader *r);
const struct trace_properties *trace_reader_run(const struct trace_reader *r);
const struct trace_properties *trace_reader_end(const struct trace_reader *r);
/* What was lost so far, one line; NULL when nothing was. Grows as damaged blocks are met. */
const char *trace_reader_damage(const struct trace_reader *r);
/* The file has its footer, and so all that the recorder meant to write. */
bool trace_reader_complete(const struct trace_reader *r);
size_t trace_reader_sections(const struct trace_reader *r);
const struct trace_index_entry *trace_reader_section(const struct trace_reader *r, size_t i);

/* Next event from the present position, skipping blocks in which nothing can pass the filter (may be NULL).
 * returns: NULL at the end; the record is valid until the next call. */
const struct event_record *trace_reader_next(struct trace_reader *r, const struct trace_filter *filter, u64 *id);
/* Continue at the first event whose number is at least id. */
void trace_reader_seek(struct trace_reader *r, u64 id);

/* ---- what the recorder knew of the guest. All of it grows as the reader passes the events that say it. */

/* Names for addresses; never NULL. Asked for before the first event, they hold from the first on; a kernel that is
 * started again elsewhere is known from the event that says so. */
const struct names *trace_reader_names(struct trace_reader *r);
/* The task that is current at the event that trace_reader_next() gave last; known = false when there is none. */
const struct guest_task *trace_reader_task(const struct trace_reader *r);
/* Pieces of data of the event that trace_reader_next() gave last.
 * returns: piece i of it, or NULL past the last; valid until the next call of trace_reader_next() or _seek() */
const struct data_piece *trace_reader_data(struct trace_reader *r, size_t i);
/* All of them, copied into pieces, which is cleared first. */
void trace_reader_pieces(struct trace_reader *r, struct pieces *pieces);

typedef void trace_input_fn(void *context, u64 tick, u32 source, const u8 *bytes, size_t size);
/* Every logged input in order. returns: false with err set when any of the log is damaged or missing. */
bool trace_reader_inputs(struct trace_reader *r, trace_input_fn *fn, void *context, struct error *err);

#endif

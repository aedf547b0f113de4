/* SPDX-License-Identifier: MIT
 * The native trace file: sections, the writer, and the section scan of the reader. docs/trace-format.md describes the
 * bytes.
 */
#ifndef RINGSIDE_TRACE_FILE_FILE_H
#define RINGSIDE_TRACE_FILE_FILE_H

#include "trace/data.h"
#include "trace/file/block.h"
#include "trace/trace.h"

#define TRACE_SCHEMA_VERSION 3u
#define TRACE_MAGIC "\x89RSTRC\r\n"
#define TRACE_END_MAGIC "RSTREND\n"
#define TRACE_MAGIC_SIZE 8u
#define TRACE_FOOTER_SIZE 32u
#define TRACE_SECTION_MARKER 0x43455352u /* "RSEC" */
#define TRACE_SECTION_MAX (64u << 20)    /* bytes of one section, stored or raw */
#define TRACE_INDEX_ENTRIES 65536u       /* per index section */

enum trace_tag {
    TAG_SCHEMA = 0x4D484353, /* "SCHM" */
    TAG_RUN = 0x5F4E5552,    /* "RUN_" */
    TAG_EVENTS = 0x53545645, /* "EVTS" */
    TAG_INPUT = 0x54504E49,  /* "INPT" */
    TAG_DATA = 0x41544144,   /* "DATA": of the EVTS section that follows; the same first */
    TAG_KERNEL = 0x4E52454B, /* "KERN" */
    TAG_MODULE = 0x4C444F4D, /* "MODL" */
    TAG_END = 0x5F444E45,    /* "END_" */
    TAG_INDEX = 0x58444E49,  /* "INDX" */
};

enum trace_section_flag { SECTION_ZSTD = 1 };

/* Before every section; little-endian; 48 bytes. */
struct trace_section {
    u32 marker, tag;
    u32 stored, raw; /* bytes that follow, and after decompression */
    u32 count;       /* events or inputs */
    u32 flags;
    u64 first;       /* number of the first event (from 1) */
    u64 payload_sum; /* of the stored bytes */
    u64 header_sum;  /* of the 40 bytes before */
};

/* One per EVTS, DATA, INPT, KERN and MODL section. mechanisms[] saturates at FFFFh, which stands for "many". */
struct trace_index_entry {
    u64 offset; /* of the section header, from the start of the file */
    u64 first, first_tick, last_tick;
    u32 count, tag;
    u32 kinds; /* bit per enum event_kind */
    u32 known; /* 0: kinds, tasks and mechanisms are unknown (index rebuilt by scanning) */
    u64 tasks; /* trace_task_bit() of every task that is current in the block, by pid and by tgid */
    u16 mechanisms[64];
};

/* One of 64 bits: a block without it has no event of this process or thread. */
static inline u64 trace_task_bit(u32 pid) { return 1ull << ((pid * 0x9E3779B1u) >> 26); }

u64 trace_checksum(const void *bytes, size_t size);
/* The schema text of this program. The caller frees. */
char *trace_schema_text(void);
/* Properties as "key=value\n" lines, and back. parse: false when a line has no "=" or there are too many. */
char *trace_properties_text(const struct trace_properties *p);
bool trace_properties_parse(struct trace_properties *p, const char *text, size_t size);

/* ---- writer: used by one thread at a time ---- */

struct trace_writer;

struct trace_writer *trace_writer_open(const char *path, int level, const struct trace_properties *run,
                                       struct error *err);
/* False from the first failure on; nothing more is written then, and the file ends with its last whole section. */
/* Add events to the block: as many as predicted (block_follow), or one that differs (block_add). With digest, which may
 * be NULL, each goes into it. */
void trace_writer_follow(struct trace_writer *w, u32 count, struct event_digest *digest);
void trace_writer_add(struct trace_writer *w, const struct predict_miss *miss, struct event_digest *digest);
/* Write the block, if it holds anything, after the data of its events. */
bool trace_writer_block(struct trace_writer *w, const u8 *data, size_t data_size, u32 pieces);
/* Write a section of its own: KERN, MODL. */
bool trace_writer_section(struct trace_writer *w, enum trace_tag tag, const u8 *bytes, size_t size);
bool trace_writer_input(struct trace_writer *w, const u8 *bytes, size_t size, u32 count);
/* Write end properties, index and footer; close; free. returns: false with err set after any failure. */
bool trace_writer_close(struct trace_writer *w, const struct trace_properties *end, struct error *err);

#endif

/* SPDX-License-Identifier: MIT
 * Writing a trace file: sections appended one after the other, then the index and the footer.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include <zstd.h>

#include "trace/file/file.h"

struct trace_writer {
    int fd;
    int level;
    char *path;
    u64 offset; /* of the end of the last whole section */
    u64 events; /* in the blocks before */
    bool failed;
    struct error error;
    struct block_codec *codec;
    struct trace_index_entry block; /* of the events added since the last block was written */
    ZSTD_CCtx *zstd;
    u8 *packed; /* compressed bytes of one section */
    size_t packed_size;
    struct trace_index_entry *index;
    size_t entries, capacity;
};

u64 trace_checksum(const void *bytes, size_t size)
{
    const u8 *p = bytes;
    u64 a = 0x9E3779B97F4A7C15ull ^ size, b = 0xC2B2AE3D27D4EB4Full, tail = 0;

    for (; size >= 16; size -= 16, p += 16) {
        a = (a ^ load_le64(p)) * 0xFF51AFD7ED558CCDull;
        b = (b ^ load_le64(p + 8)) * 0xC4CEB9FE1A85EC53ull;
        a ^= a >> 29;
        b ^= b >> 32;
    }
    if (size >= 8) {
        a = (a ^ load_le64(p)) * 0xFF51AFD7ED558CCDull;
        a ^= a >> 29;
        p += 8;
        size -= 8;
    }
    memcpy(&tail, p, size);
    b = (b ^ tail) * 0xC4CEB9FE1A85EC53ull;
    a = (a ^ (b >> 32) ^ (b << 32)) * 0xFF51AFD7ED558CCDull;
    return a ^ (a >> 33);
}

static bool fail(struct trace_writer *w, const char *what)
{
    w->failed = true;
    error_set(&w->error, EXIT_FILE, "%s: cannot write the trace (%s): %s; it is readable up to byte %llu", w->path,
              what, strerror(errno), (unsigned long long)w->offset);
    /* Cut a half-written section away, so that the file ends cleanly. A pipe cannot be cut; the reader copes. */
    if (ftruncate(w->fd, (off_t)w->offset) != 0)
        errno = 0;
    return false;
}

static bool write_all(struct trace_writer *w, const void *bytes, size_t size)
{
    const u8 *p = bytes;

    while (size) {
        ssize_t n = write(w->fd, p, size);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        if (n == 0) {
            errno = ENOSPC;
            return false;
        }
        p += n;
        size -= (size_t)n;
    }
    return true;
}

static bool section(struct trace_writer *w, enum trace_tag tag, const void *raw, size_t size, u32 count, u64 first)
{
    struct trace_section s = {
        .marker = TRACE_SECTION_MARKER, .tag = tag, .raw = (u32)size, .count = count, .first = first};
    const void *stored = raw;
    size_t stored_size = size;

    if (w->failed)
        return false;
    if (size > TRACE_SECTION_MAX) {
        errno = EFBIG;
        return fail(w, "a section");
    }
    if (size > 64) {
        size_t bound = ZSTD_compressBound(size);

        if (bound > w->packed_size) {
            free(w->packed);
            w->packed = malloc(bound);
            if (!w->packed)
                abort();
            w->packed_size = bound;
        }
        size_t n = ZSTD_compressCCtx(w->zstd, w->packed, w->packed_size, raw, size, w->level);
        if (!ZSTD_isError(n) && n < size) {
            s.flags = SECTION_ZSTD;
            stored = w->packed;
            stored_size = n;
        }
    }
    s.stored = (u32)stored_size;
    s.payload_sum = trace_checksum(stored, stored_size);
    s.header_sum = trace_checksum(&s, offsetof(struct trace_section, header_sum));
    if (!write_all(w, &s, sizeof s) || !write_all(w, stored, stored_size))
        return fail(w, "a section");
    w->offset += sizeof s + stored_size;
    return true;
}

static struct trace_index_entry *index_add(struct trace_writer *w, enum trace_tag tag, u64 first, u32 count)
{
    if (w->entries == w->capacity) {
        w->capacity = w->capacity ? w->capacity * 2 : 256;
        w->index = realloc(w->index, w->capacity * sizeof *w->index);
        if (!w->index)
            abort();
    }
    w->index[w->entries] =
        (struct trace_index_entry){.offset = w->offset, .first = first, .count = count, .tag = tag, .known = 1};
    return &w->index[w->entries++];
}

struct trace_writer *trace_writer_open(const char *path, int level, const struct trace_properties *run,
                                       struct error *err)
{
    struct trace_writer *w = calloc(1, sizeof *w);

    if (!w)
        abort();
    w->level = level ? level : 1;
    w->path = strdup(path);
    w->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (w->fd < 0) {
        error_set(err, EXIT_FILE, "%s: cannot create the trace: %s", path, strerror(errno));
        free(w->path);
        free(w);
        return NULL;
    }
    w->codec = block_codec_new();
    w->zstd = ZSTD_createCCtx();
    if (!w->zstd)
        abort();
    char *schema = trace_schema_text(), *text = trace_properties_text(run);
    if (!write_all(w, TRACE_MAGIC, TRACE_MAGIC_SIZE))
        fail(w, "its first bytes");
    else
        w->offset = TRACE_MAGIC_SIZE;
    section(w, TAG_SCHEMA, schema, strlen(schema), 0, 0);
    section(w, TAG_RUN, text, strlen(text), 0, 0);
    free(schema);
    free(text);
    if (w->failed) {
        trace_writer_close(w, NULL, err);
        return NULL;
    }
    return w;
}

ALWAYS_INLINE void count_event(struct trace_writer *w, const struct event_record *e, struct event_digest *digest)
{
    struct trace_index_entry *block = &w->block;

    if (block->count++ == 0)
        block->first_tick = e->ticks;
    block->kinds |= 1u << (e->kind & 31);
    if (e->kind == EVENT_KIND_TRANSITION) {
        if (block->mechanisms[e->mechanism & 63] != 0xFFFF)
            block->mechanisms[e->mechanism & 63]++;
        if (digest)
            event_digest_add(digest, e);
    }
    if (e->kind == EVENT_KIND_TASK)
        block->tasks |= trace_task_bit(e->number) | trace_task_bit((u32)e->old_value);
    block->last_tick = e->ticks;
}

void trace_writer_follow(struct trace_writer *w, u32 count, struct event_digest *digest)
{
    for (; count; count--)
        count_event(w, block_follow(w->codec), digest);
}

void trace_writer_add(struct trace_writer *w, const struct predict_miss *miss, struct event_digest *digest)
{
    count_event(w, block_add(w->codec, miss), digest);
}

/* A section with its entry in the index. */
static bool indexed_section(struct trace_writer *w, enum trace_tag tag, const void *raw, size_t size, u32 count,
                            u64 first)
{
    if (w->failed)
        return false;
    index_add(w, tag, first, count);
    if (section(w, tag, raw, size, count, first))
        return true;
    w->entries--;
    return false;
}

bool trace_writer_section(struct trace_writer *w, enum trace_tag tag, const u8 *bytes, size_t size)
{
    return indexed_section(w, tag, bytes, size, 1, 0);
}

bool trace_writer_block(struct trace_writer *w, const u8 *data, size_t data_size, u32 pieces)
{
    u32 count = w->block.count;
    u64 first = w->events + 1;
    const u8 *raw;
    size_t size;
    bool ok;

    if (count == 0)
        return !w->failed;
    size = block_end(w->codec, &raw);
    w->events += count;
    ok = !w->failed && (pieces == 0 || indexed_section(w, TAG_DATA, data, data_size, pieces, first));
    if (ok) {
        struct trace_index_entry *entry = index_add(w, TAG_EVENTS, first, count);
        u64 offset = entry->offset;

        *entry = w->block;
        entry->offset = offset;
        entry->first = first;
        entry->tag = TAG_EVENTS;
        entry->known = 1;
        ok = section(w, TAG_EVENTS, raw, size, count, first);
        if (!ok)
            w->entries--;
    }
    memset(&w->block, 0, sizeof w->block);
    return ok;
}

bool trace_writer_input(struct trace_writer *w, const u8 *bytes, size_t size, u32 count)
{
    return indexed_section(w, TAG_INPUT, bytes, size, count, 0);
}

static bool write_index(struct trace_writer *w)
{
    u8 footer[TRACE_FOOTER_SIZE];
    u64 start = w->offset, sections = 0;

    for (size_t i = 0; i < w->entries || sections == 0; i += TRACE_INDEX_ENTRIES, sections++) {
        size_t n = w->entries - i < TRACE_INDEX_ENTRIES ? w->entries - i : TRACE_INDEX_ENTRIES;

        if (!section(w, TAG_INDEX, w->index + i, n * sizeof *w->index, (u32)n, 0))
            return false;
    }
    store_le64(footer, start);
    store_le64(footer + 8, sections);
    store_le64(footer + 16, trace_checksum(footer, 16));
    memcpy(footer + 24, TRACE_END_MAGIC, 8);
    return write_all(w, footer, sizeof footer) || fail(w, "the footer");
}

bool trace_writer_close(struct trace_writer *w, const struct trace_properties *end, struct error *err)
{
    bool ok;

    if (!w->failed) {
        char *text = trace_properties_text(end);

        if (section(w, TAG_END, text, strlen(text), 0, 0))
            write_index(w);
        free(text);
    }
    if (close(w->fd) != 0 && !w->failed)
        fail(w, "the last bytes");
    ok = !w->failed;
    if (!ok)
        *err = w->error;
    block_codec_free(w->codec);
    ZSTD_freeCCtx(w->zstd);
    free(w->packed);
    free(w->index);
    free(w->path);
    free(w);
    return ok;
}

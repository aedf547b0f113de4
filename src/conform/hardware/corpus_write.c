/* SPDX-License-Identifier: MIT
 * Writing a hardware corpus: cases are encoded as they come, and packed and written at the end.
 */
#include "conform/hardware/corpus_layout.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

struct buffer {
    u8 *bytes;
    size_t used, room;
};

struct hardware_writer {
    struct hardware_source source;
    struct hardware_state *pool; /* x87[] in physical order */
    u32 pool_count, count;
    struct buffer cases;
};

/* ---- bytes */

static void put(struct buffer *b, const void *bytes, size_t size)
{
    if (b->room - b->used < size) {
        b->room = b->room * 2 + size + 65536;
        b->bytes = realloc(b->bytes, b->room);
        if (b->bytes == NULL)
            abort(); /* the host has no memory */
    }
    if (size != 0)
        memcpy(b->bytes + b->used, bytes, size);
    b->used += size;
}

static void put_u8(struct buffer *b, u8 value) { put(b, &value, 1); }

static void put_number(struct buffer *b, u64 value)
{
    for (; value > 0x7F; value >>= 7)
        put_u8(b, (u8)(value | 0x80));
    put_u8(b, (u8)value);
}

/* ---- parts of a case */

/* Bit per byte that differs. */
static unsigned item_mask(const struct hardware_state *from, const struct hardware_state *to, struct corpus_item item)
{
    const u8 *a = (const u8 *)from + item.offset, *b = (const u8 *)to + item.offset;
    unsigned mask = 0;

    if (memcmp(a, b, item.size) == 0)
        return 0;
    for (unsigned i = 0; i < item.size; i++)
        mask |= (unsigned)(a[i] != b[i]) << i;
    return mask;
}

static void put_difference(struct buffer *b, const struct hardware_state *from, const struct hardware_state *to)
{
    unsigned mask[CORPUS_ITEMS], count = 0;

    for (unsigned i = 0; i < CORPUS_ITEMS; i++) {
        mask[i] = item_mask(from, to, corpus_item_at(i));
        count += mask[i] != 0;
    }
    put_number(b, count);
    for (unsigned i = 0; i < CORPUS_ITEMS; i++) {
        struct corpus_item item = corpus_item_at(i);

        if (mask[i] == 0)
            continue;
        put_number(b, i);
        put(b, &mask[i], item.size > 8 ? 2 : 1);
        for (unsigned k = 0; k < item.size; k++)
            if (mask[i] >> k & 1)
                put_u8(b, ((const u8 *)to)[item.offset + k]);
    }
}

static unsigned difference_size(const struct hardware_state *from, const struct hardware_state *to)
{
    unsigned size = 0;

    for (unsigned i = 0; i < CORPUS_ITEMS; i++) {
        unsigned mask = item_mask(from, to, corpus_item_at(i));

        size += mask != 0 ? 2 + (unsigned)__builtin_popcount(mask) : 0;
    }
    return size;
}

static u32 nearest_state(const struct hardware_writer *w, const struct hardware_state *state)
{
    u32 best = 0;
    unsigned best_size = ~0u;

    for (u32 i = 0; i < w->pool_count; i++) {
        unsigned size = difference_size(&w->pool[i], state);

        if (size < best_size) {
            best = i;
            best_size = size;
        }
    }
    return best;
}

static void put_runs(struct buffer *b, const struct hardware_case *c, const struct hardware_bytes *runs, u8 count)
{
    assert(count <= HARDWARE_RUNS_MAX);
    put_number(b, count);
    for (unsigned i = 0; i < count; i++) {
        assert(corpus_run_mapped(runs[i].address, runs[i].size));
        assert(runs[i].at + runs[i].size <= HARDWARE_BYTES_MAX);
        put_number(b, runs[i].address);
        put_number(b, runs[i].size);
        put(b, c->bytes + runs[i].at, runs[i].size);
    }
}

/* ---- the writer */

struct hardware_writer *hardware_writer_new(const struct hardware_source *source)
{
    struct hardware_writer *w = calloc(1, sizeof *w);

    if (w == NULL || (w->pool = calloc(CORPUS_STATES_MAX, sizeof *w->pool)) == NULL)
        abort(); /* the host has no memory */
    assert(corpus_text_ok(source->processor, sizeof source->processor));
    assert(corpus_text_ok(source->date, sizeof source->date));
    assert(corpus_text_ok(source->system, sizeof source->system));
    assert(source->gdt_count <= HARDWARE_DESCRIPTORS_MAX && source->ldt_count <= HARDWARE_DESCRIPTORS_MAX);
    w->source = *source;
    return w;
}

void hardware_writer_add_state(struct hardware_writer *w, const struct hardware_state *state)
{
    assert(w->pool_count < CORPUS_STATES_MAX);
    w->pool[w->pool_count] = *state;
    corpus_x87_to_physical(&w->pool[w->pool_count++]);
}

void hardware_writer_add(struct hardware_writer *w, const struct hardware_case *c)
{
    struct hardware_state before = c->before, after = c->after, guess;
    struct buffer *b = &w->cases;
    u32 nearest;

    assert(c->length >= 1 && c->length <= sizeof c->code && c->mode < HARDWARE_MODES && c->vector < VECTORS);
    assert(corpus_code_ok(c->mode, c->before.rip));
    if (w->pool_count == 0)
        hardware_writer_add_state(w, &c->before);
    corpus_x87_to_physical(&before);
    corpus_x87_to_physical(&after);
    nearest = nearest_state(w, &before);
    put_number(b, c->mode);
    put_number(b, c->length);
    put(b, c->code, c->length);
    put_number(b, nearest);
    put_difference(b, &w->pool[nearest], &before);
    put_number(b, c->vector);
    put_number(b, c->error);
    if (c->vector == VECTOR_PF)
        put_number(b, c->cr2);
    put_runs(b, c, c->before_run, c->runs_before);
    guess = corpus_guess_after(&before, c->vector, c->length);
    put_difference(b, &guess, &after);
    put_runs(b, c, c->after_run, c->runs_after);
    w->count++;
}

static void put_source(struct buffer *b, const struct hardware_source *s)
{
    put(b, s->processor, sizeof s->processor);
    put_number(b, s->vendor);
    put_number(b, s->family);
    put_number(b, s->model);
    put_number(b, s->stepping);
    put_number(b, s->microcode);
    put(b, s->date, sizeof s->date);
    put(b, s->system, sizeof s->system);
    put_number(b, s->gdt_count);
    put_number(b, s->ldt_count);
    put(b, s->gdt, s->gdt_count * sizeof s->gdt[0]);
    put(b, s->ldt, s->ldt_count * sizeof s->ldt[0]);
    put_number(b, s->cr0_am);
    put_number(b, s->cr4_fsgsbase);
    put_number(b, s->cr4_umip);
}

/* returns: size of the frame; 0 with err set */
static size_t pack(const struct buffer *from, u8 *to, size_t room, const char *path, struct error *err)
{
    ZSTD_CCtx *context = ZSTD_createCCtx();
    size_t size;

    if (context == NULL)
        abort(); /* the host has no memory */
    ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, 19);
    ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, (int)CORPUS_WINDOW_LOG);
    ZSTD_CCtx_setParameter(context, ZSTD_c_enableLongDistanceMatching, 1);
    size = ZSTD_compress2(context, to, room, from->bytes, from->used);
    ZSTD_freeCCtx(context);
    if (ZSTD_isError(size)) {
        error_set(err, EXIT_LIMIT, "%s: cannot pack the corpus: %s", path, ZSTD_getErrorName(size));
        return 0;
    }
    return size;
}

static bool write_file(const char *path, const u8 *bytes, size_t size, struct error *err)
{
    FILE *file = fopen(path, "wb");
    bool good;
    int why;

    if (file == NULL)
        return error_set(err, EXIT_FILE, "%s: cannot create the corpus: %s", path, strerror(errno));
    good = fwrite(bytes, 1, size, file) == size;
    why = errno;
    if (fclose(file) != 0 && good) {
        good = false;
        why = errno;
    }
    if (good)
        return true;
    unlink(path);
    return error_set(err, EXIT_FILE, "%s: cannot write the corpus: %s", path, strerror(why));
}

static bool write_corpus(const struct buffer *all, const char *path, struct error *err)
{
    size_t room = CORPUS_PREAMBLE + ZSTD_compressBound(all->used), size;
    u8 *file = malloc(room);
    bool good = false;

    if (file == NULL)
        return error_set(err, EXIT_LIMIT, "%s: no memory for the corpus", path);
    size = pack(all, file + CORPUS_PREAMBLE, room - CORPUS_PREAMBLE, path, err);
    if (size != 0) {
        size += CORPUS_PREAMBLE;
        memcpy(file, CORPUS_MAGIC, 8);
        store_le32(file + 8, CORPUS_VERSION);
        store_le32(file + 16, (u32)all->used);
        store_le32(file + 12, (u32)crc32_z(0, file + 16, size - 16));
        good = write_file(path, file, size, err);
    }
    free(file);
    return good;
}

bool hardware_writer_finish(struct hardware_writer *w, const char *path, struct error *err)
{
    const struct hardware_state zero = {0};
    struct buffer all = {0};
    bool good;

    if (w->pool_count == 0)
        hardware_writer_add_state(w, &zero);
    put_source(&all, &w->source);
    put_number(&all, w->pool_count);
    for (u32 i = 0; i < w->pool_count; i++)
        put_difference(&all, &zero, &w->pool[i]);
    put_number(&all, w->count);
    put(&all, w->cases.bytes, w->cases.used);
    if (all.used <= CORPUS_UNPACKED_MAX)
        good = write_corpus(&all, path, err);
    else
        good = error_set(err, EXIT_LIMIT, "%s: the corpus has %zu bytes unpacked, the limit is %u", path, all.used,
                         CORPUS_UNPACKED_MAX);
    free(all.bytes);
    free(w->cases.bytes);
    free(w->pool);
    free(w);
    return good;
}

/* SPDX-License-Identifier: MIT
 * Reading a hardware corpus: the whole file is unpacked and checked once; a case is then decoded where it stands.
 */
#include "conform/hardware/corpus_layout.h"

#include <errno.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

struct hardware_corpus {
    struct hardware_source source;
    struct hardware_state *pool; /* x87[] in physical order */
    u32 pool_count, count;
    u8 *bytes; /* unpacked */
    u32 size;
    u32 *at; /* where each case begins */
};

/* ---- a cursor that stays inside; past the end it gives zeros and says so */

struct cursor {
    const u8 *at, *end;
    bool bad;
};

static const u8 *take(struct cursor *c, size_t size)
{
    const u8 *bytes = c->at;

    if (c->bad || (size_t)(c->end - c->at) < size) {
        c->bad = true;
        return NULL;
    }
    c->at += size;
    return bytes;
}

static void take_bytes(struct cursor *c, void *to, size_t size)
{
    const u8 *bytes = take(c, size);

    if (bytes != NULL)
        memcpy(to, bytes, size);
    else
        memset(to, 0, size);
}

static u8 take_u8(struct cursor *c)
{
    const u8 *byte = take(c, 1);

    return byte != NULL ? *byte : 0;
}

/* LEB128. A number above `most` is bad. */
static u64 take_number(struct cursor *c, u64 most)
{
    u64 value = 0;

    for (unsigned shift = 0; shift < 64; shift += 7) {
        u8 byte = take_u8(c);

        value |= (u64)(byte & 0x7F) << shift;
        if (!(byte & 0x80)) {
            if (value > most || (shift == 63 && byte > 1))
                c->bad = true;
            return c->bad ? 0 : value;
        }
    }
    c->bad = true;
    return 0;
}

/* ---- parts of a case */

static void take_difference(struct cursor *c, struct hardware_state *state)
{
    u64 count = take_number(c, CORPUS_ITEMS);

    for (u64 i = 0; i < count && !c->bad; i++) {
        struct corpus_item item = corpus_item_at((unsigned)take_number(c, CORPUS_ITEMS - 1));
        unsigned mask = take_u8(c);
        u8 *field = (u8 *)state + item.offset;

        if (item.size > 8)
            mask |= (unsigned)take_u8(c) << 8;
        c->bad |= mask >> item.size != 0;
        for (unsigned b = 0; b < item.size; b++)
            if (mask >> b & 1)
                field[b] = take_u8(c);
    }
}

static u8 take_runs(struct cursor *c, struct hardware_case *hc, struct hardware_bytes runs[HARDWARE_RUNS_MAX])
{
    u64 count = take_number(c, HARDWARE_RUNS_MAX);

    for (u64 i = 0; i < count && !c->bad; i++) {
        u32 address = (u32)take_number(c, 0xFFFFFFFF);
        u16 size = (u16)take_number(c, HARDWARE_BYTES_MAX - hc->bytes_used);

        c->bad |= !corpus_run_mapped(address, size);
        take_bytes(c, hc->bytes + hc->bytes_used, size);
        runs[i] = (struct hardware_bytes){.address = address, .size = size, .at = hc->bytes_used};
        hc->bytes_used = (u16)(hc->bytes_used + size);
    }
    return (u8)count;
}

static void take_instruction(struct cursor *c, struct hardware_case *hc)
{
    hc->mode = (enum hardware_mode)take_number(c, HARDWARE_MODES - 1);
    hc->length = (u8)take_number(c, sizeof hc->code);
    take_bytes(c, hc->code, hc->length);
    memset(hc->code + hc->length, 0, sizeof hc->code - hc->length);
}

static void take_case(const struct hardware_corpus *corpus, struct cursor *c, struct hardware_case *hc)
{
    take_instruction(c, hc);
    hc->before = corpus->pool[take_number(c, corpus->pool_count - 1)];
    take_difference(c, &hc->before);
    hc->vector = (u8)take_number(c, VECTORS - 1);
    hc->error = (u32)take_number(c, 0xFFFFFFFF);
    hc->cr2 = hc->vector == VECTOR_PF ? take_number(c, ~0ull) : 0;
    hc->bytes_used = 0;
    hc->runs_before = take_runs(c, hc, hc->before_run);
    hc->after = corpus_guess_after(&hc->before, hc->vector, hc->length);
    take_difference(c, &hc->after);
    hc->runs_after = take_runs(c, hc, hc->after_run);
    corpus_x87_to_stack(&hc->before);
    corpus_x87_to_stack(&hc->after);
    c->bad |= hc->length == 0 || !corpus_code_ok(hc->mode, hc->before.rip);
}

/* ---- the file */

static bool damaged(struct error *err, const char *path, const char *what)
{
    return error_set(err, EXIT_FILE, "%s: the hardware corpus is damaged (%s); restore it or record it again", path,
                     what);
}

static void take_source(struct cursor *c, struct hardware_source *s)
{
    take_bytes(c, s->processor, sizeof s->processor);
    s->vendor = (u8)take_number(c, 1);
    s->family = (u16)take_number(c, 0xFFFF);
    s->model = (u16)take_number(c, 0xFFFF);
    s->stepping = (u16)take_number(c, 0xFFFF);
    s->microcode = (u32)take_number(c, 0xFFFFFFFF);
    take_bytes(c, s->date, sizeof s->date);
    take_bytes(c, s->system, sizeof s->system);
    s->gdt_count = (u8)take_number(c, HARDWARE_DESCRIPTORS_MAX);
    s->ldt_count = (u8)take_number(c, HARDWARE_DESCRIPTORS_MAX);
    take_bytes(c, s->gdt, s->gdt_count * sizeof s->gdt[0]);
    take_bytes(c, s->ldt, s->ldt_count * sizeof s->ldt[0]);
    s->cr0_am = (u32)take_number(c, 1);
    s->cr4_fsgsbase = (u32)take_number(c, 1);
    s->cr4_umip = (u32)take_number(c, 1);
    c->bad |= !corpus_text_ok(s->processor, sizeof s->processor) || !corpus_text_ok(s->date, sizeof s->date) ||
              !corpus_text_ok(s->system, sizeof s->system);
}

/* Read everything once, so that no later read can fail. */
static bool check_contents(struct hardware_corpus *corpus, const char *path, struct error *err)
{
    struct cursor c = {.at = corpus->bytes, .end = corpus->bytes + corpus->size};
    struct hardware_case hc;
    char what[64];

    take_source(&c, &corpus->source);
    if (c.bad)
        return damaged(err, path, "its header");
    corpus->pool_count = (u32)take_number(&c, CORPUS_STATES_MAX);
    corpus->pool = calloc(corpus->pool_count + 1, sizeof *corpus->pool);
    if (corpus->pool == NULL)
        return error_set(err, EXIT_LIMIT, "%s: no memory for its states", path);
    for (u32 i = 0; i < corpus->pool_count && !c.bad; i++)
        take_difference(&c, &corpus->pool[i]);
    if (c.bad || corpus->pool_count == 0)
        return damaged(err, path, "its pool of states");

    /* A case has ten bytes at least, so that this is no more memory than the file's own. */
    corpus->count = (u32)take_number(&c, (u64)(c.end - c.at) / 10);
    corpus->at = calloc(corpus->count + 1, sizeof *corpus->at);
    if (corpus->at == NULL)
        return error_set(err, EXIT_LIMIT, "%s: no memory for %u cases", path, corpus->count);
    for (u32 i = 0; i < corpus->count; i++) {
        corpus->at[i] = (u32)(c.at - corpus->bytes);
        take_case(corpus, &c, &hc);
        if (c.bad) {
            snprintf(what, sizeof what, "case %u of %u, at byte %u unpacked", i, corpus->count, corpus->at[i]);
            return damaged(err, path, what);
        }
    }
    if (c.bad || c.at != c.end)
        return damaged(err, path, c.bad ? "its number of cases" : "bytes follow the last case");
    return true;
}

/* returns: the file's bytes; NULL with err set */
static u8 *read_file(const char *path, size_t *size, struct error *err)
{
    FILE *file = fopen(path, "rb");
    u8 *bytes = NULL;
    size_t room = 0, used = 0, got = 1;

    if (file == NULL) {
        error_set(err, EXIT_FILE, "%s: cannot open the hardware corpus: %s", path, strerror(errno));
        return NULL;
    }
    while (got != 0 && used <= CORPUS_UNPACKED_MAX) {
        if (used == room) {
            u8 *more = realloc(bytes, room = room * 2 + 65536);

            if (more == NULL)
                break;
            bytes = more;
        }
        got = fread(bytes + used, 1, room - used, file);
        used += got;
    }
    if (got != 0 || ferror(file)) {
        error_set(err, EXIT_FILE, "%s: cannot read the hardware corpus: %s", path,
                  ferror(file)                 ? strerror(errno)
                  : used > CORPUS_UNPACKED_MAX ? "it is larger than any corpus may be"
                                               : "no memory");
        free(bytes);
        bytes = NULL;
    }
    fclose(file);
    *size = used;
    return bytes;
}

/* in: size  of the frame */
static bool unpack(struct hardware_corpus *corpus, const u8 *frame, size_t size, const char *path, struct error *err)
{
    ZSTD_DCtx *context = ZSTD_createDCtx();
    size_t got;

    corpus->bytes = malloc(corpus->size + 1u);
    if (context == NULL || corpus->bytes == NULL) {
        ZSTD_freeDCtx(context);
        return error_set(err, EXIT_LIMIT, "%s: no memory for its %u bytes", path, corpus->size);
    }
    ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, (int)CORPUS_WINDOW_LOG);
    got = ZSTD_decompressDCtx(context, corpus->bytes, corpus->size, frame, size);
    ZSTD_freeDCtx(context);
    if (ZSTD_isError(got))
        return damaged(err, path, ZSTD_getErrorName(got));
    return got == corpus->size || damaged(err, path, "it unpacks to less than it says");
}

static bool read_packed(struct hardware_corpus *corpus, const u8 *file, size_t size, const char *path,
                        struct error *err)
{
    if (size < CORPUS_PREAMBLE || memcmp(file, CORPUS_MAGIC, 8) != 0)
        return error_set(err, EXIT_FILE, "%s: not a hardware corpus", path);
    if (load_le32(file + 8) != CORPUS_VERSION)
        return error_set(err, EXIT_FILE, "%s: a hardware corpus of version %u; this program reads version %u", path,
                         load_le32(file + 8), CORPUS_VERSION);
    corpus->size = load_le32(file + 16);
    if (corpus->size > CORPUS_UNPACKED_MAX)
        return damaged(err, path, "it says that it unpacks to more than any corpus may");
    if (crc32_z(0, file + 16, size - 16) != load_le32(file + 12))
        return damaged(err, path, "its checksum is another");
    return unpack(corpus, file + CORPUS_PREAMBLE, size - CORPUS_PREAMBLE, path, err);
}

struct hardware_corpus *hardware_corpus_open(const char *path, struct error *err)
{
    size_t size;
    u8 *file = read_file(path, &size, err);
    struct hardware_corpus *corpus = file != NULL ? calloc(1, sizeof *corpus) : NULL;
    bool good;

    if (corpus == NULL) {
        if (file != NULL)
            error_set(err, EXIT_LIMIT, "%s: no memory", path);
        free(file);
        return NULL;
    }
    good = read_packed(corpus, file, size, path, err);
    free(file);
    if (good && check_contents(corpus, path, err))
        return corpus;
    hardware_corpus_close(corpus);
    return NULL;
}

void hardware_corpus_close(struct hardware_corpus *corpus)
{
    if (corpus == NULL)
        return;
    free(corpus->pool);
    free(corpus->bytes);
    free(corpus->at);
    free(corpus);
}

const struct hardware_source *hardware_corpus_source(const struct hardware_corpus *corpus) { return &corpus->source; }
u32 hardware_corpus_count(const struct hardware_corpus *corpus) { return corpus->count; }

static struct cursor case_cursor(const struct hardware_corpus *corpus, u32 index)
{
    return (struct cursor){.at = corpus->bytes + corpus->at[index], .end = corpus->bytes + corpus->size};
}

void hardware_corpus_read(const struct hardware_corpus *corpus, u32 index, struct hardware_case *c)
{
    struct cursor cursor = case_cursor(corpus, index);

    take_case(corpus, &cursor, c);
}

void hardware_corpus_peek(const struct hardware_corpus *corpus, u32 index, struct hardware_case *c)
{
    struct cursor cursor = case_cursor(corpus, index);

    take_instruction(&cursor, c);
}

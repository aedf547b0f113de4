/* SPDX-License-Identifier: MIT
 * A MOO file as a stream of tests.
 */
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/bits.h"
#include "base/text.h"
#include "conform/moo/moo.h"

#define HEADER_MIN 12u
#define META_MIN 28u /* up to the mode */
/* Unknown chunks are skipped piecewise; one that is to be read may have this size. */
#define SMALL_CHUNK_MAX 4096u

struct moo_reader {
    char *path;
    gzFile file;
    u64 offset; /* in the unpacked file */
    struct moo_header header;
    u32 mask[MOO_REGISTERS]; /* of the whole file */
    u32 tests_read;
    bool waiting; /* the head of a chunk was read and its contents were not */
    u8 tag[4];
    u32 size;
    u8 *chunk; /* MOO_TEST_MAX bytes */
};

const char *moo_register_name(enum moo_register r, bool wide)
{
    static const char *const names[MOO_REGISTERS] = {"cr0", "cr3", "eax", "ebx",    "ecx", "edx", "esi",
                                                     "edi", "ebp", "esp", "cs",     "ds",  "es",  "fs",
                                                     "gs",  "ss",  "eip", "eflags", "dr6", "dr7"};

    return names[r] + (!wide && names[r][0] == 'e' && r != MOO_ES);
}

static const struct {
    char id[5];
    const char *name;
} cpus[MOO_CPUS] = {
    [MOO_8088] = {"8088", "8088"}, [MOO_8086] = {"8086", "8086"}, [MOO_V20] = {"V20 ", "V20"},
    [MOO_V30] = {"V30 ", "V30"},   [MOO_186] = {"186 ", "80186"}, [MOO_286] = {"C286", "80286"},
    [MOO_386] = {"386E", "80386"},
};

const char *moo_cpu_name(enum moo_cpu cpu) { return cpus[cpu].name; }

/* ---- bytes */

static bool damaged(const struct moo_reader *r, struct error *err, const char *what)
{
    return error_set(err, EXIT_FILE, "%s: at byte %llu: %s; get the file again", r->path, (unsigned long long)r->offset,
                     what);
}

/* What zlib says, without the name of the file that it puts in front. */
static const char *packing_error(const struct moo_reader *r, int *code)
{
    const char *text = gzerror(r->file, code), *behind = strrchr(text, ':');

    if (*code == Z_ERRNO || text[0] == '\0')
        return *code == Z_ERRNO ? "cannot be read" : "damaged";
    return behind != NULL && behind[1] == ' ' ? behind + 2 : text;
}

/* returns: bytes read, fewer than size only at the end of the file; or -1 with err set */
static i64 read_some(struct moo_reader *r, void *out, u32 size, struct error *err)
{
    int got = gzread(r->file, out, size), code;

    if (got < 0 || (u32)got < size) {
        const char *text = packing_error(r, &code);

        if (got < 0 || (code != Z_OK && code != Z_STREAM_END)) {
            damaged(r, err, text);
            return -1;
        }
    }
    r->offset += (u32)got;
    if (r->offset > MOO_FILE_MAX) {
        error_set(err, EXIT_FILE, "%s: unpacks to more than %llu MiB, which no capture does", r->path,
                  MOO_FILE_MAX >> 20);
        return -1;
    }
    return got;
}

static bool read_all(struct moo_reader *r, void *out, u32 size, struct error *err)
{
    i64 got = read_some(r, out, size, err);

    if (got < 0)
        return false;
    return got == size || damaged(r, err, "the file ends inside a chunk");
}

static bool skip(struct moo_reader *r, u32 size, struct error *err)
{
    u8 waste[4096];

    while (size != 0) {
        u32 piece = size < sizeof waste ? size : (u32)sizeof waste;

        if (!read_all(r, waste, piece, err))
            return false;
        size -= piece;
    }
    return true;
}

/* ---- chunks */

enum head { HEAD_CHUNK, HEAD_END, HEAD_BAD };

/* The next chunk's tag and size. */
static enum head read_head(struct moo_reader *r, struct error *err)
{
    u8 head[8];
    i64 got;

    if (r->waiting)
        return HEAD_CHUNK;
    got = read_some(r, head, sizeof head, err);
    if (got <= 0)
        return got < 0 ? HEAD_BAD : HEAD_END;
    if (got < (i64)sizeof head) {
        damaged(r, err, "the file ends inside a chunk's head");
        return HEAD_BAD;
    }
    memcpy(r->tag, head, 4);
    r->size = load_le32(head + 4);
    r->waiting = true;
    return HEAD_CHUNK;
}

static bool is(const struct moo_reader *r, const char *tag) { return memcmp(r->tag, tag, 4) == 0; }

/* Contents of the chunk whose head was read: at least `least` bytes of it into out, what is more skipped. */
static bool read_fixed(struct moo_reader *r, u8 *out, u32 least, struct error *err)
{
    r->waiting = false;
    if (r->size < least)
        return damaged(r, err, "a chunk is too short");
    return read_all(r, out, least, err) && skip(r, r->size - least, err);
}

static bool read_file_head(struct moo_reader *r, struct error *err)
{
    u8 head[HEADER_MIN];

    switch (read_head(r, err)) {
    case HEAD_BAD: return false;
    case HEAD_END: return error_set(err, EXIT_FILE, "%s: empty, not a MOO file", r->path);
    case HEAD_CHUNK: break;
    }
    if (!is(r, "MOO "))
        return error_set(err, EXIT_FILE, "%s: not a MOO file: it does not begin with a chunk 'MOO '", r->path);
    if (!read_fixed(r, head, sizeof head, err))
        return false;
    if (head[0] != 1)
        return error_set(err, EXIT_FILE, "%s: MOO version %u.%u; this reader knows version 1", r->path, head[0],
                         head[1]);
    r->header.tests = load_le32(head + 4);
    for (unsigned i = 0; i < MOO_CPUS; i++) {
        if (memcmp(head + 8, cpus[i].id, 4) == 0) {
            r->header.cpu = (enum moo_cpu)i;
            return true;
        }
    }
    for (unsigned i = 8; i < 12; i++)
        head[i] = head[i] >= 0x20 && head[i] < 0x7F ? head[i] : '?';
    return error_set(err, EXIT_FILE, "%s: captures of a processor '%.4s', which this reader does not know", r->path,
                     (const char *)head + 8);
}

static bool read_meta(struct moo_reader *r, struct error *err)
{
    u8 meta[META_MIN];
    unsigned length = 8;

    if (!read_fixed(r, meta, sizeof meta, err))
        return false;
    while (length > 0 && (meta[6 + length] == ' ' || meta[6 + length] == '\0'))
        length--;
    for (unsigned i = 0; i < length; i++) {
        u8 c = meta[7 + i];

        r->header.mnemonic[i] = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c > 0x20 && c < 0x7F ? c : '?');
    }
    r->header.mode = meta[27];
    return true;
}

static bool read_masks(struct moo_reader *r, struct error *err)
{
    bool wide = is(r, "RM32");
    struct moo_registers masks;

    r->waiting = false;
    if (r->size > SMALL_CHUNK_MAX)
        return damaged(r, err, "a chunk of masks is too long");
    if (!read_all(r, r->chunk, r->size, err))
        return false;
    if (!moo_parse_registers(r->chunk, r->size, wide, &masks))
        return damaged(r, err, "a chunk of masks has not the size that it says");
    for (unsigned i = 0; i < MOO_REGISTERS; i++)
        if (masks.present >> i & 1)
            r->mask[i] = masks.value[i];
    return true;
}

/* Everything up to the next test. returns: HEAD_CHUNK: a TEST chunk's head was read */
static enum head next_test_head(struct moo_reader *r, struct error *err)
{
    enum head head;

    while ((head = read_head(r, err)) == HEAD_CHUNK && !is(r, "TEST")) {
        bool ok;

        if (is(r, "META")) {
            ok = read_meta(r, err);
        } else if (is(r, "RMSK") || is(r, "RM32")) {
            ok = read_masks(r, err);
        } else {
            r->waiting = false;
            ok = skip(r, r->size, err);
        }
        if (!ok)
            return HEAD_BAD;
    }
    return head;
}

/* ---- the file */

struct moo_reader *moo_open(const char *path, struct error *err)
{
    struct moo_reader *r = calloc(1, sizeof *r);

    if (r != NULL) {
        r->path = strdup(path);
        r->chunk = malloc(MOO_TEST_MAX);
    }
    if (r == NULL || r->path == NULL || r->chunk == NULL) {
        moo_close(r);
        error_set(err, EXIT_LIMIT, "no memory to read %s", path);
        return NULL;
    }
    text_make_plain(r->path);
    memset(r->mask, 0xFF, sizeof r->mask);
    r->file = gzopen(path, "rb");
    if (r->file == NULL) {
        error_set(err, EXIT_FILE, "%s: cannot be opened", r->path);
        moo_close(r);
        return NULL;
    }
    gzbuffer(r->file, 1u << 16);
    if (!read_file_head(r, err) || next_test_head(r, err) == HEAD_BAD) {
        moo_close(r);
        return NULL;
    }
    return r;
}

void moo_close(struct moo_reader *r)
{
    if (r == NULL)
        return;
    if (r->file != NULL)
        gzclose(r->file);
    free(r->path);
    free(r->chunk);
    free(r);
}

const struct moo_header *moo_header(const struct moo_reader *r) { return &r->header; }

enum moo_next moo_next(struct moo_reader *r, struct moo_test *test, struct error *err)
{
    enum head head = next_test_head(r, err);
    u64 offset = r->offset - 8;

    if (head == HEAD_BAD)
        return MOO_BAD;
    if (head == HEAD_END) {
        if (r->tests_read < r->header.tests) {
            error_set(err, EXIT_FILE, "%s: ends behind %u of %u tests; get the file again", r->path, r->tests_read,
                      r->header.tests);
            return MOO_BAD;
        }
        return MOO_END;
    }
    r->waiting = false;
    if (r->size > MOO_TEST_MAX) {
        damaged(r, err, "a test is larger than 1 MiB");
        return MOO_BAD;
    }
    if (!read_all(r, r->chunk, r->size, err) || !moo_parse_test(r->chunk, r->size, r->mask, offset, r->path, test, err))
        return MOO_BAD;
    r->tests_read++;
    return MOO_TEST;
}

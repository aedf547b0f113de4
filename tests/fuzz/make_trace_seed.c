/* SPDX-License-Identifier: MIT
 * A recording as a seed of fuzz_trace: its body, with every section unpacked, so that mutations reach what a section
 * holds. usage: make_trace_seed IN.trace OUT [SIZE]       SIZE: cut the body to so many bytes
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "base/bits.h"
#include "trace_body.h"

#define SEED_MAX (256u << 10)

static int fail(const char *path, const char *what)
{
    fprintf(stderr, "%s: %s\n", path, what);
    return 1;
}

/* Append the section at `in` to out, unpacked. returns: bytes of it in the file, 0 when it makes no sense. */
static size_t unpack(const u8 *in, size_t size, u8 *out, size_t *used)
{
    struct trace_section s;
    size_t room = SEED_MAX - *used;

    if (size < sizeof s)
        return 0;
    memcpy(&s, in, sizeof s);
    if (s.marker != TRACE_SECTION_MARKER || s.stored > size - sizeof s || sizeof s + s.raw > room)
        return 0;
    u8 *payload = out + *used + sizeof s;
    if (!(s.flags & SECTION_ZSTD))
        memcpy(payload, in + sizeof s, s.stored);
    else if (ZSTD_decompress(payload, s.raw, in + sizeof s, s.stored) != s.raw)
        return 0;
    size_t whole = sizeof s + s.stored;
    s.flags &= ~(u32)SECTION_ZSTD;
    s.stored = s.raw;
    memcpy(out + *used, &s, sizeof s);
    *used += sizeof s + s.raw;
    return whole;
}

static size_t unpack_all(const u8 *in, size_t size, u8 *out)
{
    size_t at = TRACE_MAGIC_SIZE, used = 0;

    while (at < size && size - at > TRACE_FOOTER_SIZE) {
        size_t whole = unpack(in + at, size - at, out, &used);

        if (whole == 0)
            return 0;
        if (load_le32(in + at + offsetof(struct trace_section, tag)) == TAG_SCHEMA)
            used = 0;
        at += whole;
    }
    if (size - at != TRACE_FOOTER_SIZE || SEED_MAX - used < TRACE_FOOTER_SIZE)
        return 0;
    memcpy(out + used, in + at, TRACE_FOOTER_SIZE);
    return used + TRACE_FOOTER_SIZE;
}

int main(int argc, char **argv)
{
    u8 *in = malloc(SEED_MAX), *out = malloc(SEED_MAX);
    FILE *file;
    size_t size;

    if (argc < 3 || !in || !out)
        return fail(argv[0], "usage: make_trace_seed IN.trace OUT [SIZE]");
    file = fopen(argv[1], "rb");
    if (!file)
        return fail(argv[1], "cannot be read");
    size = fread(in, 1, SEED_MAX, file);
    fclose(file);
    size = unpack_all(in, size, out);
    if (size == 0)
        return fail(argv[1], "not a whole recording, or too large for a seed");
    trace_body_repair(out, size);
    if (argc > 3 && strtoul(argv[3], NULL, 10) < size)
        size = strtoul(argv[3], NULL, 10);
    file = fopen(argv[2], "wb");
    if (!file || fwrite(out, 1, size, file) != size || fclose(file) != 0)
        return fail(argv[2], "cannot be written");
    free(in);
    free(out);
    return 0;
}

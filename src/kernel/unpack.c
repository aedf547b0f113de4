/* SPDX-License-Identifier: MIT
 * The ELF inside a kernel file. Linux, "The Linux/x86 Boot Protocol" (setup_sects, payload_offset, payload_length); the
 * formats of the packers are their libraries' business, but for LZ4's legacy frame, which its library does not read.
 */
#include <lz4.h>
#include <lzma.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "base/bits.h"
#include "kernel/image.h"
#include "kernel/pack.h"

#define LZMA_MEMORY_LIMIT (400ull << 20) /* a dictionary of 256 MiB, more than any kernel is packed with */
#define LZ4_BLOCK_LIMIT (8u << 20)       /* of the legacy frame, unpacked */

/* Unpack all of in into out. returns: bytes made; SIZE_MAX when the stream is damaged or makes more than `room` */
typedef size_t unpack_fn(const u8 *in, size_t size, u8 *out, size_t room);

static size_t unpack_lzma(lzma_stream *stream, lzma_ret ready, const u8 *in, size_t size, u8 *out, size_t room)
{
    lzma_ret done;
    size_t made;

    if (ready != LZMA_OK)
        return SIZE_MAX;
    stream->next_in = in;
    stream->avail_in = size;
    stream->next_out = out;
    stream->avail_out = room;
    do
        done = lzma_code(stream, LZMA_RUN);
    while (done == LZMA_OK && stream->avail_in != 0 && stream->avail_out != 0);
    made = room - stream->avail_out;
    lzma_end(stream);
    return done == LZMA_STREAM_END || (done == LZMA_OK && made == room) ? made : SIZE_MAX;
}

static size_t unpack_xz(const u8 *in, size_t size, u8 *out, size_t room)
{
    lzma_stream stream = LZMA_STREAM_INIT;

    return unpack_lzma(&stream, lzma_stream_decoder(&stream, LZMA_MEMORY_LIMIT, 0), in, size, out, room);
}

static size_t unpack_lzma_alone(const u8 *in, size_t size, u8 *out, size_t room)
{
    lzma_stream stream = LZMA_STREAM_INIT;

    return unpack_lzma(&stream, lzma_alone_decoder(&stream, LZMA_MEMORY_LIMIT), in, size, out, room);
}

static size_t unpack_gzip(const u8 *in, size_t size, u8 *out, size_t room)
{
    z_stream stream = {.next_in = (u8 *)(uintptr_t)in, .avail_in = (uInt)size};
    int done;

    stream.next_out = out;
    stream.avail_out = (uInt)room;
    if (inflateInit2(&stream, 16 + MAX_WBITS) != Z_OK)
        return SIZE_MAX;
    done = inflate(&stream, Z_FINISH);
    inflateEnd(&stream);
    return done == Z_STREAM_END ? room - stream.avail_out : SIZE_MAX;
}

static size_t unpack_zstd(const u8 *in, size_t size, u8 *out, size_t room)
{
    size_t frame = ZSTD_findFrameCompressedSize(in, size);
    size_t made = ZSTD_isError(frame) ? frame : ZSTD_decompress(out, room, in, frame);

    return ZSTD_isError(made) ? SIZE_MAX : made;
}

/* A legacy frame: the magic number, then blocks, each behind its packed size; a new magic number may come between. */
static size_t unpack_lz4(const u8 *in, size_t size, u8 *out, size_t room)
{
    size_t made = 0, at = 4;

    while (size - at >= 4 && made < room) {
        u32 packed = load_le32(in + at);
        size_t left = room - made;
        int got;

        at += 4;
        if (packed == 0x184c2102u)
            continue;
        if (packed > size - at || packed > INT32_MAX)
            return SIZE_MAX;
        got = LZ4_decompress_safe((const char *)in + at, (char *)out + made, (int)packed,
                                  (int)(left < LZ4_BLOCK_LIMIT ? left : LZ4_BLOCK_LIMIT));
        if (got < 0)
            return SIZE_MAX;
        made += (size_t)got;
        at += packed;
    }
    return made;
}

static const struct packing {
    const char *name;
    const char *magic;
    size_t magic_size;
    unpack_fn *unpack; /* NULL: no library for it here */
    bool sized;        /* the payload's last 4 bytes, its unpacked size, stand behind the stream; else they are of it */
} packings[] = {
    {"gzip", "\x1f\x8b\x08", 3, unpack_gzip, false},
    {"XZ",
     "\xfd"
     "7zXZ",
     6, unpack_xz, true}, /* with the 0 that ends the literal */
    {"LZ4", "\x02\x21\x4c\x18", 4, unpack_lz4, true},
    {"zstd", "\x28\xb5\x2f\xfd", 4, unpack_zstd, true},
    {"LZMA", "\x5d\x00\x00", 3, unpack_lzma_alone, true},
    {"bzip2", "BZh", 3, NULL, true},
    {"LZO", "\x89LZO", 4, NULL, true},
};

static const struct packing *find_packing(const u8 *bytes, size_t size)
{
    for (size_t i = 0; i < ARRAY_LEN(packings); i++) {
        if (size > packings[i].magic_size + 4 && memcmp(bytes, packings[i].magic, packings[i].magic_size) == 0)
            return &packings[i];
    }
    return NULL;
}

static bool is_elf(const u8 *bytes, size_t size) { return size >= 52 && memcmp(bytes, "\177ELF", 4) == 0; }

/* Unpack a stream whose last 4 bytes tell the size. */
static bool unpack_sized(const struct packing *p, const u8 *in, size_t size, const char *name, size_t limit, u8 **elf,
                         size_t *elf_size, struct error *err)
{
    size_t wanted = load_le32(in + size - 4), made;
    u8 *out;

    if (p->unpack == NULL)
        return error_set(
            err, EXIT_FILE,
            "%s: the kernel is packed by %s, which is not supported: unpack it, and give the ELF (vmlinux)", name,
            p->name);
    if (wanted > limit || wanted == 0)
        return error_set(err, EXIT_FILE, "%s: the kernel announces %zu bytes unpacked; 1 to %zu are taken", name,
                         wanted, limit);
    /* No format packs more than some thousand to one: do not set aside much memory on the word of a few bytes. */
    if (wanted / 16384 > size)
        return error_set(err, EXIT_FILE, "%s: %zu packed bytes cannot hold the %zu bytes that they announce", name,
                         size, wanted);
    out = kernel_alloc(wanted);
    made = p->unpack(in, p->sized ? size - 4 : size, out, wanted);
    if (made != wanted || !is_elf(out, made)) {
        free(out);
        if (made == SIZE_MAX)
            return error_set(err, EXIT_FILE, "%s: the kernel is damaged: its %s stream does not unpack", name, p->name);
        return error_set(err, EXIT_FILE, "%s: the kernel is damaged: %zu of %zu bytes unpacked%s", name, made, wanted,
                         made == wanted ? ", which are no ELF" : "");
    }
    *elf = out;
    *elf_size = made;
    return true;
}

/* The fields of the setup header. */
enum {
    SETUP_SECTS = 0x1f1,
    BOOT_FLAG = 0x1fe,
    HEADER_MAGIC = 0x202,
    VERSION = 0x206,
    PAYLOAD = 0x248,
    HEADER_END = 0x250
};

static bool unpack_bzimage(const u8 *bytes, size_t size, const char *name, size_t limit, u8 **elf, size_t *elf_size,
                           char *how, size_t how_size, struct error *err)
{
    unsigned version = load_le16(bytes + VERSION);
    u64 start, length;
    const struct packing *p;

    if (version < 0x208)
        return error_set(err, EXIT_FILE,
                         "%s: a bzImage of boot protocol %u.%02u does not say where its kernel is (2.08 and later do)",
                         name, version >> 8, version & 0xff);
    start = ((u64)(bytes[SETUP_SECTS] == 0 ? 4 : bytes[SETUP_SECTS]) + 1) * 512 + load_le32(bytes + PAYLOAD);
    length = load_le32(bytes + PAYLOAD + 4);
    if (start > size || length > size - start)
        return error_set(err, EXIT_FILE,
                         "%s is cut short or damaged: the packed kernel is said to end at byte %llu, the file has %zu",
                         name, (unsigned long long)(start + length), size);
    if (is_elf(bytes + start, length)) { /* CONFIG_KERNEL_UNCOMPRESSED */
        *elf = kernel_alloc(length);
        memcpy(*elf, bytes + start, length);
        *elf_size = length;
        snprintf(how, how_size, "bzImage, payload not packed, %zu bytes at 0x%llx", *elf_size,
                 (unsigned long long)start);
        return true;
    }
    p = find_packing(bytes + start, length);
    if (p == NULL)
        return error_set(err, EXIT_FILE, "%s: the kernel at byte %llu is packed by none of gzip, XZ, LZ4, zstd, LZMA",
                         name, (unsigned long long)start);
    if (!unpack_sized(p, bytes + start, length, name, limit, elf, elf_size, err))
        return false;
    snprintf(how, how_size, "bzImage, payload %s, %llu bytes at 0x%llx, unpacked %zu bytes", p->name,
             (unsigned long long)length, (unsigned long long)start, *elf_size);
    return true;
}

bool kernel_unpack_file(const u8 *bytes, size_t size, const char *name, size_t limit, u8 **elf, size_t *elf_size,
                        char *how, size_t how_size, struct error *err)
{
    const struct packing *p = find_packing(bytes, size);

    if (size >= HEADER_END && load_le16(bytes + BOOT_FLAG) == 0xaa55 && memcmp(bytes + HEADER_MAGIC, "HdrS", 4) == 0)
        return unpack_bzimage(bytes, size, name, limit, elf, elf_size, how, how_size, err);
    if (is_elf(bytes, size)) {
        *elf = kernel_alloc(size);
        memcpy(*elf, bytes, size);
        *elf_size = size;
        snprintf(how, how_size, "ELF, %zu bytes", size);
        return true;
    }
    if (p != NULL && p->unpack == unpack_gzip) {
        if (!unpack_sized(p, bytes, size, name, limit, elf, elf_size, err))
            return false;
        snprintf(how, how_size, "ELF in gzip, %zu bytes, unpacked %zu bytes", size, *elf_size);
        return true;
    }
    return error_set(err, EXIT_FILE, "%s: not a Linux kernel: neither a bzImage nor an ELF (vmlinux), plain or in gzip",
                     name);
}

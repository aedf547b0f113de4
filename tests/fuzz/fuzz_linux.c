/* SPDX-License-Identifier: MIT
 * A system call with hostile arguments and memory, printed and visited. The input, little-endian: the interface (1
 * byte), the number (2), whether it returned (1), the result (8), six arguments (8 each); the rest is the caller's
 * memory, which stands at BASE. As in a recording the printer gets what visits have kept, one at the entry, one at the
 * return. It must neither crash nor read or print without end.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "fuzz.h"
#include "linux/linux.h"

#define BASE 0x10000u
#define HEAD (1 + 2 + 1 + 8 + 6 * 8)
#define READS 100000u   /* of one call */
#define OUTPUT (8u << 20) /* bytes: a call reads a MiB at most, and a byte is shown as four at most */

struct memory {
    const uint8_t *bytes;
    uint8_t *kept; /* 1 for each byte that a visit has read */
    size_t size;
    bool keeping;
    unsigned reads;
};

static bool read_memory(void *context, u64 address, void *out, size_t size)
{
    struct memory *m = context;
    size_t at = (size_t)(address - BASE);

    if (++m->reads > READS)
        abort();
    if (address < BASE || address - BASE > m->size || size > m->size - at)
        return false;
    for (size_t i = at; i < at + size; i++) {
        if (m->keeping)
            m->kept[i] = 1;
        else if (!m->kept[i])
            return false; /* a recording does not have it */
    }
    memcpy(out, m->bytes + at, size);
    return true;
}

static void memory_init(struct memory *m, const uint8_t *bytes, size_t size)
{
    *m = (struct memory){.bytes = bytes, .size = size, .keeping = true, .kept = calloc(1, size + 1)};
    if (!m->kept)
        abort();
}

static void print(const struct linux_call *call, const struct linux_style *style)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    if (!out)
        abort();
    linux_print_call(out, call, style);
    linux_print_result(out, call, style);
    fclose(out);
    if (size > OUTPUT || strlen(text) != size)
        abort(); /* a name may hold anything, but bytes that are no text are escaped */
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < HEAD)
        return 0;

    struct memory in, out;
    struct linux_memory reader_in = {&in, read_memory}, reader_out = {&out, read_memory};
    struct linux_call call = {.in = &reader_in};
    struct linux_style style = {0};

    memory_init(&in, data + HEAD, size - HEAD);
    memory_init(&out, data + HEAD, size - HEAD);
    call.abi = data[0] % LINUX_ABIS;
    call.number = (u64)(data[1] | data[2] << 8);
    style.raw = data[3] >> 7;
    style.string_limit = data[3] & 2 ? 4096 : 0;
    for (unsigned i = 0; i < LINUX_ARGS; i++)
        call.arg[i] = load_le64(data + 12 + 8 * i);
    linux_visit_memory(&call, &style);
    in.keeping = false;
    in.reads = 0;
    if (data[3] & 1) {
        struct memory again; /* what is read there at the return is not kept */
        struct linux_memory not_kept = {&again, read_memory};

        memory_init(&again, data + HEAD, size - HEAD);
        call.returned = true;
        call.result = (i64)load_le64(data + 4);
        call.in = &not_kept;
        call.out = &reader_out;
        linux_visit_memory(&call, &style);
        out.keeping = false;
        out.reads = 0;
        call.in = &reader_in;
        free(again.kept);
    }
    print(&call, &style);
    free(in.kept);
    free(out.kept);
    return 0;
}

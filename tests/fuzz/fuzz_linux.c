/* SPDX-License-Identifier: MIT
 * A system call with hostile arguments and memory, printed and visited. The input, little-endian: the interface (1
 * byte), the number (2), whether it returned (1), the result (8), six arguments (8 each); the rest is the caller's
 * memory, which stands at BASE. A printer that only ever reads what it is given must neither crash nor take long, and
 * what a visit reads must be what a print reads.
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
#define OUTPUT 1000000u /* bytes */

struct memory {
    const uint8_t *bytes;
    size_t size;
    unsigned reads;
    u64 sum; /* of what was asked for */
};

static bool read_memory(void *context, u64 address, void *out, size_t size)
{
    struct memory *m = context;

    m->reads++;
    m->sum = (m->sum ^ address ^ (u64)size << 48) * 0x100000001B3;
    if (m->reads > READS)
        abort();
    if (address < BASE || address - BASE > m->size || size > m->size - (address - BASE))
        return false;
    memcpy(out, m->bytes + (address - BASE), size);
    return true;
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

    struct memory in = {.bytes = data + HEAD, .size = size - HEAD}, out = in;
    struct linux_memory reader_in = {&in, read_memory}, reader_out = {&out, read_memory};
    struct linux_call call = {.in = &reader_in};
    struct linux_style style = {0};

    call.abi = data[0] % LINUX_ABIS;
    call.number = (u64)(data[1] | data[2] << 8);
    call.returned = data[3] & 1;
    style.raw = data[3] >> 7;
    style.string_limit = data[3] & 2 ? 4096 : 0;
    call.result = (i64)load_le64(data + 4);
    call.out = call.returned ? &reader_out : NULL;
    for (unsigned i = 0; i < LINUX_ARGS; i++)
        call.arg[i] = load_le64(data + 12 + 8 * i);
    print(&call, &style);
    u64 printed_in = in.sum, printed_out = out.sum;
    in.sum = out.sum = 0;
    in.reads = out.reads = 0;
    linux_visit_memory(&call, &style);
    if (!style.raw && (in.sum != printed_in || out.sum != printed_out))
        abort(); /* what is recorded is what will be printed */
    return 0;
}

/* SPDX-License-Identifier: MIT
 * Numbers and strings in bytes.
 */
#include "kernel/pack.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *kernel_alloc(size_t size)
{
    void *new = calloc(1, size + (size == 0));

    if (new == NULL) {
        fprintf(stderr, "ringside: out of memory\n");
        abort();
    }
    return new;
}

void *kernel_grow(void *old, size_t *room, size_t wanted, size_t each)
{
    size_t more = *room + *room / 2 + 64;
    void *new;

    if (wanted <= *room)
        return old;
    if (more < wanted)
        more = wanted;
    new = reallocarray(old, more, each);
    if (new == NULL) {
        fprintf(stderr, "ringside: out of memory\n");
        abort();
    }
    *room = more;
    return new;
}

void pack_bytes(struct pack_writer *w, const void *bytes, size_t size)
{
    w->bytes = kernel_grow(w->bytes, &w->room, w->size + size, 1);
    if (size != 0)
        memcpy(w->bytes + w->size, bytes, size);
    w->size += size;
}

void pack_number(struct pack_writer *w, u64 value)
{
    u8 digits[10];
    size_t n = 0;

    for (; value >= 0x80; value >>= 7)
        digits[n++] = (u8)(value | 0x80);
    digits[n++] = (u8)value;
    pack_bytes(w, digits, n);
}

void pack_string(struct pack_writer *w, const char *text) { pack_bytes(w, text, strlen(text) + 1); }

u64 unpack_number(struct pack_reader *r)
{
    u64 value = 0;

    for (unsigned shift = 0; shift < 64; shift += 7) {
        u8 digit;

        if (r->at == r->end)
            break;
        digit = *r->at++;
        if (shift == 63 && digit > 1)
            break;
        value |= (u64)(digit & 0x7f) << shift;
        if (!(digit & 0x80))
            return value;
    }
    r->failed = true;
    return 0;
}

const char *unpack_string(struct pack_reader *r)
{
    const char *text = (const char *)r->at;
    const u8 *zero = memchr(r->at, 0, (size_t)(r->end - r->at));

    if (zero == NULL) {
        r->failed = true;
        return "";
    }
    r->at = zero + 1;
    return text;
}

size_t unpack_count(struct pack_reader *r, size_t each)
{
    u64 count = unpack_number(r);

    if (count <= (u64)(r->end - r->at) / each)
        return (size_t)count;
    r->failed = true;
    return 0;
}

const u8 *unpack_bytes(struct pack_reader *r, size_t size)
{
    const u8 *bytes = r->at;

    if (size > (size_t)(r->end - r->at)) {
        r->failed = true;
        return NULL;
    }
    r->at += size;
    return bytes;
}

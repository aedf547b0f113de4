/* SPDX-License-Identifier: MIT
 * Pieces of guest memory gathered for one event or one call, and read back as memory.
 */
#include "trace/pieces.h"

#include <stdlib.h>
#include <string.h>

static void *grown(void *old, size_t *capacity, size_t need, size_t unit)
{
    void *grown;

    if (need <= *capacity)
        return old;
    *capacity = need * 2;
    grown = realloc(old, *capacity * unit);
    if (!grown)
        abort();
    return grown;
}

void pieces_add(struct pieces *p, enum data_kind kind, u64 event, u64 address, const void *bytes, size_t size)
{
    if (size == 0 || size > PIECES_MAX_BYTES - p->size || p->count == PIECES_MAX)
        return;
    p->piece = grown(p->piece, &p->capacity, p->count + 1, sizeof *p->piece);
    p->bytes = grown(p->bytes, &p->bytes_capacity, p->size + size, 1);
    p->piece[p->count++] = (struct data_piece){
        .event = event, .address = address, .size = (u32)size, .kind = (u8)kind, .offset = (u32)p->size};
    memcpy(p->bytes + p->size, bytes, size);
    p->size += size;
}

struct data_piece pieces_get(const struct pieces *p, size_t i)
{
    struct data_piece piece = p->piece[i];

    piece.bytes = p->bytes + piece.offset;
    return piece;
}

void pieces_clear(struct pieces *p) { p->count = p->size = 0; }

void pieces_free(struct pieces *p)
{
    free(p->piece);
    free(p->bytes);
    *p = (struct pieces){0};
}

/* The longest run of bytes that one piece has at an address. */
static size_t longest(const struct pieces_memory *m, u64 address, const u8 **bytes)
{
    size_t best = 0;

    for (size_t i = 0; i < m->pieces->count; i++) {
        const struct data_piece *piece = &m->pieces->piece[i];
        u64 into = address - piece->address;

        if (piece->kind == m->kind && into < piece->size && piece->size - into > best) {
            best = piece->size - into;
            *bytes = m->pieces->bytes + piece->offset + into;
        }
    }
    return best;
}

static bool read_pieces(void *context, u64 address, void *out, size_t size)
{
    u8 *to = out;

    while (size) {
        const u8 *bytes = NULL;
        size_t n = longest(context, address, &bytes);

        if (n == 0)
            return false;
        if (n > size)
            n = size;
        memcpy(to, bytes, n);
        to += n;
        address += n;
        size -= n;
    }
    return true;
}

void pieces_memory_init(struct pieces_memory *m, const struct pieces *pieces, enum data_kind kind)
{
    m->pieces = pieces;
    m->kind = kind;
    m->memory = (struct linux_memory){.context = m, .read = read_pieces};
}

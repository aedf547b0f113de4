/* SPDX-License-Identifier: MIT
 * The guest's memory as text: structures, strings, buffers, arrays. What cannot be read is an address.
 */
#include "linux/print.h"

void mem_use_in(struct print *p) { p->memory = p->call->in; }

void mem_use_out(struct print *p) { p->memory = p->call->out; }

bool mem_read(struct print *p, u64 address, void *out, size_t size)
{
    if (address == 0 || p->memory == NULL || size > p->budget)
        return false;
    if (address + size < address || (p->narrow && address + size > 1ull << 32))
        return false;
    if (size == 0)
        return true;
    p->budget -= size;
    return p->memory->read(p->memory->context, address, out, size);
}

bool mem_read_word(struct print *p, u64 address, u64 *out)
{
    u8 bytes[8];
    if (!mem_read(p, address, bytes, p->word))
        return false;
    *out = get_word(p, bytes);
    return true;
}

bool put_or_read(struct print *p, u64 address, void *out, size_t size)
{
    if (mem_read(p, address, out, size))
        return true;
    put_address(p, address);
    return false;
}

/* A string's bytes, in pieces that end where 32 bytes end, so that none needs a page that the string does not reach.
 * returns: false when they are not known up to the NUL or to size
 * effects: *length bytes are in out; *ended when a NUL stands behind them */
static bool read_string(struct print *p, u64 address, u8 *out, size_t size, size_t *length, bool *ended)
{
    enum { PIECE = 32 };
    *length = 0;
    *ended = false;
    while (*length < size) {
        size_t piece = PIECE - (size_t)(address & (PIECE - 1));
        piece = piece < size - *length ? piece : size - *length;
        if (!mem_read(p, address, out + *length, piece))
            return false;
        const u8 *end = memchr(out + *length, 0, piece);
        if (end != NULL) {
            *length = (size_t)(end - out);
            *ended = true;
            return true;
        }
        *length += piece;
        address += piece;
    }
    return true;
}

void put_string(struct print *p, u64 address, size_t limit)
{
    u8 bytes[PATH_LIMIT];
    size_t length;
    bool ended;
    limit = limit < sizeof bytes - 1 ? limit : sizeof bytes - 1;
    if (read_string(p, address, bytes, limit + 1, &length, &ended))
        put_quoted(p, bytes, ended ? length : limit, !ended);
    else
        put_address(p, address);
}

void put_path(struct print *p, u64 address) { put_string(p, address, PATH_LIMIT - 1); }

void put_buffer(struct print *p, u64 address, u64 size)
{
    u8 bytes[STRING_LIMIT];
    u64 shown = size < p->limit ? size : p->limit;
    if (put_or_read(p, address, bytes, (size_t)shown))
        put_quoted(p, bytes, (size_t)shown, size > shown);
}

#define ELEMENT_LIMIT 256u

void put_array(struct print *p, u64 address, u64 count, size_t size, element_fn *element)
{
    u8 bytes[ELEMENT_LIMIT];
    if (address == 0) {
        put_text(p, "NULL");
        return;
    }
    if (count == 0) {
        put_text(p, "[]");
        return;
    }
    for (u64 i = 0; i < count; i++, address += size) {
        if (i >= p->limit) {
            put_text(p, ", ...");
            break;
        }
        if (!mem_read(p, address, bytes, size)) {
            if (i == 0) {
                put_address(p, address);
                return;
            }
            put_format(p, ", ... /* %#llx */", (unsigned long long)address);
            break;
        }
        put_text(p, i == 0 ? "[" : ", ");
        element(p, bytes);
    }
    put_char(p, ']');
}

void put_element_u32_hex(struct print *p, const u8 *bytes) { put_hex(p, load_le32(bytes)); }

void put_element_int(struct print *p, const u8 *bytes) { put_signed(p, (i32)load_le32(bytes)); }

/* SPDX-License-Identifier: MIT
 * A table of symbols in address order: built once, then looked up by address or name. It can be packed into bytes, as a
 * recording keeps it, and unpacked again; packed bytes are distrusted.
 */
#ifndef RINGSIDE_KERNEL_SYMBOLS_H
#define RINGSIDE_KERNEL_SYMBOLS_H

#include "base/error.h"

struct symbols;

struct symbol {
    u64 address;
    const char *name; /* lives as long as the table */
    char type;        /* nm's letter: t and T are code */
};

/* Building: new, add in any order, then sort once. Never returns NULL (aborts when the host has no memory). */
struct symbols *symbols_new(void);
void symbols_add(struct symbols *s, u64 address, char type, const char *name, size_t length);
/* A section ends here (the address after its last byte): what follows belongs to no symbol before it. */
void symbols_add_end(struct symbols *s, u64 address);
void symbols_sort(struct symbols *s);
void symbols_free(struct symbols *s);

size_t symbols_count(const struct symbols *s);
/* in: i < symbols_count().  Ascending addresses. */
struct symbol symbols_at(const struct symbols *s, size_t i);
/* The symbol that an address lies in: the nearest at or below it. Among several at one address a function's own name is
 * preferred to aliases and section markers. An address past the end of the symbol's section is in none; where no end
 * was added after the last symbol, it ends with its page. Absolute symbols (type a or A: values, and offsets into
 * per-CPU memory) are no places: they are found by name only. returns: false when there is none; *offset is the
 * distance in bytes */
bool symbols_lookup(const struct symbols *s, u64 address, struct symbol *found, u64 *offset);
/* The address after the last byte of the symbol that `address` lies in: where the next one, or the gap after its
 * section, begins. */
u64 symbols_end(const struct symbols *s, u64 address);
/* Where several have the name, a global symbol is preferred, then the lowest address.
 * returns: false when no symbol has this name */
bool symbols_find(const struct symbols *s, const char *name, u64 *address);

/* Bytes that symbols_unpack() takes. The caller frees. */
u8 *symbols_pack(const struct symbols *s, size_t *size);
/* returns: NULL with err set (EXIT_FILE) when the bytes are not what symbols_pack() makes. */
struct symbols *symbols_unpack(const u8 *bytes, size_t size, struct error *err);

#endif

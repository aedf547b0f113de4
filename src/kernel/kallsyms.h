/* SPDX-License-Identifier: MIT
 * The kernel's own table of symbols (kallsyms), found in its image by structure: no symbol says where it is, and the
 * order of its parts differs between versions.
 */
#ifndef RINGSIDE_KERNEL_KALLSYMS_H
#define RINGSIDE_KERNEL_KALLSYMS_H

#include "kernel/image.h"
#include "kernel/symbols.h"

/* Steps of the whole search in an image: a made-up one must not make it endless. Debian's kernels take some ten
 * million. */
#define KALLSYMS_WORK_LIMIT (1ull << 30)

/* Names as found: token numbers behind their count, one after the other. */
struct kallsyms {
    const struct kernel_image *image;
    const struct kernel_range *range; /* where all its parts are */
    const u8 *bytes;                  /* the range's */
    size_t size;
    u64 work;                        /* steps so far */
    size_t token_table, token_index; /* positions in the range */
    const char *token[256];
    size_t names, names_end, markers;
    size_t count;
    /* kallsyms_addresses.c: */
    u64 *address;     /* of each symbol, ascending but for per-CPU offsets, which come first */
    size_t addresses; /* position of the table */
    const char *form; /* how it keeps addresses, in words */
};

/* Find the table in the image. Symbols are added (not sorted).
 * out:     how  one line for people: what was found and where, or what was missing
 * returns: false when there is none */
bool kallsyms_find(const struct kernel_image *image, struct symbols *symbols, char *how, size_t how_size);

/* The text of the symbol whose tokens begin at position `at` of the range: its type's letter, then its name.
 * returns: the position behind; 0 when it is no symbol's. *length: without the 0 that ends the text */
#define KALLSYMS_NAME_LIMIT 1024u
size_t kallsyms_name(const struct kallsyms *k, size_t at, char text[KALLSYMS_NAME_LIMIT], size_t *length);

/* Find the addresses that belong to the names. returns: false when no table in the range fits them */
bool kallsyms_find_addresses(struct kallsyms *k);

#endif

/* SPDX-License-Identifier: MIT
 * A kernel image: the ELF that a kernel file is or holds, where its bytes are linked to, and the names of its sections.
 */
#ifndef RINGSIDE_KERNEL_IMAGE_H
#define RINGSIDE_KERNEL_IMAGE_H

#include "base/error.h"

/* No file is read, and nothing unpacked, beyond these. */
#define KERNEL_FILE_LIMIT (1024u << 20)
#define KERNEL_IMAGE_LIMIT (512u << 20)

/* A segment or section. Its bytes are all inside the image: this was checked. */
struct kernel_range {
    u64 address;
    u64 memory; /* bytes in memory; those past `size` are zeros that the file does not hold */
    size_t offset, size;
    bool execute;
    char name[32]; /* a section's; "" for a segment */
};

struct kernel_image {
    bool is64;
    u64 entry;
    const u8 *bytes; /* the ELF */
    size_t size;
    u8 *owned;                    /* what bytes points into */
    struct kernel_range *segment; /* what is loaded */
    size_t segments;
    struct kernel_range *section; /* those with an address in memory; none when the file has no section headers */
    size_t sections;
    char how[160]; /* what the file was, in words */
};

/* in: limit  the most bytes that an unpacked kernel may have
 * returns: NULL with err set (EXIT_FILE) */
struct kernel_image *kernel_image_open(const char *path, size_t limit, struct error *err);
/* The same from memory, which is copied where it is kept. name: for messages */
struct kernel_image *kernel_image_read(const u8 *bytes, size_t size, const char *name, size_t limit, struct error *err);
void kernel_image_free(struct kernel_image *image);

/* returns: NULL when any of the range lies outside what the file holds */
const u8 *kernel_image_bytes(const struct kernel_image *image, u64 address, size_t size);
/* A string that ends inside the image; NULL when there is none, or none of at most `limit` bytes. */
const char *kernel_image_string(const struct kernel_image *image, u64 address, size_t limit);
/* A pointer or unsigned long of the kernel. returns: false when it is not in the file */
bool kernel_image_word(const struct kernel_image *image, u64 address, u64 *value);
/* The section with this name; NULL. */
const struct kernel_range *kernel_image_section(const struct kernel_image *image, const char *name);
/* The address lies in memory of the kernel / in code, by sections where there are any, else by segments. */
bool kernel_image_holds(const struct kernel_image *image, u64 address);
bool kernel_image_executes(const struct kernel_image *image, u64 address);
/* Where tables of data can be: the sections that are not code, or the segments. i counts up from 0.
 * returns: NULL past the last */
const struct kernel_range *kernel_image_data(const struct kernel_image *image, size_t i);

/* ---- unpack.c */

/* The ELF inside a kernel file: of a bzImage the payload, unpacked; a gzip file unpacked; an ELF itself.
 * out:     *elf  allocated; the caller frees.  how: what it was, in words
 * returns: false with err set (EXIT_FILE) */
bool kernel_unpack_file(const u8 *bytes, size_t size, const char *name, size_t limit, u8 **elf, size_t *elf_size,
                        char *how, size_t how_size, struct error *err);

#endif

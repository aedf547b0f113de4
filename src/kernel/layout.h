/* SPDX-License-Identifier: MIT
 * Offsets inside the kernel's structures, from whatever describes its types: BTF in the image, or the DWARF of a
 * vmlinux.
 */
#ifndef RINGSIDE_KERNEL_LAYOUT_H
#define RINGSIDE_KERNEL_LAYOUT_H

#include "kernel/image.h"
#include "kernel/kernel.h"

/* A description of types. A type is a number that means something to the source. */
struct type_source {
    void *data;
    const char *name; /* "BTF" */
    /* The structure with this name. */
    bool (*find)(void *data, const char *structure, u64 *type);
    /* A member, also one inside members without a name. *offset is added to; *inner: the member's type without typedefs
     * and qualifiers, of an array that of its elements. */
    bool (*member)(void *data, u64 type, const char *name, u32 *offset, u64 *inner);
};

/* in:      path  members with dots between: "thread.sp"
 * returns: false when the structure or a member does not exist */
bool type_offset(const struct type_source *source, const char *structure, const char *path, u32 *offset);
/* Fill layout. returns: false, with the name of what is missing, when what every kernel has cannot be found */
bool layout_read(const struct type_source *source, struct kernel_layout *layout, const char **missing);

/* ---- btf.c */

struct btf;
/* The BTF of an image: its section, or found by its header. returns: NULL when there is none, or it is damaged: how
 * says which */
struct btf *btf_open(const struct kernel_image *image, const char **how);
void btf_free(struct btf *btf);
struct type_source btf_source(struct btf *btf);
size_t btf_types(const struct btf *btf);
size_t btf_offset(const struct btf *btf); /* where it lies in the ELF */

#endif

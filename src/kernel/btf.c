/* SPDX-License-Identifier: MIT
 * BTF, the kernel's description of its own types. Linux, "BPF Type Format (BTF)".
 */
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "kernel/layout.h"
#include "kernel/pack.h"

#define BTF_MAGIC 0xeb9fu
#define MEMBERS_LIMIT                                                                                                  \
    (1u << 20)            /* looked at for one question: structures without names may hold each other many times */
#define NESTING_LIMIT 16u /* of typedefs and of structures without names */

enum btf_kind {
    BTF_VOID,
    BTF_INT,
    BTF_POINTER,
    BTF_ARRAY,
    BTF_STRUCT,
    BTF_UNION,
    BTF_ENUM,
    BTF_FORWARD,
    BTF_TYPEDEF,
    BTF_VOLATILE,
    BTF_CONST,
    BTF_RESTRICT,
    BTF_FUNCTION,
    BTF_PROTOTYPE,
    BTF_VARIABLE,
    BTF_DATA_SECTION,
    BTF_FLOAT,
    BTF_DECL_TAG,
    BTF_TYPE_TAG,
    BTF_ENUM64,
    BTF_KINDS
};

/* What follows a type's three words: bytes for the type, and for each of its items. */
static const struct {
    u8 fixed, each;
} tail[BTF_KINDS] = {
    [BTF_INT] = {4, 0},      [BTF_ARRAY] = {12, 0},    [BTF_STRUCT] = {0, 12},  [BTF_UNION] = {0, 12},
    [BTF_ENUM] = {0, 8},     [BTF_PROTOTYPE] = {0, 8}, [BTF_VARIABLE] = {4, 0}, [BTF_DATA_SECTION] = {0, 12},
    [BTF_DECL_TAG] = {4, 0}, [BTF_ENUM64] = {0, 12},
};

struct btf {
    const u8 *types;
    const char *strings;
    size_t types_size, strings_size;
    u32 *at;      /* of each type, from 1 on: its offset in types */
    size_t count; /* one more than the highest number */
    size_t offset;
    u32 looked_at; /* members, for the present question */
};

/* The header at p. out: where types and strings are, checked to lie inside the size bytes and the strings to end */
static bool read_header(struct btf *btf, const u8 *p, size_t size)
{
    u64 header, types, strings;

    if (size < 24 || load_le16(p) != BTF_MAGIC || p[2] != 1)
        return false;
    header = load_le32(p + 4);
    types = header + load_le32(p + 8);
    strings = header + load_le32(p + 16);
    btf->types_size = load_le32(p + 12);
    btf->strings_size = load_le32(p + 20);
    if (header < 24 || types > size || btf->types_size > size - types || strings > size ||
        btf->strings_size > size - strings || btf->strings_size == 0)
        return false;
    btf->types = p + types;
    btf->strings = (const char *)p + strings;
    return btf->strings[0] == '\0' && btf->strings[btf->strings_size - 1] == '\0';
}

static enum btf_kind kind_of(const u8 *type) { return (enum btf_kind)(load_le32(type + 4) >> 24 & 0x1f); }

static unsigned items_of(const u8 *type) { return load_le32(type + 4) & 0xffff; }

static size_t type_size(const u8 *type)
{
    enum btf_kind kind = kind_of(type);

    return 12 + tail[kind].fixed + (size_t)tail[kind].each * items_of(type);
}

/* Number the types. returns: false when one is of an unknown kind, or ends outside */
static bool index_types(struct btf *btf)
{
    size_t room = 0;

    btf->at = kernel_grow(NULL, &room, 1, sizeof *btf->at);
    btf->at[0] = 0;
    btf->count = 1;
    for (size_t at = 0; at < btf->types_size;) {
        const u8 *type = btf->types + at;

        if (btf->types_size - at < 12 || kind_of(type) == BTF_VOID || kind_of(type) >= BTF_KINDS ||
            type_size(type) > btf->types_size - at)
            return false;
        btf->at = kernel_grow(btf->at, &room, btf->count + 1, sizeof *btf->at);
        btf->at[btf->count++] = (u32)at;
        at += type_size(type);
    }
    return true;
}

/* NULL for void and numbers that are no type's. */
static const u8 *type_at(const struct btf *btf, u64 type)
{
    return type != 0 && type < btf->count ? btf->types + btf->at[type] : NULL;
}

static const char *string_at(const struct btf *btf, u32 offset)
{
    return offset < btf->strings_size ? btf->strings + offset : "";
}

static bool find_structure(void *data, const char *structure, u64 *type)
{
    const struct btf *btf = data;

    for (size_t i = 1; i < btf->count; i++) {
        const u8 *t = type_at(btf, i);

        if (kind_of(t) == BTF_STRUCT && strcmp(string_at(btf, load_le32(t)), structure) == 0) {
            *type = i;
            return true;
        }
    }
    return false;
}

/* The type without typedefs and qualifiers, of an array that of its elements. */
static u64 peel(const struct btf *btf, u64 type)
{
    for (unsigned i = 0; i < NESTING_LIMIT; i++) {
        const u8 *t = type_at(btf, type);

        if (t == NULL)
            break;
        switch (kind_of(t)) {
        case BTF_TYPEDEF:
        case BTF_VOLATILE:
        case BTF_CONST:
        case BTF_RESTRICT:
        case BTF_TYPE_TAG: type = load_le32(t + 8); break;
        case BTF_ARRAY: type = load_le32(t + 12); break;
        default: return type;
        }
    }
    return type;
}

static bool find_member_inside(struct btf *btf, u64 type, const char *name, u32 *offset, u64 *inner, unsigned depth)
{
    const u8 *t = type_at(btf, type);

    if (t == NULL || (kind_of(t) != BTF_STRUCT && kind_of(t) != BTF_UNION) || depth == NESTING_LIMIT)
        return false;
    for (unsigned i = 0; i < items_of(t) && btf->looked_at++ < MEMBERS_LIMIT; i++) {
        const u8 *m = t + 12 + i * 12;
        const char *its_name = string_at(btf, load_le32(m));
        u64 its_type = peel(btf, load_le32(m + 4));
        /* With the kind's flag the upper byte is the size of a bit field. */
        u32 bit = load_le32(m + 8) & (load_le32(t + 4) >> 31 ? 0xffffffu : 0xffffffffu);

        if (strcmp(its_name, name) == 0) {
            *offset += bit / 8;
            *inner = its_type;
            return true;
        }
        if (*its_name == '\0' && find_member_inside(btf, its_type, name, offset, inner, depth + 1)) {
            *offset += bit / 8;
            return true;
        }
    }
    return false;
}

static bool find_member(void *data, u64 type, const char *name, u32 *offset, u64 *inner)
{
    struct btf *btf = data;

    btf->looked_at = 0;
    return find_member_inside(btf, type, name, offset, inner, 0);
}

/* Where BTF may be: its section, or anywhere in data with its header. */
static const u8 *find_btf(struct btf *btf, const struct kernel_image *image)
{
    const struct kernel_range *range = kernel_image_section(image, ".BTF");

    if (range != NULL)
        return read_header(btf, image->bytes + range->offset, range->size) ? image->bytes + range->offset : NULL;
    for (size_t i = 0; image->sections == 0 && (range = kernel_image_data(image, i)) != NULL; i++) {
        const u8 *bytes = image->bytes + range->offset;

        for (size_t at = 0; at + 24 <= range->size; at++) {
            if (bytes[at] == (BTF_MAGIC & 0xff) && load_le16(bytes + at) == BTF_MAGIC &&
                load_le32(bytes + at + 4) == 24 && read_header(btf, bytes + at, range->size - at))
                return bytes + at;
        }
    }
    return NULL;
}

struct btf *btf_open(const struct kernel_image *image, const char **how)
{
    struct btf *btf = kernel_alloc(sizeof *btf);
    const u8 *found = find_btf(btf, image);

    *how = "no BTF in the image";
    if (found != NULL || kernel_image_section(image, ".BTF") != NULL)
        *how = "the BTF in the image is damaged";
    if (found == NULL || !index_types(btf)) {
        btf_free(btf);
        return NULL;
    }
    btf->offset = (size_t)(found - image->bytes);
    return btf;
}

void btf_free(struct btf *btf)
{
    if (btf == NULL)
        return;
    free(btf->at);
    free(btf);
}

struct type_source btf_source(struct btf *btf)
{
    return (struct type_source){.data = btf, .name = "BTF", .find = find_structure, .member = find_member};
}

size_t btf_types(const struct btf *btf) { return btf->count - 1; }

size_t btf_offset(const struct btf *btf) { return btf->offset; }

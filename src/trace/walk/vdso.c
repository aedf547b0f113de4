/* SPDX-License-Identifier: MIT
 * The vDSO's names, read from the process's memory. System V gABI, "Program Header", "Dynamic Section", "Symbol Table",
 * "Hash Table". The image is small; what points out of it is not followed.
 */
#include "trace/walk/vdso.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#define IMAGE_MAX 0x10000u
#define HEADERS_MAX 16u
#define DYNAMIC_MAX 64u
#define SYMBOLS_MAX 512u
#define NAME_MAX_BYTES 64u
#define NAMES_MAX 256u /* kept in all; more are not named */

struct name {
    struct name *next;
    char text[NAME_MAX_BYTES];
};

struct vdso {
    struct name *names;
    unsigned count;
};

/* The image being read. */
struct image {
    vdso_peek_fn *peek;
    void *context;
    u64 base, bias; /* of address 0 of the image */
    bool is64;
    u64 symtab, strtab, hash, soname;
    bool has_soname;
};

struct vdso *vdso_new(void)
{
    struct vdso *v = calloc(1, sizeof *v);

    if (v == NULL)
        abort();
    return v;
}

void vdso_free(struct vdso *v)
{
    if (v == NULL)
        return;
    while (v->names != NULL) {
        struct name *n = v->names;

        v->names = n->next;
        free(n);
    }
    free(v);
}

static const char *intern(struct vdso *v, const char *text)
{
    struct name *n;

    for (n = v->names; n != NULL; n = n->next)
        if (strcmp(n->text, text) == 0)
            return n->text;
    if (v->count == NAMES_MAX)
        return NULL;
    n = calloc(1, sizeof *n);
    if (n == NULL)
        abort();
    strcpy(n->text, text); /* both have NAME_MAX_BYTES */
    n->next = v->names;
    v->names = n;
    v->count++;
    return n->text;
}

/* Bytes of the image; in: address as it lies in memory. returns: false outside of it */
static bool read_image(const struct image *m, u64 address, void *out, size_t size)
{
    return address >= m->base && address - m->base <= IMAGE_MAX - size && m->peek(m->context, address, out, size);
}

/* A name of printable characters. */
static bool read_name(const struct image *m, u64 address, char text[NAME_MAX_BYTES])
{
    for (unsigned i = 0; i < NAME_MAX_BYTES; i++) {
        if (!read_image(m, address + i, &text[i], 1))
            return false;
        if (text[i] == '\0')
            return i != 0;
        if (text[i] < '!' || text[i] > '~')
            return false;
    }
    return false;
}

/* One word per class of file; fields of both classes have the same names. */
#define READ(m, at, type, member)                                                                                      \
    ({                                                                                                                 \
        Elf64_##type wide = {0};                                                                                       \
        Elf32_##type narrow = {0};                                                                                     \
        read_image(m, at, (m)->is64 ? (void *)&wide : (void *)&narrow, (m)->is64 ? sizeof wide : sizeof narrow)        \
            ? (u64)((m)->is64 ? wide.member : narrow.member)                                                           \
            : 0;                                                                                                       \
    })

/* An address in the image as its dynamic section gives it: linked at 0, or as it lies in memory. */
static u64 placed(const struct image *m, u64 value) { return value - m->base < IMAGE_MAX ? value : value + m->bias; }

static void read_dynamic(struct image *m, u64 at)
{
    size_t entry = m->is64 ? sizeof(Elf64_Dyn) : sizeof(Elf32_Dyn);

    for (unsigned i = 0; i < DYNAMIC_MAX; i++, at += entry) {
        u64 value = READ(m, at, Dyn, d_un.d_val);

        switch (READ(m, at, Dyn, d_tag)) {
        case DT_NULL: return;
        case DT_SYMTAB: m->symtab = placed(m, value); break;
        case DT_STRTAB: m->strtab = placed(m, value); break;
        case DT_HASH: m->hash = placed(m, value); break;
        case DT_SONAME:
            m->soname = value;
            m->has_soname = true;
            break;
        default: break;
        }
    }
}

static bool read_headers(struct image *m)
{
    u8 ident[EI_NIDENT];
    u64 headers, dynamic = 0, count, size;
    bool loaded = false;

    if (!m->peek(m->context, m->base, ident, sizeof ident) || memcmp(ident, ELFMAG, SELFMAG) != 0 ||
        (ident[EI_CLASS] != ELFCLASS64 && ident[EI_CLASS] != ELFCLASS32) || ident[EI_DATA] != ELFDATA2LSB)
        return false;
    m->is64 = ident[EI_CLASS] == ELFCLASS64;
    headers = m->base + READ(m, m->base, Ehdr, e_phoff);
    count = READ(m, m->base, Ehdr, e_phnum);
    size = m->is64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
    for (u64 i = 0; i < count && i < HEADERS_MAX; i++) {
        u64 at = headers + i * size, type = READ(m, at, Phdr, p_type);

        if (type == PT_LOAD && !loaded) {
            m->bias = m->base - READ(m, at, Phdr, p_vaddr) + READ(m, at, Phdr, p_offset);
            loaded = true;
        }
        if (type == PT_DYNAMIC)
            dynamic = READ(m, at, Phdr, p_vaddr);
    }
    if (!loaded || dynamic == 0)
        return false;
    read_dynamic(m, placed(m, dynamic));
    return m->symtab != 0 && m->strtab != 0;
}

/* DT_HASH says how many symbols there are; an image without it has its string table behind its symbols. */
static u64 symbol_count(const struct image *m)
{
    u64 size = m->is64 ? sizeof(Elf64_Sym) : sizeof(Elf32_Sym);
    u32 header[2];

    if (m->hash != 0 && read_image(m, m->hash, header, sizeof header))
        return header[1] < SYMBOLS_MAX ? header[1] : SYMBOLS_MAX;
    if (m->strtab > m->symtab && (m->strtab - m->symtab) / size < SYMBOLS_MAX)
        return (m->strtab - m->symtab) / size;
    return 0;
}

/* Among those at one address the one that stands last, as long as it has a name. */
static bool find_symbol(struct vdso *v, const struct image *m, u64 address, struct walk_symbol *s)
{
    u64 size = m->is64 ? sizeof(Elf64_Sym) : sizeof(Elf32_Sym), count = symbol_count(m);
    char text[NAME_MAX_BYTES];
    bool found = false;

    for (u64 i = 1; i < count; i++) {
        u64 at = m->symtab + i * size, value = placed(m, READ(m, at, Sym, st_value)),
            length = READ(m, at, Sym, st_size);

        if (READ(m, at, Sym, st_shndx) == SHN_UNDEF || address - value >= length ||
            !read_name(m, m->strtab + READ(m, at, Sym, st_name), text))
            continue;
        s->name = intern(v, text);
        s->start = value;
        s->end = value + length;
        found = s->name != NULL;
    }
    if (!found)
        return false;
    s->module = m->has_soname && read_name(m, m->strtab + m->soname, text) ? intern(v, text) : NULL;
    return true;
}

bool vdso_symbol(struct vdso *v, vdso_peek_fn *peek, void *context, u64 address, struct walk_symbol *symbol)
{
    u64 page = address & PAGE_MASK;

    for (u64 below = 0; below < VDSO_REACH && below <= page; below += PAGE_SIZE) {
        struct image m = {.peek = peek, .context = context, .base = page - below};

        if (read_headers(&m))
            return find_symbol(v, &m, address, symbol);
    }
    return false;
}

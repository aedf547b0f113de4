/* SPDX-License-Identifier: MIT
 * What an ELF program or library needs beside itself to run. System V ABI, "Program Loading and Dynamic Linking".
 */
#include "machine/elf_needs.h"

#include <gelf.h>
#include <string.h>

struct reading {
    const struct guest_file *file;
    Elf *elf;
    size_t segments;
    u64 strings, strings_size; /* the dynamic string table, as a place in the file */
};

static bool damaged(const struct reading *r, const char *what, struct error *err)
{
    return error_set(err, EXIT_FILE, "'%s' is damaged: %s", r->file->path, what);
}

bool elf_is(const struct guest_file *file) { return file->size >= 4 && memcmp(file->bytes, ELFMAG, SELFMAG) == 0; }

/* A string of the file that ends inside it. returns: NULL when it does not */
static const char *string_at(const struct reading *r, u64 offset)
{
    if (offset >= r->file->size || memchr(r->file->bytes + offset, '\0', r->file->size - offset) == NULL)
        return NULL;
    return (const char *)r->file->bytes + offset;
}

/* Where a loaded address comes from. returns: false when no segment's file part holds it */
static bool file_offset(const struct reading *r, u64 address, u64 *offset)
{
    GElf_Phdr ph;

    for (size_t i = 0; i < r->segments; i++) {
        if (gelf_getphdr(r->elf, (int)i, &ph) == NULL || ph.p_type != PT_LOAD)
            continue;
        if (address >= ph.p_vaddr && address - ph.p_vaddr < ph.p_filesz) {
            *offset = ph.p_offset + (address - ph.p_vaddr);
            return *offset < r->file->size;
        }
    }
    return false;
}

static const char *dynamic_string(const struct reading *r, u64 index)
{
    const char *s = index < r->strings_size ? string_at(r, r->strings + index) : NULL;

    return s != NULL && strlen(s) < r->strings_size - index ? s : NULL;
}

static bool find_strings(struct reading *r, Elf_Data *data, struct error *err)
{
    u64 address = 0;
    GElf_Dyn dyn;

    for (int i = 0; gelf_getdyn(data, i, &dyn) != NULL && dyn.d_tag != DT_NULL; i++) {
        if (dyn.d_tag == DT_STRTAB)
            address = dyn.d_un.d_ptr;
        else if (dyn.d_tag == DT_STRSZ)
            r->strings_size = dyn.d_un.d_val;
    }
    if (!file_offset(r, address, &r->strings))
        return damaged(r, "its dynamic section names no string table inside the file", err);
    return true;
}

static bool read_dynamic(struct reading *r, const GElf_Phdr *ph, struct elf_needs *needs, struct error *err)
{
    Elf_Data *data;
    GElf_Dyn dyn;

    if (ph->p_offset > r->file->size || ph->p_filesz > r->file->size - ph->p_offset)
        return damaged(r, "its dynamic section lies outside the file", err);
    data = elf_getdata_rawchunk(r->elf, (int64_t)ph->p_offset, ph->p_filesz, ELF_T_DYN);
    if (data == NULL)
        return damaged(r, elf_errmsg(-1), err);
    if (!find_strings(r, data, err))
        return false;
    for (int i = 0; gelf_getdyn(data, i, &dyn) != NULL && dyn.d_tag != DT_NULL; i++) {
        const char **where;

        if (dyn.d_tag == DT_NEEDED && needs->count == ELF_NEEDED_MAX)
            return error_set(err, EXIT_FILE, "'%s' needs more than %u libraries", r->file->path, ELF_NEEDED_MAX);
        if (dyn.d_tag == DT_NEEDED)
            where = &needs->needed[needs->count++];
        else if (dyn.d_tag == DT_RPATH)
            where = &needs->rpath;
        else if (dyn.d_tag == DT_RUNPATH)
            where = &needs->runpath;
        else
            continue;
        *where = dynamic_string(r, dyn.d_un.d_val);
        if (*where == NULL)
            return damaged(r, "a name in its dynamic section lies outside its string table", err);
    }
    return true;
}

static bool check_machine(const struct reading *r, const GElf_Ehdr *eh, struct elf_needs *needs, struct error *err)
{
    int class = gelf_getclass(r->elf);

    if (eh->e_machine == EM_X86_64 && class == ELFCLASS32)
        return error_set(err, EXIT_FILE, "'%s' is an x32 program: Debian's kernels run 32- and 64-bit programs only",
                         r->file->path);
    if ((eh->e_machine != EM_X86_64 && eh->e_machine != EM_386) || (eh->e_machine == EM_386 && class != ELFCLASS32))
        return error_set(err, EXIT_FILE, "'%s' is for another processor (ELF machine %u), not for x86", r->file->path,
                         eh->e_machine);
    if (eh->e_type != ET_EXEC && eh->e_type != ET_DYN)
        return error_set(err, EXIT_FILE, "'%s' is neither a program nor a shared library (ELF type %u)", r->file->path,
                         eh->e_type);
    needs->is64 = eh->e_machine == EM_X86_64;
    return true;
}

static bool read_segments(struct reading *r, struct elf_needs *needs, struct error *err)
{
    GElf_Ehdr eh;
    GElf_Phdr ph;

    if (elf_kind(r->elf) != ELF_K_ELF || gelf_getehdr(r->elf, &eh) == NULL || elf_getphdrnum(r->elf, &r->segments) != 0)
        return damaged(r, "its ELF header cannot be read", err);
    if (!check_machine(r, &eh, needs, err))
        return false;
    if (r->segments == 0 || (eh.e_phnum != PN_XNUM && eh.e_phnum != r->segments))
        return damaged(r, "its program headers lie outside the file", err);
    for (size_t i = 0; i < r->segments; i++) {
        if (gelf_getphdr(r->elf, (int)i, &ph) == NULL)
            return damaged(r, "its program headers lie outside the file", err);
        if (ph.p_type == PT_INTERP) {
            needs->interp = string_at(r, ph.p_offset);
            if (needs->interp == NULL)
                return damaged(r, "its interpreter's name lies outside the file", err);
        } else if (ph.p_type == PT_DYNAMIC && !read_dynamic(r, &ph, needs, err)) {
            return false;
        }
    }
    return true;
}

bool elf_read_needs(const struct guest_file *file, struct elf_needs *needs, struct error *err)
{
    struct reading r = {.file = file};
    bool ok;

    *needs = (struct elf_needs){0};
    elf_version(EV_CURRENT);
    r.elf = elf_memory((char *)file->bytes, file->size);
    if (r.elf == NULL)
        return damaged(&r, elf_errmsg(-1), err);
    ok = read_segments(&r, needs, err);
    elf_end(r.elf);
    return ok;
}

/* SPDX-License-Identifier: MIT
 * An unstripped vmlinux: its symbol table, and types by DWARF ("DWARF Debugging Information Format", "Structure, Union,
 * Class and Interface Type Entries").
 */
#include "kernel/dwarf.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernel/pack.h"

#define MEMBERS_LIMIT (1u << 20) /* looked at for one question */
#define NESTING_LIMIT 16u        /* of structures without names */
#define NOTE_LIMIT 64u           /* bytes of a build ID */

struct dwarf {
    int file;
    Elf *elf;
    Dwarf *dw;          /* NULL: the file has no DWARF */
    char structure[64]; /* the last that was searched for, which takes long in a big file; "": none */
    u64 found;          /* its type; 0: it does not exist */
    u32 looked_at;      /* members, for the present question */
};

/* A build ID: the note that the linker writes into the kernel, which stripping leaves alone. */
struct build_id {
    size_t size; /* 0: there is none */
    u8 bytes[NOTE_LIMIT];
};

static void find_build_id(Elf *elf, struct build_id *id)
{
    GElf_Shdr sh;

    for (Elf_Scn *section = NULL; id->size == 0 && (section = elf_nextscn(elf, section)) != NULL;) {
        Elf_Data *data;
        GElf_Nhdr note;
        size_t name, desc, at = 0;

        if (gelf_getshdr(section, &sh) == NULL || sh.sh_type != SHT_NOTE || (data = elf_getdata(section, NULL)) == NULL)
            continue;
        while (id->size == 0 && (at = gelf_getnote(data, at, &note, &name, &desc)) != 0) {
            if (note.n_type != NT_GNU_BUILD_ID || note.n_namesz != 4 || note.n_descsz > NOTE_LIMIT ||
                memcmp((const char *)data->d_buf + name, "GNU", 4) != 0)
                continue;
            id->size = note.n_descsz;
            memcpy(id->bytes, (const u8 *)data->d_buf + desc, id->size);
        }
    }
}

static bool same_build(struct dwarf *dwarf, const struct kernel_image *image, const char *path, struct error *err)
{
    struct build_id here = {0}, there = {0};
    Elf *elf = elf_memory((char *)image->owned, image->size);

    find_build_id(dwarf->elf, &here);
    if (elf != NULL)
        find_build_id(elf, &there);
    elf_end(elf);
    if (here.size == 0 || there.size == 0)
        return error_set(err, EXIT_FILE, "%s: cannot be compared with the kernel: %s has no build ID", path,
                         here.size == 0 ? "it" : "the kernel");
    if (here.size != there.size || memcmp(here.bytes, there.bytes, here.size) != 0)
        return error_set(err, EXIT_FILE, "%s is of another build than the kernel: their build IDs differ", path);
    return true;
}

struct dwarf *dwarf_open(const char *path, const struct kernel_image *image, struct error *err)
{
    struct dwarf *dwarf = kernel_alloc(sizeof *dwarf);

    dwarf->file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (dwarf->file < 0) {
        error_set(err, EXIT_FILE, "cannot open the vmlinux '%s': %s", path, strerror(errno));
        free(dwarf);
        return NULL;
    }
    elf_version(EV_CURRENT);
    dwarf->elf = elf_begin(dwarf->file, ELF_C_READ_MMAP, NULL);
    if (dwarf->elf == NULL || elf_kind(dwarf->elf) != ELF_K_ELF) {
        error_set(err, EXIT_FILE, "%s: not an ELF file: --vmlinux wants the unstripped kernel of the same build", path);
        dwarf_close(dwarf);
        return NULL;
    }
    if (!same_build(dwarf, image, path, err)) {
        dwarf_close(dwarf);
        return NULL;
    }
    dwarf->dw = dwarf_begin_elf(dwarf->elf, DWARF_C_READ, NULL);
    return dwarf;
}

void dwarf_close(struct dwarf *dwarf)
{
    if (dwarf == NULL)
        return;
    dwarf_end(dwarf->dw);
    elf_end(dwarf->elf);
    close(dwarf->file);
    free(dwarf);
}

/* nm's letter, as far as this program tells letters apart: code, data, absolute; upper case for global, W for weak. */
static char symbol_letter(Elf *elf, const GElf_Sym *symbol)
{
    bool local = GELF_ST_BIND(symbol->st_info) == STB_LOCAL, is64 = gelf_getclass(elf) == ELFCLASS64;
    Elf_Scn *section = elf_getscn(elf, symbol->st_shndx);
    GElf_Shdr sh;
    char letter = 'd';

    if (symbol->st_shndx >= SHN_LORESERVE || section == NULL || gelf_getshdr(section, &sh) == NULL)
        letter = 'a';
    else if (is64 && symbol->st_value < 0x80000000u)
        letter = 'a'; /* per-CPU memory linked to 0: an offset, no place */
    else if (sh.sh_flags & SHF_EXECINSTR)
        letter = 't';
    if (letter == 't' && GELF_ST_BIND(symbol->st_info) == STB_WEAK)
        return 'W';
    return local ? letter : (char)(letter - 'a' + 'A');
}

size_t dwarf_symbols(const struct dwarf *dwarf, struct symbols *symbols)
{
    size_t added = 0;
    GElf_Shdr sh;

    for (Elf_Scn *section = NULL; (section = elf_nextscn(dwarf->elf, section)) != NULL;) {
        Elf_Data *data;
        GElf_Sym symbol;

        if (gelf_getshdr(section, &sh) == NULL || sh.sh_type != SHT_SYMTAB ||
            (data = elf_getdata(section, NULL)) == NULL)
            continue;
        for (int i = 1; gelf_getsym(data, i, &symbol) != NULL; i++) {
            const char *name = elf_strptr(dwarf->elf, sh.sh_link, symbol.st_name);
            unsigned type = GELF_ST_TYPE(symbol.st_info);

            if (name == NULL || *name == '\0' || symbol.st_shndx == SHN_UNDEF || type == STT_FILE ||
                type == STT_SECTION)
                continue;
            symbols_add(symbols, symbol.st_value, symbol_letter(dwarf->elf, &symbol), name, strlen(name));
            added++;
        }
    }
    return added;
}

/* Is this entry a structure of that name, with its members? */
static bool is_structure(Dwarf_Die *die, const char *name)
{
    const char *its_name = dwarf_tag(die) == DW_TAG_structure_type ? dwarf_diename(die) : NULL;

    return its_name != NULL && strcmp(its_name, name) == 0 && !dwarf_hasattr(die, DW_AT_declaration);
}

/* The entry of a structure; 0 when there is none. */
static u64 search_structure(struct dwarf *dwarf, const char *structure)
{
    Dwarf_Off unit = 0, next;
    size_t header;

    for (; dwarf_nextcu(dwarf->dw, unit, &next, &header, NULL, NULL, NULL) == 0; unit = next) {
        Dwarf_Die top, die;
        int more;

        if (dwarf_offdie(dwarf->dw, unit + header, &top) == NULL)
            continue;
        for (more = dwarf_child(&top, &die); more == 0; more = dwarf_siblingof(&die, &die)) {
            if (is_structure(&die, structure))
                return dwarf_dieoffset(&die);
        }
    }
    return 0;
}

/* A type is the offset of its entry. */
static bool find_structure(void *data, const char *structure, u64 *type)
{
    struct dwarf *dwarf = data;

    if (strcmp(dwarf->structure, structure) != 0) {
        dwarf->found = search_structure(dwarf, structure);
        snprintf(dwarf->structure, sizeof dwarf->structure, "%s", structure);
    }
    *type = dwarf->found;
    return *type != 0;
}

/* The type of a member without typedefs and qualifiers, of an array that of its elements. */
static bool member_type(Dwarf_Die *member, Dwarf_Die *type)
{
    Dwarf_Attribute attribute;

    for (unsigned i = 0; i < NESTING_LIMIT; i++) {
        if (dwarf_formref_die(dwarf_attr(i == 0 ? member : type, DW_AT_type, &attribute), type) == NULL ||
            dwarf_peel_type(type, type) != 0)
            return false;
        if (dwarf_tag(type) != DW_TAG_array_type)
            return true;
    }
    return false;
}

/* Bytes from the start of the structure; members of a union need not say so. */
static bool member_offset(Dwarf_Die *member, u32 *offset)
{
    Dwarf_Attribute attribute;
    Dwarf_Word value = 0;
    Dwarf_Op *expression;
    size_t length;

    if (dwarf_attr(member, DW_AT_data_member_location, &attribute) != NULL) {
        if (dwarf_formudata(&attribute, &value) != 0) { /* DWARF 2: an expression */
            if (dwarf_getlocation(&attribute, &expression, &length) != 0 || length != 1 ||
                expression[0].atom != DW_OP_plus_uconst)
                return false;
            value = expression[0].number;
        }
    } else if (dwarf_attr(member, DW_AT_data_bit_offset, &attribute) != NULL) {
        if (dwarf_formudata(&attribute, &value) != 0)
            return false;
        value /= 8;
    }
    *offset = (u32)value;
    return value <= UINT32_MAX;
}

static bool find_member_inside(struct dwarf *dwarf, Dwarf_Die *structure, const char *name, u32 *offset, u64 *inner,
                               unsigned depth)
{
    Dwarf_Die member, type;
    int more;

    if (depth == NESTING_LIMIT)
        return false;
    for (more = dwarf_child(structure, &member); more == 0 && dwarf->looked_at++ < MEMBERS_LIMIT;
         more = dwarf_siblingof(&member, &member)) {
        const char *its_name = dwarf_diename(&member);
        u32 here;

        if (dwarf_tag(&member) != DW_TAG_member || !member_offset(&member, &here) || !member_type(&member, &type))
            continue;
        if (its_name != NULL && strcmp(its_name, name) == 0) {
            *offset += here;
            *inner = dwarf_dieoffset(&type);
            return true;
        }
        if (its_name == NULL && find_member_inside(dwarf, &type, name, offset, inner, depth + 1)) {
            *offset += here;
            return true;
        }
    }
    return false;
}

static bool find_member(void *data, u64 type, const char *name, u32 *offset, u64 *inner)
{
    struct dwarf *dwarf = data;
    Dwarf_Die structure;
    const char *whole;
    u64 found;

    dwarf->looked_at = 0;
    if (dwarf_offdie(dwarf->dw, type, &structure) == NULL)
        return false;
    /* A unit may only declare it; its members are in another. */
    whole = dwarf_hasattr(&structure, DW_AT_declaration) ? dwarf_diename(&structure) : NULL;
    if (whole != NULL && (!find_structure(data, whole, &found) || dwarf_offdie(dwarf->dw, found, &structure) == NULL))
        return false;
    return find_member_inside(dwarf, &structure, name, offset, inner, 0);
}

bool dwarf_types(struct dwarf *dwarf, struct type_source *source)
{
    *source = (struct type_source){.data = dwarf, .name = "DWARF", .find = find_structure, .member = find_member};
    return dwarf->dw != NULL;
}

/* SPDX-License-Identifier: MIT
 * A kernel image: reading the file, and the ELF's segments and sections.
 */
#include "kernel/image.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bits.h"
#include "kernel/pack.h"

/* A kernel has some forty sections and five segments in memory; a damaged header must not make searches slow. */
#define SECTIONS_LIMIT 256u
#define SEGMENTS_LIMIT 64u

/* A range whose bytes the file does not hold whole is refused: something was cut. */
static bool add_range(struct kernel_range *range, size_t *count, const struct kernel_image *image,
                      const struct kernel_range *new, u64 offset, u64 size)
{
    if (offset > image->size || size > image->size - offset || new->memory > UINT64_MAX - new->address)
        return false;
    range[*count] = *new;
    range[*count].offset = (size_t)offset;
    range[*count].size = (size_t)size;
    (*count)++;
    return true;
}

static bool read_segments(struct kernel_image *image, Elf *elf, const char *name, struct error *err)
{
    size_t count;
    GElf_Phdr ph;

    if (elf_getphdrnum(elf, &count) != 0)
        count = 0;
    if (count > SEGMENTS_LIMIT)
        return error_set(err, EXIT_FILE, "%s: the kernel's ELF has %zu program headers; %u are taken", name, count,
                         SEGMENTS_LIMIT);
    image->segment = kernel_alloc(count * sizeof *image->segment);
    for (size_t i = 0; i < count; i++) {
        struct kernel_range new = {0};

        if (gelf_getphdr(elf, (int)i, &ph) == NULL)
            return error_set(err, EXIT_FILE, "%s: the kernel's ELF is damaged: program header %zu", name, i);
        if (ph.p_type != PT_LOAD)
            continue;
        new = (struct kernel_range){.address = ph.p_vaddr, .memory = ph.p_memsz, .execute = ph.p_flags & PF_X};
        if (ph.p_filesz > ph.p_memsz ||
            !add_range(image->segment, &image->segments, image, &new, ph.p_offset, ph.p_filesz))
            return error_set(err, EXIT_FILE, "%s: the kernel's ELF is damaged or cut short: segment %zu lies outside",
                             name, i);
    }
    if (image->segments == 0)
        return error_set(err, EXIT_FILE, "%s: the kernel's ELF has nothing to load", name);
    return true;
}

/* Section headers are a help, not needed to run: those that are damaged are left out. */
static void read_sections(struct kernel_image *image, Elf *elf)
{
    size_t count, names;
    GElf_Shdr sh;

    if (elf_getshdrnum(elf, &count) != 0 || elf_getshdrstrndx(elf, &names) != 0)
        return;
    image->section = kernel_alloc(SECTIONS_LIMIT * sizeof *image->section);
    for (size_t i = 1; i < count && image->sections < SECTIONS_LIMIT; i++) {
        Elf_Scn *section = elf_getscn(elf, i);
        struct kernel_range new = {0};
        const char *name;

        if (section == NULL || gelf_getshdr(section, &sh) == NULL || !(sh.sh_flags & SHF_ALLOC) || sh.sh_size == 0)
            continue;
        new =
            (struct kernel_range){.address = sh.sh_addr, .memory = sh.sh_size, .execute = sh.sh_flags & SHF_EXECINSTR};
        name = elf_strptr(elf, names, sh.sh_name);
        snprintf(new.name, sizeof new.name, "%s", name != NULL ? name : "");
        add_range(image->section, &image->sections, image, &new, sh.sh_type == SHT_NOBITS ? 0 : sh.sh_offset,
                  sh.sh_type == SHT_NOBITS ? 0 : sh.sh_size);
    }
}

static bool read_elf(struct kernel_image *image, const char *name, struct error *err)
{
    Elf *elf = NULL;
    GElf_Ehdr eh;
    bool done;

    if (elf_version(EV_CURRENT) != EV_NONE)
        elf = elf_memory((char *)image->owned, image->size);
    if (elf == NULL || elf_kind(elf) != ELF_K_ELF || gelf_getehdr(elf, &eh) == NULL) {
        elf_end(elf);
        return error_set(err, EXIT_FILE, "%s: the kernel's ELF is damaged: its header cannot be read", name);
    }
    image->is64 = gelf_getclass(elf) == ELFCLASS64;
    image->entry = eh.e_entry;
    if (eh.e_machine != (image->is64 ? EM_X86_64 : EM_386)) {
        elf_end(elf);
        return error_set(err, EXIT_FILE, "%s: the ELF is for machine %u, not an x86 processor", name, eh.e_machine);
    }
    done = read_segments(image, elf, name, err);
    if (done)
        read_sections(image, elf);
    elf_end(elf);
    return done;
}

struct kernel_image *kernel_image_read(const u8 *bytes, size_t size, const char *name, size_t limit, struct error *err)
{
    struct kernel_image *image = kernel_alloc(sizeof *image);

    if (!kernel_unpack_file(bytes, size, name, limit, &image->owned, &image->size, image->how, sizeof image->how,
                            err)) {
        free(image);
        return NULL;
    }
    image->bytes = image->owned;
    if (!read_elf(image, name, err)) {
        kernel_image_free(image);
        return NULL;
    }
    return image;
}

static u8 *read_whole(int file, const char *path, size_t *size, struct error *err)
{
    struct stat st;
    u8 *bytes;
    size_t got = 0;

    if (fstat(file, &st) != 0 || !S_ISREG(st.st_mode)) {
        error_set(err, EXIT_FILE, "the kernel '%s' is not a regular file", path);
        return NULL;
    }
    if ((u64)st.st_size > KERNEL_FILE_LIMIT) {
        error_set(err, EXIT_FILE, "the kernel '%s' has more than %u MiB; give the bzImage, or strip it (strip -d)",
                  path, KERNEL_FILE_LIMIT >> 20);
        return NULL;
    }
    bytes = kernel_alloc((size_t)st.st_size);
    while (got < (size_t)st.st_size) {
        ssize_t n = read(file, bytes + got, (size_t)st.st_size - got);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            free(bytes);
            error_set(err, EXIT_FILE, "cannot read the kernel '%s': %s", path,
                      n < 0 ? strerror(errno) : "it became shorter");
            return NULL;
        }
        got += (size_t)n;
    }
    *size = got;
    return bytes;
}

struct kernel_image *kernel_image_open(const char *path, size_t limit, struct error *err)
{
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct kernel_image *image;
    size_t size;
    u8 *bytes;

    if (file < 0) {
        error_set(err, EXIT_FILE, "cannot open the kernel '%s': %s", path, strerror(errno));
        return NULL;
    }
    bytes = read_whole(file, path, &size, err);
    close(file);
    if (bytes == NULL)
        return NULL;
    image = kernel_image_read(bytes, size, path, limit, err);
    free(bytes);
    return image;
}

void kernel_image_free(struct kernel_image *image)
{
    if (image == NULL)
        return;
    free(image->owned);
    free(image->segment);
    free(image->section);
    free(image);
}

const u8 *kernel_image_bytes(const struct kernel_image *image, u64 address, size_t size)
{
    for (size_t i = 0; i < image->segments; i++) {
        const struct kernel_range *r = &image->segment[i];

        if (address >= r->address && address - r->address <= r->size && size <= r->size - (address - r->address))
            return image->bytes + r->offset + (address - r->address);
    }
    return NULL;
}

const char *kernel_image_string(const struct kernel_image *image, u64 address, size_t limit)
{
    for (size_t i = 0; i < image->segments; i++) {
        const struct kernel_range *r = &image->segment[i];
        const u8 *at;
        size_t left;

        if (address < r->address || address - r->address >= r->size)
            continue;
        at = image->bytes + r->offset + (address - r->address);
        left = r->size - (size_t)(address - r->address);
        return memchr(at, 0, left < limit ? left : limit) != NULL ? (const char *)at : NULL;
    }
    return NULL;
}

bool kernel_image_word(const struct kernel_image *image, u64 address, u64 *value)
{
    const u8 *at = kernel_image_bytes(image, address, image->is64 ? 8 : 4);

    if (at == NULL)
        return false;
    *value = image->is64 ? load_le64(at) : load_le32(at);
    return true;
}

const struct kernel_range *kernel_image_section(const struct kernel_image *image, const char *name)
{
    for (size_t i = 0; i < image->sections; i++) {
        if (strcmp(image->section[i].name, name) == 0)
            return &image->section[i];
    }
    return NULL;
}

static const struct kernel_range *range_at(const struct kernel_image *image, u64 address)
{
    const struct kernel_range *range = image->sections != 0 ? image->section : image->segment;
    size_t count = image->sections != 0 ? image->sections : image->segments;

    for (size_t i = 0; i < count; i++) {
        if (address >= range[i].address && address - range[i].address < range[i].memory)
            return &range[i];
    }
    return NULL;
}

bool kernel_image_holds(const struct kernel_image *image, u64 address) { return range_at(image, address) != NULL; }

bool kernel_image_executes(const struct kernel_image *image, u64 address)
{
    const struct kernel_range *range = range_at(image, address);

    return range != NULL && range->execute;
}

const struct kernel_range *kernel_image_data(const struct kernel_image *image, size_t i)
{
    if (image->sections == 0)
        return i < image->segments ? &image->segment[i] : NULL;
    for (size_t at = 0; at < image->sections; at++) {
        const struct kernel_range *range = &image->section[at];

        if (!range->execute && range->size != 0 && i-- == 0)
            return range;
    }
    return NULL;
}

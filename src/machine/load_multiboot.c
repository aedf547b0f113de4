/* SPDX-License-Identifier: MIT
 * Direct boot of a Multiboot 1 image, ELF or flat ("a.out kludge"), with modules.
 * Multiboot Specification 0.6.96, "OS image format", "Machine state", "Boot information format".
 */
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "machine/direct_boot.h"

#define HEADER_MAGIC 0x1BADB002u
#define LOADER_MAGIC 0x2BADB002u
#define SEARCH_LIMIT 8192u
#define HEADER_PAGE_ALIGN 0x1u
#define HEADER_ADDRESSES 0x10000u
#define HEADER_UNKNOWN_REQUIRED 0xFFF8u /* of bits 0-15, only page alignment, memory and video are defined */

#define INFO_MEMORY 0x001u
#define INFO_COMMAND_LINE 0x004u
#define INFO_MODULES 0x008u
#define INFO_MEMORY_MAP 0x040u
#define INFO_LOADER_NAME 0x200u

/* Places inside the boot-information page(s) at BOOT_PARAMS. */
enum { AT_INFO = 0, AT_MODULES = 0x100, AT_NAME = 0x300, AT_MAP = 0x400, AT_STRINGS = 0x800, INFO_BYTES = 0x4000 };
#define MAX_MODULES 32u

static const u8 *find_header(const struct guest_file *kernel)
{
    size_t limit = kernel->size < SEARCH_LIMIT ? kernel->size : SEARCH_LIMIT;

    for (size_t at = 0; at + 12 <= limit; at += 4) {
        const u8 *h = kernel->bytes + at;

        if (load_le32(h) == HEADER_MAGIC && (u32)(load_le32(h) + load_le32(h + 4) + load_le32(h + 8)) == 0)
            return h;
    }
    return NULL;
}

/* The header's own addresses say where the file goes. */
static bool load_flat(const struct boot_request *request, const u8 *header, u64 *entry, u64 *end, struct error *err)
{
    const struct guest_file *kernel = &request->kernel;
    u32 header_addr = load_le32(header + 12), load = load_le32(header + 16);
    u32 load_end = load_le32(header + 20), bss_end = load_le32(header + 24);
    size_t at = (size_t)(header - kernel->bytes);
    size_t first, size;

    if (load > header_addr || header_addr - load > at)
        return error_set(err, EXIT_FILE, "the Multiboot image '%s' has inconsistent load addresses", kernel->path);
    first = at - (header_addr - load);
    size = load_end ? (size_t)load_end - load : kernel->size - first;
    if ((load_end && load_end < load) || size > kernel->size - first)
        return error_set(err, EXIT_FILE, "the Multiboot image '%s' is cut short", kernel->path);
    *end = load + (u64)size > bss_end ? load + (u64)size : bss_end;
    if (load < 0x100000 || *end > request->usable_low)
        return error_set(err, EXIT_FILE, "the Multiboot image '%s' wants memory up to %#llx: raise -m", kernel->path,
                         (unsigned long long)*end);
    physmem_write(request->physmem, load, kernel->bytes + first, size, INITIATOR_LOADER);
    *entry = load_le32(header + 28);
    return true;
}

struct info {
    u8 bytes[INFO_BYTES];
    size_t strings; /* next free byte of the string area */
};

/* Keep a string in the information area; returns its physical address, 0 when there is no room. */
static u32 keep_string(struct info *info, const char *text, size_t length)
{
    size_t at = info->strings;

    if (length + 1 > sizeof info->bytes - at)
        return 0;
    memcpy(info->bytes + at, text, length);
    info->bytes[at + length] = 0;
    info->strings += length + 1;
    return BOOT_PARAMS + (u32)at;
}

/* One module: "file arguments". */
static bool load_module(const struct boot_request *request, struct info *info, unsigned index, const char *spec,
                        size_t length, u64 *next, struct error *err)
{
    struct guest_file file;
    size_t name_length = strcspn(spec, " ");
    u32 string = keep_string(info, spec, length);
    char *path = strndup(spec, name_length < length ? name_length : length);
    u8 *record = info->bytes + AT_MODULES + index * 16;
    bool ok = path != NULL && guest_file_read(&file, "module", path, request->usable_low, err);

    if (ok && (string == 0 || *next + file.size > request->usable_low)) {
        ok = error_set(err, EXIT_FILE, "the module '%s' does not fit into the guest's memory: raise -m", path);
        guest_file_free(&file);
    }
    if (ok) {
        physmem_write(request->physmem, *next, file.bytes, file.size, INITIATOR_LOADER);
        store_le32(record, (u32)*next);
        store_le32(record + 4, (u32)(*next + file.size));
        store_le32(record + 8, string);
        *next = (*next + file.size + PAGE_SIZE - 1) & PAGE_MASK;
        guest_file_free(&file);
    }
    free(path);
    return ok;
}

static bool load_modules(const struct boot_request *request, struct info *info, u64 end, unsigned *count,
                         struct error *err)
{
    const char *list = request->initrd;
    u64 next = (end + PAGE_SIZE - 1) & PAGE_MASK;

    *count = 0;
    while (list != NULL && *list != '\0') {
        size_t length = strcspn(list, ",");

        if (*count == MAX_MODULES)
            return error_set(err, EXIT_LIMIT, "more than %u Multiboot modules", MAX_MODULES);
        if (length != 0 && !load_module(request, info, (*count)++, list, length, &next, err))
            return false;
        list += length + (list[length] == ',');
    }
    return true;
}

static void describe_memory(const struct boot_request *request, struct info *info)
{
    u8 *at = info->bytes + AT_MAP;

    for (unsigned i = 0; i < request->e820_count; i++, at += 24) {
        store_le32(at, 20);
        store_le64(at + 4, request->e820[i].base);
        store_le64(at + 12, request->e820[i].size);
        store_le32(at + 20, request->e820[i].type);
    }
    store_le32(info->bytes + 4, 0x9FC00 >> 10);
    store_le32(info->bytes + 8, (u32)((request->usable_low - 0x100000) >> 10));
    store_le32(info->bytes + 44, request->e820_count * 24);
    store_le32(info->bytes + 48, BOOT_PARAMS + AT_MAP);
}

static bool write_information(const struct boot_request *request, u64 end, struct error *err)
{
    static const char name[] = "ringside";
    struct info info = {.strings = AT_STRINGS};
    size_t length = strlen(request->kernel.path) + 1 + strlen(request->append);
    char *line = malloc(length + 1);
    unsigned modules;
    u32 line_at = 0;

    if (line != NULL) { /* by custom the first word is the kernel's own name */
        strcpy(line, request->kernel.path);
        strcat(strcat(line, " "), request->append);
        line_at = keep_string(&info, line, length);
        free(line);
    }
    if (line_at == 0)
        return error_set(err, EXIT_USAGE, "the kernel command line (-append) is too long for Multiboot (%zu bytes)",
                         length);
    if (!load_modules(request, &info, end, &modules, err))
        return false;
    memcpy(info.bytes + AT_NAME, name, sizeof name);
    describe_memory(request, &info);
    store_le32(info.bytes, INFO_MEMORY | INFO_COMMAND_LINE | INFO_MODULES | INFO_MEMORY_MAP | INFO_LOADER_NAME);
    store_le32(info.bytes + 16, line_at);
    store_le32(info.bytes + 20, modules);
    store_le32(info.bytes + 24, BOOT_PARAMS + AT_MODULES);
    store_le32(info.bytes + 64, BOOT_PARAMS + AT_NAME);
    physmem_write(request->physmem, BOOT_PARAMS, info.bytes, sizeof info.bytes, INITIATOR_LOADER);
    return true;
}

bool multiboot_load(const struct boot_request *request, struct boot_entry *entry, bool *claimed, struct error *err)
{
    const u8 *header = find_header(&request->kernel);
    u64 start, end;
    bool is64;

    if (header == NULL)
        return false;
    *claimed = true;
    if (load_le32(header + 4) & HEADER_UNKNOWN_REQUIRED)
        return error_set(err, EXIT_FILE,
                         "the Multiboot image '%s' requires features that the specification does not define",
                         request->kernel.path);
    if (load_le32(header + 4) & HEADER_ADDRESSES) {
        if ((size_t)(header - request->kernel.bytes) + 32 > request->kernel.size)
            return error_set(err, EXIT_FILE, "the Multiboot image '%s' is cut short inside its header",
                             request->kernel.path);
        if (!load_flat(request, header, &start, &end, err))
            return false;
    } else if (!elf_load_segments(request, &start, &is64, &end, err)) {
        return false;
    }
    if (!write_information(request, end, err))
        return false;
    *entry = (struct boot_entry){.mode = 32, .eax = LOADER_MAGIC, .ebx = BOOT_PARAMS, .entry = (u32)start};
    return true;
}

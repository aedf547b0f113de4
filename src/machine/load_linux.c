/* SPDX-License-Identifier: MIT
 * Direct boot of a Linux bzImage. Linux documentation, "The Linux/x86 Boot Protocol".
 */
#include <string.h>

#include "base/bits.h"
#include "machine/direct_boot.h"

/* Offsets in the setup header (and, the same, in the zero page). */
enum {
    HDR_SETUP_SECTS = 0x1F1,
    HDR_BOOT_FLAG = 0x1FE,
    HDR_JUMP = 0x200, /* its second byte gives the header's length */
    HDR_MAGIC = 0x202,
    HDR_VERSION = 0x206,
    HDR_TYPE_OF_LOADER = 0x210,
    HDR_LOADFLAGS = 0x211,
    HDR_RAMDISK_IMAGE = 0x218,
    HDR_RAMDISK_SIZE = 0x21C,
    HDR_HEAP_END_PTR = 0x224,
    HDR_CMD_LINE_PTR = 0x228,
    HDR_INITRD_ADDR_MAX = 0x22C,
    HDR_KERNEL_ALIGNMENT = 0x230,
    HDR_RELOCATABLE = 0x234,
    HDR_XLOADFLAGS = 0x236,
    HDR_CMDLINE_SIZE = 0x238,
    HDR_PREF_ADDRESS = 0x258,
    HDR_INIT_SIZE = 0x260,
    HDR_END = 0x264,
    ZERO_PAGE_RSDP = 0x070,
    ZERO_PAGE_E820_COUNT = 0x1E8,
    ZERO_PAGE_E820 = 0x2D0,
};

#define LOADED_HIGH 0x01u
#define CAN_USE_HEAP 0x80u
#define XLF_KERNEL_64 0x01u
#define LOADER_UNDEFINED 0xFFu
#define PROTOCOL_MIN 0x0206u /* 2.06: the command line may be longer than 255 bytes */
#define LOAD_ADDRESS 0x100000u
#define ENTRY64_OFFSET 0x200u

static void free_initrd(const struct boot_request *request, struct guest_file *initrd)
{
    if (request->initrd_bytes == NULL)
        guest_file_free(initrd);
}

static bool place_initrd(const struct boot_request *request, u8 *params, u64 kernel_end, u64 initrd_max,
                         struct error *err)
{
    u64 top = request->usable_low < initrd_max + 1 ? request->usable_low : initrd_max + 1;
    struct guest_file initrd;
    u64 base;

    if (request->initrd_bytes != NULL)
        initrd = guest_file_borrow("in memory", request->initrd_bytes, request->initrd_size);
    else if (request->initrd == NULL)
        return true;
    else if (!guest_file_read(&initrd, "initrd", request->initrd, top, err))
        return false;
    if (initrd.size > top) /* the file's size was checked as it was read */
        return error_set(err, EXIT_FILE, "the initrd %s (%zu KiB) does not fit into memory: raise -m", initrd.path,
                         initrd.size >> 10);
    base = (top - initrd.size) & PAGE_MASK;
    if (base < kernel_end) {
        error_set(
            err, EXIT_FILE,
            "the initrd '%s' (%zu KiB) does not fit above the kernel, which needs memory up to %llu MiB: raise -m",
            initrd.path, initrd.size >> 10, (unsigned long long)((kernel_end + 0xFFFFF) >> 20));
        free_initrd(request, &initrd);
        return false;
    }
    physmem_write(request->physmem, base, initrd.bytes, initrd.size, INITIATOR_LOADER);
    store_le32(params + HDR_RAMDISK_IMAGE, (u32)base);
    store_le32(params + HDR_RAMDISK_SIZE, (u32)initrd.size);
    free_initrd(request, &initrd);
    return true;
}

/* Where the screen is and how it is set. source: Linux documentation, "Zero Page"; include/uapi/linux/screen_info.h */
static void describe_screen(u8 *params)
{
    params[0x06] = 3; /* BIOS mode */
    params[0x07] = 80;
    store_le16(params + 0x0A, 3); /* as INT 10h function 12h says of a VGA in BX */
    params[0x0E] = 25;
    params[0x0F] = 1;              /* a VGA */
    store_le16(params + 0x10, 16); /* lines of a character */
}

bool linux_boot_params(const struct boot_request *request, const u8 *header, size_t header_size, u64 kernel_end,
                       u64 initrd_max, struct error *err)
{
    u8 params[PAGE_SIZE] = {0};
    size_t length = strlen(request->append);

    if (length >= BOOT_COMMAND_LINE_MAX)
        return error_set(err, EXIT_USAGE, "the kernel command line (-append) has %zu bytes; at most %u fit", length,
                         BOOT_COMMAND_LINE_MAX - 1);
    if (header != NULL) {
        memcpy(params + HDR_SETUP_SECTS, header + HDR_SETUP_SECTS, header_size - HDR_SETUP_SECTS);
        params[HDR_LOADFLAGS] |= CAN_USE_HEAP;
        store_le16(params + HDR_HEAP_END_PTR, 0xFE00);
    } else {
        store_le16(params + HDR_BOOT_FLAG, 0xAA55);
        memcpy(params + HDR_MAGIC, "HdrS", 4);
        store_le16(params + HDR_VERSION, 0x020C);
        params[HDR_LOADFLAGS] = LOADED_HIGH;
    }
    if (request->text_screen)
        describe_screen(params);
    params[HDR_TYPE_OF_LOADER] = LOADER_UNDEFINED;
    store_le32(params + HDR_CMD_LINE_PTR, BOOT_COMMAND_LINE);
    physmem_write(request->physmem, BOOT_COMMAND_LINE, request->append, length + 1, INITIATOR_LOADER);
    if (!place_initrd(request, params, kernel_end, initrd_max, err))
        return false;
    store_le64(params + ZERO_PAGE_RSDP, request->acpi_rsdp);
    params[ZERO_PAGE_E820_COUNT] = (u8)request->e820_count;
    for (unsigned i = 0; i < request->e820_count; i++) {
        u8 *at = params + ZERO_PAGE_E820 + i * 20;

        store_le64(at, request->e820[i].base);
        store_le64(at + 8, request->e820[i].size);
        store_le32(at + 16, request->e820[i].type);
    }
    physmem_write(request->physmem, BOOT_PARAMS, params, sizeof params, INITIATOR_LOADER);
    return true;
}

/* The end of the memory that the kernel needs before it reads its own memory map. */
static u64 runtime_end(const u8 *header, unsigned version, u64 loaded_end)
{
    u64 start = LOAD_ADDRESS, preferred;

    if (version < 0x020A)
        return loaded_end;
    preferred = load_le64(header + HDR_PREF_ADDRESS);
    if (preferred > start && preferred < BIT(32))
        start = preferred;
    start += load_le32(header + HDR_INIT_SIZE);
    return start > loaded_end ? start : loaded_end;
}

bool linux_load(const struct boot_request *request, struct boot_entry *entry, bool *claimed, struct error *err)
{
    const struct guest_file *kernel = &request->kernel;
    const u8 *image = kernel->bytes;
    unsigned version;
    size_t setup_size, header_size;
    u64 end, size, initrd_max;
    bool has64;

    if (kernel->size < HDR_MAGIC + 4 || load_le16(image + HDR_BOOT_FLAG) != 0xAA55 ||
        memcmp(image + HDR_MAGIC, "HdrS", 4) != 0)
        return false;
    *claimed = true;
    if (kernel->size < HDR_END)
        return error_set(err, EXIT_FILE, "the kernel '%s' is cut short inside its setup header", kernel->path);
    version = load_le16(image + HDR_VERSION);
    if (version < PROTOCOL_MIN || !(image[HDR_LOADFLAGS] & LOADED_HIGH))
        return error_set(err, EXIT_FILE,
                         "the kernel '%s' speaks boot protocol %u.%02u; a bzImage of 2.06 or newer is needed",
                         kernel->path, version >> 8, version & 0xFF);
    setup_size = (size_t)((image[HDR_SETUP_SECTS] == 0 ? 4 : image[HDR_SETUP_SECTS]) + 1) * 512;
    size = (u64)load_le32(image + 0x1F4) * 16; /* syssize: the protected-mode part, in paragraphs */
    if (kernel->size <= setup_size || size > kernel->size - setup_size + 15)
        return error_set(err, EXIT_FILE,
                         "the kernel '%s' is cut short: its header announces %llu bytes, the file has %zu",
                         kernel->path, (unsigned long long)(setup_size + size), kernel->size);
    size = kernel->size - setup_size;
    end = runtime_end(image, version, LOAD_ADDRESS + size);
    if (end > request->usable_low)
        return error_set(err, EXIT_FILE, "the kernel '%s' needs %llu MiB of memory to start: raise -m", kernel->path,
                         (unsigned long long)((end + 0x10000 + 0xFFFFF) >> 20));
    physmem_write(request->physmem, LOAD_ADDRESS, image + setup_size, size, INITIATOR_LOADER);

    header_size = 0x202u + image[HDR_JUMP + 1];
    if (header_size > 0x290 || header_size > kernel->size)
        header_size = HDR_END;
    initrd_max = load_le32(image + HDR_INITRD_ADDR_MAX);
    if (strlen(request->append) > load_le32(image + HDR_CMDLINE_SIZE))
        return error_set(err, EXIT_USAGE,
                         "the kernel command line (-append) has %zu bytes; this kernel takes at most %u",
                         strlen(request->append), load_le32(image + HDR_CMDLINE_SIZE));
    if (!linux_boot_params(request, image, header_size, end, initrd_max, err))
        return false;
    has64 = version >= 0x020C && (load_le16(image + HDR_XLOADFLAGS) & XLF_KERNEL_64);
    *entry = (struct boot_entry){.mode = 32, .esi = BOOT_PARAMS, .entry = LOAD_ADDRESS};
    if (has64 && request->entry64) {
        direct_boot_page_tables(request->physmem);
        entry->mode = 64;
        entry->entry = LOAD_ADDRESS + ENTRY64_OFFSET;
    }
    return true;
}

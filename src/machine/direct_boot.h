/* SPDX-License-Identifier: MIT
 * Direct boot: put a kernel image into memory and tell the boot stub (firmware/direct_boot.S) how to enter it.
 */
#ifndef RINGSIDE_MACHINE_DIRECT_BOOT_H
#define RINGSIDE_MACHINE_DIRECT_BOOT_H

#include "bus/physmem.h"
#include "machine/guest_file.h"

/* Memory that a loaded kernel sees, in address order. Types are E820's. */
enum e820_type { E820_RAM = 1, E820_RESERVED = 2, E820_ACPI = 3, E820_NVS = 4 };
struct e820_entry {
    u64 base, size;
    u32 type;
};
#define E820_MAX 16

/* What every loader needs to know. */
struct boot_request {
    struct guest_file kernel;
    const char *initrd;     /* path, or NULL; Multiboot takes "file args,file args" from it */
    const u8 *initrd_bytes; /* instead of the path, for Linux; NULL = none */
    size_t initrd_size;
    const char *append; /* command line, "" when none */
    struct physmem *physmem;
    u64 usable_low; /* end of the RAM below 4 GiB that a kernel may use */
    struct e820_entry e820[E820_MAX];
    unsigned e820_count;
    paddr_t acpi_rsdp; /* 0: no ACPI */
    bool text_screen;  /* there is a display adapter, in text mode 3 */
    bool entry64;      /* prefer the 64-bit entry where the image has one (the CPU has long mode) */
};

/* How the stub enters the kernel. Offsets of the parameter block are documented in firmware/direct_boot.S. */
struct boot_entry {
    u32 mode; /* 32 or 64 */
    u32 eax, ebx, esi;
    u64 entry;
};

/* Load by what the image is: bzImage, Multiboot 1 (ELF or flat), or an ELF vmlinux.
 * returns: false with err set when the image is none of these, damaged, or does not fit. */
bool direct_boot_load(const struct boot_request *request, struct boot_entry *entry, struct error *err);

/* The loaders, in the order they are tried. A loader says *claimed = true when the image is of its kind. */
bool linux_load(const struct boot_request *request, struct boot_entry *entry, bool *claimed, struct error *err);
bool multiboot_load(const struct boot_request *request, struct boot_entry *entry, bool *claimed, struct error *err);
bool vmlinux_load(const struct boot_request *request, struct boot_entry *entry, bool *claimed, struct error *err);

/* Copy the PT_LOAD segments of an ELF image to their physical addresses.
 * out: *entry = e_entry, *is64; *end = first byte after the highest segment. */
bool elf_load_segments(const struct boot_request *request, u64 *entry, bool *is64, u64 *end, struct error *err);

/* Fixed places in low memory. */
#define BOOT_STACK_TOP 0x9000u
#define BOOT_PARAMS 0x10000u /* Linux zero page; Multiboot information */
#define BOOT_COMMAND_LINE 0x20000u
#define BOOT_COMMAND_LINE_MAX 0x8000u
#define BOOT_PAGE_TABLES 0x30000u /* six pages: PML4, PDPT, four directories */

/* Linux zero page for an image whose setup header is header (NULL: a bare vmlinux). */
bool linux_boot_params(const struct boot_request *request, const u8 *header, size_t header_size, u64 kernel_end,
                       u64 initrd_max, struct error *err);
/* The 64 KiB ROM: the stub with its parameter block filled, and a copy of the RSDP (36 bytes; NULL: none) on a 16-byte
 * boundary, where kernels that get no pointer search for it. */
void direct_boot_rom(u8 rom[65536], const struct boot_entry *entry, const u8 *rsdp);
/* Page tables that map the first 4 GiB one to one, for the 64-bit entry. */
void direct_boot_page_tables(struct physmem *pm);

#endif

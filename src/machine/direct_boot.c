/* SPDX-License-Identifier: MIT
 * Direct boot: choice of the loader, and the ROM with the stub's parameters.
 */
#include "machine/direct_boot.h"

#include <assert.h>
#include <string.h>

#include "base/bits.h"
#include "firmware.h"
#include "machine/acpi.h"

bool direct_boot_load(const struct boot_request *request, struct boot_entry *entry, struct error *err)
{
    static bool (*const loaders[])(const struct boot_request *, struct boot_entry *, bool *, struct error *) = {
        linux_load,
        multiboot_load,
        vmlinux_load,
    };

    for (unsigned i = 0; i < ARRAY_LEN(loaders); i++) {
        bool claimed = false;
        bool ok = loaders[i](request, entry, &claimed, err);

        if (claimed)
            return ok;
    }
    return error_set(
        err, EXIT_FILE,
        "the kernel '%s' is not a bzImage, a Multiboot 1 image or an ELF vmlinux; give one of these with -kernel",
        request->kernel.path);
}

#define ROM_RSDP 0x8000u

void direct_boot_rom(u8 rom[65536], const struct boot_entry *entry, const u8 *rsdp)
{
    assert(firmware_direct_boot_end - firmware_direct_boot == 65536);
    memcpy(rom, firmware_direct_boot, 65536);
    assert(memcmp(rom, "RSBOOT1", 8) == 0);
    store_le32(rom + 0x08, entry->mode);
    store_le32(rom + 0x0C, entry->eax);
    store_le32(rom + 0x10, entry->ebx);
    store_le32(rom + 0x14, entry->esi);
    store_le32(rom + 0x18, BOOT_PAGE_TABLES);
    store_le32(rom + 0x1C, BOOT_STACK_TOP);
    store_le64(rom + 0x20, entry->entry);
    if (rsdp != NULL)
        memcpy(rom + ROM_RSDP, rsdp, ACPI_RSDP_BYTES);
}

void direct_boot_page_tables(struct physmem *pm)
{
    enum { PRESENT_WRITABLE = 3, LARGE = 0x80 };
    paddr_t pml4 = BOOT_PAGE_TABLES, pdpt = pml4 + PAGE_SIZE, directory = pdpt + PAGE_SIZE;
    u64 entry = pdpt | PRESENT_WRITABLE;

    physmem_write(pm, pml4, &entry, sizeof entry, INITIATOR_LOADER);
    for (unsigned gib = 0; gib < 4; gib++) {
        entry = (directory + gib * PAGE_SIZE) | PRESENT_WRITABLE;
        physmem_write(pm, pdpt + gib * sizeof entry, &entry, sizeof entry, INITIATOR_LOADER);
        for (unsigned i = 0; i < 512; i++) {
            entry = ((u64)gib << 30 | (u64)i << 21) | PRESENT_WRITABLE | LARGE;
            physmem_write(pm, directory + gib * PAGE_SIZE + i * sizeof entry, &entry, sizeof entry, INITIATOR_LOADER);
        }
    }
}

/* SPDX-License-Identifier: MIT
 * The ACPI tables: in memory for a directly booted kernel, or as files for firmware.
 */
#ifndef RINGSIDE_MACHINE_ACPI_H
#define RINGSIDE_MACHINE_ACPI_H

#include "bus/physmem.h"

#define ACPI_AREA_BYTES 0x10000u
#define ACPI_RSDP_BYTES 36u
#define ACPI_PM_BASE 0x600u   /* PM1a event block at +0, control at +4, timer at +8 */
#define ACPI_SLEEP_TYPE_S5 5u /* \_S5 in firmware/dsdt.asl */

struct acpi_config {
    paddr_t area;  /* acpi_build: ACPI_AREA_BYTES of RAM for the tables, marked as ACPI data in the memory map */
    bool has_apic; /* a MADT is made */
    bool has_hpet; /* an HPET table is made */
    unsigned processors;
};

/* Write RSDP, RSDT, XSDT, FADT, FACS, DSDT, MADT and HPET. returns: physical address of the RSDP.
 * source: ACPI Specification 6, "ACPI Software Programming Model" */
paddr_t acpi_build(struct physmem *pm, const struct acpi_config *config);

/* The same tables, as firmware places them itself: fw_cfg's files etc/acpi/tables, etc/acpi/rsdp and etc/table-loader,
 * the list of commands by which firmware allocates the two, adds addresses to the pointers in them and mends checksums.
 * source: QEMU, "ACPI tables linker/loader" */
struct fw_cfg;
void acpi_offer(struct fw_cfg *fw_cfg, const struct acpi_config *config);

#endif

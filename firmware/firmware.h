/* SPDX-License-Identifier: MIT
 * Guest code and tables built from source and embedded (firmware/CMakeLists.txt).
 */
#ifndef RINGSIDE_FIRMWARE_H
#define RINGSIDE_FIRMWARE_H

/* 64 KiB system ROM with the direct-boot stub: ends at the reset vector. */
extern const unsigned char firmware_direct_boot[], firmware_direct_boot_end[];
/* ACPI DSDT. */
extern const unsigned char firmware_dsdt[], firmware_dsdt_end[];
/* The ring tour: Multiboot 1 ELF images. */
extern const unsigned char firmware_tour32[], firmware_tour32_end[];
extern const unsigned char firmware_tour64[], firmware_tour64_end[];
/* The first process of the guests of `ringside trace`: ELF programs for Linux. */
extern const unsigned char firmware_trace_init32[], firmware_trace_init32_end[];
extern const unsigned char firmware_trace_init64[], firmware_trace_init64_end[];

#endif

/* SPDX-License-Identifier: MIT
 * The ACPI tables of a directly booted machine. ACPI Specification 6, "ACPI Software Programming Model".
 */
#include "machine/acpi.h"

#include <assert.h>
#include <string.h>

#include "base/bits.h"
#include "firmware.h"

#define SCI_IRQ 9
#define HEADER_BYTES 36u

/* Tables are built one behind the other in the area. */
struct builder {
    struct physmem *pm;
    paddr_t next;
};

static u8 checksum(const u8 *bytes, size_t size)
{
    u8 sum = 0;

    for (size_t i = 0; i < size; i++)
        sum = (u8)(sum + bytes[i]);
    return (u8)-sum;
}

static void fill_header(u8 *table, const char signature[4], u8 revision, size_t size)
{
    memcpy(table, signature, 4);
    store_le32(table + 4, (u32)size);
    table[8] = revision;
    memcpy(table + 10, "RSIDE ", 6);
    memcpy(table + 16, "RINGSIDE", 8);
    store_le32(table + 24, 1);
    memcpy(table + 28, "RSDE", 4);
    store_le32(table + 32, 1);
    table[9] = 0;
    table[9] = checksum(table, size);
}

static paddr_t place(struct builder *b, const u8 *bytes, size_t size)
{
    paddr_t at = (b->next + 63) & ~63ull; /* the FACS must be 64-byte aligned; for the others it does no harm */

    physmem_write(b->pm, at, bytes, size, INITIATOR_LOADER);
    b->next = at + size;
    return at;
}

static paddr_t build_facs(struct builder *b)
{
    u8 facs[64] = {0};

    memcpy(facs, "FACS", 4);
    store_le32(facs + 4, sizeof facs);
    facs[32] = 2;
    return place(b, facs, sizeof facs);
}

/* A generic address structure for an I/O port block. */
static void io_address(u8 *at, unsigned bits, u8 access, u16 port)
{
    at[0] = 1;
    at[1] = (u8)bits;
    at[3] = access;
    store_le64(at + 4, port);
}

static paddr_t build_fadt(struct builder *b, paddr_t facs, paddr_t dsdt)
{
    enum { BYTES = 244, WBINVD = 1 << 0, PROC_C1 = 1 << 2, SLP_BUTTON = 1 << 5, RESET_REG = 1 << 10 };
    u8 fadt[BYTES] = {0};

    store_le32(fadt + 36, (u32)facs);
    store_le32(fadt + 40, (u32)dsdt);
    store_le16(fadt + 46, SCI_IRQ);
    store_le32(fadt + 48, 0xB2); /* SMI_CMD: the port acts at once, there is no SMI handler */
    fadt[52] = 0xF1;             /* ACPI_ENABLE, ACPI_DISABLE: as src/devices/acpi_pm.h */
    fadt[53] = 0xF0;
    store_le32(fadt + 56, ACPI_PM_BASE);
    store_le32(fadt + 64, ACPI_PM_BASE + 4);
    store_le32(fadt + 76, ACPI_PM_BASE + 8);
    fadt[88] = 4;                            /* PM1 event length */
    fadt[89] = 2;                            /* PM1 control length */
    fadt[91] = 4;                            /* PM timer length */
    store_le16(fadt + 96, 0xFFFF);           /* no C2 */
    store_le16(fadt + 98, 0xFFFF);           /* no C3 */
    fadt[108] = 0x32;                        /* century byte of the CMOS */
    store_le16(fadt + 109, 0x0003 | 1 << 2); /* legacy devices, 8042, and no VGA to probe */
    store_le32(fadt + 112, WBINVD | PROC_C1 | SLP_BUTTON | RESET_REG);
    io_address(fadt + 116, 8, 1, 0xCF9);
    fadt[128] = 6; /* value for a full reset */
    store_le64(fadt + 132, facs);
    store_le64(fadt + 140, dsdt);
    io_address(fadt + 148, 32, 2, ACPI_PM_BASE);
    io_address(fadt + 172, 16, 2, ACPI_PM_BASE + 4);
    io_address(fadt + 208, 32, 3, ACPI_PM_BASE + 8);
    fill_header(fadt, "FACP", 3, sizeof fadt);
    return place(b, fadt, sizeof fadt);
}

static paddr_t build_madt(struct builder *b, unsigned processors)
{
    u8 madt[512] = {0};
    size_t n = 44;

    store_le32(madt + 36, 0xFEE00000);
    store_le32(madt + 40, 1); /* a PC/AT pair of 8259s is there too */
    for (unsigned i = 0; i < processors && n + 8 < 256; i++, n += 8) {
        madt[n] = 0;
        madt[n + 1] = 8;
        madt[n + 2] = (u8)i;
        madt[n + 3] = (u8)i;
        store_le32(madt + n + 4, 1);
    }
    madt[n] = 1; /* I/O APIC */
    madt[n + 1] = 12;
    madt[n + 2] = (u8)processors;
    store_le32(madt + n + 4, 0xFEC00000);
    n += 12;
    /* ISA IRQ 0 comes in at pin 2; the SCI is level-triggered, active high. */
    static const u8 overrides[][4] = {{0, 2, 0, 0}, {SCI_IRQ, SCI_IRQ, 0x0D, 0}};
    for (unsigned i = 0; i < ARRAY_LEN(overrides); i++, n += 10) {
        madt[n] = 2;
        madt[n + 1] = 10;
        madt[n + 3] = overrides[i][0];
        store_le32(madt + n + 4, overrides[i][1]);
        store_le16(madt + n + 8, overrides[i][2]);
    }
    madt[n] = 4; /* NMI on LINT1 of every processor */
    madt[n + 1] = 6;
    madt[n + 2] = 0xFF;
    madt[n + 5] = 1;
    n += 6;
    fill_header(madt, "APIC", 1, n);
    return place(b, madt, n);
}

/* RSDT (32-bit pointers) or XSDT (64-bit). */
static paddr_t build_root(struct builder *b, const char signature[4], unsigned pointer_bytes, const paddr_t *tables,
                          unsigned count)
{
    u8 root[HEADER_BYTES + 8 * 8] = {0};

    for (unsigned i = 0; i < count; i++)
        memcpy(root + HEADER_BYTES + i * pointer_bytes, &tables[i], pointer_bytes);
    fill_header(root, signature, 1, HEADER_BYTES + count * pointer_bytes);
    return place(b, root, HEADER_BYTES + count * pointer_bytes);
}

paddr_t acpi_build(struct physmem *pm, const struct acpi_config *config)
{
    struct builder b = {.pm = pm, .next = config->area + 64};
    u8 rsdp[ACPI_RSDP_BYTES] = {0};
    paddr_t tables[2];
    unsigned count = 0;
    paddr_t facs = build_facs(&b);
    paddr_t dsdt = place(&b, firmware_dsdt, (size_t)(firmware_dsdt_end - firmware_dsdt));

    tables[count++] = build_fadt(&b, facs, dsdt);
    if (config->has_apic)
        tables[count++] = build_madt(&b, config->processors);
    memcpy(rsdp, "RSD PTR ", 8);
    memcpy(rsdp + 9, "RSIDE ", 6);
    rsdp[15] = 2;
    store_le32(rsdp + 16, (u32)build_root(&b, "RSDT", 4, tables, count));
    store_le32(rsdp + 20, sizeof rsdp);
    store_le64(rsdp + 24, build_root(&b, "XSDT", 8, tables, count));
    rsdp[8] = checksum(rsdp, 20);
    rsdp[32] = checksum(rsdp, sizeof rsdp);
    physmem_write(pm, config->area, rsdp, sizeof rsdp, INITIATOR_LOADER);
    assert(b.next <= config->area + ACPI_AREA_BYTES);
    return config->area;
}

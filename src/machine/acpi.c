/* SPDX-License-Identifier: MIT
 * The ACPI tables. ACPI Specification 6, "ACPI Software Programming Model".
 */
#include "machine/acpi.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "devices/fw_cfg.h"
#include "devices/hpet.h"
#include "firmware.h"

#define SCI_IRQ 9
#define HEADER_BYTES 36u

/* Tables are built one behind the other in a buffer. Pointers between them are base + offset; where they are, and which
 * checksums cover them, is kept for a loader that knows the base only later. */
struct builder {
    u8 bytes[ACPI_AREA_BYTES];
    u32 next, base;
    struct pointer {
        u32 at, size;
    } pointers[32];
    unsigned pointer_count;
    struct table {
        u32 at, size;
    } tables[8]; /* those that hold pointers */
    unsigned table_count;
};

static void note_pointer(struct builder *b, u32 at, u32 size)
{
    assert(b->pointer_count < ARRAY_LEN(b->pointers));
    b->pointers[b->pointer_count++] = (struct pointer){at, size};
}

static void note_table(struct builder *b, u32 at, u32 size)
{
    assert(b->table_count < ARRAY_LEN(b->tables));
    b->tables[b->table_count++] = (struct table){at, size};
}

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
    u32 at = (b->next + 63) & ~63u; /* the FACS must be 64-byte aligned; for the others it does no harm */

    assert(size <= sizeof b->bytes - at);
    memcpy(b->bytes + at, bytes, size);
    b->next = at + (u32)size;
    return b->base + at;
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
    static const struct pointer pointers[] = {{36, 4}, {40, 4}, {132, 8}, {140, 8}};
    u8 fadt[BYTES] = {0};
    paddr_t at;

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
    at = place(b, fadt, sizeof fadt);
    for (unsigned i = 0; i < ARRAY_LEN(pointers); i++)
        note_pointer(b, (u32)at - b->base + pointers[i].at, pointers[i].size);
    note_table(b, (u32)at - b->base, sizeof fadt);
    return at;
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

/* source: IA-PC HPET Specification 1.0a, "The ACPI 2.0 HPET Description Table" */
static paddr_t build_hpet(struct builder *b)
{
    enum { BYTES = 56 };
    u8 hpet[BYTES] = {0};

    store_le32(hpet + 36, HPET_BLOCK_ID);
    hpet[41] = 64; /* a generic address structure: memory, 64 bits */
    store_le64(hpet + 44, HPET_BASE);
    store_le16(hpet + 53, 128); /* the least period in counts that software should ask for */
    fill_header(hpet, "HPET", 1, sizeof hpet);
    return place(b, hpet, sizeof hpet);
}

/* RSDT (32-bit pointers) or XSDT (64-bit). */
static paddr_t build_root(struct builder *b, const char signature[4], unsigned pointer_bytes, const paddr_t *tables,
                          unsigned count)
{
    u8 root[HEADER_BYTES + 8 * 8] = {0};
    u32 size = HEADER_BYTES + count * pointer_bytes;
    paddr_t at;

    for (unsigned i = 0; i < count; i++)
        memcpy(root + HEADER_BYTES + i * pointer_bytes, &tables[i], pointer_bytes);
    fill_header(root, signature, 1, size);
    at = place(b, root, size);
    for (unsigned i = 0; i < count; i++)
        note_pointer(b, (u32)at - b->base + HEADER_BYTES + i * pointer_bytes, pointer_bytes);
    note_table(b, (u32)at - b->base, size);
    return at;
}

/* Build every table; the RSDP, which may lie elsewhere, is returned apart. */
static void build_tables(struct builder *b, const struct acpi_config *config, u8 rsdp[ACPI_RSDP_BYTES])
{
    paddr_t tables[3];
    unsigned count = 0;
    paddr_t facs = build_facs(b);
    paddr_t dsdt = place(b, firmware_dsdt, (size_t)(firmware_dsdt_end - firmware_dsdt));

    tables[count++] = build_fadt(b, facs, dsdt);
    if (config->has_apic)
        tables[count++] = build_madt(b, config->processors);
    if (config->has_hpet)
        tables[count++] = build_hpet(b);
    memset(rsdp, 0, ACPI_RSDP_BYTES);
    memcpy(rsdp, "RSD PTR ", 8);
    memcpy(rsdp + 9, "RSIDE ", 6);
    rsdp[15] = 2;
    store_le32(rsdp + 16, (u32)build_root(b, "RSDT", 4, tables, count));
    store_le32(rsdp + 20, ACPI_RSDP_BYTES);
    store_le64(rsdp + 24, build_root(b, "XSDT", 8, tables, count));
    rsdp[8] = checksum(rsdp, 20);
    rsdp[32] = checksum(rsdp, ACPI_RSDP_BYTES);
}

static struct builder *new_builder(u32 base)
{
    struct builder *b = calloc(1, sizeof *b);

    if (b == NULL)
        abort();
    b->base = base;
    return b;
}

paddr_t acpi_build(struct physmem *pm, const struct acpi_config *config)
{
    struct builder *b = new_builder((u32)config->area + 64);
    u8 rsdp[ACPI_RSDP_BYTES];

    build_tables(b, config, rsdp);
    assert(64 + b->next <= ACPI_AREA_BYTES);
    physmem_write(pm, config->area, rsdp, sizeof rsdp, INITIATOR_LOADER);
    physmem_write(pm, config->area + 64, b->bytes, b->next, INITIATOR_LOADER);
    free(b);
    return config->area;
}

/* ---- for firmware */

#define TABLES_FILE "etc/acpi/tables"
#define RSDP_FILE "etc/acpi/rsdp"

enum { LOADER_ALLOCATE = 1, LOADER_ADD_POINTER = 2, LOADER_ADD_CHECKSUM = 3, LOADER_ENTRY_BYTES = 128 };
enum { ZONE_HIGH = 1, ZONE_F_SEGMENT = 2 };

struct loader {
    u8 bytes[48 * LOADER_ENTRY_BYTES];
    unsigned count;
};

static u8 *loader_entry(struct loader *l, u32 command, const char *file)
{
    u8 *entry = l->bytes + LOADER_ENTRY_BYTES * l->count++;

    assert(l->count <= sizeof l->bytes / LOADER_ENTRY_BYTES);
    store_le32(entry, command);
    memcpy(entry + 4, file, strlen(file));
    return entry + 4 + FW_CFG_NAME_BYTES;
}

static void loader_allocate(struct loader *l, const char *file, u32 alignment, u8 zone)
{
    u8 *rest = loader_entry(l, LOADER_ALLOCATE, file);

    store_le32(rest, alignment);
    rest[4] = zone;
}

/* Add the address of the tables to a pointer. */
static void loader_add_pointer(struct loader *l, const char *file, u32 at, u8 size)
{
    u8 *rest = loader_entry(l, LOADER_ADD_POINTER, file);

    memcpy(rest, TABLES_FILE, sizeof TABLES_FILE - 1);
    store_le32(rest + FW_CFG_NAME_BYTES, at);
    rest[FW_CFG_NAME_BYTES + 4] = size;
}

static void loader_add_checksum(struct loader *l, const char *file, u32 at, u32 start, u32 size)
{
    u8 *rest = loader_entry(l, LOADER_ADD_CHECKSUM, file);

    store_le32(rest, at);
    store_le32(rest + 4, start);
    store_le32(rest + 8, size);
}

/* The checksums are left 0: the loader's command stores what makes the sum 0 with the byte counted as it is. */
void acpi_offer(struct fw_cfg *fw_cfg, const struct acpi_config *config)
{
    struct builder *b = new_builder(0);
    struct loader l = {.count = 0};
    u8 rsdp[ACPI_RSDP_BYTES];

    build_tables(b, config, rsdp);
    loader_allocate(&l, TABLES_FILE, 64, ZONE_HIGH);
    loader_allocate(&l, RSDP_FILE, 16, ZONE_F_SEGMENT);
    for (unsigned i = 0; i < b->pointer_count; i++)
        loader_add_pointer(&l, TABLES_FILE, b->pointers[i].at, (u8)b->pointers[i].size);
    for (unsigned i = 0; i < b->table_count; i++) {
        b->bytes[b->tables[i].at + 9] = 0;
        loader_add_checksum(&l, TABLES_FILE, b->tables[i].at + 9, b->tables[i].at, b->tables[i].size);
    }
    rsdp[8] = rsdp[32] = 0;
    loader_add_pointer(&l, RSDP_FILE, 16, 4);
    loader_add_pointer(&l, RSDP_FILE, 24, 8);
    loader_add_checksum(&l, RSDP_FILE, 8, 0, 20);
    loader_add_checksum(&l, RSDP_FILE, 32, 0, ACPI_RSDP_BYTES);
    fw_cfg_add_file(fw_cfg, TABLES_FILE, b->bytes, b->next);
    fw_cfg_add_file(fw_cfg, RSDP_FILE, rsdp, sizeof rsdp);
    fw_cfg_add_file(fw_cfg, "etc/table-loader", l.bytes, l.count * LOADER_ENTRY_BYTES);
    free(b);
}

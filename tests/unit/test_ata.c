/* SPDX-License-Identifier: MIT
 * ATA channel, disk and CD-ROM drive, by their registers and by the bus master.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bits.h"
#include "devices/ata_channel.h"

#define BASE 0x1F0
#define CONTROL 0x3F6
#define DISK_SECTORS 300000u /* more than LBA28's count register, fewer than its address */

enum { ERROR = 1, FEATURE = 1, COUNT, LBA0, LBA1, LBA2, DEVICE, STATUS, COMMAND = 7 };

/* A medium in memory that counts, and fails at a sector of its own. */
struct disk {
    struct block block;
    u8 *bytes;
    u64 bad; /* byte offset, or ~0 */
    unsigned flushes;
};

static struct ports *ports;
static struct clock clk;
static struct physmem *pm;
static struct irq_line irq;
static struct ata_channel *channel;
static struct disk disk, cd;
static unsigned interrupts;

static bool touches_bad(const struct disk *d, u64 offset, size_t size)
{
    return d->bad >= offset && d->bad < offset + size;
}

static bool read_disk(void *context, u64 offset, void *out, size_t size)
{
    const struct disk *d = context;

    memcpy(out, d->bytes + offset, size);
    return !touches_bad(d, offset, size);
}

static bool write_disk(void *context, u64 offset, const void *in, size_t size)
{
    struct disk *d = context;

    memcpy(d->bytes + offset, in, size);
    return !touches_bad(d, offset, size);
}

static bool flush_disk(void *context)
{
    ((struct disk *)context)->flushes++;
    return true;
}

static const struct block_ops ops = {read_disk, write_disk, flush_disk};

static void make(struct disk *d, u64 bytes, unsigned unit)
{
    d->bytes = malloc(bytes);
    assert_non_null(d->bytes);
    for (u64 i = 0; i < bytes; i += 4)
        store_le32(d->bytes + i, (u32)(i / unit * 1000 + i % unit));
    d->bad = ~0ull;
    d->flushes = 0;
    d->block = (struct block){.ops = &ops, .context = d, .bytes = bytes};
}

static void count_interrupts(void *context, unsigned number, bool level)
{
    (void)context, (void)number;
    interrupts += level;
}

static int setup(void **state)
{
    struct error err;

    (void)state;
    ports = ports_new();
    clock_init(&clk);
    pm = physmem_new(2 << 20, &err);
    irq = (struct irq_line){.changed = count_interrupts};
    interrupts = 0;
    make(&disk, (u64)DISK_SECTORS * 512, 512);
    make(&cd, 100 * 2048, 2048);
    channel = ata_channel_new(ports, &clk, pm, BASE, CONTROL, &irq, "ata");
    ata_channel_attach(channel, 0, ata_disk_new(&disk.block, "disk-1"));
    ata_channel_attach(channel, 1, ata_cd_new(&cd.block, "cd-1"));
    ata_bus_master_allow(channel, true);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    ata_channel_free(channel);
    physmem_free(pm);
    ports_free(ports);
    free(disk.bytes);
    free(cd.bytes);
    return 0;
}

static void out(unsigned reg, u8 value) { ports_write(ports, (u16)(BASE + reg), value, 1, INITIATOR_CPU0); }
static u8 in(unsigned reg) { return (u8)ports_read(ports, (u16)(BASE + reg), 1, INITIATOR_CPU0); }
static u8 alternate(void) { return (u8)ports_read(ports, CONTROL, 1, INITIATOR_CPU0); }
static u16 data(void) { return (u16)ports_read(ports, BASE, 2, INITIATOR_CPU0); }

static void pass(void)
{
    while (clk.deadline != CLOCK_NEVER) {
        clk.ticks = clk.deadline;
        clock_run(&clk);
    }
}

static void command(u8 value)
{
    out(COMMAND, value);
    pass();
}

static void address(u32 lba, u8 count)
{
    out(DEVICE, (u8)(0xE0 | lba >> 24));
    out(COUNT, count);
    out(LBA0, (u8)lba);
    out(LBA1, (u8)(lba >> 8));
    out(LBA2, (u8)(lba >> 16));
}

static void read_words(void *bytes, unsigned words)
{
    for (unsigned i = 0; i < words; i++)
        store_le16((u8 *)bytes + 2 * i, data());
    pass();
}

static void write_words(const void *bytes, unsigned words)
{
    for (unsigned i = 0; i < words; i++)
        ports_write(ports, BASE, load_le16((const u8 *)bytes + 2 * i), 2, INITIATOR_CPU0);
    pass();
}

static void assert_done(void) { assert_int_equal(in(STATUS), ATA_DRDY | ATA_DSC); }

static void assert_failed(u8 error)
{
    assert_int_equal(in(STATUS) & (ATA_BSY | ATA_DRQ | ATA_ERR), ATA_ERR);
    assert_int_equal(in(ERROR), error);
}

/* ---- the disk */

static void identify_disk(void **state)
{
    u8 w[512], sum = 0;

    (void)state;
    out(DEVICE, 0xE0);
    out(COMMAND, 0xEC);
    assert_int_equal(alternate(), ATA_BSY);
    pass();
    assert_int_equal(interrupts, 1);
    assert_true(irq.level);
    assert_int_equal(alternate() & ATA_DRQ, ATA_DRQ);
    assert_true(irq.level); /* the alternate register leaves INTRQ */
    assert_int_equal(in(STATUS)&ATA_DRQ, ATA_DRQ);
    assert_false(irq.level);
    read_words(w, 256);
    assert_int_equal(interrupts, 1); /* none after the last word */
    assert_done();
    assert_memory_equal(w + 20, "idks1-", 6);
    assert_memory_equal(w + 54, "IRGNISEDH RADDSI K", 18);
    assert_int_equal(load_le32(w + 120), DISK_SECTORS);
    assert_int_equal(load_le64(w + 200), DISK_SECTORS);
    for (unsigned i = 0; i < 512; i++)
        sum = (u8)(sum + w[i]);
    assert_int_equal(sum, 0);
}

static void pio_read(void **state)
{
    u8 bytes[1024];

    (void)state;
    address(0x12345, 2);
    command(0x20);
    read_words(bytes, 256);
    assert_int_equal(interrupts, 1); /* level stays until status is read: the second block raises no new edge */
    in(STATUS);
    read_words(bytes + 512, 256);
    assert_done();
    assert_memory_equal(bytes, disk.bytes + 0x12345 * 512, 1024);
    assert_int_equal(data(), 0xFFFF);
    /* a doubleword at a time, and by cylinder, head and sector */
    out(DEVICE, 0xA3);
    out(COUNT, 1);
    out(LBA0, 5);
    out(LBA1, 2);
    out(LBA2, 1);
    command(0x20);
    for (unsigned i = 0; i < 128; i++)
        store_le32(bytes + 4 * i, ports_read(ports, BASE, 4, INITIATOR_CPU0));
    pass();
    assert_memory_equal(bytes, disk.bytes + ((0x102 * 16 + 3) * 63 + 4) * 512, 512);
}

static void pio_write(void **state)
{
    u8 bytes[512 * 5];

    (void)state;
    memset(bytes, 0x5A, sizeof bytes);
    out(COUNT, 4);
    command(0xC6);
    assert_done();
    address(77, 5);
    interrupts = 0;
    command(0xC5);
    assert_int_equal(interrupts, 0); /* the first block is asked for quietly */
    write_words(bytes, 256 * 4);
    assert_int_equal(interrupts, 1);
    in(STATUS);
    write_words(bytes, 256);
    assert_int_equal(interrupts, 2);
    assert_done();
    assert_memory_equal(disk.bytes + 77 * 512, bytes, sizeof bytes);
    assert_int_equal(disk.flushes, 0);
    command(0xE7);
    assert_done();
    assert_int_equal(disk.flushes, 1);
    out(FEATURE, 0x82); /* no write cache: a write is on the medium when it ends */
    command(0xEF);
    address(1, 1);
    command(0x30);
    write_words(bytes, 256);
    assert_int_equal(disk.flushes, 3);
    out(COUNT, 3);
    command(0xC6);
    assert_failed(ATA_ABRT);
}

static void wide_addresses(void **state)
{
    u8 bytes[512];

    (void)state;
    out(DEVICE, 0x40);
    out(COUNT, 0);
    out(COUNT, 1);
    out(LBA0, 0); /* bits 31-24, then 7-0 */
    out(LBA0, 0x01);
    out(LBA1, 0);
    out(LBA1, 0x02);
    out(LBA2, 0);
    out(LBA2, 0x03);
    command(0x24);
    read_words(bytes, 256);
    assert_memory_equal(bytes, disk.bytes + 0x030201 * 512, 512);
    out(LBA2, 0x44);
    out(LBA2, 0x55);
    assert_int_equal(in(LBA2), 0x55);
    ports_write(ports, CONTROL, 0x80, 1, INITIATOR_CPU0);
    assert_int_equal(in(LBA2), 0x44);
    command(0x27);
    assert_done();
    assert_int_equal(in(LBA0) | in(LBA1) << 8 | in(LBA2) << 16, DISK_SECTORS - 1);
}

static void errors(void **state)
{
    u8 bytes[512];

    (void)state;
    address(DISK_SECTORS - 1, 2);
    command(0x20);
    assert_failed(ATA_IDNF);
    address(DISK_SECTORS - 1, 1);
    command(0x20);
    read_words(bytes, 256);
    assert_done();
    out(DEVICE, 0xA0); /* sector 0 of a track does not exist */
    out(LBA0, 0);
    command(0x40);
    assert_failed(ATA_IDNF);
    disk.bad = 11 * 512;
    address(10, 4);
    command(0x20);
    in(STATUS);
    read_words(bytes, 256);
    assert_failed(ATA_UNC);
    assert_int_equal(in(LBA0), 11);
    address(11, 1);
    command(0x30);
    write_words(bytes, 256);
    assert_failed(ATA_ABRT);
    command(0xB0);
    assert_failed(ATA_ABRT);
    disk.block.read_only = true;
    address(12, 1);
    command(0x30);
    write_words(bytes, 256);
    assert_failed(ATA_ABRT);
    out(DEVICE, 0xA0);
    command(0x90); /* diagnostic */
    assert_int_equal(in(ERROR), 1);
    assert_done();
}

/* ---- the bus master */

static void prd(u32 at, u32 address_, u16 size, bool last)
{
    u8 entry[8];

    store_le32(entry, address_);
    store_le32(entry + 4, size | (last ? 0x80000000u : 0));
    physmem_write(pm, at, entry, sizeof entry, INITIATOR_LOADER);
}

static void start(u32 table, u8 how)
{
    ata_bus_master_write(channel, 4, table, 4);
    ata_bus_master_write(channel, 2, 6, 1);
    ata_bus_master_write(channel, 0, how, 1);
    ata_bus_master_write(channel, 0, how | 1u, 1);
    pass();
}

static void dma(void **state)
{
    u8 bytes[3 * 512];

    (void)state;
    prd(0x1000, 0x20000, 700, false);
    prd(0x1008, 0x30000, 836, true);
    address(1000, 3);
    command(0xC8);
    assert_int_equal(interrupts, 0);
    start(0x1000, 8);
    assert_int_equal(interrupts, 1);
    assert_int_equal(ata_bus_master_read(channel, 2, 1), 4);
    assert_done();
    physmem_read(pm, 0x20000, bytes, 700, INITIATOR_LOADER);
    physmem_read(pm, 0x30000, bytes + 700, 836, INITIATOR_LOADER);
    assert_memory_equal(bytes, disk.bytes + 1000 * 512, sizeof bytes);
    /* out, where the bus master was started first */
    ata_bus_master_write(channel, 0, 0, 1);
    start(0x1000, 0);
    assert_int_equal(ata_bus_master_read(channel, 2, 1), 1);
    address(2000, 3);
    command(0xCA);
    assert_int_equal(ata_bus_master_read(channel, 2, 1), 4);
    assert_done();
    assert_memory_equal(disk.bytes + 2000 * 512, bytes, sizeof bytes);
    ata_bus_master_write(channel, 2, 4, 1);
    assert_int_equal(ata_bus_master_read(channel, 2, 1), 0);
}

/* A list that ends early leaves the drive waiting; one that is too long leaves ACTIVE; a missing permission stops all.
 */
static void dma_that_does_not_fit(void **state)
{
    (void)state;
    prd(0x1000, 0x20000, 512, true);
    address(5, 2);
    command(0xC8);
    start(0x1000, 8);
    assert_int_equal(ata_bus_master_read(channel, 2, 1), 0);
    assert_int_equal(in(STATUS)&ATA_DRQ, ATA_DRQ);
    ata_bus_master_write(channel, 0, 0, 1);
    start(0x1000, 8); /* the rest */
    assert_done();
    prd(0x1000, 0x20000, 0, false); /* 64 KiB */
    prd(0x1008, 0x20000, 0, true);
    address(5, 2);
    command(0xC8);
    ata_bus_master_write(channel, 0, 0, 1);
    start(0x1000, 8);
    assert_int_equal(ata_bus_master_read(channel, 2, 1), 5);
    ata_bus_master_write(channel, 0, 0, 1);
    assert_int_equal(ata_bus_master_read(channel, 2, 1), 4);
    ata_bus_master_allow(channel, false);
    address(5, 2);
    command(0xC8);
    start(0x1000, 8);
    assert_int_equal(in(STATUS)&ATA_DRQ, ATA_DRQ);
    ata_bus_master_allow(channel, true);
    pass();
    assert_done();
    disk.bad = 5 * 512;
    address(5, 2);
    command(0xC8);
    ata_bus_master_write(channel, 0, 0, 1);
    start(0x1000, 8);
    assert_failed(ATA_UNC);
    /* a list in no memory */
    address(5, 2);
    disk.bad = ~0ull;
    command(0xC8);
    ata_bus_master_write(channel, 0, 0, 1);
    start(0xFFFFFFF0, 8);
    assert_done(); /* it reads as ones: one region, into nothing */
}

/* ---- the CD */

static void packet(const u8 *bytes, u8 feature, u16 limit)
{
    out(DEVICE, 0xB0);
    out(FEATURE, feature);
    out(LBA1, (u8)limit);
    out(LBA2, (u8)(limit >> 8));
    command(0xA0);
    assert_int_equal(in(COUNT), ATAPI_COMMAND);
    write_words(bytes, 6);
}

static const u8 test_ready[12] = {0}, sense[12] = {3, 0, 0, 0, 18};

static void assert_sense(u8 key, u8 code)
{
    u8 bytes[18];

    assert_failed((u8)(key << 4));
    packet(sense, 0, 18);
    assert_int_equal(in(LBA1), 18);
    read_words(bytes, 9);
    assert_int_equal(in(STATUS) & (ATA_ERR | ATA_DRQ), 0);
    assert_int_equal(bytes[2], key);
    assert_int_equal(bytes[12], code);
}

static void signatures(void **state)
{
    u8 w[512];

    (void)state;
    ports_write(ports, CONTROL, 4, 1, INITIATOR_CPU0);
    assert_int_equal(alternate(), ATA_BSY);
    ports_write(ports, CONTROL, 0, 1, INITIATOR_CPU0);
    assert_int_equal(in(LBA1) | in(LBA2) << 8, 0);
    out(DEVICE, 0xB0);
    assert_int_equal(in(STATUS), 0);
    assert_int_equal(in(LBA1) | in(LBA2) << 8, 0xEB14);
    command(0xEC);
    assert_failed(ATA_ABRT);
    assert_int_equal(in(LBA1) | in(LBA2) << 8, 0xEB14);
    command(0xA1);
    read_words(w, 256);
    assert_int_equal(load_le16(w), 0x85C0);
    assert_memory_equal(w + 20, "dc1-", 4);
    assert_done();
}

static void read_cd_by_pio(void **state)
{
    static const u8 read[12] = {0x28, 0, 0, 0, 0, 7, 0, 0, 3};
    u8 bytes[3 * 2048];
    unsigned at = 0;

    (void)state;
    packet(test_ready, 0, 0);
    assert_sense(6, 0x28); /* the disc is new */
    packet(test_ready, 0, 0);
    assert_done();
    packet(read, 0, 2500);
    while (in(STATUS)&ATA_DRQ) {
        unsigned part = in(LBA1) | (unsigned)in(LBA2) << 8;

        assert_int_equal(in(COUNT), ATAPI_TO_HOST);
        assert_true(part <= 2500 && at + part <= sizeof bytes);
        read_words(bytes + at, part / 2);
        at += part;
    }
    assert_int_equal(in(COUNT), ATAPI_COMMAND | ATAPI_TO_HOST);
    assert_int_equal(at, sizeof bytes);
    assert_memory_equal(bytes, cd.bytes + 7 * 2048, sizeof bytes);
}

static void read_cd_by_dma(void **state)
{
    static const u8 read[12] = {0xA8, 0, 0, 0, 0, 98, 0, 0, 0, 2}, capacity[12] = {0x25};
    u8 bytes[2 * 2048];

    (void)state;
    packet(test_ready, 0, 0);
    prd(0x1000, 0x20000, sizeof bytes, true);
    packet(read, 1, 0);
    start(0x1000, 8);
    assert_done();
    physmem_read(pm, 0x20000, bytes, sizeof bytes, INITIATOR_LOADER);
    assert_memory_equal(bytes, cd.bytes + 98 * 2048, sizeof bytes);
    ata_bus_master_write(channel, 0, 0, 1);
    packet(capacity, 1, 0);
    start(0x1000, 8);
    physmem_read(pm, 0x20000, bytes, 8, INITIATOR_LOADER);
    assert_int_equal(load_be32(bytes), 99);
    assert_int_equal(load_be32(bytes + 4), 2048);
}

static void cd_errors(void **state)
{
    static const u8 behind[12] = {0x28, 0, 0, 0, 0, 99, 0, 0, 2}, unknown[12] = {0xFF},
                    far_behind[12] = {0xA8, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF},
                    good[12] = {0x28, 0, 0, 0, 0, 3, 0, 0, 1};

    (void)state;
    packet(test_ready, 0, 0);
    packet(behind, 0, 0);
    assert_sense(5, 0x21);
    packet(far_behind, 0, 0);
    assert_sense(5, 0x21);
    packet(unknown, 0, 0);
    assert_sense(5, 0x20);
    cd.bad = 3 * 2048 + 5;
    packet(good, 0, 0);
    assert_sense(3, 0x11);
    ata_drive_free(ata_cd_new(NULL, "empty"));
}

/* ---- a channel with nothing on it */

static void nobody(void **state)
{
    struct irq_line line = {0};
    struct ata_channel *empty = ata_channel_new(ports, &clk, pm, 0x170, 0x376, &line, "empty");

    (void)state;
    ports_write(ports, 0x172, 0x55, 1, INITIATOR_CPU0);
    assert_int_equal(ports_read(ports, 0x172, 1, INITIATOR_CPU0), 0);
    ports_write(ports, 0x177, 0xEC, 1, INITIATOR_CPU0);
    ports_write(ports, 0x177, 0x90, 1, INITIATOR_CPU0);
    ports_write(ports, 0x376, 4, 1, INITIATOR_CPU0);
    ports_write(ports, 0x376, 0, 1, INITIATOR_CPU0);
    pass();
    assert_int_equal(ports_read(ports, 0x177, 1, INITIATOR_CPU0), 0);
    assert_false(line.level);
    ata_channel_free(empty);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(identify_disk),  TEST(pio_read),       TEST(pio_write),
                                       TEST(wide_addresses), TEST(errors),         TEST(dma),
                                       TEST(signatures),     TEST(read_cd_by_pio), TEST(read_cd_by_dma),
                                       TEST(cd_errors),      TEST(nobody),         TEST(dma_that_does_not_fit)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}

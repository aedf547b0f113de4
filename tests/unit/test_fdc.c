/* SPDX-License-Identifier: MIT
 * The floppy disk controller: reset, seeks, transfers by DMA and by the processor, what it refuses.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "devices/fdc.h"

#define DISK_BYTES (1440u << 10)

static struct ports *ports;
static struct physmem *memory;
static struct clock clk;
static struct i8237 *dma;
static struct irq_line irq;
static struct fdc *fdc;
static u8 *disk;
static struct block medium;
static bool broken;
static unsigned edges;

static void out(u16 port, u8 value) { ports_write(ports, port, value, 1, INITIATOR_CPU0); }
static u8 in(u16 port) { return (u8)ports_read(ports, port, 1, INITIATOR_CPU0); }

static void go(u64 ticks)
{
    u64 end = clk.ticks + ticks;

    while (clk.deadline <= end) {
        clk.ticks = clk.deadline;
        clock_run(&clk);
    }
    clk.ticks = end;
}

static bool disk_read(void *context, u64 offset, void *bytes, size_t size)
{
    (void)context;
    memcpy(bytes, disk + offset, size);
    return !broken;
}

static bool disk_write(void *context, u64 offset, const void *bytes, size_t size)
{
    (void)context;
    memcpy(disk + offset, bytes, size);
    return !broken;
}

static bool disk_flush(void *context)
{
    (void)context;
    return true;
}

static const struct block_ops disk_ops = {disk_read, disk_write, disk_flush};

static void irq_changed(void *context, unsigned number, bool level)
{
    (void)context, (void)number;
    edges += level;
}

/* Each sector begins with its number on the disk. */
static int setup(void **state)
{
    struct error err;

    (void)state;
    ports = ports_new();
    clock_init(&clk);
    memory = physmem_new(2 << 20, &err);
    dma = i8237_new(ports, memory);
    irq = (struct irq_line){.changed = irq_changed};
    disk = calloc(1, DISK_BYTES);
    for (unsigned i = 0; i < DISK_BYTES / 512; i++)
        disk[512 * i] = (u8)i, disk[512 * i + 1] = (u8)(i >> 8), disk[512 * i + 511] = 0x5a;
    medium = (struct block){.ops = &disk_ops, .bytes = DISK_BYTES};
    broken = false;
    edges = 0;
    fdc = fdc_new(ports, &clk, dma, &irq);
    fdc_add_drive(fdc, 0, &medium, false);
    return memory == NULL;
}

static int teardown(void **state)
{
    (void)state;
    fdc_free(fdc);
    i8237_free(dma);
    physmem_free(memory);
    ports_free(ports);
    free(disk);
    return 0;
}

static void send(const char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        assert_int_equal(in(0x3f4) & 0xc0, 0x80);
        out(0x3f5, (u8)bytes[i]);
    }
}
#define SEND(text) send(text, sizeof(text) - 1)

static void expect(const char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        assert_int_equal(in(0x3f4) & 0xd0, 0xd0);
        assert_int_equal(in(0x3f5), (u8)bytes[i]);
    }
    assert_int_equal(in(0x3f4) & 0xd0, 0x80);
}
#define EXPECT(text) expect(text, sizeof(text) - 1)

/* Out of reset, motor 0 on, 500 kbit/s, DMA. */
static void power_on(void)
{
    out(0x3f2, 0x1c);
    for (unsigned i = 0; i < 4; i++) {
        char answer[2] = {(char)(0xc0 | i), 0};

        SEND("\x08");
        expect(answer, 2);
    }
    out(0x3f7, 0);
    SEND("\x03\xaf\x02");
}

static void program_dma(u8 mode, u16 address, unsigned bytes)
{
    out(0x0a, 6), out(0x0c, 0), out(0x0b, mode | 2);
    out(0x04, (u8)address), out(0x04, (u8)(address >> 8));
    out(0x05, (u8)(bytes - 1)), out(0x05, (u8)((bytes - 1) >> 8));
    out(0x81, 1), out(0x0a, 2);
}

static unsigned word_at(paddr_t paddr)
{
    u8 bytes[2];

    physmem_read(memory, paddr, bytes, 2, INITIATOR_DEBUGGER);
    return bytes[0] | bytes[1] << 8;
}

static void reset(void **state)
{
    (void)state;
    assert_int_equal(in(0x3f4), 0); /* held in reset */
    out(0x3f5, 0x08);
    out(0x3f2, 0x0c);
    assert_true(irq.level);
    assert_int_equal(in(0x3f4), 0x80);
    SEND("\x08");
    assert_false(irq.level);
    EXPECT("\xc0\x00");
    SEND("\x08");
    EXPECT("\xc1\x00");
    SEND("\x08");
    EXPECT("\xc2\x00");
    SEND("\x08");
    EXPECT("\xc3\x00");
    SEND("\x08"); /* there is no more to say */
    EXPECT("\x80");
    assert_int_equal(edges, 1);
    out(0x3f4, 0x80);
    assert_true(irq.level);
    out(0x3f2, 0x04); /* the gate is closed */
    assert_false(irq.level);
    out(0x3f2, 0);
    assert_int_equal(in(0x3f4), 0);
}

static void identity_and_configuration(void **state)
{
    (void)state;
    power_on();
    SEND("\x10");
    EXPECT("\x90");
    SEND("\x18"); /* no such command */
    EXPECT("\x80");
    SEND("\x13\x00\x57\x11\x12\x84\x94");
    EXPECT("\x10");
    SEND("\x0e");
    EXPECT("\x00\x00\x00\x00\xaf\x02\x00\x84\x57\x11");
    out(0x3f4, 0x80);
    SEND("\x0e"); /* the FIFO's settings are locked; implied seeks are not */
    EXPECT("\x00\x00\x00\x00\xaf\x02\x00\x84\x07\x11");
    SEND("\x14");
    EXPECT("\x00");
    out(0x3f4, 0x80);
    SEND("\x0e");
    EXPECT("\x00\x00\x00\x00\xaf\x02\x00\x04\x20\x00");
    SEND("\x04\x04");
    EXPECT("\x3c"); /* head 1, track 0 */
    medium.read_only = true;
    SEND("\x04\x00");
    EXPECT("\x78");
    assert_int_equal(fdc_type(fdc, 0), 4);
    assert_int_equal(fdc_type(fdc, 1), 0);
}

static void seeks(void **state)
{
    (void)state;
    power_on();
    assert_int_equal(in(0x3f7), 0x80); /* changed */
    SEND("\x0f\x00\x05");
    assert_int_equal(in(0x3f4), 0x81);
    go(6 * FDC_STEP_TICKS);
    assert_int_equal(in(0x3f4), 0x80);
    assert_true(irq.level);
    SEND("\x08");
    assert_false(irq.level);
    EXPECT("\x20\x05");
    assert_int_equal(in(0x3f7), 0);
    SEND("\xcf\x00\x02"); /* inward by two */
    go(6 * FDC_STEP_TICKS);
    SEND("\x08");
    EXPECT("\x20\x07");
    SEND("\x07\x00\x07\x01"); /* both drives at once; there is no drive 1 */
    go(100 * FDC_STEP_TICKS);
    SEND("\x08");
    EXPECT("\x20\x00");
    assert_true(irq.level);
    SEND("\x08");
    EXPECT("\x71\x00");
    SEND("\x0f\x00\xff"); /* beyond the last cylinder */
    go(300 * FDC_STEP_TICKS);
    SEND("\x08");
    EXPECT("\x20\xff");
    SEND("\x4a\x00");
    go(FDC_SECTOR_TICKS);
    assert_int_equal(in(0x3f5), 0x40);
    assert_int_equal(in(0x3f5), 0x01);
}

static void reads_by_dma(void **state)
{
    (void)state;
    power_on();
    program_dma(0x44, 0x0000, 20 * 512);
    SEND("\xe6\x00\x00\x00\x11\x02\x12\x1b\xff"); /* sector 17, and on over head 1 */
    assert_int_equal(in(0x3f4), 0x10);
    go(19 * FDC_SECTOR_TICKS);
    assert_int_equal(in(0x3f4), 0x10);
    go(FDC_SECTOR_TICKS);
    assert_true(irq.level);
    EXPECT("\x04\x00\x00\x01\x00\x01\x02"); /* done at the end of head 1: the next cylinder's first */
    assert_false(irq.level);
    for (unsigned i = 0; i < 20; i++)
        assert_int_equal(word_at(0x10000 + 512 * i), 16 + i);
    program_dma(0x44, 0, 100); /* a part of a sector */
    SEND("\x46\x00\x00\x00\x03\x02\x12\x1b\xff");
    go(FDC_SECTOR_TICKS);
    EXPECT("\x00\x00\x00\x00\x00\x04\x02");
    assert_int_equal(word_at(0x10000), 2);
    assert_int_equal(word_at(0x10200), 17); /* as before */
}

static void dma_that_comes_late(void **state)
{
    (void)state;
    power_on();
    program_dma(0x44, 0, 512);
    out(0x0a, 6);
    SEND("\x46\x00\x00\x00\x01\x02\x12\x1b\xff");
    go(10 * FDC_SECTOR_TICKS);
    assert_int_equal(in(0x3f4), 0x10);
    out(0x0a, 2);
    EXPECT("\x00\x00\x00\x00\x00\x02\x02");
}

static void writes_by_dma(void **state)
{
    u8 bytes[700];

    (void)state;
    power_on();
    memset(bytes, 0xee, sizeof bytes);
    physmem_write(memory, 0x10000, bytes, sizeof bytes, INITIATOR_LOADER);
    program_dma(0x48, 0, 700);
    SEND("\x45\x04\x00\x01\x01\x02\x12\x1b\xff");
    go(2 * FDC_SECTOR_TICKS);
    EXPECT("\x04\x00\x00\x00\x01\x03\x02");
    assert_int_equal(disk[18 * 512], 0xee);
    assert_int_equal(disk[18 * 512 + 699], 0xee);
    assert_int_equal(disk[18 * 512 + 700], 0); /* the rest of the sector */
    assert_int_equal(disk[20 * 512], 20);
    medium.read_only = true;
    program_dma(0x48, 0, 512);
    SEND("\x45\x04\x00\x01\x01\x02\x12\x1b\xff");
    go(FDC_SECTOR_TICKS);
    EXPECT("\x44\x02\x00\x00\x01\x01\x02");
    medium.read_only = false;
    broken = true;
    SEND("\x45\x04\x00\x01\x01\x02\x12\x1b\xff");
    go(FDC_SECTOR_TICKS);
    EXPECT("\x44\x20\x20\x00\x01\x01\x02");
    SEND("\x46\x00\x00\x00\x01\x02\x12\x1b\xff");
    go(FDC_SECTOR_TICKS);
    EXPECT("\x40\x20\x20\x00\x00\x01\x02");
}

static void by_the_processor(void **state)
{
    (void)state;
    power_on();
    SEND("\x03\xaf\x03");
    SEND("\x46\x00\x00\x00\x12\x02\x12\x1b\xff");
    assert_int_equal(in(0x3f4), 0x30);
    go(FDC_SECTOR_TICKS);
    for (unsigned i = 0; i < 512; i++) {
        assert_int_equal(in(0x3f4), 0xf0);
        assert_true(irq.level);
        edges = 0;
        assert_int_equal(in(0x3f5), disk[17 * 512 + i]);
        assert_int_equal(edges, 1); /* for the next byte, or for the end */
    }
    EXPECT("\x40\x80\x00\x01\x00\x01\x02"); /* nobody counts: it ends with the track */
    SEND("\x45\x00\x00\x00\x12\x02\x12\x1b\xff");
    go(FDC_SECTOR_TICKS);
    for (unsigned i = 0; i < 512; i++) {
        assert_int_equal(in(0x3f4), 0xb0);
        out(0x3f5, 0x77);
    }
    EXPECT("\x40\x80\x00\x01\x00\x01\x02");
    assert_int_equal(disk[17 * 512 + 300], 0x77);
}

static void finds_nothing(void **state)
{
    (void)state;
    power_on();
    program_dma(0x44, 0, 512);
    SEND("\x46\x00\x01\x00\x01\x02\x12\x1b\xff"); /* the heads are elsewhere */
    go(FDC_SECTOR_TICKS);
    EXPECT("\x40\x04\x10\x01\x00\x01\x02");
    SEND("\x46\x00\x00\x00\x13\x02\x12\x1b\xff"); /* sector 19 */
    go(FDC_SECTOR_TICKS);
    EXPECT("\x40\x04\x00\x00\x00\x13\x02");
    SEND("\x46\x00\x00\x00\x01\x03\x12\x1b\xff"); /* of 1024 bytes */
    go(FDC_SECTOR_TICKS);
    EXPECT("\x40\x04\x00\x00\x00\x01\x03");
    SEND("\x46\x00\x00\x01\x01\x02\x12\x1b\xff"); /* of the other head */
    go(FDC_SECTOR_TICKS);
    EXPECT("\x40\x04\x00\x00\x01\x01\x02");
    SEND("\x06\x00\x00\x00\x01\x02\x12\x1b\xff"); /* FM */
    go(FDC_SECTOR_TICKS);
    EXPECT("\x40\x01\x00\x00\x00\x01\x02");
    out(0x3f7, 2); /* 250 kbit/s */
    SEND("\x4a\x00");
    go(FDC_SECTOR_TICKS);
    EXPECT("\x40\x01\x00\x00\x00\x01\x02");
    out(0x3f7, 0);
    out(0x3f2, 0x0c); /* the motor stands */
    SEND("\x4a\x00");
    go(FDC_SECTOR_TICKS);
    assert_int_equal(in(0x3f4), 0x10);
    go(FDC_GIVE_UP_TICKS);
    EXPECT("\x40\x01\x00\x00\x00\x01\x02");
    out(0x3f2, 0x1c);
    SEND("\x4a\x04");
    go(FDC_SECTOR_TICKS);
    EXPECT("\x04\x00\x00\x00\x01\x01\x02");
    SEND("\x4a\x04");
    go(FDC_SECTOR_TICKS);
    EXPECT("\x04\x00\x00\x00\x01\x02\x02");
    SEND("\x13\x00\x40\x00"); /* implied seeks */
    SEND("\x46\x00\x01\x00\x01\x02\x12\x1b\xff");
    go(FDC_SECTOR_TICKS);
    EXPECT("\x00\x00\x00\x01\x00\x02\x02");
    assert_int_equal(word_at(0x10000), 36);
}

static void formats(void **state)
{
    u8 ids[18][4];

    (void)state;
    power_on();
    for (u8 i = 0; i < 18; i++)
        memcpy(ids[i], (u8[]){0, 1, (u8)(i + 1), 2}, 4);
    physmem_write(memory, 0x10000, ids, sizeof ids, INITIATOR_LOADER);
    program_dma(0x48, 0, sizeof ids);
    SEND("\x4d\x04\x02\x12\x54\xf6");
    go(18 * FDC_SECTOR_TICKS);
    EXPECT("\x04\x00\x00\x00\x01\x12\x02");
    assert_int_equal(disk[18 * 512], 0xf6);
    assert_int_equal(disk[36 * 512 - 1], 0xf6);
    assert_int_equal(disk[36 * 512], 36);
    ids[0][2] = 19; /* what the image has no room for */
    physmem_write(memory, 0x10000, ids, sizeof ids, INITIATOR_LOADER);
    program_dma(0x48, 0, sizeof ids);
    SEND("\x4d\x04\x02\x12\x54\xf6");
    go(FDC_SECTOR_TICKS);
    EXPECT("\x44\x02\x00\x00\x01\x13\x02");
}

static void geometries(void **state)
{
    (void)state;
    assert_int_equal(fdc_geometry(160 << 10)->heads, 1);
    assert_int_equal(fdc_geometry(360 << 10)->sectors, 9);
    assert_int_equal(fdc_geometry(720 << 10)->cylinders, 80);
    assert_int_equal(fdc_geometry(1200 << 10)->type, 2);
    assert_int_equal(fdc_geometry(2880 << 10)->sectors, 36);
    assert_ptr_equal(fdc_geometry(1296384), fdc_geometry(1440 << 10)); /* an image without its end */
    assert_ptr_equal(fdc_geometry(2000 << 10), fdc_geometry(2880 << 10));
    assert_null(fdc_geometry(4 << 20));
    assert_null(fdc_geometry(0));
}

/* A guest that writes anything anywhere: it ends, and nothing is touched that is not the guest's. */
static void nonsense(void **state)
{
    u64 seed = 88172645463325252ull;

    (void)state;
    power_on();
    for (unsigned i = 0; i < 200000; i++) {
        seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
        switch (seed >> 60) {
        case 0: out(0x3f2, (u8)(seed | (seed & 0xf00 ? 0x1c : 0))); break;
        case 1: out((u16)(0x3f3 + (seed >> 8 & 1)), (u8)(seed & 0x7f)); break;
        case 2: out(0x3f7, (u8)seed); break;
        case 3: out((u16)(seed >> 8 & 15), (u8)seed); break;
        case 4: go(FDC_SECTOR_TICKS); break;
        case 5:
        case 6: in(0x3f5); break;
        default: out(0x3f5, (u8)(seed & 8 ? 0x46 : seed)); break;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(reset, setup, teardown),
        cmocka_unit_test_setup_teardown(identity_and_configuration, setup, teardown),
        cmocka_unit_test_setup_teardown(seeks, setup, teardown),
        cmocka_unit_test_setup_teardown(reads_by_dma, setup, teardown),
        cmocka_unit_test_setup_teardown(dma_that_comes_late, setup, teardown),
        cmocka_unit_test_setup_teardown(writes_by_dma, setup, teardown),
        cmocka_unit_test_setup_teardown(by_the_processor, setup, teardown),
        cmocka_unit_test_setup_teardown(finds_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(formats, setup, teardown),
        cmocka_unit_test_setup_teardown(geometries, setup, teardown),
        cmocka_unit_test_setup_teardown(nonsense, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT
 * An ATA disk: PIO, multiple-sector and DMA transfers with CHS, 28- and 48-bit addresses; flush, power modes, identify.
 * ATA/ATAPI-6 (T13/1410D), "Command descriptions".
 * Not implemented, and so refused with ABRT as drives without them do: SMART, security, host protected area, queueing,
 * downloading of microcode.
 */
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "devices/ata_drive.h"

#define HEADS 16u
#define SECTORS_PER_TRACK 63u
#define CYLINDERS_MAX 16383u
#define LBA28_MAX 0x0FFFFFFFull

static u64 capacity(const struct ata_drive *d) { return d->medium->bytes / ATA_SECTOR; }

static u64 cylinders(const struct ata_drive *d)
{
    u64 all = capacity(d) / (d->heads * d->sectors_per_track);

    return all > CYLINDERS_MAX ? CYLINDERS_MAX : all;
}

/* ---- addresses */

static bool read_address(struct ata_drive *d, bool wide)
{
    u64 low = (u64)d->lba[2][0] << 16 | (u64)d->lba[1][0] << 8 | d->lba[0][0];

    if (wide) {
        d->sector = low | (u64)d->lba[2][1] << 40 | (u64)d->lba[1][1] << 32 | (u64)d->lba[0][1] << 24;
        d->sectors = (u32)d->count[1] << 8 | d->count[0];
        d->sectors = d->sectors != 0 ? d->sectors : 65536;
        return true;
    }
    d->sectors = d->count[0] != 0 ? d->count[0] : 256;
    if (d->device & ATA_LBA) {
        d->sector = low | (u64)(d->device & 15) << 24;
        return true;
    }
    /* Sectors of a track are counted from 1. */
    if (d->lba[0][0] == 0 || d->lba[0][0] > d->sectors_per_track || (d->device & 15u) >= d->heads)
        return false;
    d->sector = ((low >> 8) * d->heads + (d->device & 15)) * d->sectors_per_track + d->lba[0][0] - 1;
    return true;
}

/* Where a transfer stopped, in the form in which it was asked for. */
static void write_address(struct ata_drive *d, u64 sector, bool wide)
{
    if (!wide && !(d->device & ATA_LBA)) {
        u64 track = sector / d->sectors_per_track;

        d->lba[0][0] = (u8)(sector % d->sectors_per_track + 1);
        d->device = (u8)((d->device & 0xF0) | track % d->heads);
        d->lba[1][0] = (u8)(track / d->heads);
        d->lba[2][0] = (u8)(track / d->heads >> 8);
        return;
    }
    for (unsigned i = 0; i < 3; i++) {
        d->lba[i][0] = (u8)(sector >> (8 * i));
        if (wide)
            d->lba[i][1] = (u8)(sector >> (24 + 8 * i));
    }
    if (!wide)
        d->device = (u8)((d->device & 0xF0) | (sector >> 24 & 15));
}

/* ---- transfers */

enum transfer {
    T_WRITE = 1,
    T_WIDE = 2, /* 48-bit address */
    T_MULTIPLE = 4,
    T_DMA = 8,
    T_FUA = 16, /* on the medium when the command ends */
    T_VERIFY = 32,
};

static void fail_at(struct ata_drive *d, u64 sector, u8 error)
{
    write_address(d, sector, d->wide);
    ata_fail(d, error);
}

static u32 block_bytes(const struct ata_drive *d)
{
    return (d->sectors < d->block ? d->sectors : d->block) * ATA_SECTOR;
}

/* The next block is read before it is offered, so that an error shows before the data would. */
static void offer_block(struct ata_drive *d)
{
    u32 bytes = block_bytes(d);

    if (!block_read(d->medium, d->sector * ATA_SECTOR, d->buffer, bytes)) {
        fail_at(d, d->sector, ATA_UNC);
        return;
    }
    d->sector += bytes / ATA_SECTOR;
    d->sectors -= bytes / ATA_SECTOR;
    ata_data_in(d, bytes, true);
}

static void finish_write(struct ata_drive *d)
{
    if ((d->flush_at_end || !d->write_cache) && !block_flush(d->medium))
        ata_fail(d, ATA_ABRT);
    else
        ata_complete(d);
}

static void take_block(struct ata_drive *d)
{
    if (!block_write(d->medium, d->sector * ATA_SECTOR, d->buffer, d->buffer_size)) {
        fail_at(d, d->sector, ATA_ABRT);
        return;
    }
    d->sector += d->buffer_size / ATA_SECTOR;
    d->sectors -= d->buffer_size / ATA_SECTOR;
    if (d->sectors == 0)
        finish_write(d);
    else
        ata_data_out(d, block_bytes(d), true);
}

static void transfer(struct ata_drive *d, unsigned how)
{
    if (((how & T_MULTIPLE) && d->multiple == 0) || ((how & T_DMA) && d->dma_mode == 0)) {
        ata_fail(d, ATA_ABRT);
        return;
    }
    d->flush_at_end = (how & T_FUA) != 0;
    d->wide = (how & T_WIDE) != 0;
    if (!read_address(d, d->wide) || d->sector >= capacity(d) || d->sectors > capacity(d) - d->sector) {
        ata_fail(d, ATA_IDNF);
        return;
    }
    d->block = how & T_MULTIPLE ? d->multiple : 1;
    if (how & T_VERIFY)
        ata_complete(d);
    else if ((how & T_DMA) && (how & T_WRITE))
        ata_dma_out(d, (u64)d->sectors * ATA_SECTOR);
    else if (how & T_DMA)
        ata_dma_in(d, (u64)d->sectors * ATA_SECTOR);
    else if (how & T_WRITE)
        ata_data_out(d, block_bytes(d), false); /* the first block is asked for without an interrupt */
    else
        offer_block(d);
}

static bool disk_dma(struct ata_drive *d, u8 *bytes, size_t size)
{
    u64 at = d->sector * ATA_SECTOR + ((u64)d->sectors * ATA_SECTOR - d->dma_left);
    bool out = d->phase == ATA_DMA_OUT;

    if (!(out ? block_write(d->medium, at, bytes, size) : block_read(d->medium, at, bytes, size))) {
        fail_at(d, at / ATA_SECTOR, out ? ATA_ABRT : ATA_UNC);
        return false;
    }
    d->dma_left -= size;
    if (d->dma_left == 0 && out)
        finish_write(d);
    else if (d->dma_left == 0)
        ata_complete(d);
    return true;
}

static void disk_next(struct ata_drive *d, bool written)
{
    if (written)
        take_block(d);
    else if (d->sectors != 0)
        offer_block(d);
    else
        ata_settle(d);
}

/* ---- identification */

static void put_word(u8 *words, unsigned number, u64 value) { store_le16(words + 2 * number, (u16)value); }

static void identify(struct ata_drive *d)
{
    static const struct {
        u8 number;
        u16 value;
    } fixed[] = {
        {0, 0x0040}, /* a fixed disk */
        {3, HEADS},
        {6, SECTORS_PER_TRACK},
        {20, 3},
        {21, 512},
        {22, 4}, /* buffer: two-way with cache, in sectors; bytes of READ LONG */
        {47, 0x8000 | ATA_MULTIPLE_MAX},
        {48, 1},      /* 32-bit data port */
        {49, 0x0B00}, /* LBA, DMA, IORDY */
        {50, 0x4000},
        {51, 0x0200},
        {52, 0x0200},
        {53, 7}, /* words 54-58, 64-70 and 88 are valid */
        {64, 3}, /* PIO modes 3 and 4 */
        {65, 120},
        {66, 120},
        {67, 120},
        {68, 120},  /* cycle times in ns */
        {80, 0x7E}, /* ATA-1 to ATA-6 */
        {82, 0x4020},
        {83, 0x7400},
        {84, 0x4040}, /* NOP, write cache; FLUSH (EXT), LBA48; WRITE FUA EXT */
        {86, 0x3400},
        {87, 0x4040},
        {93, 0x6001}, /* 80-conductor cable; device 0 by jumper */
    };
    u64 all = capacity(d), chs = cylinders(d) * d->heads * d->sectors_per_track;
    u8 *w = d->buffer;

    memset(w, 0, ATA_SECTOR);
    for (unsigned i = 0; i < ARRAY_LEN(fixed); i++)
        put_word(w, fixed[i].number, fixed[i].value);
    put_word(w, 1,
             all / (HEADS * SECTORS_PER_TRACK) > CYLINDERS_MAX ? CYLINDERS_MAX : all / (HEADS * SECTORS_PER_TRACK));
    ata_put_text(w + 20, d->serial, 20);
    ata_put_text(w + 46, "1.0", 8);
    ata_put_text(w + 54, d->model, 40);
    put_word(w, 54, cylinders(d));
    put_word(w, 55, d->heads);
    put_word(w, 56, d->sectors_per_track);
    store_le32(w + 2 * 57, (u32)chs);
    put_word(w, 59, d->multiple != 0 ? 0x100u | d->multiple : 0);
    store_le32(w + 2 * 60, (u32)(all < LBA28_MAX ? all : LBA28_MAX));
    put_word(w, 63, 7 | (d->dma_mode >> 3 == 4 ? 0x100u << (d->dma_mode & 7) : 0)); /* multiword DMA 0-2 */
    put_word(w, 85, 0x4000 | (d->write_cache ? 0x20 : 0));
    put_word(w, 88, 0x3F | (d->dma_mode >> 3 == 8 ? 0x100u << (d->dma_mode & 7) : 0)); /* Ultra DMA 0-5 */
    store_le64(w + 2 * 100, all);
    ata_put_integrity(w);
    d->sectors = 0;
    ata_data_in(d, ATA_SECTOR, true);
}

/* ---- the other commands */

static void set_features(struct ata_drive *d)
{
    u8 mode = d->count[0];

    switch (d->feature[0]) {
    case 0x02: d->write_cache = true; break;
    case 0x82:
        d->write_cache = false;
        if (!block_flush(d->medium)) {
            ata_fail(d, ATA_ABRT);
            return;
        }
        break;
    case 0x03: /* transfer mode: PIO (0, 1), multiword DMA 0-2, Ultra DMA 0-5 */
        if (!(mode >> 3 <= 1 || (mode >> 3 == 4 && (mode & 7) <= 2) || (mode >> 3 == 8 && (mode & 7) <= 5))) {
            ata_fail(d, ATA_ABRT);
            return;
        }
        if (mode >> 3 >= 4)
            d->dma_mode = mode;
        break;
    case 0x55: /* read look-ahead off, on; reverting to power-on defaults off, on */
    case 0xAA:
    case 0x66:
    case 0xCC: break;
    default: ata_fail(d, ATA_ABRT); return;
    }
    ata_complete(d);
}

static void set_multiple(struct ata_drive *d)
{
    u8 count = d->count[0];

    if (count > ATA_MULTIPLE_MAX || (count & (count - 1)) != 0) {
        d->multiple = 0;
        ata_fail(d, ATA_ABRT);
        return;
    }
    d->multiple = count;
    ata_complete(d);
}

static void set_geometry(struct ata_drive *d)
{
    if (d->count[0] == 0 || d->count[0] > SECTORS_PER_TRACK) {
        ata_fail(d, ATA_ABRT);
        return;
    }
    d->heads = (u16)((d->device & 15) + 1);
    d->sectors_per_track = d->count[0];
    ata_complete(d);
}

static void read_native_max(struct ata_drive *d, bool wide)
{
    u64 last = capacity(d) - 1;

    if (!(d->device & ATA_LBA)) {
        ata_fail(d, ATA_ABRT);
        return;
    }
    write_address(d, !wide && last > LBA28_MAX - 1 ? LBA28_MAX - 1 : last, wide);
    ata_complete(d);
}

static void seek(struct ata_drive *d)
{
    if (read_address(d, false) && d->sector < capacity(d))
        ata_complete(d);
    else
        ata_fail(d, ATA_IDNF);
}

static void flush(struct ata_drive *d)
{
    if (block_flush(d->medium))
        ata_complete(d);
    else
        ata_fail(d, ATA_ABRT);
}

/* The transfer commands, as bits. returns: false when the command is none of them */
static bool transfer_of(u8 command, unsigned *how)
{
    static const struct {
        u8 command, how;
    } table[] = {
        {0x20, 0},
        {0x21, 0},
        {0x24, T_WIDE},
        {0x25, T_WIDE | T_DMA},
        {0x29, T_WIDE | T_MULTIPLE},
        {0x30, T_WRITE},
        {0x31, T_WRITE},
        {0x34, T_WRITE | T_WIDE},
        {0x35, T_WRITE | T_WIDE | T_DMA},
        {0x39, T_WRITE | T_WIDE | T_MULTIPLE},
        {0x3D, T_WRITE | T_WIDE | T_DMA | T_FUA},
        {0x40, T_VERIFY},
        {0x41, T_VERIFY},
        {0x42, T_VERIFY | T_WIDE},
        {0xC4, T_MULTIPLE},
        {0xC5, T_WRITE | T_MULTIPLE},
        {0xC8, T_DMA},
        {0xC9, T_DMA},
        {0xCA, T_WRITE | T_DMA},
        {0xCB, T_WRITE | T_DMA},
        {0xCE, T_WRITE | T_WIDE | T_MULTIPLE | T_FUA},
    };

    for (unsigned i = 0; i < ARRAY_LEN(table); i++) {
        if (table[i].command == command) {
            *how = table[i].how;
            return true;
        }
    }
    return false;
}

static void disk_execute(struct ata_drive *d)
{
    unsigned how;

    if (transfer_of(d->command, &how)) {
        transfer(d, how);
        return;
    }
    switch (d->command) {
    case 0x27: read_native_max(d, true); return;
    case 0xF8: read_native_max(d, false); return;
    case 0x91: set_geometry(d); return;
    case 0xC6: set_multiple(d); return;
    case 0xE7:
    case 0xEA: flush(d); return;
    case 0xEC: identify(d); return;
    case 0xEF: set_features(d); return;
    case 0x98: /* CHECK POWER MODE: active or idle */
    case 0xE5:
        d->count[0] = 0xFF;
        ata_complete(d);
        return;
    case 0x94: /* STANDBY (IMMEDIATE), IDLE (IMMEDIATE), SLEEP: nothing here spins */
    case 0x95:
    case 0x96:
    case 0x97:
    case 0x99:
    case 0xE0:
    case 0xE1:
    case 0xE2:
    case 0xE3:
    case 0xE6: ata_complete(d); return;
    default: break;
    }
    if (d->command >> 4 == 1) /* RECALIBRATE */
        ata_complete(d);
    else if (d->command >> 4 == 7)
        seek(d);
    else
        ata_fail(d, ATA_ABRT);
}

static void disk_signature(struct ata_drive *d)
{
    d->count[0] = d->lba[0][0] = 1;
    d->lba[1][0] = d->lba[2][0] = 0;
    d->status = ATA_DRDY | ATA_DSC;
}

static const struct ata_drive_ops disk_ops = {
    .execute = disk_execute, .next = disk_next, .dma = disk_dma, .signature = disk_signature};

struct ata_drive *ata_disk_new(const struct block *medium, const char *serial)
{
    struct ata_drive *d = calloc(1, sizeof *d);

    if (d == NULL)
        abort();
    d->ops = &disk_ops;
    d->medium = medium;
    d->heads = HEADS;
    d->sectors_per_track = SECTORS_PER_TRACK;
    d->write_cache = true;
    d->dma_mode = 0x22; /* multiword DMA 2 */
    strncpy(d->serial, serial, sizeof d->serial - 1);
    strcpy(d->model, "RINGSIDE HARDDISK");
    return d;
}

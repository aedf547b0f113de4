/* SPDX-License-Identifier: MIT
 * What a disk and a CD-ROM drive on an ATA channel have in common: registers, the data port's buffer, and the phases of
 * a command. ATA/ATAPI-6 (T13/1410D), "Interface register definitions and descriptions", "Protocol".
 *
 * A channel (ata_channel.c) owns the ports and the clock. It tells a drive to execute its command, to go on when a
 * block of data was moved, and to move data for the bus master; a drive tells it by its phase what it waits for.
 */
#ifndef RINGSIDE_DEVICES_ATA_DRIVE_H
#define RINGSIDE_DEVICES_ATA_DRIVE_H

#include "bus/block.h"

enum ata_status {
    ATA_ERR = 0x01, /* ATAPI: CHK */
    ATA_DRQ = 0x08,
    ATA_DSC = 0x10, /* seek complete */
    ATA_DF = 0x20,
    ATA_DRDY = 0x40,
    ATA_BSY = 0x80,
};
enum ata_error { ATA_ABRT = 0x04, ATA_IDNF = 0x10, ATA_UNC = 0x40 };
enum ata_device { ATA_DEVICE_1 = 0x10, ATA_LBA = 0x40, ATA_DEVICE_ONES = 0xA0 };
/* The sector count register, as ATAPI's interrupt reason. */
enum atapi_reason { ATAPI_COMMAND = 1, ATAPI_TO_HOST = 2 };

enum ata_phase {
    ATA_IDLE,
    ATA_EXECUTE,  /* a command was written; BSY until the channel has it executed */
    ATA_PIO_IN,   /* the host reads the buffer */
    ATA_PIO_OUT,  /* the host fills the buffer */
    ATA_WAS_READ, /* the host has read a block; BSY until the channel lets the drive go on */
    ATA_WAS_WRITTEN,
    ATA_DMA_IN, /* waits for the bus master to take dma_left bytes */
    ATA_DMA_OUT,
};

#define ATA_SECTOR 512u
#define ATA_MULTIPLE_MAX 16u
#define ATA_BUFFER 65536u /* the most that ATAPI moves in one block is FFFEh */

struct ata_drive;

struct ata_drive_ops {
    /* Carry out the command register's command: change phase and registers, end by ata_complete() or ata_fail(), or
     * ask for data. */
    void (*execute)(struct ata_drive *drive);
    /* A PIO block was moved whole. written: by the host, and buffer_size bytes of the buffer are its data. */
    void (*next)(struct ata_drive *drive, bool written);
    /* Move the next `size` bytes of a DMA transfer, size at most dma_left. returns: false: the command failed */
    bool (*dma)(struct ata_drive *drive, u8 *bytes, size_t size);
    /* After a reset: what the drive is, in its registers. */
    void (*signature)(struct ata_drive *drive);
    bool packet; /* takes DEVICE RESET; a command does not wait for DRDY */
};

struct ata_drive {
    const struct ata_drive_ops *ops;
    const struct block *medium; /* NULL: nothing in the drive */
    char serial[21], model[41];
    /* Written registers remember one value before the last: the upper half of 48-bit commands. */
    u8 feature[2], count[2], lba[3][2]; /* lba[0]: bits 7-0, [1] 15-8, [2] 23-16; [.][0] the last value written */
    u8 device, command;
    u8 status, error;
    bool interrupt; /* INTRQ wants to be raised; the channel looks after each call */
    bool number;    /* device 1 of the channel */
    enum ata_phase phase;
    u32 position, buffer_size;
    u64 dma_left;
    u8 buffer[ATA_BUFFER];
    /* ---- a disk's */
    u64 sector;  /* the next one */
    u32 sectors; /* left of the command */
    u8 multiple; /* sectors per block of the MULTIPLE commands; 0: not set */
    u8 block;    /* sectors per block of the command under way */
    bool wide;   /* a 48-bit address */
    bool write_cache, flush_at_end;
    u8 dma_mode; /* as SET FEATURES 03h took it */
    u16 heads, sectors_per_track;
    /* ---- a CD's */
    u8 packet[12];
    u8 sense_key, sense_code, sense_qualifier;
    bool by_dma;
    u64 read_at, read_left; /* bytes of the medium that a read has still to send; left 0: an answer from the buffer */
    u32 block_limit;        /* what the host takes at once */
    bool medium_changed, locked;
};

/* in: medium  sectors of 512 bytes; serial at most 20 characters */
struct ata_drive *ata_disk_new(const struct block *medium, const char *serial);
/* in: medium  frames of 2048 bytes, or NULL for an empty drive */
struct ata_drive *ata_cd_new(const struct block *medium, const char *serial);
void ata_drive_free(struct ata_drive *drive);

/* ---- for the drives */

/* The command is done: BSY and DRQ go, INTRQ comes. */
void ata_complete(struct ata_drive *drive);
void ata_fail(struct ata_drive *drive, u8 error);
/* The last data were read: done, without another interrupt. */
void ata_settle(struct ata_drive *drive);
/* Offer `size` bytes of the buffer to the host, or ask the host for them; with an interrupt or without. */
void ata_data_in(struct ata_drive *drive, u32 size, bool interrupt);
void ata_data_out(struct ata_drive *drive, u32 size, bool interrupt);
/* Wait for the bus master. */
void ata_dma_in(struct ata_drive *drive, u64 size);
void ata_dma_out(struct ata_drive *drive, u64 size);
/* Identification words hold two characters, the first in the upper byte; padded with spaces. */
void ata_put_text(u8 *words, const char *text, unsigned characters);
/* Word 255: the signature A5h and a checksum. */
void ata_put_integrity(u8 *words);

#endif

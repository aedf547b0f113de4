/* SPDX-License-Identifier: MIT
 * The phases of a command, as every ATA drive goes through them.
 */
#include "devices/ata_drive.h"

#include <stdlib.h>
#include <string.h>

void ata_drive_free(struct ata_drive *drive) { free(drive); }

void ata_settle(struct ata_drive *drive)
{
    drive->phase = ATA_IDLE;
    drive->status = ATA_DRDY | ATA_DSC;
    drive->error = 0;
}

void ata_complete(struct ata_drive *drive)
{
    ata_settle(drive);
    drive->interrupt = true;
}

void ata_fail(struct ata_drive *drive, u8 error)
{
    ata_complete(drive);
    drive->status |= ATA_ERR;
    drive->error = error;
}

static void data_phase(struct ata_drive *drive, enum ata_phase phase, u32 size, bool interrupt)
{
    drive->phase = phase;
    drive->position = 0;
    drive->buffer_size = size;
    drive->status = ATA_DRDY | ATA_DSC | ATA_DRQ;
    drive->error = 0;
    drive->interrupt |= interrupt;
}

void ata_data_in(struct ata_drive *drive, u32 size, bool interrupt) { data_phase(drive, ATA_PIO_IN, size, interrupt); }

void ata_data_out(struct ata_drive *drive, u32 size, bool interrupt)
{
    data_phase(drive, ATA_PIO_OUT, size, interrupt);
}

static void dma_phase(struct ata_drive *drive, enum ata_phase phase, u64 size)
{
    drive->phase = phase;
    drive->dma_left = size;
    drive->status = ATA_DRDY | ATA_DSC | ATA_DRQ;
    drive->error = 0;
}

void ata_dma_in(struct ata_drive *drive, u64 size) { dma_phase(drive, ATA_DMA_IN, size); }

void ata_dma_out(struct ata_drive *drive, u64 size) { dma_phase(drive, ATA_DMA_OUT, size); }

void ata_put_text(u8 *words, const char *text, unsigned characters)
{
    size_t length = strlen(text);

    for (unsigned i = 0; i < characters; i++)
        words[i ^ 1] = i < length ? (u8)text[i] : ' ';
}

void ata_put_integrity(u8 *words)
{
    u8 sum = 0;

    words[510] = 0xA5;
    for (unsigned i = 0; i < 511; i++)
        sum = (u8)(sum + words[i]);
    words[511] = (u8)-sum;
}

/* SPDX-License-Identifier: MIT
 * The floppy controller's commands that look for a sector: READ DATA, WRITE DATA, FORMAT TRACK, READ ID.
 * Intel 82077AA data sheet, "Data Transfer Commands", "Result Phase Table".
 */
#include <string.h>

#include "devices/fdc_state.h"

enum { MULTI_TRACK = 0x80, MFM = 0x40 };

bool fdc_by_processor(const struct fdc *f) { return f->specify[1] & 1; }

bool fdc_from_host(const struct fdc *f) { return f->kind == FDC_WRITE || f->kind == FDC_FORMAT; }

static void finish(struct fdc *f, u8 st0, u8 st1, u8 st2)
{
    u8 bytes[] = {(u8)(st0 | f->head << 2 | f->unit), st1, st2, f->c, f->h, f->r, f->n};

    f->moving = false;
    i8237_request(f->dma, FDC_DMA_CHANNEL, false);
    fdc_result(f, bytes, sizeof bytes, true);
}

static bool turning(const struct fdc *f)
{
    return f->drive[f->unit].medium && (f->dor & 0x10u << f->unit) && (f->dor & 3) == f->unit;
}

/* The sector C, H, R, N on the track under the head. returns: false when the command has ended without it */
static bool find_sector(struct fdc *f)
{
    const struct fdc_drive *d = &f->drive[f->unit];

    if (f->c != d->cylinder)
        finish(f, ST0_ABNORMAL, ST1_NO_DATA, f->c == 0xff ? ST2_BAD_CYLINDER : ST2_WRONG_CYLINDER);
    else if (f->h != f->head || f->n != FDC_SECTOR_N || f->r == 0 || f->r > d->geometry->sectors)
        finish(f, ST0_ABNORMAL, ST1_NO_DATA, 0);
    return f->phase == FDC_EXECUTION;
}

/* The host's turn to move data. */
static void move(struct fdc *f);

static void begin_moving(struct fdc *f, unsigned size)
{
    f->at = 0;
    f->size = size;
    f->moving = true;
    f->terminal = false;
    move(f);
}

static void next_sector(struct fdc *f) { clock_arm(f->clock, &f->sector, f->clock->ticks + FDC_SECTOR_TICKS); }

/* What C, H and R are once the sector is done; the track's last goes on to the other head, or to the next cylinder. */
static void count_on(struct fdc *f, bool multi_track)
{
    u8 last = f->command[6];

    if (f->r != last) {
        f->r++;
        return;
    }
    f->r = 1;
    if (!multi_track || f->head == 1)
        f->c++;
    if (multi_track)
        f->h ^= 1;
}

/* READ DATA and WRITE DATA go on until the terminal count, or to the end of the track (or of the cylinder). */
static void sector_done(struct fdc *f)
{
    bool multi_track = f->command[0] & MULTI_TRACK, last = f->r == f->command[6];

    count_on(f, multi_track);
    if (f->terminal) {
        finish(f, 0, 0, 0);
    } else if (!last) {
        next_sector(f);
    } else if (multi_track && f->head == 0) {
        f->head = 1;
        next_sector(f);
    } else {
        finish(f, ST0_ABNORMAL, ST1_END, 0);
    }
}

static void write_done(struct fdc *f)
{
    memset(f->sector_bytes + f->at, 0, FDC_SECTOR_BYTES - f->at); /* the terminal count came in the middle */
    if (fdc_drive_write(&f->drive[f->unit], f->head, f->r, f->sector_bytes))
        sector_done(f);
    else
        finish(f, ST0_ABNORMAL, ST1_DATA, ST2_DATA);
}

/* A sector of FORMAT TRACK: C, H, R, N have come. An image has room for the sectors of its geometry only; others end
 * the command as a medium does that takes no writes. */
static void format_done(struct fdc *f)
{
    const struct fdc_drive *d = &f->drive[f->unit];
    const u8 *id = f->sector_bytes;
    u8 filled[FDC_SECTOR_BYTES];

    if (f->at < 4) { /* the terminal count came too early */
        finish(f, 0, 0, 0);
        return;
    }
    f->c = id[0], f->h = id[1], f->r = id[2], f->n = id[3];
    if (f->c != d->cylinder || f->h != f->head || f->n != FDC_SECTOR_N || f->r == 0 || f->r > d->geometry->sectors) {
        finish(f, ST0_ABNORMAL, ST1_PROTECTED, 0);
        return;
    }
    memset(filled, f->command[5], sizeof filled);
    if (!fdc_drive_write(d, f->head, f->r, filled))
        finish(f, ST0_ABNORMAL, ST1_DATA, ST2_DATA);
    else if (f->terminal || --f->command[3] == 0)
        finish(f, 0, 0, 0);
    else
        next_sector(f);
}

static void data_done(struct fdc *f)
{
    f->moving = false;
    i8237_request(f->dma, FDC_DMA_CHANNEL, false);
    switch (f->kind) {
    case FDC_WRITE: write_done(f); break;
    case FDC_FORMAT: format_done(f); break;
    default: sector_done(f); break;
    }
}

static void move(struct fdc *f)
{
    enum i8237_direction direction = fdc_from_host(f) ? I8237_FROM_MEMORY : I8237_TO_MEMORY;

    if (fdc_by_processor(f)) {
        fdc_update_interrupt(f, true);
        return;
    }
    i8237_request(f->dma, FDC_DMA_CHANNEL, true);
    f->at += (unsigned)i8237_transfer(f->dma, FDC_DMA_CHANNEL, direction, f->sector_bytes + f->at, f->size - f->at,
                                      &f->terminal);
    if (f->at == f->size || f->terminal)
        data_done(f);
}

void fdc_dma_ready(void *fdc)
{
    struct fdc *f = fdc;

    if (f->moving && !fdc_by_processor(f))
        move(f);
}

static void moved_byte(struct fdc *f)
{
    f->at++;
    if (f->at == f->size)
        data_done(f);
    fdc_update_interrupt(f, true);
}

u8 fdc_data_read(struct fdc *f)
{
    u8 value = f->sector_bytes[f->at];

    moved_byte(f);
    return value;
}

void fdc_data_write(struct fdc *f, u8 value)
{
    f->sector_bytes[f->at] = value;
    moved_byte(f);
}

static void read_id(struct fdc *f)
{
    struct fdc_drive *d = &f->drive[f->unit];

    d->sector = (u8)(d->sector % d->geometry->sectors + 1); /* the next that comes by */
    f->c = d->cylinder;
    f->h = f->head;
    f->r = d->sector;
    f->n = FDC_SECTOR_N;
    finish(f, 0, 0, 0);
}

void fdc_sector_due(void *fdc, u64 now)
{
    struct fdc *f = fdc;
    struct fdc_drive *d = &f->drive[f->unit];

    (void)now;
    if (!turning(f) || !(f->command[0] & MFM) || !fdc_drive_readable(d, f->head, f->rate)) {
        finish(f, ST0_ABNORMAL, ST1_NO_MARK, 0);
        return;
    }
    if (f->kind == FDC_READ_ID) {
        read_id(f);
        return;
    }
    if (fdc_from_host(f) && fdc_drive_protected(d)) {
        finish(f, ST0_ABNORMAL, ST1_PROTECTED, 0);
        return;
    }
    if (f->kind == FDC_FORMAT) {
        if (f->command[3] == 0)
            finish(f, 0, 0, 0);
        else
            begin_moving(f, 4);
        return;
    }
    if (!find_sector(f))
        return;
    if (f->kind == FDC_READ && !fdc_drive_read(d, f->head, f->r, f->sector_bytes)) {
        finish(f, ST0_ABNORMAL, ST1_DATA, ST2_DATA);
        return;
    }
    begin_moving(f, FDC_SECTOR_BYTES);
}

void fdc_transfer_begin(struct fdc *f, enum fdc_kind kind)
{
    struct fdc_drive *d;
    u64 wait;

    f->kind = kind;
    f->phase = FDC_EXECUTION;
    f->unit = f->command[1] & 3;
    f->head = f->command[1] >> 2 & 1;
    f->terminal = false;
    d = &f->drive[f->unit];
    if (kind == FDC_READ || kind == FDC_WRITE) {
        f->c = f->command[2], f->h = f->command[3], f->r = f->command[4], f->n = f->command[5];
        if ((f->config & CONFIG_IMPLIED_SEEK) && d->present) {
            fdc_drive_seek(d, f->c);
            f->pcn[f->unit] = f->c;
        }
    } else {
        f->c = f->pcn[f->unit], f->h = f->head, f->r = 1, f->n = FDC_SECTOR_N;
    }
    wait = turning(f) ? FDC_SECTOR_TICKS : FDC_GIVE_UP_TICKS;
    clock_arm(f->clock, &f->sector, f->clock->ticks + wait);
}

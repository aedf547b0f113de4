/* SPDX-License-Identifier: MIT
 * A floppy drive and the medium in it: geometry by the image's size, heads, disk change line.
 */
#ifndef RINGSIDE_DEVICES_FDC_DRIVE_H
#define RINGSIDE_DEVICES_FDC_DRIVE_H

#include "bus/block.h"

#define FDC_SECTOR_BYTES 512u
#define FDC_SECTOR_N 2u /* the size code of such sectors */

struct fdc_geometry {
    u8 cylinders, heads, sectors; /* sectors of a track, numbered from 1 */
    u8 rates;                     /* bit r: a medium that is read at data rate r of the CCR */
    u8 type;                      /* of the drive that takes it, as in CMOS 10h: 1 360K, 2 1.2M, 4 1.44M, 5 2.88M */
};

struct fdc_drive {
    bool present;
    const struct block *medium;          /* NULL: none */
    bool write_protected;                /* whatever the medium says */
    const struct fdc_geometry *geometry; /* of the medium */
    u8 cylinder;                         /* where the heads stand */
    u8 sector;                           /* what has last passed under the head */
    bool changed;                        /* the disk change line: until a step with a medium in the drive */
};

/* The geometry of an image: by its size (160K, 180K, 320K, 360K, 720K, 1.2M, 1.44M, 1.68M, 2.88M), or 1.44M or 2.88M
 * when it is shorter; the missing end reads as zeros and takes no writes. returns: NULL when it is empty or longer */
const struct fdc_geometry *fdc_geometry(u64 bytes);
/* Bytes of such a medium. */
u64 fdc_geometry_bytes(const struct fdc_geometry *g);
/* A drive that fits the medium; without one, a 1.44M drive. A medium of unknown size is not seen. */
void fdc_drive_init(struct fdc_drive *d, const struct block *medium);
bool fdc_drive_protected(const struct fdc_drive *d);
u8 fdc_drive_type(const struct fdc_drive *d);
void fdc_drive_seek(struct fdc_drive *d, unsigned cylinder);
/* The track under this head can be read at this data rate. */
bool fdc_drive_readable(const struct fdc_drive *d, unsigned head, unsigned rate);
/* A sector of the track under the head; sector is within the geometry. returns: false when the host cannot */
bool fdc_drive_read(const struct fdc_drive *d, unsigned head, unsigned sector, u8 *out);
bool fdc_drive_write(const struct fdc_drive *d, unsigned head, unsigned sector, const u8 *in);

#endif

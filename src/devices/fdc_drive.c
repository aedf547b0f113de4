/* SPDX-License-Identifier: MIT
 * A floppy drive and the medium in it.
 */
#include "devices/fdc_drive.h"

#include <string.h>

#define LAST_CYLINDER 83u /* where the heads stop */

enum { AT_500K = 1, AT_300K = 2, AT_250K = 4, AT_1M = 8 }; /* rates, as bits of their codes */
enum { DRIVE_360K = 1, DRIVE_1200K = 2, DRIVE_1440K = 4, DRIVE_2880K = 5 };

static const struct fdc_geometry geometries[] = {
    {40, 1, 8, AT_250K | AT_300K, DRIVE_360K}, /* 160K */
    {40, 1, 9, AT_250K | AT_300K, DRIVE_360K}, /* 180K */
    {40, 2, 8, AT_250K | AT_300K, DRIVE_360K}, /* 320K */
    {40, 2, 9, AT_250K | AT_300K, DRIVE_360K}, /* 360K */
    {80, 2, 9, AT_250K, DRIVE_1440K},          /* 720K */
    {80, 2, 15, AT_500K, DRIVE_1200K},         /* 1.2M */
    {80, 2, 18, AT_500K, DRIVE_1440K},         /* 1.44M */
    {80, 2, 21, AT_500K, DRIVE_1440K},         /* 1.68M */
    {80, 2, 36, AT_1M, DRIVE_2880K},           /* 2.88M */
};

#define GEOMETRY_1440K 6u
#define GEOMETRY_2880K 8u

u64 fdc_geometry_bytes(const struct fdc_geometry *g)
{
    return (u64)g->cylinders * g->heads * g->sectors * FDC_SECTOR_BYTES;
}

const struct fdc_geometry *fdc_geometry(u64 bytes)
{
    for (size_t i = 0; i < ARRAY_LEN(geometries); i++)
        if (fdc_geometry_bytes(&geometries[i]) == bytes)
            return &geometries[i];
    if (bytes == 0 || bytes > fdc_geometry_bytes(&geometries[GEOMETRY_2880K]))
        return NULL;
    return &geometries[bytes > fdc_geometry_bytes(&geometries[GEOMETRY_1440K]) ? GEOMETRY_2880K : GEOMETRY_1440K];
}

void fdc_drive_init(struct fdc_drive *d, const struct block *medium)
{
    *d = (struct fdc_drive){.present = true, .changed = true};
    d->geometry = medium ? fdc_geometry(medium->bytes) : NULL;
    d->medium = d->geometry ? medium : NULL;
}

bool fdc_drive_protected(const struct fdc_drive *d)
{
    return d->medium && (d->write_protected || d->medium->read_only);
}

u8 fdc_drive_type(const struct fdc_drive *d) { return !d->present ? 0 : d->geometry ? d->geometry->type : DRIVE_1440K; }

void fdc_drive_seek(struct fdc_drive *d, unsigned cylinder)
{
    if (cylinder > LAST_CYLINDER)
        cylinder = LAST_CYLINDER;
    if (cylinder != d->cylinder && d->medium)
        d->changed = false;
    d->cylinder = (u8)cylinder;
}

bool fdc_drive_readable(const struct fdc_drive *d, unsigned head, unsigned rate)
{
    return d->medium && d->geometry->rates >> rate & 1 && d->cylinder < d->geometry->cylinders &&
           head < d->geometry->heads;
}

static u64 offset_of(const struct fdc_drive *d, unsigned head, unsigned sector)
{
    return (((u64)d->cylinder * d->geometry->heads + head) * d->geometry->sectors + sector - 1) * FDC_SECTOR_BYTES;
}

bool fdc_drive_read(const struct fdc_drive *d, unsigned head, unsigned sector, u8 *out)
{
    u64 offset = offset_of(d, head, sector);

    if (offset + FDC_SECTOR_BYTES <= d->medium->bytes)
        return block_read(d->medium, offset, out, FDC_SECTOR_BYTES);
    memset(out, 0, FDC_SECTOR_BYTES);
    return true;
}

bool fdc_drive_write(const struct fdc_drive *d, unsigned head, unsigned sector, const u8 *in)
{
    return block_write(d->medium, offset_of(d, head, sector), in, FDC_SECTOR_BYTES);
}

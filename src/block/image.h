/* SPDX-License-Identifier: MIT
 * Disk and CD images: files of the host as media.
 */
#ifndef RINGSIDE_BLOCK_IMAGE_H
#define RINGSIDE_BLOCK_IMAGE_H

#include "base/error.h"
#include "bus/block.h"

struct image;

/* Where a guest's writes go. */
enum image_writes {
    IMAGE_REFUSED, /* nowhere: a write fails, and the guest is told */
    IMAGE_KEPT,    /* into memory, for as long as the run lasts; the file is never written (-snapshot) */
    IMAGE_WRITTEN, /* into the file, which is locked against a second writer */
};

/* in:  sector  bytes of a sector (512 or 2048): what a file's size is rounded up to, the rest reads as zeros
 *      raw     the file is what its bytes are, even when it begins as a known format does
 * returns: NULL with err set (EXIT_FILE): not there, not a regular file or block device, empty, in a format that is not
 *          read here, not a whole number of sectors and to be written, or locked by another program */
struct image *image_open(const char *path, enum image_writes writes, unsigned sector, bool raw, struct error *err);
/* Not written back: flush first what must be kept. */
void image_close(struct image *image);
/* Lives as long as the image. */
const struct block *image_block(const struct image *image);
/* Writes that were refused (IMAGE_REFUSED): worth a message at the end of a run. */
u64 image_refused(const struct image *image);
const char *image_path(const struct image *image);

#endif

/* SPDX-License-Identifier: MIT
 * virtio-blk: a disk.
 * Virtual I/O Device (VIRTIO) Version 1.0, "Block Device" (5.2).
 *
 * Requests are carried out in order, each wholly, so that no write passes a flush. A driver that does not negotiate
 * FLUSH gets a disk that writes through (5.2.6.2).
 */
#ifndef RINGSIDE_DEVICES_VIRTIO_VIRTIO_BLK_H
#define RINGSIDE_DEVICES_VIRTIO_VIRTIO_BLK_H

#include "bus/block.h"
#include "bus/clock.h"
#include "devices/virtio/virtio_pci.h"

/* Time between a notification and the first request's end, and between one and the next. */
#define VIRTIO_BLK_LATENCY_TICKS 2000u

struct virtio_blk;

/* in: medium  outlives the disk; what is behind its last whole sector of 512 bytes cannot be reached
 *     serial  what the driver's GET_ID is told, at most 20 bytes.
 * returns: never NULL */
struct virtio_blk *virtio_blk_new(const struct virtio_bus *bus, unsigned slot, struct irq_line *irq,
                                  struct clock *clock, const struct block *medium, const char *serial);
void virtio_blk_free(struct virtio_blk *blk);

#endif

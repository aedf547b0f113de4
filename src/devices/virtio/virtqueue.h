/* SPDX-License-Identifier: MIT
 * A split virtqueue, from the device's side: rings in guest memory, of which nothing is believed.
 * Virtual I/O Device (VIRTIO) Version 1.0, "Split Virtqueues" (2.4).
 *
 * Not implemented, and not offered: indirect descriptors, used-buffer notification by index (EVENT_IDX).
 */
#ifndef RINGSIDE_DEVICES_VIRTIO_VIRTQUEUE_H
#define RINGSIDE_DEVICES_VIRTIO_VIRTQUEUE_H

#include "bus/physmem.h"

#define VIRTQ_SIZE_MAX 256u           /* entries of a queue */
#define VIRTQ_CHAIN_BYTES (16u << 20) /* of one chain of buffers: more than any driver sends */

struct virtqueue {
    bool enabled;
    u16 size;                 /* entries: a power of two, at most VIRTQ_SIZE_MAX */
    u64 desc, driver, device; /* physical addresses of the descriptor table, the available and the used ring */
    u16 last_available;       /* how many chains were taken, mod 2^16 */
    u16 used;                 /* how many were given back */
};

struct virtq_segment {
    paddr_t at;
    u32 size;
};

/* A chain of buffers: first those that the device reads, then those that it writes. All of it is memory. */
struct virtq_chain {
    u16 head;
    unsigned out_count, in_count; /* segments that the device reads, then segments that it writes */
    u32 out_bytes, in_bytes;
    struct virtq_segment segment[VIRTQ_SIZE_MAX];
};

enum virtq_taken { VIRTQ_EMPTY, VIRTQ_CHAIN, VIRTQ_BROKEN };

/* Take the next chain that the driver has made available.
 * returns: VIRTQ_EMPTY when there is none; VIRTQ_BROKEN when the rings or the chain break the rules: a ring misaligned
 *          or not in memory, more entries available than there are, an index outside the table, a chain that loops, a
 *          readable buffer behind a writable one, a buffer outside memory, more bytes than VIRTQ_CHAIN_BYTES, an
 *          indirect descriptor. The queue has not moved then. */
enum virtq_taken virtq_take(struct virtqueue *q, struct physmem *pm, struct virtq_chain *chain);
/* Put back what was taken last, so that it is taken again. */
void virtq_untake(struct virtqueue *q);
/* Give a chain back to the driver.  in: written  bytes that the device wrote into its buffers
 * returns: false when the used ring is not in memory
 * effects: *interrupt is set when the driver wants to hear of it, else left alone */
bool virtq_give(struct virtqueue *q, struct physmem *pm, u16 head, u32 written, bool *interrupt);

/* Copy from the readable buffers of a chain, or into the writable ones, at a byte offset into all of them together.
 * returns: bytes copied: fewer than size where the chain ends */
u32 virtq_read(const struct virtq_chain *chain, struct physmem *pm, u32 offset, void *out, u32 size);
u32 virtq_write(const struct virtq_chain *chain, struct physmem *pm, u32 offset, const void *in, u32 size);

#endif

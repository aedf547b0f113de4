/* SPDX-License-Identifier: MIT
 * A split virtqueue, from the device's side.
 * Virtual I/O Device (VIRTIO) Version 1.0, "Split Virtqueues" (2.4).
 */
#include "devices/virtio/virtqueue.h"

#include "base/bits.h"

enum { DESC_NEXT = 1, DESC_WRITE = 2, DESC_INDIRECT = 4 };
enum { AVAIL_NO_INTERRUPT = 1 };

#define DESC_BYTES 16u
#define RING_HEADER 4u /* flags, index */
#define USED_BYTES 8u

struct descriptor {
    u64 at;
    u32 size;
    u16 flags, next;
};

/* Every page of [at, at+size) is RAM or ROM, so that no access reaches a device. */
static bool in_memory(struct physmem *pm, paddr_t at, u64 size)
{
    if (size == 0)
        return true;
    if (at + size - 1 < at)
        return false;
    for (paddr_t page = at & PAGE_MASK; page <= at + size - 1; page += PAGE_SIZE) {
        if (physmem_host(pm, page) == NULL)
            return false;
        if (page > ~0ull - PAGE_SIZE)
            break;
    }
    return true;
}

static bool fetch(struct physmem *pm, paddr_t at, void *out, u32 size)
{
    if (!in_memory(pm, at, size))
        return false;
    physmem_read(pm, at, out, size, INITIATOR_DMA);
    return true;
}

static bool put(struct physmem *pm, paddr_t at, const void *in, u32 size)
{
    if (!in_memory(pm, at, size))
        return false;
    physmem_write(pm, at, in, size, INITIATOR_DMA);
    return true;
}

static bool fetch16(struct physmem *pm, paddr_t at, u16 *out)
{
    u8 bytes[2];

    if (!fetch(pm, at, bytes, sizeof bytes))
        return false;
    *out = load_le16(bytes);
    return true;
}

static bool shape_ok(const struct virtqueue *q)
{
    return q->size != 0 && q->size <= VIRTQ_SIZE_MAX && (q->size & (q->size - 1)) == 0 && q->desc % 16 == 0 &&
           q->driver % 2 == 0 && q->device % 4 == 0;
}

static bool fetch_descriptor(const struct virtqueue *q, struct physmem *pm, u16 index, struct descriptor *d)
{
    u8 bytes[DESC_BYTES];

    if (index >= q->size || !fetch(pm, q->desc + index * DESC_BYTES, bytes, sizeof bytes))
        return false;
    *d = (struct descriptor){load_le64(bytes), load_le32(bytes + 8), load_le16(bytes + 12), load_le16(bytes + 14)};
    return true;
}

/* Add one buffer to the chain, in the order and of the size that the rules allow. */
static bool add_segment(struct physmem *pm, struct virtq_chain *chain, const struct descriptor *d)
{
    bool writable = d->flags & DESC_WRITE;

    if (d->flags & DESC_INDIRECT)
        return false;
    if (!writable && chain->in_count != 0)
        return false;
    if (d->size > VIRTQ_CHAIN_BYTES - chain->out_bytes - chain->in_bytes || !in_memory(pm, d->at, d->size))
        return false;
    chain->segment[chain->out_count + chain->in_count] = (struct virtq_segment){d->at, d->size};
    if (writable) {
        chain->in_count++;
        chain->in_bytes += d->size;
    } else {
        chain->out_count++;
        chain->out_bytes += d->size;
    }
    return true;
}

static bool walk_chain(const struct virtqueue *q, struct physmem *pm, u16 head, struct virtq_chain *chain)
{
    struct descriptor d = {.next = head};

    chain->head = head;
    chain->out_count = chain->in_count = 0;
    chain->out_bytes = chain->in_bytes = 0;
    for (unsigned length = 0; length < q->size; length++) { /* a longer chain visits an entry twice: it loops */
        if (!fetch_descriptor(q, pm, d.next, &d) || !add_segment(pm, chain, &d))
            return false;
        if (!(d.flags & DESC_NEXT))
            return true;
    }
    return false;
}

enum virtq_taken virtq_take(struct virtqueue *q, struct physmem *pm, struct virtq_chain *chain)
{
    u16 available, head;

    if (!q->enabled)
        return VIRTQ_EMPTY;
    if (!shape_ok(q) || !fetch16(pm, q->driver + 2, &available))
        return VIRTQ_BROKEN;
    if (available == q->last_available)
        return VIRTQ_EMPTY;
    if ((u16)(available - q->last_available) > q->size)
        return VIRTQ_BROKEN;
    if (!fetch16(pm, q->driver + RING_HEADER + 2u * (q->last_available & (q->size - 1u)), &head) ||
        !walk_chain(q, pm, head, chain))
        return VIRTQ_BROKEN;
    q->last_available++;
    return VIRTQ_CHAIN;
}

void virtq_untake(struct virtqueue *q) { q->last_available--; }

bool virtq_give(struct virtqueue *q, struct physmem *pm, u16 head, u32 written, bool *interrupt)
{
    u8 entry[USED_BYTES], index[2];
    u16 flags;

    store_le32(entry, head);
    store_le32(entry + 4, written);
    if (!put(pm, q->device + RING_HEADER + (paddr_t)USED_BYTES * (q->used & (q->size - 1u)), entry, sizeof entry))
        return false;
    store_le16(index, ++q->used);
    if (!put(pm, q->device + 2, index, sizeof index) || !fetch16(pm, q->driver, &flags))
        return false;
    if (!(flags & AVAIL_NO_INTERRUPT))
        *interrupt = true;
    return true;
}

u32 virtq_read(const struct virtq_chain *chain, struct physmem *pm, u32 offset, void *out, u32 size)
{
    u8 *to = out;
    u32 done = 0;

    for (unsigned i = 0; i < chain->out_count && done < size; i++) {
        const struct virtq_segment *s = &chain->segment[i];
        u32 here;

        if (offset >= s->size) {
            offset -= s->size;
            continue;
        }
        here = s->size - offset < size - done ? s->size - offset : size - done;
        physmem_read(pm, s->at + offset, to + done, here, INITIATOR_DMA);
        done += here;
        offset = 0;
    }
    return done;
}

u32 virtq_write(const struct virtq_chain *chain, struct physmem *pm, u32 offset, const void *in, u32 size)
{
    const u8 *from = in;
    u32 done = 0;

    for (unsigned i = 0; i < chain->in_count && done < size; i++) {
        const struct virtq_segment *s = &chain->segment[chain->out_count + i];
        u32 here;

        if (offset >= s->size) {
            offset -= s->size;
            continue;
        }
        here = s->size - offset < size - done ? s->size - offset : size - done;
        physmem_write(pm, s->at + offset, from + done, here, INITIATOR_DMA);
        done += here;
        offset = 0;
    }
    return done;
}

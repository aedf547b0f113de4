/* SPDX-License-Identifier: MIT
 * virtio-blk: a disk.
 * Virtual I/O Device (VIRTIO) Version 1.0, "Block Device" (5.2).
 */
#include "devices/virtio/virtio_blk.h"

#include <stdlib.h>

#include "base/bits.h"

#define SECTOR 512u
#define PIECE 65536u /* bytes that are moved at a time */

/* "Feature bits" (5.2.3). */
#define FEATURE_SIZE_MAX BIT(1)
#define FEATURE_SEG_MAX BIT(2)
#define FEATURE_READ_ONLY BIT(5)
#define FEATURE_BLK_SIZE BIT(6)
#define FEATURE_FLUSH BIT(9)
/* "Device configuration layout" (5.2.4): offsets. */
enum { CONFIG_CAPACITY = 0, CONFIG_SIZE_MAX = 8, CONFIG_SEG_MAX = 12, CONFIG_BLK_SIZE = 20, CONFIG_BYTES = 24 };
#define SEGMENTS 126u /* of at most PIECE bytes: a chain stays within VIRTQ_CHAIN_BYTES */

/* "Device Operation" (5.2.6). GET_ID is of 1.1, but drivers of 1.0 use it. */
enum { REQUEST_IN = 0, REQUEST_OUT = 1, REQUEST_FLUSH = 4, REQUEST_GET_ID = 8 };
enum { RESULT_OK, RESULT_ERROR, RESULT_UNSUPPORTED };
#define HEADER_BYTES 16u
#define ID_BYTES 20u

struct virtio_blk {
    struct virtio_pci *pci;
    struct clock *clock;
    struct timer timer;
    const struct block *medium;
    u8 config[CONFIG_BYTES];
    u8 id[ID_BYTES];
    u8 piece[PIECE];
};

static bool in_range(const struct virtio_blk *b, u64 sector, u32 size)
{
    u64 sectors = b->medium->bytes / SECTOR;

    return size % SECTOR == 0 && sector <= sectors && size / SECTOR <= sectors - sector;
}

/* in: size  bytes of data in the chain's writable buffers */
static u8 read_medium(struct virtio_blk *b, const struct virtq_chain *chain, u64 sector, u32 size)
{
    if (!in_range(b, sector, size))
        return RESULT_ERROR;
    for (u32 done = 0; done < size;) {
        u32 piece = size - done < PIECE ? size - done : PIECE;

        if (!block_read(b->medium, sector * SECTOR + done, b->piece, piece))
            return RESULT_ERROR;
        virtq_write(chain, virtio_memory(b->pci), done, b->piece, piece);
        done += piece;
    }
    return RESULT_OK;
}

static u8 write_medium(struct virtio_blk *b, const struct virtq_chain *chain, u64 sector, u32 size)
{
    if (!in_range(b, sector, size))
        return RESULT_ERROR;
    for (u32 done = 0; done < size;) {
        u32 piece = size - done < PIECE ? size - done : PIECE;

        virtq_read(chain, virtio_memory(b->pci), HEADER_BYTES + done, b->piece, piece);
        if (!block_write(b->medium, sector * SECTOR + done, b->piece, piece))
            return RESULT_ERROR;
        done += piece;
    }
    if (!(virtio_features(b->pci) & FEATURE_FLUSH) && !block_flush(b->medium))
        return RESULT_ERROR;
    return RESULT_OK;
}

/* One request. in: chain  room for a header and a status.  returns: how many bytes were written without a gap */
static u32 serve(struct virtio_blk *b, const struct virtq_chain *chain)
{
    u32 room = chain->in_bytes - 1, data = 0;
    u8 header[HEADER_BYTES], result;
    u64 sector;

    virtq_read(chain, virtio_memory(b->pci), 0, header, sizeof header);
    sector = load_le64(header + 8);
    switch (load_le32(header)) {
    case REQUEST_IN:
        result = read_medium(b, chain, sector, room);
        data = result == RESULT_OK ? room : 0;
        break;
    case REQUEST_OUT: result = write_medium(b, chain, sector, chain->out_bytes - HEADER_BYTES); break;
    case REQUEST_FLUSH: result = block_flush(b->medium) ? RESULT_OK : RESULT_ERROR; break;
    case REQUEST_GET_ID:
        data = room < ID_BYTES ? room : ID_BYTES;
        virtq_write(chain, virtio_memory(b->pci), 0, b->id, data);
        result = RESULT_OK;
        break;
    default: result = RESULT_UNSUPPORTED; break;
    }
    virtq_write(chain, virtio_memory(b->pci), room, &result, 1); /* the last byte */
    return data == room ? data + 1 : data;
}

static void due(void *context, u64 now)
{
    struct virtio_blk *b = context;
    struct virtq_chain chain;

    if (!virtio_take(b->pci, 0, &chain))
        return;
    if (chain.out_bytes < HEADER_BYTES || chain.in_bytes == 0) {
        virtio_fail(b->pci);
        return;
    }
    virtio_give(b->pci, 0, &chain, serve(b, &chain));
    clock_arm(b->clock, &b->timer, now + VIRTIO_BLK_LATENCY_TICKS); /* the next, if there is one */
}

static void notified(void *context, unsigned queue)
{
    struct virtio_blk *b = context;

    (void)queue;
    if (!b->timer.armed)
        clock_arm(b->clock, &b->timer, b->clock->ticks + VIRTIO_BLK_LATENCY_TICKS);
}

static void reset(void *context)
{
    struct virtio_blk *b = context;

    clock_cancel(b->clock, &b->timer);
}

struct virtio_blk *virtio_blk_new(const struct virtio_bus *bus, unsigned slot, struct irq_line *irq,
                                  struct clock *clock, const struct block *medium, const char *serial)
{
    struct virtio_blk *b = calloc(1, sizeof *b);

    if (b == NULL)
        abort();
    b->clock = clock;
    b->medium = medium;
    b->timer = (struct timer){.fire = due, .context = b, .name = "virtio-blk"};
    for (unsigned i = 0; i < ID_BYTES && serial[i] != '\0'; i++)
        b->id[i] = (u8)serial[i];
    store_le64(b->config + CONFIG_CAPACITY, medium->bytes / SECTOR);
    store_le32(b->config + CONFIG_SIZE_MAX, PIECE);
    store_le32(b->config + CONFIG_SEG_MAX, SEGMENTS);
    store_le32(b->config + CONFIG_BLK_SIZE, SECTOR);
    b->pci =
        virtio_pci_new(bus, slot, irq,
                       &(struct virtio_device){.type = VIRTIO_BLK,
                                               .class_code = 0x010000,
                                               .features = FEATURE_SIZE_MAX | FEATURE_SEG_MAX | FEATURE_BLK_SIZE |
                                                           FEATURE_FLUSH | (medium->read_only ? FEATURE_READ_ONLY : 0),
                                               .queues = 1,
                                               .config = b->config,
                                               .config_bytes = CONFIG_BYTES,
                                               .name = "virtio-blk",
                                               .context = b,
                                               .notified = notified,
                                               .reset = reset});
    return b;
}

void virtio_blk_free(struct virtio_blk *b)
{
    if (b != NULL) {
        clock_cancel(b->clock, &b->timer);
        virtio_pci_free(b->pci);
    }
    free(b);
}

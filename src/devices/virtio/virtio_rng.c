/* SPDX-License-Identifier: MIT
 * virtio-rng: an entropy source whose numbers follow from a seed.
 * Virtual I/O Device (VIRTIO) Version 1.0, "Entropy Device" (5.4).
 */
#include "devices/virtio/virtio_rng.h"

#include <stdlib.h>

#include "base/bits.h"

#define FILL_MAX 4096u /* bytes that one request gets at most; the driver asks again */

struct virtio_rng {
    struct virtio_pci *pci;
    u64 state;
};

/* Weyl's sequence through a 64-bit mixer (the one known as SplitMix64). */
static u64 next(struct virtio_rng *rng)
{
    u64 z = rng->state += 0x9E3779B97F4A7C15ull;

    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ z >> 27) * 0x94D049BB133111EBull;
    return z ^ z >> 31;
}

static void notified(void *context, unsigned queue)
{
    struct virtio_rng *rng = context;
    struct virtq_chain chain;
    u8 bytes[FILL_MAX];

    while (virtio_take(rng->pci, queue, &chain)) {
        u32 size = chain.in_bytes < FILL_MAX ? chain.in_bytes : FILL_MAX;

        for (u32 i = 0; i < size; i += 8)
            store_le64(bytes + i, next(rng));
        virtq_write(&chain, virtio_memory(rng->pci), 0, bytes, size);
        virtio_give(rng->pci, queue, &chain, size);
    }
}

struct virtio_rng *virtio_rng_new(const struct virtio_bus *bus, unsigned slot, struct irq_line *irq, u64 seed)
{
    struct virtio_rng *rng = calloc(1, sizeof *rng);

    if (rng == NULL)
        abort();
    rng->state = seed;
    rng->pci = virtio_pci_new(bus, slot, irq,
                              &(struct virtio_device){.type = VIRTIO_RNG,
                                                      .class_code = 0x00FF00,
                                                      .queues = 1,
                                                      .name = "virtio-rng",
                                                      .context = rng,
                                                      .notified = notified});
    return rng;
}

void virtio_rng_free(struct virtio_rng *rng)
{
    if (rng != NULL)
        virtio_pci_free(rng->pci);
    free(rng);
}

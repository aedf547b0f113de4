/* SPDX-License-Identifier: MIT
 * virtio-rng: an entropy source whose numbers follow from a seed, so that a run can be made again.
 * Virtual I/O Device (VIRTIO) Version 1.0, "Entropy Device" (5.4).
 */
#ifndef RINGSIDE_DEVICES_VIRTIO_VIRTIO_RNG_H
#define RINGSIDE_DEVICES_VIRTIO_VIRTIO_RNG_H

#include "devices/virtio/virtio_pci.h"

struct virtio_rng;

/* in: seed  the numbers are a function of it and of nothing else: they are no secret.  returns: never NULL */
struct virtio_rng *virtio_rng_new(const struct virtio_bus *bus, unsigned slot, struct irq_line *irq, u64 seed);
void virtio_rng_free(struct virtio_rng *rng);

#endif

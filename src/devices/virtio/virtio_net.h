/* SPDX-License-Identifier: MIT
 * virtio-net: a network card with one receive and one transmit queue.
 * Virtual I/O Device (VIRTIO) Version 1.0, "Network Device" (5.1).
 *
 * Not implemented, and not offered: checksum and segmentation offload, mergeable buffers, the control queue (so the
 * driver's filters do not exist: every frame arrives).
 */
#ifndef RINGSIDE_DEVICES_VIRTIO_VIRTIO_NET_H
#define RINGSIDE_DEVICES_VIRTIO_VIRTIO_NET_H

#include "bus/net.h"
#include "devices/virtio/virtio_pci.h"

struct virtio_net;

/* in: address  6 bytes: the card's; send  takes what the guest sends, may be NULL.  returns: never NULL */
struct virtio_net *virtio_net_new(const struct virtio_bus *bus, unsigned slot, struct irq_line *irq, const u8 *address,
                                  net_send *send, void *context);
void virtio_net_free(struct virtio_net *net);
/* An input_sink (context is the card): takes whole frames of the stream (bus/net.h) while the driver has buffers for
 * them; all, unseen, while there is no driver. A frame too long for the buffer that is next is dropped. */
size_t virtio_net_receive(void *net, const u8 *bytes, size_t size);

#endif

/* SPDX-License-Identifier: MIT
 * virtio-net: a network card with one receive and one transmit queue.
 * Virtual I/O Device (VIRTIO) Version 1.0, "Network Device" (5.1).
 */
#include "devices/virtio/virtio_net.h"

#include <stdlib.h>

#include "base/bits.h"

/* "Virtqueues" (5.1.2), "Feature bits" (5.1.3), "Device configuration layout" (5.1.4), "Device Operation" (5.1.6). */
enum { QUEUE_RECEIVE, QUEUE_TRANSMIT, QUEUES };
#define FEATURE_ADDRESS BIT(5)
#define FEATURE_STATUS BIT(16)
#define CONFIG_BYTES 8u
#define LINK_UP 1u
#define HEADER_BYTES 12u
#define HEADER_BUFFERS 10u /* offset of num_buffers, which is 1 in what is received */

struct virtio_net {
    struct virtio_pci *pci;
    net_send *send;
    void *context;
    u8 config[CONFIG_BYTES];
    u8 frame[NET_FRAME_MAX];
};

/* A frame longer than any is dropped; a chain too short for its header breaks the rules. */
static void transmit(struct virtio_net *net, const struct virtq_chain *chain)
{
    u32 size = chain->out_bytes - HEADER_BYTES;

    if (size == 0 || size > NET_FRAME_MAX)
        return;
    virtq_read(chain, virtio_memory(net->pci), HEADER_BYTES, net->frame, size);
    if (net->send != NULL)
        net->send(net->context, net->frame, size);
}

/* New receive buffers need nothing done: frames that wait are offered again by the input port. */
static void notified(void *context, unsigned queue)
{
    struct virtio_net *net = context;
    struct virtq_chain chain;

    if (queue != QUEUE_TRANSMIT)
        return;
    while (virtio_take(net->pci, QUEUE_TRANSMIT, &chain)) {
        if (chain.out_bytes < HEADER_BYTES) {
            virtio_fail(net->pci);
            return;
        }
        transmit(net, &chain);
        virtio_give(net->pci, QUEUE_TRANSMIT, &chain, 0);
    }
}

/* returns: false when there is no buffer for it now */
static bool deliver(struct virtio_net *net, const u8 *frame, u32 size)
{
    static const u8 header[HEADER_BYTES] = {[HEADER_BUFFERS] = 1};
    struct physmem *pm = virtio_memory(net->pci);
    struct virtq_chain chain;

    if (!virtio_take(net->pci, QUEUE_RECEIVE, &chain))
        return !virtio_running(net->pci); /* broken just now: dropped */
    if (chain.in_bytes < HEADER_BYTES + size) {
        virtio_untake(net->pci, QUEUE_RECEIVE);
        return true;
    }
    virtq_write(&chain, pm, 0, header, sizeof header);
    virtq_write(&chain, pm, HEADER_BYTES, frame, size);
    virtio_give(net->pci, QUEUE_RECEIVE, &chain, HEADER_BYTES + size);
    return true;
}

size_t virtio_net_receive(void *context, const u8 *bytes, size_t size)
{
    struct virtio_net *net = context;
    size_t taken = 0;

    while (size - taken >= NET_FRAME_PREFIX) {
        u32 length = load_le16(bytes + taken);

        if (size - taken - NET_FRAME_PREFIX < length)
            break;
        if (virtio_running(net->pci) && !deliver(net, bytes + taken + NET_FRAME_PREFIX, length))
            break;
        taken += NET_FRAME_PREFIX + length;
    }
    return taken;
}

struct virtio_net *virtio_net_new(const struct virtio_bus *bus, unsigned slot, struct irq_line *irq, const u8 *address,
                                  net_send *send, void *context)
{
    struct virtio_net *net = calloc(1, sizeof *net);

    if (net == NULL)
        abort();
    net->send = send;
    net->context = context;
    memcpy(net->config, address, NET_ADDRESS_BYTES);
    store_le16(net->config + 6, LINK_UP);
    net->pci = virtio_pci_new(bus, slot, irq,
                              &(struct virtio_device){.type = VIRTIO_NET,
                                                      .class_code = 0x020000,
                                                      .features = FEATURE_ADDRESS | FEATURE_STATUS,
                                                      .queues = QUEUES,
                                                      .config = net->config,
                                                      .config_bytes = CONFIG_BYTES,
                                                      .name = "virtio-net",
                                                      .context = net,
                                                      .notified = notified});
    return net;
}

void virtio_net_free(struct virtio_net *net)
{
    if (net != NULL)
        virtio_pci_free(net->pci);
    free(net);
}

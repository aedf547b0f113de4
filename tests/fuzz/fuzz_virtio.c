/* SPDX-License-Identifier: MIT
 * A guest that does anything to virtio devices: a network card, an entropy source, a disk and one that is read-only,
 * with their queues set up and running at first. Registers, configuration space, rings and memory are written in any
 * order, frames come in, and time passes.
 *
 * The input is a list of operations: a byte that says which (bits 2-0), the device (bits 4-3) and the size (bits 6-5:
 * 1, 2, 4, 8 bytes), and what enum operation says.
 */
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "devices/pci_intx.h"
#include "devices/piix.h"
#include "devices/virtio/virtio_blk.h"
#include "devices/virtio/virtio_net.h"
#include "devices/virtio/virtio_rng.h"
#include "fuzz.h"

#define RAM_BYTES (2u << 20)
#define DEVICES 4u
#define FIRST_SLOT 3u
#define QUEUE_SIZE 8u
#define MEDIUM_BYTES 65536u
#define FIRINGS_MAX 1000u
/* Where everything is at first. */
#define BAR(device) (0xE0000000u + (device)*0x4000u)
#define RING(device, queue) (0x100000u + (device)*0x8000u + (queue)*0x4000u)

enum operation {
    READ_REGISTER,  /* offset in the block (2 bytes) */
    WRITE_REGISTER, /* the same, value */
    WRITE_MEMORY,   /* address (3 bytes), value */
    CONFIGURE,      /* register (1), value (4) */
    DESCRIBE,       /* queue and index (1), address (3), its high byte (1), length (3), flags (1), next (1) */
    OFFER,          /* queue (1), head (1): made available, and the device notified */
    RECEIVE,        /* length (2), that many bytes of the stream of frames */
    PASS_TIME,      /* ticks (3) */
};

struct guest {
    struct ports *ports;
    struct physmem *pm;
    struct clock clock;
    struct pci_host *host;
    struct pci_intx *intx;
    struct piix *piix;
    struct virtio_net *net;
    struct virtio_rng *rng;
    struct virtio_blk *disk[2];
    struct block medium[2];
    u8 bytes[MEDIUM_BYTES];
    u16 available[DEVICES][2];
};

struct input {
    const uint8_t *data;
    size_t size;
};

static u64 take(struct input *in, unsigned bytes)
{
    u64 value = 0;

    for (unsigned i = 0; i < bytes && in->size != 0; i++, in->size--)
        value |= (u64)*in->data++ << (8 * i);
    return value;
}

/* ---- the world */

static bool medium_read(void *context, u64 offset, void *out, size_t size)
{
    memcpy(out, ((struct guest *)context)->bytes + offset, size);
    return true;
}
static bool medium_write(void *context, u64 offset, const void *in, size_t size)
{
    memcpy(((struct guest *)context)->bytes + offset, in, size);
    return true;
}
static bool medium_flush(void *context)
{
    (void)context;
    return true;
}
static void sent(void *context, const u8 *frame, size_t size)
{
    (void)context;
    if (size == 0 || size > NET_FRAME_MAX || frame[0] + frame[size - 1] > 510)
        abort();
}
static void irq_changed(void *context, unsigned irq)
{
    const struct guest *g = context;

    pci_intx_level(g->intx, irq);
}

/* ---- the guest */

static void write_memory(struct guest *g, paddr_t at, u64 value, unsigned size)
{
    physmem_write(g->pm, at, &value, size, INITIATOR_CPU0);
}

static void configure(struct guest *g, unsigned slot, unsigned offset, u32 value)
{
    ports_write(g->ports, 0xCF8, 0x80000000 | slot << 11 | (offset & 0xFC), 4, INITIATOR_CPU0);
    ports_read(g->ports, 0xCFC, 4, INITIATOR_CPU0);
    ports_write(g->ports, 0xCFC, value, 4, INITIATOR_CPU0);
}

/* As a driver sets a device up. */
static void start(struct guest *g, unsigned device)
{
    configure(g, FIRST_SLOT + device, 0x20, BAR(device));
    configure(g, FIRST_SLOT + device, 0x04, 6);
    write_memory(g, BAR(device) + 0x08, 1, 4);
    write_memory(g, BAR(device) + 0x0C, 1, 4);
    write_memory(g, BAR(device) + 0x14, 0x0B, 1);
    for (unsigned queue = 0; queue < 2; queue++) {
        write_memory(g, BAR(device) + 0x16, queue, 2);
        write_memory(g, BAR(device) + 0x18, QUEUE_SIZE, 2);
        for (unsigned ring = 0; ring < 3; ring++)
            write_memory(g, BAR(device) + 0x20 + 8 * ring, RING(device, queue) + 0x1000 * ring, 8);
        write_memory(g, BAR(device) + 0x1C, 1, 2);
    }
    write_memory(g, BAR(device) + 0x14, 0x0F, 1);
}

static void describe(struct guest *g, unsigned device, struct input *in)
{
    unsigned where = (unsigned)take(in, 1);
    paddr_t at = RING(device, where >> 7) + 16 * (where % QUEUE_SIZE);

    write_memory(g, at, take(in, 3) | take(in, 1) << 56, 8);
    write_memory(g, at + 8, take(in, 3), 4);
    write_memory(g, at + 12, take(in, 1), 2);
    write_memory(g, at + 14, take(in, 1), 2);
}

static void offer(struct guest *g, unsigned device, struct input *in)
{
    unsigned queue = take(in, 1) & 1;
    paddr_t ring = RING(device, queue) + 0x1000;
    u16 *available = &g->available[device][queue];

    write_memory(g, ring + 4 + 2 * (*available % QUEUE_SIZE), take(in, 1), 2);
    write_memory(g, ring + 2, ++*available, 2);
    write_memory(g, BAR(device) + 0x3000 + 4 * queue, queue, 2);
}

static void pass(struct guest *g, u64 ticks)
{
    u64 to = g->clock.ticks + ticks;

    for (unsigned i = 0; g->clock.deadline <= to && i < FIRINGS_MAX; i++) {
        g->clock.ticks = g->clock.deadline;
        clock_run(&g->clock);
    }
    g->clock.ticks = g->clock.ticks > to ? g->clock.ticks : to;
}

static void operate(struct guest *g, struct input *in)
{
    unsigned what = (unsigned)take(in, 1), device = what >> 3 & 3, size = 1u << (what >> 5 & 3);
    u64 at, value = 0;

    switch ((enum operation)(what & 7)) {
    case READ_REGISTER: physmem_read(g->pm, BAR(device) + take(in, 2) % 0x4000, &value, size, INITIATOR_CPU0); break;
    case WRITE_REGISTER:
        at = take(in, 2) % 0x4000;
        write_memory(g, BAR(device) + at, take(in, size), size);
        break;
    case WRITE_MEMORY:
        at = take(in, 3) % RAM_BYTES;
        write_memory(g, at, take(in, size), size);
        break;
    case CONFIGURE:
        at = take(in, 1);
        configure(g, what & 0x80 ? 1 : FIRST_SLOT + device, (unsigned)at, (u32)take(in, 4)); /* 1: the ISA bridge */
        break;
    case DESCRIBE: describe(g, device, in); break;
    case OFFER: offer(g, device, in); break;
    case RECEIVE:
        at = take(in, 2);
        at = at < in->size ? at : in->size;
        if (virtio_net_receive(g->net, in->data, at) > at)
            abort();
        in->data += at;
        in->size -= at;
        break;
    case PASS_TIME: pass(g, take(in, 3)); break;
    }
}

/* ---- life */

static struct irq_line *line(struct guest *g, unsigned device)
{
    return pci_intx_line(g->intx, FIRST_SLOT + device, 0);
}

static struct guest *open_guest(void)
{
    static const struct block_ops ops = {medium_read, medium_write, medium_flush};
    static const u8 address[NET_ADDRESS_BYTES] = {0x52, 0x54, 0, 0x12, 0x34, 0x56};
    struct guest *g = calloc(1, sizeof *g);
    struct virtio_bus bus;
    struct error err;

    if (g == NULL)
        abort();
    g->ports = ports_new();
    g->pm = physmem_new(RAM_BYTES, &err);
    if (g->pm == NULL)
        abort();
    clock_init(&g->clock);
    g->host = pci_host_new(g->ports, g->pm);
    g->intx = pci_intx_new(irq_changed, g);
    g->piix = piix_new(g->host, g->ports, NULL, g->intx);
    bus = (struct virtio_bus){.host = g->host, .pm = g->pm};
    g->net = virtio_net_new(&bus, FIRST_SLOT, line(g, 0), address, sent, g);
    g->rng = virtio_rng_new(&bus, FIRST_SLOT + 1, line(g, 1), 1);
    for (unsigned i = 0; i < 2; i++) {
        g->medium[i] = (struct block){.ops = &ops, .context = g, .bytes = MEDIUM_BYTES - i, .read_only = i == 1};
        g->disk[i] =
            virtio_blk_new(&bus, FIRST_SLOT + 2 + i, line(g, 2 + i), &g->clock, &g->medium[i], "a serial of 20 bytes");
    }
    configure(g, 1, 0x60, 0x0B0B0A0A);
    for (unsigned device = 0; device < DEVICES; device++)
        start(g, device);
    return g;
}

static void close_guest(struct guest *g)
{
    virtio_net_free(g->net);
    virtio_rng_free(g->rng);
    virtio_blk_free(g->disk[0]);
    virtio_blk_free(g->disk[1]);
    piix_free(g->piix);
    pci_intx_free(g->intx);
    pci_host_free(g->host);
    physmem_free(g->pm);
    ports_free(g->ports);
    free(g);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, size};
    struct guest *g = open_guest();

    while (in.size != 0)
        operate(g, &in);
    pass(g, 1000000);
    close_guest(g);
    return 0;
}

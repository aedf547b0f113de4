/* SPDX-License-Identifier: MIT
 * A driver for virtio devices in a test: finds the register block, sets queues up, writes descriptors by hand.
 */
#ifndef RINGSIDE_TESTS_VIRTIO_FIXTURE_H
#define RINGSIDE_TESTS_VIRTIO_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/bits.h"
#include "bus/clock.h"
#include "devices/virtio/virtio_pci.h"

#define RAM_BYTES (16u << 20)
#define SLOT 3u
#define BAR 0xE0000000u
#define COMMON BAR
#define ISR (BAR + 0x1000u)
#define DEVICE (BAR + 0x2000u)
#define NOTIFY (BAR + 0x3000u)
#define QUEUE_SIZE 8u
/* Where the rings of queue n are, and the buffers. */
#define DESC(n) (0x100000u + (n)*0x10000u)
#define AVAIL(n) (DESC(n) + 0x1000u)
#define USED(n) (DESC(n) + 0x2000u)
#define BUFFER 0x200000u

enum { F_NEXT = 1, F_WRITE = 2, F_INDIRECT = 4 };
enum { S_ACKNOWLEDGE = 1, S_DRIVER = 2, S_DRIVER_OK = 4, S_FEATURES_OK = 8, S_NEEDS_RESET = 0x40 };

static struct ports *ports;
static struct physmem *pm;
static struct pci_host *host;
static struct clock clk;
static struct irq_line irq;
static struct virtio_bus bus;
static u16 available[2]; /* the driver's index of each queue */

static void bench_open(void)
{
    struct error err;

    ports = ports_new();
    pm = physmem_new(RAM_BYTES, &err);
    host = pci_host_new(ports, pm);
    clock_init(&clk);
    irq = (struct irq_line){0};
    bus = (struct virtio_bus){.host = host, .pm = pm};
}

static void bench_close(void)
{
    pci_host_free(host);
    physmem_free(pm);
    ports_free(ports);
}

static inline u64 get(paddr_t at, unsigned size)
{
    u64 value = 0;

    physmem_read(pm, at, &value, size, INITIATOR_CPU0);
    return value;
}
static inline void set(paddr_t at, u64 value, unsigned size) { physmem_write(pm, at, &value, size, INITIATOR_CPU0); }

static inline u32 config_get(unsigned offset, unsigned size)
{
    ports_write(ports, 0xCF8, 0x80000000u | SLOT << 11 | (offset & ~3u), 4, INITIATOR_CPU0);
    return ports_read(ports, (u16)(0xCFC + (offset & 3)), size, INITIATOR_CPU0);
}
static inline void config_set(unsigned offset, u32 value, unsigned size)
{
    ports_write(ports, 0xCF8, 0x80000000u | SLOT << 11 | (offset & ~3u), 4, INITIATOR_CPU0);
    ports_write(ports, (u16)(0xCFC + (offset & 3)), value, size, INITIATOR_CPU0);
}

static inline u8 status(void) { return (u8)get(COMMON + 0x14, 1); }

/* Place the BAR; memory space and bus master on. */
static inline void place(void)
{
    config_set(0x20, BAR, 4);
    config_set(0x04, 0x0006, 2);
}

static inline void negotiate(u64 features)
{
    set(COMMON + 0x14, 0, 1);
    set(COMMON + 0x14, S_ACKNOWLEDGE | S_DRIVER, 1);
    for (u32 i = 0; i < 2; i++) {
        set(COMMON + 0x08, i, 4);
        set(COMMON + 0x0C, (u32)(features >> (32 * i)), 4);
    }
    set(COMMON + 0x14, S_ACKNOWLEDGE | S_DRIVER | S_FEATURES_OK, 1);
}

static inline void set_up_queue(unsigned n)
{
    set(COMMON + 0x16, n, 2);
    set(COMMON + 0x18, QUEUE_SIZE, 2);
    set(COMMON + 0x20, DESC(n), 4);
    set(COMMON + 0x24, 0, 4);
    set(COMMON + 0x28, AVAIL(n), 8);
    set(COMMON + 0x30, USED(n), 8);
    set(COMMON + 0x1C, 1, 2);
    set(AVAIL(n), 0, 4);
    set(USED(n), 0, 4);
    available[n] = 0;
}

/* From power-on to a running device with that many queues. */
static inline void start(unsigned queues, u64 features)
{
    place();
    negotiate(VIRTIO_FEATURE_VERSION_1 | features);
    for (unsigned n = 0; n < queues; n++)
        set_up_queue(n);
    set(COMMON + 0x14, S_ACKNOWLEDGE | S_DRIVER | S_FEATURES_OK | S_DRIVER_OK, 1);
}

static inline void descriptor(unsigned n, unsigned index, u64 at, u32 size, u16 flags, u16 next)
{
    paddr_t d = DESC(n) + 16 * index;

    set(d, at, 8);
    set(d + 8, size, 4);
    set(d + 12, flags, 2);
    set(d + 14, next, 2);
}

/* Make a chain available. */
static inline void offer(unsigned n, u16 head)
{
    set(AVAIL(n) + 4 + 2 * (available[n] % QUEUE_SIZE), head, 2);
    set(AVAIL(n) + 2, ++available[n], 2);
}
static inline void kick(unsigned n) { set(NOTIFY + 4 * n, n, 2); }
static inline u16 used(unsigned n) { return (u16)get(USED(n) + 2, 2); }
static inline u32 used_bytes(unsigned n, unsigned entry) { return (u32)get(USED(n) + 8 + 8 * entry, 4); }

#endif

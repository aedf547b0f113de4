/* SPDX-License-Identifier: MIT
 * The PCI transport of a virtio device: configuration space, register block, queues, interrupt.
 * Virtual I/O Device (VIRTIO) Version 1.0, "Virtio Over PCI Bus" (4.1), "Basic Facilities of a Virtio Device" (2).
 *
 * Not implemented: the legacy interface (drivers from before virtio 1.0: Linux before 4.0), MSI-X (the pin INTA# is
 * there, and drivers fall back to it).
 */
#ifndef RINGSIDE_DEVICES_VIRTIO_VIRTIO_PCI_H
#define RINGSIDE_DEVICES_VIRTIO_VIRTIO_PCI_H

#include "bus/irq.h"
#include "devices/pci_host.h"
#include "devices/virtio/virtqueue.h"

enum virtio_type { VIRTIO_NET = 1, VIRTIO_BLK = 2, VIRTIO_RNG = 4 };

#define VIRTIO_QUEUES_MAX 2
#define VIRTIO_FEATURE_VERSION_1 (1ull << 32)

/* What one kind of device is. All functions get virtio_device.context. */
struct virtio_device {
    enum virtio_type type;
    u32 class_code; /* of the PCI function: base class, subclass, interface */
    u64 features;   /* offered besides VIRTIO_FEATURE_VERSION_1 */
    unsigned queues;
    const u8 *config; /* the device-specific registers, read-only for the driver; may be NULL */
    unsigned config_bytes;
    const char *name;
    void *context;
    /* The driver says that it put something into a queue: take it by virtio_take(). Only while virtio_running(). */
    void (*notified)(void *context, unsigned queue);
    /* The driver resets the device: forget what is under way. May be NULL. */
    void (*reset)(void *context);
};

struct virtio_pci;

/* What a machine puts its PCI devices on. */
struct virtio_bus {
    struct pci_host *host;
    struct physmem *pm;
};

/* Put a device on bus 0.
 * in: irq  what its INTA# drives (devices/pci_intx.h); device  copied
 * returns: never NULL */
struct virtio_pci *virtio_pci_new(const struct virtio_bus *bus, unsigned slot, struct irq_line *irq,
                                  const struct virtio_device *device);
void virtio_pci_free(struct virtio_pci *v);

/* The driver has set the device up, and it may master the bus. */
bool virtio_running(const struct virtio_pci *v);
/* Features that both sides have. */
u64 virtio_features(const struct virtio_pci *v);
/* The next chain of a queue.
 * returns: false when there is none
 * effects: rings that break the rules (virtq_take) put the device into DEVICE_NEEDS_RESET: it does nothing more until
 *          the driver resets it */
bool virtio_take(struct virtio_pci *v, unsigned queue, struct virtq_chain *chain);
/* Not now: the chain taken last is taken again by the next virtio_take(). */
void virtio_untake(struct virtio_pci *v, unsigned queue);
/* Give it back with that many bytes written, and interrupt if the driver wants to hear of it. */
void virtio_give(struct virtio_pci *v, unsigned queue, const struct virtq_chain *chain, u32 written);
/* The driver broke the device's own rules (a request without room for its status): as a broken ring. */
void virtio_fail(struct virtio_pci *v);
struct physmem *virtio_memory(const struct virtio_pci *v);

#endif

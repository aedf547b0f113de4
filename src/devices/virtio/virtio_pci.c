/* SPDX-License-Identifier: MIT
 * The PCI transport of a virtio device.
 * Virtual I/O Device (VIRTIO) Version 1.0, "Virtio Over PCI Bus" (4.1).
 */
#include "devices/virtio/virtio_pci.h"

#include <assert.h>
#include <stdlib.h>

#include "base/bits.h"
#include "devices/pci_bar.h"

/* The register block: one memory BAR with a page for each structure. */
#define REGISTER_BAR 4u
#define REGISTER_BYTES 0x4000u
enum { PAGE_COMMON, PAGE_ISR, PAGE_DEVICE, PAGE_NOTIFY };
#define NOTIFY_MULTIPLIER 4u

/* Configuration space. */
enum { CFG_STATUS = 0x06, CFG_CAPABILITIES = 0x34, CFG_LINE = 0x3C, CFG_PIN = 0x3D, CFG_FIRST_CAPABILITY = 0x40 };
enum { STATUS_INTERRUPT = 0x08, STATUS_CAPABILITIES = 0x10 };
/* "Virtio Structure PCI Capabilities" (4.1.4). */
enum { CAP_COMMON = 1, CAP_NOTIFY, CAP_ISR, CAP_DEVICE, CAP_PCI };
enum { CAP_VENDOR = 9, CAP_BYTES = 16, CAP_NOTIFY_BYTES = 20, CAP_PCI_BYTES = 20 };

/* "Common configuration structure layout" (4.1.4.3): offsets. */
enum {
    REG_DEVICE_FEATURE_SELECT = 0x00,
    REG_DEVICE_FEATURE = 0x04,
    REG_DRIVER_FEATURE_SELECT = 0x08,
    REG_DRIVER_FEATURE = 0x0C,
    REG_MSIX_CONFIG = 0x10, /* and the number of queues in the upper half */
    REG_STATUS = 0x14,      /* and the configuration's generation, which never changes */
    REG_QUEUE_SELECT = 0x16,
    REG_QUEUE_SIZE = 0x18,
    REG_QUEUE_MSIX = 0x1A,
    REG_QUEUE_ENABLE = 0x1C,
    REG_QUEUE_NOTIFY_OFFSET = 0x1E,
    REG_QUEUE_DESC = 0x20,
    REG_QUEUE_DRIVER = 0x28,
    REG_QUEUE_DEVICE = 0x30,
    REG_END = 0x38,
};
#define NO_VECTOR 0xFFFFu

/* "Device Status Field" (2.1). */
enum { FEATURES_OK = 8, DRIVER_OK = 4, NEEDS_RESET = 0x40, STATUS_BITS = 0xCF };
/* "ISR status capability" (4.1.4.5). */
enum { ISR_QUEUE = 1, ISR_CONFIG = 2 };

struct virtio_pci {
    struct pci_function function;
    struct pci_bars bars;
    struct irq_line *irq;
    struct physmem *pm;
    struct virtio_device device;
    struct virtqueue queue[VIRTIO_QUEUES_MAX];
    u64 features; /* the driver's */
    u32 device_select, driver_select;
    u16 queue_select;
    u8 status, isr;
    unsigned pci_window; /* offset of the capability that is a window onto the BAR */
};

/* ---- interrupt, status ------------------------------------------------------------------------------------------- */

static void update_interrupt(struct virtio_pci *v)
{
    u8 *config = v->function.config;

    config[CFG_STATUS] = (u8)((config[CFG_STATUS] & ~STATUS_INTERRUPT) | (v->isr ? STATUS_INTERRUPT : 0));
    irq_set(v->irq, v->isr != 0 && !(load_le16(config + 0x04) & PCI_COMMAND_NO_INTX));
}

static void interrupt(struct virtio_pci *v, u8 cause)
{
    v->isr |= cause;
    update_interrupt(v);
}

void virtio_fail(struct virtio_pci *v)
{
    v->status |= NEEDS_RESET;
    if (v->status & DRIVER_OK)
        interrupt(v, ISR_CONFIG);
}

static void reset_device(struct virtio_pci *v)
{
    for (unsigned i = 0; i < VIRTIO_QUEUES_MAX; i++)
        v->queue[i] = (struct virtqueue){.size = VIRTQ_SIZE_MAX};
    v->features = 0;
    v->device_select = v->driver_select = 0;
    v->queue_select = 0;
    v->status = v->isr = 0;
    update_interrupt(v);
    if (v->device.reset != NULL)
        v->device.reset(v->device.context);
}

static u64 offered(const struct virtio_pci *v) { return v->device.features | VIRTIO_FEATURE_VERSION_1; }

static void write_status(struct virtio_pci *v, u8 value)
{
    if (value == 0) {
        reset_device(v);
        return;
    }
    value &= STATUS_BITS & ~NEEDS_RESET;
    /* "Device Status Field": FEATURES_OK stays clear unless the features are a subset of those offered; a driver of
     * this transport must accept VERSION_1 ("Reserved Feature Bits", 6) */
    if ((v->features & ~offered(v)) != 0 || !(v->features & VIRTIO_FEATURE_VERSION_1))
        value &= (u8)~FEATURES_OK;
    v->status = (u8)(value | (v->status & NEEDS_RESET));
}

/* ---- common configuration ---------------------------------------------------------------------------------------- */

static struct virtqueue *selected(struct virtio_pci *v)
{
    return v->queue_select < v->device.queues ? &v->queue[v->queue_select] : NULL;
}

static u32 feature_word(u64 features, u32 select) { return select < 2 ? (u32)(features >> (32 * select)) : 0; }

/* The doubleword at offset, a multiple of 4. */
static u32 read_common(struct virtio_pci *v, unsigned offset)
{
    static const struct virtqueue none;
    const struct virtqueue *q = selected(v) != NULL ? selected(v) : &none;

    switch (offset) {
    case REG_DEVICE_FEATURE_SELECT: return v->device_select;
    case REG_DEVICE_FEATURE: return feature_word(offered(v), v->device_select);
    case REG_DRIVER_FEATURE_SELECT: return v->driver_select;
    case REG_DRIVER_FEATURE: return feature_word(v->features, v->driver_select);
    case REG_MSIX_CONFIG: return NO_VECTOR | v->device.queues << 16;
    case REG_STATUS: return v->status | (u32)v->queue_select << 16;
    case REG_QUEUE_SIZE: return q->size | NO_VECTOR << 16;
    case REG_QUEUE_ENABLE: return (q->enabled ? 1u : 0u) | (u32)v->queue_select << 16; /* notify offset: the number */
    case REG_QUEUE_DESC: return (u32)q->desc;
    case REG_QUEUE_DESC + 4: return (u32)(q->desc >> 32);
    case REG_QUEUE_DRIVER: return (u32)q->driver;
    case REG_QUEUE_DRIVER + 4: return (u32)(q->driver >> 32);
    case REG_QUEUE_DEVICE: return (u32)q->device;
    case REG_QUEUE_DEVICE + 4: return (u32)(q->device >> 32);
    default: return 0;
    }
}

static void set_half(u64 *address, unsigned offset, u32 value)
{
    unsigned shift = offset & 4 ? 32 : 0;

    *address = (*address & ~(0xFFFFFFFFull << shift)) | (u64)value << shift;
}

/* A queue is set up while it is not enabled; a size that is none, and a change of an enabled queue, have no effect. */
static void write_queue(struct virtqueue *q, unsigned offset, unsigned size, u32 value)
{
    if (q == NULL || q->enabled)
        return;
    switch (offset) {
    case REG_QUEUE_SIZE:
        if (size == 2 && value != 0 && value <= VIRTQ_SIZE_MAX && (value & (value - 1)) == 0)
            q->size = (u16)value;
        break;
    case REG_QUEUE_ENABLE:
        if (size == 2 && value == 1)
            q->enabled = true;
        break;
    case REG_QUEUE_DESC:
    case REG_QUEUE_DESC + 4: set_half(&q->desc, offset, value); break;
    case REG_QUEUE_DRIVER:
    case REG_QUEUE_DRIVER + 4: set_half(&q->driver, offset, value); break;
    case REG_QUEUE_DEVICE:
    case REG_QUEUE_DEVICE + 4: set_half(&q->device, offset, value); break;
    default: break;
    }
}

/* A register is written in its own width; other writes have no effect. */
static void write_common(struct virtio_pci *v, unsigned offset, unsigned size, u32 value)
{
    if (offset >= REG_QUEUE_DESC && offset < REG_END) {
        if (size == 4)
            write_queue(selected(v), offset, size, value);
        return;
    }
    switch (offset) {
    case REG_DEVICE_FEATURE_SELECT:
        if (size == 4)
            v->device_select = value;
        break;
    case REG_DRIVER_FEATURE_SELECT:
        if (size == 4)
            v->driver_select = value;
        break;
    case REG_DRIVER_FEATURE:
        if (size == 4 && v->driver_select < 2 && !(v->status & FEATURES_OK))
            set_half(&v->features, v->driver_select * 4, value);
        break;
    case REG_STATUS:
        if (size == 1)
            write_status(v, (u8)value);
        break;
    case REG_QUEUE_SELECT:
        if (size == 2)
            v->queue_select = (u16)value;
        break;
    default: write_queue(selected(v), offset, size, value); break;
    }
}

/* ---- the register block ------------------------------------------------------------------------------------------ */

static void notify(struct virtio_pci *v, unsigned queue)
{
    if (queue < v->device.queues && virtio_running(v))
        v->device.notified(v->device.context, queue);
}

static u8 read_isr(struct virtio_pci *v)
{
    u8 isr = v->isr;

    v->isr = 0;
    update_interrupt(v);
    return isr;
}

static u64 read_registers(void *device, u64 offset, unsigned size, enum initiator who)
{
    struct virtio_pci *v = device;
    unsigned page = (unsigned)(offset / PAGE_SIZE), at = (unsigned)(offset % PAGE_SIZE);
    u64 value = 0;

    (void)who;
    if (page == PAGE_ISR)
        return at == 0 ? read_isr(v) : 0;
    if (page == PAGE_NOTIFY)
        return 0;
    for (unsigned i = 0; i < size; i++, at++) {
        u8 byte = 0;

        if (page == PAGE_COMMON)
            byte = (u8)(read_common(v, at & ~3u) >> (8 * (at & 3)));
        else if (at < v->device.config_bytes)
            byte = v->device.config[at];
        value |= (u64)byte << (8 * i);
    }
    return value;
}

static void write_registers(void *device, u64 offset, u64 value, unsigned size, enum initiator who)
{
    struct virtio_pci *v = device;
    unsigned page = (unsigned)(offset / PAGE_SIZE), at = (unsigned)(offset % PAGE_SIZE);

    (void)who;
    if (page == PAGE_NOTIFY) {
        if (at % NOTIFY_MULTIPLIER == 0)
            notify(v, at / NOTIFY_MULTIPLIER);
    } else if (page == PAGE_COMMON && size == 8) {
        write_common(v, at, 4, (u32)value);
        write_common(v, at + 4, 4, (u32)(value >> 32));
    } else if (page == PAGE_COMMON) {
        write_common(v, at, size, (u32)value);
    }
}

static const struct mmio_ops register_ops = {read_registers, write_registers};

/* ---- configuration space ----------------------------------------------------------------------------------------- */

/* The window's access to the register block: valid for 1, 2 or 4 bytes, aligned, inside. (4.1.4.7) */
static bool window(const struct virtio_pci *v, u32 *offset, u32 *size)
{
    const u8 *cap = v->function.config + v->pci_window;

    *offset = load_le32(cap + 8);
    *size = load_le32(cap + 12);
    return cap[4] == REGISTER_BAR && (*size == 1 || *size == 2 || *size == 4) && *offset % *size == 0 &&
           *offset < REGISTER_BYTES;
}

static bool touches_window(const struct virtio_pci *v, unsigned offset, unsigned size)
{
    return offset < v->pci_window + 20 && offset + size > v->pci_window + 16;
}

static void config_reading(void *context, unsigned offset, unsigned size)
{
    struct virtio_pci *v = context;
    u32 at, length;

    if (touches_window(v, offset, size) && window(v, &at, &length))
        store_le32(v->function.config + v->pci_window + 16, (u32)read_registers(v, at, length, INITIATOR_CPU0));
}

static void config_changed(void *context, unsigned offset, unsigned size)
{
    struct virtio_pci *v = context;
    u32 at, length;

    pci_bars_changed(&v->bars, offset, size);
    update_interrupt(v);
    if (touches_window(v, offset, size) && window(v, &at, &length)) {
        u32 value = load_le32(v->function.config + v->pci_window + 16);

        write_registers(v, at, length == 4 ? value : value & (BIT(8 * length) - 1), length, INITIATOR_CPU0);
    }
}

/* returns: the offset behind it */
static unsigned add_capability(struct virtio_pci *v, unsigned at, u8 type, u8 bytes, u32 offset, u32 length)
{
    u8 *cap = v->function.config + at;

    cap[0] = CAP_VENDOR;
    cap[1] = type == CAP_PCI ? 0 : (u8)(at + bytes); /* the last in the list */
    cap[2] = bytes;
    cap[3] = type;
    cap[4] = type == CAP_PCI ? 0 : REGISTER_BAR;
    store_le32(cap + 8, offset);
    store_le32(cap + 12, length);
    return at + bytes;
}

static void add_capabilities(struct virtio_pci *v)
{
    u8 *writable = v->function.writable;
    unsigned at = CFG_FIRST_CAPABILITY;

    v->function.config[CFG_STATUS] |= STATUS_CAPABILITIES;
    v->function.config[CFG_CAPABILITIES] = CFG_FIRST_CAPABILITY;
    at = add_capability(v, at, CAP_COMMON, CAP_BYTES, PAGE_COMMON * PAGE_SIZE, REG_END);
    at = add_capability(v, at, CAP_ISR, CAP_BYTES, PAGE_ISR * PAGE_SIZE, 1);
    if (v->device.config_bytes != 0)
        at = add_capability(v, at, CAP_DEVICE, CAP_BYTES, PAGE_DEVICE * PAGE_SIZE, v->device.config_bytes);
    store_le32(v->function.config + at + CAP_BYTES, NOTIFY_MULTIPLIER);
    at = add_capability(v, at, CAP_NOTIFY, CAP_NOTIFY_BYTES, PAGE_NOTIFY * PAGE_SIZE,
                        v->device.queues * NOTIFY_MULTIPLIER);
    v->pci_window = at;
    add_capability(v, at, CAP_PCI, CAP_PCI_BYTES, 0, 0);
    writable[at + 4] = 0xFF;
    memset(writable + at + 8, 0xFF, 12); /* offset, length, data */
}

static void init_function(struct virtio_pci *v)
{
    u8 *config = v->function.config;

    store_le16(config + 0x00, 0x1AF4);
    store_le16(config + 0x02, (u16)(0x1040 + v->device.type)); /* "PCI Device Discovery" (4.1.2) */
    config[0x08] = 1;
    config[0x09] = (u8)v->device.class_code;
    config[0x0A] = (u8)(v->device.class_code >> 8);
    config[0x0B] = (u8)(v->device.class_code >> 16);
    store_le16(config + 0x2C, 0x1AF4);
    store_le16(config + 0x2E, 0x1100); /* the subsystem is of no meaning in version 1.0 */
    config[CFG_PIN] = 1;               /* INTA# */
    v->function.writable[CFG_LINE] = 0xFF;
    v->function.writable[0x04] = PCI_COMMAND_MASTER;
    v->function.writable[0x05] = PCI_COMMAND_NO_INTX >> 8;
    v->function.changed = config_changed;
    v->function.reading = config_reading;
    v->function.context = v;
}

/* ---- life, and the device's side --------------------------------------------------------------------------------- */

struct virtio_pci *virtio_pci_new(const struct virtio_bus *bus, unsigned slot, struct irq_line *irq,
                                  const struct virtio_device *device)
{
    struct virtio_pci *v = calloc(1, sizeof *v);

    if (v == NULL)
        abort();
    assert(device->queues <= VIRTIO_QUEUES_MAX && device->config_bytes <= PAGE_SIZE);
    v->device = *device;
    v->irq = irq;
    v->pm = bus->pm;
    for (unsigned i = 0; i < VIRTIO_QUEUES_MAX; i++)
        v->queue[i].size = VIRTQ_SIZE_MAX;
    init_function(v);
    add_capabilities(v);
    pci_bars_init(&v->bars, &v->function, bus->pm);
    pci_bar_memory(&v->bars, REGISTER_BAR, REGISTER_BYTES, false, &register_ops, v, device->name);
    pci_host_add(bus->host, slot, 0, &v->function);
    return v;
}

void virtio_pci_free(struct virtio_pci *v) { free(v); }

bool virtio_running(const struct virtio_pci *v)
{
    return (v->status & (DRIVER_OK | NEEDS_RESET)) == DRIVER_OK && (v->function.config[0x04] & PCI_COMMAND_MASTER);
}

u64 virtio_features(const struct virtio_pci *v) { return v->features; }

struct physmem *virtio_memory(const struct virtio_pci *v) { return v->pm; }

bool virtio_take(struct virtio_pci *v, unsigned queue, struct virtq_chain *chain)
{
    enum virtq_taken taken;

    if (!virtio_running(v))
        return false;
    taken = virtq_take(&v->queue[queue], v->pm, chain);
    if (taken == VIRTQ_BROKEN)
        virtio_fail(v);
    return taken == VIRTQ_CHAIN;
}

void virtio_untake(struct virtio_pci *v, unsigned queue) { virtq_untake(&v->queue[queue]); }

void virtio_give(struct virtio_pci *v, unsigned queue, const struct virtq_chain *chain, u32 written)
{
    bool wanted = false;

    if (!virtq_give(&v->queue[queue], v->pm, chain->head, written, &wanted))
        virtio_fail(v);
    else if (wanted)
        interrupt(v, ISR_QUEUE);
}

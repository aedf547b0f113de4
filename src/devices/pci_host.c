/* SPDX-License-Identifier: MIT
 * PCI configuration mechanism 1 and the i440FX host bridge.
 */
#include "devices/pci_host.h"

#include <stdlib.h>

#include "base/bits.h"

#define ADDRESS_PORT 0xCF8
#define DATA_PORT 0xCFC
#define ADDRESS_ENABLE BIT(31)

struct pci_host {
    u32 address;
    struct pci_function *function[32 * 8]; /* bus 0 */
    struct pci_function bridge;
    struct physmem *pm;
};

enum { PAM_FIRST = 0x59, PAM_LAST = 0x5F, SMRAM = 0x72, SMRAM_LOCK = 0x10, SMRAM_CLOSED = 0x20, SMRAM_OPEN = 0x40 };

/* The function that the address register selects; NULL when there is none: the bus reads as ones. */
static struct pci_function *selected(const struct pci_host *host)
{
    if (!(host->address & ADDRESS_ENABLE) || bits(host->address, 23, 16) != 0)
        return NULL;
    return host->function[bits(host->address, 15, 8)];
}

static u32 read_port(void *device, u16 port, unsigned size)
{
    const struct pci_host *host = device;
    struct pci_function *f;
    unsigned offset;
    u32 value = 0;

    if (port < DATA_PORT) /* the address register is a doubleword; narrower reads belong to other devices */
        return port == ADDRESS_PORT && size == 4 ? host->address : ~0u;
    f = selected(host);
    if (f == NULL)
        return ~0u;
    offset = (unsigned)(host->address & 0xFC) + port - DATA_PORT;
    if (f->reading != NULL)
        f->reading(f->context, offset, size);
    for (unsigned i = 0; i < size; i++)
        value |= (u32)f->config[(offset + i) & 0xFF] << (8 * i);
    return value;
}

static void write_port(void *device, u16 port, u32 value, unsigned size)
{
    struct pci_host *host = device;
    struct pci_function *f;
    unsigned offset;

    if (port < DATA_PORT) {
        if (port == ADDRESS_PORT && size == 4)
            host->address = value & 0x80FFFFFC;
        return;
    }
    f = selected(host);
    if (f == NULL)
        return;
    offset = (unsigned)(host->address & 0xFC) + port - DATA_PORT;
    for (unsigned i = 0; i < size; i++) {
        u8 *byte = &f->config[(offset + i) & 0xFF];
        u8 mask = f->writable[(offset + i) & 0xFF];

        *byte = (u8)((*byte & ~mask) | ((value >> (8 * i)) & mask));
    }
    if (f->changed != NULL)
        f->changed(f->context, offset, size);
}

static const struct port_ops ops = {.read = read_port, .write = write_port, .sizes = 1 | 2 | 4};

/* One area of the programmable attribute map: bit 0 sends reads to RAM, bit 1 writes. PAM0's upper half is the BIOS
 * area F0000h-FFFFFh; the halves of the others are 16 KiB each, from C0000h. */
static void set_area(struct pci_host *host, unsigned area, unsigned attributes)
{
    unsigned shadow = (attributes & 1 ? SHADOW_READ : 0u) | (attributes & 2 ? SHADOW_WRITE : 0u);

    if (area == 0)
        return; /* reserved: below 640 KiB there is always RAM */
    if (area == 1)
        physmem_set_shadow(host->pm, 0xF0000, 0x10000, shadow);
    else
        physmem_set_shadow(host->pm, 0xC0000 + (area - 2) * 0x4000, 0x4000, shadow);
}

static void bridge_changed(void *context, unsigned offset, unsigned size)
{
    struct pci_host *host = context;
    u8 *config = host->bridge.config;

    for (unsigned at = offset; at < offset + size; at++) {
        if (at >= PAM_FIRST && at <= PAM_LAST) {
            set_area(host, (at - PAM_FIRST) * 2, config[at] & 3);
            set_area(host, (at - PAM_FIRST) * 2 + 1, config[at] >> 4 & 3);
        }
        if (at != SMRAM)
            continue;
        if (config[SMRAM] & SMRAM_LOCK) { /* locked for good, and closed */
            config[SMRAM] &= (u8)~SMRAM_OPEN;
            host->bridge.writable[SMRAM] = 0;
        }
        physmem_set_shadow(host->pm, 0xA0000, 0x20000,
                           (config[SMRAM] & (SMRAM_OPEN | SMRAM_CLOSED)) == SMRAM_OPEN ? SHADOW_READ | SHADOW_WRITE
                                                                                       : 0);
    }
}

static void init_bridge(struct pci_host *host)
{
    struct pci_function *bridge = &host->bridge;

    store_le16(bridge->config + 0x00, 0x8086);
    store_le16(bridge->config + 0x02, 0x1237);
    store_le16(bridge->config + 0x04, 0x0006); /* memory space and bus master, always */
    store_le16(bridge->config + 0x06, 0x0280);
    bridge->config[0x08] = 0x02;
    bridge->config[0x0B] = 0x06; /* class: bridge; subclass 0: host */
    for (unsigned pam = PAM_FIRST; pam <= PAM_LAST; pam++)
        bridge->writable[pam] = pam == PAM_FIRST ? 0x30 : 0x33;
    bridge->config[SMRAM] = 0x02; /* C_BASE_SEG: A0000h, the only choice */
    bridge->writable[SMRAM] = 0x78;
    bridge->changed = bridge_changed;
    bridge->context = host;
}

struct pci_host *pci_host_new(struct ports *ports, struct physmem *pm)
{
    struct pci_host *host = calloc(1, sizeof *host);

    if (host == NULL)
        abort();
    host->pm = pm;
    init_bridge(host);
    pci_host_add(host, 0, 0, &host->bridge);
    ports_claim(ports, ADDRESS_PORT, 8, &ops, host, "pci configuration");
    return host;
}

void pci_host_set_subsystem(struct pci_host *host, u16 vendor, u16 id)
{
    store_le16(host->bridge.config + 0x2C, vendor);
    store_le16(host->bridge.config + 0x2E, id);
}

void pci_host_free(struct pci_host *host) { free(host); }

void pci_host_add(struct pci_host *host, unsigned device, unsigned function, struct pci_function *f)
{
    host->function[(device & 31) * 8 + (function & 7)] = f;
}

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
};

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

static void init_bridge(struct pci_function *bridge)
{
    store_le16(bridge->config + 0x00, 0x8086);
    store_le16(bridge->config + 0x02, 0x1237);
    store_le16(bridge->config + 0x04, 0x0006); /* memory space and bus master, always */
    store_le16(bridge->config + 0x06, 0x0280);
    bridge->config[0x08] = 0x02;
    bridge->config[0x0B] = 0x06; /* class: bridge; subclass 0: host */
    for (unsigned pam = 0x59; pam <= 0x5F; pam++)
        bridge->writable[pam] = 0x33; /* programmable attribute map: kept; memory below 1 MiB is wired otherwise */
}

struct pci_host *pci_host_new(struct ports *ports)
{
    struct pci_host *host = calloc(1, sizeof *host);

    if (host == NULL)
        abort();
    init_bridge(&host->bridge);
    pci_host_add(host, 0, 0, &host->bridge);
    ports_claim(ports, ADDRESS_PORT, 8, &ops, host, "pci configuration");
    return host;
}

void pci_host_free(struct pci_host *host) { free(host); }

void pci_host_add(struct pci_host *host, unsigned device, unsigned function, struct pci_function *f)
{
    host->function[(device & 31) * 8 + (function & 7)] = f;
}

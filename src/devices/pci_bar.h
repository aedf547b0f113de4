/* SPDX-License-Identifier: MIT
 * Base address registers of a PCI function: where its memory answers, as the guest places it.
 * PCI Local Bus Specification 2.2, "Base Addresses", "Expansion ROM Base Address Register", "Device Control" (the
 * command register).
 */
#ifndef RINGSIDE_DEVICES_PCI_BAR_H
#define RINGSIDE_DEVICES_PCI_BAR_H

#include "bus/physmem.h"
#include "devices/pci_host.h"

#define PCI_BARS 7
#define PCI_BAR_ROM 6 /* the expansion ROM's register, at 30h, with an enable bit of its own */

enum pci_command { PCI_COMMAND_IO = 1, PCI_COMMAND_MEMORY = 2, PCI_COMMAND_MASTER = 4, PCI_COMMAND_NO_INTX = 0x400 };

struct pci_bar {
    u32 size; /* bytes, a power of two; 0: there is no such register */
    const struct mmio_ops *ops;
    void *device;
    const char *name;
    paddr_t at; /* where it answers now; 0: nowhere */
};

/* The registers of one function; part of its device. */
struct pci_bars {
    struct pci_function *function;
    struct physmem *pm;
    struct pci_bar bar[PCI_BARS];
};

/* in: function  its BARs read as 0 from now on, and its command register's memory bit is writable */
void pci_bars_init(struct pci_bars *bars, struct pci_function *function, struct physmem *pm);
/* Give it a 32-bit memory register.
 * in: index  0 to 5, or PCI_BAR_ROM (never prefetchable); size  bytes, a power of two from 4 KiB; ops, device, name  as
 * physmem_map_mmio() takes them */
void pci_bar_memory(struct pci_bars *bars, unsigned index, u32 size, bool prefetchable, const struct mmio_ops *ops,
                    void *device, const char *name);
/* Bytes [offset, offset+size) of the configuration space were written (pci_function.changed): move what they place.
 * A register answers only between the end of RAM below 4 GiB and FEC00000h, where the bridge sends accesses to the bus:
 * the sizing protocol's all ones, RAM, the APICs and the boot ROM are never covered.
 * effects: a change of the memory map, when something moved */
void pci_bars_changed(struct pci_bars *bars, unsigned offset, unsigned size);

#endif

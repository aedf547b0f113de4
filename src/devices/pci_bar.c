/* SPDX-License-Identifier: MIT
 * Base address registers of a PCI function.
 */
#include "devices/pci_bar.h"

#include <assert.h>

#include "base/bits.h"

#define COMMAND 0x04
#define FIRST_BAR 0x10
#define ROM_BAR 0x30
#define ROM_ENABLE 1u
#define WINDOW_END 0xFEC00000ull /* the I/O APIC, and the system's own addresses above it */

enum { BAR_PREFETCHABLE = 8 };

/* The register's offset in the configuration space. */
static unsigned register_of(unsigned index) { return index == PCI_BAR_ROM ? ROM_BAR : FIRST_BAR + 4 * index; }

void pci_bars_init(struct pci_bars *bars, struct pci_function *function, struct physmem *pm)
{
    *bars = (struct pci_bars){.function = function, .pm = pm};
    for (unsigned i = 0; i < PCI_BARS; i++) {
        store_le32(function->config + register_of(i), 0);
        store_le32(function->writable + register_of(i), 0);
    }
    function->writable[COMMAND] |= PCI_COMMAND_MEMORY;
}

void pci_bar_memory(struct pci_bars *bars, unsigned index, u32 size, bool prefetchable, const struct mmio_ops *ops,
                    void *device, const char *name)
{
    assert(index < PCI_BARS && size >= PAGE_SIZE && (size & (size - 1)) == 0);
    bars->bar[index] = (struct pci_bar){.size = size, .ops = ops, .device = device, .name = name};
    store_le32(bars->function->config + register_of(index), prefetchable ? BAR_PREFETCHABLE : 0);
    store_le32(bars->function->writable + register_of(index), ~(size - 1) | (index == PCI_BAR_ROM ? ROM_ENABLE : 0));
}

/* returns: where the register wants to answer now; 0: nowhere */
static paddr_t wanted(const struct pci_bars *bars, unsigned index)
{
    u32 size = bars->bar[index].size;
    u32 value = load_le32(bars->function->config + register_of(index));
    paddr_t base = value & ~(size - 1);

    if (index == PCI_BAR_ROM && !(value & ROM_ENABLE))
        return 0;
    if (!(bars->function->config[COMMAND] & PCI_COMMAND_MEMORY))
        return 0;
    return base != 0 && base >= physmem_low_ram_bytes(bars->pm) && base + size <= WINDOW_END ? base : 0;
}

static void move(struct pci_bars *bars, unsigned index)
{
    struct pci_bar *bar = &bars->bar[index];
    paddr_t to = wanted(bars, index);

    if (to == bar->at)
        return;
    if (bar->at != 0)
        physmem_unmap_mmio(bars->pm, bar->at);
    if (to != 0)
        physmem_map_mmio(bars->pm, to, bar->size, bar->ops, bar->device, bar->name);
    bar->at = to;
}

void pci_bars_changed(struct pci_bars *bars, unsigned offset, unsigned size)
{
    bool command = offset <= COMMAND && offset + size > COMMAND;

    for (unsigned i = 0; i < PCI_BARS; i++) {
        unsigned at = register_of(i);

        if (bars->bar[i].size != 0 && (command || (offset < at + 4 && offset + size > at)))
            move(bars, i);
    }
}

/* SPDX-License-Identifier: MIT
 * The VGA as a PCI function.
 */
#include "devices/vga_pci.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "devices/pci_bar.h"
#include "devices/vga_internal.h"

#define MMIO_BYTES 0x1000u
/* Within BAR 2. */
enum { MMIO_PORTS = 0x400, MMIO_PORTS_END = 0x420, MMIO_VBE = 0x500, MMIO_VBE_END = 0x516, MMIO_ORDER = 0x600 };

struct vga_pci {
    struct pci_function function;
    struct pci_bars bars;
    struct vga *vga;
    u8 *rom;
    u32 rom_size;
};

/* Ports are bytes, from 3C0h on; VBE registers are words. A wider access is several. */
static u64 mmio_read(void *device, u64 offset, unsigned size, enum initiator who)
{
    struct vga_pci *v = device;
    u64 value = 0;

    (void)who;
    for (unsigned i = 0; i < size; i++) {
        u64 at = offset + i;
        unsigned byte = 0xFF;

        if (at >= MMIO_PORTS && at < MMIO_PORTS_END)
            byte = vga_port_read(v->vga, (u16)(0x3C0 + at - MMIO_PORTS));
        else if (at >= MMIO_VBE && at < MMIO_VBE_END)
            byte = vbe_read(v->vga, (unsigned)(at - MMIO_VBE) / 2) >> (at & 1 ? 8 : 0) & 0xFF;
        else if (at >= MMIO_ORDER && at < MMIO_ORDER + 4)
            byte = 0; /* the size of a block of registers that is not there */
        value |= (u64)byte << (8 * i);
    }
    return value;
}

static void mmio_write(void *device, u64 offset, u64 value, unsigned size, enum initiator who)
{
    struct vga_pci *v = device;

    (void)who;
    for (unsigned i = 0; i < size; i++) {
        u64 at = offset + i;

        if (at >= MMIO_PORTS && at < MMIO_PORTS_END)
            vga_port_write(v->vga, (u16)(0x3C0 + at - MMIO_PORTS), (u8)(value >> (8 * i)));
        else if (at >= MMIO_VBE && at < MMIO_VBE_END && !(at & 1) && i + 1 < size)
            vbe_write(v->vga, (unsigned)(at - MMIO_VBE) / 2, (u16)(value >> (8 * i)));
    }
}

static const struct mmio_ops mmio_ops = {mmio_read, mmio_write};

static u64 rom_read(void *device, u64 offset, unsigned size, enum initiator who)
{
    const struct vga_pci *v = device;
    u64 value = ~0ull;

    (void)who;
    if (offset + size <= v->rom_size) {
        value = 0;
        memcpy(&value, v->rom + offset, size);
    }
    return value;
}

static const struct mmio_ops rom_ops = {rom_read, NULL};

static void changed(void *context, unsigned offset, unsigned size)
{
    pci_bars_changed(&((struct vga_pci *)context)->bars, offset, size);
}

static void identify(struct pci_function *f)
{
    store_le16(f->config + 0x00, 0x1234);
    store_le16(f->config + 0x02, 0x1111);
    f->config[0x0B] = 0x03; /* class: display controller; subclass and interface 0: VGA */
    store_le16(f->config + 0x2C, 0x1AF4);
    store_le16(f->config + 0x2E, 0x1100);
    f->writable[0x04] = PCI_COMMAND_IO | PCI_COMMAND_MEMORY;
    f->writable[0x3C] = 0xFF; /* interrupt line: scratch, there is no pin */
}

static void take_rom(struct vga_pci *v, const u8 *rom, size_t size)
{
    u32 window = MMIO_BYTES;

    assert(size <= 1u << 20);
    while (window < size)
        window *= 2;
    v->rom = malloc(window);
    if (v->rom == NULL)
        abort();
    memset(v->rom, 0xFF, window);
    memcpy(v->rom, rom, size);
    v->rom_size = window;
    pci_bar_memory(&v->bars, PCI_BAR_ROM, window, false, &rom_ops, v, "vga rom");
}

struct vga_pci *vga_pci_new(struct pci_host *host, unsigned slot, struct physmem *pm, struct vga *vga, const u8 *rom,
                            size_t rom_size)
{
    struct vga_pci *v = calloc(1, sizeof *v);

    if (v == NULL)
        abort();
    v->vga = vga;
    identify(&v->function);
    pci_bars_init(&v->bars, &v->function, pm);
    pci_bar_memory(&v->bars, 0, vga_state(vga)->vram_bytes, true, &vga_framebuffer_ops, vga, "vga framebuffer");
    pci_bar_memory(&v->bars, 2, MMIO_BYTES, false, &mmio_ops, v, "vga registers");
    if (rom_size != 0)
        take_rom(v, rom, rom_size);
    v->function.changed = changed;
    v->function.context = v;
    pci_host_add(host, slot, 0, &v->function);
    return v;
}

void vga_pci_free(struct vga_pci *v)
{
    if (v == NULL)
        return;
    free(v->rom);
    free(v);
}

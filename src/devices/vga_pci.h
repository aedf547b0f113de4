/* SPDX-License-Identifier: MIT
 * The VGA as a PCI function, 1234:1111: BAR 0 is the linear framebuffer, BAR 2 the registers in memory, and the
 * expansion ROM the video firmware.
 * Bochs, "VBE Display API"; QEMU, "Standard VGA" specification, for the layout of BAR 2.
 *
 * Not implemented: EDID and the registers for the byte order in BAR 2 (they read as absent). The VGA's own ports and
 * A0000h-BFFFFh answer whatever the command register says.
 */
#ifndef RINGSIDE_DEVICES_VGA_PCI_H
#define RINGSIDE_DEVICES_VGA_PCI_H

#include "devices/pci_host.h"
#include "devices/vga.h"

struct vga_pci;

/* Put the function on the bus.
 * in: slot  0 to 31; rom  copied, at most 1 MiB; rom_size 0: no expansion ROM. vga and pm outlive it. */
struct vga_pci *vga_pci_new(struct pci_host *host, unsigned slot, struct physmem *pm, struct vga *vga, const u8 *rom,
                            size_t rom_size);
void vga_pci_free(struct vga_pci *v);

#endif

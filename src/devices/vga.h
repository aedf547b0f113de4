/* SPDX-License-Identifier: MIT
 * A VGA: sequencer, CRT controller, graphics controller, attribute controller, DAC, 256 KiB of planar memory and more
 * that the Bochs VBE extension reaches. What it would show is in struct vga_state; display/ makes pictures of it.
 * IBM PS/2 Hardware Interface Technical Reference, "Video Subsystem"; Bochs, "VBE Display API".
 *
 * Not implemented: light pen, the 46E8h enable port, count-by-two and count-by-four of the CRT controller, the
 * diagnostic colour bits of input status 1, an interrupt at vertical retrace (no PC has one wired).
 */
#ifndef RINGSIDE_DEVICES_VGA_H
#define RINGSIDE_DEVICES_VGA_H

#include "bus/clock.h"
#include "bus/ports.h"
#include "devices/vga_state.h"

struct vga;

/* Claims the ports 3B4h-3B5h, 3BAh, 3C0h-3CFh, 3D4h-3D5h, 3DAh, 1CEh-1D0h and the memory A0000h-BFFFFh. As after
 * power-on: every register 0, the screen blank, until firmware or a driver sets a mode.
 * in: vram_bytes  a multiple of 64 KiB, at least 256 KiB.  returns: never NULL. */
struct vga *vga_new(struct ports *ports, struct physmem *pm, const struct clock *clock, u32 vram_bytes);
void vga_free(struct vga *vga);
const struct vga_state *vga_state(const struct vga *vga);

/* Set text mode 3 as video firmware leaves it, with a blank screen: for a machine that starts without firmware.
 * in: font  256 characters of 16 lines, as code page 437 has them; NULL: none, and characters are blank */
#define VGA_FONT_BYTES 4096u
void vga_preset_text(struct vga *vga, const u8 *font);

/* Registers of the CRT controller's clockwork, exact in virtual time: where the beam is now. */
struct vga_beam {
    u64 frame;                      /* frames since the start of time */
    bool display_disabled, retrace; /* input status 1, bits 0 and 3 */
};
struct vga_beam vga_beam(const struct vga *vga);

/* The linear framebuffer: the video memory, byte by byte (context is the struct vga). */
extern const struct mmio_ops vga_framebuffer_ops;
/* Access to the registers by another way than the ports (PCI's memory-mapped registers): as a byte at `port`,
 * 3C0h-3DFh. */
u8 vga_port_read(struct vga *vga, u16 port);
void vga_port_write(struct vga *vga, u16 port, u8 value);

#endif

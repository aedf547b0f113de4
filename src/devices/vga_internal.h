/* SPDX-License-Identifier: MIT
 * What the files of the VGA share.
 */
#ifndef RINGSIDE_DEVICES_VGA_INTERNAL_H
#define RINGSIDE_DEVICES_VGA_INTERNAL_H

#include "devices/vga.h"

struct vga {
    struct vga_state state;
    const struct clock *clock;
    struct physmem *pm;
    u8 seq_index, crtc_index, gfx_index, attr_index;
    bool attr_data;                             /* the next write of 3C0h is data */
    u8 dac_read_index, dac_write_index, dac_at; /* dac_at: 0-2, the component that comes next */
    u8 dac_pending[3];
    bool dac_reading; /* 3C7h was written last */
    u8 latch[4];
    u16 vbe_index;
};

/* vga_memory.c: A0000h-BFFFFh. */
extern const struct mmio_ops vga_window_ops;

/* vga_vbe.c: the extension's registers at 1CEh (index) and 1CFh or 1D0h (data). */
void vbe_init(struct vga *vga, struct ports *ports);
u16 vbe_read(const struct vga *vga, unsigned index);
/* effects: a value that makes no sense is refused or cut to what the memory holds */
void vbe_write(struct vga *vga, unsigned index, u16 value);

#endif

/* SPDX-License-Identifier: MIT
 * From pixels to colours: the attribute controller's palette and the DAC.
 * IBM PS/2 Hardware Interface Technical Reference, "Attribute Controller Registers", "Video Digital-to-Analog
 * Converter".
 */
#ifndef RINGSIDE_DISPLAY_PALETTE_H
#define RINGSIDE_DISPLAY_PALETTE_H

#include "devices/vga_state.h"

struct palette {
    u8 rgb[256][3];
};

/* The colours of 8-bit pixels: the DAC's, under its mask. */
void palette_of_bytes(struct palette *p, const struct vga_state *s);
/* The colours of 4-bit pixels, in the first 16 entries: through the attribute controller. */
void palette_of_planes(struct palette *p, const struct vga_state *s);

#endif

/* SPDX-License-Identifier: MIT
 * Text mode 3 as video firmware leaves it: 80 columns, 25 rows, 16 colours, 9x16 dots.
 * IBM PS/2 Hardware Interface Technical Reference, register values of BIOS mode 3+.
 */
#include "devices/vga_internal.h"

#include <string.h>

static const u8 sequencer[] = {0x03, 0x00, 0x03, 0x00, 0x02};
static const u8 controller[CRTC_COUNT] = {0x5F, 0x4F, 0x50, 0x82, 0x55, 0x81, 0xBF, 0x1F, 0x00, 0x4F, 0x0D, 0x0E, 0x00,
                                          0x00, 0x00, 0x00, 0x9C, 0x8E, 0x8F, 0x28, 0x1F, 0x96, 0xB9, 0xA3, 0xFF};
static const u8 graphics[GFX_COUNT] = {0x00, 0x00, 0x00, 0x00, 0x00, 0x10, 0x0E, 0x0F, 0xFF};
/* Bits of red, green and blue: two of each (rgbRGB); brown is dark yellow with half its green. */
static const u8 palette[16] = {0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x14, 0x07,
                               0x38, 0x39, 0x3A, 0x3B, 0x3C, 0x3D, 0x3E, 0x3F};

/* The 64 colours of the enhanced palette: the low bit of a component is two thirds of it, the high one a third. */
static void fill_dac(u8 dac[256][3])
{
    for (unsigned i = 0; i < 64; i++)
        for (unsigned c = 0; c < 3; c++)
            dac[i][c] = (u8)((i >> (2 - c) & 1) * 42 + (i >> (5 - c) & 1) * 21);
}

void vga_preset_text(struct vga *vga, const u8 *font)
{
    struct vga_state *s = &vga->state;

    s->misc = 0x67;
    memcpy(s->seq, sequencer, sizeof sequencer);
    memcpy(s->crtc, controller, sizeof controller);
    memcpy(s->gfx, graphics, sizeof graphics);
    memcpy(s->attr, palette, sizeof palette);
    s->attr[ATTR_MODE] = ATTR_MODE_BLINK | ATTR_MODE_LINE_GRAPHICS;
    s->attr[ATTR_PLANES] = 0x0F;
    s->attr[ATTR_PAN] = 8;
    s->palette_on = true;
    fill_dac(s->dac);
    for (u32 cell = 0; cell < VGA_PLANE_BYTES / 2; cell += 2) {
        s->vram[cell * 4] = ' ';
        s->vram[cell * 4 + 1] = 0x07;
    }
    for (u32 i = 0; font != NULL && i < VGA_FONT_BYTES; i++)
        s->vram[(i / 16 * 32 + i % 16) * 4 + 2] = font[i];
}

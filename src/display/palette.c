/* SPDX-License-Identifier: MIT
 * The palette and the DAC.
 */
#include "display/palette.h"

static void convert(u8 *rgb, const struct vga_state *s, unsigned index)
{
    const u8 *color = s->dac[index & s->dac_mask];

    bool wide = s->vbe[VBE_ENABLE] & VBE_8BIT_DAC;

    for (unsigned i = 0; i < 3; i++)
        rgb[i] = (u8)(wide ? color[i] : color[i] << 2 | (color[i] & 0x3F) >> 4);
}

void palette_of_bytes(struct palette *p, const struct vga_state *s)
{
    for (unsigned i = 0; i < 256; i++)
        convert(p->rgb[i], s, i);
}

void palette_of_planes(struct palette *p, const struct vga_state *s)
{
    unsigned select = s->attr[ATTR_COLOR];

    for (unsigned i = 0; i < 16; i++) {
        unsigned index = s->attr[i & s->attr[ATTR_PLANES] & 15];

        if (s->attr[ATTR_MODE] & ATTR_MODE_P54)
            index = (index & 15) | (select & 3) << 4;
        convert(p->rgb[i], s, index | (select & 12) << 4);
    }
}

/* SPDX-License-Identifier: MIT
 * The modes of the Bochs VBE extension: packed pixels of 8 to 32 bits, and planes.
 * Bochs, "VBE Display API".
 */
#include "display/render_internal.h"

#include "base/bits.h"

static u8 widen(unsigned value, unsigned bits) { return (u8)(value << (8 - bits) | value >> (2 * bits - 8)); }

static void put_packed(u8 *to, const u8 *pixel, unsigned bpp, const struct palette *palette)
{
    unsigned word;

    switch (bpp) {
    case 8: put_rgb(to, palette->rgb[*pixel]); break;
    case 15:
        word = load_le16(pixel);
        put_rgb(to, (u8[]){widen(word >> 10 & 31, 5), widen(word >> 5 & 31, 5), widen(word & 31, 5)});
        break;
    case 16:
        word = load_le16(pixel);
        put_rgb(to, (u8[]){widen(word >> 11 & 31, 5), widen(word >> 5 & 63, 6), widen(word & 31, 5)});
        break;
    default: put_rgb(to, (u8[]){pixel[2], pixel[1], pixel[0]}); break;
    }
}

/* What lies past the memory's end is black. */
static void draw_packed_line(struct picture *out, const struct vga_state *s, const struct palette *palette, unsigned y)
{
    unsigned bpp = s->vbe[VBE_BPP], bytes = (bpp + 7) / 8;
    u64 at = ((u64)(y + s->vbe[VBE_Y_OFFSET]) * s->vbe[VBE_VIRT_WIDTH] + s->vbe[VBE_X_OFFSET]) * bytes;

    for (unsigned x = 0; x < out->width && at + bytes <= s->vram_bytes; x++, at += bytes)
        put_packed(picture_at(out, x, y), s->vram + at, bpp, palette);
}

static void draw_planar_line(struct picture *out, const struct vga_state *s, const struct palette *palette, unsigned y)
{
    u64 line = (u64)(y + s->vbe[VBE_Y_OFFSET]) * ((s->vbe[VBE_VIRT_WIDTH] + 7u) / 8);

    for (unsigned x = 0; x < out->width; x++) {
        unsigned dot = x + s->vbe[VBE_X_OFFSET];
        u64 offset = line + dot / 8;

        if (offset >= s->vram_bytes / 4)
            return;
        put_rgb(picture_at(out, x, y), palette->rgb[planar_pixel(scan_planes(s, (u32)offset), dot & 7)]);
    }
}

void render_vbe(struct picture *out, const struct vga_state *s)
{
    bool planar = s->vbe[VBE_BPP] == 4;
    struct palette palette;

    picture_resize(out, s->vbe[VBE_XRES], s->vbe[VBE_YRES]);
    if (!s->palette_on)
        return;
    if (planar)
        palette_of_planes(&palette, s);
    else
        palette_of_bytes(&palette, s);
    for (unsigned y = 0; y < out->height; y++)
        if (planar)
            draw_planar_line(out, s, &palette, y);
        else
            draw_packed_line(out, s, &palette, y);
}

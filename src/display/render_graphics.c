/* SPDX-License-Identifier: MIT
 * Graphics modes of a standard VGA.
 * IBM PS/2 Hardware Interface Technical Reference, "Graphics Mode Register", "Video Memory Organization".
 */
#include "display/render_internal.h"

/* Two bits of a byte and two of the byte two planes on make a pixel; planes 0 and 2 hold four of them, then 1 and 3. */
static unsigned interleaved_pixel(const u8 *planes, unsigned dot)
{
    const u8 *pair = planes + dot / 4;
    unsigned shift = 6 - 2 * (dot & 3);

    return (pair[0] >> shift & 3u) | (pair[2] >> shift & 3u) << 2;
}

static void draw_line(struct picture *out, const struct vga_state *s, const struct scan *scan,
                      const struct palette *palette, unsigned y, unsigned line)
{
    bool bytes = s->gfx[GFX_MODE] & GFX_MODE_256, interleave = s->gfx[GFX_MODE] & GFX_MODE_INTERLEAVE;
    unsigned per_character = bytes ? 4 : 8, counter, row_scan, pan, at;

    scan_line(scan, line, &counter, &row_scan, &pan);
    at = bytes ? pan >> 1 & 3 : pan & 7;
    for (unsigned x = 0; x < out->width; x++, at++) {
        const u8 *planes = scan_planes(s, scan_address(s, counter + at / per_character, row_scan));
        unsigned dot = at % per_character;

        put_rgb(picture_at(out, x, y), palette->rgb[bytes        ? planes[dot]
                                                    : interleave ? interleaved_pixel(planes, dot)
                                                                 : planar_pixel(planes, dot)]);
    }
}

void render_graphics(struct picture *out, const struct vga_state *s)
{
    struct scan scan = scan_of(s);
    struct palette palette;
    unsigned repeat = scan_repeat(s, &scan), width, height;

    scan_graphics_size(s, &width, &height);
    picture_resize(out, width, height);
    if (!s->palette_on || (s->seq[SEQ_CLOCKING] & CLOCKING_SCREEN_OFF))
        return;
    if (s->gfx[GFX_MODE] & GFX_MODE_256)
        palette_of_bytes(&palette, s);
    else
        palette_of_planes(&palette, s);
    for (unsigned y = 0; y < out->height; y++)
        draw_line(out, s, &scan, &palette, y, y * repeat);
}

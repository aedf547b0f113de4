/* SPDX-License-Identifier: MIT
 * The parts of the renderer: each draws the whole picture for one kind of mode.
 */
#ifndef RINGSIDE_DISPLAY_RENDER_INTERNAL_H
#define RINGSIDE_DISPLAY_RENDER_INTERNAL_H

#include "display/palette.h"
#include "display/render.h"
#include "display/scan.h"

void render_text(struct picture *out, const struct vga_state *s, struct render_phase phase);
/* Planar, interleaved (as CGA's four colours) and 256-colour modes of a standard VGA. */
void render_graphics(struct picture *out, const struct vga_state *s);
void render_vbe(struct picture *out, const struct vga_state *s);

static inline void put_rgb(u8 *to, const u8 *rgb)
{
    to[0] = rgb[0];
    to[1] = rgb[1];
    to[2] = rgb[2];
}

/* A 4-bit pixel: bit 7 - dot of each plane. */
static inline unsigned planar_pixel(const u8 *planes, unsigned dot)
{
    unsigned bit = 7 - dot;

    return (planes[0] >> bit & 1u) | (planes[1] >> bit & 1u) << 1 | (planes[2] >> bit & 1u) << 2 |
           (planes[3] >> bit & 1u) << 3;
}

#endif

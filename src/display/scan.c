/* SPDX-License-Identifier: MIT
 * The CRT controller's counters.
 */
#include "display/scan.h"

struct scan scan_of(const struct vga_state *s)
{
    const u8 *c = s->crtc;
    unsigned overflow = c[CRTC_OVERFLOW], halve = c[CRTC_MAX_SCAN] & MAX_SCAN_DOUBLE ? 1 : 0;
    unsigned lines = c[CRTC_V_DISPLAY_END] | (overflow >> 1 & 1) << 8 | (overflow >> 6 & 1) << 9;
    unsigned split = c[CRTC_LINE_COMPARE] | (overflow >> 4 & 1) << 8 | (c[CRTC_MAX_SCAN] >> 6 & 1u) << 9;

    return (struct scan){
        .columns = c[CRTC_H_DISPLAY_END] + 1u,
        .dots = s->seq[SEQ_CLOCKING] & CLOCKING_8_DOTS ? 8 : 9,
        .lines = (lines >> halve) + 1,
        .row_lines = (c[CRTC_MAX_SCAN] & 31u) + 1,
        .start = (unsigned)(c[CRTC_START_HIGH] << 8 | c[CRTC_START_LOW]) + (c[CRTC_PRESET_ROW] >> 5 & 3u),
        .row_step = c[CRTC_OFFSET] * 2u,
        .split = split >> halve,
        .preset = c[CRTC_PRESET_ROW] & 31u,
        .pan = s->attr[ATTR_PAN],
        .split_pans = !(s->attr[ATTR_MODE] & ATTR_MODE_PAN_SPLIT),
    };
}

unsigned scan_repeat(const struct vga_state *s, const struct scan *scan)
{
    const unsigned all = CRTC_MODE_A13 | CRTC_MODE_A14;

    return (s->crtc[CRTC_MODE] & all) == all ? scan->row_lines : 1;
}

void scan_graphics_size(const struct vga_state *s, unsigned *width, unsigned *height)
{
    struct scan scan = scan_of(s);
    unsigned repeat = scan_repeat(s, &scan);

    *width = scan.columns * (s->gfx[GFX_MODE] & GFX_MODE_256 ? 4 : 8);
    *height = (scan.lines + repeat - 1) / repeat;
}

void scan_line(const struct scan *scan, unsigned line, unsigned *counter, unsigned *row_scan, unsigned *pan)
{
    bool below = line > scan->split;
    unsigned at = below ? line - scan->split - 1 : line + scan->preset;

    *counter = (below ? 0 : scan->start) + at / scan->row_lines * scan->row_step;
    *row_scan = at % scan->row_lines;
    /* UNVERIFIED: that the register's 0 is one dot with nine dots a character, here as anywhere. */
    *pan = below && !scan->split_pans ? 0 : scan->pan;
}

u32 scan_address(const struct vga_state *s, unsigned counter, unsigned row_scan)
{
    unsigned mode = s->crtc[CRTC_MODE];
    u32 at = counter;

    if (s->crtc[CRTC_UNDERLINE] & UNDERLINE_DOUBLEWORD)
        at = counter << 2;
    else if (!(mode & CRTC_MODE_BYTE))
        at = counter << 1 | (counter >> (mode & CRTC_MODE_WRAP_A15 ? 15 : 13) & 1);
    if (!(mode & CRTC_MODE_A13))
        at = (at & ~0x2000u) | (row_scan & 1) << 13;
    if (!(mode & CRTC_MODE_A14))
        at = (at & ~0x4000u) | (row_scan >> 1 & 1) << 14;
    return at & (VGA_PLANE_BYTES - 1);
}

const u8 *scan_planes(const struct vga_state *s, u32 offset) { return s->vram + (size_t)offset * 4; }

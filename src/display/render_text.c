/* SPDX-License-Identifier: MIT
 * Text modes: characters from plane 0, attributes from plane 1, the guest's font from plane 2.
 * IBM PS/2 Hardware Interface Technical Reference, "Alphanumeric Modes", "Character Map Select Register".
 */
#include "display/render_internal.h"

#define GLYPH_BYTES 32

struct text {
    const struct vga_state *s;
    struct scan scan;
    struct palette palette;
    struct render_phase phase;
    unsigned font[2]; /* offsets in plane 2: for attributes without and with bit 3 */
    unsigned cursor;  /* address counter of the cursor, or ~0 */
};

/* Map 0-7: four of 16 KiB, then the halves between them. */
static unsigned font_offset(unsigned low, unsigned high) { return low << 14 | high << 13; }

static struct text prepare(const struct vga_state *s, struct render_phase phase)
{
    unsigned maps = s->seq[SEQ_FONT];
    struct text t = {
        .s = s,
        .scan = scan_of(s),
        .phase = phase,
        .font = {font_offset(maps & 3, maps >> 4 & 1), font_offset(maps >> 2 & 3, maps >> 5 & 1)},
        .cursor = ~0u,
    };

    palette_of_planes(&t.palette, s);
    if (phase.cursor && !(s->crtc[CRTC_CURSOR_START] & 0x20))
        t.cursor = (unsigned)(s->crtc[CRTC_CURSOR_HIGH] << 8 | s->crtc[CRTC_CURSOR_LOW]);
    return t;
}

/* One line of one character: nine dots, the leftmost in bit 8. */
static unsigned glyph_line(const struct text *t, u8 code, u8 attribute, unsigned row_scan)
{
    unsigned offset = t->font[attribute >> 3 & 1] + code * GLYPH_BYTES + row_scan;
    unsigned dots = scan_planes(t->s, offset & (VGA_PLANE_BYTES - 1))[2] * 2u;

    if ((t->s->attr[ATTR_MODE] & ATTR_MODE_LINE_GRAPHICS) && (code & 0xE0) == 0xC0)
        dots |= dots >> 1 & 1; /* box drawing goes on in the gap */
    return dots;
}

static bool in_cursor(const struct text *t, unsigned counter, unsigned row_scan)
{
    const u8 *c = t->s->crtc;

    return counter == t->cursor && row_scan >= (c[CRTC_CURSOR_START] & 31u) && row_scan <= (c[CRTC_CURSOR_END] & 31u);
}

/* returns: the dots of a character's line; *fore and *back are the pixels of a dot that is set, and of others */
static unsigned cell_line(const struct text *t, unsigned counter, unsigned row_scan, unsigned *fore, unsigned *back)
{
    const u8 *planes = scan_planes(t->s, scan_address(t->s, counter, row_scan));
    u8 code = planes[0], attribute = planes[1], mode = t->s->attr[ATTR_MODE];
    unsigned dots = glyph_line(t, code, attribute, row_scan);

    *fore = attribute & 15u;
    *back = attribute >> 4;
    if (mode & ATTR_MODE_BLINK) {
        *back &= 7;
        if ((attribute & 0x80) && !t->phase.text)
            dots = 0;
    }
    if ((mode & ATTR_MODE_MONO) && (attribute & 7) == 1 && row_scan == (t->s->crtc[CRTC_UNDERLINE] & 31u))
        dots = 0x1FF;
    return in_cursor(t, counter, row_scan) ? 0x1FF : dots;
}

/* Panning is in dots; with nine a character, 8 means none and 0 to 7 one more. */
static unsigned pan_dots(const struct scan *scan, unsigned pan)
{
    if (scan->dots == 8)
        return pan & 7;
    return pan >= 8 ? 0 : pan + 1;
}

static void draw_line(struct picture *out, const struct text *t, unsigned line)
{
    unsigned counter, row_scan, pan, skip, x = 0;

    scan_line(&t->scan, line, &counter, &row_scan, &pan);
    skip = pan_dots(&t->scan, pan);
    while (x < out->width) {
        unsigned fore, back, dots = cell_line(t, counter++, row_scan, &fore, &back);

        for (unsigned dot = skip; dot < t->scan.dots && x < out->width; dot++, x++)
            put_rgb(picture_at(out, x, line), t->palette.rgb[dots >> (8 - dot) & 1 ? fore : back]);
        skip = 0;
    }
}

void render_text(struct picture *out, const struct vga_state *s, struct render_phase phase)
{
    struct text t = prepare(s, phase);

    picture_resize(out, t.scan.columns * t.scan.dots, t.scan.lines);
    if (!s->palette_on || (s->seq[SEQ_CLOCKING] & CLOCKING_SCREEN_OFF))
        return;
    for (unsigned line = 0; line < out->height; line++)
        draw_line(out, &t, line);
}

/* SPDX-License-Identifier: MIT
 * A text mode's screen as characters.
 */
#include "display/text_screen.h"

#include "display/scan.h"

static bool is_text(const struct vga_state *s)
{
    return !(s->vbe[VBE_ENABLE] & VBE_ENABLED) && s->crtc[CRTC_H_DISPLAY_END] != 0 &&
           !(s->gfx[GFX_MISC] & GFX_MISC_GRAPHICS);
}

bool text_screen_of(struct text_screen *out, const struct vga_state *s)
{
    struct scan scan = scan_of(s);
    unsigned cursor = (unsigned)(s->crtc[CRTC_CURSOR_HIGH] << 8 | s->crtc[CRTC_CURSOR_LOW]) - scan.start;

    if (!is_text(s))
        return false;
    *out = (struct text_screen){.columns = scan.columns,
                                .rows = (scan.lines + scan.row_lines - 1) / scan.row_lines,
                                .cursor_column = -1,
                                .cursor_row = -1};
    if (!(s->crtc[CRTC_CURSOR_START] & 0x20) && scan.row_step != 0 && cursor / scan.row_step < out->rows &&
        cursor % scan.row_step < out->columns) {
        out->cursor_column = (int)(cursor % scan.row_step);
        out->cursor_row = (int)(cursor / scan.row_step);
    }
    return true;
}

struct text_cell text_screen_at(const struct vga_state *s, unsigned column, unsigned row)
{
    struct scan scan = scan_of(s);
    unsigned counter, row_scan, pan;
    const u8 *planes;

    scan_line(&scan, row * scan.row_lines, &counter, &row_scan, &pan);
    planes = scan_planes(s, scan_address(s, counter + column, row_scan));
    return (struct text_cell){planes[0], planes[1]};
}

u32 text_unicode(u8 code)
{
    static const u16 low[32] = {
        0x0020, 0x263A, 0x263B, 0x2665, 0x2666, 0x2663, 0x2660, 0x2022, 0x25D8, 0x25CB, 0x25D9,
        0x2642, 0x2640, 0x266A, 0x266B, 0x263C, 0x25BA, 0x25C4, 0x2195, 0x203C, 0x00B6, 0x00A7,
        0x25AC, 0x21A8, 0x2191, 0x2193, 0x2192, 0x2190, 0x221F, 0x2194, 0x25B2, 0x25BC,
    };
    static const u16 high[129] = {
        0x2302, 0x00C7, 0x00FC, 0x00E9, 0x00E2, 0x00E4, 0x00E0, 0x00E5, 0x00E7, 0x00EA, 0x00EB, 0x00E8, 0x00EF,
        0x00EE, 0x00EC, 0x00C4, 0x00C5, 0x00C9, 0x00E6, 0x00C6, 0x00F4, 0x00F6, 0x00F2, 0x00FB, 0x00F9, 0x00FF,
        0x00D6, 0x00DC, 0x00A2, 0x00A3, 0x00A5, 0x20A7, 0x0192, 0x00E1, 0x00ED, 0x00F3, 0x00FA, 0x00F1, 0x00D1,
        0x00AA, 0x00BA, 0x00BF, 0x2310, 0x00AC, 0x00BD, 0x00BC, 0x00A1, 0x00AB, 0x00BB, 0x2591, 0x2592, 0x2593,
        0x2502, 0x2524, 0x2561, 0x2562, 0x2556, 0x2555, 0x2563, 0x2551, 0x2557, 0x255D, 0x255C, 0x255B, 0x2510,
        0x2514, 0x2534, 0x252C, 0x251C, 0x2500, 0x253C, 0x255E, 0x255F, 0x255A, 0x2554, 0x2569, 0x2566, 0x2560,
        0x2550, 0x256C, 0x2567, 0x2568, 0x2564, 0x2565, 0x2559, 0x2558, 0x2552, 0x2553, 0x256B, 0x256A, 0x2518,
        0x250C, 0x2588, 0x2584, 0x258C, 0x2590, 0x2580, 0x03B1, 0x00DF, 0x0393, 0x03C0, 0x03A3, 0x03C3, 0x00B5,
        0x03C4, 0x03A6, 0x0398, 0x03A9, 0x03B4, 0x221E, 0x03C6, 0x03B5, 0x2229, 0x2261, 0x00B1, 0x2265, 0x2264,
        0x2320, 0x2321, 0x00F7, 0x2248, 0x00B0, 0x2219, 0x00B7, 0x221A, 0x207F, 0x00B2, 0x25A0, 0x0020,
    };

    if (code < 0x20)
        return low[code];
    return code < 0x7F ? code : high[code - 0x7F];
}

static void put_utf8(FILE *out, u32 c)
{
    if (c < 0x80) {
        fputc((int)c, out);
    } else if (c < 0x800) {
        fputc((int)(0xC0 | c >> 6), out);
        fputc((int)(0x80 | (c & 0x3F)), out);
    } else {
        fputc((int)(0xE0 | c >> 12), out);
        fputc((int)(0x80 | (c >> 6 & 0x3F)), out);
        fputc((int)(0x80 | (c & 0x3F)), out);
    }
}

static void write_row(FILE *out, const struct vga_state *s, unsigned columns, unsigned row)
{
    unsigned blanks = 0;

    for (unsigned column = 0; column < columns; column++) {
        u32 c = text_unicode(text_screen_at(s, column, row).code);

        if (c == ' ') {
            blanks++;
            continue;
        }
        for (; blanks != 0; blanks--)
            fputc(' ', out);
        put_utf8(out, c);
    }
    fputc('\n', out);
}

void text_screen_write(FILE *out, const struct vga_state *s)
{
    struct text_screen screen;
    unsigned width, height;

    if (text_screen_of(&screen, s)) {
        for (unsigned row = 0; row < screen.rows; row++)
            write_row(out, s, screen.columns, row);
    } else if (s->vbe[VBE_ENABLE] & VBE_ENABLED) {
        fprintf(out, "(graphics mode, %ux%u, %u bits a pixel)\n", s->vbe[VBE_XRES], s->vbe[VBE_YRES], s->vbe[VBE_BPP]);
    } else if (s->crtc[CRTC_H_DISPLAY_END] != 0) {
        scan_graphics_size(s, &width, &height);
        fprintf(out, "(graphics mode, %ux%u)\n", width, height);
    } else {
        fprintf(out, "(no mode is set)\n");
    }
}

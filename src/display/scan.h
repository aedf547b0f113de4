/* SPDX-License-Identifier: MIT
 * How the CRT controller walks over the video memory.
 * IBM PS/2 Hardware Interface Technical Reference, "CRT Controller Registers".
 */
#ifndef RINGSIDE_DISPLAY_SCAN_H
#define RINGSIDE_DISPLAY_SCAN_H

#include "devices/vga_state.h"

struct scan {
    unsigned columns;   /* characters of a line, 1 to 256 */
    unsigned dots;      /* of a character: 8 or 9 */
    unsigned lines;     /* 1 to 1024; doubled lines count once */
    unsigned row_lines; /* lines of a row of characters, 1 to 32 */
    unsigned start;     /* address counter of the first row */
    unsigned row_step;  /* from one row to the next */
    unsigned split;     /* behind this line the counter starts again at 0 */
    unsigned preset;    /* lines of the first row that are above the screen */
    unsigned pan;       /* the panning register as it is */
    bool split_pans;    /* behind the split too */
};

struct scan scan_of(const struct vga_state *s);

/* Lines of a row of characters that show the same dots, and are drawn once: 1 unless it is a graphics mode whose rows
 * are several lines of one address. */
unsigned scan_repeat(const struct vga_state *s, const struct scan *scan);
/* Pixels of a graphics mode's picture. */
void scan_graphics_size(const struct vga_state *s, unsigned *width, unsigned *height);

/* Line `line` of the screen: *counter is the address counter of its first character, *row_scan its line within the row
 * of characters, *pan the panning that applies. */
void scan_line(const struct scan *scan, unsigned line, unsigned *counter, unsigned *row_scan, unsigned *pan);

/* The offset within a plane that an address counter means: byte, word or doubleword addresses, and the row scan counter
 * in their place of bits 13 and 14. Below VGA_PLANE_BYTES. */
u32 scan_address(const struct vga_state *s, unsigned counter, unsigned row_scan);

/* The four planes' bytes at an offset within them. */
const u8 *scan_planes(const struct vga_state *s, u32 offset);

#endif

/* SPDX-License-Identifier: MIT
 * A text mode's screen as characters.
 */
#ifndef RINGSIDE_DISPLAY_TEXT_SCREEN_H
#define RINGSIDE_DISPLAY_TEXT_SCREEN_H

#include <stdio.h>

#include "devices/vga_state.h"

struct text_screen {
    unsigned columns, rows;
    int cursor_column, cursor_row; /* -1: no cursor on the screen */
};
struct text_cell {
    u8 code, attribute; /* code page 437; the low half is the foreground's colour */
};

/* returns: false when the screen is in a graphics mode, or in none; else *out describes it */
bool text_screen_of(struct text_screen *out, const struct vga_state *s);
struct text_cell text_screen_at(const struct vga_state *s, unsigned column, unsigned row);
/* The Unicode character that a font of code page 437 has for a code; 0 and FFh are blank. source: IBM, "Code Page 437"
 */
u32 text_unicode(u8 code);
/* Write the screen as UTF-8: each row a line without its trailing blanks. A screen that is no text is one line that
 * says its mode. */
void text_screen_write(FILE *out, const struct vga_state *s);

#endif

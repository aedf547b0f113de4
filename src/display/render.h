/* SPDX-License-Identifier: MIT
 * What a VGA shows, as a picture: a function of its registers and memory alone.
 */
#ifndef RINGSIDE_DISPLAY_RENDER_H
#define RINGSIDE_DISPLAY_RENDER_H

#include "devices/vga_state.h"
#include "display/picture.h"

/* Which half of its period what blinks is in. Both true shows everything. */
struct render_phase {
    bool cursor, text;
};

/* Draw the screen. The picture's size is the mode's: a line that the CRT controller repeats is drawn once, half-width
 * dots are single pixels; before any mode it is 640x480. A blank screen is black. Whatever the registers say is drawn
 * within the video memory. Not drawn: the overscan border, blinking in graphics modes, the cursor's skew. */
void render_screen(struct picture *out, const struct vga_state *s, struct render_phase phase);

#endif

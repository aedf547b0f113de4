/* SPDX-License-Identifier: MIT
 * The guest's screen, keyboard and mouse for a person: an SDL window, or a text terminal through curses.
 *
 * A window lives in the thread that runs the machine, and is looked after between slices of its run: nothing is shared
 * between threads, and what is typed reaches the machine at an instruction boundary.
 */
#ifndef RINGSIDE_DISPLAY_WINDOW_H
#define RINGSIDE_DISPLAY_WINDOW_H

#include "base/error.h"
#include "devices/vga_state.h"

enum window_kind { WINDOW_NONE, WINDOW_SDL, WINDOW_CURSES };

/* What a window tells its owner, from within window_attend(). */
struct window_events {
    void *context;
    /* The keyboard sent bytes, in scan code set 2. */
    void (*keyboard)(void *context, const u8 *bytes, size_t size);
    /* The mouse moved: buttons that are down (1 left, 2 right, 4 middle); right, up and wheel towards the user. */
    void (*mouse)(void *context, u8 buttons, int right, int up, int wheel);
    /* The person closed the window. */
    void (*closed)(void *context);
};

struct window;

/* Open one. returns: NULL with err set (EXIT_FILE) when the host has no such display, or this build cannot show it. */
struct window *window_open(enum window_kind kind, const struct window_events *events, struct error *err);
void window_close(struct window *w);
/* Take in what the person did, and show the screen, at most some fifty times a second of the host's time. */
void window_attend(struct window *w, const struct vga_state *s);

/* One implementation: its own state behind the pointer. */
struct window_driver {
    void *(*open)(const struct window_events *events, struct error *err);
    void (*close)(void *driver);
    void (*poll)(void *driver);                                        /* events */
    void (*show)(void *driver, const struct vga_state *s, bool blink); /* blink: what blinks is visible */
};
extern const struct window_driver window_sdl, window_curses;

#endif

/* SPDX-License-Identifier: MIT
 * The guest's screen for a person: which implementation, and how often.
 */
#include "display/window.h"

#include <stdlib.h>
#include <time.h>

#define POLL_NS 5000000ull
#define FRAME_NS 20000000ull
#define BLINK_NS 250000000ull

struct window {
    const struct window_driver *driver;
    struct window_events events;
    void *state;
    u64 polled, shown; /* host time */
};

/* The host's time decides when a person sees something, and never what the machine does. */
static u64 host_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (u64)now.tv_sec * 1000000000ull + (u64)now.tv_nsec;
}

struct window *window_open(enum window_kind kind, const struct window_events *events, struct error *err)
{
    struct window *w = calloc(1, sizeof *w);

    if (w == NULL)
        abort();
    w->driver = kind == WINDOW_SDL ? &window_sdl : &window_curses;
    w->events = *events;
    w->state = w->driver->open(&w->events, err);
    if (w->state == NULL) {
        free(w);
        return NULL;
    }
    return w;
}

void window_close(struct window *w)
{
    if (w == NULL)
        return;
    w->driver->close(w->state);
    free(w);
}

void window_attend(struct window *w, const struct vga_state *s)
{
    u64 now = host_ns();

    if (now - w->polled >= POLL_NS) {
        w->polled = now;
        w->driver->poll(w->state);
    }
    if (now - w->shown >= FRAME_NS) {
        w->shown = now;
        w->driver->show(w->state, s, now / BLINK_NS % 2 == 0);
    }
}

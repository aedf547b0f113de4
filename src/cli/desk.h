/* SPDX-License-Identifier: MIT
 * The person's window on the machine: its screen, keyboard and mouse, wired to the machine's input port.
 */
#ifndef RINGSIDE_CLI_DESK_H
#define RINGSIDE_CLI_DESK_H

#include "display/window.h"
#include "machine/machine.h"

struct desk {
    struct machine *machine;
    struct window *window; /* NULL: none */
};

/* The world's callback for a desk that will be opened. */
void desk_world(struct desk *desk, struct machine_world *world);
/* Open a window for the machine. WINDOW_NONE: nothing.
 * returns: false with err set (EXIT_USAGE: the machine has no display adapter; EXIT_FILE: no window can be opened) */
bool desk_open(struct desk *desk, enum window_kind kind, struct machine *m, struct error *err);
/* Once or several times. */
void desk_close(struct desk *desk);

#endif

/* SPDX-License-Identifier: MIT
 * The person's window on the machine.
 */
#include "cli/desk.h"

#define MOVE_MAX 127 /* of one event of the mouse */

static void keyboard(void *context, const u8 *bytes, size_t size)
{
    struct desk *desk = context;

    input_push(machine_input(desk->machine), INPUT_KEYBOARD, bytes, size);
}

static int cut(int *left)
{
    int part = *left > MOVE_MAX ? MOVE_MAX : *left < -MOVE_MAX ? -MOVE_MAX : *left;

    *left -= part;
    return part;
}

/* INPUT_MOUSE takes events of four bytes: buttons, movement right and up, wheel. A jump is several. */
static void mouse(void *context, u8 buttons, int right, int up, int wheel)
{
    struct desk *desk = context;

    for (unsigned i = 0; i < 64; i++) {
        u8 event[4] = {buttons, (u8)cut(&right), (u8)cut(&up), (u8)cut(&wheel)};

        input_push(machine_input(desk->machine), INPUT_MOUSE, event, sizeof event);
        if (right == 0 && up == 0 && wheel == 0)
            return;
    }
}

static void closed(void *context) { machine_quit(((struct desk *)context)->machine); }

static void attend(void *context, struct machine *m)
{
    struct desk *desk = context;

    if (desk->window != NULL)
        window_attend(desk->window, vga_state(machine_vga(m)));
}

void desk_world(struct desk *desk, struct machine_world *world)
{
    world->attend = attend;
    world->attend_context = desk;
}

bool desk_open(struct desk *desk, enum window_kind kind, struct machine *m, struct error *err)
{
    struct window_events events = {.context = desk, .keyboard = keyboard, .mouse = mouse, .closed = closed};

    desk->machine = m;
    if (kind == WINDOW_NONE)
        return true;
    if (machine_vga(m) == NULL)
        return error_set(err, EXIT_USAGE,
                         "there is nothing to display: the machine has no display adapter (-vga none)");
    desk->window = window_open(kind, &events, err);
    return desk->window != NULL;
}

void desk_close(struct desk *desk)
{
    window_close(desk->window);
    desk->window = NULL;
}

/* SPDX-License-Identifier: MIT
 * A PS/2 mouse with three buttons, and with a wheel and five buttons once the guest has asked for them.
 * IBM PS/2 Hardware Interface Technical Reference, "Mouse"; Microsoft, "IntelliMouse and Explorer extensions" (the
 * sample rates 200, 100, 80 and 200, 200, 80).
 */
#ifndef RINGSIDE_DEVICES_PS2_MOUSE_H
#define RINGSIDE_DEVICES_PS2_MOUSE_H

#include "base/types.h"

struct ps2_mouse;

/* What comes in by INPUT_MOUSE: events of four bytes. Byte 0: the buttons that are down; bytes 1-3: movement since the
 * last event as signed numbers: right, up, and the wheel towards the user. */
#define PS2_MOUSE_EVENT_BYTES 4u
enum { PS2_BUTTON_LEFT = 1, PS2_BUTTON_RIGHT = 2, PS2_BUTTON_MIDDLE = 4, PS2_BUTTON_4 = 8, PS2_BUTTON_5 = 0x10 };

/* As after power-on and its self-test, which has been read: stream mode, reporting disabled. returns: never NULL. */
struct ps2_mouse *ps2_mouse_new(void);
void ps2_mouse_free(struct ps2_mouse *m);
/* A byte from the host: a command or its argument. */
void ps2_mouse_write(struct ps2_mouse *m, u8 value);
/* The next byte to the host; answers go ahead of reports. returns: false when there is none. */
bool ps2_mouse_read(struct ps2_mouse *m, u8 *byte);
/* Events. returns: how many bytes were taken: every whole event, for a report that finds no room is made up for by the
 * next: movement adds up, buttons are as they are then. */
size_t ps2_mouse_receive(struct ps2_mouse *m, const u8 *bytes, size_t size);

#endif

/* SPDX-License-Identifier: MIT
 * The 8042 keyboard controller with a PS/2 keyboard and mouse.
 * IBM PS/2 Hardware Interface Technical Reference, "Keyboard and Auxiliary Device Controller".
 */
#ifndef RINGSIDE_DEVICES_I8042_H
#define RINGSIDE_DEVICES_I8042_H

#include "bus/irq.h"
#include "bus/ports.h"

struct i8042;

struct i8042_hooks {
    void *context;
    void (*a20)(void *context, bool enabled); /* output port bit 1, commands DDh and DFh */
    void (*reset)(void *context);             /* the reset line is pulsed (command FEh) or held low */
};

/* Claims 60h and 64h. Starts as firmware leaves it: translation and the keyboard interrupt on, mouse off, A20 on.
 * returns: never NULL. */
struct i8042 *i8042_new(struct ports *ports, struct irq_line *irq1, struct irq_line *irq12,
                        const struct i8042_hooks *hooks);
void i8042_free(struct i8042 *c);
/* Input sinks (context is the i8042). Keyboard: scan code set 2 as the keyboard sends it. Mouse: 3-byte PS/2 packets.
 * What a disabled device would not report is taken and dropped; otherwise as much as its buffer holds is taken. */
size_t i8042_keyboard_receive(void *i8042, const u8 *bytes, size_t size);
size_t i8042_mouse_receive(void *i8042, const u8 *bytes, size_t size);

#endif

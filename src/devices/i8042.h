/* SPDX-License-Identifier: MIT
 * The 8042 keyboard controller with a PS/2 keyboard and mouse (ps2_keyboard.h, ps2_mouse.h).
 * IBM PS/2 Hardware Interface Technical Reference, "Keyboard and Auxiliary Device Controller".
 */
#ifndef RINGSIDE_DEVICES_I8042_H
#define RINGSIDE_DEVICES_I8042_H

#include "bus/clock.h"
#include "bus/irq.h"
#include "bus/ports.h"

struct i8042;

struct i8042_hooks {
    void *context;
    void (*a20)(void *context, bool enabled); /* output port bit 1, commands DDh and DFh */
    void (*reset)(void *context);             /* the reset line is pulsed (command FEh) or held low */
};

/* How long port 60h keeps a device's byte after the guest has read it, before the next one takes its place: so that a
 * handler and the one it hooks read the same byte. */
#define I8042_NEXT_BYTE_TICKS (20 * (TICKS_PER_SECOND / 1000000))

/* Claims 60h and 64h. Starts as firmware leaves it: translation and the keyboard interrupt on, mouse off, A20 on.
 * returns: never NULL. */
struct i8042 *i8042_new(struct ports *ports, struct clock *clock, struct irq_line *irq1, struct irq_line *irq12,
                        const struct i8042_hooks *hooks);
void i8042_free(struct i8042 *c);
/* Input sinks (context is the i8042): ps2_keyboard_receive() and ps2_mouse_receive() of the devices behind it. */
size_t i8042_keyboard_receive(void *i8042, const u8 *bytes, size_t size);
size_t i8042_mouse_receive(void *i8042, const u8 *bytes, size_t size);
/* The keyboard's LEDs (PS2_LED_...). */
u8 i8042_leds(const struct i8042 *c);

#endif

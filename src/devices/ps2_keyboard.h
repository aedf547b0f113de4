/* SPDX-License-Identifier: MIT
 * A PS/2 keyboard of 101 or 102 keys.
 * IBM PS/2 Hardware Interface Technical Reference, "Keyboards (101- and 102-Key)".
 *
 * Keys come in as scan code set 2, as such a keyboard sends it (E0 75 and E0 F0 75 for the cursor key up), and go out
 * in the set the guest chose.
 */
#ifndef RINGSIDE_DEVICES_PS2_KEYBOARD_H
#define RINGSIDE_DEVICES_PS2_KEYBOARD_H

#include "base/types.h"

struct ps2_keyboard;

/* LEDs, as command EDh sets them. */
enum { PS2_LED_SCROLL = 1, PS2_LED_NUM = 2, PS2_LED_CAPS = 4 };

/* As after power-on and its self-test, which has been read: set 2, scanning. returns: never NULL. */
struct ps2_keyboard *ps2_keyboard_new(void);
void ps2_keyboard_free(struct ps2_keyboard *k);
/* A byte from the host: a command or its argument. */
void ps2_keyboard_write(struct ps2_keyboard *k, u8 value);
/* The next byte to the host; answers go ahead of keys. returns: false when there is none. */
bool ps2_keyboard_read(struct ps2_keyboard *k, u8 *byte);
/* Keys, in set 2. returns: how many bytes were taken: all while scanning is disabled (they are lost), otherwise as many
 * as the buffer has room for; the rest is to be offered again. */
size_t ps2_keyboard_receive(struct ps2_keyboard *k, const u8 *bytes, size_t size);
u8 ps2_keyboard_leds(const struct ps2_keyboard *k);

/* Set 2 to set 1, as an 8042's ROM does it: the code of a key; codes from 85h on pass unchanged. */
u8 ps2_set2_to_set1(u8 code);

#endif

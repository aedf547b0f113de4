/* SPDX-License-Identifier: MIT
 * Keys of the host, as what a PS/2 keyboard sends for them: scan code set 2.
 * USB, "HID Usage Tables", keyboard page; IBM PS/2 Hardware Interface Technical Reference, "Keyboards (101- and
 * 102-Key)".
 */
#ifndef RINGSIDE_DISPLAY_KEYS_H
#define RINGSIDE_DISPLAY_KEYS_H

#include "base/types.h"

#define KEY_BYTES_MAX 8u
#define KEY_USAGES 0x100u

/* Usages that other files name. */
enum {
    USAGE_A = 0x04,
    USAGE_1 = 0x1E,
    USAGE_0 = 0x27,
    USAGE_ENTER = 0x28,
    USAGE_ESCAPE = 0x29,
    USAGE_BACKSPACE = 0x2A,
    USAGE_TAB = 0x2B,
    USAGE_SPACE = 0x2C,
    USAGE_F1 = 0x3A,
    USAGE_INSERT = 0x49,
    USAGE_HOME = 0x4A,
    USAGE_PAGE_UP = 0x4B,
    USAGE_DELETE = 0x4C,
    USAGE_END = 0x4D,
    USAGE_PAGE_DOWN = 0x4E,
    USAGE_RIGHT = 0x4F,
    USAGE_LEFT = 0x50,
    USAGE_DOWN = 0x51,
    USAGE_UP = 0x52,
    USAGE_LEFT_CONTROL = 0xE0,
    USAGE_LEFT_SHIFT = 0xE1,
    USAGE_LEFT_ALT = 0xE2,
};

/* What the keyboard sends when a key goes down, or up.
 * in: usage  of the keyboard page.  returns: how many bytes of out; 0 for a key that it has not, and for the release of
 * Pause */
size_t key_bytes(u8 out[KEY_BYTES_MAX], unsigned usage, bool down);

/* The key of a US keyboard that makes an ASCII character or control character, and whether with Shift or Ctrl.
 * returns: false when none does */
struct key_stroke {
    u8 usage;
    bool shift, control;
};
bool key_of_character(struct key_stroke *out, unsigned c);

#endif

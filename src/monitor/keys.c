/* SPDX-License-Identifier: MIT
 * The keys of a keyboard by name: those of QEMU's sendkey.
 * USB, "HID Usage Tables", keyboard page.
 * Not there: hexadecimal codes in place of names.
 */
#include <string.h>

#include "display/keys.h"
#include "monitor/command.h"

/* From usage 04h on. */
static const char *const main_keys[] = {
    "a",
    "b",
    "c",
    "d",
    "e",
    "f",
    "g",
    "h",
    "i",
    "j",
    "k",
    "l",
    "m",
    "n",
    "o",
    "p",
    "q",
    "r",
    "s",
    "t",
    "u",
    "v",
    "w",
    "x",
    "y",
    "z",
    "1",
    "2",
    "3",
    "4",
    "5",
    "6",
    "7",
    "8",
    "9",
    "0",
    "ret",
    "esc",
    "backspace",
    "tab",
    "spc",
    "minus",
    "equal",
    "bracket_left",
    "bracket_right",
    "backslash",
    "",
    "semicolon",
    "apostrophe",
    "grave_accent",
    "comma",
    "dot",
    "slash",
    "caps_lock",
    "f1",
    "f2",
    "f3",
    "f4",
    "f5",
    "f6",
    "f7",
    "f8",
    "f9",
    "f10",
    "f11",
    "f12",
    "print",
    "scroll_lock",
    "pause",
    "insert",
    "home",
    "pgup",
    "delete",
    "end",
    "pgdn",
    "right",
    "left",
    "down",
    "up",
    "num_lock",
    "kp_divide",
    "kp_multiply",
    "kp_subtract",
    "kp_add",
    "kp_enter",
    "kp_1",
    "kp_2",
    "kp_3",
    "kp_4",
    "kp_5",
    "kp_6",
    "kp_7",
    "kp_8",
    "kp_9",
    "kp_0",
    "kp_decimal",
    "less",
    "menu",
};
/* From usage E0h on. */
static const char *const modifiers[] = {"ctrl", "shift", "alt", "meta_l", "ctrl_r", "shift_r", "alt_r", "meta_r"};

static bool is(const char *name, const char *text, size_t length)
{
    return length != 0 && strlen(name) == length && strncmp(name, text, length) == 0;
}

unsigned key_usage(const char *name, size_t length)
{
    for (unsigned i = 0; i < ARRAY_LEN(main_keys); i++)
        if (is(main_keys[i], name, length))
            return USAGE_A + i;
    for (unsigned i = 0; i < ARRAY_LEN(modifiers); i++)
        if (is(modifiers[i], name, length))
            return USAGE_LEFT_CONTROL + i;
    return 0;
}

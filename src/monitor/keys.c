/* SPDX-License-Identifier: MIT
 * The keys of a PS/2 keyboard by name, with their scan codes.
 * IBM PS/2 Hardware Interface Technical Reference, "Keyboard", scan code set 2. The names are those of QEMU's sendkey.
 * Not there: Pause, which has no release code; hexadecimal codes in place of names.
 */
#include <string.h>

#include "monitor/command.h"

#define EXTENDED 0x100

static const struct {
    const char *name;
    u16 code;
} keys[] = {
    {"a", 0x1C}, {"b", 0x32}, {"c", 0x21}, {"d", 0x23}, {"e", 0x24}, {"f", 0x2B}, {"g", 0x34}, {"h", 0x33},
    {"i", 0x43}, {"j", 0x3B}, {"k", 0x42}, {"l", 0x4B}, {"m", 0x3A}, {"n", 0x31}, {"o", 0x44}, {"p", 0x4D},
    {"q", 0x15}, {"r", 0x2D}, {"s", 0x1B}, {"t", 0x2C}, {"u", 0x3C}, {"v", 0x2A}, {"w", 0x1D}, {"x", 0x22},
    {"y", 0x35}, {"z", 0x1A}, {"0", 0x45}, {"1", 0x16}, {"2", 0x1E}, {"3", 0x26}, {"4", 0x25}, {"5", 0x2E},
    {"6", 0x36}, {"7", 0x3D}, {"8", 0x3E}, {"9", 0x46},
    /* the rest of the main block */
    {"grave_accent", 0x0E}, {"minus", 0x4E}, {"equal", 0x55}, {"bracket_left", 0x54}, {"bracket_right", 0x5B},
    {"backslash", 0x5D}, {"semicolon", 0x4C}, {"apostrophe", 0x52}, {"comma", 0x41}, {"dot", 0x49}, {"slash", 0x4A},
    {"less", 0x61}, {"spc", 0x29}, {"ret", 0x5A}, {"tab", 0x0D}, {"backspace", 0x66}, {"esc", 0x76},
    {"caps_lock", 0x58}, {"num_lock", 0x77}, {"scroll_lock", 0x7E},
    /* those that are held */
    {"shift", 0x12}, {"shift_r", 0x59}, {"ctrl", 0x14}, {"ctrl_r", EXTENDED | 0x14}, {"alt", 0x11},
    {"alt_r", EXTENDED | 0x11}, {"meta_l", EXTENDED | 0x1F}, {"meta_r", EXTENDED | 0x27}, {"menu", EXTENDED | 0x2F},
    /* function keys */
    {"f1", 0x05}, {"f2", 0x06}, {"f3", 0x04}, {"f4", 0x0C}, {"f5", 0x03}, {"f6", 0x0B}, {"f7", 0x83}, {"f8", 0x0A},
    {"f9", 0x01}, {"f10", 0x09}, {"f11", 0x78}, {"f12", 0x07}, {"print", EXTENDED | 0x7C},
    /* the cursor's */
    {"insert", EXTENDED | 0x70}, {"delete", EXTENDED | 0x71}, {"home", EXTENDED | 0x6C}, {"end", EXTENDED | 0x69},
    {"pgup", EXTENDED | 0x7D}, {"pgdn", EXTENDED | 0x7A}, {"up", EXTENDED | 0x75}, {"down", EXTENDED | 0x72},
    {"left", EXTENDED | 0x6B}, {"right", EXTENDED | 0x74},
    /* the keypad */
    {"kp_0", 0x70}, {"kp_1", 0x69}, {"kp_2", 0x72}, {"kp_3", 0x7A}, {"kp_4", 0x6B}, {"kp_5", 0x73}, {"kp_6", 0x74},
    {"kp_7", 0x6C}, {"kp_8", 0x75}, {"kp_9", 0x7D}, {"kp_decimal", 0x71}, {"kp_add", 0x79}, {"kp_subtract", 0x7B},
    {"kp_multiply", 0x7C}, {"kp_divide", EXTENDED | 0x4A}, {"kp_enter", EXTENDED | 0x5A},
};

bool key_code(const char *name, size_t length, u8 *code, bool *extended)
{
    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        if (strlen(keys[i].name) == length && strncmp(keys[i].name, name, length) == 0) {
            *code = (u8)keys[i].code;
            *extended = (keys[i].code & EXTENDED) != 0;
            return true;
        }
    return false;
}

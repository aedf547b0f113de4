/* SPDX-License-Identifier: MIT
 * Names of keys.
 * QEMU documentation, "sendkey"; USB, "HID Usage Tables", keyboard page.
 */
#include <string.h>

#include "display/keys.h"

static const struct {
    const char *name;
    u8 usage;
} names[] = {
    {"ret", USAGE_ENTER},
    {"esc", USAGE_ESCAPE},
    {"backspace", USAGE_BACKSPACE},
    {"tab", USAGE_TAB},
    {"spc", USAGE_SPACE},
    {"minus", 0x2D},
    {"equal", 0x2E},
    {"bracket_left", 0x2F},
    {"bracket_right", 0x30},
    {"backslash", 0x31},
    {"semicolon", 0x33},
    {"apostrophe", 0x34},
    {"grave_accent", 0x35},
    {"comma", 0x36},
    {"dot", 0x37},
    {"slash", 0x38},
    {"caps_lock", 0x39},
    {"print", 0x46},
    {"sysrq", 0x46},
    {"scroll_lock", 0x47},
    {"pause", 0x48},
    {"insert", USAGE_INSERT},
    {"home", USAGE_HOME},
    {"pgup", USAGE_PAGE_UP},
    {"delete", USAGE_DELETE},
    {"end", USAGE_END},
    {"pgdn", USAGE_PAGE_DOWN},
    {"right", USAGE_RIGHT},
    {"left", USAGE_LEFT},
    {"down", USAGE_DOWN},
    {"up", USAGE_UP},
    {"num_lock", 0x53},
    {"kp_divide", 0x54},
    {"kp_multiply", 0x55},
    {"asterisk", 0x55},
    {"kp_subtract", 0x56},
    {"kp_add", 0x57},
    {"kp_enter", 0x58},
    {"kp_0", 0x62},
    {"kp_decimal", 0x63},
    {"less", 0x64},
    {"menu", 0x65},
    {"ctrl", USAGE_LEFT_CONTROL},
    {"shift", USAGE_LEFT_SHIFT},
    {"alt", USAGE_LEFT_ALT},
    {"meta_l", 0xE3},
    {"ctrl_r", 0xE4},
    {"shift_r", 0xE5},
    {"alt_r", 0xE6},
    {"meta_r", 0xE7},
};

/* "f1" to "f12" and "kp_1" to "kp_9". returns: 0 for none */
static unsigned numbered(const char *name, size_t length)
{
    if (length >= 2 && name[0] == 'f' && name[1] >= '1' && name[1] <= '9') {
        unsigned number = (unsigned)(name[1] - '0');

        if (length == 2)
            return USAGE_F1 + number - 1;
        if (length == 3 && number == 1 && name[2] >= '0' && name[2] <= '2')
            return USAGE_F1 + 9 + (unsigned)(name[2] - '0');
    }
    if (length == 4 && memcmp(name, "kp_", 3) == 0 && name[3] >= '1' && name[3] <= '9')
        return 0x59 + (unsigned)(name[3] - '1');
    return 0;
}

unsigned key_by_name(const char *name, size_t length)
{
    struct key_stroke k;

    if (length == 1 && ((name[0] >= 'a' && name[0] <= 'z') || (name[0] >= '0' && name[0] <= '9')))
        return key_of_character(&k, (unsigned char)name[0]) ? k.usage : 0;
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strlen(names[i].name) == length && memcmp(names[i].name, name, length) == 0)
            return names[i].usage;
    return numbered(name, length);
}

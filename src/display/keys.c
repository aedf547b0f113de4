/* SPDX-License-Identifier: MIT
 * Keys of the host, as scan codes.
 */
#include "display/keys.h"

#include <string.h>

#define EXTENDED 0xE000u
#define USAGE_PRINT_SCREEN 0x46u
#define USAGE_PAUSE 0x48u

/* From usage 04h on: a code of set 2, with E0h before it where EXTENDED says so. */
static const u16 main_keys[] = {
    0x1C,   0x32,   0x21,   0x23,   0x24,   0x2B,   0x34,   0x33,   0x43,   0x3B, 0x42, 0x4B, 0x3A, /* a to m */
    0x31,   0x44,   0x4D,   0x15,   0x2D,   0x1B,   0x2C,   0x3C,   0x2A,   0x1D, 0x22, 0x35, 0x1A, /* n to z */
    0x16,   0x1E,   0x26,   0x25,   0x2E,   0x36,   0x3D,   0x3E,   0x46,   0x45,                   /* 1 to 0 */
    0x5A,   0x76,   0x66,   0x0D,   0x29,                                 /* Enter Esc Backspace Tab Space */
    0x4E,   0x55,   0x54,   0x5B,   0x5D,   0x5D,   0x4C,   0x52,   0x0E, /* - = [ ] \ # ; ' ` */
    0x41,   0x49,   0x4A,   0x58,                                         /* , . / Caps Lock */
    0x05,   0x06,   0x04,   0x0C,   0x03,   0x0B,   0x83,   0x0A,   0x01,   0x09, 0x78, 0x07, /* F1 to F12 */
    0xE07C, 0x7E,   0,      0xE070, 0xE06C, 0xE07D, 0xE071, 0xE069, 0xE07A, /* Print, Scroll, Pause, Insert to PgDn */
    0xE074, 0xE06B, 0xE072, 0xE075,                                         /* right left down up */
    0x77,   0xE04A, 0x7C,   0x7B,   0x79,   0xE05A,                         /* Num Lock / * - + Enter */
    0x69,   0x72,   0x7A,   0x6B,   0x73,   0x74,   0x6C,   0x75,   0x7D,   0x70, 0x71, /* keypad 1 to 9, 0 . */
    0x61,   0xE02F,                                                                     /* the 102nd key, Menu */
};
/* From usage E0h on: left and right Ctrl, Shift, Alt, Win. */
static const u16 modifiers[] = {0x14, 0x12, 0x11, 0xE01F, 0xE014, 0x59, 0xE011, 0xE027};

static u16 code_of(unsigned usage)
{
    if (usage >= USAGE_A && usage - USAGE_A < ARRAY_LEN(main_keys))
        return main_keys[usage - USAGE_A];
    if (usage >= USAGE_LEFT_CONTROL && usage - USAGE_LEFT_CONTROL < ARRAY_LEN(modifiers))
        return modifiers[usage - USAGE_LEFT_CONTROL];
    return 0;
}

static size_t put_code(u8 *out, u16 code, bool down)
{
    size_t size = 0;

    if (code >= EXTENDED)
        out[size++] = 0xE0;
    if (!down)
        out[size++] = 0xF0;
    out[size++] = (u8)code;
    return size;
}

size_t key_bytes(u8 out[KEY_BYTES_MAX], unsigned usage, bool down)
{
    static const u8 pause[KEY_BYTES_MAX] = {0xE1, 0x14, 0x77, 0xE1, 0xF0, 0x14, 0xF0, 0x77};
    u16 code = code_of(usage);
    size_t size;

    if (usage == USAGE_PAUSE) { /* makes and breaks at once */
        memcpy(out, pause, down ? sizeof pause : 0);
        return down ? sizeof pause : 0;
    }
    if (usage == USAGE_PRINT_SCREEN) { /* a shift of its own around it */
        size = put_code(out, down ? 0xE012 : code, down);
        return size + put_code(out + size, down ? code : 0xE012, down);
    }
    return code == 0 ? 0 : put_code(out, code, down);
}

bool key_of_character(struct key_stroke *out, unsigned c)
{
    static const char plain[] = "-=[]\\\0;'`,./";
    static const char shifted[] = "_+{}|\0:\"~<>?";
    static const char digits[] = "!@#$%^&*()";
    const char *at;

    *out = (struct key_stroke){0};
    if (c == 0 || c > 0x7F)
        return false;
    if (c == '\r' || c == '\n')
        out->usage = USAGE_ENTER;
    else if (c == '\t')
        out->usage = USAGE_TAB;
    else if (c == 0x1B)
        out->usage = USAGE_ESCAPE;
    else if (c == 0x7F || c == '\b')
        out->usage = USAGE_BACKSPACE;
    else if (c == ' ')
        out->usage = USAGE_SPACE;
    else if (c < 0x1B) /* Ctrl-A to Ctrl-Z */
        *out = (struct key_stroke){.usage = (u8)(USAGE_A + c - 1), .control = true};
    else if (c >= 'a' && c <= 'z')
        out->usage = (u8)(USAGE_A + c - 'a');
    else if (c >= 'A' && c <= 'Z')
        *out = (struct key_stroke){.usage = (u8)(USAGE_A + c - 'A'), .shift = true};
    else if (c >= '1' && c <= '9')
        out->usage = (u8)(USAGE_1 + c - '1');
    else if (c == '0')
        out->usage = USAGE_0;
    else if ((at = memchr(digits, (int)c, sizeof digits - 1)) != NULL)
        *out = (struct key_stroke){.usage = (u8)(USAGE_1 + (at - digits)), .shift = true};
    else if ((at = memchr(plain, (int)c, sizeof plain - 1)) != NULL)
        out->usage = (u8)(USAGE_SPACE + 1 + (at - plain));
    else if ((at = memchr(shifted, (int)c, sizeof shifted - 1)) != NULL)
        *out = (struct key_stroke){.usage = (u8)(USAGE_SPACE + 1 + (at - shifted)), .shift = true};
    return out->usage != 0;
}

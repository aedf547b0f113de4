/* SPDX-License-Identifier: MIT
 * Text that comes from a guest or a file.
 */
#include "base/text.h"

/* returns: how many bytes of a control character stand here */
static unsigned control_length(const char *text)
{
    u8 first = (u8)text[0];

    if (first < 0x20 || first == 0x7F)
        return 1;
    return first == 0xC2 && (u8)text[1] >= 0x80 && (u8)text[1] < 0xA0 ? 2 : 0;
}

void text_make_plain(char *text)
{
    while (*text != '\0') {
        unsigned length = control_length(text);

        for (unsigned i = 0; i < length; i++)
            text[i] = '?';
        text += length ? length : 1;
    }
}

void text_print_plain(FILE *out, const char *text)
{
    while (*text != '\0') {
        unsigned length = control_length(text);

        if (length == 0)
            fputc(*text, out);
        for (unsigned i = 0; i < length; i++)
            fputc('?', out);
        text += length ? length : 1;
    }
}

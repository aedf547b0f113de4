/* SPDX-License-Identifier: MIT
 * COM1 at 115200 baud, 8 data bits, no parity, one stop bit, polled; and a printf that knows what the tour prints.
 */
#include "console.h"

#include "types.h"

enum { COM1 = 0x3F8, LINE_STATUS = COM1 + 5, TRANSMITTER_EMPTY = 0x20 };

void console_open(void)
{
    outb(COM1 + 1, 0x00); /* no interrupts */
    outb(COM1 + 3, 0x80); /* divisor latch */
    outb(COM1 + 0, 1);    /* 115200 */
    outb(COM1 + 1, 0);
    outb(COM1 + 3, 0x03); /* 8N1 */
    outb(COM1 + 2, 0x07); /* FIFO on and empty */
    outb(COM1 + 4, 0x03);
}

static void put_char(char c)
{
    if (c == '\n')
        put_char('\r');
    while ((inb(LINE_STATUS) & TRANSMITTER_EMPTY) == 0)
        ;
    outb(COM1, (u8)c);
}

void console_put(const char *text)
{
    while (*text != '\0')
        put_char(*text++);
}

static void put_hex(u64 value, unsigned width)
{
    unsigned digits = 1;

    while (digits < 16 && value >> (4 * digits) != 0)
        digits++;
    for (unsigned i = digits; i < width; i++)
        put_char('0');
    while (digits-- > 0)
        put_char("0123456789ABCDEF"[value >> (4 * digits) & 15]);
}

static void put_decimal(u32 value)
{
    if (value >= 10)
        put_decimal(value / 10);
    put_char((char)('0' + value % 10));
}

void print_list(const char *format, va_list list)
{
    for (; *format != '\0'; format++) {
        unsigned width = 0, longs = 0;

        if (*format != '%') {
            put_char(*format);
            continue;
        }
        for (format++; *format >= '0' && *format <= '9'; format++)
            width = width * 10 + (unsigned)(*format - '0');
        for (; *format == 'l'; format++)
            longs++;
        switch (*format) {
        case 's': console_put(va_arg(list, const char *)); break;
        case 'c': put_char((char)va_arg(list, int)); break;
        case 'u': put_decimal(va_arg(list, unsigned)); break;
        case 'x':
            put_hex(longs == 2 ? va_arg(list, u64) : longs == 1 ? va_arg(list, word) : va_arg(list, u32), width);
            break;
        default: put_char(*format); break;
        }
    }
}

void print(const char *format, ...)
{
    va_list list;

    va_start(list, format);
    print_list(format, list);
    va_end(list);
}

/* SPDX-License-Identifier: MIT
 * The tour's voice: COM1 and a small printf.
 */
#ifndef TOUR_CONSOLE_H
#define TOUR_CONSOLE_H

#include <stdarg.h>

void console_open(void);
void console_put(const char *text);

/* Formats: %s, %c, %u, %x; a width of one digit or 0 and a digit pads with zeros; "ll" for 64-bit %x. */
void print(const char *format, ...) __attribute__((format(printf, 1, 2)));
void print_list(const char *format, va_list list);

#endif

/* SPDX-License-Identifier: MIT
 * Host-side failures.
 */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>

bool error_set(struct error *err, enum exit_code code, const char *fmt, ...)
{
    va_list args;

    err->code = code;
    va_start(args, fmt);
    vsnprintf(err->text, sizeof err->text, fmt, args);
    va_end(args);
    return false;
}

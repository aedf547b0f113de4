/* SPDX-License-Identifier: MIT
 * Host-side failures: a message that says what, where and what to do, and the exit code it leads to.
 * The guest's faults never pass through here (see cpu/fault.h).
 */
#ifndef RINGSIDE_BASE_ERROR_H
#define RINGSIDE_BASE_ERROR_H

#include "base/types.h"

/* Exit codes of the command line (docs/cli.md). */
enum exit_code {
    EXIT_OK = 0,        /* clean power-off or success */
    EXIT_DIFFERENT = 1, /* a test failed or a difference was found */
    EXIT_USAGE = 2,
    EXIT_FILE = 3,     /* file or format error */
    EXIT_SHUTDOWN = 4, /* guest shutdown (triple fault) */
    EXIT_LIMIT = 5,    /* a limit of the emulator itself */
    EXIT_TIMEOUT = 124,
    EXIT_INTERRUPTED = 130,
};

struct error {
    enum exit_code code;
    char text[512];
};

/* Fill err with a formatted one-line message.
 * returns: always false, so that a failing function can end in `return error_set(...)`. */
bool error_set(struct error *err, enum exit_code code, const char *fmt, ...) PRINTF_LIKE(3, 4);

#endif

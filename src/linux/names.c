/* SPDX-License-Identifier: MIT
 * The tables of names, and those of errors and signals.
 */
#include "linux/names.h"

#include "linux/linux.h"

#define N(value, name)                                                                                                 \
    {                                                                                                                  \
        value, name                                                                                                    \
    }
#define NAMES(table, unknown_name, ...)                                                                                \
    const struct linux_names names_##table = {.row = (const struct linux_name[]){__VA_ARGS__},                         \
                                              .count = ARRAY_LEN(((const struct linux_name[]){__VA_ARGS__})),          \
                                              .unknown = (unknown_name)};
#include "linux/names_file.def"
#include "linux/names_process.def"
#include "linux/names_socket.def"
#undef NAMES
#undef N

const struct linux_names names_none = {.count = 0};

const char *names_find(const struct linux_names *names, u64 value)
{
    for (size_t i = 0; i < names->count; i++)
        if (names->row[i].value == value)
            return names->row[i].name;
    return NULL;
}

static const struct error_row {
    const char *name, *text;
} errors[] = {
#define ERROR(number, name, text) [number] = {#name, text},
#include "linux/errors.def"
#undef ERROR
};

const char *linux_error_name(unsigned number) { return number < ARRAY_LEN(errors) ? errors[number].name : NULL; }

const char *linux_error_text(unsigned number) { return number < ARRAY_LEN(errors) ? errors[number].text : NULL; }

static const char *const signals[] = {
    NULL,        "SIGHUP",  "SIGINT",    "SIGQUIT", "SIGILL",   "SIGTRAP", "SIGABRT", "SIGBUS",
    "SIGFPE",    "SIGKILL", "SIGUSR1",   "SIGSEGV", "SIGUSR2",  "SIGPIPE", "SIGALRM", "SIGTERM",
    "SIGSTKFLT", "SIGCHLD", "SIGCONT",   "SIGSTOP", "SIGTSTP",  "SIGTTIN", "SIGTTOU", "SIGURG",
    "SIGXCPU",   "SIGXFSZ", "SIGVTALRM", "SIGPROF", "SIGWINCH", "SIGIO",   "SIGPWR",  "SIGSYS",
};

const char *linux_signal_name(unsigned number) { return number < ARRAY_LEN(signals) ? signals[number] : NULL; }

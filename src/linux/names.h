/* SPDX-License-Identifier: MIT
 * Names of numbers and bits, as the guest's programs write them: the tables names_file.def, names_process.def and
 * names_socket.def, each as a variable names_TABLE.
 */
#ifndef RINGSIDE_LINUX_NAMES_H
#define RINGSIDE_LINUX_NAMES_H

#include "base/types.h"

struct linux_names {
    const struct linux_name {
        u64 value;
        const char *name;
    } * row;
    size_t count;
    const char *unknown; /* "O_???"; NULL: nothing is said of an unknown one */
};

#define NAMES(table, ...) extern const struct linux_names names_##table;
#include "linux/names_file.def"
#include "linux/names_process.def"
#include "linux/names_socket.def"
#undef NAMES

extern const struct linux_names names_none; /* an empty table */

/* returns: NULL when the table has no such value */
const char *names_find(const struct linux_names *names, u64 value);

#endif

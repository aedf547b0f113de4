/* SPDX-License-Identifier: MIT
 * Reading a whole file given by the user, with errors that say what, where and what to do.
 */
#ifndef RINGSIDE_MACHINE_GUEST_FILE_H
#define RINGSIDE_MACHINE_GUEST_FILE_H

#include "base/error.h"
#include "base/types.h"

struct guest_file {
    const char *path;
    u8 *bytes;
    size_t size;
};

/* Read a regular file of at most limit bytes. what names its role ("kernel", "initrd") in messages.
 * returns: false with err set (EXIT_FILE) when it is missing, a directory, empty, unreadable or too large. */
bool guest_file_read(struct guest_file *file, const char *what, const char *path, u64 limit, struct error *err);
/* Wrap bytes that are not the file's to free. */
struct guest_file guest_file_borrow(const char *name, const u8 *bytes, size_t size);
void guest_file_free(struct guest_file *file);

#endif

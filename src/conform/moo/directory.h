/* SPDX-License-Identifier: MIT
 * A directory of captures: its files, and the lists of tests that were withdrawn.
 */
#ifndef RINGSIDE_CONFORM_MOO_DIRECTORY_H
#define RINGSIDE_CONFORM_MOO_DIRECTORY_H

#include "conform/moo/moo.h"

/* A set has some 600 files. */
#define MOO_FILES_MAX 16384u
#define MOO_DEPTH_MAX 8u

struct moo_file {
    char *path;
    char *name; /* below the directory, without .MOO and .gz: "v1_real_mode/D3.4" */
    struct moo_header header;
};

struct moo_directory {
    struct moo_file *files; /* sorted by name */
    unsigned count;
    struct moo_revocations *revocations;
};

/* Find files named *.MOO and *.MOO.gz in a directory and those below it, read their headers, and read each
 * revocation_list.txt.   returns: false with err set: nothing is there, or a file or list is damaged */
bool moo_directory_open(struct moo_directory *d, const char *path, struct error *err);
void moo_directory_close(struct moo_directory *d);

/* Is a test of this file withdrawn by a list in its directory or one above? */
bool moo_directory_revokes(const struct moo_directory *d, const struct moo_file *file, const u8 hash[20]);

#endif

/* SPDX-License-Identifier: MIT
 * Finding corpora: a file, the files of a directory, or those that came with the program.
 */
#ifndef RINGSIDE_CONFORM_HARDWARE_FILES_H
#define RINGSIDE_CONFORM_HARDWARE_FILES_H

#include "base/error.h"

#define CORPUS_SUFFIX ".corpus"
#define CORPUS_FILES_MAX 64u

struct hardware_files {
    char *path[CORPUS_FILES_MAX];
    unsigned count;
};

/* in:      given  a file, or a directory whose *.corpus are meant; NULL: the directory that came with the program,
 *                 ../share/ringside/hardware beside it, else data/hardware of the source tree that it was built from
 * returns: false with err set: what was given cannot be read or holds no corpus. With NULL there may be none. */
bool hardware_files_find(struct hardware_files *files, const char *given, struct error *err);
void hardware_files_free(struct hardware_files *files);

#endif

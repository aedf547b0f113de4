/* SPDX-License-Identifier: MIT
 * A program of the host put into an initial RAM disk with everything that it needs to start: the interpreter of a
 * script, the dynamic linker, the libraries.
 */
#ifndef RINGSIDE_MACHINE_PROGRAM_FILES_H
#define RINGSIDE_MACHINE_PROGRAM_FILES_H

#include "machine/initramfs.h"

struct program_request {
    const char *name;         /* as typed: with a slash a path, else looked for in search_path */
    const char *directory;    /* absolute: where relative paths begin */
    const char *search_path;  /* directories as in $PATH */
    const char *library_path; /* the program's LD_LIBRARY_PATH; NULL = none */
};

struct program_found {
    char path[INITRAMFS_PATH_MAX]; /* what execve() is to be given */
    bool is64;                     /* a 64-bit program (a script: its interpreter) */
};

/* Libraries are looked for as ld.so looks for them: DT_RPATH, LD_LIBRARY_PATH, DT_RUNPATH, the directories of
 * /etc/ld.so.conf, the usual directories; those of the wrong class are passed over. What a program opens by itself
 * later (dlopen(), configuration, data) is not found this way. returns: false with err set (EXIT_FILE), which names
 * what is missing and who needs it */
bool program_files_add(struct initramfs *fs, const struct program_request *request, struct program_found *found,
                       struct error *err);

#endif

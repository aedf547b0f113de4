/* SPDX-License-Identifier: MIT
 * The libraries of a dynamic program, found as the dynamic linker finds them.
 */
#ifndef RINGSIDE_MACHINE_PROGRAM_LIBRARIES_H
#define RINGSIDE_MACHINE_PROGRAM_LIBRARIES_H

#include "machine/elf_needs.h"
#include "machine/initramfs.h"

/* Add the interpreter and every library that a program and its libraries need.
 * in:      real  the program's path with its links resolved; library_path  LD_LIBRARY_PATH, NULL = none
 * returns: false with err set (EXIT_FILE), which names the library and who needs it */
bool program_libraries_add(struct initramfs *fs, const char *real, const struct elf_needs *needs,
                           const char *library_path, struct error *err);

#endif

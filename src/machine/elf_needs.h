/* SPDX-License-Identifier: MIT
 * What an ELF program or library needs beside itself to run: its interpreter and its libraries.
 * System V ABI, "Program Loading and Dynamic Linking".
 */
#ifndef RINGSIDE_MACHINE_ELF_NEEDS_H
#define RINGSIDE_MACHINE_ELF_NEEDS_H

#include "machine/guest_file.h"

#define ELF_NEEDED_MAX 256u

/* Strings point into the file's bytes. */
struct elf_needs {
    bool is64;                   /* x86-64; false: i386 */
    const char *interp;          /* NULL: none (a static program, or a library) */
    const char *rpath, *runpath; /* NULL: none */
    unsigned count;
    const char *needed[ELF_NEEDED_MAX];
};

/* The file begins as an ELF file does. */
bool elf_is(const struct guest_file *file);
/* returns: false with err set (EXIT_FILE): not an x86 program or library of 32 or 64 bits, or damaged */
bool elf_read_needs(const struct guest_file *file, struct elf_needs *needs, struct error *err);

#endif

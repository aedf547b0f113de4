/* SPDX-License-Identifier: MIT
 * What an unstripped vmlinux tells beyond the image: all symbols, and types by DWARF.
 */
#ifndef RINGSIDE_KERNEL_DWARF_H
#define RINGSIDE_KERNEL_DWARF_H

#include "kernel/layout.h"
#include "kernel/symbols.h"

struct dwarf;

/* Open a vmlinux of the same build as the image: their build IDs are compared.
 * returns: NULL with err set (EXIT_FILE) */
struct dwarf *dwarf_open(const char *path, const struct kernel_image *image, struct error *err);
void dwarf_close(struct dwarf *dwarf);
/* Add the symbols of its symbol table (not sorted). returns: how many; 0 when it has none */
size_t dwarf_symbols(const struct dwarf *dwarf, struct symbols *symbols);
/* returns: false when the file has no DWARF */
bool dwarf_types(struct dwarf *dwarf, struct type_source *source);

#endif

/* SPDX-License-Identifier: MIT
 * The per-CPU variable that points to the running task.
 */
#ifndef RINGSIDE_KERNEL_CURRENT_H
#define RINGSIDE_KERNEL_CURRENT_H

#include "kernel/layout.h"

/* Where the variable lies in per-CPU memory, from the symbols (amd64), else from what the kernel's code stores and
 * loads (i386). in:      types  may be NULL returns: 0 when it is not known; how says why, or how it was found */
u64 current_find(const struct kernel *k, const struct type_source *types, char *how, size_t how_size);

#endif

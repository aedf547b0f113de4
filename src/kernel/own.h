/* SPDX-License-Identifier: MIT
 * A kernel while it is put together: what the parts of this module fill in, and the memory behind it.
 */
#ifndef RINGSIDE_KERNEL_OWN_H
#define RINGSIDE_KERNEL_OWN_H

#include "kernel/image.h"
#include "kernel/kernel.h"

struct kernel_own {
    struct kernel kernel; /* what callers see; the first member */
    struct kernel_syscall *syscall;
    size_t syscall_room;
    char **text; /* every string that a member points to */
    size_t texts, text_room;
};

/* A copy that lives as long as the kernel. */
const char *kernel_keep(struct kernel_own *own, const char *text);
const char *kernel_keep_format(struct kernel_own *own, const char *format, ...) PRINTF_LIKE(2, 3);
/* A system call with its number and name, to be filled further. Valid until the next is added. */
struct kernel_syscall *kernel_add_syscall(struct kernel_own *own);
struct kernel_own *kernel_own_new(void);

#endif

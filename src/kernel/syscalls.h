/* SPDX-License-Identifier: MIT
 * The system calls that the kernel's own tracer knows (CONFIG_FTRACE_SYSCALLS).
 */
#ifndef RINGSIDE_KERNEL_SYSCALLS_H
#define RINGSIDE_KERNEL_SYSCALLS_H

#include "kernel/own.h"

/* Fill the kernel's system calls. how: how many, or what is missing */
void syscalls_find(struct kernel_own *own, char *how, size_t how_size);

#endif

/* SPDX-License-Identifier: MIT
 * Names of addresses in the guest: the kernel's symbols under its slide, modules, and what is no kernel address.
 * One of these serves the views of a recording (filled by the reader) and the live trace (filled from the guest).
 */
#ifndef RINGSIDE_TRACE_NAMES_H
#define RINGSIDE_TRACE_NAMES_H

#include <stdio.h>

#include "guest/guest.h"

struct names {
    const struct kernel *kernel; /* NULL: unknown kernel */
    bool slid;                   /* the slide is known */
    u64 slide;
    size_t modules;
    const struct guest_module *const *module;
};

/* The symbol that a run-time address lies in. out is filled as "entry_SYSCALL_64", "do_syscall_64+0x35",
 * "tcp_sendmsg [ipv6]". returns: false (out empty) when there is none, as for every user address. */
bool names_format(const struct names *n, u64 address, char *out, size_t size);
/* The symbol alone, with its offset; NULL when there is none. *end (may be NULL): the run-time address behind it */
const char *names_lookup(const struct names *n, u64 address, u64 *offset, u64 *end);
/* The run-time address of a kernel symbol. */
bool names_find(const struct names *n, const char *symbol, u64 *address);

#endif

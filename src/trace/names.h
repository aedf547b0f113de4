/* SPDX-License-Identifier: MIT
 * Names of addresses in the guest: the kernel's symbols under its slide, modules, and what is no kernel address.
 * One of these serves the views of a recording (filled by the reader) and the live trace (filled by the recorder).
 */
#ifndef RINGSIDE_TRACE_NAMES_H
#define RINGSIDE_TRACE_NAMES_H

#include <stdio.h>

#include "guest/guest.h"

#define NAMES_MODULES 1024u /* more are not named */
#define NAMES_LONGEST 320u  /* room for any name with its offset and module */

struct names {
    const struct kernel *kernel; /* NULL: unknown kernel */
    bool slid;                   /* the slide is known */
    u64 slide;
    size_t modules;
    struct guest_module module[NAMES_MODULES]; /* symbols are borrowed */
};

/* The symbol that a run-time address lies in. out is filled as "entry_SYSCALL_64", "do_syscall_64+0x35",
 * "packet_sendmsg [af_packet]". returns: false (out empty) when there is none, as for every user address. */
bool names_format(const struct names *n, u64 address, char *out, size_t size);
/* The symbol alone, with the distance to it in bytes; NULL when there is none. *end (may be NULL): the run-time address
 * behind it */
const char *names_lookup(const struct names *n, u64 address, u64 *offset, u64 *end);
/* The run-time address of a kernel symbol. */
bool names_address(const struct names *n, const char *symbol, u64 *address);
/* A module as a MODL section keeps it, and back. pack: the caller frees. unpack: NULL symbols where it has none; false
 * with err set when the bytes are not what module_pack() makes. */
u8 *module_pack(const struct guest_module *module, size_t *size);
bool module_unpack(struct guest_module *module, const u8 *bytes, size_t size, struct error *err);
void names_module_add(struct names *n, const struct guest_module *module);

#endif

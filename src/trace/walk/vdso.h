/* SPDX-License-Identifier: MIT
 * Names of user code from an ELF image in the process's own memory: the vDSO, whose symbols lie in it whole.
 */
#ifndef RINGSIDE_TRACE_WALK_VDSO_H
#define RINGSIDE_TRACE_WALK_VDSO_H

#include "trace/walk/walk.h"

struct vdso;

typedef bool vdso_peek_fn(void *context, u64 address, void *out, size_t size);

/* Never returns NULL (aborts when the host has no memory). */
struct vdso *vdso_new(void);
void vdso_free(struct vdso *v);
/* The dynamic symbol that a user address lies in, if an ELF image that has one is mapped around it: looked for at the
 * page boundaries of the VDSO_REACH bytes below. Everything read is distrusted.
 * returns: false when there is none; symbol->name and module live as long as v */
#define VDSO_REACH 0x4000u
bool vdso_symbol(struct vdso *v, vdso_peek_fn *peek, void *context, u64 address, struct walk_symbol *symbol);

#endif

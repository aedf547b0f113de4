/* SPDX-License-Identifier: MIT
 * Functions of the kernel and its modules, and the calls and jumps between them, read from the guest's memory.
 */
#ifndef RINGSIDE_GUEST_CALLSITE_H
#define RINGSIDE_GUEST_CALLSITE_H

#include "guest/internal.h"

struct function {
    u64 start, end; /* run addresses */
    const char *name;
};

/* The function that the byte before `address` lies in: behind a call that never returns another one begins. */
bool function_before(const struct guest *g, u64 address, struct function *f);

enum call_kind { NO_CALL, DIRECT_CALL, INDIRECT_CALL };

/* The call that ends at an address: by a number in it (*target), or by register, memory or thunk. */
enum call_kind call_before(const struct guest *g, const struct cpu *cpu, u64 address, u64 *target);
/* A direct call with this target leads to f: to its start, behind an ENDBR there, or by one jump (a tail call, a part
 * of a function kept elsewhere, a trampoline), whose address is *jump, else 0. */
bool call_leads_to(const struct guest *g, const struct cpu *cpu, u64 target, const struct function *f, u64 *jump);

/* ---- frame.c */

/* What is known of one frame while the chain is followed. */
struct frame {
    u64 ip;         /* of the instruction, or the return address */
    bool is_return; /* ip is a return address */
    u64 sp;         /* above what was popped so far */
    u64 bp;         /* RBP, as far as it can be known */
    bool bp_known;
};

/* Where this frame's return address stands, by the kernel's own unwind tables (ORC) or by the frame pointer.
 * returns: false when neither says; else *at and the frame above it (all but its ip) */
bool frame_return_address(const struct guest *g, const struct cpu *cpu, const struct frame *frame,
                          const struct function *f, u64 *at, struct frame *above);

#endif

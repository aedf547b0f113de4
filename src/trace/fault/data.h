/* SPDX-License-Identifier: MIT
 * What explains a fault beyond its event record, collected when it happens: the instruction, the page walk, and the
 * gate, descriptor, TSS words and stack that its delivery went by. The guest's memory is read without effects only.
 */
#ifndef RINGSIDE_TRACE_FAULT_DATA_H
#define RINGSIDE_TRACE_FAULT_DATA_H

#include "cpu/ring/transition.h"
#include "mmu/explain.h"
#include "trace/data.h"

/* A fault, and the processor as it was when it was raised. */
struct fault_site {
    u8 vector;
    bool has_error;
    u32 error;
    u64 cr2;
    u16 rule;
    struct ring_state from;
};

/* Of a fault that nobody will handle; and of a transition that delivered one. */
struct fault_site fault_site_undelivered(const struct cpu *cpu, const struct fault *fault);
struct fault_site fault_site_delivered(const struct transition *t);
/* Whether a transition is a fault that deserves its data: raised in the kernel, a double fault, or a #GP, #NP, #SS or
 * #TS of user code. Page faults of user code are too many, and plain. */
ALWAYS_INLINE bool fault_data_wanted(const struct transition *t)
{
    return t->mechanism == MECH_ABORT ||
           (t->mechanism == MECH_FAULT && (t->from.cpl < 3 || (t->vector >= VEC_TS && t->vector <= VEC_GP)));
}

/* Takes one piece; the bytes are valid during the call. */
typedef void fault_data_fn(void *context, enum data_kind kind, u64 address, const void *bytes, u32 size);

/* in: undelivered  also the registers, the stack and the memory under the frame: for the page that explains a chain
 * effects: none on the guest */
void fault_data_collect(struct cpu *cpu, const struct fault_site *site, bool undelivered, fault_data_fn *add,
                        void *context);

/* ---- pieces with a structure. They stand in recordings as they are in memory: fixed widths, no padding. */

struct fault_segment {
    u64 base;
    u32 limit;
    u16 selector, attr; /* as struct segment.attr */
};

/* DATA_REGISTERS */
struct fault_registers {
    u64 gpr[16], rip, rflags;
    u64 cr0, cr2, cr3, cr4, efer;
    u64 gdtr_base, idtr_base;
    struct fault_segment seg[6], ldtr, tr;
    u16 gdtr_limit, idtr_limit;
    u8 ring, mode; /* CPL; enum cpu_mode */
    u8 reserved[2];
};
_Static_assert(sizeof(struct fault_registers) == 25 * 8 + 8 * 16 + 8, "no padding");

/* DATA_WALK: struct walk_story in fixed widths. */
enum { FAULT_WALK_REGISTER = 1, FAULT_WALK_NO_MEMORY = 2, FAULT_WALK_LEAF = 4 };
struct fault_walk {
    u64 reserved_bits;
    u32 error;
    u8 end; /* enum page_walk_end */
    u8 levels, blamed;
    u8 paging_levels; /* 0, 2, 3, 4, 5 */
    struct {
        u64 paddr, entry;
        u8 level, bytes, flags;
        u8 reserved[5];
    } level[WALK_MAX_LEVELS];
};
_Static_assert(sizeof(struct fault_walk) == 16 + WALK_MAX_LEVELS * 24, "no padding");

#endif

/* SPDX-License-Identifier: MIT
 * Frequent pairs of instructions in one function, which saves the way from the first to the second.
 *
 * Both keep their slots, and the function is composed of their bodies: nothing else changes. Where the first may write
 * memory, by itself or by its page walk, the function looks whether the block was abandoned by that (block_abandoned()
 * in the engine) before it goes on to the second.
 */
#ifndef RINGSIDE_CPU_ISA_FUSE_H
#define RINGSIDE_CPU_ISA_FUSE_H

#include "cpu/isa/insn.h"

struct fusion {
    const struct body *first, *second;
    enum form second_form;
    exec_fn *fn[FORMS][4]; /* by form and width of the first; NULL: not fused */
};

/* The pairs, by the file that has the bodies. */
extern const struct fusion alu_fusions[], stack_fusions[];
extern const unsigned alu_fusion_count, stack_fusion_count;

/* Give the first of two instructions in successive slots the function of the pair.
 * in:      both with the functions they shall have by themselves
 * returns: whether there is one. */
bool insn_fuse(struct insn *first, const struct insn *second);

#endif

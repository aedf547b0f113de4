/* SPDX-License-Identifier: MIT
 * The generic checks of a row's attributes, made at decode time: what a forbidden instruction executes instead.
 */
#ifndef RINGSIDE_CPU_ISA_FORBIDDEN_H
#define RINGSIDE_CPU_ISA_FORBIDDEN_H

#include "cpu/isa/insn.h"

/* Raises #UD (IS-01): nothing in insn.def matches, or the model does not have it. */
exec_fn forbidden_undefined;
extern const struct body forbidden_undefined_body;

/* What the attributes forbid.
 * in:      row of insn; key  enum decode_key bits; insn with prefixes and form filled
 * returns: NULL, or the function that raises: #UD before #NM before #GP(0)
 * source:  SDM 2A, "Exceptions" tables; SDM 3A, "Privileged Instructions", "Interrupt 7" */
exec_fn *forbidden_check(const struct insn_row *row, const struct insn *insn, u32 key);

#ifdef RINGSIDE_COVERAGE
/* Count the rules under which a decoded instruction would have been forbidden, where it is not. */
void forbidden_cover(struct cpu *cpu, const struct insn *insn);
#else
#define forbidden_cover(cpu, insn) ((void)0)
#endif

#endif

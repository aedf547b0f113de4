/* SPDX-License-Identifier: MIT
 * Which exceptions an instruction may raise, by its row of insn.def.
 */
#ifndef RINGSIDE_CPU_ISA_RAISES_H
#define RINGSIDE_CPU_ISA_RAISES_H

#include "cpu/isa/insn.h"

/* in:      row  also the row behind the last, which stands for everything undefined
 * returns: a bit per vector (BIT(VEC_GP)...): the faults, and the traps of INT3, INTO and INT1; what the attributes and
 *          operands bring with them, and what raises.def says of the body. That includes the faults of a delivery that
 *          the instruction asks for (INT n), not the vector n itself.
 * Left out, because they are the same for every instruction: #UD for LOCK, #PF and #GP of the fetch, #DB of
 * breakpoints and TF. Left out too: #UD of a mode or a model that does not have the row, where other bytes or the
 * undefined row match instead; and #UD of an x87 instruction without an FPU. */
u32 insn_may_raise(const struct insn_row *row);

/* The same for one instruction: with LOCK, and with INT n's vector. */
bool insn_may_raise_vector(const struct insn *insn, u8 vector);

#endif

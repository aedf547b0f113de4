/* SPDX-License-Identifier: MIT
 * IRET, as its parts by mode share it (iret.c, iret_real.c, iret_protected.c).
 * SDM 2A, "IRET/IRETD/IRETQ-Interrupt Return".
 */
#ifndef RINGSIDE_CPU_RING_IRET_H
#define RINGSIDE_CPU_RING_IRET_H

#include "cpu/ring/mechanisms.h"
#include "cpu/ring/stack.h"

#define IRET_FLAGS16 (FLAGS_ARITHMETIC | FLAG_TF | FLAG_DF | FLAG_NT)

/* The first three words of every frame, and where they were. */
struct iret_frame {
    u64 rip;
    u16 cs;
    u64 rflags;
    laddr_t laddr;
};

/* Pop RIP, CS and RFLAGS from a cursor on the current stack. raises: #SS(0), #PF */
struct iret_frame iret_pop_frame(struct stack_cursor *stack, enum width operand);
/* Fill what the observer sees of the frame. */
void iret_describe_frame(struct transition *t, const struct iret_frame *frame, unsigned words, enum width operand);
/* Commit a return at the door; on AMD this is where NMI is unblocked (SH-05). */
void iret_commit(struct cpu *cpu, struct transition *t);

void iret_from_real(struct cpu *cpu, enum width operand);
void iret_from_vm86(struct cpu *cpu, enum width operand);
/* Protected mode, compatibility mode and 64-bit mode, NT already dealt with. */
void iret_from_protected(struct cpu *cpu, enum width operand);

#endif

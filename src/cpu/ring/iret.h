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
ALWAYS_INLINE struct iret_frame iret_pop_frame(struct stack_cursor *stack, enum width operand)
{
    struct iret_frame frame = {.laddr = stack_linear(stack)};
    u64 word[3];

    stack_pop_words(stack, word, ARRAY_LEN(word), operand);
    frame.rip = word[0];
    frame.cs = (u16)word[1];
    frame.rflags = word[2];
    return frame;
}

/* Fill what the observer sees of the frame. */
ALWAYS_INLINE void iret_describe_frame(struct transition *t, const struct iret_frame *frame, unsigned words,
                                       enum width operand)
{
    t->frame = frame->laddr;
    t->frame_words = (u8)words;
    t->frame_word_bytes = (u8)width_bytes(operand);
}

ALWAYS_INLINE void iret_unblock_nmi(struct cpu *cpu)
{
    cpu->arch.nmi_blocked = 0;
    if (cpu->arch.nmi_pending)
        cpu_attention(cpu);
}

/* Commit a return at the door; on AMD this is where NMI is unblocked (SH-05). */
ALWAYS_INLINE void iret_commit(struct cpu *cpu, struct transition *t)
{
    iret_unblock_nmi(cpu);
    ring_commit(cpu, t);
}

void iret_from_real(struct cpu *cpu, enum width operand);
void iret_from_vm86(struct cpu *cpu, enum width operand);
/* Protected mode, compatibility mode and 64-bit mode, NT already dealt with. */
void iret_from_protected(struct cpu *cpu, enum width operand);

#endif

/* SPDX-License-Identifier: MIT
 * IRET: which return it is, NMI unblocking, and the frame that all returns share.
 * SDM 2A, "IRET/IRETD/IRETQ-Interrupt Return"; SDM 3A, "Handling Multiple NMIs"; APM 3, "IRET".
 */
#include "cpu/ring/iret.h"

#include "cpu/ring/task.h"

struct iret_frame iret_pop_frame(struct stack_cursor *stack, enum width operand)
{
    struct iret_frame frame = {.laddr = stack_linear(stack)};

    frame.rip = stack_pop(stack, operand);
    frame.cs = (u16)stack_pop(stack, operand);
    frame.rflags = stack_pop(stack, operand);
    return frame;
}

void iret_describe_frame(struct transition *t, const struct iret_frame *frame, unsigned words, enum width operand)
{
    t->frame = frame->laddr;
    t->frame_words = (u8)words;
    t->frame_word_bytes = (u8)width_bytes(operand);
}

static void unblock_nmi(struct cpu *cpu)
{
    cpu->arch.nmi_blocked = 0;
    if (cpu->arch.nmi_pending)
        cpu_attention(cpu);
}

void iret_commit(struct cpu *cpu, struct transition *t)
{
    unblock_nmi(cpu);
    ring_commit(cpu, t);
}

void ring_iret(struct cpu *cpu, enum width operand)
{
    if (!cpu_is_amd(cpu))
        unblock_nmi(cpu); /* SH-05: even when the IRET faults */

    if (cpu->d.mode == MODE_REAL) {
        iret_from_real(cpu, operand);
    } else if (cpu_vm86(cpu)) {
        iret_from_vm86(cpu, operand);
    } else if (cpu->arch.rflags & FLAG_NT) {
        REQUIRE(cpu, !cpu_long_mode(cpu), GP(0), RULE_IR_01);
        task_return(cpu);
        unblock_nmi(cpu);
    } else {
        iret_from_protected(cpu, operand);
    }
}

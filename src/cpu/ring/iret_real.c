/* SPDX-License-Identifier: MIT
 * IRET in real mode and from virtual-8086 mode: no privilege changes, VME's virtual interrupt flag.
 * SDM 2A, "IRET/IRETD/IRETQ-Interrupt Return", REAL-ADDRESS-MODE and RETURN-FROM-VIRTUAL-8086-MODE.
 */
#include "cpu/ring/iret.h"

#define REAL_IMAGE 0x257FD5ull /* IR-17: EFLAGS bits that a 32-bit return takes from the image */
#define REAL_KEPT 0x1A0000ull  /* ...and those it keeps: VM, VIF, VIP */

static void commit_return(struct cpu *cpu, struct transition *t, const struct stack_cursor *stack,
                          const struct iret_frame *frame, enum width operand)
{
    t->rip = frame->rip;
    t->rsp = stack->sp;
    t->stack_source = STACK_POPPED;
    t->stage = STAGE_RSP | STAGE_RFLAGS;
    iret_describe_frame(t, frame, 3, operand);
    iret_commit(cpu, t);
}

void iret_from_real(struct cpu *cpu, enum width operand)
{
    struct stack_cursor stack = stack_current(cpu, RULE_SG_04);
    struct transition t = transition_begin(cpu, MECH_IRET_REAL);
    struct iret_frame frame = iret_pop_frame(&stack, operand);
    u64 image = operand == W16 ? REAL_IMAGE & 0xFFFF : REAL_IMAGE;
    u64 kept = operand == W16 ? ~0xFFFFull : REAL_KEPT;

    COVER(cpu, RULE_IR_17, operand != W16);
    if (!cpu->model.has_cpuid)
        image &= ~FLAG_ID;
    REQUIRE(cpu, frame.rip <= cpu->arch.seg[CS].limit, GP(0), RULE_IR_08);
    t.cs = segment_real(&cpu->arch.seg[CS], frame.cs);
    t.rflags = (frame.rflags & image) | (t.rflags & kept);
    commit_return(cpu, &t, &stack, &frame, operand);
}

void iret_from_vm86(struct cpu *cpu, enum width operand)
{
    bool iopl3 = cpu_iopl(cpu) == 3;
    u64 writable = IRET_FLAGS16 | (operand == W16 ? 0 : FLAG_RF | FLAG_AC | (cpu->model.has_cpuid ? FLAG_ID : 0));
    struct transition t = transition_begin(cpu, MECH_IRET_REAL);
    struct stack_cursor stack = stack_current(cpu, RULE_SG_04);
    struct iret_frame frame;

    if (!iopl3)
        REQUIRE(cpu, (cpu->arch.cr4 & CR4_VME) && operand == W16, GP(0), RULE_IR_03);
    frame = iret_pop_frame(&stack, operand);
    if (iopl3) {
        writable |= FLAG_IF; /* IOPL, VM, VIF and VIP stay */
    } else {
        REQUIRE(cpu, !(frame.rflags & FLAG_TF), GP(0), RULE_IO_02);
        REQUIRE(cpu, !((frame.rflags & FLAG_IF) && (t.rflags & FLAG_VIP)), GP(0), RULE_IO_02);
        t.rflags = (t.rflags & ~FLAG_VIF) | (frame.rflags & FLAG_IF ? FLAG_VIF : 0);
    }
    REQUIRE(cpu, frame.rip <= 0xFFFF, GP(0), RULE_IR_12);
    t.cs = segment_vm86(frame.cs);
    t.rflags = (t.rflags & ~writable) | (frame.rflags & writable);
    commit_return(cpu, &t, &stack, &frame, operand);
}

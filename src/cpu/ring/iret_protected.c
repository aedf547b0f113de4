/* SPDX-License-Identifier: MIT
 * IRET in protected, compatibility and 64-bit mode: to the same level, outward, and into virtual-8086 mode.
 * SDM 2A, "IRET/IRETD/IRETQ-Interrupt Return"; APM 3, "IRET".
 */
#include "cpu/ring/iret.h"
#include "cpu/ring/segment.h"

#define VM86_IMAGE 0x3F7FD5ull /* every flag that exists */
#define VM86_FRAME_WORDS 9u

/* RFLAGS that the image may change, by the level before the return (IR-09). */
static u64 writable_flags(const struct cpu *cpu, enum width operand)
{
    u64 writable = IRET_FLAGS16;

    if (operand != W16)
        writable |= FLAG_RF | FLAG_AC | (cpu->model.has_cpuid ? FLAG_ID : 0);
    if (cpu->arch.cpl <= cpu_iopl(cpu))
        writable |= FLAG_IF;
    if (cpu->arch.cpl == 0)
        writable |= FLAG_IOPL | (operand == W16 ? 0 : FLAG_VIF | FLAG_VIP);
    return writable;
}

/* Into virtual-8086 mode, from CPL 0 by a 32-bit image with VM = 1 (IR-02, IR-12). */
static void return_to_vm86(struct cpu *cpu, struct stack_cursor *stack, const struct iret_frame *frame)
{
    struct transition t = transition_begin(cpu, MECH_IRET_VM86);
    static const enum seg order[] = {ES, DS, FS, GS};
    u16 selector[ARRAY_LEN(order)];

    t.rsp = stack_pop(stack, W32);
    t.ss = segment_vm86((u16)stack_pop(stack, W32));
    for (unsigned i = 0; i < ARRAY_LEN(order); i++)
        selector[i] = (u16)stack_pop(stack, W32);
    REQUIRE(cpu, frame->rip <= 0xFFFF, GP(0), RULE_IR_12);

    for (unsigned i = 0; i < ARRAY_LEN(order); i++)
        cpu->arch.seg[order[i]] = segment_vm86(selector[i]);
    t.new_cpl = 3;
    t.cs = segment_vm86(frame->cs);
    t.rip = frame->rip;
    t.rflags = frame->rflags & (cpu->model.has_cpuid ? VM86_IMAGE : VM86_IMAGE & ~FLAG_ID);
    t.stage = STAGE_SS | STAGE_RSP | STAGE_RFLAGS;
    t.stack_source = STACK_POPPED;
    iret_describe_frame(&t, frame, VM86_FRAME_WORDS, W32);
    iret_commit(cpu, &t);
}

ALWAYS_INLINE void return_protected(struct cpu *cpu, bool from64, enum width operand)
{
    struct stack_cursor stack = from64 ? stack_current64(cpu, RULE_ID_20) : stack_current_segment(cpu, RULE_SG_04);
    struct iret_frame frame = iret_pop_frame(&stack, operand);
    bool to64, outward;
    u64 writable = writable_flags(cpu, operand);
    struct descriptor cs;
    struct transition t;

    COVER(cpu, RULE_IR_02, (frame.rflags & FLAG_VM) && operand == W32 && cpu->arch.cpl == 0 && !cpu_long_mode(cpu));
    COVER(cpu, RULE_IR_04, from64);
    COVER(cpu, RULE_IR_09, cpu->arch.cpl <= cpu_iopl(cpu));
    if (operand == W32 && (frame.rflags & FLAG_VM) && cpu->arch.cpl == 0 && !cpu_long_mode(cpu)) {
        return_to_vm86(cpu, &stack, &frame);
        return;
    }
    cs = segment_return_code(cpu, frame.cs, RULE_IR_05, RULE_IR_05);
    to64 = cpu_long_mode(cpu) && (cs.attr & SEG_L);
    outward = selector_rpl(frame.cs) > cpu->arch.cpl;
    /* The arithmetic flags all come from the frame. */
    transition_stage(&t, cpu, outward ? MECH_IRET_OUTER : MECH_IRET_SAME, cpu->arch.rflags);
    t.new_cpl = selector_rpl(frame.cs);
    t.rip = frame.rip;
    t.stage = STAGE_RSP | STAGE_RFLAGS;
    t.rsp = stack.sp;
    t.stack_source = STACK_POPPED;
    if (outward || from64) { /* IR-04 */
        u64 word[2];

        stack_pop_words(&stack, word, ARRAY_LEN(word), operand);
        t.ss = stack_segment_return(cpu, STACK_USE_IRET, (u16)word[1], t.new_cpl, to64);
        t.rsp = stack_pointer_return(cpu, &t.ss, word[0], to64);
        COVER(cpu, RULE_IR_15, to64 && !cpu_canonical(cpu, t.rsp));
        COVER(cpu, RULE_IR_11, !to64 && !(t.ss.attr & SEG_DB));
        t.stage |= STAGE_SS;
    }
    /* UNVERIFIED: a 64-bit image returning to compatibility mode is held against the limit with all its bits. */
    REQUIRE(cpu, to64 ? cpu_canonical(cpu, t.rip) : t.rip <= cs.limit, GP(0), RULE_IR_08);
    descriptor_set_accessed(cpu, &cs);
    t.cs = descriptor_segment(&cs, frame.cs);
    t.rflags = (t.rflags & ~writable) | (frame.rflags & writable);
    iret_describe_frame(&t, &frame, t.stage & STAGE_SS ? 5 : 3, operand);
    iret_commit(cpu, &t);
    if (outward)
        segment_revoke_outward(cpu);
}

void iret_from_protected(struct cpu *cpu, enum width operand)
{
    if (!cpu_64bit(cpu))
        return_protected(cpu, false, operand);
    else if (operand != W64)
        return_protected(cpu, true, operand);
    else
        return_protected(cpu, true, W64); /* nearly always: compiled by itself */
}

/* SPDX-License-Identifier: MIT
 * The x87 state as instruction bodies see it: the register stack, the status word, pending exceptions, pointers.
 * SDM 1, "Programming with the x87 FPU"; SDM 1, "x87 FPU Floating-Point Exception Handling".
 *
 * Of x87_tag only "empty or not" counts between instructions: bodies write 00 for every full register, and FNSTENV and
 * FNSAVE look at the registers for the classes, as processors do.
 */
#ifndef RINGSIDE_CPU_ISA_X87_H
#define RINGSIDE_CPU_ISA_X87_H

#include "cpu/isa/simd.h"

/* Exception flags of the status word; the masks stand at the same places in the control word. */
#define X87_IE 0x0001u
#define X87_DE 0x0002u
#define X87_ZE 0x0004u
#define X87_OE 0x0008u
#define X87_UE 0x0010u
#define X87_PE 0x0020u
#define X87_FLAGS 0x003Fu
/* Found on the operands: unmasked, they keep the instruction from doing anything. */
#define X87_PRE (X87_IE | X87_DE | X87_ZE)
#define X87_SF 0x0040u
#define X87_C0 0x0100u
#define X87_C1 0x0200u
#define X87_C2 0x0400u
#define X87_C3 0x4000u
#define X87_CC (X87_C0 | X87_C1 | X87_C2 | X87_C3)
#define X87_BUSY 0x8000u
#define X87_SUMMARY (X87_BUSY | X87_STATUS_ES)

#define X87_CONTROL_INITIAL 0x037Fu
#define X87_CONTROL_BITS 0x1F3Fu /* that a guest can change */
#define X87_CONTROL_ONES 0x0040u
#define X87_PC 0x0300u
#define X87_RC 0x0C00u

/* The quiet NaN that stands for "no answer". */
#define X87_INDEFINITE ((struct x87_reg){.mantissa = 0xC000000000000000ull, .sign_exponent = 0xFFFF})

enum x87_stack_fault { X87_UNDERFLOW, X87_OVERFLOW };

/* ---- the stack */
ALWAYS_INLINE unsigned x87_physical(const struct cpu *cpu, unsigned i)
{
    return ((cpu->arch.x87_status >> 11) + i) & 7;
}

ALWAYS_INLINE struct x87_reg *x87_st(struct cpu *cpu, unsigned i) { return &cpu->arch.x87[x87_physical(cpu, i)]; }

ALWAYS_INLINE bool x87_empty(const struct cpu *cpu, unsigned i)
{
    return ((cpu->arch.x87_tag >> (2 * x87_physical(cpu, i))) & 3) == 3;
}

ALWAYS_INLINE void x87_rotate(struct cpu *cpu, unsigned by)
{
    u16 top = (u16)(cpu->arch.x87_status + (by << 11)) & X87_STATUS_TOP;

    cpu->arch.x87_status = (u16)((cpu->arch.x87_status & ~X87_STATUS_TOP) | top);
}

ALWAYS_INLINE void x87_put(struct cpu *cpu, unsigned i, const struct x87_reg *value)
{
    unsigned n = x87_physical(cpu, i);

    cpu->arch.x87[n].mantissa = value->mantissa;
    cpu->arch.x87[n].sign_exponent = value->sign_exponent;
    cpu->arch.x87_tag &= (u16) ~(3u << (2 * n));
}

ALWAYS_INLINE void x87_free(struct cpu *cpu, unsigned i)
{
    cpu->arch.x87_tag |= (u16)(3u << (2 * x87_physical(cpu, i)));
}

ALWAYS_INLINE void x87_push(struct cpu *cpu, const struct x87_reg *value)
{
    x87_rotate(cpu, 7);
    x87_put(cpu, 0, value);
}

ALWAYS_INLINE void x87_pop(struct cpu *cpu)
{
    x87_free(cpu, 0);
    x87_rotate(cpu, 1);
}

/* ---- exceptions (slow halves in x87_control.c) */

COLD void x87_raise_absent(struct cpu *cpu);
/* FNINIT's state; the registers keep their contents. */
void x87_initialize(struct cpu *cpu);
/* Set the masks; ES and B follow from them and the flags, and FERR# ends when no unmasked flag is left. A body that
 * loads a whole state assigns x87_status before. */
void x87_set_control(struct cpu *cpu, u16 value);
/* Record a stack overflow or underflow. returns: true when it is masked, so that the indefinite is the result */
COLD bool x87_stack_fault(struct cpu *cpu, enum x87_stack_fault kind);

/* First step of control instructions that do not wait. raises: #UD without FPU */
ALWAYS_INLINE void x87_present(struct cpu *cpu)
{
    if (UNLIKELY(!cpu_has(cpu, FEAT_FPU)))
        x87_raise_absent(cpu);
}

/* First step of every waiting instruction. returns: false: the body must return.   raises: #MF; #UD without FPU */
ALWAYS_INLINE bool x87_begin(struct cpu *cpu)
{
    x87_present(cpu);
    COVER_IF(cpu, RULE_FP_01, !(cpu->arch.x87_status & X87_STATUS_ES));
    return LIKELY(!(cpu->arch.x87_status & X87_STATUS_ES)) || x87_error_pending(cpu, RULE_FP_01);
}

/* Take over flags and the named condition codes of a computation.
 * in:      host      status word after it;  codes  which of C0-C3 it defines
 *          blocking  exceptions that, unmasked, withhold the result
 * returns: whether the result is to be stored */
ALWAYS_INLINE bool x87_report_codes(struct cpu *cpu, u16 host, u16 blocking, u16 codes)
{
    u16 unmasked = host & (u16)~cpu->arch.x87_control & X87_FLAGS;

    cpu->arch.x87_status = (u16)((cpu->arch.x87_status & ~codes) | (host & (X87_FLAGS | codes)));
    if (LIKELY(!unmasked))
        return true;
    cpu->arch.x87_status |= X87_SUMMARY;
    return !(unmasked & blocking);
}

/* Most instructions: C1 says that the result was rounded up. */
ALWAYS_INLINE bool x87_report(struct cpu *cpu, u16 host, u16 blocking)
{
    return x87_report_codes(cpu, host, blocking, X87_C1);
}

/* ---- last-instruction pointers: after the last access that may fault */
ALWAYS_INLINE void x87_note(struct cpu *cpu, const struct insn *insn)
{
    cpu->arch.x87_ip = insn_rip(cpu, insn);
    cpu->arch.x87_cs = cpu->arch.seg[CS].selector;
    cpu->arch.x87_opcode = (u16)((insn->opcode & 7) << 8 | insn->modrm);
}

ALWAYS_INLINE void x87_note_memory(struct cpu *cpu, const struct insn *insn)
{
    x87_note(cpu, insn);
    cpu->arch.x87_dp = effective_address(cpu, insn);
    cpu->arch.x87_ds = cpu->arch.seg[insn->seg].selector;
}

/* The NaNs that the unit supports. */
ALWAYS_INLINE bool x87_is_nan(const struct x87_reg *r)
{
    return (r->sign_exponent & 0x7FFF) == 0x7FFF && r->mantissa > 0x8000000000000000ull;
}

/* A signed integer in extended format: always exact. */
ALWAYS_INLINE struct x87_reg x87_from_integer(i64 value)
{
    u64 magnitude = value < 0 ? -(u64)value : (u64)value;
    unsigned shift;

    if (value == 0)
        return (struct x87_reg){.mantissa = 0};
    shift = (unsigned)__builtin_clzll(magnitude);
    return (struct x87_reg){.mantissa = magnitude << shift,
                            .sign_exponent = (u16)((value < 0 ? 0x8000u : 0) | (0x3FFF + 63 - shift))};
}

#endif

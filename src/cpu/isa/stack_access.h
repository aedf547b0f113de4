/* SPDX-License-Identifier: MIT
 * Pushes and pops of instructions that stay at their privilege level, and reads and writes around the stack pointer
 * whose commit comes later.
 * SDM 1, "Procedure Stack": "Stack Alignment", "Address-Size Attributes for Stack Accesses".
 */
#ifndef RINGSIDE_CPU_ISA_STACK_ACCESS_H
#define RINGSIDE_CPU_ISA_STACK_ACCESS_H

#include "cpu/isa/operand.h"

/* Mask of the stack pointer: 64 bits in 64-bit mode, else by SS.B. */
ALWAYS_INLINE u64 stack_mask(const struct cpu *cpu)
{
    if (LIKELY(cpu->d.mode == MODE_LONG))
        return ~0ull;
    return cpu->d.decode_key & KEY_STACK32 ? 0xFFFFFFFFull : 0xFFFFull;
}

/* Offset of the stack pointer moved by delta bytes, in the stack's address size. Changes nothing. */
ALWAYS_INLINE u64 stack_offset(const struct cpu *cpu, i64 delta)
{
    return (cpu->arch.gpr[RSP] + (u64)delta) & stack_mask(cpu);
}

/* Set RSP, ESP or SP by the stack's address size. A 16-bit stack keeps RSP's upper bits. */
ALWAYS_INLINE void stack_set(struct cpu *cpu, u64 offset)
{
    u64 mask = stack_mask(cpu);

    if (UNLIKELY(mask == 0xFFFF))
        cpu->arch.gpr[RSP] = (cpu->arch.gpr[RSP] & ~mask) | (offset & mask);
    else
        cpu->arch.gpr[RSP] = offset & mask;
}

/* Move the stack pointer: the commit of what stack_peek() and stack_poke() did. */
ALWAYS_INLINE void stack_adjust(struct cpu *cpu, i64 delta) { stack_set(cpu, cpu->arch.gpr[RSP] + (u64)delta); }

/* Read at SS:(stack pointer + delta), without moving it.   raises: as any access to SS */
ALWAYS_INLINE u64 stack_peek(struct cpu *cpu, i64 delta, enum width w)
{
    return mem_read(cpu, SS, stack_offset(cpu, delta), w);
}

/* Write at SS:(stack pointer + delta), without moving it.   raises: as any access to SS */
ALWAYS_INLINE void stack_poke(struct cpu *cpu, i64 delta, u64 value, enum width w)
{
    mem_write(cpu, SS, stack_offset(cpu, delta), value, w);
}

/* Push: the stack pointer moves only after the write, so a fault leaves it unchanged. */
ALWAYS_INLINE void stack_push(struct cpu *cpu, u64 value, enum width w)
{
    u64 offset = stack_offset(cpu, -(i64)width_bytes(w));

    mem_write(cpu, SS, offset, value, w);
    stack_set(cpu, offset);
}

/* Pop: as above. A body with more that can fault peeks first and adjusts last. */
ALWAYS_INLINE u64 stack_pop(struct cpu *cpu, enum width w)
{
    u64 value = stack_peek(cpu, 0, w);

    stack_adjust(cpu, (i64)width_bytes(w));
    return value;
}

/* The same by form: a plain one's stack pointer is a linear address (insn_make_plain()). */
ALWAYS_INLINE u64 stack_top_by(struct cpu *cpu, enum width w, enum form f)
{
    if (!form_is_plain(f))
        return stack_peek(cpu, 0, w);
    return mem_read_linear(cpu, SS, cpu->arch.gpr[RSP] & cpu->d.laddr_mask, w);
}

ALWAYS_INLINE void stack_release_by(struct cpu *cpu, u64 bytes, enum form f)
{
    if (form_is_plain(f))
        cpu->arch.gpr[RSP] = (cpu->arch.gpr[RSP] + bytes) & cpu->d.laddr_mask;
    else
        stack_adjust(cpu, (i64)bytes);
}

ALWAYS_INLINE void stack_push_by(struct cpu *cpu, u64 value, enum width w, enum form f)
{
    laddr_t laddr;

    if (!form_is_plain(f)) {
        stack_push(cpu, value, w);
        return;
    }
    laddr = (cpu->arch.gpr[RSP] - width_bytes(w)) & cpu->d.laddr_mask;
    mem_write_linear(cpu, SS, laddr, value, w);
    cpu->arch.gpr[RSP] = laddr;
}

#endif

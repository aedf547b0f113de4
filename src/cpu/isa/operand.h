/* SPDX-License-Identifier: MIT
 * Operand access for bodies: registers, effective addresses, and the destination and source of a form.
 */
#ifndef RINGSIDE_CPU_ISA_OPERAND_H
#define RINGSIDE_CPU_ISA_OPERAND_H

#include "cpu/isa/body.h"

/* Read general register n zero-extended to 64 bits; 8-bit numbers as REG8_HIGH says. */
ALWAYS_INLINE u64 reg_read(const struct cpu *cpu, unsigned n, enum width w)
{
    switch (w) {
    case W8: return n & REG8_HIGH ? (u8)(cpu->arch.gpr[n & 3] >> 8) : (u8)cpu->arch.gpr[n];
    case W16: return (u16)cpu->arch.gpr[n];
    case W32: return (u32)cpu->arch.gpr[n];
    default: return cpu->arch.gpr[n];
    }
}

/* Write it: 8 and 16 bits keep the rest, 32 bits clear the upper half. SDM 1, "General-Purpose Registers in 64-Bit
 * Mode". */
ALWAYS_INLINE void reg_write(struct cpu *cpu, unsigned n, u64 value, enum width w)
{
    switch (w) {
    case W8:
        if (n & REG8_HIGH)
            cpu->arch.gpr[n & 3] = (cpu->arch.gpr[n & 3] & ~0xFF00ull) | ((u64)(u8)value << 8);
        else
            cpu->arch.gpr[n] = (cpu->arch.gpr[n] & ~0xFFull) | (u8)value;
        break;
    case W16: cpu->arch.gpr[n] = (cpu->arch.gpr[n] & ~0xFFFFull) | (u16)value; break;
    case W32: cpu->arch.gpr[n] = (u32)value; break;
    case W64: cpu->arch.gpr[n] = value; break;
    }
}

/* Offset part of the memory operand. */
ALWAYS_INLINE u64 effective_address(const struct cpu *cpu, const struct insn *insn)
{
    u64 base = UNLIKELY(insn->base == REG_RIP) ? insn_end(cpu, insn) : cpu->arch.reg[insn->base];
    u64 offset = base + (cpu->arch.reg[insn->index] << insn->scale) + (u64)(i64)insn->disp;

    if (LIKELY(insn->address_width == W64))
        return offset;
    return offset & width_mask((enum width)insn->address_width);
}

ALWAYS_INLINE bool form_is_plain(enum form f) { return f >= FORM_RP; }
ALWAYS_INLINE bool form_is_indexed(enum form f) { return f >= FORM_RX; }

ALWAYS_INLINE bool form_has_immediate(enum form f)
{
    return f == FORM_RI || f == FORM_MI || f == FORM_PI || f == FORM_XI;
}

/* A part of a plain address: a register, or the base of FS or GS, as the n-th quadword of the architectural section. */
ALWAYS_INLINE u64 address_part(const struct cpu *cpu, unsigned n)
{
    const u64 *words = (const u64 *)(const void *)&cpu->arch;

    return words[n];
}

/* The offset by form: a plain operand's is its linear address. */
ALWAYS_INLINE u64 operand_address(const struct cpu *cpu, const struct insn *insn, enum form f)
{
    u64 address;

    if (!form_is_plain(f))
        return effective_address(cpu, insn);
    address = address_part(cpu, insn->base) + (u64)(i64)insn->disp;
    if (form_is_indexed(f))
        address += address_part(cpu, insn->index) << insn->scale;
    return address & cpu->d.laddr_mask;
}

ALWAYS_INLINE bool form_dst_is_memory(enum form f)
{
    return f == FORM_MR || f == FORM_MI || f == FORM_PR || f == FORM_PI || f == FORM_XR || f == FORM_XI;
}

/* Read memory at an address that operand_address() gave. */
ALWAYS_INLINE u64 operand_load_at(struct cpu *cpu, const struct insn *insn, u64 address, enum width w, enum form f)
{
    if (form_is_plain(f))
        return mem_read_linear(cpu, (enum seg)insn->seg, address, w);
    return mem_read(cpu, (enum seg)insn->seg, address, w);
}

/* Read the memory operand. */
ALWAYS_INLINE u64 operand_load(struct cpu *cpu, const struct insn *insn, enum width w, enum form f)
{
    return operand_load_at(cpu, insn, operand_address(cpu, insn, f), w, f);
}

/* Write memory at such an address. */
ALWAYS_INLINE void operand_store_at(struct cpu *cpu, const struct insn *insn, u64 address, enum width w, enum form f,
                                    u64 value)
{
    if (form_is_plain(f))
        mem_write_linear(cpu, (enum seg)insn->seg, address, value, w);
    else
        mem_write(cpu, (enum seg)insn->seg, address, value, w);
}

ALWAYS_INLINE u64 src_read(struct cpu *cpu, const struct insn *insn, enum width w, enum form f)
{
    switch (f) {
    case FORM_RM:
    case FORM_RP:
    case FORM_RX: return operand_load(cpu, insn, w, f);
    case FORM_RI:
    case FORM_MI:
    case FORM_PI:
    case FORM_XI: return insn->imm & width_mask(w);
    default: return reg_read(cpu, insn->src, w);
    }
}

/* Read only (CMP, TEST, PUSH...). */
ALWAYS_INLINE u64 dst_read(struct cpu *cpu, const struct insn *insn, enum width w, enum form f)
{
    if (form_dst_is_memory(f))
        return operand_load(cpu, insn, w, f);
    return reg_read(cpu, insn->dst, w);
}

/* Write only (MOV, SETcc...). */
ALWAYS_INLINE void dst_write(struct cpu *cpu, const struct insn *insn, enum width w, enum form f, u64 value)
{
    if (form_dst_is_memory(f))
        operand_store_at(cpu, insn, operand_address(cpu, insn, f), w, f, value);
    else
        reg_write(cpu, insn->dst, value, w);
}

/* Begin a read-modify-write at such an address. */
ALWAYS_INLINE u64 operand_begin_at(struct cpu *cpu, const struct insn *insn, u64 address, enum width w, enum form f,
                                   struct mem_rmw *rmw)
{
    if (form_is_plain(f))
        return mem_rmw_begin_linear(cpu, (enum seg)insn->seg, address, w, rmw);
    return mem_rmw_begin(cpu, (enum seg)insn->seg, address, w, rmw);
}

/* Read-modify-write: begin with the read, end with the write. Between them nothing may fault, so flags may be set. */
ALWAYS_INLINE u64 dst_begin(struct cpu *cpu, const struct insn *insn, enum width w, enum form f, struct mem_rmw *rmw)
{
    if (form_dst_is_memory(f))
        return operand_begin_at(cpu, insn, operand_address(cpu, insn, f), w, f, rmw);
    return reg_read(cpu, insn->dst, w);
}

ALWAYS_INLINE void dst_end(struct cpu *cpu, const struct insn *insn, enum width w, enum form f,
                           const struct mem_rmw *rmw, u64 value)
{
    if (form_dst_is_memory(f))
        mem_rmw_end(cpu, rmw, value, w);
    else
        reg_write(cpu, insn->dst, value, w);
}

#endif

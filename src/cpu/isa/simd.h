/* SPDX-License-Identifier: MIT
 * What MMX and SSE bodies share: vector operands, the x87 side effects of MMX, and instantiation of one lane function
 * for 8-byte (MMX) and 16-byte (XMM) registers.
 * SDM 1, "Programming with Intel MMX Technology"; SDM 3A, "Effect of MMX Instructions on x87 FPU State".
 */
#ifndef RINGSIDE_CPU_ISA_SIMD_H
#define RINGSIDE_CPU_ISA_SIMD_H

#include "cpu/isa/operand.h"

#define UNUSED_PARAMETER __attribute__((unused))

/* x87 status word bits that MMX instructions look at or change. */
#define X87_STATUS_ES 0x0080u
#define X87_STATUS_TOP 0x3800u

/* Linear address of a vector operand, whose alignment is checked before its segment: a misaligned one is #GP(0) even
 * where it is also outside its stack segment. */
ALWAYS_INLINE laddr_t vec_linear(struct cpu *cpu, const struct insn *insn, u64 offset, unsigned size, unsigned align,
                                 bool write)
{
    if (align > 1)
        REQUIRE(cpu, ((offset + cpu->d.seg_base[insn->seg]) & (align - 1)) == 0, GP(0), RULE_AL_02);
    return mem_linear(cpu, (enum seg)insn->seg, offset, size, write);
}

/* Read size bytes (a constant) of the memory operand into the low bytes of *out.
 * in: align 16 = #GP(0) unless aligned, 1 = any.   raises: #PF, #GP, #SS, #AC */
ALWAYS_INLINE void vec_load(struct cpu *cpu, const struct insn *insn, void *out, unsigned size, unsigned align)
{
    u64 offset = effective_address(cpu, insn);
    laddr_t laddr = vec_linear(cpu, insn, offset, size, align, false);
    const u8 *host = tlb_read_hit(cpu->d.view, laddr, size);

    if (LIKELY(host != NULL))
        memcpy(out, host, size);
    else
        mem_read_block(cpu, (enum seg)insn->seg, offset, out, size, align);
}

/* Write size bytes to the memory operand; see vec_load(). */
ALWAYS_INLINE void vec_store(struct cpu *cpu, const struct insn *insn, const void *in, unsigned size, unsigned align)
{
    u64 offset = effective_address(cpu, insn);
    laddr_t laddr = vec_linear(cpu, insn, offset, size, align, true);
    u8 *host = tlb_write_hit(cpu->d.view, laddr, size);

    if (LIKELY(host != NULL))
        memcpy(host, in, size);
    else
        mem_write_block(cpu, (enum seg)insn->seg, offset, in, size, align);
}

/* Before a store under a mask of bytes (MASKMOVQ, MASKMOVDQU). What is checked of bytes that are not stored depends on
 * the processor: those of AMD check segment and alignment of the whole operand. UNVERIFIED: that Intel's check nothing.
 */
ALWAYS_INLINE void masked_store_check(struct cpu *cpu, const struct insn *insn, u64 offset, unsigned size)
{
    laddr_t laddr;

    COVER(cpu, RULE_MM_07, cpu_is_amd(cpu));
    if (!cpu_is_amd(cpu))
        return;
    laddr = mem_linear_checked(cpu, (enum seg)insn->seg, offset, size, true);
    if (cpu->d.align_check)
        REQUIRE(cpu, (laddr & (size - 1)) == 0, AC_, RULE_AL_01);
}

/* Scalar memory operand of an instruction, whatever its form says. */
ALWAYS_INLINE u64 memory_read(struct cpu *cpu, const struct insn *insn, enum width w)
{
    return mem_read(cpu, (enum seg)insn->seg, effective_address(cpu, insn), w);
}

ALWAYS_INLINE void memory_write(struct cpu *cpu, const struct insn *insn, u64 value, enum width w)
{
    mem_write(cpu, (enum seg)insn->seg, effective_address(cpu, insn), value, w);
}

/* E_y and G_y operands: 64 bits with REX.W, else 32. The 66 prefix selects the row, not the size. */
ALWAYS_INLINE enum width rex_width(const struct insn *insn) { return insn->prefixes & PREFIX_REX_W ? W64 : W32; }

/* An unmasked x87 exception is pending at an instruction that waits for it (x87_control.c). raises: #MF under rule when
 * CR0.NE is set.   returns: else, whether to go on (IGNNE#); false: the processor waits, the body must return */
COLD bool x87_error_pending(struct cpu *cpu, enum rule rule);

/* Before any operand access of an MMX instruction: a pending unmasked x87 exception comes first.
 * returns: false: the body must return.   raises: #MF */
ALWAYS_INLINE bool mmx_begin(struct cpu *cpu)
{
    COVER_IF(cpu, RULE_MM_01, !(cpu->arch.x87_status & X87_STATUS_ES));
    return LIKELY(!(cpu->arch.x87_status & X87_STATUS_ES)) || x87_error_pending(cpu, RULE_MM_01);
}

/* After the last access that may fault: TOP = 0, every tag valid. EMMS makes TOP 0 too. */
ALWAYS_INLINE void mmx_enter_state(struct cpu *cpu)
{
    cpu->arch.x87_status &= (u16)~X87_STATUS_TOP;
    cpu->arch.x87_tag = 0;
}

/* MM registers are the mantissas of the physical x87 registers; a write sets sign and exponent to ones. */
ALWAYS_INLINE u64 mmx_read(const struct cpu *cpu, unsigned n) { return cpu->arch.x87[n & 7].mantissa; }

ALWAYS_INLINE void mmx_write(struct cpu *cpu, unsigned n, u64 value)
{
    mmx_enter_state(cpu);
    cpu->arch.x87[n & 7].mantissa = value;
    cpu->arch.x87[n & 7].sign_exponent = 0xFFFF;
}

/* A lane function computes d = d op s over `bytes` bytes (8 or 16, a constant at each instance). */
#define LANES(name)                                                                                                    \
    ALWAYS_INLINE void lane_##name(union xmm_reg *d, UNUSED_PARAMETER const union xmm_reg *s,                          \
                                   UNUSED_PARAMETER const unsigned bytes, UNUSED_PARAMETER const u8 imm)
#define EACH(member) for (unsigned i = 0; i < bytes / sizeof(d->member[0]); i++)

#define SAME_WIDTHS(fn)                                                                                                \
    {                                                                                                                  \
        fn, fn, fn, fn                                                                                                 \
    }
#define BODY_RR_RM(name)                                                                                               \
    const struct body name = {{[FORM_RR] = SAME_WIDTHS(name##_rr), [FORM_RM] = SAME_WIDTHS(name##_rm)}};

/* V, W bodies whose memory operand has `size` bytes; align as vec_load(). */
#define XMM_OP_SIZED(name, lane, size, align)                                                                          \
    BODY_FUNCTION(name##_rr)                                                                                           \
    {                                                                                                                  \
        union xmm_reg d = cpu->arch.xmm[insn->dst], s = cpu->arch.xmm[insn->src];                                      \
        lane(&d, &s, 16, (u8)insn->imm);                                                                               \
        cpu->arch.xmm[insn->dst] = d;                                                                                  \
    }                                                                                                                  \
    BODY_FUNCTION(name##_rm)                                                                                           \
    {                                                                                                                  \
        union xmm_reg d, s = {.u64 = {0, 0}};                                                                          \
        vec_load(cpu, insn, &s, size, align);                                                                          \
        d = cpu->arch.xmm[insn->dst];                                                                                  \
        lane(&d, &s, 16, (u8)insn->imm);                                                                               \
        cpu->arch.xmm[insn->dst] = d;                                                                                  \
    }                                                                                                                  \
    BODY_RR_RM(name)

/* The usual one: 16 aligned bytes. */
#define XMM_OP(op) XMM_OP_SIZED(op_##op, lane_##op, 16, 16)

/* P, Q bodies with 8 bytes of memory (`width` W64) or 4 (W32: the low unpacks). */
#define MMX_OP_WIDTH(op, width)                                                                                        \
    BODY_FUNCTION(op_mmx_##op##_rr)                                                                                    \
    {                                                                                                                  \
        union xmm_reg d = {.u64 = {0, 0}}, s = {.u64 = {0, 0}};                                                        \
        if (!mmx_begin(cpu))                                                                                           \
            return;                                                                                                    \
        s.u64[0] = mmx_read(cpu, insn->src);                                                                           \
        d.u64[0] = mmx_read(cpu, insn->dst);                                                                           \
        lane_##op(&d, &s, 8, (u8)insn->imm);                                                                           \
        mmx_write(cpu, insn->dst, d.u64[0]);                                                                           \
    }                                                                                                                  \
    BODY_FUNCTION(op_mmx_##op##_rm)                                                                                    \
    {                                                                                                                  \
        union xmm_reg d = {.u64 = {0, 0}}, s = {.u64 = {0, 0}};                                                        \
        if (!mmx_begin(cpu))                                                                                           \
            return;                                                                                                    \
        s.u64[0] = memory_read(cpu, insn, width);                                                                      \
        d.u64[0] = mmx_read(cpu, insn->dst);                                                                           \
        lane_##op(&d, &s, 8, (u8)insn->imm);                                                                           \
        mmx_write(cpu, insn->dst, d.u64[0]);                                                                           \
    }                                                                                                                  \
    BODY_RR_RM(op_mmx_##op)

#define MMX_OP(op) MMX_OP_WIDTH(op, W64)
#define BOTH_OP(op) XMM_OP(op) MMX_OP(op)

#endif

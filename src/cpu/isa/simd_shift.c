/* SPDX-License-Identifier: MIT
 * Packed shifts on MMX and XMM registers, by a register or memory count and by an immediate, and the byte shifts.
 * SDM 2B, "PSLLW/PSLLD/PSLLQ", "PSRAW/PSRAD", "PSRLW/PSRLD/PSRLQ", "PSLLDQ", "PSRLDQ", "PALIGNR".
 */
#include "cpu/isa/simd.h"

/* The count is a whole 64-bit value: 16 (32, 64) or more gives zeros, or copies of the sign. */
#define SHIFT(name, member, type, operator, beyond)                                                                    \
    ALWAYS_INLINE void shift_##name(union xmm_reg *d, const unsigned bytes, u64 count)                                 \
    {                                                                                                                  \
        const unsigned width = 8 * (unsigned)sizeof(d->member[0]);                                                     \
        unsigned n = count < width ? (unsigned)count : width;                                                          \
        EACH(member)                                                                                                   \
        {                                                                                                              \
            type a = (type)d->member[i];                                                                               \
            d->member[i] = (__typeof__(d->member[0]))(n < width ? a operator n : (beyond));                            \
        }                                                                                                              \
    }                                                                                                                  \
    LANES(name) { shift_##name(d, bytes, s->u64[0]); }                                                                 \
    BOTH_OP(name)                                                                                                      \
    BODY_PLAIN(op_##name##_imm) { shift_##name(&cpu->arch.xmm[insn->dst], 16, (u8)insn->imm); }                        \
    BODY_PLAIN(op_mmx_##name##_imm)                                                                                    \
    {                                                                                                                  \
        union xmm_reg d = {.u64 = {mmx_read(cpu, insn->dst), 0}};                                                      \
        if (!mmx_begin(cpu))                                                                                           \
            return;                                                                                                    \
        shift_##name(&d, 8, (u8)insn->imm);                                                                            \
        mmx_write(cpu, insn->dst, d.u64[0]);                                                                           \
    }

SHIFT(psllw, u16, u16, <<, 0)
SHIFT(pslld, u32, u32, <<, 0)
SHIFT(psllq, u64, u64, <<, 0)
SHIFT(psrlw, u16, u16, >>, 0)
SHIFT(psrld, u32, u32, >>, 0)
SHIFT(psrlq, u64, u64, >>, 0)
SHIFT(psraw, u16, i16, >>, a < 0 ? -1 : 0)
SHIFT(psrad, u32, i32, >>, a < 0 ? -1 : 0)

/* Byte shifts of the whole register. */
BODY_PLAIN(op_pslldq)
{
    union xmm_reg *d = &cpu->arch.xmm[insn->dst], r;
    unsigned n = (u8)insn->imm;

    for (unsigned i = 0; i < 16; i++)
        r.u8[i] = i >= n ? d->u8[i - n] : 0;
    *d = r;
}

BODY_PLAIN(op_psrldq)
{
    union xmm_reg *d = &cpu->arch.xmm[insn->dst], r;
    unsigned n = (u8)insn->imm;

    for (unsigned i = 0; i < 16; i++)
        r.u8[i] = i + n < 16 ? d->u8[i + n] : 0;
    *d = r;
}

/* Destination above source, shifted right by imm bytes. */
LANES(palignr)
{
    union xmm_reg r = *d;

    for (unsigned i = 0; i < bytes; i++) {
        unsigned from = i + imm;

        r.u8[i] = from < bytes ? s->u8[from] : from < 2 * bytes ? d->u8[from - bytes] : 0;
    }
    *d = r;
}
BOTH_OP(palignr)

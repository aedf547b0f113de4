/* SPDX-License-Identifier: MIT
 * Rearranging lanes of MMX and XMM registers: unpack, shuffle, blend, extend, and the tests over whole registers.
 * SDM 2B, "PUNPCK...", "PSHUF...", "PBLEND...", "PMOVSX", "PMOVZX"; SDM 2A, "BLENDVPS", "INSERTPS", "MOVMSKPS".
 */
#include <emmintrin.h>

#include "cpu/isa/simd.h"

/* Interleave the low or high halves: even lanes from the destination, odd lanes from the source. */
#define UNPACK(name, member, high)                                                                                     \
    LANES(name)                                                                                                        \
    {                                                                                                                  \
        union xmm_reg r = *d;                                                                                          \
        const unsigned half = bytes / (unsigned)sizeof(d->member[0]) / 2;                                              \
        for (unsigned i = 0; i < half; i++) {                                                                          \
            r.member[2 * i] = d->member[i + (high)*half];                                                              \
            r.member[2 * i + 1] = s->member[i + (high)*half];                                                          \
        }                                                                                                              \
        *d = r;                                                                                                        \
    }                                                                                                                  \
    XMM_OP(name)

UNPACK(punpcklbw, u8, 0)
UNPACK(punpcklwd, u16, 0)
UNPACK(punpckldq, u32, 0)
UNPACK(punpcklqdq, u64, 0)
UNPACK(punpckhbw, u8, 1)
UNPACK(punpckhwd, u16, 1)
UNPACK(punpckhdq, u32, 1)
UNPACK(punpckhqdq, u64, 1)
MMX_OP_WIDTH(punpcklbw, W32)
MMX_OP_WIDTH(punpcklwd, W32)
MMX_OP_WIDTH(punpckldq, W32)
MMX_OP(punpckhbw)
MMX_OP(punpckhwd)
MMX_OP(punpckhdq)

LANES(pshufb)
{
    union xmm_reg r = *d;

    for (unsigned i = 0; i < bytes; i++)
        r.u8[i] = s->u8[i] & 0x80 ? 0 : d->u8[s->u8[i] & (bytes - 1)];
    *d = r;
}
BOTH_OP(pshufb)

LANES(pshufw)
{
    for (unsigned i = 0; i < 4; i++)
        d->u16[i] = s->u16[(imm >> (2 * i)) & 3];
}
MMX_OP(pshufw)

LANES(pshufd)
{
    for (unsigned i = 0; i < 4; i++)
        d->u32[i] = s->u32[(imm >> (2 * i)) & 3];
}
XMM_OP(pshufd)

LANES(pshuflw)
{
    *d = *s;
    for (unsigned i = 0; i < 4; i++)
        d->u16[i] = s->u16[(imm >> (2 * i)) & 3];
}
XMM_OP(pshuflw)

LANES(pshufhw)
{
    *d = *s;
    for (unsigned i = 0; i < 4; i++)
        d->u16[4 + i] = s->u16[4 + ((imm >> (2 * i)) & 3)];
}
XMM_OP(pshufhw)

LANES(shufps)
{
    union xmm_reg r;

    r.u32[0] = d->u32[imm & 3];
    r.u32[1] = d->u32[(imm >> 2) & 3];
    r.u32[2] = s->u32[(imm >> 4) & 3];
    r.u32[3] = s->u32[(imm >> 6) & 3];
    *d = r;
}
XMM_OP(shufps)

LANES(shufpd)
{
    u64 low = d->u64[imm & 1];

    d->u64[1] = s->u64[(imm >> 1) & 1];
    d->u64[0] = low;
}
XMM_OP(shufpd)

LANES(insertps)
{
    /* In the memory form the source is one dword, loaded as lane 0: the body passes an imm with bits 7:6 clear. */
    d->u32[(imm >> 4) & 3] = s->u32[imm >> 6];
    for (unsigned i = 0; i < 4; i++)
        if ((imm >> i) & 1)
            d->u32[i] = 0;
}

BODY_PLAIN(op_insertps)
{
    union xmm_reg s = {.u64 = {0, 0}};
    u8 imm = (u8)insn->imm;

    if (insn->form == FORM_RM) {
        s.u32[0] = (u32)memory_read(cpu, insn, W32);
        imm &= 0x3F;
    } else {
        s = cpu->arch.xmm[insn->src];
    }
    lane_insertps(&cpu->arch.xmm[insn->dst], &s, 16, imm);
}

/* ---- blends */
#define BLEND(name, member, take)                                                                                      \
    LANES(name) { EACH(member) if (take) d->member[i] = s->member[i]; }                                                \
    XMM_OP(name)

BLEND(blendps, u32, (imm >> i) & 1)
BLEND(blendpd, u64, (imm >> i) & 1)
BLEND(pblendw, u16, (imm >> i) & 1)

/* The mask is the implicit XMM0. */
#define BLENDV(name, member, sign)                                                                                     \
    BODY_PLAIN(op_##name)                                                                                              \
    {                                                                                                                  \
        const unsigned bytes = 16;                                                                                     \
        union xmm_reg s, d, mask = cpu->arch.xmm[0];                                                                   \
        if (insn->form == FORM_RM)                                                                                     \
            vec_load(cpu, insn, &s, 16, 16);                                                                           \
        else                                                                                                           \
            s = cpu->arch.xmm[insn->src];                                                                              \
        d = cpu->arch.xmm[insn->dst];                                                                                  \
        for (unsigned i = 0; i < bytes / sizeof(d.member[0]); i++)                                                     \
            if (mask.member[i] >> (sign))                                                                              \
                d.member[i] = s.member[i];                                                                             \
        cpu->arch.xmm[insn->dst] = d;                                                                                  \
    }

BLENDV(pblendvb, u8, 7)
BLENDV(blendvps, u32, 31)
BLENDV(blendvpd, u64, 63)

/* ---- extensions: the low lanes of the source, widened */
#define EXTEND(name, from, from_type, to, to_type, size)                                                               \
    LANES(name)                                                                                                        \
    {                                                                                                                  \
        const union xmm_reg a = *s;                                                                                    \
        EACH(to) d->to[i] = (__typeof__(d->to[0]))(to_type)(from_type)a.from[i];                                       \
    }                                                                                                                  \
    XMM_OP_SIZED(op_##name, lane_##name, size, 1)

EXTEND(pmovsxbw, u8, i8, u16, i16, 8)
EXTEND(pmovsxbd, u8, i8, u32, i32, 4)
EXTEND(pmovsxbq, u8, i8, u64, i64, 2)
EXTEND(pmovsxwd, u16, i16, u32, i32, 8)
EXTEND(pmovsxwq, u16, i16, u64, i64, 4)
EXTEND(pmovsxdq, u32, i32, u64, i64, 8)
EXTEND(pmovzxbw, u8, u8, u16, u16, 8)
EXTEND(pmovzxbd, u8, u8, u32, u32, 4)
EXTEND(pmovzxbq, u8, u8, u64, u64, 2)
EXTEND(pmovzxwd, u16, u16, u32, u32, 8)
EXTEND(pmovzxwq, u16, u16, u64, u64, 4)
EXTEND(pmovzxdq, u32, u32, u64, u64, 8)

/* ---- sign masks into a general register (the write of 32 bits clears the rest) */
BODY_PLAIN(op_pmovmskb)
{
    __m128i v = _mm_loadu_si128((const __m128i *)(const void *)&cpu->arch.xmm[insn->src]);

    cpu->arch.gpr[insn->dst] = (u32)_mm_movemask_epi8(v);
}

BODY_PLAIN(op_movmskps)
{
    const union xmm_reg *s = &cpu->arch.xmm[insn->src];

    cpu->arch.gpr[insn->dst] = s->u32[0] >> 31 | s->u32[1] >> 31 << 1 | s->u32[2] >> 31 << 2 | s->u32[3] >> 31 << 3;
}

BODY_PLAIN(op_movmskpd)
{
    const union xmm_reg *s = &cpu->arch.xmm[insn->src];

    cpu->arch.gpr[insn->dst] = s->u64[0] >> 63 | s->u64[1] >> 63 << 1;
}

BODY_PLAIN(op_mmx_pmovmskb)
{
    u64 s = mmx_read(cpu, insn->src);
    u32 mask = 0;

    if (!mmx_begin(cpu))
        return;
    for (unsigned i = 0; i < 8; i++)
        mask |= (u32)((s >> (8 * i + 7)) & 1) << i;
    mmx_enter_state(cpu);
    reg_write(cpu, insn->dst, mask, W32);
}

/* ZF: no common bit; CF: source within destination; the other four are cleared. */
BODY_PLAIN(op_ptest)
{
    union xmm_reg s;
    const union xmm_reg *d = &cpu->arch.xmm[insn->dst];

    if (insn->form == FORM_RM)
        vec_load(cpu, insn, &s, 16, 16);
    else
        s = cpu->arch.xmm[insn->src];
    flags_put_arithmetic(cpu, (((s.u64[0] & d->u64[0]) | (s.u64[1] & d->u64[1])) == 0 ? FLAG_ZF : 0) |
                                  (((s.u64[0] & ~d->u64[0]) | (s.u64[1] & ~d->u64[1])) == 0 ? FLAG_CF : 0));
}

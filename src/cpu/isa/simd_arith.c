/* SPDX-License-Identifier: MIT
 * Packed integer arithmetic on MMX and XMM registers: add, subtract, multiply, average, minimum, maximum, horizontal.
 * SDM 2B, "Instruction Set Reference" P*; SDM 1, "Programming with Intel MMX Technology".
 */
#include <stdlib.h>

#include "cpu/isa/simd.h"

ALWAYS_INLINE i8 saturate_i8(i32 v) { return (i8)(v > 127 ? 127 : v < -128 ? -128 : v); }

ALWAYS_INLINE i16 saturate_i16(i32 v) { return (i16)(v > 32767 ? 32767 : v < -32768 ? -32768 : v); }

ALWAYS_INLINE u8 saturate_u8(i32 v) { return (u8)(v > 255 ? 255 : v < 0 ? 0 : v); }

ALWAYS_INLINE u16 saturate_u16(i32 v) { return (u16)(v > 65535 ? 65535 : v < 0 ? 0 : v); }

/* ---- lane by lane: `a` and `b` are the lanes, widened by the given signed or unsigned type */
#define LANE_BY_LANE(name, member, type, result)                                                                       \
    LANES(name)                                                                                                        \
    {                                                                                                                  \
        EACH(member)                                                                                                   \
        {                                                                                                              \
            type a = (type)d->member[i], b = (type)s->member[i];                                                       \
            d->member[i] = (__typeof__(d->member[0]))(result);                                                         \
        }                                                                                                              \
    }
#define LANEWISE(name, member, type, result)                                                                           \
    LANE_BY_LANE(name, member, type, result)                                                                           \
    BOTH_OP(name)
#define LANEWISE_XMM(name, member, type, result)                                                                       \
    LANE_BY_LANE(name, member, type, result)                                                                           \
    XMM_OP(name)

LANEWISE(paddb, u8, u8, a + b)
LANEWISE(paddw, u16, u16, a + b)
LANEWISE(paddd, u32, u32, a + b)
LANEWISE(paddq, u64, u64, a + b)
LANEWISE(psubb, u8, u8, a - b)
LANEWISE(psubw, u16, u16, a - b)
LANEWISE(psubd, u32, u32, a - b)
LANEWISE(psubq, u64, u64, a - b)
LANEWISE(paddsb, u8, i8, saturate_i8(a + b))
LANEWISE(paddsw, u16, i16, saturate_i16(a + b))
LANEWISE(paddusb, u8, u8, saturate_u8(a + b))
LANEWISE(paddusw, u16, u16, saturate_u16(a + b))
LANEWISE(psubsb, u8, i8, saturate_i8(a - b))
LANEWISE(psubsw, u16, i16, saturate_i16(a - b))
LANEWISE(psubusb, u8, u8, saturate_u8(a - b))
LANEWISE(psubusw, u16, u16, saturate_u16(a - b))
LANEWISE(pavgb, u8, u8, (a + b + 1) >> 1)
LANEWISE(pavgw, u16, u16, (a + b + 1) >> 1)
LANEWISE(pminub, u8, u8, a < b ? a : b)
LANEWISE(pmaxub, u8, u8, a > b ? a : b)
LANEWISE(pminsw, u16, i16, a < b ? a : b)
LANEWISE(pmaxsw, u16, i16, a > b ? a : b)
LANEWISE_XMM(pminsb, u8, i8, a < b ? a : b)
LANEWISE_XMM(pmaxsb, u8, i8, a > b ? a : b)
LANEWISE_XMM(pminuw, u16, u16, a < b ? a : b)
LANEWISE_XMM(pmaxuw, u16, u16, a > b ? a : b)
LANEWISE_XMM(pminsd, u32, i32, a < b ? a : b)
LANEWISE_XMM(pmaxsd, u32, i32, a > b ? a : b)
LANEWISE_XMM(pminud, u32, u32, a < b ? a : b)
LANEWISE_XMM(pmaxud, u32, u32, a > b ? a : b)
LANEWISE(pmullw, u16, i16, a *b)
LANEWISE(pmulhw, u16, i16, (a * b) >> 16)
LANEWISE(pmulhuw, u16, u32, (a * b) >> 16)
LANEWISE(pmulhrsw, u16, i16, ((((i32)a * b) >> 14) + 1) >> 1)
LANEWISE_XMM(pmulld, u32, u32, a *b)
LANEWISE(pmuludq, u64, u32, (u64)a *b)
LANEWISE_XMM(pmuldq, u64, i32, (i64)a *b)
LANEWISE(pabsb, u8, u8, ((void)a, (i8)b < 0 ? -b : b))
LANEWISE(pabsw, u16, u16, ((void)a, (i16)b < 0 ? -b : b))
LANEWISE(pabsd, u32, u32, ((void)a, (i32)b < 0 ? 0u - b : b))
LANEWISE(psignb, u8, i8, b < 0 ? -a : b == 0 ? 0 : a)
LANEWISE(psignw, u16, i16, b < 0 ? -a : b == 0 ? 0 : a)
LANEWISE(psignd, u32, u32, (i32)b < 0 ? 0u - a : b == 0 ? 0u : a)

/* ---- comparison and logic */
LANEWISE(pcmpeqb, u8, u8, a == b ? 0xFF : 0)
LANEWISE(pcmpeqw, u16, u16, a == b ? 0xFFFF : 0)
LANEWISE(pcmpeqd, u32, u32, a == b ? ~0u : 0)
LANEWISE_XMM(pcmpeqq, u64, u64, a == b ? ~0ull : 0)
LANEWISE(pcmpgtb, u8, i8, a > b ? 0xFF : 0)
LANEWISE(pcmpgtw, u16, i16, a > b ? 0xFFFF : 0)
LANEWISE(pcmpgtd, u32, i32, a > b ? ~0u : 0)
LANEWISE_XMM(pcmpgtq, u64, i64, a > b ? ~0ull : 0)
LANEWISE(pand, u64, u64, a &b)
LANEWISE(pandn, u64, u64, ~a &b)
LANEWISE(por, u64, u64, a | b)
LANEWISE(pxor, u64, u64, a ^ b)

/* ---- sums of products and of neighbours */
LANES(pmaddwd)
{
    EACH(u32)
    {
        i32 low = (i16)d->u16[2 * i] * (i16)s->u16[2 * i], high = (i16)d->u16[2 * i + 1] * (i16)s->u16[2 * i + 1];
        d->u32[i] = (u32)low + (u32)high; /* wraps to 80000000h when all four are 8000h */
    }
}
BOTH_OP(pmaddwd)

LANES(pmaddubsw)
{
    EACH(u16)
    {
        i32 low = d->u8[2 * i] * (i8)s->u8[2 * i], high = d->u8[2 * i + 1] * (i8)s->u8[2 * i + 1];
        d->u16[i] = (u16)saturate_i16(low + high);
    }
}
BOTH_OP(pmaddubsw)

LANES(psadbw)
{
    EACH(u64)
    {
        unsigned sum = 0;

        for (unsigned j = 8 * i; j < 8 * i + 8; j++)
            sum += (unsigned)(d->u8[j] > s->u8[j] ? d->u8[j] - s->u8[j] : s->u8[j] - d->u8[j]);
        d->u64[i] = sum;
    }
}
BOTH_OP(psadbw)

/* Pairs of the destination fill the low half, pairs of the source the high half; x is the even lane, y the odd one. */
#define HORIZONTAL(name, member, type, result)                                                                         \
    LANES(name)                                                                                                        \
    {                                                                                                                  \
        union xmm_reg r = *d;                                                                                          \
        const unsigned half = bytes / (unsigned)sizeof(d->member[0]) / 2;                                              \
        for (unsigned i = 0; i < half; i++) {                                                                          \
            type x = (type)d->member[2 * i], y = (type)d->member[2 * i + 1];                                           \
            r.member[i] = (__typeof__(r.member[0]))(result);                                                           \
            x = (type)s->member[2 * i], y = (type)s->member[2 * i + 1];                                                \
            r.member[half + i] = (__typeof__(r.member[0]))(result);                                                    \
        }                                                                                                              \
        *d = r;                                                                                                        \
    }                                                                                                                  \
    BOTH_OP(name)

HORIZONTAL(phaddw, u16, u16, x + y)
HORIZONTAL(phaddd, u32, u32, x + y)
HORIZONTAL(phaddsw, u16, i16, saturate_i16(x + y))
HORIZONTAL(phsubw, u16, u16, x - y)
HORIZONTAL(phsubd, u32, u32, x - y)
HORIZONTAL(phsubsw, u16, i16, saturate_i16(x - y))

LANES(mpsadbw)
{
    union xmm_reg r;
    const unsigned from = imm & 4, block = (imm & 3u) * 4;

    for (unsigned i = 0; i < 8; i++) {
        unsigned sum = 0;

        for (unsigned j = 0; j < 4; j++)
            sum += (unsigned)abs(d->u8[from + i + j] - s->u8[block + j]);
        r.u16[i] = (u16)sum;
    }
    *d = r;
}
XMM_OP(mpsadbw)

LANES(phminposuw)
{
    unsigned best = 0;

    for (unsigned i = 1; i < 8; i++)
        if (s->u16[i] < s->u16[best])
            best = i;
    d->u64[0] = s->u16[best] | (u64)best << 16;
    d->u64[1] = 0;
}
XMM_OP(phminposuw)

/* ---- packs: the saturating narrowings */
#define PACK(name, from, to, type, narrow)                                                                             \
    LANES(name)                                                                                                        \
    {                                                                                                                  \
        union xmm_reg r = *d;                                                                                          \
        const unsigned half = bytes / (unsigned)sizeof(d->from[0]);                                                    \
        for (unsigned i = 0; i < half; i++) {                                                                          \
            r.to[i] = (__typeof__(r.to[0]))narrow((type)d->from[i]);                                                   \
            r.to[half + i] = (__typeof__(r.to[0]))narrow((type)s->from[i]);                                            \
        }                                                                                                              \
        *d = r;                                                                                                        \
    }

PACK(packsswb, u16, u8, i16, saturate_i8)
BOTH_OP(packsswb)
PACK(packuswb, u16, u8, i16, saturate_u8)
BOTH_OP(packuswb)
PACK(packssdw, u32, u16, i32, saturate_i16)
BOTH_OP(packssdw)
PACK(packusdw, u32, u16, i32, saturate_u16)
XMM_OP(packusdw)

/* Carry-less product of the quadwords that imm bits 0 and 4 select. */
LANES(pclmulqdq)
{
    u64 a = d->u64[imm & 1], b = s->u64[(imm >> 4) & 1], low = 0, high = 0;

    for (unsigned i = 0; i < 64; i++) {
        if (!((b >> i) & 1))
            continue;
        low ^= a << i;
        high ^= i == 0 ? 0 : a >> (64 - i);
    }
    d->u64[0] = low;
    d->u64[1] = high;
}
XMM_OP(pclmulqdq)

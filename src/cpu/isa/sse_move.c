/* SPDX-License-Identifier: MIT
 * Moves between XMM registers, memory, general and MMX registers; insertion and extraction of lanes.
 * SDM 2B, "MOV..." and "PINSR.../PEXTR..."; SDM 1, "Cacheability Control, Prefetch, and Memory Ordering Instructions"
 * (non-temporal stores are ordinary stores here: no cache is modelled).
 */
#include "cpu/isa/simd.h"

#define XMM_DST cpu->arch.xmm[insn->dst]
#define XMM_SRC cpu->arch.xmm[insn->src]

/* ---- whole registers: MOVAPS and its like (aligned), MOVUPS and its like */
BODY_FUNCTION(move_rr) { XMM_DST = XMM_SRC; }

BODY_FUNCTION(move_aligned_rm)
{
    union xmm_reg v;

    vec_load(cpu, insn, &v, 16, 16);
    XMM_DST = v;
}

BODY_FUNCTION(move_aligned_mr) { vec_store(cpu, insn, &XMM_SRC, 16, 16); }

BODY_FUNCTION(move_unaligned_rm)
{
    union xmm_reg v;

    vec_load(cpu, insn, &v, 16, 1);
    XMM_DST = v;
}

BODY_FUNCTION(move_unaligned_mr) { vec_store(cpu, insn, &XMM_SRC, 16, 1); }

#define BODY_MOVE(name, rr, rm, mr)                                                                                    \
    const struct body name = {{[FORM_RR] = SAME_WIDTHS(rr), [FORM_RM] = SAME_WIDTHS(rm), [FORM_MR] = SAME_WIDTHS(mr)}};

BODY_MOVE(op_mov_aligned, move_rr, move_aligned_rm, move_aligned_mr)
BODY_MOVE(op_mov_unaligned, move_rr, move_unaligned_rm, move_unaligned_mr)

/* ---- MOVSS, MOVSD: between registers only the low lane moves; a load clears the rest */
#define MOVE_SCALAR(name, member, width)                                                                               \
    BODY_FUNCTION(name##_rr) { XMM_DST.member[0] = XMM_SRC.member[0]; }                                                \
    BODY_FUNCTION(name##_rm)                                                                                           \
    {                                                                                                                  \
        u64 v = memory_read(cpu, insn, width);                                                                         \
        XMM_DST.u64[0] = v;                                                                                            \
        XMM_DST.u64[1] = 0;                                                                                            \
    }                                                                                                                  \
    BODY_FUNCTION(name##_mr) { memory_write(cpu, insn, XMM_SRC.member[0], width); }                                    \
    BODY_MOVE(name, name##_rr, name##_rm, name##_mr)

MOVE_SCALAR(op_movss, u32, W32)
MOVE_SCALAR(op_movsd_xmm, u64, W64)

/* MOVQ F3 0F 7E and 66 0F D6: as MOVSD, but the register form clears the upper half. */
BODY_FUNCTION(movq_rr)
{
    XMM_DST.u64[0] = XMM_SRC.u64[0];
    XMM_DST.u64[1] = 0;
}
BODY_MOVE(op_movq_xmm, movq_rr, op_movsd_xmm_rm, op_movsd_xmm_mr)

/* ---- halves */
BODY_FUNCTION(movlps_rm) { XMM_DST.u64[0] = memory_read(cpu, insn, W64); }

BODY_FUNCTION(movhps_rm) { XMM_DST.u64[1] = memory_read(cpu, insn, W64); }

BODY_FUNCTION(movhps_mr) { memory_write(cpu, insn, XMM_SRC.u64[1], W64); }

BODY_FUNCTION(movhlps_rr) { XMM_DST.u64[0] = XMM_SRC.u64[1]; }

BODY_FUNCTION(movlhps_rr) { XMM_DST.u64[1] = XMM_SRC.u64[0]; }

/* The register forms of opcodes 12 and 16 are the crossing moves. */
BODY_MOVE(op_movlps, movhlps_rr, movlps_rm, op_movsd_xmm_mr)
BODY_MOVE(op_movhps, movlhps_rr, movhps_rm, movhps_mr)

/* ---- duplications (SSE3) */
LANES(movddup) { d->u64[0] = d->u64[1] = s->u64[0]; }
XMM_OP_SIZED(op_movddup, lane_movddup, 8, 1)

LANES(movsldup)
{
    d->u32[0] = d->u32[1] = s->u32[0];
    d->u32[2] = d->u32[3] = s->u32[2];
}
XMM_OP(movsldup)

LANES(movshdup)
{
    d->u32[0] = d->u32[1] = s->u32[1];
    d->u32[2] = d->u32[3] = s->u32[3];
}
XMM_OP(movshdup)

/* ---- general registers */
BODY_PLAIN(op_movd_load)
{
    enum width w = rex_width(insn);
    u64 v = insn->form == FORM_RM ? memory_read(cpu, insn, w) : reg_read(cpu, insn->src, w);

    XMM_DST.u64[0] = v;
    XMM_DST.u64[1] = 0;
}

BODY_PLAIN(op_movd_store)
{
    enum width w = rex_width(insn);
    u64 v = XMM_SRC.u64[0] & width_mask(w);

    if (insn->form == FORM_MR)
        memory_write(cpu, insn, v, w);
    else
        reg_write(cpu, insn->dst, v, w);
}

BODY_PLAIN(op_movnti)
{
    enum width w = rex_width(insn);

    memory_write(cpu, insn, reg_read(cpu, insn->src, w), w);
}

/* A lane from a register or memory; the general register is read as 32 or 64 bits and truncated. */
#define INSERT(name, member, width, reg_width)                                                                         \
    BODY_PLAIN(name)                                                                                                   \
    {                                                                                                                  \
        u64 v = insn->form == FORM_RM ? memory_read(cpu, insn, width) : reg_read(cpu, insn->src, reg_width);           \
        XMM_DST.member[insn->imm & (16 / sizeof(XMM_DST.member[0]) - 1)] = (__typeof__(XMM_DST.member[0]))v;           \
    }

/* A lane to memory, or zero-extended to a register. */
#define EXTRACT(name, member, width, reg_width)                                                                        \
    BODY_PLAIN(name)                                                                                                   \
    {                                                                                                                  \
        u64 v = XMM_SRC.member[insn->imm & (16 / sizeof(XMM_SRC.member[0]) - 1)];                                      \
        if (insn->form == FORM_MR)                                                                                     \
            memory_write(cpu, insn, v, width);                                                                         \
        else                                                                                                           \
            reg_write(cpu, insn->dst, v, reg_width);                                                                   \
    }

INSERT(op_pinsrb, u8, W8, W32)
INSERT(op_pinsrw, u16, W16, W32)
EXTRACT(op_pextrb, u8, W8, W32)
EXTRACT(op_pextrw, u16, W16, W32)
EXTRACT(op_extractps, u32, W32, W32)

BODY_PLAIN(op_pinsrd)
{
    enum width w = rex_width(insn);
    u64 v = insn->form == FORM_RM ? memory_read(cpu, insn, w) : reg_read(cpu, insn->src, w);

    if (w == W64)
        XMM_DST.u64[insn->imm & 1] = v;
    else
        XMM_DST.u32[insn->imm & 3] = (u32)v;
}

BODY_PLAIN(op_pextrd)
{
    enum width w = rex_width(insn);
    u64 v = w == W64 ? XMM_SRC.u64[insn->imm & 1] : XMM_SRC.u32[insn->imm & 3];

    if (insn->form == FORM_MR)
        memory_write(cpu, insn, v, w);
    else
        reg_write(cpu, insn->dst, v, w);
}

/* ---- MMX registers */
BODY_PLAIN(op_movq2dq)
{
    u64 v = mmx_read(cpu, insn->src);

    if (!mmx_begin(cpu))
        return;
    mmx_enter_state(cpu);
    XMM_DST.u64[0] = v;
    XMM_DST.u64[1] = 0;
}

BODY_PLAIN(op_movdq2q)
{
    if (!mmx_begin(cpu))
        return;
    mmx_write(cpu, insn->dst, XMM_SRC.u64[0]);
}

/* Store the bytes whose mask byte has its sign bit set, at DS:rDI (or the overriding segment). All selected bytes are
 * checked before the first is stored.
 * UNVERIFIED: a mask of all zeros is taken to make no access at all, so no fault (the manual leaves it open). */
BODY_PLAIN(op_maskmovdqu)
{
    const union xmm_reg v = XMM_DST, mask = XMM_SRC;
    u64 offset = cpu->arch.gpr[RDI] & width_mask((enum width)insn->address_width);

    masked_store_check(cpu, insn, offset, 16);
    for (unsigned i = 0; i < 16; i++)
        if (mask.u8[i] & 0x80)
            mem_probe(cpu, (enum seg)insn->seg, (offset + i) & width_mask((enum width)insn->address_width), 1, true);
    for (unsigned i = 0; i < 16; i++)
        if (mask.u8[i] & 0x80)
            mem_write(cpu, (enum seg)insn->seg, (offset + i) & width_mask((enum width)insn->address_width), v.u8[i],
                      W8);
}

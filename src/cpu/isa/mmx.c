/* SPDX-License-Identifier: MIT
 * MMX moves, lane insertion and extraction, masked store, and EMMS. The packed arithmetic is in simd_*.c.
 * SDM 1, "Programming with Intel MMX Technology"; SDM 3A, "Intel MMX Technology System Programming".
 */
#include "cpu/isa/simd.h"

BODY_PLAIN(op_mmx_movq)
{
    u64 v;

    if (!mmx_begin(cpu))
        return;
    if (insn->form == FORM_MR) {
        memory_write(cpu, insn, mmx_read(cpu, insn->src), W64);
        mmx_enter_state(cpu);
        return;
    }
    v = insn->form == FORM_RM ? memory_read(cpu, insn, W64) : mmx_read(cpu, insn->src);
    mmx_write(cpu, insn->dst, v);
}

BODY_PLAIN(op_mmx_movd_load)
{
    enum width w = rex_width(insn);

    if (!mmx_begin(cpu))
        return;
    mmx_write(cpu, insn->dst, insn->form == FORM_RM ? memory_read(cpu, insn, w) : reg_read(cpu, insn->src, w));
}

BODY_PLAIN(op_mmx_movd_store)
{
    enum width w = rex_width(insn);
    u64 v = mmx_read(cpu, insn->src) & width_mask(w);

    if (!mmx_begin(cpu))
        return;
    if (insn->form == FORM_MR)
        memory_write(cpu, insn, v, w);
    else
        reg_write(cpu, insn->dst, v, w);
    mmx_enter_state(cpu);
}

BODY_PLAIN(op_mmx_pinsrw)
{
    unsigned shift = 16 * (insn->imm & 3);
    u64 v, d;

    if (!mmx_begin(cpu))
        return;
    v = insn->form == FORM_RM ? memory_read(cpu, insn, W16) : reg_read(cpu, insn->src, W16);
    d = mmx_read(cpu, insn->dst);
    mmx_write(cpu, insn->dst, (d & ~(0xFFFFull << shift)) | (v << shift));
}

BODY_PLAIN(op_mmx_pextrw)
{
    u64 v = (mmx_read(cpu, insn->src) >> (16 * (insn->imm & 3))) & 0xFFFF;

    if (!mmx_begin(cpu))
        return;
    mmx_enter_state(cpu);
    reg_write(cpu, insn->dst, v, W32);
}

/* As MASKMOVDQU, eight bytes. */
BODY_PLAIN(op_mmx_maskmovq)
{
    u64 v = mmx_read(cpu, insn->dst), mask = mmx_read(cpu, insn->src);
    u64 limit = width_mask((enum width)insn->address_width), offset = cpu->arch.gpr[RDI];

    if (!mmx_begin(cpu))
        return;
    if (cpu_is_amd(cpu)) /* a fault finds the x87 state of an MMX instruction there */
        mmx_enter_state(cpu);
    masked_store_check(cpu, insn, offset & limit, 8);
    for (unsigned i = 0; i < 8; i++)
        if ((mask >> (8 * i + 7)) & 1)
            mem_probe(cpu, (enum seg)insn->seg, (offset + i) & limit, 1, true);
    for (unsigned i = 0; i < 8; i++)
        if ((mask >> (8 * i + 7)) & 1)
            mem_write(cpu, (enum seg)insn->seg, (offset + i) & limit, (u8)(v >> (8 * i)), W8);
    mmx_enter_state(cpu);
}

/* Every tag empty; TOP = 0 as after every MMX instruction. */
BODY_PLAIN(op_emms)
{
    (void)insn;
    if (!mmx_begin(cpu))
        return;
    mmx_enter_state(cpu);
    cpu->arch.x87_tag = 0xFFFF;
}

/* SPDX-License-Identifier: MIT
 * Decimal arithmetic: DAA DAS AAA AAS AAM AAD.
 * SDM 1, "Decimal Arithmetic Instructions"; SDM 2, the instructions' pages.
 *
 * Undefined flags: OF is cleared throughout; SF, ZF and PF of AAA and AAS, and CF and AF of AAM and AAD, follow the
 * rule of the defined ones (result in AL; cleared).
 */
#include "cpu/isa/operand.h"

ALWAYS_INLINE void put_al_flags(struct cpu *cpu, u8 al, bool cf, bool af)
{
    flags_logic(cpu, W8, al);
    cpu->d.flag_carries = ((u64)cf << 63) | ((u64)cf << 62) | ((u64)af << 3); /* OF = 0 */
}

BODY_PLAIN(op_daa)
{
    u8 old = (u8)cpu->arch.gpr[RAX], al = old;
    bool cf = flag_cf(cpu), af = (old & 15) > 9 || flag_af(cpu);
    bool high = old > 0x99 || cf;

    (void)insn;
    if (af)
        al = (u8)(al + 6);
    if (high)
        al = (u8)(al + 0x60);
    reg_write(cpu, RAX, al, W8);
    put_al_flags(cpu, al, high, af);
}

BODY_PLAIN(op_das)
{
    u8 old = (u8)cpu->arch.gpr[RAX], al = old;
    bool cf = flag_cf(cpu), af = (old & 15) > 9 || flag_af(cpu);
    bool high = old > 0x99 || cf;

    (void)insn;
    if (af) {
        cf = cf || al < 6; /* a borrow of the first step stays */
        al = (u8)(al - 6);
    }
    if (high)
        al = (u8)(al - 0x60);
    reg_write(cpu, RAX, al, W8);
    put_al_flags(cpu, al, high || (af && cf), af);
}

BODY_PLAIN(op_aaa)
{
    u16 ax = (u16)cpu->arch.gpr[RAX];
    bool adjust = (ax & 15) > 9 || flag_af(cpu);

    (void)insn;
    if (adjust)
        ax = (u16)(ax + 0x106);
    ax &= 0xFF0F;
    reg_write(cpu, RAX, ax, W16);
    put_al_flags(cpu, (u8)ax, adjust, adjust);
}

BODY_PLAIN(op_aas)
{
    u16 ax = (u16)cpu->arch.gpr[RAX];
    bool adjust = (ax & 15) > 9 || flag_af(cpu);

    (void)insn;
    if (adjust)
        ax = (u16)(ax - 0x106); /* AX - 6, then AH - 1 */
    ax &= 0xFF0F;
    reg_write(cpu, RAX, ax, W16);
    put_al_flags(cpu, (u8)ax, adjust, adjust);
}

BODY_PLAIN(op_aam)
{
    u8 al = (u8)cpu->arch.gpr[RAX], base = (u8)insn->imm;

    REQUIRE(cpu, base != 0, DE, RULE_IN_01);
    reg_write(cpu, RAX, (u64)(al / base) << 8 | al % base, W16);
    put_al_flags(cpu, al % base, false, false);
}

BODY_PLAIN(op_aad)
{
    u16 ax = (u16)cpu->arch.gpr[RAX];
    u8 al = (u8)((ax & 0xFF) + (ax >> 8) * (u8)insn->imm);

    reg_write(cpu, RAX, al, W16);
    put_al_flags(cpu, al, false, false);
}

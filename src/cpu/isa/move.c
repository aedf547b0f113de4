/* SPDX-License-Identifier: MIT
 * Data movement and the flag bits that have instructions of their own: MOV MOVZX MOVSX MOVSXD XCHG LEA CMOVcc SETcc
 * BSWAP XLAT CBW CWDE CDQE CWD CDQ CQO MOVBE LAHF SAHF CLC STC CMC CLD STD.
 * SDM 1, "Data Transfer Instructions"; SDM 2, the instructions' pages.
 */
#include "cpu/isa/condition.h"
#include "cpu/isa/operand.h"

BODY_FORMS(op_mov) { dst_write(cpu, insn, w, f, src_read(cpu, insn, w, f)); }

/* MOV with a direct offset: the address is the immediate, in the address size. */
ALWAYS_INLINE u64 moffs(const struct insn *insn) { return insn->imm & width_mask((enum width)insn->address_width); }

BODY_PLAIN(op_mov_from_moffs)
{
    enum width w = (enum width)insn->width;

    reg_write(cpu, RAX, mem_read(cpu, (enum seg)insn->seg, moffs(insn), w), w);
}

BODY_PLAIN(op_mov_to_moffs)
{
    enum width w = (enum width)insn->width;

    mem_write(cpu, (enum seg)insn->seg, moffs(insn), reg_read(cpu, RAX, w), w);
}

/* The source is narrower than the operation: W8, W16, or for MOVSXD W32. */
BODY_FORMS(op_movzx_b) { reg_write(cpu, insn->dst, src_read(cpu, insn, W8, f), w); }
BODY_FORMS(op_movzx_w) { reg_write(cpu, insn->dst, src_read(cpu, insn, W16, f), w); }
BODY_FORMS(op_movsx_b) { reg_write(cpu, insn->dst, sign_extend(src_read(cpu, insn, W8, f), W8), w); }
BODY_FORMS(op_movsx_w) { reg_write(cpu, insn->dst, sign_extend(src_read(cpu, insn, W16, f), W16), w); }

/* Without REX.W a plain move. With 66 Intel has a form that reads 16 bits (2B, "MOVSX/MOVSXD"); AMD has none, and its
 * processors read 32 all the same (APM 3, "MOVSXD"; seen at the end of a page). */
BODY_FORMS(op_movsxd)
{
    const enum width from = w == W16 && !cpu_is_amd(cpu) ? W16 : W32;

    reg_write(cpu, insn->dst, sign_extend(src_read(cpu, insn, from, f), from), w);
}

/* Always locked with memory, whatever the prefix. */
BODY_FORMS(op_xchg)
{
    struct mem_rmw rmw;
    u64 a = dst_begin(cpu, insn, w, f, &rmw);
    u64 b = reg_read(cpu, insn->src, w);

    dst_end(cpu, insn, w, f, &rmw, b);
    reg_write(cpu, insn->src, a, w);
}

BODY_FORMS(op_lea) { reg_write(cpu, insn->dst, operand_address(cpu, insn, f), w); }

/* CMOVcc reads its source, and may fault, even when the condition is false; a 32-bit destination is then
 * zero-extended all the same. */
#define CMOV_BODY(cc, condition)                                                                                       \
    BODY_FORMS(op_cmov##cc)                                                                                            \
    {                                                                                                                  \
        u64 value = src_read(cpu, insn, w, f);                                                                         \
                                                                                                                       \
        if (!(condition))                                                                                              \
            value = reg_read(cpu, insn->dst, w);                                                                       \
        reg_write(cpu, insn->dst, value, w);                                                                           \
    }
CONDITIONS(CMOV_BODY)

#define SET_BODY(cc, condition)                                                                                        \
    BODY_UNARY(op_set##cc)                                                                                             \
    {                                                                                                                  \
        (void)w;                                                                                                       \
        dst_write(cpu, insn, W8, f, condition);                                                                        \
    }
CONDITIONS(SET_BODY)

/* A 16-bit BSWAP is undefined; processors clear the register's low word. */
BODY_UNARY(op_bswap)
{
    u64 value = reg_read(cpu, insn->dst, w);

    (void)f;
    reg_write(cpu, insn->dst, w == W64 ? __builtin_bswap64(value) : w == W32 ? __builtin_bswap32((u32)value) : 0, w);
}

ALWAYS_INLINE u64 swap_bytes(u64 value, enum width w)
{
    return w == W64   ? __builtin_bswap64(value)
           : w == W32 ? __builtin_bswap32((u32)value)
                      : __builtin_bswap16((u16)value);
}

BODY_FORMS(op_movbe) { dst_write(cpu, insn, w, f, swap_bytes(src_read(cpu, insn, w, f), w)); }

BODY_PLAIN(op_xlat)
{
    u64 offset = (cpu->arch.gpr[RBX] + (u8)cpu->arch.gpr[RAX]) & width_mask((enum width)insn->address_width);

    reg_write(cpu, RAX, mem_read(cpu, (enum seg)insn->seg, offset, W8), W8);
}

/* SALC: AL = CF ? FFh : 0. Undocumented, but in every processor since the 8086. */
BODY_PLAIN(op_salc)
{
    (void)insn;
    reg_write(cpu, RAX, flag_cf(cpu) ? 0xFF : 0, W8);
}

/* CBW, CWDE, CDQE: the low half of the accumulator, sign-extended to the operand size. */
BODY_PLAIN(op_cbw)
{
    enum width w = (enum width)insn->width, half = (enum width)(insn->width - 1);

    reg_write(cpu, RAX, sign_extend(reg_read(cpu, RAX, half), half), w);
}

/* CWD, CDQ, CQO: the accumulator's sign fills rDX. */
BODY_PLAIN(op_cwd)
{
    enum width w = (enum width)insn->width;

    reg_write(cpu, RDX, (u64)((i64)sign_extend(reg_read(cpu, RAX, w), w) >> 63), w);
}

/* In 64-bit mode LAHF and SAHF are a feature of their own. */
static void require_lahf(struct cpu *cpu)
{
    REQUIRE(cpu, !cpu_64bit(cpu) || cpu_has(cpu, FEAT_LAHF_LM), UD, RULE_IS_01);
}

BODY_PLAIN(op_lahf)
{
    (void)insn;
    require_lahf(cpu);
    reg_write(cpu, REG8_HIGH + RAX, (flags_arithmetic(cpu) & 0xFF) | FLAG_FIXED1, W8);
}

BODY_PLAIN(op_sahf)
{
    (void)insn;
    require_lahf(cpu);
    flags_put_arithmetic(cpu, (reg_read(cpu, REG8_HIGH + RAX, W8) & ~FLAG_OF) | (flag_of(cpu) ? FLAG_OF : 0));
}

BODY_PLAIN(op_clc)
{
    (void)insn;
    flags_put_cf(cpu, false);
}

BODY_PLAIN(op_stc)
{
    (void)insn;
    flags_put_cf(cpu, true);
}

BODY_PLAIN(op_cmc)
{
    (void)insn;
    flags_put_cf(cpu, !flag_cf(cpu));
}

BODY_PLAIN(op_cld)
{
    (void)insn;
    cpu->arch.rflags &= ~FLAG_DF;
}

BODY_PLAIN(op_std)
{
    (void)insn;
    cpu->arch.rflags |= FLAG_DF;
}

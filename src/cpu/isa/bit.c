/* SPDX-License-Identifier: MIT
 * Bits and bit strings: BT BTS BTR BTC BSF BSR POPCNT LZCNT CRC32.
 * SDM 1, "Bit and Byte Instructions"; SDM 2, the instructions' pages.
 *
 * BT and its kin change CF only (OF, SF, AF, PF are undefined). A zero source of BSF and BSR sets ZF and leaves the
 * destination, as the APM says and Intel processors do; the flags other than ZF are undefined and set from the source.
 */
#include "cpu/isa/operand.h"

/* A memory operand with a register bit offset reaches beyond itself: the signed offset, in whole operands, moves it.
 * SDM 2, "BT". */
ALWAYS_INLINE u64 bit_address(const struct cpu *cpu, const struct insn *insn, enum width w, enum form f)
{
    u64 offset = operand_address(cpu, insn, f);

    if (!form_has_immediate(f)) {
        i64 bit = (i64)sign_extend(reg_read(cpu, insn->src, w), w);

        offset += (u64)(bit >> (3 + w)) << w;
    }
    return offset & width_mask((enum width)insn->address_width);
}

ALWAYS_INLINE unsigned bit_number(struct cpu *cpu, const struct insn *insn, enum width w, enum form f)
{
    u64 bit = form_has_immediate(f) ? insn->imm : reg_read(cpu, insn->src, w);

    return (unsigned)(bit & (width_bits(w) - 1));
}

BODY_FORMS(op_bt)
{
    unsigned bit = bit_number(cpu, insn, w, f);
    u64 a = form_dst_is_memory(f) ? operand_load_at(cpu, insn, bit_address(cpu, insn, w, f), w, f)
                                  : reg_read(cpu, insn->dst, w);

    flags_put_cf(cpu, (a >> bit) & 1);
}

#define BIT_BODY(name, expression)                                                                                     \
    BODY_FORMS(name)                                                                                                   \
    {                                                                                                                  \
        unsigned bit = bit_number(cpu, insn, w, f);                                                                    \
        struct mem_rmw rmw;                                                                                            \
        u64 a;                                                                                                         \
                                                                                                                       \
        if (form_dst_is_memory(f))                                                                                     \
            a = operand_begin_at(cpu, insn, bit_address(cpu, insn, w, f), w, f, &rmw);                                 \
        else                                                                                                           \
            a = reg_read(cpu, insn->dst, w);                                                                           \
        flags_put_cf(cpu, (a >> bit) & 1);                                                                             \
        dst_end(cpu, insn, w, f, &rmw, expression);                                                                    \
    }

BIT_BODY(op_bts, a | BIT(bit))
BIT_BODY(op_btr, a & ~BIT(bit))
BIT_BODY(op_btc, a ^ BIT(bit))

BODY_FORMS(op_bsf)
{
    u64 source = src_read(cpu, insn, w, f);

    flags_logic(cpu, w, source);
    if (source != 0)
        reg_write(cpu, insn->dst, (u64)__builtin_ctzll(source), w);
}

BODY_FORMS(op_bsr)
{
    u64 source = src_read(cpu, insn, w, f);

    flags_logic(cpu, w, source);
    if (source != 0)
        reg_write(cpu, insn->dst, 63u - (unsigned)__builtin_clzll(source), w);
}

/* A processor without LZCNT ignores the prefix and executes BSR: its row does not match then. */
BODY_FORMS(op_lzcnt)
{
    u64 source = src_read(cpu, insn, w, f);
    u64 count = source == 0 ? width_bits(w) : (u64)__builtin_clzll(source) - (64 - width_bits(w));

    flags_put_arithmetic(cpu, (source == 0 ? FLAG_CF : 0) | (count == 0 ? FLAG_ZF : 0));
    reg_write(cpu, insn->dst, count, w);
}

BODY_FORMS(op_popcnt)
{
    u64 source = src_read(cpu, insn, w, f);

    flags_put_arithmetic(cpu, source == 0 ? FLAG_ZF : 0);
    reg_write(cpu, insn->dst, (u64)__builtin_popcountll(source), w);
}

/* CRC-32C, reflected polynomial 82F63B78h, without inversion at either end. SDM 2, "CRC32". */
static u32 crc32c(u32 crc, u64 data, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++, data >>= 8) {
        crc ^= (u8)data;
        for (unsigned bit = 0; bit < 8; bit++)
            crc = (crc >> 1) ^ (crc & 1 ? 0x82F63B78u : 0);
    }
    return crc;
}

/* The destination is 32 bits wide, zero-extended with REX.W too. */
BODY_FORMS(op_crc32_b)
{
    (void)w;
    reg_write(cpu, insn->dst, crc32c((u32)cpu->arch.gpr[insn->dst], src_read(cpu, insn, W8, f), 1), W32);
}

BODY_FORMS(op_crc32_v)
{
    reg_write(cpu, insn->dst, crc32c((u32)cpu->arch.gpr[insn->dst], src_read(cpu, insn, w, f), width_bytes(w)), W32);
}

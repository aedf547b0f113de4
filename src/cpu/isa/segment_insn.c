/* SPDX-License-Identifier: MIT
 * Segment registers, descriptor-table registers, and the questions about selectors.
 * SDM 2A, "ARPL", "LAR", "LDS/LES/LFS/LGS/LSS", "LGDT/LIDT", "LLDT", "LSL", "LTR"; SDM 2B, "MOV", "POP", "PUSH",
 * "SGDT", "SIDT", "SLDT", "STR", "VERR/VERW".
 */
#include "cpu/fault.h"
#include "cpu/isa/operand.h"
#include "cpu/isa/stack_access.h"
#include "cpu/ring/mechanisms.h"

static u16 read_selector(struct cpu *cpu, const struct insn *insn, bool memory, unsigned reg)
{
    if (memory)
        return (u16)mem_read(cpu, (enum seg)insn->seg, effective_address(cpu, insn), W16);
    return (u16)reg_read(cpu, reg, W16);
}

/* Store a 16-bit value: memory takes 16 bits whatever the operand size, a register the operand size. */
static void store_selector(struct cpu *cpu, const struct insn *insn, u64 value)
{
    if (form_dst_is_memory((enum form)insn->form))
        mem_write(cpu, (enum seg)insn->seg, effective_address(cpu, insn), (u16)value, W16);
    else
        reg_write(cpu, insn->dst, value, (enum width)insn->width);
}

static void require_umip(struct cpu *cpu)
{
    REQUIRE(cpu, !(cpu->arch.cr4 & CR4_UMIP) || cpu->arch.cpl == 0, GP(0), RULE_PG_01);
}

/* MOV SS and POP SS hold off interrupts and debug traps for one instruction (SH-01). */
static void load_with_shadow(struct cpu *cpu, enum seg seg, u16 selector)
{
    segment_load(cpu, seg, selector);
    if (seg == SS) {
        cpu->arch.shadow |= SHADOW_MOV_SS;
        cpu_attention(cpu);
    }
}

/* ---- MOV, PUSH, POP */

BODY_PLAIN(op_mov_from_seg) { store_selector(cpu, insn, cpu->arch.seg[insn->src].selector); }

BODY_PLAIN(op_mov_to_seg)
{
    REQUIRE(cpu, insn->dst != CS, UD, RULE_IS_07);
    load_with_shadow(cpu, (enum seg)insn->dst, read_selector(cpu, insn, insn->form == FORM_RM, insn->src));
}

BODY_PLAIN(op_push_seg)
{
    enum width w = (enum width)insn->width;
    u16 selector = cpu->arch.seg[insn->dst].selector;

    if (w == W32)
        COVER(cpu, RULE_SG_15, cpu_is_amd(cpu));
    /* With a 32-bit operand Intel processors since P6 write the low word only; others zero-extend. SDM 2B "PUSH". */
    if (w == W32 && !cpu_is_amd(cpu) && cpu->model.generation >= 6) {
        stack_poke(cpu, -4, selector, W16);
        stack_adjust(cpu, -4);
    } else {
        stack_push(cpu, selector, w);
    }
}

BODY_PLAIN(op_pop_seg)
{
    u64 mask = stack_mask(cpu), rsp = cpu->arch.gpr[RSP];
    u64 next = (rsp + width_bytes((enum width)insn->width)) & mask;
    u16 selector = (u16)stack_peek(cpu, 0, (enum width)insn->width);

    load_with_shadow(cpu, (enum seg)insn->dst, selector);
    /* The old SS.B decides how wide the increment is. */
    cpu->arch.gpr[RSP] = mask == 0xFFFF ? (rsp & ~mask) | next : next;
}

/* ---- far pointers */

static void load_far_pointer(struct cpu *cpu, const struct insn *insn, enum seg seg)
{
    enum width w = (enum width)insn->width;
    u64 mask = width_mask((enum width)insn->address_width), address = effective_address(cpu, insn), offset;
    u16 selector;

    if (w == W64)
        COVER(cpu, RULE_SG_16, cpu_is_amd(cpu));
    if (w == W64 && cpu_is_amd(cpu))
        w = W32; /* APM 3, "LFS/LGS/LSS": a 64-bit operand size loads a 32-bit register */
    offset = mem_read(cpu, (enum seg)insn->seg, address, w);
    selector = (u16)mem_read(cpu, (enum seg)insn->seg, (address + width_bytes(w)) & mask, W16);
    segment_load(cpu, seg, selector);
    reg_write(cpu, insn->dst, offset, w);
}

BODY_PLAIN(op_les) { load_far_pointer(cpu, insn, ES); }

BODY_PLAIN(op_lds) { load_far_pointer(cpu, insn, DS); }

BODY_PLAIN(op_lss) { load_far_pointer(cpu, insn, SS); }

BODY_PLAIN(op_lfs) { load_far_pointer(cpu, insn, FS); }

BODY_PLAIN(op_lgs) { load_far_pointer(cpu, insn, GS); }

/* ---- LDTR and TR */

BODY_PLAIN(op_sldt)
{
    require_umip(cpu);
    store_selector(cpu, insn, cpu->arch.ldtr.selector);
}

BODY_PLAIN(op_str)
{
    require_umip(cpu);
    store_selector(cpu, insn, cpu->arch.tr.selector);
}

BODY_PLAIN(op_lldt) { segment_load_ldtr(cpu, read_selector(cpu, insn, insn->form == FORM_MR, insn->dst)); }

BODY_PLAIN(op_ltr) { segment_load_tr(cpu, read_selector(cpu, insn, insn->form == FORM_MR, insn->dst)); }

/* ---- questions about a selector */

BODY_PLAIN(op_verr)
{
    flags_put_zf(cpu, segment_query_verify(cpu, read_selector(cpu, insn, insn->form == FORM_MR, insn->dst), false));
}

BODY_PLAIN(op_verw)
{
    flags_put_zf(cpu, segment_query_verify(cpu, read_selector(cpu, insn, insn->form == FORM_MR, insn->dst), true));
}

/* LAR and LSL: the answer, and ZF whether there is one. */
ALWAYS_INLINE void query(struct cpu *cpu, const struct insn *insn,
                         bool (*ask)(struct cpu *cpu, u16 selector, u32 *value))
{
    u32 value = 0;
    bool valid = ask(cpu, read_selector(cpu, insn, insn->form == FORM_RM, insn->src), &value);

    COVER(cpu, RULE_SG_14, valid);
    if (valid)
        reg_write(cpu, insn->dst, value, (enum width)insn->width);
    flags_put_zf(cpu, valid);
}

BODY_PLAIN(op_lar) { query(cpu, insn, segment_query_lar); }

BODY_PLAIN(op_lsl) { query(cpu, insn, segment_query_lsl); }

BODY_PLAIN(op_arpl)
{
    bool memory = insn->form == FORM_MR;
    u16 rpl = (u16)(reg_read(cpu, insn->src, W16) & SELECTOR_RPL);
    u16 selector = (u16)(memory ? operand_load(cpu, insn, W16, FORM_MR) : reg_read(cpu, insn->dst, W16));
    bool raise = (selector & SELECTOR_RPL) < rpl;

    selector = (u16)((selector & ~SELECTOR_RPL) | rpl);
    if (raise && memory) /* written only when it changes */
        operand_store_at(cpu, insn, operand_address(cpu, insn, FORM_MR), W16, FORM_MR, selector);
    else if (raise)
        reg_write(cpu, insn->dst, selector, W16);
    COVER(cpu, RULE_SG_12, raise);
    flags_put_zf(cpu, raise);
}

/* ---- GDTR and IDTR */

static void store_table(struct cpu *cpu, const struct insn *insn, const struct table_register *table)
{
    enum seg seg = (enum seg)insn->seg;
    enum width w = cpu_64bit(cpu) ? W64 : W32;
    u64 limit_at = effective_address(cpu, insn);
    u64 base_at = (limit_at + 2) & width_mask((enum width)insn->address_width);

    require_umip(cpu);
    COVER(cpu, RULE_SG_13, cpu_64bit(cpu));
    /* A word and a doubleword or quadword, each aligned by itself where #AC asks (SDM 3A, "Segment Descriptor Tables");
     * the whole 32-bit base also with a 16-bit operand size, as processors since the 386 do. */
    mem_probe(cpu, seg, limit_at, 2, true);
    mem_probe(cpu, seg, base_at, width_bytes(w), true);
    mem_write(cpu, seg, limit_at, table->limit, W16);
    mem_write(cpu, seg, base_at, table->base, w);
}

static void load_table(struct cpu *cpu, const struct insn *insn, struct table_register *table)
{
    u8 image[10] = {0};
    u64 base;

    mem_read_block(cpu, (enum seg)insn->seg, effective_address(cpu, insn), image, cpu_64bit(cpu) ? 10 : 6, 1);
    base = load_le64(image + 2);
    if (cpu_64bit(cpu))
        REQUIRE(cpu, is_canonical(base, cpu->model.linear_bits), GP(0), RULE_IS_08);
    else if (insn->width == W16)
        base &= 0xFFFFFF;
    table->limit = load_le16(image);
    table->base = base;
}

BODY_PLAIN(op_sgdt) { store_table(cpu, insn, &cpu->arch.gdtr); }

BODY_PLAIN(op_sidt) { store_table(cpu, insn, &cpu->arch.idtr); }

BODY_PLAIN(op_lgdt) { load_table(cpu, insn, &cpu->arch.gdtr); }

BODY_PLAIN(op_lidt) { load_table(cpu, insn, &cpu->arch.idtr); }

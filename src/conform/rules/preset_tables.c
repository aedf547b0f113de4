/* SPDX-License-Identifier: MIT
 * The descriptor tables of the rule cases' machine: every kind of segment, system descriptor and gate.
 * SDM 3A, "Segment Descriptors", "System Descriptor Types", "IDT Descriptors".
 */
#include "conform/rules/preset_tables.h"

#include "cpu/registers.h"

#define FLAT 0xFFFFFFFFu
#define BYTES64K 0xFFFFu
#define DPL(n) ((n)*ATTR_DPL)
#define ABSENT(attr) ((attr) & ~SEG_PRESENT)

struct table_row {
    u16 selector;
    u32 base, limit;
    u16 attr;
};

static const struct table_row gdt[] = {
    {K32, 0, FLAT, ATTR_CODE32},
    {KDATA, 0, FLAT, ATTR_DATA32},
    {K64, 0, FLAT, ATTR_CODE64},
    {U32, 0, FLAT, ATTR_CODE32 | DPL(3)},
    {UDATA, 0, FLAT, ATTR_DATA32 | DPL(3)},
    {U64, 0, FLAT, ATTR_CODE64 | DPL(3)},
    {CONF32, 0, FLAT, ATTR_CODE32 | SEG_CONFORMING},
    {CONF64, 0, FLAT, ATTR_CODE64 | SEG_CONFORMING},
    {K16, AT_CODE, BYTES64K, ATTR_CODE16},
    {KDATA16, 0x10000, BYTES64K, ATTR_DATA16},
    {U16, AT_CODE, BYTES64K, ATTR_CODE16 | DPL(3)},
    {UDATA16, 0x10000, BYTES64K, ATTR_DATA16 | DPL(3)},
    {R1CODE, 0, FLAT, ATTR_CODE32 | DPL(1)},
    {R1DATA, 0, FLAT, ATTR_DATA32 | DPL(1)},
    {R2CODE, 0, FLAT, ATTR_CODE32 | DPL(2)},
    {R2DATA, 0, FLAT, ATTR_DATA32 | DPL(2)},
    {R1CODE64, 0, FLAT, ATTR_CODE64 | DPL(1)},
    {R2CODE64, 0, FLAT, ATTR_CODE64 | DPL(2)},
    {ABSENT_K32, 0, FLAT, ABSENT(ATTR_CODE32)},
    {ABSENT_KDATA, 0, FLAT, ABSENT(ATTR_DATA32)},
    {ABSENT_U32, 0, FLAT, ABSENT(ATTR_CODE32 | DPL(3))},
    {ABSENT_UDATA, 0, FLAT, ABSENT(ATTR_DATA32 | DPL(3))},
    {ABSENT_K64, 0, FLAT, ABSENT(ATTR_CODE64)},
    {ABSENT_U64, 0, FLAT, ABSENT(ATTR_CODE64 | DPL(3))},
    {KREADONLY, 0, FLAT, ATTR_DATA32 & ~SEG_WRITABLE},
    {UREADONLY, 0, FLAT, (ATTR_DATA32 & ~SEG_WRITABLE) | DPL(3)},
    {KEXECONLY, 0, FLAT, ATTR_CODE32 & ~SEG_READABLE},
    {UEXECONLY, 0, FLAT, (ATTR_CODE32 & ~SEG_READABLE) | DPL(3)},
    {KDOWN, 0, BYTES64K, (ATTR_DATA32 & ~SEG_G) | SEG_EXPAND_DOWN},
    {KSMALL, AT_CODE, 0xFFF, ATTR_CODE32 & ~SEG_G},
    {USMALL, AT_CODE, 0xFFF, (ATTR_CODE32 & ~SEG_G) | DPL(3)},
    {KSMALLDATA, AT_USER, 0xFFF, ATTR_DATA32 & ~SEG_G},
    {USMALLDATA, AT_USER, 0xFFF, (ATTR_DATA32 & ~SEG_G) | DPL(3)},
    {TSS, AT_TSS, TSS_LIMIT, 0x8B},
    {TSS_B, AT_TSS_B, 0x67, 0x89},
    {TSS_BACK, AT_TSS_BACK, 0x67, 0x8B},
    {TSS16, AT_TSS16, 0x2B, 0x81},
    {LDT, AT_LDT, 0xF, 0x82},
    {K64D, 0, FLAT, ATTR_CODE64 | SEG_DB},
    {U64D, 0, FLAT, ATTR_CODE64 | SEG_DB | DPL(3)},
};

void preset_descriptor(struct preset_machine *m, u16 selector, u64 base, u32 limit, u16 attr)
{
    u32 units = attr & SEG_G ? limit >> 12 : limit;
    paddr_t at = (selector & SELECTOR_TI ? AT_LDT : AT_GDT) + (selector & 0xFFF8u);

    preset_write(m, at,
                 (units & 0xFFFF) | (base & 0xFFFFFF) << 16 | (u64)(attr & 0xFF) << 40 |
                     (u64)(units >> 16 & 0xF) << 48 | (u64)(attr >> 8 & 0xF) << 52 | (base >> 24 & 0xFF) << 56,
                 8);
    if (!(attr & SEG_S))
        preset_write(m, at + 8, base >> 32, 8);
}

void preset_gate(struct preset_machine *m, paddr_t at, u8 access, u16 selector, u64 offset, u8 ist, bool wide)
{
    preset_write(m, at,
                 (offset & 0xFFFF) | (u64)selector << 16 | (u64)ist << 32 | (u64)access << 40 |
                     (offset >> 16 & 0xFFFF) << 48,
                 8);
    if (wide)
        preset_write(m, at + 8, offset >> 32, 8);
}

static void idt(struct preset_machine *m, bool wide)
{
    const struct {
        u8 vector, access;
        u16 selector;
        u64 offset;
        u8 ist;
    } own[] = {
        {V_INT, 0xEE, wide ? K64 : K32, HANDLER(V_INT), 0},
        {V_TRAP, 0xEF, wide ? K64 : K32, HANDLER(V_TRAP), 0},
        {V_INT16, 0xE6, K16, HANDLER(V_INT16), 0},
        {V_TRAP16, 0xE7, K16, HANDLER(V_TRAP16), 0},
        {V_TASK, 0xE5, TSS_B, 0, 0},
        {V_ABSENT, 0x6E, wide ? K64 : K32, HANDLER(V_ABSENT), 0},
        {V_TYPE, 0xEC, wide ? K64 : K32, HANDLER(V_TYPE), 0},
        {V_NULL, 0xEE, 3, HANDLER(V_NULL), 0},
        {V_DATA, 0xEE, KDATA, HANDLER(V_DATA), 0},
        {V_NP, 0xEE, wide ? ABSENT_K64 : ABSENT_K32, HANDLER(V_NP), 0},
        {V_CONF, 0xEE, wide ? CONF64 : CONF32, HANDLER(V_CONF), 0},
        {V_RING1, 0xEE, (u16)((wide ? R1CODE64 : R1CODE) | 1), HANDLER(V_RING1), 0},
        {V_OUTER, 0xEE, (u16)((wide ? U64 : U32) | 3), HANDLER(V_OUTER), 0},
        {V_DPL0, 0x8E, wide ? K64 : K32, HANDLER(V_DPL0), 0},
        {V_IST1, 0xEE, wide ? K64 : K32, HANDLER(V_IST1), wide ? 1 : 0},
        {V_OFFSET, 0xEE, wide ? K64 : KSMALL, wide ? 0x8000000000000000ull : 0x1000, 0},
        {V_GDT, 0xEE, GDT_END, HANDLER(V_GDT), 0},
        {V_ABSENT0, 0x0E, wide ? K64 : K32, HANDLER(V_ABSENT0), 0},
        {V_TYPE0, 0x08, wide ? K64 : K32, HANDLER(V_TYPE0), 0},
        {V_LDT, 0xEE, LDT_CODE, HANDLER(V_LDT), 0},
        {V_COMPAT, 0xEE, K32, HANDLER(V_COMPAT), 0},
        {V_LD, 0xEE, K64D, HANDLER(V_LD), 0},
    };
    u32 step = wide ? 16 : 8;

    for (u32 v = 0; v < 256; v++)
        preset_gate(m, AT_IDT + v * step, v < 0x40 ? 0x8E : 0xEE, wide ? K64 : K32, HANDLER(v), 0, wide);
    for (u32 i = 0; i < ARRAY_LEN(own); i++)
        preset_gate(m, AT_IDT + own[i].vector * step, own[i].access, own[i].selector, own[i].offset, own[i].ist, wide);
}

void preset_tables(struct preset_machine *m, bool long_mode)
{
    for (u32 i = 0; i < ARRAY_LEN(gdt); i++)
        preset_descriptor(m, gdt[i].selector, gdt[i].base, gdt[i].limit, gdt[i].attr);
    preset_gate(m, AT_GDT + GATE_K, 0xEC, long_mode ? K64 : K32, HANDLER(0x1A), 0, long_mode);
    if (!long_mode)
        preset_gate(m, AT_GDT + GATE_16, 0xE4, K16, 0x100, 0, false);
    else
        preset_gate(m, AT_GDT + GATE_16, 0xE4, K64, HANDLER(0x1A), 0, false);
    preset_gate(m, AT_GDT + GATE_TASK_B, 0xE5, TSS_B, 0, 0, false);
    preset_descriptor(m, LDT_CODE, 0, FLAT, long_mode ? ATTR_CODE64 : ATTR_CODE32);
    preset_descriptor(m, LDT_DATA, 0, FLAT, ATTR_DATA32 | DPL(3));
    idt(m, long_mode);
}

/* SPDX-License-Identifier: MIT
 * The rows of differences.def, and which of them explains a run.
 */
#include "conform/moo/difference.h"

#include "cpu/registers.h"

#define BIT_OF(cpu) (1u << (cpu))
#define CPU_8086 (BIT_OF(MOO_8088) | BIT_OF(MOO_8086))
#define CPU_NEC (BIT_OF(MOO_V20) | BIT_OF(MOO_V30))
#define CPU_OLD (CPU_8086 | CPU_NEC | BIT_OF(MOO_186))
#define CPU_286 BIT_OF(MOO_286)
#define CPU_386 BIT_OF(MOO_386)
#define CPU_ALL (BIT_OF(MOO_CPUS) - 1)
#define ARITHMETIC_FLAGS (FLAG_CF | FLAG_PF | FLAG_AF | FLAG_ZF | FLAG_SF | FLAG_OF)

/* ---- what rows look at */

static bool op(const struct moo_run *run, u8 opcode) { return !run->has_0f && run->opcode == opcode; }
static bool op_0f(const struct moo_run *run, u8 opcode) { return run->has_0f && run->extended == opcode; }
static unsigned reg(const struct moo_run *run) { return run->modrm >> 3 & 7; }
static bool is_register_form(const struct moo_run *run) { return run->modrm >= 0xC0; }
static bool in_group(const struct moo_run *run, u8 opcode) { return !run->has_0f && (run->opcode & 0xFE) == opcode; }

static bool has_prefix(const struct moo_run *run, u8 prefix)
{
    unsigned prefixes = run->length - 1 - run->has_0f;

    for (unsigned i = 0; i < prefixes; i++)
        if (run->test->code[i] == prefix)
            return true;
    return false;
}

/* The vector that the captured processor took; -1: none. */
static int taken(const struct moo_run *run) { return run->test->exception ? run->test->vector : -1; }

static bool expected_flag(const struct moo_run *run, u32 flag)
{
    const struct moo_test *test = run->test;
    bool final = test->final.present >> MOO_EFLAGS & 1;

    return ((final ? &test->final : &test->initial)->value[MOO_EFLAGS] & flag) != 0;
}

/* Without the HLT behind it. */
static unsigned instruction_size(const struct moo_run *run)
{
    return run->test->code_size - (run->captured >= MOO_286 ? 1 : 0);
}

static bool is_interrupt(const struct moo_run *run) { return op(run, 0xCC) || op(run, 0xCD) || op(run, 0xCE); }

/* A memory operand that is relative to SS unless a prefix says otherwise: forms with BP but that of an address alone.
 */
static bool is_stack_operand(const struct moo_run *run)
{
    unsigned rm = run->modrm & 7, mod = run->modrm >> 6;

    return mod != 3 && (rm == 2 || rm == 3 || (rm == 6 && mod != 0));
}

/* A word of the captured frame, from its lowest address. returns: ~0: the capture does not have it */
static u32 frame_word(const struct moo_run *run, unsigned offset)
{
    const struct moo_test *test = run->test;
    u32 ss = test->initial.value[MOO_SS] & 0xFFFF, word = ~0u, found = 0;

    for (u32 i = 0; i < test->after.count && found != 3; i++) {
        for (unsigned part = 0; part < 2; part++) {
            u16 sp = (u16)(test->final.value[MOO_ESP] + offset + part);

            if (moo_address_at(&test->after, i) != (ss << 4) + sp)
                continue;
            if (found == 0)
                word = 0;
            word |= (u32)moo_value_at(&test->after, i) << 8 * part;
            found |= 1u << part;
        }
    }
    return found == 3 ? word : ~0u;
}

static bool is_logic(const struct moo_run *run)
{
    if (run->has_0f)
        return false;
    switch (run->opcode & 0xF8) {
    case 0x08:
    case 0x20:
    case 0x30: return (run->opcode & 7) < 6;
    case 0x80: return run->opcode < 0x84 ? reg(run) == 1 || reg(run) == 4 || reg(run) == 6 : run->opcode < 0x86;
    case 0xA8: return run->opcode < 0xAA;
    default: return in_group(run, 0xF6) && reg(run) <= 1;
    }
}

static bool is_multiply(const struct moo_run *run)
{
    return op(run, 0x69) || op(run, 0x6B) || op_0f(run, 0xAF) ||
           (in_group(run, 0xF6) && (reg(run) == 4 || reg(run) == 5));
}

static bool is_divide(const struct moo_run *run) { return in_group(run, 0xF6) && reg(run) >= 6; }

static bool is_shift_group(const struct moo_run *run)
{
    return in_group(run, 0xC0) || in_group(run, 0xD0) || in_group(run, 0xD2);
}
static bool is_shift(const struct moo_run *run) { return is_shift_group(run) && reg(run) >= 4; }
static bool is_rotate(const struct moo_run *run) { return is_shift_group(run) && reg(run) < 4; }
static bool is_double_shift(const struct moo_run *run) { return run->has_0f && (run->extended & 0xF6) == 0xA4; }

static bool is_bit_test(const struct moo_run *run)
{
    return run->has_0f && ((run->extended & 0xE7) == 0xA3 || (run->extended == 0xBA && reg(run) >= 4));
}

/* The last byte before the HLT that ends a test: an immediate count. */
static u8 immediate(const struct moo_run *run)
{
    unsigned behind = run->captured >= MOO_286 ? 2 : 1;

    return run->test->code_size >= behind ? run->test->code[run->test->code_size - behind] : 0;
}

/* As the instruction uses it. */
static unsigned shift_count(const struct moo_run *run)
{
    u32 count;

    if (in_group(run, 0xD0))
        return 1;
    if (in_group(run, 0xC0) || op_0f(run, 0xA4) || op_0f(run, 0xAC))
        count = immediate(run);
    else
        count = run->test->initial.value[MOO_ECX] & 0xFF;
    return run->captured < MOO_V20 ? count : count & 31;
}

/* Of an instruction with a bit for the byte form. */
static unsigned operand_bits(const struct moo_run *run)
{
    if (!run->has_0f && !(run->opcode & 1))
        return 8;
    return run->captured == MOO_386 && has_prefix(run, 0x66) ? 32 : 16;
}

/* What the manuals of later processors give no meaning, or #UD. */
static bool is_undefined_form(const struct moo_run *run)
{
    switch (run->opcode) {
    case 0x0F: /* POP CS, where a second byte follows on later processors */
    case 0x63:
    case 0x64:
    case 0x65:
    case 0x66:
    case 0x67:
    case 0xD6:
    case 0xF1: return true;
    case 0x62:
    case 0x8D:
    case 0xC4:
    case 0xC5: return is_register_form(run);
    case 0x8C: return reg(run) > 5;
    case 0x8E: return reg(run) > 5 || reg(run) == 1;
    case 0x8F:
    case 0xC6:
    case 0xC7: return reg(run) != 0;
    case 0xFE: return reg(run) > 1;
    case 0xFF: return reg(run) == 7 || ((reg(run) == 3 || reg(run) == 5) && is_register_form(run));
    default: return has_prefix(run, 0xF0) || has_prefix(run, 0xF1);
    }
}

static bool is_8086_alias(const struct moo_run *run)
{
    return (run->opcode & 0xF0) == 0x60 || in_group(run, 0xC0) || in_group(run, 0xC8) || op(run, 0x0F);
}

static bool pushes_selector(const struct moo_run *run)
{
    return op(run, 0x06) || op(run, 0x0E) || op(run, 0x16) || op(run, 0x1E) || op_0f(run, 0xA0) || op_0f(run, 0xA8) ||
           op(run, 0x9A) || (op(run, 0xFF) && reg(run) == 3);
}

/* ---- rows */

#define DIFFERENCE(name, cpus, flags, when, reason, source)                                                            \
    static bool applies_##name(const struct moo_run *run) { return when; }
#include "conform/moo/differences.def"
#undef DIFFERENCE

static const struct moo_difference rows[] = {
#define DIFFERENCE(name, cpus, flags, when, reason, source) {#name, cpus, applies_##name, flags, reason, source},
#include "conform/moo/differences.def"
#undef DIFFERENCE
};

unsigned moo_difference_count(void) { return ARRAY_LEN(rows); }
const struct moo_difference *moo_difference_row(unsigned row) { return &rows[row]; }

unsigned moo_difference_find(const struct moo_run *run)
{
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        const struct moo_difference *row = &rows[i];

        if (!(row->cpus >> run->captured & 1) || !row->applies(run))
            continue;
        if (row->flags != 0 && (run->registers != 0 || run->memory || run->astray ||
                                ((run->flags | run->pushed_flags) & ~row->flags) != 0))
            continue;
        return i;
    }
    return ARRAY_LEN(rows);
}

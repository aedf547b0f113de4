/* SPDX-License-Identifier: MIT
 * Forms for plain memory: which decoded instructions may use the functions that leave out the segment's work.
 */
#include "cpu/isa/body.h"
#include "cpu/isa/insn.h"
#include "cpu/isa/table.h"

/* Choose the function of another form. returns: false when the instruction has none (one function for all forms), or is
 * forbidden. */
static bool take_form(struct insn *insn, enum form form)
{
    const struct body *body = insn_rows[insn->row].body;

    if (insn->exec != body->fn[insn->form][insn->width] || body->fn[form][insn->width] == NULL)
        return false;
    insn->exec = body->fn[form][insn->width];
    return true;
}

static enum width linear_width(u32 key) { return (key & KEY_WIDTH) == 2 ? W64 : W32; }

/* The base of FS or GS takes the place of an absent register.
 * returns: whether the segment is plain. */
static bool fold_segment(struct insn *insn, u32 key)
{
    size_t at = offsetof(struct cpu_arch, seg) + insn->seg * sizeof(struct segment) + offsetof(struct segment, base);
    u8 base = (u8)(at / sizeof(u64));

    if (insn->seg < FS) /* code segments cannot be written, except that 64-bit mode does not look */
        return (key & KEY_FLAT) != 0 && (insn->seg != CS || (key & KEY_WIDTH) == 2);
    if (!(key & (insn->seg == FS ? KEY_FLAT_FS : KEY_FLAT_GS)))
        return false;
    if (insn->base == REG_NONE)
        insn->base = base;
    else if (insn->index == REG_NONE)
        insn->index = base;
    else
        return false;
    return true;
}

/* Make the memory operand plain. in: forms without and with an index. returns: false when it is not. */
static bool take_plain(struct insn *insn, u32 key, enum form plain, enum form indexed)
{
    i64 disp = insn->disp;

    if (insn->address_width != linear_width(key))
        return false;
    if (insn->base == REG_RIP)
        disp += insn->end;
    if (disp != (i32)disp || !fold_segment(insn, key))
        return false;
    insn->disp = (i32)disp;
    return take_form(insn, insn->index == REG_NONE ? plain : indexed);
}

/* MOV with a direct offset is a MOV whose displacement is the offset. */
static bool take_plain_moffs(struct insn *insn, u32 key, enum form plain)
{
    const struct body *body = insn_rows[insn->row].body;
    i64 disp = insn->address_width == W32 ? (i32)(u32)insn->imm : (i64)insn->imm;

    if (insn->exec != body->fn[insn->form][insn->width] || insn->address_width != linear_width(key) ||
        disp != (i32)disp || !fold_segment(insn, key))
        return false;
    insn->disp = (i32)disp;
    insn->exec = op_mov.fn[plain][insn->width];
    return true;
}

static bool plain_stack(u32 key) { return (key & KEY_FLAT) && ((key & KEY_WIDTH) == 2 || (key & KEY_STACK32)); }

static bool take_plain_form(struct insn *insn, u32 key, bool stack)
{
    switch ((enum form)insn->form) {
    case FORM_RR: return stack && take_form(insn, FORM_RP);
    case FORM_RI: return stack && take_form(insn, FORM_PI);
    case FORM_RM: return take_plain(insn, key, FORM_RP, FORM_RX);
    case FORM_MR: return take_plain(insn, key, FORM_PR, FORM_XR);
    case FORM_MI: return take_plain(insn, key, FORM_PI, FORM_XI);
    default: return false;
    }
}

void insn_make_plain(struct insn *insn, u32 key)
{
    u32 attributes = insn_rows[insn->row].attributes;
    struct insn plain = *insn;
    bool stack = (attributes & STACK) != 0, made;

    if (attributes & ADDRESS)
        plain.seg = DS;
    if (stack && !plain_stack(key))
        return;
    if (insn_rows[insn->row].body == &op_mov_from_moffs)
        made = take_plain_moffs(&plain, key, FORM_RP);
    else if (insn_rows[insn->row].body == &op_mov_to_moffs)
        made = take_plain_moffs(&plain, key, FORM_PR);
    else
        made = take_plain_form(&plain, key, stack);
    if (made)
        *insn = plain;
}

void insn_make_near(struct insn *insn)
{
    if (!(insn_rows[insn->row].attributes & STACK))
        take_form(insn, FORM_PI);
}

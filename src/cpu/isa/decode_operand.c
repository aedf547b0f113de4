/* SPDX-License-Identifier: MIT
 * Operands: ModRM, SIB, displacement and immediates, normalised as insn.h says.
 * SDM 2A, "ModR/M and SIB Bytes", "Addressing-Mode Encoding", "REX Prefixes"; SDM 2D, "Key to Abbreviations".
 */
#include "cpu/isa/decode_operand.h"

#include "cpu/isa/table.h"

/* Where an operand kind is encoded. */
enum place {
    PLACE_NONE,
    PLACE_RM,
    PLACE_REG,
    PLACE_OPCODE,
    PLACE_SEGMENT,
    PLACE_FIXED,
    PLACE_RM_MEDIA,
    PLACE_REG_MEDIA,
    PLACE_STACK,
    PLACE_MOFFS,
    PLACE_IMMEDIATE,
};

/* What decides the width of an operand. */
enum size { SIZE_NONE, SIZE_B, SIZE_W, SIZE_D, SIZE_Q, SIZE_V, SIZE_Z, SIZE_Y, SIZE_CONTROL };

struct operand_shape {
    u8 place;
    u8 size;
    u8 mask; /* of the register number: MMX, segments and x87 ignore REX */
};

static const struct operand_shape shapes[OPERAND_KIND_COUNT] = {
    [E_b] = {PLACE_RM, SIZE_B, 15},          [E_w] = {PLACE_RM, SIZE_W, 15},
    [E_d] = {PLACE_RM, SIZE_D, 15},          [E_q] = {PLACE_RM, SIZE_Q, 15},
    [E_v] = {PLACE_RM, SIZE_V, 15},          [E_y] = {PLACE_RM, SIZE_Y, 15},
    [E_v64] = {PLACE_RM, SIZE_V, 15},        [G_b] = {PLACE_REG, SIZE_B, 15},
    [G_w] = {PLACE_REG, SIZE_W, 15},         [G_d] = {PLACE_REG, SIZE_D, 15},
    [G_q] = {PLACE_REG, SIZE_Q, 15},         [G_v] = {PLACE_REG, SIZE_V, 15},
    [G_y] = {PLACE_REG, SIZE_Y, 15},         [G_z] = {PLACE_REG, SIZE_Z, 15},
    [M_x] = {PLACE_RM, SIZE_NONE, 15},       [M_b] = {PLACE_RM, SIZE_B, 15},
    [M_w] = {PLACE_RM, SIZE_W, 15},          [M_d] = {PLACE_RM, SIZE_D, 15},
    [M_q] = {PLACE_RM, SIZE_Q, 15},          [M_v] = {PLACE_RM, SIZE_V, 15},
    [M_y] = {PLACE_RM, SIZE_Y, 15},          [M_p] = {PLACE_RM, SIZE_V, 15},
    [R_v] = {PLACE_RM, SIZE_V, 15},          [R_y] = {PLACE_RM, SIZE_Y, 15},
    [R_d] = {PLACE_RM, SIZE_D, 15},          [R_q] = {PLACE_RM, SIZE_Q, 15},
    [Z_b] = {PLACE_OPCODE, SIZE_B, 15},      [Z_v] = {PLACE_OPCODE, SIZE_V, 15},
    [Z_v64] = {PLACE_OPCODE, SIZE_V, 15},    [Z_y] = {PLACE_OPCODE, SIZE_Y, 15},
    [I_b] = {PLACE_IMMEDIATE, SIZE_NONE, 0}, [I_bs] = {PLACE_IMMEDIATE, SIZE_NONE, 0},
    [I_w] = {PLACE_IMMEDIATE, SIZE_NONE, 0}, [I_z] = {PLACE_IMMEDIATE, SIZE_NONE, 0},
    [I_v] = {PLACE_IMMEDIATE, SIZE_NONE, 0}, [I_1] = {PLACE_IMMEDIATE, SIZE_NONE, 0},
    [J_b] = {PLACE_IMMEDIATE, SIZE_NONE, 0}, [J_z] = {PLACE_IMMEDIATE, SIZE_NONE, 0},
    [A_p] = {PLACE_IMMEDIATE, SIZE_NONE, 0}, [O_b] = {PLACE_MOFFS, SIZE_B, 0},
    [O_v] = {PLACE_MOFFS, SIZE_V, 0},        [S_w] = {PLACE_SEGMENT, SIZE_NONE, 7},
    [C_y] = {PLACE_REG, SIZE_CONTROL, 15},   [D_y] = {PLACE_REG, SIZE_CONTROL, 15},
    [AL_] = {PLACE_FIXED, SIZE_B, RAX},      [AX_] = {PLACE_FIXED, SIZE_W, RAX},
    [rAX] = {PLACE_FIXED, SIZE_V, RAX},      [CL_] = {PLACE_FIXED, SIZE_NONE, RCX},
    [DX_] = {PLACE_FIXED, SIZE_NONE, RDX},   [V_x] = {PLACE_REG_MEDIA, SIZE_NONE, 15},
    [W_x] = {PLACE_RM_MEDIA, SIZE_NONE, 15}, [W_d] = {PLACE_RM_MEDIA, SIZE_D, 15},
    [W_q] = {PLACE_RM_MEDIA, SIZE_Q, 15},    [U_x] = {PLACE_RM_MEDIA, SIZE_NONE, 15},
    [P_q] = {PLACE_REG_MEDIA, SIZE_Q, 7},    [Q_q] = {PLACE_RM_MEDIA, SIZE_Q, 7},
    [Q_d] = {PLACE_RM_MEDIA, SIZE_D, 7},     [N_q] = {PLACE_RM_MEDIA, SIZE_Q, 7},
    [ST0] = {PLACE_FIXED, SIZE_NONE, 0},     [STi] = {PLACE_STACK, SIZE_NONE, 7},
};

static bool is_media(enum operand_kind kind)
{
    return shapes[kind].place == PLACE_RM_MEDIA || shapes[kind].place == PLACE_REG_MEDIA;
}

static enum width size_width(const struct decoder *d, enum size size)
{
    switch (size) {
    case SIZE_B: return W8;
    case SIZE_W: return W16;
    case SIZE_D: return W32;
    case SIZE_Q: return W64;
    case SIZE_Z: return d->operand == W64 ? W32 : d->operand;
    case SIZE_Y: return REX_W(d) ? W64 : W32;
    case SIZE_CONTROL: return d->mode64 ? W64 : W32;
    default: return d->operand;
    }
}

/* The row's width: see insn.h. MOV to and from control registers names R_y first, so C_y and D_y come before all. */
static enum width row_width(const struct decoder *d, const struct insn_row *row, const struct decode_entry *entry)
{
    if (row->attributes & W_B)
        return W8;
    if (entry->flags & ENTRY_MOD_IGNORED)
        return size_width(d, SIZE_CONTROL);
    for (unsigned media = 0; media < 2; media++) {
        for (unsigned i = 0; i < 3; i++) {
            enum operand_kind kind = (enum operand_kind)row->operand[i];

            if (shapes[kind].size != SIZE_NONE && is_media(kind) == (media == 1))
                return size_width(d, (enum size)shapes[kind].size);
        }
    }
    return d->operand;
}

/* ---- memory */

static void memory_16(struct decoder *d, struct insn *insn)
{
    static const u8 bases[8] = {RBX, RBX, RBP, RBP, RSI, RDI, RBP, RBX};
    static const u8 indexes[8] = {RSI, RDI, RSI, RDI, REG_NONE, REG_NONE, REG_NONE, REG_NONE};
    unsigned mod = insn->modrm >> 6, rm = insn->modrm & 7;

    insn->base = bases[rm];
    insn->index = indexes[rm];
    if (mod == 0 && rm == 6) {
        insn->base = REG_NONE;
        insn->disp = (i16)decoder_take(d, 2);
    } else if (mod == 1) {
        insn->disp = (i8)decoder_take(d, 1);
    } else if (mod == 2) {
        insn->disp = (i16)decoder_take(d, 2);
    }
}

static void memory_sib(struct decoder *d, struct insn *insn, unsigned mod)
{
    u8 sib = (u8)decoder_take(d, 1);
    unsigned index = ((sib >> 3) & 7) | REX_X(d);

    insn->scale = sib >> 6;
    insn->index = (u8)(index == RSP ? REG_NONE : index);
    if (insn->index == REG_NONE)
        insn->scale = 0;
    if ((sib & 7) == 5 && mod == 0) {
        insn->base = REG_NONE;
        insn->disp = (i32)decoder_take(d, 4);
    } else {
        insn->base = (u8)((sib & 7) | REX_B(d));
    }
}

static void memory_32_64(struct decoder *d, struct insn *insn)
{
    unsigned mod = insn->modrm >> 6, rm = insn->modrm & 7;

    if (rm == 4) {
        memory_sib(d, insn, mod);
    } else if (rm == 5 && mod == 0) {
        insn->base = d->mode64 ? REG_RIP : REG_NONE;
        insn->disp = (i32)decoder_take(d, 4);
    } else {
        insn->base = (u8)(rm | REX_B(d));
    }
    if (mod == 1)
        insn->disp = (i8)decoder_take(d, 1);
    else if (mod == 2)
        insn->disp = (i32)decoder_take(d, 4);
}

static void memory_operand(struct decoder *d, struct insn *insn)
{
    if (insn->address_width == W16)
        memory_16(d, insn);
    else
        memory_32_64(d, insn);
    if (d->override == SEG_NO_OVERRIDE && (insn->base == RSP || insn->base == RBP))
        insn->seg = SS;
}

/* ---- registers and immediates */

/* Without REX, byte registers 4-7 are the high bytes. */
static u8 register_number(const struct decoder *d, unsigned low, unsigned rex, enum operand_kind kind)
{
    if (shapes[kind].size == SIZE_B && !d->rex && low >= 4)
        return (u8)(REG8_HIGH + low - 4);
    return (u8)((low | rex) & shapes[kind].mask);
}

static void far_pointer(struct decoder *d, struct insn *insn)
{
    insn->imm = decoder_take(d, d->operand == W16 ? 2 : 4);
    insn->imm2 = (u16)decoder_take(d, 2);
}

static u64 immediate(struct decoder *d, enum operand_kind kind)
{
    switch (kind) {
    case I_1: return 1;
    case I_b: return decoder_take(d, 1);
    case I_w: return decoder_take(d, 2);
    case I_bs:
    case J_b: return sign_extend(decoder_take(d, 1), W8);
    case I_v: return decoder_take(d, width_bytes(d->operand));
    default:
        if (d->operand == W16)
            return sign_extend(decoder_take(d, 2), W16);
        return sign_extend(decoder_take(d, 4), W32);
    }
}

/* The segment register stands in ModRM.reg, or in the opcode of PUSH and POP. */
static u8 segment_number(const struct insn *insn, const struct decode_entry *entry)
{
    return ((entry->flags & ENTRY_MODRM ? insn->modrm : insn->opcode) >> 3) & 7;
}

enum operand_class { IS_ABSENT, IS_REGISTER, IS_MEMORY, IS_IMMEDIATE };

static enum operand_class decode_one(struct decoder *d, struct insn *insn, const struct decode_entry *entry,
                                     enum operand_kind kind, bool rm_memory, u8 *number, bool *second_immediate)
{
    switch ((enum place)shapes[kind].place) {
    case PLACE_NONE: return IS_ABSENT;
    case PLACE_RM:
    case PLACE_RM_MEDIA:
        if (rm_memory)
            return IS_MEMORY;
        *number = register_number(d, insn->modrm & 7, REX_B(d), kind);
        return IS_REGISTER;
    case PLACE_REG:
    case PLACE_REG_MEDIA: *number = register_number(d, (insn->modrm >> 3) & 7, REX_R(d), kind); return IS_REGISTER;
    case PLACE_OPCODE: *number = register_number(d, insn->opcode & 7, REX_B(d), kind); return IS_REGISTER;
    case PLACE_SEGMENT: *number = segment_number(insn, entry); return IS_REGISTER;
    case PLACE_STACK: *number = insn->modrm & 7; return IS_REGISTER;
    case PLACE_FIXED: *number = shapes[kind].mask; return IS_REGISTER;
    case PLACE_MOFFS: insn->imm = decoder_take(d, width_bytes((enum width)insn->address_width)); return IS_MEMORY;
    case PLACE_IMMEDIATE:
        if (kind == A_p)
            far_pointer(d, insn);
        else if (*second_immediate)
            insn->imm2 = (u16)immediate(d, kind);
        else
            insn->imm = immediate(d, kind);
        *second_immediate = true;
        return IS_IMMEDIATE;
    }
    return IS_ABSENT;
}

static enum form form_of(enum operand_class first, enum operand_class second)
{
    if (first == IS_MEMORY)
        return second == IS_IMMEDIATE ? FORM_MI : FORM_MR;
    if (second == IS_MEMORY)
        return FORM_RM;
    return first == IS_IMMEDIATE || second == IS_IMMEDIATE ? FORM_RI : FORM_RR;
}

/* IS-07: control registers 0, 2, 3, 4 and 8, debug registers 0-7, segment registers 0-5. */
static bool operand_exists(enum operand_kind kind, u8 number)
{
    switch (kind) {
    case S_w: return number <= GS;
    case C_y: return number == 0 || (number >= 2 && number <= 4) || number == 8;
    case D_y: return number <= 7;
    default: return true;
    }
}

bool decode_operands(struct decoder *d, struct insn *insn, const struct insn_row *row, const struct decode_entry *entry)
{
    bool rm_memory = (entry->flags & ENTRY_MODRM) && insn->modrm < 0xC0 && !(entry->flags & ENTRY_MOD_IGNORED);
    u8 *number[3] = {&insn->dst, &insn->src, &insn->reg3};
    enum operand_class class[3];
    bool second_immediate = false;

    insn->base = insn->index = REG_NONE;
    insn->seg = d->override == SEG_NO_OVERRIDE ? DS : d->override;
    if (rm_memory)
        memory_operand(d, insn);
    for (unsigned i = 0; i < 3; i++)
        class[i] =
            decode_one(d, insn, entry, (enum operand_kind)row->operand[i], rm_memory, number[i], &second_immediate);
    insn->form = (u8)form_of(class[0], class[1]);
    insn->width = (u8)row_width(d, row, entry);
    return operand_exists((enum operand_kind)row->operand[0], insn->dst) &&
           operand_exists((enum operand_kind)row->operand[1], insn->src);
}

/* SPDX-License-Identifier: MIT
 * A reading by Ringside's decoder: what struct insn holds, with the operand kinds of its row.
 */
#include "conform/decoder/reading.h"
#include "cpu/isa/forbidden.h"

/* An instruction under translation into a reading. */
struct translation {
    struct reading *r;
    const struct insn *insn;
    const struct insn_row *row;
    const struct facts *facts;
    unsigned immediates; /* how many have been taken */
};

static struct reading_operand *add(struct translation *t)
{
    struct reading_operand *o = &t->r->operand[t->r->count++];

    *o = (struct reading_operand){.kind = OPERAND_REGISTER};
    return o;
}

static void add_register(struct translation *t, enum register_file file, unsigned number, unsigned size)
{
    struct reading_operand *o;

    if (file == FILE_X87 && number == 0)
        return; /* neither reading lists it */
    o = add(t);
    o->file = (u8)file;
    o->number = (u8)number;
    o->size = (u8)size;
}

static u8 segment_that_matters(const struct translation *t, u8 seg)
{
    return t->facts->code == CODE64 && seg < FS ? DS : seg;
}

static void add_memory(struct translation *t, unsigned size)
{
    const struct insn *insn = t->insn;
    struct reading_operand *o = add(t);
    u64 mask = width_mask((enum width)insn->address_width);

    o->kind = OPERAND_MEMORY;
    o->size = (u8)size;
    o->seg = segment_that_matters(t, insn->seg);
    o->base = insn->base;
    o->index = insn->index;
    o->scale = insn->scale;
    o->address = (u8)width_bytes((enum width)insn->address_width);
    o->disp = (u64)(i64)insn->disp & mask;
}

static void add_moffs(struct translation *t, unsigned size)
{
    add_memory(t, size);
    t->r->operand[t->r->count - 1].disp = t->insn->imm;
}

static void add_immediate(struct translation *t, u64 value, u64 mask)
{
    struct reading_operand *o = add(t);

    o->kind = OPERAND_IMMEDIATE;
    o->value = value;
    o->mask = mask;
}

static void add_row_immediate(struct translation *t, enum operand_kind kind)
{
    const struct insn *insn = t->insn;
    u64 whole = width_mask((enum width)insn->width), value = t->immediates++ == 0 ? insn->imm : insn->imm2;

    switch (kind) {
    case I_b:
    case I_1:
    case I_w: add_immediate(t, value, ~0ull); break; /* no sign */
    case J_b:
    case J_z: add_immediate(t, reading_address(t->facts->code) + insn->length + insn->imm, whole); break;
    case A_p:
        add_immediate(t, insn->imm2, 0xFFFF);
        add_immediate(t, insn->imm, whole);
        break;
    default:
        add_immediate(t, value, insn->width == W8 ? ~0ull : whole);
        t->r->operand[t->r->count - 1].size = (u8)width_bytes((enum width)insn->width);
        break;
    }
}

/* Bytes of an operand by its kind; 0: the kind does not say. */
static unsigned operand_size(const struct translation *t, enum operand_kind kind)
{
    unsigned row = width_bytes((enum width)t->insn->width);

    switch (kind) {
    case E_b:
    case G_b:
    case M_b:
    case Z_b:
    case AL_:
    case CL_: return 1;
    case E_w:
    case G_w:
    case M_w:
    case AX_:
    case DX_: return 2;
    case E_d:
    case G_d:
    case M_d:
    case R_d:
    case W_d:
    case Q_d: return 4;
    case E_q:
    case G_q:
    case M_q:
    case R_q:
    case W_q:
    case Q_q: return 8;
    case W_x: return 16;
    case G_z: return row == 8 ? 4 : row;
    case G_y: return t->insn->prefixes & PREFIX_REX_W ? 8 : 4;
    case M_x:
    case M_p:
    case U_x:
    case V_x:
    case P_q:
    case N_q: return 0;
    default: return row;
    }
}

static enum register_file operand_file(enum operand_kind kind)
{
    switch (kind) {
    case S_w: return FILE_SEGMENT;
    case C_y: return FILE_CONTROL;
    case D_y: return FILE_DEBUG;
    case V_x:
    case W_x:
    case W_d:
    case W_q:
    case U_x: return FILE_XMM;
    case P_q:
    case Q_q:
    case Q_d:
    case N_q: return FILE_MMX;
    case ST0:
    case STi: return FILE_X87;
    default: return FILE_GPR;
    }
}

/* Whether operand i, 0 or 1, is the memory operand of the form. */
static bool is_memory(const struct insn *insn, unsigned i)
{
    return i == 0 ? insn->form == FORM_MR || insn->form == FORM_MI : i == 1 && insn->form == FORM_RM;
}

static void add_operand(struct translation *t, unsigned i)
{
    enum operand_kind kind = (enum operand_kind)t->row->operand[i];
    const u8 number[3] = {t->insn->dst, t->insn->src, t->insn->reg3};

    switch (kind) {
    case ___: break;
    case I_b:
    case I_bs:
    case I_w:
    case I_z:
    case I_v:
    case I_1:
    case J_b:
    case J_z:
    case A_p: add_row_immediate(t, kind); break;
    case O_b:
    case O_v: add_moffs(t, operand_size(t, kind)); break;
    default:
        if (is_memory(t->insn, i))
            add_memory(t, operand_size(t, kind));
        else
            add_register(t, operand_file(kind), number[i], operand_size(t, kind));
    }
}

/* ---- strings, whose operands the row does not name */

static void add_string_memory(struct translation *t, u8 base, u8 seg, unsigned size)
{
    struct reading_operand *o = add(t);

    o->kind = OPERAND_MEMORY;
    o->size = (u8)size;
    o->seg = segment_that_matters(t, seg);
    o->base = base;
    o->index = REG_NONE;
    o->address = (u8)width_bytes((enum width)t->insn->address_width);
}

static void add_string_operands(struct translation *t)
{
    unsigned size = width_bytes((enum width)t->insn->width), port = size == 8 ? 4 : size;
    u8 seg = t->insn->seg;

    switch (t->row->opcode & 0xFE) {
    case 0xA4:
        add_string_memory(t, RDI, ES, size);
        add_string_memory(t, RSI, seg, size);
        break;
    case 0xA6:
        add_string_memory(t, RSI, seg, size);
        add_string_memory(t, RDI, ES, size);
        break;
    case 0xAA:
        add_string_memory(t, RDI, ES, size);
        add_register(t, FILE_GPR, RAX, size);
        break;
    case 0xAC:
        add_register(t, FILE_GPR, RAX, size);
        add_string_memory(t, RSI, seg, size);
        break;
    case 0xAE:
        add_register(t, FILE_GPR, RAX, size);
        add_string_memory(t, RDI, ES, size);
        break;
    case 0x6C:
        add_string_memory(t, RDI, ES, port);
        add_register(t, FILE_GPR, RDX, 2);
        break;
    default:
        add_register(t, FILE_GPR, RDX, 2);
        add_string_memory(t, RSI, seg, port);
        break;
    }
}

void reading_of_ringside(struct reading *r, struct insn *insn, const struct facts *facts, const struct cpu_model *model)
{
    u32 key = (u32)facts->code | KEY_OSFXSR | KEY_OSXSAVE;
    struct translation t = {.r = r, .insn = insn, .facts = facts};

    *r = (struct reading){.valid = false};
    if (insn_decode(insn, facts->bytes, READING_BYTES, key, model) != DECODE_OK) {
        insn->row = (u16)insn_row_count;
        return;
    }
    r->length = insn->length;
    if (insn->row >= insn_row_count)
        return;
    t.row = &insn_rows[insn->row];
    r->name = t.row->mnemonic;
    /* In this state only LOCK is forbidden. */
    r->valid = forbidden_check(t.row, insn, key) == NULL;
    if (t.row->attributes & REPABLE)
        add_string_operands(&t);
    else
        for (unsigned i = 0; i < 3; i++)
            add_operand(&t, i);
}

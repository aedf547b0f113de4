/* SPDX-License-Identifier: MIT
 * A reading by Capstone, to which the bytes are shown in a form that it understands.
 *
 * Capstone 4 has two blind spots in the middle of all that is to be compared, so it is not asked about the bytes as
 * they are, but about other bytes that mean the same:
 *  - It takes 66, F2 and F3 for a mandatory prefix only directly before REX and opcode. Prefixes may stand in any order
 *    (SDM 2A, "Instruction Prefixes"; F3 and F2 win over 66, the last one of them over the other), so the one that
 *    decides is moved there.
 *  - In 16-bit code it mixes the operand size up with the mandatory prefix 66: 0F 58 is ADDPD to it. Such opcodes are
 *    shown as 32-bit code with the address size exchanged (67), and the operand size too (66) where an operand has it.
 */
#include "conform/decoder/reading.h"

#include <string.h>

#include "cpu/isa/match.h"

/* A register's file, number and size in one; 0: none that is known here. */
struct named_register {
    u8 known, file, number, size;
};

#define R(name, file, number, size) [X86_REG_##name] = {1, FILE_##file, number, size}
#define GPR_OLD(n, r8, r16, r32, r64) R(r8, GPR, n, 1), R(r16, GPR, n, 2), R(r32, GPR, n, 4), R(r64, GPR, n, 8)
#define GPR_NEW(n) R(R##n##B, GPR, n, 1), R(R##n##W, GPR, n, 2), R(R##n##D, GPR, n, 4), R(R##n, GPR, n, 8)
#define EIGHT(prefix, file, size)                                                                                      \
    R(prefix##0, file, 0, size), R(prefix##1, file, 1, size), R(prefix##2, file, 2, size),                             \
        R(prefix##3, file, 3, size), R(prefix##4, file, 4, size), R(prefix##5, file, 5, size),                         \
        R(prefix##6, file, 6, size), R(prefix##7, file, 7, size)
#define EIGHT_MORE(prefix, file, size)                                                                                 \
    R(prefix##8, file, 8, size), R(prefix##9, file, 9, size), R(prefix##10, file, 10, size),                           \
        R(prefix##11, file, 11, size), R(prefix##12, file, 12, size), R(prefix##13, file, 13, size),                   \
        R(prefix##14, file, 14, size), R(prefix##15, file, 15, size)

static const struct named_register registers[X86_REG_ENDING] = {
    GPR_OLD(0, AL, AX, EAX, RAX),
    GPR_OLD(1, CL, CX, ECX, RCX),
    GPR_OLD(2, DL, DX, EDX, RDX),
    GPR_OLD(3, BL, BX, EBX, RBX),
    GPR_OLD(4, SPL, SP, ESP, RSP),
    GPR_OLD(5, BPL, BP, EBP, RBP),
    GPR_OLD(6, SIL, SI, ESI, RSI),
    GPR_OLD(7, DIL, DI, EDI, RDI),
    GPR_NEW(8),
    GPR_NEW(9),
    GPR_NEW(10),
    GPR_NEW(11),
    GPR_NEW(12),
    GPR_NEW(13),
    GPR_NEW(14),
    GPR_NEW(15),
    R(AH, GPR, REG8_HIGH, 1),
    R(CH, GPR, REG8_HIGH + 1, 1),
    R(DH, GPR, REG8_HIGH + 2, 1),
    R(BH, GPR, REG8_HIGH + 3, 1),
    R(ES, SEGMENT, ES, 2),
    R(CS, SEGMENT, CS, 2),
    R(SS, SEGMENT, SS, 2),
    R(DS, SEGMENT, DS, 2),
    R(FS, SEGMENT, FS, 2),
    R(GS, SEGMENT, GS, 2),
    R(IP, GPR, REG_RIP, 2),
    R(EIP, GPR, REG_RIP, 4),
    R(RIP, GPR, REG_RIP, 8),
    EIGHT(CR, CONTROL, 0),
    EIGHT_MORE(CR, CONTROL, 0),
    EIGHT(DR, DEBUG, 0),
    EIGHT_MORE(DR, DEBUG, 0),
    EIGHT(MM, MMX, 0),
    EIGHT(XMM, XMM, 0),
    EIGHT_MORE(XMM, XMM, 0),
    EIGHT(ST, X87, 0),
};

static void read_register(struct reading_operand *o, x86_reg reg)
{
    const struct named_register *n = &registers[reg];

    o->kind = OPERAND_REGISTER;
    o->file = n->known ? n->file : FILE_OTHER;
    o->number = n->number;
    o->size = n->size;
}

static u8 scale_shift(int scale) { return scale == 8 ? 3 : scale == 4 ? 2 : scale == 2 ? 1 : 0; }

static void read_memory(struct reading_operand *o, const x86_op_mem *mem, unsigned size, const cs_x86 *x,
                        enum code_size code)
{
    const struct named_register *base = &registers[mem->base], *index = &registers[mem->index];

    o->kind = OPERAND_MEMORY;
    o->size = (u8)size;
    o->base = base->known ? base->number : REG_NONE;
    o->index = index->known ? index->number : REG_NONE;
    o->scale = index->known ? scale_shift(mem->scale) : 0;
    o->address = base->known ? base->size : index->known ? index->size : 0;
    o->disp = (u64)mem->disp & (x->addr_size == 2 ? 0xFFFF : x->addr_size == 4 ? 0xFFFFFFFF : ~0ull);
    if (mem->segment != X86_REG_INVALID)
        o->seg = registers[mem->segment].number;
    else
        o->seg = o->base == RSP || o->base == RBP ? SS : DS;
    if (code == CODE64 && o->seg < FS)
        o->seg = DS;
}

static void read_operand(struct reading *r, const cs_x86_op *op, const cs_x86 *x, enum code_size code)
{
    struct reading_operand *o = &r->operand[r->count];

    if (op->type == X86_OP_REG && op->reg == X86_REG_ST0)
        return; /* named by some and implied by others */
    *o = (struct reading_operand){.kind = OPERAND_IMMEDIATE, .value = (u64)op->imm, .mask = ~0ull, .size = op->size};
    if (op->type == X86_OP_REG)
        read_register(o, op->reg);
    else if (op->type == X86_OP_MEM)
        read_memory(o, &op->mem, op->size, x, code);
    r->count++;
}

/* ---- what is shown */

/* Bytes that mean the same as others, maybe in another code size. */
struct view {
    enum code_size code;
    u8 bytes[READING_BYTES + 2];
    unsigned count;
    int longer; /* than the original, in bytes */
    bool once;
};

static bool has_operand_size(const struct insn_row *row)
{
    for (unsigned i = 0; i < 3; i++) {
        switch (row->operand[i]) {
        case E_v:
        case G_v:
        case M_v:
        case R_v: return true;
        default: break;
        }
    }
    return false;
}

static bool row_may_have(const struct insn_row *row, unsigned modrm)
{
    unsigned extension = entry_make(0, row->prefix, row->extension, row->operand).extension;

    if ((extension & 0x800) && modrm != (extension & 0xFF))
        return false;
    if ((extension & 0xC00) == 0x400 && ((modrm >> 3) & 7) != (extension & 7))
        return false;
    extension = extension & 0x800 ? 0 : extension & (XM | XR);
    return extension == 0 || extension == (XM | XR) || (extension == XM) == (modrm < 0xC0);
}

static void learn_row(struct capstone *c, const struct insn_row *row)
{
    c->chosen[row->map][row->opcode] |= row->prefix != P__;
    for (unsigned modrm = 0; modrm < 256 && has_operand_size(row); modrm++)
        c->sized[row->map][row->opcode][modrm] |= row_may_have(row, modrm);
}

bool capstone_open(struct capstone *c)
{
    static const cs_mode modes[CODE_SIZES] = {CS_MODE_16, CS_MODE_32, CS_MODE_64};

    memset(c, 0, sizeof *c);
    for (unsigned i = 0; i < insn_row_count; i++)
        learn_row(c, &insn_rows[i]);
    for (unsigned i = 0; i < CODE_SIZES; i++) {
        if (cs_open(CS_ARCH_X86, modes[i], &c->handle[i]) != CS_ERR_OK ||
            cs_option(c->handle[i], CS_OPT_DETAIL, CS_OPT_ON) != CS_ERR_OK) {
            capstone_close(c);
            return false;
        }
    }
    c->text = cs_malloc(c->handle[0]);
    if (c->text == NULL)
        capstone_close(c);
    return c->text != NULL;
}

void capstone_close(struct capstone *c)
{
    if (c->text != NULL)
        cs_free(c->text, 1);
    for (unsigned i = 0; i < CODE_SIZES; i++)
        if (c->handle[i] != 0)
            cs_close(&c->handle[i]);
    memset(c, 0, sizeof *c);
}

/* Prefixes are not repeated where one is added, for it must not take the place of the instruction's 15th byte. */
static void put(struct view *v, u8 byte)
{
    if (!v->once || memchr(v->bytes, byte, v->count) == NULL)
        v->bytes[v->count++] = byte;
}

/* All prefixes of the original that are this byte. */
static void put_all(struct view *v, const struct facts *facts, unsigned end, u8 byte)
{
    for (unsigned i = 0; i < end; i++)
        if (facts->bytes[i] == byte)
            put(v, byte);
}

/* What is neither 66 nor the F2 or F3 that decides. */
static void put_others(struct view *v, const struct facts *facts, unsigned end, bool no67)
{
    for (unsigned i = 0; i < end; i++)
        if (facts->bytes[i] != 0x66 && facts->bytes[i] != facts->repeat && !(no67 && facts->bytes[i] == 0x67) &&
            !(v->once && memchr(facts->bytes + i + 1, facts->bytes[i], end - i - 1) != NULL))
            put(v, facts->bytes[i]); /* of segments the last one counts */
}

static void view_make(struct view *v, const struct capstone *capstone, const struct facts *facts)
{
    unsigned escape = facts->map == M1 ? 0 : facts->map == M2 ? 1 : 2;
    unsigned end = facts->opcode_at - escape - (facts->rex != 0);
    bool chosen = capstone->chosen[facts->map][facts->opcode];
    bool as32 = chosen && facts->code == CODE16 && facts->map != M1;
    bool sized = as32 && capstone->sized[facts->map][facts->opcode][facts->modrm];

    *v = (struct view){.code = as32 ? CODE32 : facts->code, .once = as32};
    if (as32 && !(facts->prefixes & HAS_67))
        put(v, 0x67);
    put_others(v, facts, end, as32);
    if (!chosen && facts->repeat != 0)
        put_all(v, facts, end, facts->repeat);
    if (sized && !(facts->prefixes & HAS_66))
        put(v, 0x66);
    else if (!sized)
        put_all(v, facts, end, 0x66);
    if (chosen && facts->repeat != 0)
        put_all(v, facts, end, facts->repeat);
    v->longer = (int)v->count - (int)end;
    memcpy(v->bytes + v->count, facts->bytes + end, READING_BYTES - end);
    v->count += READING_BYTES - end;
}

void reading_of_capstone(struct reading *r, struct capstone *capstone, const struct facts *facts)
{
    struct view view;
    cs_insn *text = capstone->text;
    const cs_x86 *x = &text->detail->x86;
    const u8 *at = view.bytes;
    u64 address = reading_address(facts->code);
    size_t left;

    view_make(&view, capstone, facts);
    left = view.count;
    *r = (struct reading){.valid = false};
    if (!cs_disasm_iter(capstone->handle[view.code], &at, &left, &address, text))
        return;
    r->length = (u8)(text->size - view.longer);
    r->valid = r->length <= 15; /* of the bytes shown Capstone says the same */
    if (!r->valid)
        return;
    r->name = cs_insn_name(capstone->handle[view.code], text->id);
    for (unsigned i = 0; i < x->op_count && r->count < READING_OPERANDS; i++)
        read_operand(r, &x->operands[i], x, facts->code);
}

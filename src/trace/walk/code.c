/* SPDX-License-Identifier: MIT
 * Instructions classified for a walk. SDM 2, "Instruction Format", "Opcode Map".
 */
#include "trace/walk/code.h"

#include <string.h>

#define SP 4u /* number of the stack pointer in ModRM and SIB */

struct cursor {
    const u8 *next, *end;
};

static int take(struct cursor *c) { return c->next < c->end ? *c->next++ : -1; }

static bool is_prefix(u8 byte, bool is64)
{
    switch (byte) {
    case 0x26:
    case 0x2E:
    case 0x36:
    case 0x3E:
    case 0x64:
    case 0x65:
    case 0x66:
    case 0x67:
    case 0xF0:
    case 0xF2:
    case 0xF3: return true;
    default: return is64 && (byte & 0xF0) == 0x40;
    }
}

/* The memory operand of a store: only one relative to the stack pointer, without an index, is told.
 * in: extended  REX.X or REX.B is set: then number 4 is R12 */
static void stack_operand(struct code *code, struct cursor *c, int modrm, bool extended)
{
    int mod = modrm >> 6, sib, byte;
    i32 wide;

    if (mod == 3 || (modrm & 7) != SP || extended)
        return;
    sib = take(c);
    if (sib < 0 || (sib & 7) != SP || (sib >> 3 & 7) != SP)
        return;
    if (mod == 1) {
        byte = take(c);
        if (byte < 0)
            return;
        code->displacement = (i8)byte;
    } else if (mod == 2) {
        if (c->end - c->next < 4)
            return;
        memcpy(&wide, c->next, 4);
        code->displacement = wide;
    }
    code->store = CODE_STORES;
}

static void two_byte(struct code *code, struct cursor *c)
{
    int opcode = take(c);

    if (opcode == 0xA0 || opcode == 0xA8) /* push fs, gs */
        code->store = CODE_PUSHES;
    code->scratch = opcode == 0x20; /* mov from a control register */
}

static void group5(struct code *code, int modrm)
{
    if (modrm < 0)
        return;
    switch (modrm >> 3 & 7) {
    case 2: code->flow = CODE_CALL; break;
    case 4: code->flow = CODE_JUMP; break;
    case 6: code->store = CODE_PUSHES; break;
    default: break;
    }
}

struct code code_classify(const u8 *bytes, size_t length, bool is64)
{
    struct code code = {.flow = CODE_NEXT, .store = CODE_STORES_NOTHING};
    struct cursor c = {bytes, bytes + length};
    bool extended = false;
    int opcode, modrm;

    while (c.next < c.end && is_prefix(*c.next, is64)) {
        extended = is64 && (*c.next & 0xF0) == 0x40 && (*c.next & 3) != 0; /* REX.X, REX.B */
        c.next++;
    }
    opcode = take(&c);
    if (opcode >= 0x50 && opcode <= 0x57) {
        code.store = CODE_PUSHES;
        return code;
    }
    switch (opcode) {
    case 0x06: /* push es, cs, ss, ds */
    case 0x0E:
    case 0x16:
    case 0x1E:
        if (!is64)
            code.store = CODE_PUSHES;
        break;
    case 0x68:
    case 0x6A:
    case 0x9C: code.store = CODE_PUSHES; break;
    case 0x0F: two_byte(&code, &c); break;
    case 0x88: /* mov */
    case 0x89:
    case 0x8C:
    case 0xC6:
    case 0xC7:
        modrm = take(&c);
        if (modrm >= 0)
            stack_operand(&code, &c, modrm, extended);
        break;
    case 0xC2:
    case 0xC3: code.flow = CODE_RETURN; break;
    case 0xE8: code.flow = CODE_CALL; break;
    case 0xE9:
    case 0xEB: code.flow = CODE_JUMP; break;
    case 0xFF: group5(&code, take(&c)); break;
    default: break;
    }
    return code;
}

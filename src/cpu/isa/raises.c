/* SPDX-License-Identifier: MIT
 * Which exceptions an instruction may raise. SDM 2A, "Exceptions" of each instruction; SDM 3A, "Exception and Interrupt
 * Reference".
 */
#include "cpu/isa/raises.h"

#include "cpu/isa/body.h"
#include "cpu/isa/forbidden.h"
#include "cpu/isa/match.h"
#include "cpu/isa/table.h"

enum {
    R_DE = 1 << VEC_DE,
    R_DB = 1 << VEC_DB,
    R_BP = 1 << VEC_BP,
    R_OF = 1 << VEC_OF,
    R_BR = 1 << VEC_BR,
    R_UD = 1 << VEC_UD,
    R_NM = 1 << VEC_NM,
    R_TS = 1 << VEC_TS,
    R_NP = 1 << VEC_NP,
    R_SS = 1 << VEC_SS,
    R_GP = 1 << VEC_GP,
    R_PF = 1 << VEC_PF,
    R_MF = 1 << VEC_MF,
    R_AC = 1 << VEC_AC,
    R_XM = 1 << VEC_XM,
    STACK_ACCESS = R_SS | R_PF | R_AC, /* a non-canonical address is #SS too */
    MEMORY_ACCESS = R_SS | R_GP | R_PF | R_AC,
    LOADS_SEGMENT = R_NP | R_GP | R_SS | R_PF, /* #SS: SS not present */
    TRANSFERS = R_GP | R_NP | R_SS | R_TS | R_PF,
};

/* What raises.def says of a body. */
struct body_raises {
    const struct body *body;
    u32 vectors;
    bool no_access, no_wait;
};

static const struct body_raises bodies[] = {
#define RAISES(name, bits) {.body = &name, .vectors = (bits)},
#define NO_ACCESS(name) {.body = &name, .no_access = true},
#define NO_WAIT(name) {.body = &name, .no_wait = true},
#include "cpu/isa/raises.def"
#undef RAISES
#undef NO_ACCESS
#undef NO_WAIT
};

static struct body_raises of_body(const struct body *body)
{
    struct body_raises all = {.body = body};

    for (unsigned i = 0; i < ARRAY_LEN(bodies); i++) {
        if (bodies[i].body != body)
            continue;
        all.vectors |= bodies[i].vectors;
        all.no_access |= bodies[i].no_access;
        all.no_wait |= bodies[i].no_wait;
    }
    return all;
}

static bool is_byte(enum operand_kind kind) { return kind == E_b || kind == M_b || kind == O_b; }

/* The memory that an operand names. Nothing is aligned by #AC where AL16 asks for more by #GP, where an operand is a
 * byte, and where CPL is never 3. */
static u32 memory_vectors(const struct insn_row *row)
{
    u32 vectors = 0;

    for (unsigned i = 0; i < 3; i++) {
        enum operand_kind kind = (enum operand_kind)row->operand[i];
        bool offset = kind == O_b || kind == O_v;

        if (!offset && (!(operand_modrm(kind) & XM) || (row->extension & XR)))
            continue;
        vectors |= MEMORY_ACCESS;
        if (is_byte(kind) || (row->attributes & (AL16 | CPL0)))
            vectors &= ~(u32)R_AC;
    }
    return vectors;
}

static u32 attribute_vectors(u32 attributes, bool waits)
{
    u32 vectors = 0;

    if (attributes & CPL0)
        vectors |= R_GP;
    if (attributes & (NOREAL | NEEDS_XSAVE | MMX | SSE))
        vectors |= R_UD;
    if (attributes & (X87 | MMX | SSE | WAITS))
        vectors |= R_NM;
    if ((attributes & MMX) || ((attributes & X87) && waits))
        vectors |= R_MF;
    if (attributes & STACK)
        vectors |= STACK_ACCESS;
    if (attributes & BRANCH)
        vectors |= R_GP;
    return vectors;
}

u32 insn_may_raise(const struct insn_row *row)
{
    struct body_raises of = of_body(row->body);
    u32 vectors = of.vectors | attribute_vectors(row->attributes, !of.no_wait);

    if (row->body == &forbidden_undefined_body)
        return R_UD;
    if (!of.no_access)
        vectors |= memory_vectors(row);
    if (row->attributes & W_B)
        vectors &= ~(u32)R_AC;
    return vectors;
}

bool insn_may_raise_vector(const struct insn *insn, u8 vector)
{
    const struct insn_row *row = &insn_rows[insn->row];
    bool memory = insn->form == FORM_MR || insn->form == FORM_MI;

    if (vector == VEC_UD && (insn->prefixes & PREFIX_LOCK) && !((row->attributes & LOCK) && memory))
        return true;
    if (row->body == &op_int && vector == (u8)insn->imm)
        return true;
    return vector < 32 && (insn_may_raise(row) >> vector & 1);
}

/* SPDX-License-Identifier: MIT
 * What a row of insn.def claims of the opcode space: shared by the decoder's index, which a build-time program makes,
 * and by the overlap test.
 */
#ifndef RINGSIDE_CPU_ISA_MATCH_H
#define RINGSIDE_CPU_ISA_MATCH_H

#include "base/types.h"
#include "cpu/isa/table.h"

/* A row in the decoder's index. */
struct decode_entry {
    u16 row;
    u16 extension; /* with the XM or XR that the operands imply */
    u8 prefix;
    u8 flags;
};

enum entry_flag {
    ENTRY_MODRM = 1,
    ENTRY_RANGE = 2,       /* Z operand: eight opcodes */
    ENTRY_MOD_IGNORED = 4, /* control and debug registers: always the register form */
    ENTRY_SIZE64 = 8,      /* a _v64 operand: like D64 */
};

struct decode_bucket {
    u16 first;
    u8 count;
    u8 modrm;
};

/* Which forms of ModRM.rm an operand kind allows: 0 = says nothing, else XM, XR, or XM|XR for both. */
static inline unsigned operand_modrm(enum operand_kind kind)
{
    switch (kind) {
    case E_b:
    case E_w:
    case E_d:
    case E_q:
    case E_v:
    case E_y:
    case E_v64:
    case W_x:
    case W_d:
    case W_q:
    case Q_q:
    case Q_d: return XM | XR;
    case M_x:
    case M_b:
    case M_w:
    case M_d:
    case M_q:
    case M_v:
    case M_y:
    case M_p: return XM;
    case R_v:
    case R_y:
    case R_d:
    case R_q:
    case U_x:
    case N_q: return XR;
    default: return 0;
    }
}

static inline bool operand_uses_reg_field(enum operand_kind kind)
{
    switch (kind) {
    case G_b:
    case G_w:
    case G_d:
    case G_q:
    case G_v:
    case G_y:
    case G_z:
    case C_y:
    case D_y:
    case V_x:
    case P_q: return true;
    default: return false;
    }
}

static inline struct decode_entry entry_make(u16 row, u8 prefix, u16 extension, const u8 operand[3])
{
    struct decode_entry entry = {.row = row, .extension = extension, .prefix = prefix};

    if (extension != X__)
        entry.flags |= ENTRY_MODRM;
    for (unsigned i = 0; i < 3; i++) {
        enum operand_kind kind = (enum operand_kind)operand[i];

        if (operand_modrm(kind) || operand_uses_reg_field(kind))
            entry.flags |= ENTRY_MODRM;
        if (kind == Z_b || kind == Z_v || kind == Z_v64 || kind == Z_y)
            entry.flags |= ENTRY_RANGE;
        if (kind == C_y || kind == D_y)
            entry.flags |= ENTRY_MOD_IGNORED;
        if (kind == E_v64 || kind == Z_v64)
            entry.flags |= ENTRY_SIZE64;
    }
    if (!(extension & 0x800) && !(entry.flags & ENTRY_MOD_IGNORED)) {
        for (unsigned i = 0; i < 3; i++) {
            unsigned forms = operand_modrm((enum operand_kind)operand[i]);

            if (forms == XM || forms == XR)
                entry.extension |= (u16)forms;
        }
    }
    return entry;
}

/* Higher wins: the whole ModRM byte, digit and form, digit, form, nothing; then a mandatory prefix; then an exact
 * opcode over a range. */
static inline unsigned entry_specificity(const struct decode_entry *entry)
{
    unsigned extension = entry->extension & 0x800 ? 8u : 0;

    if (!extension)
        extension = (entry->extension & 0x400 ? 2u : 0) + (entry->extension & (XM | XR) ? 1u : 0);
    return extension * 4 + (entry->prefix != P__ ? 2u : 0) + (entry->flags & ENTRY_RANGE ? 0 : 1u);
}

#endif

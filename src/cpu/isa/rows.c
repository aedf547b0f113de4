/* SPDX-License-Identifier: MIT
 * The table of instructions, from insn.def, and the row that stands for everything undefined.
 */
#include "cpu/isa/body.h"
#include "cpu/isa/forbidden.h"
#include "cpu/isa/table.h"

const struct insn_row insn_rows[] = {
#define INSN(map, op, prefix, ext, mnemonic, o1, o2, o3, attributes, feature, body, source)                            \
    {mnemonic, map, prefix, op, ext, {o1, o2, o3}, attributes, FEAT_##feature, &body, source},
#include "cpu/isa/insn.def"
#undef INSN
    {"(undefined)",
     M1,
     P__,
     0,
     X__,
     {___, ___, ___},
     END_BLK,
     FEAT_ALWAYS,
     &forbidden_undefined_body,
     "2D \"Opcode Map\": reserved or not supported"},
};

const unsigned insn_row_count = ARRAY_LEN(insn_rows) - 1;

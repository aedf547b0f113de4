/* SPDX-License-Identifier: MIT
 * An encoding of a row, chosen at random among those that decode to it.
 */
#ifndef RINGSIDE_TOOLS_ENCODE_H
#define RINGSIDE_TOOLS_ENCODE_H

#include "generate.h"

struct encoding {
    u8 bytes[15];
    u8 length;
    u8 modrm_at;           /* 0: none that matters */
    u8 disp_at, disp_size; /* of the displacement, 0: none */
    struct insn insn;
    const struct insn_row *row;
};

/* returns: false when the row has no encoding in this mode, or none was found in a few tries */
bool encode_row(struct rng *rng, const struct cpu_model *model, unsigned row, enum hardware_mode mode,
                struct encoding *e);
/* Decode again after bytes were changed. returns: false when they are no longer the same row and length */
bool encode_again(struct encoding *e, const struct cpu_model *model, enum hardware_mode mode);

/* The instruction reads or writes memory by its own operand. */
bool encode_has_memory(const struct encoding *e);

#endif

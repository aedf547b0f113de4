/* SPDX-License-Identifier: MIT
 * Making cases: for every row of the instruction table its encodings, and operands worth trying.
 */
#ifndef RINGSIDE_TOOLS_GENERATE_H
#define RINGSIDE_TOOLS_GENERATE_H

#include "conform/hardware/corpus.h"
#include "cpu/isa/insn.h"

/* The same seed gives the same numbers everywhere. */
struct rng {
    u64 state;
};
u64 rng_next(struct rng *rng);
/* 0 .. below-1 */
u32 rng_below(struct rng *rng, u32 below);
bool rng_chance(struct rng *rng, u32 percent);

/* Why a row's instruction is not recorded, or NULL when it is. source: docs/hardware-corpus.md prints the reasons. */
const char *generate_excuse(const struct insn_row *row);
/* Decode key of code in a mode, at CPL 3 as Linux sets the processor up. */
u32 generate_key(enum hardware_mode mode);

/* States that cases begin from before their operands are chosen: the same registers again and again, so that a corpus
 * is small. index: below GENERATE_POOL. */
#define GENERATE_POOL 32u
void generate_pool_state(enum hardware_mode mode, unsigned index, struct hardware_state *state);

/* Make a case of a row in a mode. model: what the decoder may assume of the processor.
 * returns: false when the row has no such instruction in this mode, or none was found in a few tries */
bool generate_case(struct rng *rng, const struct cpu_model *model, unsigned row, enum hardware_mode mode,
                   struct hardware_case *c);

/* Of any bytes: what is reserved, mostly. */
bool generate_undefined(struct rng *rng, const struct cpu_model *model, enum hardware_mode mode,
                        struct hardware_case *c);

#endif

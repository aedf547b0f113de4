/* SPDX-License-Identifier: MIT
 * Operands worth trying: where results carry, saturate, round or fail.
 */
#ifndef RINGSIDE_TOOLS_VALUES_H
#define RINGSIDE_TOOLS_VALUES_H

#include "generate.h"

u64 value_integer(struct rng *rng);
u32 value_single(struct rng *rng);
u64 value_double(struct rng *rng);
/* 80-bit extended: 10 bytes. */
void value_extended(struct rng *rng, u8 *bytes);
/* 16 bytes as integers, singles or doubles. */
void value_vector(struct rng *rng, u8 *bytes);
/* A selector: of the GDT, the LDT, null, privileged, absent, past a table. */
u16 value_selector(struct rng *rng);
/* One that a far transfer to this mode's own kind of code may take. */
u16 value_code_selector(struct rng *rng, enum hardware_mode mode);

#endif

/* SPDX-License-Identifier: MIT
 * Which row of the instruction table a case of a corpus executes.
 */
#ifndef RINGSIDE_CONFORM_HARDWARE_CLASSIFY_H
#define RINGSIDE_CONFORM_HARDWARE_CLASSIFY_H

#include "conform/hardware/corpus.h"
#include "cpu/isa/insn.h"

/* The model that a corpus of this vendor is replayed on. returns: false with err set */
bool hardware_model(struct cpu_model *model, enum cpu_vendor vendor, struct error *err);

/* Decode the case's bytes as CPL 3 of its mode does; behind them stands INT3. insn.row indexes insn_rows[]; it is
 * insn_row_count when nothing matches, or when more than 15 bytes would be needed. */
void hardware_classify(struct insn *insn, const struct hardware_case *c, const struct cpu_model *model);

#endif

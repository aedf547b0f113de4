/* SPDX-License-Identifier: MIT
 * Byte strings to decode: the encodings of a row, the rows of the opcode maps, and random ones.
 */
#ifndef RINGSIDE_CONFORM_DECODER_ENCODINGS_H
#define RINGSIDE_CONFORM_DECODER_ENCODINGS_H

#include "conform/decoder/reading.h"

/* Takes READING_BYTES bytes, of which the first ones are an encoding and the others random. */
typedef void encoding_visit(void *context, const u8 *bytes);

/* Every operand form of a row: each ModRM byte that it allows, classes of SIB bytes, prefixes one by one and in pairs.
 * quick: fewer of each */
void encodings_of_row(const struct insn_row *row, enum code_size code, bool quick, encoding_visit *visit,
                      void *context);

/* Sixteen opcodes of a map, high half of the opcode given: every ModRM byte under each kind of mandatory prefix. */
void encodings_of_map(enum insn_map map, unsigned high, enum code_size code, bool quick, encoding_visit *visit,
                      void *context);

/* Random bytes: raw, behind random prefixes, and with the opcode of a random row.  seed: the same gives the same */
void encodings_random(unsigned seed, unsigned count, enum code_size code, encoding_visit *visit, void *context);

#endif

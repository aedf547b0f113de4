/* SPDX-License-Identifier: MIT
 * The decoder's second half: from a selected row to registers, memory operand and immediates. Private to the decoder.
 */
#ifndef RINGSIDE_CPU_ISA_DECODE_OPERAND_H
#define RINGSIDE_CPU_ISA_DECODE_OPERAND_H

#include "cpu/isa/insn.h"
#include "cpu/isa/match.h"

#define INSN_MAX_BYTES 15u

/* The byte stream and what the prefixes said. */
struct decoder {
    const u8 *bytes;
    unsigned position, limit;
    bool ended; /* a byte past the limit was wanted: everything read since is 0 */
    bool mode64;
    u8 rex;             /* the REX byte, or 0 */
    u8 override;        /* enum seg, or SEG_NO_OVERRIDE */
    enum width operand; /* effective operand size */
};

#define SEG_NO_OVERRIDE 0xFFu

#define REX_B(d) ((unsigned)((d)->rex & 1) << 3)
#define REX_X(d) ((unsigned)((d)->rex & 2) << 2)
#define REX_R(d) ((unsigned)((d)->rex & 4) << 1)
#define REX_W(d) (((d)->rex & 8) != 0)

/* Take the next 1, 2, 4 or 8 bytes, zero-extended. */
ALWAYS_INLINE u64 decoder_take(struct decoder *d, unsigned size)
{
    u64 value = 0;

    if (UNLIKELY(d->position + size > d->limit)) {
        d->ended = true;
        return 0;
    }
    memcpy(&value, d->bytes + d->position, size);
    d->position += size;
    return value;
}

/* Decode the operands of a row.
 * in:      d  positioned behind the ModRM byte (or the opcode); insn with modrm, opcode, prefixes, address_width
 * returns: false when the operands are not encodable (a segment register that does not exist): #UD
 * effects: fills form, width, registers, memory operand and immediates of insn; d->ended tells that bytes ran out */
bool decode_operands(struct decoder *d, struct insn *insn, const struct insn_row *row,
                     const struct decode_entry *entry);

#endif

/* SPDX-License-Identifier: MIT
 * What a decoder read in some bytes, in a form that two decoders can be compared by: length, name, operands.
 */
#ifndef RINGSIDE_CONFORM_DECODER_READING_H
#define RINGSIDE_CONFORM_DECODER_READING_H

#include <capstone/capstone.h>
#include <stdio.h>

#include "cpu/isa/insn.h"
#include "cpu/isa/table.h"

/* Bytes that are shown to both: one more than an instruction may have. */
#define READING_BYTES 16u
#define READING_OPERANDS 5u

enum code_size { CODE16, CODE32, CODE64, CODE_SIZES };

enum register_file { FILE_GPR, FILE_SEGMENT, FILE_CONTROL, FILE_DEBUG, FILE_MMX, FILE_XMM, FILE_X87, FILE_OTHER };

struct reading_operand {
    enum { OPERAND_REGISTER, OPERAND_MEMORY, OPERAND_IMMEDIATE } kind;
    u8 size; /* bytes; 0: not told, which agrees with any */
    /* register */
    u8 file, number; /* GPR: 16-19 are AH CH DH BH */
    /* memory; in 64-bit code the segment is DS unless it is FS or GS, for no other matters */
    u8 seg, base, index, scale; /* base, index: as in struct insn; scale: a shift */
    u8 address;                 /* bytes of an address; 0: no register tells */
    u64 disp;                   /* modulo the address size */
    /* immediate, branch target; mask: the bits that the instruction uses */
    u64 value, mask;
};

struct reading {
    bool valid; /* false: #UD, or too long */
    u8 length;
    const char *name;
    unsigned count;
    struct reading_operand operand[READING_OPERANDS];
};

/* What the bytes themselves say, read by neither decoder: for the conditions of differences. */
struct facts {
    enum code_size code;
    u8 bytes[READING_BYTES];
    u16 prefixes;   /* enum fact_prefix */
    u8 repeat;      /* the last one of F2 and F3, or 0 */
    u8 rex;         /* the one that counts, or 0 */
    bool stray_rex; /* one that does not, since a prefix follows it */
    u8 opcode_at;   /* of the opcode's last byte */
    enum insn_map map;
    u8 opcode, modrm;
};
enum fact_prefix {
    HAS_LOCK = 1,
    HAS_F2 = 2,
    HAS_F3 = 4,
    HAS_66 = 8,
    HAS_67 = 16,
    HAS_FLAT_SEGMENT = 32, /* 26 2E 36 3E */
    HAS_FS_GS = 64,
};

/* in: bytes, READING_BYTES of them */
void facts_find(struct facts *facts, enum code_size code, const u8 *bytes);

/* The address that branch targets are computed from. */
u64 reading_address(enum code_size code);

/* Ringside's decoder, in protected mode at CPL 0, with everything enabled that the processor has.
 * returns: the instruction as decoded, for messages (insn->row) */
void reading_of_ringside(struct reading *r, struct insn *insn, const struct facts *facts,
                         const struct cpu_model *model);

/* Capstone, opened for each code size, and what decides in which form it is shown the bytes (read_capstone.c). */
struct capstone {
    csh handle[CODE_SIZES];
    cs_insn *text;                   /* what it read last */
    bool chosen[INSN_MAPS][256];     /* by opcode: rows are told apart by 66, F2 or F3 */
    bool sized[INSN_MAPS][256][256]; /* by opcode and ModRM: a row has an operand of the operand size */
};

/* returns: false when Capstone refuses or memory is out */
bool capstone_open(struct capstone *capstone);
void capstone_close(struct capstone *capstone);

/* What Capstone reads. effects: capstone->text, when the bytes are valid */
void reading_of_capstone(struct reading *r, struct capstone *capstone, const struct facts *facts);

/* One line: name, operands, length. */
void reading_print(const struct reading *r, FILE *out);

#endif

/* SPDX-License-Identifier: MIT
 * One decoded instruction, and the table row it comes from.
 */
#ifndef RINGSIDE_CPU_ISA_INSN_H
#define RINGSIDE_CPU_ISA_INSN_H

#include "cpu/cpu.h"

struct insn;
typedef void exec_fn(struct cpu *cpu, const struct insn *insn);

/* Which operand is where, after the decoder has normalised E,G / G,E / E,I / rAX,I ... to destination and source.
 * One-operand rows use FORM_RR (register) or FORM_MR (memory). */
enum form {
    FORM_RR, /* dst register, src register */
    FORM_RM, /* dst register, src memory */
    FORM_MR, /* dst memory, src register */
    FORM_RI, /* dst register, src immediate */
    FORM_MI, /* dst memory, src immediate */
    FORMS
};

/* An instruction's semantics, instantiated by form and width. */
struct body {
    exec_fn *fn[FORMS][4];
};

enum prefix_bits {
    PREFIX_LOCK = 1, PREFIX_REP = 2 /* F3 */, PREFIX_REPNE = 4 /* F2 */, PREFIX_66 = 8, PREFIX_67 = 16,
    PREFIX_REX = 32, PREFIX_REX_W = 64, PREFIX_SEG = 128,
};

/* 8-bit registers: 0-15 are the low bytes of gpr[n]; 16-19 are AH CH DH BH. */
#define REG8_HIGH 16u

struct insn {
    exec_fn *exec;
    u64 imm;         /* immediate, sign- or zero-extended as the row says; branch displacement (signed);
                        moffs address; far pointer offset */
    i32 disp;        /* displacement of the addressing form (sign-extended); RIP-relative is relative to the *end* */
    u8 length;       /* bytes, 1..15 */
    u8 prefixes;     /* enum prefix_bits */
    u8 width;        /* enum width of the operation (0 for byte rows, else the effective operand size) */
    u8 address_width;/* enum width: W16, W32, W64 */
    u8 form;         /* enum form */
    u8 seg;          /* effective segment of the memory operand (enum seg) */
    u8 base, index;  /* into arch.reg[]: REG_NONE, or REG_RIP as base */
    u8 scale;        /* shift 0..3 */
    u8 dst, src;     /* register numbers in the operand's own file (GPR, segment, control, XMM, MMX, ST...) */
    u8 reg3;         /* third register operand, when a row has one */
    u16 imm2;        /* ENTER's level, far pointer's selector, EXTRQ-style second immediates */
    u16 row;         /* index into insn_rows[] */
    u8 modrm, opcode;
};

/* One row of insn.def, for reports, checks and cross-checks. */
struct insn_row {
    const char *mnemonic;
    u8 map, prefix, opcode;
    u16 extension;
    u8 operand[3]; /* enum operand_kind */
    u32 attributes;
    u8 feature;
    const struct body *body;
    const char *source;
};

extern const struct insn_row insn_rows[];
extern const unsigned insn_row_count;

/* ---- decode.c */
enum decode_status { DECODE_OK, DECODE_NEED_MORE, DECODE_TOO_LONG /* #GP(0), NX-07 */ };

/* Decode one instruction.
 * in:      bytes, available  what can be fetched without touching the next page (1..15 used at most)
 *          key               enum decode_key bits;  model  features decide #UD
 * returns: DECODE_OK with *insn filled (an undefined or forbidden instruction decodes to a body that raises);
 *          DECODE_NEED_MORE when the bytes end inside the instruction
 * raises:  never.   source: SDM 2A, "Instruction Format"; SDM 2D, "Opcode Map" */
enum decode_status insn_decode(struct insn *insn, const u8 *bytes, unsigned available, u32 key,
                               const struct cpu_model *model);

/* End of a basic block / may change what the engine caches: a row attribute, asked by engines. */
bool insn_ends_block(const struct insn *insn);

#endif

/* SPDX-License-Identifier: MIT
 * One decoded instruction, and the table row it comes from.
 */
#ifndef RINGSIDE_CPU_ISA_INSN_H
#define RINGSIDE_CPU_ISA_INSN_H

#include "cpu/cpu.h"

struct insn;
/* An instruction's function. Instructions stand one behind the other; each function ends by going on to its successor:
 * it calls it as its last act where the compiler guarantees that this takes no stack (RINGSIDE_TAIL_CALLS), and returns
 * its address otherwise. Engines put functions of their own behind the last one; NULL comes back when the run ends.
 *
 *     while (insn != NULL)
 *         insn = insn->exec(cpu, insn);
 *
 * runs them either way. */
typedef const struct insn *exec_fn(struct cpu *cpu, const struct insn *insn);

/* Which operand is where, after the decoder has normalised E,G / G,E / E,I / rAX,I ... to destination and source.
 * One-operand rows use FORM_RR (register) or FORM_MR (memory). */
enum form {
    FORM_RR, /* dst register, src register */
    FORM_RM, /* dst register, src memory */
    FORM_MR, /* dst memory, src register */
    FORM_RI, /* dst register, src immediate */
    FORM_MI, /* dst memory, src immediate */
    /* The same with plain memory, where the linear address is base + disp (P), or base + index + disp (X). An engine
     * chooses them, never the decoder: insn_make_plain(). Rows with STACK use them for a plain stack too: RP, PI for
     * the forms RR, RI. A relative branch uses PI for a target in its own page, which needs no check. */
    FORM_RP,
    FORM_PR,
    FORM_PI,
    FORM_RX,
    FORM_XR,
    FORM_XI,
    FORMS
};

/* How the decoder normalises a row's operands: the contract with the bodies.
 *
 * Registers   operand 1 -> insn.dst, operand 2 -> insn.src, operand 3 -> insn.reg3, each as a number in its own file
 *             (GPR 0-15 with REX, 8-bit numbers as REG8_HIGH; XMM 0-15; MMX 0-7; segment 0-5; CR, DR 0-15; ST(i) 0-7,
 *             ST0 is 0). AL_ AX_ rAX are 0, CL_ 1, DX_ 2. A memory or immediate operand leaves its number 0.
 * Memory      at most one operand (E M W Q that is memory, O): seg, base, index, scale, disp; effective_address().
 *             O (moffs): the address is insn.imm, zero-extended; base and index are REG_NONE. A moffs body MUST use
 *             insn.imm as the offset, because effective_address() holds 32 bits of it only.
 * Immediates  first one -> insn.imm, second one (ENTER) -> insn.imm2.  I_b, I_w zero-extended; I_bs, I_z, J_b, J_z
 *             sign-extended to 64 bits; I_v full width; I_1 = 1; A_p: imm = offset (zero-extended), imm2 = selector.
 * Form        operand 1 memory: FORM_MI when operand 2 is an immediate, else FORM_MR (also with no operand 2);
 *             operand 2 memory: FORM_RM;  operand 1 or 2 an immediate (I J A): FORM_RI;  else FORM_RR.
 *             A third operand never changes the form:
 *               IMUL G,E,I   RR/RM, dst = G, src = E, imm       SHLD E,G,I   RR/MR, dst = E, src = G, imm
 *               SHLD E,G,CL  RR/MR, reg3 = 1                    shift E,CL   RR/MR, src = 1;  E,I_1 is RI/MI with imm 1
 *               PSHUFD V,W,I RR/RM, dst = V, src = W, imm       PEXTRW G,U,I RR,  PINSRW V,E,I RR/RM
 *               PUSH I, Jcc J, INT I, RET I: RI                 IN rAX,I: RI, dst = 0;  OUT I,rAX: RI, src = 0
 *               LEA G,M: RM;  LES G,M_p: RM;  CALL M_p: MR;  MOV S,E: RR/RM, dst = segment;  no operands: RR
 * Width       from the first operand among E G M R Z AL_ AX_ rAX O C D that has a width letter; if none, from the first
 *             V W P Q N that has one; else the effective operand size (S, I, J, A, CL_, DX_ never decide). W_B: W8.
 *             v: effective operand size; z: the same, at most W32; p: effective operand size; y: W64 with REX.W,
 *             else W32, but C_y and D_y rows are W64 in 64-bit mode always. rAX and string rows of IN OUT INS OUTS may
 *             say W64 (REX.W): their bodies take W32. Effective operand size: D64 and _v64: W64 or (66) W16 in 64-bit
 *             mode; F64: W64 whatever 66 says, but W16 with 66 on AMD (SG-06), which also shortens J_z.
 *             When a row is selected by a mandatory 66, 66 still makes the effective operand size W16: such rows use y.
 * Opcodes     a row with a Z operand covers opcode & ~7 .. | 7. An exact row in that range wins (NOP over XCHG at 90,
 *             unless REX.B). Condition codes are insn.opcode & 15: one row per condition, insn.opcode is the last byte.
 * Rows        M_* implies XM; R_*, U_x, N_q imply XR (mod is ignored where the row has C or D). A row whose feature is
 *             missing, NO64 in 64-bit mode or ONLY64 elsewhere does not match, and a less specific one may (LZCNT ->
 *             BSR); no match is #UD. Feature column: the identifier in feature.def without FEAT_, or ALWAYS.
 * Prefixes    F2/F3: the last one stands in insn.prefixes as PREFIX_REPNE/PREFIX_REP, also when it is mandatory.
 *             insn.seg is set for rows without memory operand too: the override, or DS (string sources, XLAT).
 */

/* An instruction's semantics, instantiated by form and width. */
struct body {
    exec_fn *fn[FORMS][4];
};

enum prefix_bits {
    PREFIX_LOCK = 1,
    PREFIX_REP = 2 /* F3 */,
    PREFIX_REPNE = 4 /* F2 */,
    PREFIX_66 = 8,
    PREFIX_67 = 16,
    PREFIX_REX = 32,
    PREFIX_REX_W = 64,
    PREFIX_SEG = 128,
};

/* 8-bit registers: 0-15 are the low bytes of gpr[n]; 16-19 are AH CH DH BH. */
#define REG8_HIGH 16u

struct insn {
    exec_fn *exec;
    u64 imm;   /* immediate, sign- or zero-extended as the row says; branch displacement (signed);
                  moffs address; far pointer offset */
    i32 disp;  /* displacement of the addressing form (sign-extended); RIP-relative is relative to the *end* */
    u16 imm2;  /* ENTER's level, far pointer's selector, EXTRQ-style second immediates */
    u16 row;   /* index into insn_rows[] */
    i16 end;   /* where it ends, counted from arch.rip: its length when it is executed by itself; in a block
                  arch.rip stays at the block's first byte */
    u8 length; /* bytes, 1..15 */
    u8 taken;  /* a near branch goes on so many slots further when it is taken, else one */
    /* In a block: how many of the instructions counted when it was entered begin here or later; and what stands before
     * this slot, after the one before it: instructions that are counted but need no slot, the first of them at `from`,
     * counted from arch.rip. */
    u8 left;
    u8 elided;
    i16 from;
    u8 prefixes;      /* enum prefix_bits */
    u8 width;         /* enum width of the operation (0 for byte rows, else the effective operand size) */
    u8 address_width; /* enum width: W16, W32, W64 */
    u8 form;          /* enum form, as decoded */
    u8 seg;           /* effective segment of the memory operand (enum seg) */
    u8 base, index;   /* into arch.reg[]: REG_NONE, or REG_RIP as base; plain forms: also the base of FS or GS */
    u8 scale;         /* shift 0..3 */
    u8 dst, src;      /* register numbers in the operand's own file (GPR, segment, control, XMM, MMX, ST...) */
    u8 reg3;          /* third register operand, when a row has one */
    u8 modrm, opcode;
};

/* RIP of the instruction's first byte, and of the byte behind its last. */
ALWAYS_INLINE u64 insn_rip(const struct cpu *cpu, const struct insn *insn)
{
    return (cpu->arch.rip + (u64)(i64)insn->end - insn->length) & cpu->d.laddr_mask;
}
ALWAYS_INLINE u64 insn_end(const struct cpu *cpu, const struct insn *insn)
{
    return (cpu->arch.rip + (u64)(i64)insn->end) & cpu->d.laddr_mask;
}

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

/* ---- decode.c, execute.c, plain.c */
enum decode_status { DECODE_OK, DECODE_NEED_MORE, DECODE_TOO_LONG /* #GP(0), NX-07 */ };

/* Decode one instruction.
 * in:      bytes, available  what can be fetched without touching the next page (1..15 used at most)
 *          key               enum decode_key bits;  model  features decide #UD
 * returns: DECODE_OK with *insn filled (an undefined or forbidden instruction decodes to a body that raises);
 *          DECODE_NEED_MORE when the bytes end inside the instruction
 * raises:  never.   source: SDM 2A, "Instruction Format"; SDM 2D, "Opcode Map" */
enum decode_status insn_decode(struct insn *insn, const u8 *bytes, unsigned available, u32 key,
                               const struct cpu_model *model);

/* Execute a decoded instruction once.
 * in:      arch.rip at its first byte, d.next_rip behind its last, d.exact
 * effects: d.next_rip says where execution goes; arch.rip and the clock are the caller's.   raises: as the instruction
 */
void insn_execute(struct cpu *cpu, const struct insn *insn);

/* Give a decoded instruction the function for plain memory, where it has one and its operands are plain under key: the
 * segment is flat with base 0 (FS, GS: any), the address size is that of linear addresses. Its RIP-relative
 * displacement then counts from arch.rip. insn->end must be set. */
void insn_make_plain(struct insn *insn, u32 key);
/* Give a relative branch the function for a target in its own page. */
void insn_make_near(struct insn *insn);

#endif

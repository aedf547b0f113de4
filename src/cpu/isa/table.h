/* SPDX-License-Identifier: MIT
 * The vocabulary of insn.def: what its columns may say.
 *
 * INSN(map, opcode, prefix, extension, "mnemonic", operand1, operand2, operand3, attributes, feature, body, "source")
 */
#ifndef RINGSIDE_CPU_ISA_TABLE_H
#define RINGSIDE_CPU_ISA_TABLE_H

/* map: one-byte opcodes, 0F, 0F 38, 0F 3A. */
enum insn_map { M1, M2, M38, M3A, INSN_MAPS };

/* prefix: P__ = any (66 is the operand size, F3/F2 ignored or REP); otherwise the mandatory prefix. */
enum insn_prefix { P__, PNP, P66, PF3, PF2 };

/* extension: what ModRM must look like.  X__ nothing;  XM / XR memory / register form only;  X0..X7 /digit;
 * X0M..X7M, X0R..X7R digit with memory or register form;  XB(byte) the whole ModRM byte (the most specific wins). */
#define X__ 0x000
#define XM 0x100
#define XR 0x200
#define XD(n) (0x400 | (n))
#define X0 XD(0)
#define X1 XD(1)
#define X2 XD(2)
#define X3 XD(3)
#define X4 XD(4)
#define X5 XD(5)
#define X6 XD(6)
#define X7 XD(7)
#define X0M (X0 | XM)
#define X1M (X1 | XM)
#define X2M (X2 | XM)
#define X3M (X3 | XM)
#define X4M (X4 | XM)
#define X5M (X5 | XM)
#define X6M (X6 | XM)
#define X7M (X7 | XM)
#define X0R (X0 | XR)
#define X1R (X1 | XR)
#define X2R (X2 | XR)
#define X3R (X3 | XR)
#define X4R (X4 | XR)
#define X5R (X5 | XR)
#define X6R (X6 | XR)
#define X7R (X7 | XR)
#define XB(byte) (0x800 | (byte))

/* Operand kinds, in the manual's codes (SDM 2D, "Key to Abbreviations").
 * E G: ModRM general operands; M: memory only; R: register form only; I: immediate; J: branch displacement;
 * O: moffs; A: far pointer immediate; S: segment register; C D: control and debug registers; Z: register in the low
 * three opcode bits; V W U: XMM (reg; rm register or memory; rm register); P Q N: MMX likewise; ST: x87 stack forms.
 * widths: b 8, w 16, d 32, q 64, v 16/32/64, z 16/32 (32 with REX.W), y 32/64, p far pointer in memory, x no width. */
#define OPERAND_KINDS(K)                                                                                               \
    K(___)                                                                                                             \
    K(E_b)                                                                                                             \
    K(E_w)                                                                                                             \
    K(E_d)                                                                                                             \
    K(E_q)                                                                                                             \
    K(E_v)                                                                                                             \
    K(E_y)                                                                                                             \
    K(G_b)                                                                                                             \
    K(G_w) K(G_d) K(G_q) K(G_v) K(G_y) K(G_z) K(M_x) K(M_b) K(M_w) K(M_d) K(M_q) K(M_v) K(M_y) K(M_p) K(R_v) K(R_y)    \
        K(R_d) K(R_q) K(E_v64) /* v, but 64-bit by default in 64-bit mode (PUSH, near CALL) */                         \
        K(Z_b) K(Z_v) K(Z_v64) K(Z_y) K(I_b) K(I_bs) /* sign-extended to the operand size */ K(I_w) K(I_z) K(I_v)      \
            K(I_1) K(J_b) K(J_z) K(A_p) K(O_b) K(O_v) K(S_w) K(C_y) K(D_y) K(AL_) K(AX_) K(rAX) K(CL_) K(DX_) K(V_x)   \
                K(W_x) K(W_d) K(W_q) K(U_x) K(P_q) K(Q_q) K(Q_d) K(N_q) K(ST0) K(STi)

enum operand_kind {
#define K(name) name,
    OPERAND_KINDS(K)
#undef K
        OPERAND_KIND_COUNT
};

/* Attributes: the generic checks and what engines must know. */
enum insn_attribute {
    A_NONE = 0,
    LOCK = 1 << 0,   /* LOCK allowed with a memory destination */
    CPL0 = 1 << 1,   /* #GP(0) unless CPL = 0 (real mode counts as 0) */
    NOREAL = 1 << 2, /* #UD in real mode and VM86 */
    NO64 = 1 << 3,   /* #UD in 64-bit mode */
    ONLY64 = 1 << 4, /* exists in 64-bit mode only */
    D64 = 1 << 5,    /* operand size is 64 by default in 64-bit mode (no 32) */
    F64 = 1 << 6,    /* operand size is 64 in 64-bit mode whatever 66 says (near branches; AMD: SG-06) */
    END_BLK =
        1 << 7, /* ends a basic block: may change what follows it, needs the exact tick, or writes more than once */
    SERIAL = 1 << 8,
    X87 = 1 << 9,          /* #NM on EM or TS; pending unmasked exceptions -> #MF is the body's (waiting forms) */
    MMX = 1 << 10,         /* #UD on EM, #NM on TS; the body handles pending #MF and sets the tag word */
    SSE = 1 << 11,         /* #UD on EM or OSFXSR=0, #NM on TS */
    WAITS = 1 << 12,       /* WAIT/FWAIT: #NM when MP and TS */
    AL16 = 1 << 13,        /* 16-byte memory operand must be aligned (#GP(0)) */
    REPABLE = 1 << 14,     /* string instruction: F3/F2 repeat */
    W_B = 1 << 15,         /* byte-width row although no operand says so (string and I/O forms) */
    NEEDS_XSAVE = 1 << 16, /* #UD unless CR4.OSXSAVE */
    BRANCH = 1 << 17,      /* near branch: goes on at one of two slots (body.h) */
    STACK = 1 << 18,       /* pushes or pops by SS:rSP, and has forms for a plain stack */
    ADDRESS = 1 << 19,     /* computes the address of its memory operand only: the segment does not matter */
};

#endif

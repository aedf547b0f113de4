/* SPDX-License-Identifier: MIT
 * How instruction bodies are written: once, then instantiated for each form and width.
 *
 *   BODY_FORMS(op_add) { u64 a = ...; }      all forms, all widths: `w` and `f` are compile-time constants
 *   BODY_UNARY(op_not) { ... }               dst only (FORM_RR register, FORM_MR memory)
 *   BODY_PLAIN(op_cpuid) { ... }             one function; asks insn->width and insn->form at run time
 *   BODY_STACK(op_push) { ... }              as BODY_UNARY, with an immediate too, and stack_*_by(..., f)
 *   BODY_BRANCH(op_ret_near), BODY_BRANCH_IMMEDIATE(op_je) { ... return taken; }   near branches
 *
 * A body changes no register before its last access that can fault. One that writes memory in several accesses has a
 * row with END_BLK: its bytes may be among what it writes, and an access to a device begins a block's instruction
 * again. It asks insn_rip() and insn_end() where the instruction is; rows with END_BLK may also read arch.rip (start)
 * and d.next_rip (end), and assign d.next_rip. Parameters in scope: struct cpu *cpu, const struct insn *insn, and for
 * the first two enum width w, enum form f.
 *
 * Before anything that may raise, a function notes its instruction in d.insn, from which the engine restores RIP and
 * the counters. The register forms of BODY_FORMS never raise, and do not.
 */
#ifndef RINGSIDE_CPU_ISA_BODY_H
#define RINGSIDE_CPU_ISA_BODY_H

#include "cpu/flags.h"
#include "cpu/isa/insn.h"
#include "cpu/mem.h"

#define BODY_SIGNATURE struct cpu *cpu, const struct insn *insn

/* The end of every instruction's function: on to the one `slots` further. */
#if RINGSIDE_TAIL_CALLS
#define BODY_CONTINUE(slots) __attribute__((musttail)) return insn[slots].exec(cpu, insn + (slots))
#else
#define BODY_CONTINUE(slots) return insn + (slots)
#endif

/* One function, from a body that takes no more than the signature. */
#define BODY_FUNCTION(name)                                                                                            \
    ALWAYS_INLINE void name##_body(BODY_SIGNATURE);                                                                    \
    static const struct insn *name(BODY_SIGNATURE)                                                                     \
    {                                                                                                                  \
        cpu->d.insn = insn;                                                                                            \
        name##_body(cpu, insn);                                                                                        \
        BODY_CONTINUE(1);                                                                                              \
    }                                                                                                                  \
    ALWAYS_INLINE void name##_body(BODY_SIGNATURE)

#define BODY_INSTANCE(name, f, w, may_raise)                                                                           \
    static const struct insn *name##_##f##_##w(BODY_SIGNATURE)                                                         \
    {                                                                                                                  \
        if (may_raise)                                                                                                 \
            cpu->d.insn = insn;                                                                                        \
        name##_body(cpu, insn, w, f);                                                                                  \
        BODY_CONTINUE(1);                                                                                              \
    }
#define BODY_WIDTHS(name, f, may_raise)                                                                                \
    BODY_INSTANCE(name, f, W8, may_raise)                                                                              \
    BODY_INSTANCE(name, f, W16, may_raise) BODY_INSTANCE(name, f, W32, may_raise) BODY_INSTANCE(name, f, W64, may_raise)
#define BODY_ROW(name, f) [f] = {name##_##f##_W8, name##_##f##_W16, name##_##f##_W32, name##_##f##_W64}

#define BODY_FORMS(name)                                                                                               \
    ALWAYS_INLINE void name##_body(BODY_SIGNATURE, enum width w, enum form f);                                         \
    BODY_WIDTHS(name, FORM_RR, false)                                                                                  \
    BODY_WIDTHS(name, FORM_RM, true)                                                                                   \
    BODY_WIDTHS(name, FORM_MR, true)                                                                                   \
    BODY_WIDTHS(name, FORM_RI, false)                                                                                  \
    BODY_WIDTHS(name, FORM_MI, true)                                                                                   \
    BODY_WIDTHS(name, FORM_RP, true)                                                                                   \
    BODY_WIDTHS(name, FORM_PR, true)                                                                                   \
    BODY_WIDTHS(name, FORM_PI, true)                                                                                   \
    BODY_WIDTHS(name, FORM_RX, true)                                                                                   \
    BODY_WIDTHS(name, FORM_XR, true)                                                                                   \
    BODY_WIDTHS(name, FORM_XI, true)                                                                                   \
    const struct body name = {{BODY_ROW(name, FORM_RR), BODY_ROW(name, FORM_RM), BODY_ROW(name, FORM_MR),              \
                               BODY_ROW(name, FORM_RI), BODY_ROW(name, FORM_MI), BODY_ROW(name, FORM_RP),              \
                               BODY_ROW(name, FORM_PR), BODY_ROW(name, FORM_PI), BODY_ROW(name, FORM_RX),              \
                               BODY_ROW(name, FORM_XR), BODY_ROW(name, FORM_XI)}};                                     \
    ALWAYS_INLINE void name##_body(BODY_SIGNATURE, const enum width w, const enum form f)

#define BODY_UNARY(name)                                                                                               \
    ALWAYS_INLINE void name##_body(BODY_SIGNATURE, enum width w, enum form f);                                         \
    BODY_WIDTHS(name, FORM_RR, true)                                                                                   \
    BODY_WIDTHS(name, FORM_MR, true)                                                                                   \
    BODY_WIDTHS(name, FORM_PR, true)                                                                                   \
    BODY_WIDTHS(name, FORM_XR, true)                                                                                   \
    const struct body name = {                                                                                         \
        {BODY_ROW(name, FORM_RR), BODY_ROW(name, FORM_MR), BODY_ROW(name, FORM_PR), BODY_ROW(name, FORM_XR)}};         \
    ALWAYS_INLINE void name##_body(BODY_SIGNATURE, const enum width w, const enum form f)

#define BODY_SAME(fn)                                                                                                  \
    {                                                                                                                  \
        {fn, fn, fn, fn}, {fn, fn, fn, fn}, {fn, fn, fn, fn}, {fn, fn, fn, fn}, { fn, fn, fn, fn }                     \
    }
#define BODY_PLAIN(name)                                                                                               \
    static exec_fn name##_exec;                                                                                        \
    const struct body name = {BODY_SAME(name##_exec)};                                                                 \
    BODY_FUNCTION(name##_exec)

/* Pushes and pops: register, memory or immediate, each with the general and the plain stack. */
#define BODY_STACK(name)                                                                                               \
    ALWAYS_INLINE void name##_body(BODY_SIGNATURE, enum width w, enum form f);                                         \
    BODY_WIDTHS(name, FORM_RR, true)                                                                                   \
    BODY_WIDTHS(name, FORM_MR, true)                                                                                   \
    BODY_WIDTHS(name, FORM_RI, true)                                                                                   \
    BODY_WIDTHS(name, FORM_RP, true)                                                                                   \
    BODY_WIDTHS(name, FORM_PR, true)                                                                                   \
    BODY_WIDTHS(name, FORM_PI, true)                                                                                   \
    BODY_WIDTHS(name, FORM_XR, true)                                                                                   \
    const struct body name = {{BODY_ROW(name, FORM_RR), BODY_ROW(name, FORM_MR), BODY_ROW(name, FORM_RI),              \
                               BODY_ROW(name, FORM_RP), BODY_ROW(name, FORM_PR), BODY_ROW(name, FORM_PI),              \
                               BODY_ROW(name, FORM_XR)}};                                                              \
    ALWAYS_INLINE void name##_body(BODY_SIGNATURE, const enum width w, const enum form f)

/* Near branches go on one slot further when they fall through, insn->taken when they are taken: engines keep the two
 * ways apart without a look at the target. The body returns whether the branch is taken, and then has set d.next_rip,
 * unless the form says that the target lies in its own page. */
#define BODY_BRANCH_INSTANCE(name, f, w)                                                                               \
    static const struct insn *name##_##f##_##w(BODY_SIGNATURE)                                                         \
    {                                                                                                                  \
        cpu->d.insn = insn;                                                                                            \
        if (name##_body(cpu, insn, w, f))                                                                              \
            BODY_CONTINUE(insn->taken);                                                                                \
        BODY_CONTINUE(1);                                                                                              \
    }
#define BODY_BRANCH_WIDTHS(name, f)                                                                                    \
    BODY_BRANCH_INSTANCE(name, f, W16) BODY_BRANCH_INSTANCE(name, f, W32) BODY_BRANCH_INSTANCE(name, f, W64)
#define BODY_BRANCH_ROW(name, f) [f] = {NULL, name##_##f##_W16, name##_##f##_W32, name##_##f##_W64}

/* With an immediate: relative branches, and RET that releases arguments. */
#define BODY_BRANCH_IMMEDIATE(name)                                                                                    \
    ALWAYS_INLINE bool name##_body(BODY_SIGNATURE, enum width w, enum form f);                                         \
    BODY_BRANCH_WIDTHS(name, FORM_RI)                                                                                  \
    BODY_BRANCH_WIDTHS(name, FORM_PI)                                                                                  \
    const struct body name = {{BODY_BRANCH_ROW(name, FORM_RI), BODY_BRANCH_ROW(name, FORM_PI)}};                       \
    ALWAYS_INLINE bool name##_body(BODY_SIGNATURE, const enum width w, const enum form f)

/* By a register or memory, and RET. */
#define BODY_BRANCH(name)                                                                                              \
    ALWAYS_INLINE bool name##_body(BODY_SIGNATURE, enum width w, enum form f);                                         \
    BODY_BRANCH_WIDTHS(name, FORM_RR)                                                                                  \
    BODY_BRANCH_WIDTHS(name, FORM_MR)                                                                                  \
    BODY_BRANCH_WIDTHS(name, FORM_RP)                                                                                  \
    BODY_BRANCH_WIDTHS(name, FORM_PR)                                                                                  \
    BODY_BRANCH_WIDTHS(name, FORM_XR)                                                                                  \
    const struct body name = {{BODY_BRANCH_ROW(name, FORM_RR), BODY_BRANCH_ROW(name, FORM_MR),                         \
                               BODY_BRANCH_ROW(name, FORM_RP), BODY_BRANCH_ROW(name, FORM_PR),                         \
                               BODY_BRANCH_ROW(name, FORM_XR)}};                                                       \
    ALWAYS_INLINE bool name##_body(BODY_SIGNATURE, const enum width w, const enum form f)

/* Bodies are declared for the table by insn.def itself. */
#define INSN(map, op, prefix, ext, mnemonic, o1, o2, o3, attributes, feature, name, source)                            \
    extern const struct body name;
#include "cpu/isa/insn.def"
#undef INSN

#endif

/* SPDX-License-Identifier: MIT
 * How instruction bodies are written: once, then instantiated for each form and width.
 *
 *   BODY_FORMS(op_add) { u64 a = ...; }      all forms, all widths: `w` and `f` are compile-time constants
 *   BODY_UNARY(op_not) { ... }               dst only (FORM_RR register, FORM_MR memory)
 *   BODY_PLAIN(op_cpuid) { ... }             one function; asks insn->width and insn->form at run time
 *
 * A body stores nothing architectural before its last access that can fault. It reads arch.rip (start) and d.next_rip
 * (end); a branch assigns d.next_rip. Parameters in scope: struct cpu *cpu, const struct insn *insn, and for the first
 * two enum width w, enum form f.
 */
#ifndef RINGSIDE_CPU_ISA_BODY_H
#define RINGSIDE_CPU_ISA_BODY_H

#include "cpu/flags.h"
#include "cpu/isa/insn.h"
#include "cpu/mem.h"

#define BODY_SIGNATURE struct cpu *cpu, const struct insn *insn

#define BODY_INSTANCE(name, f, w)                                                                                      \
    static void name##_##f##_##w(BODY_SIGNATURE) { name##_body(cpu, insn, w, f); }
#define BODY_WIDTHS(name, f)                                                                                           \
    BODY_INSTANCE(name, f, W8) BODY_INSTANCE(name, f, W16) BODY_INSTANCE(name, f, W32) BODY_INSTANCE(name, f, W64)
#define BODY_ROW(name, f) [f] = {name##_##f##_W8, name##_##f##_W16, name##_##f##_W32, name##_##f##_W64}

#define BODY_FORMS(name)                                                                                               \
    ALWAYS_INLINE void name##_body(BODY_SIGNATURE, enum width w, enum form f);                                         \
    BODY_WIDTHS(name, FORM_RR)                                                                                         \
    BODY_WIDTHS(name, FORM_RM)                                                                                         \
    BODY_WIDTHS(name, FORM_MR)                                                                                         \
    BODY_WIDTHS(name, FORM_RI)                                                                                         \
    BODY_WIDTHS(name, FORM_MI)                                                                                         \
    const struct body name = {{BODY_ROW(name, FORM_RR), BODY_ROW(name, FORM_RM), BODY_ROW(name, FORM_MR),              \
                               BODY_ROW(name, FORM_RI), BODY_ROW(name, FORM_MI)}};                                     \
    ALWAYS_INLINE void name##_body(BODY_SIGNATURE, const enum width w, const enum form f)

#define BODY_UNARY(name)                                                                                               \
    ALWAYS_INLINE void name##_body(BODY_SIGNATURE, enum width w, enum form f);                                         \
    BODY_WIDTHS(name, FORM_RR)                                                                                         \
    BODY_WIDTHS(name, FORM_MR)                                                                                         \
    const struct body name = {{BODY_ROW(name, FORM_RR), BODY_ROW(name, FORM_MR)}};                                     \
    ALWAYS_INLINE void name##_body(BODY_SIGNATURE, const enum width w, const enum form f)

#define BODY_SAME(fn)                                                                                                  \
    {                                                                                                                  \
        {fn, fn, fn, fn}, {fn, fn, fn, fn}, {fn, fn, fn, fn}, {fn, fn, fn, fn}, { fn, fn, fn, fn }                     \
    }
#define BODY_PLAIN(name)                                                                                               \
    static void name##_exec(BODY_SIGNATURE);                                                                           \
    const struct body name = {BODY_SAME(name##_exec)};                                                                 \
    static void name##_exec(BODY_SIGNATURE)

/* Bodies are declared for the table by insn.def itself. */
#define INSN(map, op, prefix, ext, mnemonic, o1, o2, o3, attributes, feature, name, source)                            \
    extern const struct body name;
#include "cpu/isa/insn.def"
#undef INSN

#endif

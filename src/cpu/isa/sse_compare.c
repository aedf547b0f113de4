/* SPDX-License-Identifier: MIT
 * SSE floating-point comparison: CMPPS and its like (a mask), COMISS and UCOMISS (the arithmetic flags).
 * SDM 2A, "CMPPS", "COMISS", "UCOMISS".
 */
#include "cpu/isa/sse_fp.h"

/* Predicate: imm bits 2:0. It is part of the host's encoding, so each has its own instruction. */
#define COMPARE_CASE(mnemonic, n)                                                                                      \
    case n:                                                                                                            \
        __asm__ volatile(mnemonic " $" #n ", %1, %0" : "+x"(x) : "x"(y));                                              \
        break;

#define COMPARE(name, size)                                                                                            \
    BODY_PLAIN(op_##name)                                                                                              \
    {                                                                                                                  \
        union xmm_reg s = xmm_source(cpu, insn, size, insn->form == FORM_RM), d = cpu->arch.xmm[insn->dst];            \
        __m128 x = vec_ps(&d), y = vec_ps(&s);                                                                         \
        struct fp_guard guard = fp_enter(cpu);                                                                         \
        u32 flags;                                                                                                     \
        switch (insn->imm & 7) {                                                                                       \
            COMPARE_CASE(#name, 0)                                                                                     \
            COMPARE_CASE(#name, 1)                                                                                     \
            COMPARE_CASE(#name, 2)                                                                                     \
            COMPARE_CASE(#name, 3)                                                                                     \
            COMPARE_CASE(#name, 4)                                                                                     \
            COMPARE_CASE(#name, 5)                                                                                     \
            COMPARE_CASE(#name, 6)                                                                                     \
            COMPARE_CASE(#name, 7)                                                                                     \
        }                                                                                                              \
        flags = fp_leave(guard);                                                                                       \
        vec_put_ps(&d, x);                                                                                             \
        fp_finish(cpu, flags);                                                                                         \
        cpu->arch.xmm[insn->dst] = d;                                                                                  \
    }

COMPARE(cmpps, 16)
COMPARE(cmppd, 16)
COMPARE(cmpss, 4)
COMPARE(cmpsd, 8)

/* ZF PF CF from the comparison (111 unordered, 000 greater, 001 less, 100 equal); OF SF AF cleared. With an unmasked
 * exception the flags stay. */
#define COMPARE_FLAGS(name, size)                                                                                      \
    BODY_PLAIN(op_##name)                                                                                              \
    {                                                                                                                  \
        union xmm_reg s = xmm_source(cpu, insn, size, insn->form == FORM_RM), d = cpu->arch.xmm[insn->dst];            \
        __m128 x = vec_ps(&d), y = vec_ps(&s);                                                                         \
        struct fp_guard guard = fp_enter(cpu);                                                                         \
        bool zf, pf, cf;                                                                                               \
        __asm__ volatile(#name " %4, %3" : "=@ccz"(zf), "=@ccp"(pf), "=@ccc"(cf) : "x"(x), "x"(y));                    \
        fp_finish(cpu, fp_leave(guard));                                                                               \
        flags_put_arithmetic(cpu, (zf ? FLAG_ZF : 0) | (pf ? FLAG_PF : 0) | (cf ? FLAG_CF : 0));                       \
    }

COMPARE_FLAGS(comiss, 4)
COMPARE_FLAGS(comisd, 8)
COMPARE_FLAGS(ucomiss, 4)
COMPARE_FLAGS(ucomisd, 8)

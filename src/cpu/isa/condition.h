/* SPDX-License-Identifier: MIT
 * The sixteen conditions of Jcc, SETcc and CMOVcc, in the order of their encodings.
 * SDM 1, "EFLAGS Condition Codes".
 */
#ifndef RINGSIDE_CPU_ISA_CONDITION_H
#define RINGSIDE_CPU_ISA_CONDITION_H

#include "cpu/flags.h"

/* C(suffix, expression over `cpu`) */
#define CONDITIONS(C)                                                                                                  \
    C(o, flag_of(cpu))                                                                                                 \
    C(no, !flag_of(cpu))                                                                                               \
    C(b, flag_cf(cpu))                                                                                                 \
    C(ae, !flag_cf(cpu))                                                                                               \
    C(e, flag_zf(cpu))                                                                                                 \
    C(ne, !flag_zf(cpu))                                                                                               \
    C(be, flag_cf(cpu) || flag_zf(cpu))                                                                                \
    C(a, !(flag_cf(cpu) || flag_zf(cpu)))                                                                              \
    C(s, flag_sf(cpu))                                                                                                 \
    C(ns, !flag_sf(cpu))                                                                                               \
    C(p, flag_pf(cpu))                                                                                                 \
    C(np, !flag_pf(cpu))                                                                                               \
    C(l, flag_sf(cpu) != flag_of(cpu))                                                                                 \
    C(ge, flag_sf(cpu) == flag_of(cpu))                                                                                \
    C(le, flag_zf(cpu) || flag_sf(cpu) != flag_of(cpu))                                                                \
    C(g, !flag_zf(cpu) && flag_sf(cpu) == flag_of(cpu))

#endif

/* SPDX-License-Identifier: MIT
 * Raising the guest's faults. cpu_raise() records the fault and unwinds to the engine's run loop, which asks ring/ to
 * deliver it. Nothing between them owns a resource.
 */
#ifndef RINGSIDE_CPU_FAULT_H
#define RINGSIDE_CPU_FAULT_H

#include "cpu/cpu.h"
#include "cpu/rule.h"

#define FAULT(vec) ((struct fault){.vector = (vec)})
#define FAULT_CODE(vec, code) ((struct fault){.vector = (vec), .has_error = true, .error = (code)})
#define DE FAULT(VEC_DE)
#define UD FAULT(VEC_UD)
#define NM FAULT(VEC_NM)
#define DB FAULT(VEC_DB)
#define TS_(code) FAULT_CODE(VEC_TS, code)
#define NP(code) FAULT_CODE(VEC_NP, code)
#define SS_(code) FAULT_CODE(VEC_SS, code)
#define GP(code) FAULT_CODE(VEC_GP, code)
#define AC_ FAULT_CODE(VEC_AC, 0)

/* Record and unwind. Registers must be as they were before the instruction (memory may keep what is documented). */
NORETURN void cpu_raise(struct cpu *cpu, struct fault fault, enum rule rule);
/* #PF: also sets CR2 in the record; CR2 itself is written at delivery. */
NORETURN void cpu_raise_page_fault(struct cpu *cpu, laddr_t laddr, u32 error, enum rule rule);

/* The same for a fault that is a vector and an error code only, in one word: so that the bodies, whose checks nearly
 * never fail, need no memory for it. */
NORETURN void cpu_raise_packed(struct cpu *cpu, u64 packed, enum rule rule) SLOW_PATH;
ALWAYS_INLINE u64 fault_pack(struct fault fault)
{
    return fault.vector | (u64)fault.has_error << 8 | (u64)fault.error << 32;
}
ALWAYS_INLINE struct fault fault_unpack(u64 packed)
{
    return (struct fault){.vector = (u8)packed, .has_error = (packed >> 8 & 1) != 0, .error = (u32)(packed >> 32)};
}

#ifdef RINGSIDE_COVERAGE
#define RULE_HELD(cpu, rule) ((void)(cpu)->host.rule_hits[1][rule]++) /* cpu_raise() counts the other side */
/* The two sides of a rule that is no check of one place: [1] its condition holds, [0] it does not. */
#define COVER(cpu, rule, condition) ((void)(cpu)->host.rule_hits[(condition) ? 1 : 0][rule]++)
/* The holding side only, where the other one passes through cpu_raise(). */
#define COVER_IF(cpu, rule, condition) ((void)((condition) && (cpu)->host.rule_hits[1][rule]++))
#else
#define RULE_HELD(cpu, rule) ((void)0)
#define COVER(cpu, rule, condition) ((void)0)
#define COVER_IF(cpu, rule, condition) ((void)0)
#endif

/* The one form of an architectural check: REQUIRE(cpu, condition, GP(sel), RULE_SC_01). The fault is a vector and an
 * error code. */
#define REQUIRE(cpu, condition, fault, rule)                                                                           \
    do {                                                                                                               \
        if (UNLIKELY(!(condition)))                                                                                    \
            cpu_raise_packed((cpu), fault_pack(fault), (rule));                                                        \
        RULE_HELD((cpu), (rule));                                                                                      \
    } while (0)

#endif

/* SPDX-License-Identifier: MIT
 * The arithmetic flags, kept lazily: a result and a carry vector, from which CF PF AF ZF SF OF are computed on demand.
 *
 * flag_result   the result, sign-extended to 64 bits: ZF = (result == 0), SF = sign, PF = parity of its low byte
 * flag_carries  bit 63 = CF, bit 62 = CF xor OF, bit 3 = AF, bit 0 inverts SF, bit 1 inverts PF
 * The other bits of RFLAGS are always current in arch.rflags; its arithmetic bits are stale until flags_get().
 */
#ifndef RINGSIDE_CPU_FLAGS_H
#define RINGSIDE_CPU_FLAGS_H

#include "cpu/cpu.h"

#define CARRY_TOP (3ull << 62)

ALWAYS_INLINE void flags_set_lazy(struct cpu *cpu, enum width w, u64 result, u64 carries)
{
    cpu->d.flag_result = sign_extend(result, w);
    cpu->d.flag_carries = ((carries << (64 - width_bits(w))) & CARRY_TOP) | (carries & 8);
}

/* a + b (+ carry) = result: the vector of carries out of each bit. */
ALWAYS_INLINE void flags_add(struct cpu *cpu, enum width w, u64 a, u64 b, u64 result)
{
    flags_set_lazy(cpu, w, result, (a & b) | ((a | b) & ~result));
}

/* a - b (- borrow) = result: the vector of borrows. */
ALWAYS_INLINE void flags_sub(struct cpu *cpu, enum width w, u64 a, u64 b, u64 result)
{
    flags_set_lazy(cpu, w, result, (~a & b) | ((~a | b) & result));
}

/* AND OR XOR TEST: CF = OF = 0 (AF undefined, cleared). */
ALWAYS_INLINE void flags_logic(struct cpu *cpu, enum width w, u64 result)
{
    cpu->d.flag_result = sign_extend(result, w);
    cpu->d.flag_carries = 0;
}

ALWAYS_INLINE bool flag_cf(const struct cpu *cpu) { return cpu->d.flag_carries >> 63; }
ALWAYS_INLINE bool flag_zf(const struct cpu *cpu) { return cpu->d.flag_result == 0; }
ALWAYS_INLINE bool flag_sf(const struct cpu *cpu) { return (cpu->d.flag_result >> 63) ^ (cpu->d.flag_carries & 1); }
ALWAYS_INLINE bool flag_of(const struct cpu *cpu)
{
    return ((cpu->d.flag_carries ^ (cpu->d.flag_carries << 1)) >> 63) != 0;
}
ALWAYS_INLINE bool flag_pf(const struct cpu *cpu)
{
    return !__builtin_parity((u8)cpu->d.flag_result) ^ ((cpu->d.flag_carries >> 1) & 1);
}
ALWAYS_INLINE bool flag_af(const struct cpu *cpu) { return (cpu->d.flag_carries >> 3) & 1; }

/* Replace CF only. */
ALWAYS_INLINE void flags_put_cf(struct cpu *cpu, bool cf)
{
    bool of = flag_of(cpu);

    cpu->d.flag_carries = (cpu->d.flag_carries & ~CARRY_TOP) | ((u64)cf << 63) | ((u64)(cf ^ of) << 62);
}

ALWAYS_INLINE void flags_put_cf_of(struct cpu *cpu, bool cf, bool of)
{
    cpu->d.flag_carries = (cpu->d.flag_carries & ~CARRY_TOP) | ((u64)cf << 63) | ((u64)(cf ^ of) << 62);
}

/* INC and DEC: all but CF. */
ALWAYS_INLINE void flags_keep_cf(struct cpu *cpu, bool old_cf) { flags_put_cf(cpu, old_cf); }

/* The six arithmetic flags as RFLAGS bits. */
static inline u64 flags_arithmetic(const struct cpu *cpu)
{
    return (flag_cf(cpu) ? FLAG_CF : 0) | (flag_pf(cpu) ? FLAG_PF : 0) | (flag_af(cpu) ? FLAG_AF : 0) |
           (flag_zf(cpu) ? FLAG_ZF : 0) | (flag_sf(cpu) ? FLAG_SF : 0) | (flag_of(cpu) ? FLAG_OF : 0);
}

/* Set all six from RFLAGS bits. */
static inline void flags_put_arithmetic(struct cpu *cpu, u64 rflags)
{
    bool cf = rflags & FLAG_CF, of = (rflags & FLAG_OF) != 0, sf = (rflags & FLAG_SF) != 0;
    bool zf = (rflags & FLAG_ZF) != 0, pf = (rflags & FLAG_PF) != 0, af = (rflags & FLAG_AF) != 0;

    cpu->d.flag_result = zf ? 0 : 1; /* parity of 0 is even (PF 1), of 1 odd (PF 0); sign 0 */
    cpu->d.flag_carries = ((u64)cf << 63) | ((u64)(cf ^ of) << 62) | ((u64)af << 3) | (u64)sf | ((u64)(pf != zf) << 1);
}

/* Replace ZF only. */
static inline void flags_put_zf(struct cpu *cpu, bool zf)
{
    flags_put_arithmetic(cpu, (flags_arithmetic(cpu) & ~FLAG_ZF) | (zf ? FLAG_ZF : 0));
}

/* The whole architectural RFLAGS. */
static inline u64 flags_get(const struct cpu *cpu)
{
    return (cpu->arch.rflags & ~FLAGS_ARITHMETIC) | flags_arithmetic(cpu);
}

/* Replace the whole RFLAGS (bit 1 forced to 1). Callers that change VM or AC call cpu_update_derived() afterwards (the
 * door does). Requests attention when the next boundary has something to do: a single step (TF), RF, which covers one
 * instruction, a virtual interrupt (VIP), or an interrupt that waits and has just been enabled. */
static inline void flags_put_control(struct cpu *cpu, u64 rflags) /* the arithmetic flags stay */
{
    bool enabled = (rflags & ~cpu->arch.rflags & FLAG_IF) && cpu->d.intr;

    cpu->arch.rflags = rflags | FLAG_FIXED1;
    if (UNLIKELY((rflags & (FLAG_TF | FLAG_RF | FLAG_VIP)) != 0 || enabled))
        cpu_attention(cpu);
}
static inline void flags_put(struct cpu *cpu, u64 rflags)
{
    flags_put_arithmetic(cpu, rflags);
    flags_put_control(cpu, rflags);
}

#endif

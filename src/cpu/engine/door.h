/* SPDX-License-Identifier: MIT
 * The proof of the one door, in builds that check it: (CPL, CS, mode) changed only if ring_commit() ran.
 */
#ifndef RINGSIDE_CPU_ENGINE_DOOR_H
#define RINGSIDE_CPU_ENGINE_DOOR_H

#ifdef RINGSIDE_DOOR_CHECK

#include <assert.h>

#include "cpu/cpu.h"

struct door_check {
    u64 count;
    u32 word;
};

static inline struct door_check door_state(const struct cpu *cpu)
{
    return (struct door_check){cpu->d.door_count,
                               (u32)cpu->arch.seg[CS].selector << 16 | (u32)cpu->arch.cpl << 8 | cpu->d.mode};
}

static inline void door_verify(const struct cpu *cpu, struct door_check before)
{
    struct door_check after = door_state(cpu);

    assert(after.word == before.word || after.count != before.count);
}

#endif

#endif

/* SPDX-License-Identifier: MIT
 * Debug registers and debug conditions: instruction and I/O breakpoints, single step, DR6.
 * SDM 3B, "Debug Registers", "Debug Exceptions"; APM 2, "Software-Debug Resources".
 */
#include "cpu/fault.h"
#include "cpu/ring/mechanisms.h"

#define DR6_FIXED_ONES 0xFFFF0FF0ull
#define DR6_WRITABLE 0x0000E00Full
#define DR7_FIXED_ONES 0x00000400ull
#define DR7_WRITABLE 0xFFFF23FFull
#define BREAKPOINTS 4u

enum break_kind { BREAK_EXECUTE, BREAK_WRITE, BREAK_IO, BREAK_ACCESS };

static bool break_enabled(const struct cpu *cpu, unsigned i) { return (cpu->arch.dr[7] >> (2 * i)) & 3; }

static enum break_kind break_kind(const struct cpu *cpu, unsigned i)
{
    return (enum break_kind)((cpu->arch.dr[7] >> (16 + 4 * i)) & 3);
}

static unsigned break_bytes(const struct cpu *cpu, unsigned i)
{
    static const unsigned bytes[4] = {1, 2, 8, 4};

    return bytes[(cpu->arch.dr[7] >> (18 + 4 * i)) & 3];
}

void debug_write_register(struct cpu *cpu, unsigned number, u64 value)
{
    if (!cpu_64bit(cpu))
        value = (u32)value;
    if (number == 6 || number == 7)
        REQUIRE(cpu, value >> 32 == 0, GP(0), RULE_DB_06);
    if (number == 6)
        value = (value & DR6_WRITABLE) | DR6_FIXED_ONES;
    if (number == 7)
        value = (value & DR7_WRITABLE) | DR7_FIXED_ONES;
    cpu->arch.dr[number] = value;
    if (number == 6)
        return;
    cpu_update_derived(cpu); /* with a watchpoint every access goes the slow way, which looks at each */
    cpu_attention(cpu);
}

u64 debug_read_register(struct cpu *cpu, unsigned number) { return cpu->arch.dr[number]; }

u64 debug_code_match(const struct cpu *cpu, laddr_t laddr)
{
    u64 hits = 0;

    if (cpu->arch.rflags & FLAG_RF) /* DB-03 */
        return 0;
    for (unsigned i = 0; i < BREAKPOINTS; i++)
        if (break_enabled(cpu, i) && break_kind(cpu, i) == BREAK_EXECUTE && cpu->arch.dr[i] == laddr)
            hits |= DR6_B0 << i;
    return hits;
}

void debug_io_access(struct cpu *cpu, u16 port, unsigned size)
{
    if (!(cpu->arch.cr4 & CR4_DE))
        return;
    for (unsigned i = 0; i < BREAKPOINTS; i++) {
        unsigned bytes = break_bytes(cpu, i);
        u64 first = cpu->arch.dr[i] & ~(u64)(bytes - 1);

        if (!break_enabled(cpu, i) || break_kind(cpu, i) != BREAK_IO)
            continue;
        COVER(cpu, RULE_DB_08, port < first + bytes && first < (u64)port + size);
        if (port < first + bytes && first < (u64)port + size) {
            cpu->arch.pending_debug |= DR6_B0 << i;
            cpu_attention(cpu);
        }
    }
}

void debug_commit(struct cpu *cpu, u64 dr6_bits)
{
    COVER(cpu, RULE_DB_09, cpu->arch.dr[6] & (DR6_BD | DR6_BS | DR6_BT));
    cpu->arch.dr[6] |= dr6_bits & DR6_WRITABLE;
    cpu->arch.dr[7] &= ~DR7_GD;
}

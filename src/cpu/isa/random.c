/* SPDX-License-Identifier: MIT
 * RDRAND and RDSEED: numbers that look random to the guest and are the same in every run.
 * SDM 2B, "RDRAND", "RDSEED".
 *
 * The value is a fixed mixing function of virtual time, which moves with every instruction: a run made again with the
 * same inputs draws the same numbers, and no state has to be saved. It is no source of secrets.
 */
#include "cpu/isa/operand.h"

#define RDRAND_STREAM 0x9E3779B97F4A7C15ull
#define RDSEED_STREAM 0xD1B54A32D192ED03ull

/* Each input bit reaches each output bit: two rounds of multiply and shift. */
static u64 mix(u64 x)
{
    x = (x ^ (x >> 32)) * 0xD6E8FEB86659FD93ull;
    x = (x ^ (x >> 32)) * 0xD6E8FEB86659FD93ull;
    return x ^ (x >> 32);
}

/* Success: CF = 1 and the other arithmetic flags 0. */
static void draw(struct cpu *cpu, const struct insn *insn, u64 stream)
{
    reg_write(cpu, insn->dst, mix((cpu->clock->ticks + 1) * stream), (enum width)insn->width);
    flags_put_arithmetic(cpu, FLAG_CF);
}

BODY_PLAIN(op_rdrand) { draw(cpu, insn, RDRAND_STREAM); }

BODY_PLAIN(op_rdseed) { draw(cpu, insn, RDSEED_STREAM); }

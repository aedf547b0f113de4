/* SPDX-License-Identifier: MIT
 * SWAPGS: exchange the base of GS with IA32_KERNEL_GS_BASE.
 * SDM 2B, "SWAPGS-Swap GS Base Register"; APM 3, "SWAPGS".
 */
#include "cpu/fault.h"
#include "cpu/ring/mechanisms.h"

void ring_swapgs(struct cpu *cpu)
{
    u64 old_base = cpu->arch.seg[GS].base;

    REQUIRE(cpu, cpu_64bit(cpu), UD, RULE_GS_01);
    REQUIRE(cpu, cpu->arch.cpl == 0, GP(0), RULE_GS_02);

    COVER(cpu, RULE_GS_03, cpu->arch.seg[GS].selector > 3);
    /* GS-03: selector, limit and attributes stay. */
    cpu->arch.seg[GS].base = cpu->arch.msr.kernel_gs_base;
    cpu->arch.msr.kernel_gs_base = old_base;
    cpu->d.seg_base[GS] = cpu->arch.seg[GS].base;
    ring_side(cpu, SIDE_SWAPGS, 0, old_base, cpu->arch.seg[GS].base);
}

/* SPDX-License-Identifier: MIT
 * What a program may ask about a selector: LAR, LSL, VERR, VERW. No fault but #PF of the descriptor read: a selector
 * that cannot be asked about clears ZF.
 * SDM 2A "LAR", "LSL"; SDM 2B "VERR/VERW"; SDM 3A "Pointer Validation".
 */
#include "cpu/ring/mechanisms.h"

#include "cpu/ring/descriptor.h"

/* System types that LAR and LSL answer for, one bit per type. Long mode has no 16-bit system segments and no task
 * gates.
 */
#define TYPE_BIT(type) (1u << (type))
#define LSL_LONG (TYPE_BIT(SYS_LDT) | TYPE_BIT(SYS_TSS) | TYPE_BIT(SYS_TSS_BUSY))
#define LSL_LEGACY (LSL_LONG | TYPE_BIT(SYS_TSS16) | TYPE_BIT(SYS_TSS16_BUSY))
#define LAR_LONG (LSL_LONG | TYPE_BIT(SYS_CALL_GATE))
#define LAR_LEGACY (LSL_LEGACY | TYPE_BIT(SYS_CALL_GATE) | TYPE_BIT(SYS_CALL_GATE16) | TYPE_BIT(SYS_TASK_GATE))

/* Read the descriptor if the current level may see it. */
static bool visible(struct cpu *cpu, u16 selector, struct descriptor *d)
{
    if (selector_is_null(selector) || !descriptor_fetch(cpu, selector, d))
        return false;
    return descriptor_is_conforming(d) || (d->dpl >= cpu->arch.cpl && d->dpl >= selector_rpl(selector));
}

static bool answers(const struct cpu *cpu, const struct descriptor *d, u32 legacy, u32 long_mode)
{
    return d->code_or_data || ((cpu_long_mode(cpu) ? long_mode : legacy) & TYPE_BIT(d->type));
}

bool segment_query_lar(struct cpu *cpu, u16 selector, u32 *value)
{
    struct descriptor d;

    if (!visible(cpu, selector, &d) || !answers(cpu, &d, LAR_LEGACY, LAR_LONG))
        return false;
    /* SG-05: bits 19:16 (limit) are given by AMD; undefined, here 0, on Intel. */
    *value = (u32)(d.raw >> 32) & (cpu_is_amd(cpu) ? 0x00FFFF00u : 0x00F0FF00u);
    return true;
}

bool segment_query_lsl(struct cpu *cpu, u16 selector, u32 *value)
{
    struct descriptor d;

    if (!visible(cpu, selector, &d) || !answers(cpu, &d, LSL_LEGACY, LSL_LONG))
        return false;
    *value = d.limit;
    return true;
}

bool segment_query_verify(struct cpu *cpu, u16 selector, bool write)
{
    struct descriptor d;

    if (!visible(cpu, selector, &d))
        return false;
    return write ? descriptor_is_writable(&d) : descriptor_is_readable(&d);
}

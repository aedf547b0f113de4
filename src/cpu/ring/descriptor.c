/* SPDX-License-Identifier: MIT
 * Segment, system and gate descriptors: unpacking, table look-up, accessed and busy bits.
 * SDM 3A, "Segment Descriptors", "System Descriptor Types", "Gate Descriptors"; APM 2, "Segmented Virtual Memory".
 */
#include "cpu/ring/descriptor.h"

#include "cpu/mem.h"

/* Byte 5 holds P, DPL, S and the type: the only byte that the processor itself writes in a descriptor. */
#define ACCESS_BYTE 5u

void descriptor_store_type(struct cpu *cpu, laddr_t laddr, u64 raw, u8 type)
{
    u8 access = (u8)((bits(raw, 47, 40) & ~(u64)SEG_TYPE) | type);

    sys_write(cpu, laddr + ACCESS_BYTE, access, W8);
}

void descriptor_set_busy(struct cpu *cpu, struct descriptor *d, bool busy)
{
    descriptor_set_type(cpu, d, (u8)(busy ? d->type | SYS_BUSY_BIT : d->type & ~SYS_BUSY_BIT));
}

struct segment segment_real(const struct segment *old, u16 selector)
{
    struct segment s = {
        .selector = selector,
        .attr = SEG_PRESENT | SEG_S | SEG_WRITABLE | SEG_ACCESSED,
        .limit = old->limit,
        .base = (u64)selector << 4,
    };

    /* The cached limit and its attributes outlive the return to real mode ("big real mode"). A register that held a
     * null selector has none. UNVERIFIED: it then gets the reset value, FFFFh. */
    if (old->attr & SEG_UNUSABLE)
        s.limit = 0xFFFF;
    else
        s.attr |= old->attr & (SEG_DB | SEG_G);
    return s;
}

struct segment segment_vm86(u16 selector)
{
    return (struct segment){
        .selector = selector,
        .attr = SEG_PRESENT | 3u << SEG_DPL_SHIFT | SEG_S | SEG_WRITABLE | SEG_ACCESSED,
        .limit = 0xFFFF,
        .base = (u64)selector << 4,
    };
}

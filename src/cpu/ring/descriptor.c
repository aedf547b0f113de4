/* SPDX-License-Identifier: MIT
 * Segment, system and gate descriptors: unpacking, table look-up, accessed and busy bits.
 * SDM 3A, "Segment Descriptors", "System Descriptor Types", "Gate Descriptors"; APM 2, "Segmented Virtual Memory".
 */
#include "cpu/ring/descriptor.h"

#include "cpu/mem.h"

/* Byte 5 holds P, DPL, S and the type: the only byte that the processor itself writes in a descriptor. */
#define ACCESS_BYTE 5u

struct descriptor descriptor_parse(u64 raw)
{
    u32 limit = (u32)(bits(raw, 15, 0) | bits(raw, 51, 48) << 16);
    struct descriptor d = {
        .raw = raw,
        .base = bits(raw, 39, 16) | bits(raw, 63, 56) << 24,
        .attr = (u16)(bits(raw, 47, 40) | bits(raw, 55, 52) << 8),
        .type = (u8)bits(raw, 43, 40),
        .dpl = (u8)bits(raw, 46, 45),
        .code_or_data = bits(raw, 44, 44) != 0,
        .present = bits(raw, 47, 47) != 0,
        .selector = (u16)bits(raw, 31, 16),
        .offset = bits(raw, 15, 0) | bits(raw, 63, 48) << 16,
        .ist = (u8)bits(raw, 34, 32),
        .parameters = (u8)bits(raw, 36, 32),
    };

    d.limit = d.attr & SEG_G ? limit << 12 | 0xFFF : limit;
    if (!d.code_or_data && d.type < 8) /* a 16-bit gate has no upper offset (ID-17) */
        d.offset &= 0xFFFF;
    return d;
}

struct descriptor descriptor_parse_wide(u64 low, u64 high)
{
    struct descriptor d = descriptor_parse(low);

    d.raw_high = high;
    d.base |= bits(high, 31, 0) << 32;
    d.offset |= bits(high, 31, 0) << 32;
    return d;
}

bool descriptor_locate(const struct cpu *cpu, u16 selector, unsigned bytes, laddr_t *laddr)
{
    u32 index = selector & 0xFFF8u, limit;
    u64 base;

    if (selector & SELECTOR_TI) {
        if (cpu->arch.ldtr.attr & SEG_UNUSABLE)
            return false;
        base = cpu->arch.ldtr.base;
        limit = cpu->arch.ldtr.limit;
    } else {
        base = cpu->arch.gdtr.base;
        limit = cpu->arch.gdtr.limit;
    }
    if ((u64)index + bytes - 1 > limit)
        return false;
    *laddr = (base + index) & (cpu_long_mode(cpu) ? ~0ull : 0xFFFFFFFFull);
    return true;
}

bool descriptor_fetch(struct cpu *cpu, u16 selector, struct descriptor *out)
{
    laddr_t laddr;

    if (!descriptor_locate(cpu, selector, 8, &laddr))
        return false;
    *out = descriptor_parse(sys_read(cpu, laddr, W64));
    out->laddr = laddr;
    return true;
}

bool descriptor_fetch_high(struct cpu *cpu, u16 selector, struct descriptor *d)
{
    laddr_t laddr;

    if (!descriptor_locate(cpu, selector, 16, &laddr))
        return false;
    *d = descriptor_parse_wide(d->raw, sys_read(cpu, laddr + 8, W64));
    d->laddr = laddr;
    return true;
}

/* Replace the type in the table and in *d. */
static void write_type(struct cpu *cpu, struct descriptor *d, u8 type)
{
    u8 access = (u8)((bits(d->raw, 47, 40) & ~(u64)SEG_TYPE) | type);

    sys_write(cpu, d->laddr + ACCESS_BYTE, access, W8);
    d->raw = (d->raw & ~(0xFFull << 40)) | (u64)access << 40;
    d->attr = (u16)((d->attr & ~SEG_TYPE) | type);
    d->type = type;
}

void descriptor_set_accessed(struct cpu *cpu, struct descriptor *d)
{
    if (d->code_or_data && !(d->type & SEG_ACCESSED))
        write_type(cpu, d, d->type | SEG_ACCESSED);
}

void descriptor_set_busy(struct cpu *cpu, struct descriptor *d, bool busy)
{
    write_type(cpu, d, (u8)(busy ? d->type | SYS_BUSY_BIT : d->type & ~SYS_BUSY_BIT));
}

struct segment descriptor_segment(const struct descriptor *d, u16 selector)
{
    return (struct segment){.selector = selector, .attr = d->attr, .limit = d->limit, .base = d->base};
}

struct segment segment_null(u16 selector, u8 dpl)
{
    return (struct segment){.selector = selector, .attr = (u16)(SEG_UNUSABLE | dpl << SEG_DPL_SHIFT)};
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

/* SPDX-License-Identifier: MIT
 * Segment, system and gate descriptors as values, and their tables.
 * SDM 3A, "Segment Descriptors", "System Descriptor Types", "Gate Descriptors"; APM 2, "Segmented Virtual Memory".
 */
#ifndef RINGSIDE_CPU_RING_DESCRIPTOR_H
#define RINGSIDE_CPU_RING_DESCRIPTOR_H

#include "cpu/mem.h"

/* Type field of a system descriptor (S = 0). Types 1, 3, 4, 6, 7 and 5 are reserved in long mode. */
enum system_type {
    SYS_TSS16 = 1,
    SYS_LDT = 2,
    SYS_TSS16_BUSY = 3,
    SYS_CALL_GATE16 = 4,
    SYS_TASK_GATE = 5,
    SYS_INTERRUPT_GATE16 = 6,
    SYS_TRAP_GATE16 = 7,
    SYS_TSS = 9, /* 32-bit; 64-bit in long mode */
    SYS_TSS_BUSY = 11,
    SYS_CALL_GATE = 12, /* 32-bit; 64-bit in long mode */
    SYS_INTERRUPT_GATE = 14,
    SYS_TRAP_GATE = 15,
    SYS_BUSY_BIT = 2, /* or-ed into a TSS type */
};

/* One descriptor, unpacked. The gate fields are meaningful when it is a gate, base and limit when it is not. */
struct descriptor {
    laddr_t laddr; /* of its first byte, 0 when it was parsed from a value */
    u64 raw;
    u64 raw_high; /* bytes 8-15 of a 16-byte descriptor, else 0 */
    u64 base;
    u32 limit; /* in bytes, scaled by G */
    u16 attr;  /* as struct segment.attr */
    u8 type;   /* bits 40-43: enum system_type when !code_or_data, else SEG_ACCESSED | SEG_WRITABLE ... */
    u8 dpl;
    bool code_or_data; /* S */
    bool present;
    /* gate */
    u16 selector;
    u64 offset;    /* 32 bits, or 64 with the high half */
    u8 ist;        /* long-mode interrupt and trap gates: 0-7 */
    u8 parameters; /* 16- and 32-bit call gates: 0-31 words of the gate's width */
};

/* The selector as an exception's error code: RPL dropped, EXT and IDT clear. */
ALWAYS_INLINE u32 selector_error(u16 selector) { return selector & 0xFFFCu; }
ALWAYS_INLINE bool selector_is_null(u16 selector) { return (selector & 0xFFFCu) == 0; }
ALWAYS_INLINE u8 selector_rpl(u16 selector) { return selector & SELECTOR_RPL; }
ALWAYS_INLINE u16 selector_with_rpl(u16 selector, u8 rpl) { return (u16)((selector & 0xFFFCu) | rpl); }

ALWAYS_INLINE bool descriptor_is_code(const struct descriptor *d) { return d->code_or_data && (d->type & SEG_CODE); }
ALWAYS_INLINE bool descriptor_is_data(const struct descriptor *d) { return d->code_or_data && !(d->type & SEG_CODE); }
ALWAYS_INLINE bool descriptor_is_conforming(const struct descriptor *d) /* a conforming code segment */
{
    return descriptor_is_code(d) && (d->type & SEG_CONFORMING);
}
ALWAYS_INLINE bool descriptor_is_writable(const struct descriptor *d) /* a writable data segment: may be SS */
{
    return descriptor_is_data(d) && (d->type & SEG_WRITABLE);
}
ALWAYS_INLINE bool descriptor_is_readable(const struct descriptor *d) /* data, or readable code: may be DS */
{
    return d->code_or_data && (!(d->type & SEG_CODE) || (d->type & SEG_READABLE));
}
ALWAYS_INLINE bool descriptor_is_system(const struct descriptor *d, enum system_type type)
{
    return !d->code_or_data && d->type == (u8)type;
}

/* Unpack 8 bytes (a segment, a legacy system descriptor or a legacy gate), or 16 bytes (long-mode LDT, TSS, gate).
 * raises: never */
ALWAYS_INLINE struct descriptor descriptor_parse(u64 raw)
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

ALWAYS_INLINE struct descriptor descriptor_parse_wide(u64 low, u64 high)
{
    struct descriptor d = descriptor_parse(low);

    d.raw_high = high;
    d.base |= bits(high, 31, 0) << 32;
    d.offset |= bits(high, 31, 0) << 32;
    return d;
}

/* Linear address of a selector's descriptor. returns: false as descriptor_fetch(). raises: never. */
ALWAYS_INLINE bool descriptor_locate(const struct cpu *cpu, u16 selector, unsigned bytes, laddr_t *laddr)
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

/* Read the 8-byte descriptor that a selector names from the GDT, or the LDT when TI is set. The caller has dealt with
 * a null selector (index 0 of the GDT is read like any other).
 * returns: false when its 8 bytes are not all inside the table, or the LDT is null (SG-07)
 * raises:  #PF, by the implicit supervisor read.   source: SDM 3A, "Segment Selectors" */
ALWAYS_INLINE bool descriptor_fetch(struct cpu *cpu, u16 selector, struct descriptor *out)
{
    laddr_t laddr;

    if (!descriptor_locate(cpu, selector, 8, &laddr))
        return false;
    *out = descriptor_parse(sys_read(cpu, laddr, W64));
    out->laddr = laddr;
    return true;
}

/* Long mode, system descriptors: read bytes 8-15 too and widen *d. returns: false when they are past the limit. */
ALWAYS_INLINE bool descriptor_fetch_high(struct cpu *cpu, u16 selector, struct descriptor *d)
{
    laddr_t laddr;

    if (!descriptor_locate(cpu, selector, 16, &laddr))
        return false;
    *d = descriptor_parse_wide(d->raw, sys_read(cpu, laddr + 8, W64));
    d->laddr = laddr;
    return true;
}

/* Store another type into the byte of a table that holds it. in: raw  the descriptor as it is there. raises: #PF. */
void descriptor_store_type(struct cpu *cpu, laddr_t laddr, u64 raw, u8 type);
/* Replace the type in the table and in *d. raises: #PF. */
ALWAYS_INLINE void descriptor_set_type(struct cpu *cpu, struct descriptor *d, u8 type)
{
    descriptor_store_type(cpu, d->laddr, d->raw, type);
    d->raw = (d->raw & ~((u64)SEG_TYPE << 40)) | (u64)type << 40;
    d->attr = (u16)((d->attr & ~SEG_TYPE) | type);
    d->type = type;
}

/* Set the accessed bit of a code or data descriptor in its table (nothing is written when it is set already; nothing
 * to do without SEG_S). *d follows.
 * effects: one byte of the table; stays set when a later check faults.   raises: #PF (SG-03) */
ALWAYS_INLINE void descriptor_set_accessed(struct cpu *cpu, struct descriptor *d)
{
    COVER(cpu, RULE_SG_03, d->code_or_data && !(d->type & SEG_ACCESSED));
    if (d->code_or_data && !(d->type & SEG_ACCESSED))
        descriptor_set_type(cpu, d, d->type | SEG_ACCESSED);
}

/* Set or clear the busy bit of a TSS descriptor in its table; *d follows. raises: #PF. */
void descriptor_set_busy(struct cpu *cpu, struct descriptor *d, bool busy);

/* The segment register contents for a selector and its descriptor. The selector is stored as given (RPL included). */
ALWAYS_INLINE struct segment descriptor_segment(const struct descriptor *d, u16 selector)
{
    return segment_make(selector, d->attr, d->limit, d->base);
}

/* A segment register holding a null selector: unusable, with DPL = dpl (an inner SS in long mode: CPL). */
ALWAYS_INLINE struct segment segment_null(u16 selector, u8 dpl)
{
    return segment_make(selector, (u16)(SEG_UNUSABLE | dpl << SEG_DPL_SHIFT), 0, 0);
}

/* Real mode: base = selector * 16; the limit, B/D and G stay as they are (RM-02). */
struct segment segment_real(const struct segment *old, u16 selector);
/* VM86: base = selector * 16, limit FFFFh, DPL 3 writable data. */
struct segment segment_vm86(u16 selector);

ALWAYS_INLINE u8 segment_dpl(const struct segment *s) { return (s->attr >> SEG_DPL_SHIFT) & 3; }

#endif

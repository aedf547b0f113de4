/* SPDX-License-Identifier: MIT
 * Linear and segmented memory access: the fast path through the TLB here, everything else in mem.c.
 *
 * Three kinds: data accesses at the current CPL (mem_*), implicit supervisor accesses to descriptor tables and the TSS
 * (sys_*), and stack accesses at a CPL that is not current yet (lin_* with a view). All raise #PF, #AC, #GP or #SS.
 * SDM 3A, "Limit Checking", "Access Rights"; SDM 1, "Canonical Addressing".
 */
#ifndef RINGSIDE_CPU_MEM_H
#define RINGSIDE_CPU_MEM_H

#include "cpu/cpu.h"
#include "cpu/fault.h"

/* Slow paths (mem.c). size 1..8; crossing pages, devices, watchpoints and #AC handled here. */
u64 mem_read_slow(struct cpu *cpu, laddr_t laddr, unsigned size, enum access_view view, bool implicit);
void mem_write_slow(struct cpu *cpu, laddr_t laddr, u64 value, unsigned size, enum access_view view, bool implicit);
/* The rule behind a page fault, for reports. error: the #PF error code that the walk gave. */
enum rule mem_page_fault_rule(struct cpu *cpu, laddr_t laddr, u32 error, enum access_view view);
#ifdef RINGSIDE_COVERAGE
/* Count the rules that held when an address was translated. */
void mem_cover_translation(struct cpu *cpu, enum access_type type, enum access_view view);
#else
#define mem_cover_translation(cpu, type, view) ((void)0)
#endif
/* Segment checks when the segment is not flat. returns the linear address; raises #GP(0), or #SS(0) for SS.
 * source: SDM 3A "Limit Checking" (expand-down, execute-only, read-only, null, canonical) */
laddr_t mem_segment_check(struct cpu *cpu, enum seg seg, u64 offset, unsigned size, bool write);

/* Linear address of [offset, offset+size) in a segment, checked. Canonicality in 64-bit mode is checked on the TLB
 * miss path, which needs to know the segment (#SS or #GP): see mem_read_miss() and mem_write_miss(). */
ALWAYS_INLINE laddr_t mem_linear(struct cpu *cpu, enum seg seg, u64 offset, unsigned size, bool write)
{
    u32 flat = write ? cpu->d.seg_flat_write : cpu->d.seg_flat_read;

    if (LIKELY((flat >> seg) & 1))
        return (offset + cpu->d.seg_base[seg]) & cpu->d.laddr_mask;
    return mem_segment_check(cpu, seg, offset, size, write);
}

/* Miss paths of segmented accesses: check canonicality with the segment's vector, then go the slow way. What is read is
 * left in d.slow_value. */
void mem_read_miss(struct cpu *cpu, enum seg seg, laddr_t laddr, unsigned size) SLOW_PATH;
void mem_write_miss(struct cpu *cpu, enum seg seg, laddr_t laddr, u64 value, unsigned size) SLOW_PATH;

ALWAYS_INLINE u64 mem_load_host(const u8 *host, enum width w)
{
    switch (w) {
    case W8: return *host;
    case W16: return load_le16(host);
    case W32: return load_le32(host);
    case W64: break;
    }
    return load_le64(host);
}

/* Data read at the current CPL, after the segment's checks. in: seg only chooses the fault of a non-canonical address.
 * returns the zero-extended value. */
ALWAYS_INLINE u64 mem_read_linear(struct cpu *cpu, enum seg seg, laddr_t laddr, enum width w)
{
    const u8 *host = tlb_read_hit(cpu->d.view, laddr, width_bytes(w));

    if (LIKELY(host != NULL))
        return mem_load_host(host, w);
    mem_read_miss(cpu, seg, laddr, width_bytes(w));
    return cpu->d.slow_value;
}

/* Data read at the current CPL. in: seg:offset; returns the zero-extended value. */
ALWAYS_INLINE u64 mem_read(struct cpu *cpu, enum seg seg, u64 offset, enum width w)
{
    return mem_read_linear(cpu, seg, mem_linear(cpu, seg, offset, width_bytes(w), false), w);
}

ALWAYS_INLINE void mem_store_host(u8 *host, u64 value, enum width w)
{
    switch (w) {
    case W8: *host = (u8)value; break;
    case W16: store_le16(host, (u16)value); break;
    case W32: store_le32(host, (u32)value); break;
    case W64: store_le64(host, value); break;
    }
}

/* Data write at the current CPL, after the segment's checks; see mem_read_linear(). */
ALWAYS_INLINE void mem_write_linear(struct cpu *cpu, enum seg seg, laddr_t laddr, u64 value, enum width w)
{
    u8 *host = tlb_write_hit(cpu->d.view, laddr, width_bytes(w));

    if (LIKELY(host != NULL))
        mem_store_host(host, value, w);
    else
        mem_write_miss(cpu, seg, laddr, value, width_bytes(w));
}

/* Data write at the current CPL. */
ALWAYS_INLINE void mem_write(struct cpu *cpu, enum seg seg, u64 offset, u64 value, enum width w)
{
    mem_write_linear(cpu, seg, mem_linear(cpu, seg, offset, width_bytes(w), true), value, w);
}

/* Read-modify-write: write permission is checked before the read, so that a fault says "write". */
struct mem_rmw {
    laddr_t laddr;
    u8 *host; /* NULL: the slow way */
};

void mem_rmw_begin_miss(struct cpu *cpu, enum seg seg, laddr_t laddr, unsigned size) SLOW_PATH;

ALWAYS_INLINE u64 mem_rmw_begin_linear(struct cpu *cpu, enum seg seg, laddr_t laddr, enum width w, struct mem_rmw *rmw)
{
    rmw->laddr = laddr;
    rmw->host = tlb_write_hit(cpu->d.view, rmw->laddr, width_bytes(w));
    if (UNLIKELY(rmw->host == NULL)) {
        mem_rmw_begin_miss(cpu, seg, rmw->laddr, width_bytes(w));
        return cpu->d.slow_value;
    }
    return mem_load_host(rmw->host, w);
}

ALWAYS_INLINE u64 mem_rmw_begin(struct cpu *cpu, enum seg seg, u64 offset, enum width w, struct mem_rmw *rmw)
{
    return mem_rmw_begin_linear(cpu, seg, mem_linear(cpu, seg, offset, width_bytes(w), true), w, rmw);
}

ALWAYS_INLINE void mem_rmw_end(struct cpu *cpu, const struct mem_rmw *rmw, u64 value, enum width w)
{
    if (LIKELY(rmw->host != NULL))
        mem_store_host(rmw->host, value, w);
    else
        mem_write_slow(cpu, rmw->laddr, value, width_bytes(w), cpu->d.view_kind, false);
}

/* Larger data, any size up to a page, at the current CPL. A write is checked whole before its first byte is stored.
 * align: 16 raises #GP(0) unless the linear address is 16-byte aligned (SSE), 1 = no requirement. */
void mem_read_block(struct cpu *cpu, enum seg seg, u64 offset, void *out, unsigned size, unsigned align);
void mem_write_block(struct cpu *cpu, enum seg seg, u64 offset, const void *in, unsigned size, unsigned align);
/* The linear address after all checks but alignment and paging. raises: #GP, #SS */
laddr_t mem_linear_checked(struct cpu *cpu, enum seg seg, u64 offset, unsigned size, bool write);
/* Check that [offset, offset+size) can be written (or read) without touching it; raises as the access would. */
void mem_probe(struct cpu *cpu, enum seg seg, u64 offset, unsigned size, bool write);

/* Linear accesses with an explicit view (stack pushes and pops at another CPL). laddr is already segment-checked. */
ALWAYS_INLINE bool lin_may_hit(const struct cpu *cpu) { return LIKELY(!cpu->d.align_check && !cpu->d.watchpoints); }
ALWAYS_INLINE u64 lin_read(struct cpu *cpu, laddr_t laddr, enum width w, enum access_view view)
{
    const u8 *host = lin_may_hit(cpu) ? tlb_read_hit(&cpu->mmu.view[view], laddr, width_bytes(w)) : NULL;

    return LIKELY(host != NULL) ? mem_load_host(host, w) : mem_read_slow(cpu, laddr, width_bytes(w), view, false);
}
ALWAYS_INLINE void lin_write(struct cpu *cpu, laddr_t laddr, u64 value, enum width w, enum access_view view)
{
    u8 *host = lin_may_hit(cpu) ? tlb_write_hit(&cpu->mmu.view[view], laddr, width_bytes(w)) : NULL;

    if (LIKELY(host != NULL))
        mem_store_host(host, value, w);
    else
        mem_write_slow(cpu, laddr, value, width_bytes(w), view, false);
}

/* Implicit supervisor accesses: GDT, LDT, IDT, TSS. Always checked as supervisor, SMAP whatever AC. */
ALWAYS_INLINE u64 sys_read(struct cpu *cpu, laddr_t laddr, enum width w)
{
    const u8 *host;

    laddr &= cpu_long_mode(cpu) ? ~0ull : 0xFFFFFFFFull;
    host = tlb_read_hit(cpu->d.supervisor_view, laddr, width_bytes(w));
    if (LIKELY(host != NULL))
        return mem_load_host(host, w);
    return mem_read_slow(cpu, laddr, width_bytes(w), VIEW_SUPERVISOR, true);
}
/* Two words of 8 bytes, in order; returns the first. */
ALWAYS_INLINE u64 sys_read_wide(struct cpu *cpu, laddr_t laddr, u64 *second)
{
    const u8 *host = tlb_read_hit(cpu->d.supervisor_view, laddr & (cpu_long_mode(cpu) ? ~0ull : 0xFFFFFFFFull), 16);
    u64 first;

    if (LIKELY(host != NULL)) {
        *second = load_le64(host + 8);
        return load_le64(host);
    }
    first = sys_read(cpu, laddr, W64);
    *second = sys_read(cpu, laddr + 8, W64);
    return first;
}
ALWAYS_INLINE void sys_write(struct cpu *cpu, laddr_t laddr, u64 value, enum width w)
{
    u8 *host;

    laddr &= cpu_long_mode(cpu) ? ~0ull : 0xFFFFFFFFull;
    host = tlb_write_hit(cpu->d.supervisor_view, laddr, width_bytes(w));
    if (LIKELY(host != NULL))
        mem_store_host(host, value, w);
    else
        mem_write_slow(cpu, laddr, value, width_bytes(w), VIEW_SUPERVISOR, true);
}
/* Check that a supervisor write would succeed (task switch: both TSS images are checked before the first store). */
void sys_probe(struct cpu *cpu, laddr_t laddr, unsigned size, bool write);

#endif

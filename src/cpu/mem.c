/* SPDX-License-Identifier: MIT
 * The slow paths of memory access: TLB misses, page crossings, devices, segment limits, alignment and watchpoints.
 * SDM 3A, "Limit Checking", "Type Checking", "Page-Fault Exceptions"; SDM 1, "Canonical Addressing";
 * SDM 3B, "Debug Registers".
 */
#include "cpu/mem.h"

/* ---- faults */

static NORETURN COLD void raise_for_segment(struct cpu *cpu, enum seg seg, enum rule rule)
{
    cpu_raise(cpu, seg == SS ? SS_(0) : GP(0), rule);
}

COLD enum rule mem_page_fault_rule(struct cpu *cpu, laddr_t laddr, u32 error, enum access_view view)
{
    struct walk walk;

    if (error & PF_RSVD)
        return RULE_PG_05;
    if (!(error & PF_P))
        return RULE_PF_01;
    walk = page_walk(cpu->physmem, &cpu->mmu.mode, laddr, ACCESS_READ, VIEW_SUPERVISOR_AC);
    if (view == VIEW_USER && !walk.user)
        return RULE_PF_02;
    if (error & PF_I)
        return walk.executable ? RULE_PG_02 : RULE_PF_04;
    if (page_allows(&cpu->mmu.mode, &walk, ACCESS_READ, view))
        return RULE_PF_03;
    return RULE_PG_02;
}

#ifdef RINGSIDE_COVERAGE
void mem_cover_translation(struct cpu *cpu, enum access_type type, enum access_view view)
{
    COVER(cpu, RULE_A20_01, !physmem_a20(cpu->physmem));
    if (cpu->mmu.mode.levels == 0)
        return;
    RULE_HELD(cpu, RULE_PF_01);
    RULE_HELD(cpu, RULE_PG_05);
    COVER(cpu, RULE_PF_05, type == ACCESS_WRITE);
    COVER_IF(cpu, RULE_PF_02, view == VIEW_USER);
    COVER_IF(cpu, RULE_PF_03, type == ACCESS_WRITE);
    COVER_IF(cpu, RULE_PF_04, type == ACCESS_EXECUTE);
    COVER_IF(cpu, RULE_PG_02, view == VIEW_SUPERVISOR_AC && cpu->mmu.mode.smap);
}
#endif

static paddr_t translate(struct cpu *cpu, laddr_t laddr, enum access_type type, enum access_view view)
{
    paddr_t paddr = 0;
    u32 error = 0;

    if (UNLIKELY(!mmu_translate(&cpu->mmu, laddr, type, view, &paddr, &error)))
        cpu_raise_page_fault(cpu, laddr, error, mem_page_fault_rule(cpu, laddr, error, view));
    mem_cover_translation(cpu, type, view);
    return paddr;
}

/* ---- checks on an address range */

/* Data breakpoints are traps: the bits wait for the instruction boundary. DR6 order, lengths 1, 2, 8, 4. */
static COLD void match_watchpoints(struct cpu *cpu, laddr_t laddr, unsigned size, bool write)
{
    static const u8 lengths[4] = {1, 2, 8, 4};
    u64 dr7 = cpu->arch.dr[7];

    for (unsigned i = 0; i < 4; i++) {
        unsigned kind = (unsigned)bits(dr7, 17 + 4 * i, 16 + 4 * i); /* 1 = write, 3 = read or write */
        unsigned length = lengths[bits(dr7, 19 + 4 * i, 18 + 4 * i)];
        u64 start = cpu->arch.dr[i] & ~(u64)(length - 1);

        if (bits(dr7, 2 * i + 1, 2 * i) == 0 || !(kind == 3 || (kind == 1 && write)))
            continue;
        COVER(cpu, RULE_DB_07, laddr < start + length && start < laddr + size);
        COVER(cpu, RULE_DB_10, start != cpu->arch.dr[i]);
        if (laddr < start + length && start < laddr + size) {
            cpu->arch.pending_debug |= BIT(i);
            cpu_attention(cpu);
        }
    }
}

/* Alignment of an operand that #AC asks for, by its size; 1 = never checked (AL-03). */
static unsigned natural_alignment(const struct cpu *cpu, unsigned size)
{
    switch (size) {
    case 2:
    case 4:
    case 8: return size;
    case 16: return cpu_is_amd(cpu) ? 16 : 1; /* UNVERIFIED on Intel, where the manual leaves it to the processor */
    default: return 1;
    }
}

static void check_alignment(struct cpu *cpu, laddr_t laddr, unsigned alignment)
{
    REQUIRE(cpu, (laddr & (alignment - 1)) == 0, AC_, RULE_AL_01);
}

/* The pages of an access, translated in order before anything is read or stored. */
struct span {
    paddr_t paddr[2];
    unsigned size[2]; /* the second is 0 unless the access crosses a page */
};

static struct span span_translate(struct cpu *cpu, laddr_t laddr, unsigned size, enum access_type type,
                                  enum access_view view)
{
    unsigned room = PAGE_SIZE - (unsigned)(laddr & ~PAGE_MASK);
    struct span span = {.size = {size, 0}};

    span.paddr[0] = translate(cpu, laddr, type, view);
    if (UNLIKELY(size > room)) {
        laddr_t next = laddr + room;

        if (!cpu_64bit(cpu) && laddr <= 0xFFFFFFFF)
            next &= 0xFFFFFFFF; /* linear addresses wrap at 4 GiB */
        span.paddr[1] = translate(cpu, next, type, view);
        span.size[0] = room;
        span.size[1] = size - room;
    }
    return span;
}

/* A device sees the tick of its access, and may ask for attention: no block may be half way. */
static void demand_exact_for_device(struct cpu *cpu, const struct span *span)
{
    if (physmem_host(cpu->physmem, span->paddr[0]) == NULL ||
        (span->size[1] != 0 && physmem_host(cpu->physmem, span->paddr[1]) == NULL))
        cpu_demand_exact(cpu);
}

/* Translate and check an access, whole. Intel's manual ranks #PF before #AC, without a promise; AMD's processors raise
 * #AC first. */
static struct span access_begin(struct cpu *cpu, laddr_t laddr, unsigned size, enum access_type type,
                                enum access_view view, bool implicit)
{
    bool aligned = UNLIKELY(cpu->d.align_check) && !implicit && view == VIEW_USER;
    struct span span;

    COVER_IF(cpu, RULE_AL_03, cpu->d.align_check && size > 8);
    if (aligned && cpu_is_amd(cpu))
        check_alignment(cpu, laddr, natural_alignment(cpu, size));
    span = span_translate(cpu, laddr, size, type, view);
    if (aligned)
        check_alignment(cpu, laddr, natural_alignment(cpu, size));
    if (!cpu->d.exact)
        demand_exact_for_device(cpu, &span);
    if (UNLIKELY(cpu->d.watchpoints))
        match_watchpoints(cpu, laddr, size, type == ACCESS_WRITE);
    return span;
}

static void span_read(struct cpu *cpu, const struct span *span, void *out)
{
    physmem_read(cpu->physmem, span->paddr[0], out, span->size[0], cpu->mmu.who);
    if (UNLIKELY(span->size[1] != 0))
        physmem_read(cpu->physmem, span->paddr[1], (u8 *)out + span->size[0], span->size[1], cpu->mmu.who);
}

static void span_write(struct cpu *cpu, const struct span *span, const void *in)
{
    physmem_write(cpu->physmem, span->paddr[0], in, span->size[0], cpu->mmu.who);
    if (UNLIKELY(span->size[1] != 0))
        physmem_write(cpu->physmem, span->paddr[1], (const u8 *)in + span->size[0], span->size[1], cpu->mmu.who);
}

/* ---- accesses */

u64 mem_read_slow(struct cpu *cpu, laddr_t laddr, unsigned size, enum access_view view, bool implicit)
{
    struct span span = access_begin(cpu, laddr, size, ACCESS_READ, view, implicit);
    u64 value = 0;

    span_read(cpu, &span, &value);
    return value;
}

void mem_write_slow(struct cpu *cpu, laddr_t laddr, u64 value, unsigned size, enum access_view view, bool implicit)
{
    struct span span = access_begin(cpu, laddr, size, ACCESS_WRITE, view, implicit);

    span_write(cpu, &span, &value);
}

/* Outside 64-bit mode no linear address of an operand can be non-canonical. */
static void check_canonical(struct cpu *cpu, enum seg seg, laddr_t laddr, unsigned size)
{
    if (!cpu_64bit(cpu))
        return;
    COVER(cpu, RULE_CA_03, cpu->arch.cr4 & CR4_LA57);
    if (UNLIKELY(!cpu_canonical(cpu, laddr) || !cpu_canonical(cpu, laddr + size - 1)))
        raise_for_segment(cpu, seg, seg == SS ? RULE_ID_20 : RULE_CA_01);
    RULE_HELD(cpu, seg == SS ? RULE_ID_20 : RULE_CA_01);
}

SLOW_PATH void mem_read_miss(struct cpu *cpu, enum seg seg, laddr_t laddr, unsigned size)
{
    check_canonical(cpu, seg, laddr, size);
    cpu->d.slow_value = mem_read_slow(cpu, laddr, size, cpu->d.view_kind, false);
}

SLOW_PATH void mem_write_miss(struct cpu *cpu, enum seg seg, laddr_t laddr, u64 value, unsigned size)
{
    check_canonical(cpu, seg, laddr, size);
    mem_write_slow(cpu, laddr, value, size, cpu->d.view_kind, false);
}

SLOW_PATH void mem_rmw_begin_miss(struct cpu *cpu, enum seg seg, laddr_t laddr, unsigned size)
{
    struct span span;
    u64 value = 0;

    check_canonical(cpu, seg, laddr, size);
    /* A page that may be written may be read: one check, as a write, serves both. */
    span = access_begin(cpu, laddr, size, ACCESS_WRITE, cpu->d.view_kind, false);
    span_read(cpu, &span, &value);
    cpu->d.slow_value = value;
}

/* The linear address of a block operand, with all its checks but paging. A misaligned one is #GP(0) even where it is
 * also outside its stack segment or not canonical. */
static laddr_t block_linear(struct cpu *cpu, enum seg seg, u64 offset, unsigned size, unsigned align, bool write)
{
    laddr_t laddr;

    REQUIRE(cpu, ((offset + cpu->d.seg_base[seg]) & (align - 1)) == 0, GP(0), RULE_AL_02);
    laddr = mem_linear(cpu, seg, offset, size, write);
    check_canonical(cpu, seg, laddr, size);
    return laddr;
}

laddr_t mem_linear_checked(struct cpu *cpu, enum seg seg, u64 offset, unsigned size, bool write)
{
    return block_linear(cpu, seg, offset, size, 1, write);
}

void mem_read_block(struct cpu *cpu, enum seg seg, u64 offset, void *out, unsigned size, unsigned align)
{
    laddr_t laddr = block_linear(cpu, seg, offset, size, align, false);
    const u8 *host = tlb_read_hit(cpu->d.view, laddr, size);
    struct span span;

    if (LIKELY(host != NULL)) {
        memcpy(out, host, size);
        return;
    }
    span = access_begin(cpu, laddr, size, ACCESS_READ, cpu->d.view_kind, false);
    span_read(cpu, &span, out);
}

void mem_write_block(struct cpu *cpu, enum seg seg, u64 offset, const void *in, unsigned size, unsigned align)
{
    laddr_t laddr = block_linear(cpu, seg, offset, size, align, true);
    u8 *host = tlb_write_hit(cpu->d.view, laddr, size);
    struct span span;

    if (LIKELY(host != NULL)) {
        memcpy(host, in, size);
        return;
    }
    span = access_begin(cpu, laddr, size, ACCESS_WRITE, cpu->d.view_kind, false);
    span_write(cpu, &span, in);
}

void mem_probe(struct cpu *cpu, enum seg seg, u64 offset, unsigned size, bool write)
{
    laddr_t laddr = block_linear(cpu, seg, offset, size, 1, write);

    if (cpu->d.align_check && cpu_is_amd(cpu))
        check_alignment(cpu, laddr, natural_alignment(cpu, size));
    span_translate(cpu, laddr, size, write ? ACCESS_WRITE : ACCESS_READ, cpu->d.view_kind);
    if (cpu->d.align_check)
        check_alignment(cpu, laddr, natural_alignment(cpu, size));
}

void sys_probe(struct cpu *cpu, laddr_t laddr, unsigned size, bool write)
{
    laddr &= cpu_long_mode(cpu) ? ~0ull : 0xFFFFFFFFull;
    span_translate(cpu, laddr, size, write ? ACCESS_WRITE : ACCESS_READ, VIEW_SUPERVISOR);
}

/* ---- segments */

/* source: SDM 3A, "Limit Checking": an expand-down segment holds what lies above its limit, up to FFFFh or FFFFFFFFh */
static bool inside_limit(const struct segment *seg, u64 offset, u64 last)
{
    bool expand_down = !(seg->attr & SEG_CODE) && (seg->attr & SEG_EXPAND_DOWN);

    if (expand_down)
        return offset > seg->limit && last <= (seg->attr & SEG_DB ? 0xFFFFFFFFull : 0xFFFFull);
    return last <= seg->limit;
}

laddr_t mem_segment_check(struct cpu *cpu, enum seg seg, u64 offset, unsigned size, bool write)
{
    const struct segment *s = &cpu->arch.seg[seg];
    bool code = (s->attr & SEG_CODE) != 0;

    if (cpu_protected(cpu)) {
        if (UNLIKELY(s->attr & SEG_UNUSABLE))
            raise_for_segment(cpu, seg, RULE_SG_08);
        if (write)
            REQUIRE(cpu, !code && (s->attr & SEG_WRITABLE), GP(0), RULE_SG_10);
        else
            REQUIRE(cpu, !code || (s->attr & SEG_READABLE), GP(0), RULE_SG_10);
    }
    if (UNLIKELY(!inside_limit(s, offset, offset + size - 1)))
        raise_for_segment(cpu, seg, RULE_SG_04);
    RULE_HELD(cpu, RULE_SG_04);
    return (offset + s->base) & cpu->d.laddr_mask;
}

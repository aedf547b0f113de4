/* SPDX-License-Identifier: MIT
 * Making a processor, and the derived section of its state.
 * SDM 3A, "Processor State After Reset", "Modes of Operation"; APM 2, "Processor Initialization State".
 */
#include "cpu/cpu.h"
#include "cpu/fault.h"

#include <stdio.h>
#include <stdlib.h>

#include "cpu/flags.h"

/* The architectural section is compared and hashed as bytes: it may hold no padding. */
_Static_assert(sizeof(struct segment) == 16 && sizeof(struct table_register) == 16 && sizeof(struct x87_reg) == 16 &&
                   sizeof(union xmm_reg) == 16,
               "a member of struct cpu_arch has padding");
_Static_assert(offsetof(struct cpu_arch, seg) == 19 * 8 && offsetof(struct cpu_arch, gdtr) == 19 * 8 + 8 * 16 &&
                   offsetof(struct cpu_arch, cr0) == 19 * 8 + 10 * 16 &&
                   offsetof(struct cpu_arch, msr) == offsetof(struct cpu_arch, cr0) + (5 + 8 + 4) * 8 &&
                   offsetof(struct cpu_arch, pending_debug) ==
                       offsetof(struct cpu_arch, msr) + sizeof(struct msr_file) &&
                   offsetof(struct cpu_arch, x87) == offsetof(struct cpu_arch, pending_debug) + 16 &&
                   offsetof(struct cpu_arch, x87_control) == offsetof(struct cpu_arch, x87) + 8 * 16 + 16 &&
                   offsetof(struct cpu_arch, xmm) == offsetof(struct cpu_arch, x87_control) + 16 &&
                   offsetof(struct cpu_arch, monitor_address) == offsetof(struct cpu_arch, xmm) + 16 * 16 &&
                   sizeof(struct cpu_arch) == offsetof(struct cpu_arch, monitor_address) + 16,
               "struct cpu_arch has padding");

/* A view in which no tag matches: accesses that need a check of each address (alignment, watchpoints) all take the
 * slow path. Never written: fills go to mmu.view[]. */
static const struct tlb_view view_without_hits = {
    .data = {[0 ... TLB_ENTRIES - 1] = {.read_tag = TLB_INVALID, .write_tag = TLB_INVALID}},
    .insn = {[0 ... ITLB_ENTRIES - 1] = {.tag = TLB_INVALID}},
};

/* ---- life */

/* Power-on values. CPL is 0 from the zeroed structure; ring/reset.c takes the processor through the door later. */
static void power_on(struct cpu *cpu)
{
    const u16 attr = SEG_PRESENT | SEG_S | SEG_WRITABLE | SEG_ACCESSED;
    struct cpu_arch *arch = &cpu->arch;

    cpu_state_power_on(cpu);
    arch->seg[CS] = (struct segment){.selector = 0xF000, .attr = attr | SEG_CODE, .limit = 0xFFFF, .base = 0xFFFF0000};
    arch->seg[SS] = (struct segment){.attr = attr, .limit = 0xFFFF};
    arch->rip = 0xFFF0;
    arch->rflags = FLAG_FIXED1;
    flags_put_arithmetic(cpu, 0);
}

struct cpu *cpu_new(const struct cpu_model *model, unsigned number, struct clock *clock, struct physmem *pm,
                    struct ports *io)
{
    struct cpu *cpu = aligned_alloc(_Alignof(struct cpu), sizeof *cpu);

    if (cpu == NULL) {
        fprintf(stderr, "ringside: no memory for a processor (%zu bytes)\n", sizeof *cpu);
        abort();
    }
    memset(cpu, 0, offsetof(struct cpu, mmu)); /* mmu_init() sees to the rest, and leaves most of it untouched */
    cpu->model = *model;
    cpu->clock = clock;
    cpu->physmem = pm;
    cpu->host.io = io;
    mmu_init(&cpu->mmu, pm, (enum initiator)(INITIATOR_CPU0 + number));
    cpu->d.exact = true;
    cpu->d.fetch_page = 1;
    power_on(cpu);
    cpu_update_derived(cpu);
    cpu_update_paging(cpu);
    return cpu;
}

void cpu_free(struct cpu *cpu) { free(cpu); }

/* ---- derived state */

const char *cpu_mode_name(enum cpu_mode mode)
{
    static const char *const names[] = {
        [MODE_REAL] = "real",         [MODE_VM86] = "vm86",         [MODE_PM16] = "pm16",   [MODE_PM32] = "pm32",
        [MODE_COMPAT16] = "compat16", [MODE_COMPAT32] = "compat32", [MODE_LONG] = "64-bit",
    };

    return names[mode];
}

/* source: SDM 3A, "Modes of Operation"; SDM 3A, "Code-Segment Descriptor in 64-bit Mode" */
ALWAYS_INLINE enum cpu_mode mode_of(const struct cpu_arch *arch)
{
    u16 code = arch->seg[CS].attr;

    if (!(arch->cr0 & CR0_PE))
        return MODE_REAL;
    if (arch->rflags & FLAG_VM)
        return MODE_VM86;
    if (!(arch->msr.efer & EFER_LMA))
        return code & SEG_DB ? MODE_PM32 : MODE_PM16;
    if (code & SEG_L)
        return MODE_LONG;
    return code & SEG_DB ? MODE_COMPAT32 : MODE_COMPAT16;
}

/* What control registers say in the decode key. */
static u32 control_key_of(const struct cpu_arch *arch)
{
    u32 key = 0;

    key |= arch->cr0 & CR0_EM ? KEY_EM : 0;
    key |= arch->cr0 & CR0_TS ? KEY_TS : 0;
    key |= arch->cr0 & CR0_MP ? KEY_MP : 0;
    key |= arch->cr4 & CR4_OSFXSR ? KEY_OSFXSR : 0;
    key |= arch->cr4 & CR4_OSXSAVE ? KEY_OSXSAVE : 0;
    return key;
}

/* What the mode, CS, SS and CPL say in the decode key. */
ALWAYS_INLINE u32 ring_key_of(const struct cpu_arch *arch, enum cpu_mode mode)
{
    u32 key = (u32)arch->cpl << KEY_CPL_SHIFT;

    if (mode == MODE_LONG)
        return key | 2; /* whatever SS holds, the stack has 64 bits */
    key |= arch->seg[CS].attr & SEG_DB ? 1 : 0;
    key |= arch->seg[SS].attr & SEG_DB ? KEY_STACK32 : 0;
    key |= mode <= MODE_VM86 ? KEY_REAL_OR_VM : 0;
    key |= mode == MODE_VM86 ? KEY_VM : 0;
    return key;
}

/* Whether reads (bit 0) and writes (bit 1) through a segment outside 64-bit mode need no limit and type check. */
ALWAYS_INLINE u32 flat_accesses(const struct cpu *cpu, const struct segment *seg)
{
    u32 code = seg->attr & SEG_CODE;

    if (seg->limit != 0xFFFFFFFF || (!code && (seg->attr & SEG_EXPAND_DOWN)))
        return 0;
    if (cpu->d.mode <= MODE_VM86)
        return 3; /* no type checks there */
    if (seg->attr & SEG_UNUSABLE)
        return 0;
    if (code)
        return seg->attr & SEG_READABLE ? 1 : 0;
    return seg->attr & SEG_WRITABLE ? 3 : 1;
}

ALWAYS_INLINE enum access_view view_of(const struct cpu *cpu)
{
    if (cpu->arch.cpl == 3)
        return VIEW_USER;
    /* AC matters under SMAP only: otherwise one view serves both. */
    return (cpu->arch.cr4 & CR4_SMAP) && (cpu->arch.rflags & FLAG_AC) ? VIEW_SUPERVISOR_AC : VIEW_SUPERVISOR;
}

/* Kinds of enabled breakpoints in DR7. source: SDM 3B, "Debug Control Register (DR7)" */
static void update_breakpoints(struct cpu *cpu)
{
    u64 dr7 = cpu->arch.dr[7];

    cpu->d.watchpoints = false;
    cpu->d.code_breakpoints = false;
    for (unsigned i = 0; i < 4; i++) {
        unsigned kind = (unsigned)bits(dr7, 17 + 4 * i, 16 + 4 * i);

        if (bits(dr7, 2 * i + 1, 2 * i) == 0)
            continue;
        if (kind == 0)
            cpu->d.code_breakpoints = true;
        else if (kind != 2)
            cpu->d.watchpoints = true;
    }
}

/* Effective base and flat bits of one segment register. */
ALWAYS_INLINE void update_segment(struct cpu *cpu, enum seg s)
{
    struct cpu_derived *d = &cpu->d;
    const struct segment *seg = &cpu->arch.seg[s];
    u32 bit = 1u << s, flat;

    if (d->mode == MODE_LONG) {
        COVER(cpu, RULE_SG_11, s < FS && seg->base != 0);
        d->seg_base[s] = s >= FS ? seg->base : 0;
        d->seg_flat_read |= bit;
        d->seg_flat_write |= bit;
        return;
    }
    flat = flat_accesses(cpu, seg);
    d->seg_base[s] = seg->base;
    d->seg_flat_read = (d->seg_flat_read & ~bit) | (flat & 1) << s;
    d->seg_flat_write = (d->seg_flat_write & ~bit) | flat >> 1 << s;
}

/* What CPL, AC and the data breakpoints make of a data access. */
ALWAYS_INLINE void update_views(struct cpu *cpu)
{
    struct cpu_derived *d = &cpu->d;
    struct tlb_view *no_hits = (struct tlb_view *)&view_without_hits;
    enum access_view old_view = d->view_kind;

    d->align_check = (cpu->arch.cr0 & CR0_AM) && (cpu->arch.rflags & FLAG_AC) && cpu->arch.cpl == 3;
    d->view_kind = view_of(cpu);
    d->view = d->align_check || d->watchpoints ? no_hits : &cpu->mmu.view[d->view_kind];
    d->supervisor_view = d->watchpoints ? no_hits : &cpu->mmu.view[VIEW_SUPERVISOR];
    if (d->view_kind != old_view)
        d->fetch_page = 1; /* what may be fetched depends on the view */
}

/* Whether linear addresses are offsets in CS SS DS and ES, and in FS and GS but for their bases, with nothing to
 * check. */
ALWAYS_INLINE u32 flat_key_of(const struct cpu *cpu)
{
    const struct cpu_derived *d = &cpu->d;
    const u32 data = 1u << ES | 1u << SS | 1u << DS;
    u32 flat = d->seg_flat_read & (d->seg_flat_write | 1u << CS), key = 0;

    if (d->mode == MODE_LONG)
        return KEY_FLAT | KEY_FLAT_FS | KEY_FLAT_GS;
    if ((flat & (data | 1u << CS)) == (data | 1u << CS) &&
        (d->seg_base[ES] | d->seg_base[CS] | d->seg_base[SS] | d->seg_base[DS]) == 0)
        key |= KEY_FLAT;
    return key | (flat & 1u << FS ? KEY_FLAT_FS : 0) | (flat & 1u << GS ? KEY_FLAT_GS : 0);
}

/* How code is fetched and decoded: after the segments. */
ALWAYS_INLINE void update_code(struct cpu *cpu)
{
    struct cpu_derived *d = &cpu->d;

    d->decode_key = d->control_key | ring_key_of(&cpu->arch, d->mode) | flat_key_of(cpu);
    d->code_flat = d->mode == MODE_LONG || cpu->arch.seg[CS].limit == 0xFFFFFFFF;
    d->one_by_one = !d->code_flat || d->watchpoints;
}

void cpu_update_derived(struct cpu *cpu)
{
    struct cpu_derived *d = &cpu->d;

    d->mode = mode_of(&cpu->arch);
    d->laddr_mask = d->mode == MODE_LONG ? ~0ull : 0xFFFFFFFFull;
    d->control_key = control_key_of(&cpu->arch);
    for (unsigned s = ES; s <= GS; s++)
        update_segment(cpu, s);
    update_breakpoints(cpu);
    update_views(cpu);
    update_code(cpu);
}

void cpu_update_ring(struct cpu *cpu)
{
    enum cpu_mode mode = mode_of(&cpu->arch);

    if (mode != cpu->d.mode) { /* segment registers mean something else */
        cpu_update_derived(cpu);
        return;
    }
    if (mode != MODE_LONG) {
        update_segment(cpu, CS);
        update_segment(cpu, SS);
    }
    update_views(cpu);
    update_code(cpu);
}

void cpu_update_segment(struct cpu *cpu, enum seg seg)
{
    struct cpu_derived *d = &cpu->d;
    u32 flat_read = d->seg_flat_read, flat_write = d->seg_flat_write;
    u64 base = d->seg_base[seg];

    update_segment(cpu, seg);
    if (d->mode == MODE_LONG)
        return;
    /* Otherwise the decode key is what it was: it holds no bases of FS and GS. */
    if (d->seg_flat_read != flat_read || d->seg_flat_write != flat_write || seg == SS ||
        (seg < FS && d->seg_base[seg] != base))
        update_code(cpu);
}

/* Mirror the registers that decide about paging. */
static void mirror_paging(struct cpu *cpu)
{
    const struct cpu_arch *arch = &cpu->arch;
    struct paging_mode *mode = &cpu->mmu.mode;

    *mode = (struct paging_mode){
        .cr3 = arch->cr3,
        .maxphyaddr = cpu->model.physical_bits,
        .pdpte_in_memory = cpu_is_amd(cpu),
        .pse = (arch->cr4 & CR4_PSE) != 0,
        .pse36 = cpu_has(cpu, FEAT_PSE36),
        .nxe = (arch->msr.efer & EFER_NXE) != 0,
        .wp = (arch->cr0 & CR0_WP) != 0,
        .smep = (arch->cr4 & CR4_SMEP) != 0,
        .smap = (arch->cr4 & CR4_SMAP) != 0,
        .pge = (arch->cr4 & CR4_PGE) != 0,
        .pcide = (arch->cr4 & CR4_PCIDE) != 0,
        .page1gb = cpu_has(cpu, FEAT_PAGE1GB),
    };
    memcpy(mode->pdpte, arch->pdpte, sizeof mode->pdpte);
    if (!(arch->cr0 & CR0_PG))
        mode->levels = 0;
    else if (arch->msr.efer & EFER_LMA)
        mode->levels = arch->cr4 & CR4_LA57 ? 5 : 4;
    else
        mode->levels = arch->cr4 & CR4_PAE ? 3 : 2;
    cpu->d.fetch_page = 1;
}

void cpu_update_paging(struct cpu *cpu)
{
    mirror_paging(cpu);
    mmu_mode_changed(&cpu->mmu);
}

void cpu_switch_address_space(struct cpu *cpu, bool keep)
{
    mirror_paging(cpu);
    mmu_switch(&cpu->mmu, keep);
    update_views(cpu);
}

/* ---- comparison */

u64 cpu_state_hash(struct cpu *cpu)
{
    u64 stored = cpu->arch.rflags;
    const u8 *bytes = (const u8 *)&cpu->arch;
    u64 hash = 0x9E3779B97F4A7C15ull;

    cpu->arch.rflags = flags_get(cpu);
    for (size_t i = 0; i < sizeof cpu->arch; i += 8) {
        hash = (hash ^ load_le64(bytes + i)) * 0xD6E8FEB86659FD93ull;
        hash ^= hash >> 32;
    }
    cpu->arch.rflags = stored;
    return hash;
}

/* SPDX-License-Identifier: MIT
 * Collecting what explains a fault, while the processor stands at it.
 */
#include "trace/fault/data.h"

#include "cpu/ring/ring.h"
#include "trace/fault/retrace.h"

#define STACK_BYTES 1024u
#define CODE_BYTES 15u

struct fault_site fault_site_undelivered(const struct cpu *cpu, const struct fault *fault)
{
    return (struct fault_site){
        .vector = fault->vector,
        .has_error = fault->has_error,
        .error = fault->error,
        .cr2 = fault->cr2,
        .rule = fault->rule,
        .from = ring_state_of(cpu, cpu->arch.rip),
    };
}

struct fault_site fault_site_delivered(const struct transition *t)
{
    return (struct fault_site){
        .vector = t->vector,
        .has_error = t->has_error,
        .error = t->error,
        .cr2 = t->cr2,
        .rule = t->rule,
        .from = t->from,
    };
}

/* ---- the pieces */

struct collector {
    struct cpu *cpu;
    fault_data_fn *add;
    void *context;
};

static struct fault_segment segment_of(const struct segment *s)
{
    return (struct fault_segment){.base = s->base, .limit = s->limit, .selector = s->selector, .attr = s->attr};
}

static void fill_registers(struct fault_registers *r, const struct cpu *cpu, const struct ring_state *from)
{
    const struct cpu_arch *a = &cpu->arch;

    *r = (struct fault_registers){
        .rip = from->rip,
        .rflags = from->rflags,
        .cr0 = a->cr0,
        .cr2 = a->cr2,
        .cr3 = from->cr3,
        .cr4 = a->cr4,
        .efer = a->msr.efer,
        .gdtr_base = a->gdtr.base,
        .idtr_base = a->idtr.base,
        .ldtr = segment_of(&a->ldtr),
        .tr = segment_of(&a->tr),
        .gdtr_limit = a->gdtr.limit,
        .idtr_limit = a->idtr.limit,
        .ring = from->cpl,
        .mode = from->mode,
    };
    memcpy(r->gpr, a->gpr, sizeof r->gpr);
    r->gpr[RSP] = from->rsp;
    for (unsigned i = 0; i < ARRAY_LEN(r->seg); i++)
        r->seg[i] = segment_of(&a->seg[i]);
    r->seg[CS].selector = from->cs; /* a transition has replaced CS and SS; their hidden parts are the new ones */
    r->seg[SS].selector = from->ss;
}

/* A reader for retrace_delivery() that keeps what it is asked for. */
static bool read_and_keep(void *context, enum data_kind kind, u64 address, void *out, u32 size)
{
    const struct collector *c = context;

    if (!mmu_peek(&c->cpu->mmu, address, out, size))
        return false;
    c->add(c->context, kind, address, out, size);
    return true;
}

/* The bytes up to the first page that is not mapped. in: size  at most STACK_BYTES */
static void keep_mapped(const struct collector *c, enum data_kind kind, u64 address, u32 size)
{
    u8 bytes[STACK_BYTES];
    u32 n = 0;

    while (n < size) {
        u32 chunk = (u32)(PAGE_SIZE - ((address + n) & ~PAGE_MASK));

        if (chunk > size - n)
            chunk = size - n;
        if (!mmu_peek(&c->cpu->mmu, address + n, bytes + n, chunk))
            break;
        n += chunk;
    }
    if (n != 0)
        c->add(c->context, kind, address, bytes, n);
}

static void collect_code(const struct collector *c, const struct fault_registers *r,
                         const struct retrace_memory *memory, bool undelivered)
{
    u64 base = 0;

    if (r->mode == MODE_REAL || r->mode == MODE_VM86) {
        base = (u64)r->seg[CS].selector << 4;
    } else if (r->mode != MODE_LONG && undelivered) {
        base = r->seg[CS].base;
    } else if (r->mode != MODE_LONG) { /* CS has been replaced: its descriptor says what it was */
        struct retrace_entry cs = retrace_descriptor(r, r->seg[CS].selector, memory);

        base = cs.known ? cs.d.base : 0;
    }
    keep_mapped(c, DATA_CODE, r->mode == MODE_LONG ? r->rip : (u32)(base + r->rip), CODE_BYTES);
}

static void collect_walk(const struct collector *c, const struct fault_site *site)
{
    enum access_type type = site->error & PF_I ? ACCESS_EXECUTE : site->error & PF_W ? ACCESS_WRITE : ACCESS_READ;
    /* Whether SMAP counted, the rule says: AC is not enough, for implicit accesses do not heed it. */
    enum access_view view = site->error & PF_U         ? VIEW_USER
                            : site->rule == RULE_PG_02 ? VIEW_SUPERVISOR
                                                       : VIEW_SUPERVISOR_AC;
    struct walk_story s = page_walk_explain(c->cpu->physmem, &c->cpu->mmu.mode, site->cr2, type, view);
    struct fault_walk w = {
        .reserved_bits = s.reserved,
        .error = s.error,
        .end = (u8)s.end,
        .levels = s.levels,
        .blamed = s.blamed,
        .paging_levels = c->cpu->mmu.mode.levels,
    };

    for (unsigned i = 0; i < s.levels; i++) {
        w.level[i].paddr = s.level[i].paddr;
        w.level[i].entry = s.level[i].entry;
        w.level[i].level = s.level[i].level;
        w.level[i].bytes = s.level[i].bytes;
        w.level[i].flags =
            (u8)((s.level[i].in_register ? FAULT_WALK_REGISTER : 0) |
                 (s.level[i].no_memory ? FAULT_WALK_NO_MEMORY : 0) | (s.level[i].leaf ? FAULT_WALK_LEAF : 0));
    }
    c->add(c->context, DATA_WALK, site->cr2, &w, sizeof w);
}

/* What a selector error code names: an entry of the IDT, or a descriptor. */
static void collect_named(const struct fault_site *site, const struct fault_registers *r,
                          const struct retrace_memory *memory)
{
    if (!site->has_error || site->vector < VEC_TS || site->vector > VEC_GP || site->error < 4)
        return;
    if (site->error & 2)
        retrace_gate(r, (site->error >> 3) & 0xFF, memory);
    else
        retrace_descriptor(r, site->error & 0xFFFC, memory);
}

/* Where the frame was to be pushed, as far as it is mapped: from the top, for pushes go down. */
static void collect_frame(const struct collector *c, const struct retrace *t)
{
    u8 bytes[RETRACE_WORDS * 8];
    unsigned size = t->words * t->word_bytes, known = 0;

    for (; known < t->words; known++) {
        unsigned at = size - (known + 1) * t->word_bytes;

        if (!mmu_peek(&c->cpu->mmu, t->frame + at, bytes + at, t->word_bytes))
            break;
    }
    size = known * t->word_bytes;
    if (size != 0)
        c->add(c->context, DATA_FRAME, t->stack - size, bytes + t->words * t->word_bytes - size, size);
}

/* The stack as the fault found it. */
static void collect_stack(const struct collector *c, const struct fault_registers *r)
{
    bool big = (r->seg[SS].attr & SEG_DB) != 0;

    if (r->mode == MODE_LONG)
        keep_mapped(c, DATA_STACK, r->gpr[RSP], STACK_BYTES);
    else
        keep_mapped(c, DATA_STACK, (u32)(r->seg[SS].base + (r->gpr[RSP] & (big ? 0xFFFFFFFF : 0xFFFF))), STACK_BYTES);
}

void fault_data_collect(struct cpu *cpu, const struct fault_site *site, bool undelivered, fault_data_fn *add,
                        void *context)
{
    struct collector c = {.cpu = cpu, .add = add, .context = context};
    struct retrace_memory memory = {.context = &c, .read = read_and_keep};
    struct fault_registers r;
    struct retrace t;

    fill_registers(&r, cpu, &site->from);
    collect_code(&c, &r, &memory, undelivered);
    if (site->vector == VEC_PF)
        collect_walk(&c, site);
    if (undelivered)
        add(context, DATA_REGISTERS, 0, &r, sizeof r);
    collect_named(site, &r, &memory);
    t = retrace_delivery(&r, site->vector, site->has_error, site->error, &memory);
    if (!undelivered)
        return;
    if (t.stack_known)
        collect_frame(&c, &t);
    if (t.stack_known && t.stack_source != STACK_UNCHANGED)
        keep_mapped(&c, DATA_STACK, t.stack, STACK_BYTES);
    collect_stack(&c, &r);
}

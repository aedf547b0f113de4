/* SPDX-License-Identifier: MIT
 * The machine of the captures: its state before a test, the run, and what became of its memory.
 */
#include "conform/moo/machine.h"

#include <stdlib.h>
#include <string.h>

#include "cpu/engine/state.h"
#include "cpu/flags.h"
#include "cpu/ring/descriptor.h"
#include "cpu/ring/ring.h"

#define RAM_BYTES MOO_ADDRESS_END
/* More than a REP with any count, and the instructions around it. */
#define TICKS_MAX 70000u
#define REAL_ATTR 0x93u

/* Where enum moo_register stands in struct cpu_arch. */
static const u8 gpr_of[] = {[MOO_EAX] = RAX, [MOO_EBX] = RBX, [MOO_ECX] = RCX, [MOO_EDX] = RDX,
                            [MOO_ESI] = RSI, [MOO_EDI] = RDI, [MOO_EBP] = RBP, [MOO_ESP] = RSP};
static const u8 segment_of[] = {
    [MOO_CS] = CS, [MOO_DS] = DS, [MOO_ES] = ES, [MOO_FS] = FS, [MOO_GS] = GS, [MOO_SS] = SS};

/* ---- life */

static void see_transition(void *context, struct cpu *cpu, const struct transition *t)
{
    struct moo_machine *m = context;

    if (m->raised >= 0 || !t->has_vector)
        return;
    m->raised = t->vector;
    if (m->ends_with_halt && m->raised != m->awaited) { /* its handler is not there */
        cpu->host.stop = STOP_REQUESTED;
        cpu_attention(cpu);
    }
}

bool moo_machine_open(struct moo_machine *m, enum moo_cpu captured, enum cpu_vendor vendor, enum engine_kind engine,
                      struct error *err)
{
    struct cpu_model model;

    *m = (struct moo_machine){.ends_with_halt = captured >= MOO_286};
    if (!cpu_model_parse(&model, vendor == VENDOR_AMD ? MOO_MODEL ",vendor=amd" : MOO_MODEL ",vendor=intel", err))
        return false;
    clock_init(&m->clock);
    m->expected = calloc(1, RAM_BYTES);
    m->pm = m->expected != NULL ? physmem_new(RAM_BYTES, err) : NULL;
    if (m->pm == NULL) {
        free(m->expected);
        return m->expected != NULL ? false : error_set(err, EXIT_LIMIT, "no memory for the captures' machine");
    }
    physmem_fill_hole(m->pm);
    physmem_set_a20(m->pm, captured >= MOO_286); /* the others have 20 lines */
    m->io = ports_new();
    m->cpu = cpu_new(&model, 0, &m->clock, m->pm, m->io);
    engine_attach(m->cpu);
    engine_select(m->cpu, engine);
    m->pristine = m->cpu->arch;
    m->observer = (struct cpu_observer){.context = m, .transition = see_transition};
    m->cpu->host.observer = &m->observer;
    return true;
}

void moo_machine_close(struct moo_machine *m)
{
    engine_detach(m->cpu);
    cpu_free(m->cpu);
    ports_free(m->io);
    physmem_free(m->pm);
    free(m->expected);
}

/* ---- before */

/* Bits that the captured processor has no such flags for are as the emulated one has them after reset; IOPL and NT of
 * the 286 are 0 in real mode whatever its LOADALL was given. */
u32 moo_machine_flags(enum moo_cpu captured, u32 flags)
{
    const u32 common = FLAG_CF | FLAG_PF | FLAG_AF | FLAG_ZF | FLAG_SF | FLAG_TF | FLAG_IF | FLAG_DF | FLAG_OF;

    return FLAG_FIXED1 | (flags & (captured == MOO_386 ? common | FLAG_IOPL | FLAG_NT : common));
}

static struct segment real_segment(u16 selector)
{
    return (struct segment){.selector = selector, .base = (u64)selector << 4, .limit = 0xFFFF, .attr = REAL_ATTR};
}

/* Forget the last test: nothing is pending, and the registers are as after reset. */
static void forget(struct moo_machine *m)
{
    struct cpu *cpu = m->cpu;
    struct engine *e = cpu->host.engine;
    bool translations_stale = cpu->arch.cr0 != m->pristine.cr0 || cpu->arch.cr4 != m->pristine.cr4;

    e->pending = e->delivering = e->trap_armed = e->rf_before = false;
    cpu->host.stop = STOP_NONE;
    cpu->d.exact = true;
    cpu->d.in_rep = false;
    cpu->arch = m->pristine;
    cpu->arch.cr0 = CR0_ET;
    cpu->arch.idtr = (struct table_register){.limit = 0xFFFF};
    cpu_update_paging(cpu);
    if (translations_stale)
        mmu_flush_all(&cpu->mmu);
}

static void load_registers(struct moo_machine *m, const struct moo_test *test)
{
    const struct moo_registers *in = &test->initial;
    struct cpu *cpu = m->cpu;
    struct transition t = transition_begin(cpu, MECH_RESTORE);

    for (unsigned r = MOO_EAX; r <= MOO_ESP; r++)
        cpu->arch.gpr[gpr_of[r]] = in->value[r];
    for (unsigned r = MOO_CS; r <= MOO_SS; r++)
        cpu->arch.seg[segment_of[r]] = real_segment((u16)in->value[r]);
    if (in->present >> MOO_DR6 & 1)
        cpu->arch.dr[6] = in->value[MOO_DR6] | 0xFFFF0FF0u;
    t.new_cpl = 0;
    t.stage = STAGE_SS | STAGE_RSP | STAGE_RFLAGS;
    t.cs = cpu->arch.seg[CS];
    t.ss = cpu->arch.seg[SS];
    t.rip = in->value[MOO_EIP];
    t.rsp = in->value[MOO_ESP];
    t.rflags = moo_machine_flags(in->wide ? MOO_386 : MOO_286, in->value[MOO_EFLAGS]);
    cpu_update_derived(cpu);
    ring_commit(cpu, &t);
    cpu->arch.rip = t.rip;
    m->raised = -1;
    m->awaited = test->exception ? test->vector : -1;
}

void moo_machine_load(struct moo_machine *m, const struct moo_test *test)
{
    for (u32 i = 0; i < test->before.count; i++) {
        u32 address = (u32)physmem_seen(m->pm, moo_address_at(&test->before, i));
        u8 value = moo_value_at(&test->before, i);

        physmem_write(m->pm, address, &value, 1, INITIATOR_LOADER);
        m->expected[address] = value;
    }
    for (u32 i = 0; i < test->after.count; i++)
        m->expected[physmem_seen(m->pm, moo_address_at(&test->after, i))] = moo_value_at(&test->after, i);
    for (u32 page = 0; page < MOO_REACH_PAGES; page++)
        m->held_code[page] = physmem_page_flags(m->pm, page * PAGE_SIZE) != 0;
    forget(m);
    load_registers(m, test);
}

/* ---- the run */

static enum moo_outcome stopped(const struct cpu *cpu)
{
    return cpu->host.stop == STOP_SHUTDOWN    ? MOO_SHUTDOWN
           : cpu->host.stop == STOP_REQUESTED ? MOO_ASTRAY
                                              : MOO_UNIMPLEMENTED;
}

static enum moo_outcome run_to_halt(struct moo_machine *m)
{
    switch (engine_run(m->cpu, m->clock.ticks + TICKS_MAX)) {
    case ENGINE_HALTED: return MOO_DONE;
    case ENGINE_TICK: return MOO_ENDLESS;
    case ENGINE_STOPPED: break;
    }
    return stopped(m->cpu);
}

/* One instruction with all its repetitions, or the entry into the handler of what it raised. */
static enum moo_outcome run_instruction(struct moo_machine *m)
{
    struct cpu *cpu = m->cpu;

    for (unsigned i = 0; i < TICKS_MAX; i++) {
        engine_run(cpu, m->clock.ticks + 1);
        if (cpu->host.stop != STOP_NONE)
            return stopped(cpu);
        if (!cpu->d.in_rep && !cpu->host.engine->pending)
            return MOO_DONE;
    }
    return MOO_ENDLESS;
}

enum moo_outcome moo_machine_run(struct moo_machine *m)
{
    enum moo_outcome outcome = m->ends_with_halt ? run_to_halt(m) : run_instruction(m);

    m->soiled |= outcome != MOO_DONE;
    return outcome;
}

u32 moo_machine_register(const struct moo_machine *m, enum moo_register r)
{
    const struct cpu_arch *a = &m->cpu->arch;

    switch (r) {
    case MOO_CR0: return (u32)a->cr0;
    case MOO_CR3: return (u32)a->cr3;
    case MOO_EIP: return (u32)a->rip;
    case MOO_EFLAGS: return (u32)flags_get(m->cpu);
    case MOO_DR6: return (u32)a->dr[6];
    case MOO_DR7: return (u32)a->dr[7];
    default: return r <= MOO_ESP ? (u32)a->gpr[gpr_of[r]] : a->seg[segment_of[r]].selector;
    }
}

/* ---- memory afterwards */

/* May the processor have written here since the last moo_machine_clear()? It writes through pointers that it holds, or,
 * where code lies, byte by byte. */
static bool may_be_written(struct moo_machine *m, u32 page)
{
    const u32 *holder = physmem_holder(m->pm, page);

    return (holder != NULL && *holder != 0) || physmem_page_flags(m->pm, page) != 0;
}

static void mark_entries(struct moo_machine *m, const struct moo_memory *memory, bool *touched)
{
    for (u32 i = 0; i < memory->count; i++) {
        u32 page = (u32)physmem_seen(m->pm, moo_address_at(memory, i)) / PAGE_SIZE;

        if (page < MOO_REACH_PAGES)
            touched[page] = true;
    }
}

static void mark_pages(struct moo_machine *m, const struct moo_test *test, bool touched[MOO_REACH_PAGES])
{
    for (u32 page = 0; page < MOO_REACH_PAGES; page++)
        touched[page] = physmem_seen(m->pm, page * PAGE_SIZE) == page * PAGE_SIZE &&
                        (m->held_code[page] || may_be_written(m, page * PAGE_SIZE));
    mark_entries(m, &test->before, touched);
    mark_entries(m, &test->after, touched);
}

static unsigned compare_page(struct moo_machine *m, u32 page, struct moo_stray *stray, unsigned max, unsigned count)
{
    const u8 *got = physmem_host(m->pm, page), *expected = m->expected + page;

    if (memcmp(got, expected, PAGE_SIZE) == 0)
        return count;
    for (u32 i = 0; i < PAGE_SIZE; i++) {
        if (got[i] == expected[i])
            continue;
        if (count < max)
            stray[count] = (struct moo_stray){page + i, expected[i], got[i]};
        count++;
    }
    return count;
}

unsigned moo_machine_compare(struct moo_machine *m, const struct moo_test *test, struct moo_stray *stray, unsigned max)
{
    bool touched[MOO_REACH_PAGES];
    unsigned count = 0;

    mark_pages(m, test, touched);
    for (u32 page = 0; page < MOO_REACH_PAGES; page++)
        if (touched[page])
            count = compare_page(m, page * PAGE_SIZE, stray, max, count);
    for (u32 i = 0; i < test->after.count; i++) { /* what lies beyond the processor's reach stays as it was */
        u32 address = (u32)physmem_seen(m->pm, moo_address_at(&test->after, i));
        u8 got, expected = m->expected[address];

        if (address / PAGE_SIZE < MOO_REACH_PAGES)
            continue;
        physmem_read(m->pm, address, &got, 1, INITIATOR_LOADER);
        if (got != expected && count++ < max)
            stray[count - 1] = (struct moo_stray){address, expected, got};
    }
    m->soiled |= count != 0;
    return count;
}

u8 moo_machine_differs(struct moo_machine *m, u32 address)
{
    u8 got;

    address = (u32)physmem_seen(m->pm, address);
    if (address >= RAM_BYTES)
        return 0;
    physmem_read(m->pm, address, &got, 1, INITIATOR_LOADER);
    return got ^ m->expected[address];
}

void moo_machine_forgive(struct moo_machine *m, u32 address, u8 bits)
{
    u8 got;

    address = (u32)physmem_seen(m->pm, address);
    if (address >= RAM_BYTES)
        return;
    physmem_read(m->pm, address, &got, 1, INITIATOR_LOADER);
    m->soiled |= ((got ^ m->expected[address]) & bits) != 0;
    m->expected[address] = (u8)((m->expected[address] & ~bits) | (got & bits));
}

/* ---- back to zero */

static void clear_entries(struct moo_machine *m, const struct moo_memory *memory)
{
    const u8 zero = 0;

    for (u32 i = 0; i < memory->count; i++) {
        u32 address = (u32)physmem_seen(m->pm, moo_address_at(memory, i));

        physmem_write(m->pm, address, &zero, 1, INITIATOR_LOADER);
        m->expected[address] = 0;
    }
}

void moo_machine_clear(struct moo_machine *m, const struct moo_test *test)
{
    static const u8 zeros[PAGE_SIZE];

    clear_entries(m, &test->before);
    clear_entries(m, &test->after);
    for (u32 page = 0; page < MOO_REACH_PAGES; page++) {
        if (m->soiled) {
            physmem_write(m->pm, page * PAGE_SIZE, zeros, PAGE_SIZE, INITIATOR_LOADER);
            memset(m->expected + page * PAGE_SIZE, 0, PAGE_SIZE);
        }
        if (may_be_written(m, page * PAGE_SIZE))
            mmu_revoke_writable(&m->cpu->mmu, page * PAGE_SIZE);
    }
    m->soiled = false;
}

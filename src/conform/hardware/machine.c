/* SPDX-License-Identifier: MIT
 * The machine that corpora are replayed on.
 * SDM 3A, "IA-32e Mode Initialization", "4-Level Paging", "64-Bit Mode Task Management".
 */
#include "conform/hardware/machine.h"

#include <stdlib.h>

#include "conform/hardware/classify.h"
#include "conform/hardware/corpus_layout.h"
#include "cpu/engine/state.h"
#include "cpu/flags.h"
#include "cpu/ring/descriptor.h"

#define RAM_BYTES (2u << 20)
#define INT3 0xCC
#define HLT 0xF4
#define KERNEL_CODE 0x00AF9B000000FFFFull /* 64-bit code, DPL 0, accessed */
#define CASE_TICKS 300000u                /* no case that a processor finished takes as many */

/* Physical pages below the case's own, which lie where their linear addresses say. */
enum {
    AT_PML4 = 0x1000,
    AT_PDPT = 0x2000,
    AT_PD = 0x3000,
    AT_PT = 0x4000,
    AT_SYSTEM_PDPT = 0x5000,
    AT_SYSTEM_PD = 0x6000,
    AT_SYSTEM_PT = 0x7000,
    AT_GDT = 0x8000,
    AT_LDT = 0x9000,
    AT_IDT = 0xA000,
    AT_TSS = 0xB000,
    AT_HANDLER = 0xC000, /* HLT */
    AT_STACK_TOP = 0xE000,
    SYSTEM_PAGES = 0x40,
};
/* Where the pages below AT_STACK_TOP are mapped for the supervisor. */
#define SYSTEM_BASE 0xFFFFE5A540000000ull
#define TSS_LIMIT 0x67u
#define NX BIT(63)
#define PAGE_SUPER 0x63u /* present, writable, accessed, dirty */
#define PAGE_TABLE_USER 0x67u
#define PAGE_USER_CODE 0x25u /* present, user, accessed */
#define PAGE_USER_DATA (0x67u | NX)
#define PAGE_USER_READ_ONLY (0x65u | NX)

/* ---- memory */

static void poke(struct hardware_machine *m, paddr_t at, u64 value, unsigned size)
{
    physmem_write(m->pm, at, &value, size, INITIATOR_LOADER);
}

static u64 peek(struct hardware_machine *m, paddr_t at)
{
    u64 value = 0;

    physmem_read(m->pm, at, &value, sizeof value, INITIATOR_LOADER);
    return value;
}

static paddr_t table_entry(paddr_t table, u64 laddr, unsigned level)
{
    return table + (laddr >> (12 + 9 * level) & 511) * 8;
}

static void map_user(struct hardware_machine *m, u32 first, u32 end, u64 flags)
{
    for (u32 at = first; at < end; at += PAGE_SIZE)
        poke(m, table_entry(AT_PT, at, 0), at | flags, 8);
}

static void page_tables(struct hardware_machine *m)
{
    poke(m, table_entry(AT_PML4, 0, 3), AT_PDPT | PAGE_TABLE_USER, 8);
    poke(m, table_entry(AT_PDPT, 0, 2), AT_PD | PAGE_TABLE_USER, 8);
    poke(m, table_entry(AT_PD, 0, 1), AT_PT | PAGE_TABLE_USER, 8);
    map_user(m, HARDWARE_CODE, HARDWARE_CODE_END, PAGE_USER_CODE);
    map_user(m, HARDWARE_DATA, HARDWARE_DATA_END, PAGE_USER_DATA);
    map_user(m, HARDWARE_READ_ONLY, HARDWARE_READ_ONLY_END, PAGE_USER_READ_ONLY);
    poke(m, table_entry(AT_PML4, SYSTEM_BASE, 3), AT_SYSTEM_PDPT | PAGE_SUPER, 8);
    poke(m, table_entry(AT_SYSTEM_PDPT, SYSTEM_BASE, 2), AT_SYSTEM_PD | PAGE_SUPER, 8);
    poke(m, table_entry(AT_SYSTEM_PD, SYSTEM_BASE, 1), AT_SYSTEM_PT | PAGE_SUPER, 8);
    for (u32 page = 0; page < SYSTEM_PAGES; page++)
        poke(m, table_entry(AT_SYSTEM_PT, (u64)page << PAGE_SHIFT, 0), (u64)page << PAGE_SHIFT | PAGE_SUPER, 8);
}

/* ---- tables of the system */

/* A place of the GDT for the kernel's code segment. What is not for CPL 3 is 0 in a recording; a segment of ring 0
 * there looks the same to it: no load, LAR or VERR succeeds. returns: 0 when there is none */
static u16 find_kernel_code(const struct hardware_source *source)
{
    for (unsigned i = 1; i < source->gdt_count; i++)
        if (source->gdt[i] == 0)
            return (u16)(i * 8);
    return 0;
}

/* Linux opens to CPL 3 the vectors of INT3 and INTO only (and 80h, which no corpus holds). */
static void descriptor_tables(struct hardware_machine *m)
{
    u64 handler = SYSTEM_BASE + AT_HANDLER;

    physmem_write(m->pm, AT_GDT, m->source->gdt, m->source->gdt_count * 8u, INITIATOR_LOADER);
    poke(m, AT_GDT + m->kernel_cs, KERNEL_CODE, 8);
    physmem_write(m->pm, AT_LDT, m->source->ldt, m->source->ldt_count * 8u, INITIATOR_LOADER);
    for (unsigned v = 0; v < 256; v++) {
        u64 access = v == VEC_BP || v == VEC_OF ? 0xEE : 0x8E;

        poke(m, AT_IDT + v * 16,
             (handler & 0xFFFF) | (u64)m->kernel_cs << 16 | access << 40 | (handler >> 16 & 0xFFFF) << 48, 8);
        poke(m, AT_IDT + v * 16 + 8, handler >> 32, 8);
    }
    poke(m, AT_TSS + 4, SYSTEM_BASE + AT_STACK_TOP, 8);
    poke(m, AT_TSS + 0x66, TSS_LIMIT + 1, 2); /* no I/O permission map */
    poke(m, AT_HANDLER, HLT, 1);
}

static void control_state(struct hardware_machine *m)
{
    const struct hardware_source *s = m->source;
    struct cpu_arch *a = &m->cpu->arch;

    a->cr0 = CR0_PE | CR0_MP | CR0_ET | CR0_NE | CR0_WP | CR0_PG | (s->cr0_am ? CR0_AM : 0);
    a->cr3 = AT_PML4;
    a->cr4 = CR4_PAE | CR4_OSFXSR | CR4_OSXMMEXCPT | (s->cr4_umip ? CR4_UMIP : 0) |
             (s->cr4_fsgsbase ? CR4_FSGSBASE : 0) | (cpu_has(m->cpu, FEAT_XSAVE) ? CR4_OSXSAVE : 0);
    a->msr.efer = EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE;
    a->msr.star = (u64)m->kernel_cs << 32;
    a->msr.lstar = a->msr.cstar = SYSTEM_BASE + AT_HANDLER;
    a->gdtr = (struct table_register){.base = SYSTEM_BASE + AT_GDT, .limit = (u16)(s->gdt_count * 8u - 1)};
    a->idtr = (struct table_register){.base = SYSTEM_BASE + AT_IDT, .limit = 0xFFF};
    a->tr = (struct segment){.selector = 0xFFF8, .attr = 0x8B, .limit = TSS_LIMIT, .base = SYSTEM_BASE + AT_TSS};
    a->ldtr = s->ldt_count == 0
                  ? segment_null(0, 0)
                  : (struct segment){
                        .selector = 0xFFF0, .attr = 0x82, .limit = s->ldt_count * 8u - 1, .base = SYSTEM_BASE + AT_LDT};
    cpu_update_derived(m->cpu);
    cpu_update_paging(m->cpu);
    m->ready = *a;
}

/* ---- life */

static void see_transition(void *context, struct cpu *cpu, const struct transition *t)
{
    struct hardware_machine *m = context;

    (void)cpu;
    if (!m->watching || !t->has_vector)
        return;
    m->exception = *t;
    m->watching = false;
    m->seen = true;
}

static bool no_interrupt(void *context)
{
    (void)context;
    return false;
}

static void fill_case_pages(struct hardware_machine *m)
{
    u8 page[PAGE_SIZE];

    memset(page, INT3, sizeof page);
    for (u32 at = HARDWARE_CODE; at < HARDWARE_CODE_END; at += PAGE_SIZE)
        physmem_write(m->pm, at, page, sizeof page, INITIATOR_LOADER);
    for (u32 i = 0; i < MACHINE_DATA_BYTES; i++)
        m->background[i] = hardware_background(HARDWARE_DATA + i);
    memcpy(m->expected, m->background, sizeof m->expected);
    physmem_write(m->pm, HARDWARE_DATA, m->background, sizeof m->background, INITIATOR_LOADER);
}

bool hardware_machine_open(struct hardware_machine *m, const struct hardware_source *source, enum cpu_vendor vendor,
                           enum engine_kind engine, struct error *err)
{
    struct cpu_model model;

    memset(m, 0, sizeof *m);
    m->source = source;
    m->kernel_cs = find_kernel_code(source);
    if (m->kernel_cs == 0)
        return error_set(err, EXIT_FILE,
                         "the corpus's GDT has no place for the kernel's code segment, without which no exception can "
                         "be delivered; record it again");
    if (!hardware_model(&model, vendor, err))
        return false;
    clock_init(&m->clock);
    m->pm = physmem_new(RAM_BYTES, err);
    if (m->pm == NULL)
        return false;
    m->io = ports_new();
    m->cpu = cpu_new(&model, 0, &m->clock, m->pm, m->io);
    m->cpu->host.ports = (struct cpu_ports){.context = m, .interrupt_pending = no_interrupt};
    page_tables(m);
    descriptor_tables(m);
    fill_case_pages(m);
    control_state(m);
    m->observer = (struct cpu_observer){.context = m, .transition = see_transition};
    m->cpu->host.observer = &m->observer;
    engine_attach(m->cpu);
    engine_select(m->cpu, engine);
    return true;
}

void hardware_machine_close(struct hardware_machine *m)
{
    engine_detach(m->cpu);
    cpu_free(m->cpu);
    ports_free(m->io);
    physmem_free(m->pm);
}

/* ---- entering a case */

/* returns: false when the selector names nothing in the recording's tables */
static bool find_descriptor(const struct hardware_source *s, u16 selector, struct descriptor *d)
{
    unsigned index = selector >> 3;
    bool local = selector & SELECTOR_TI;

    if (index >= (local ? s->ldt_count : s->gdt_count))
        return false;
    *d = descriptor_parse(local ? s->ldt[index] : s->gdt[index]);
    return true;
}

static struct segment data_segment(const struct hardware_machine *m, u16 selector)
{
    struct descriptor d;

    if (selector_is_null(selector) || !find_descriptor(m->source, selector, &d) || !descriptor_is_readable(&d))
        return segment_null(0, 3); /* whatever RPL was loaded: the way to CPL 3 is an IRET, which leaves 0 */
    return descriptor_segment(&d, selector);
}

/* Both must be what CPL 3 can have in the case's mode: they are committed without the checks of a load. */
static const char *stage_cs_ss(const struct hardware_machine *m, const struct hardware_case *c, struct transition *t)
{
    static const u16 code_size[HARDWARE_MODES] = {SEG_L, SEG_DB, 0};
    const u32 never = FLAG_TF | FLAG_IOPL | FLAG_VM | FLAG_VIF | FLAG_VIP;
    u16 cs = c->before.selector[CS], ss = c->before.selector[SS];
    struct descriptor d;

    if (!find_descriptor(m->source, cs, &d) || !descriptor_is_code(&d) || !d.present || selector_rpl(cs) != 3 ||
        (d.dpl != 3 && !descriptor_is_conforming(&d)))
        return "CS names no code segment of ring 3";
    if ((d.attr & (SEG_L | SEG_DB)) != code_size[c->mode])
        return "CS names a code segment of another mode";
    t->cs = descriptor_segment(&d, cs);
    if (!find_descriptor(m->source, ss, &d) || !descriptor_is_writable(&d) || !d.present || selector_rpl(ss) != 3 ||
        d.dpl != 3)
        return "SS names no stack segment of ring 3";
    t->ss = descriptor_segment(&d, ss);
    if (c->before.rflags & never)
        return "RFLAGS has bits that no case begins with";
    return NULL;
}

static void load_x87(struct cpu_arch *a, const struct hardware_state *s)
{
    unsigned top = s->x87_status >> 11 & 7;

    a->x87_control = s->x87_control;
    a->x87_status = s->x87_status;
    a->x87_tag = 0;
    for (unsigned i = 0; i < 8; i++) {
        struct x87_reg *r = &a->x87[(top + i) & 7];

        r->mantissa = load_le64(s->x87[i]);
        r->sign_exponent = load_le16(s->x87[i] + 8);
        if (!(s->x87_valid >> i & 1))
            a->x87_tag |= (u16)(3u << (2 * i));
    }
}

static void load_registers(struct hardware_machine *m, const struct hardware_state *s)
{
    struct cpu_arch *a = &m->cpu->arch;

    *a = m->ready;
    memcpy(a->gpr, s->gpr, sizeof a->gpr);
    for (enum seg seg = ES; seg <= GS; seg++)
        if (seg != CS && seg != SS)
            a->seg[seg] = data_segment(m, s->selector[seg]);
    a->seg[FS].base = s->fs_base;
    a->seg[GS].base = s->gs_base;
    a->mxcsr = s->mxcsr;
    load_x87(a, s);
    memcpy(a->xmm, s->xmm, sizeof a->xmm);
}

static void place_memory(struct hardware_machine *m, const struct hardware_case *c)
{
    u64 at = corpus_code_address(c->mode, c->before.rip);
    size_t room = HARDWARE_CODE_END - at;

    physmem_write(m->pm, at, c->code, c->length < room ? c->length : room, INITIATOR_LOADER);
    for (unsigned i = 0; i < c->runs_before; i++) {
        const struct hardware_bytes *run = &c->before_run[i];

        physmem_write(m->pm, run->address, c->bytes + run->at, run->size, INITIATOR_LOADER);
    }
}

const char *hardware_machine_enter(struct hardware_machine *m, const struct hardware_case *c)
{
    struct cpu *cpu = m->cpu;
    struct transition t;
    const char *why;

    /* A case may have left the processor anywhere: begin at ring 0 with nothing under way. */
    cpu->host.stop = STOP_NONE;
    cpu->host.engine->pending = cpu->host.engine->delivering = cpu->host.engine->trap_armed = false;
    m->watching = m->seen = false;
    load_registers(m, &c->before);
    t = transition_begin(cpu, MECH_RESTORE);
    why = stage_cs_ss(m, c, &t);
    if (why != NULL)
        return why;
    t.new_cpl = 3;
    t.rip = c->before.rip;
    t.rsp = c->before.gpr[RSP];
    t.rflags = c->before.rflags;
    t.stage = STAGE_SS | STAGE_RSP | STAGE_RFLAGS;
    ring_commit(cpu, &t);
    cpu->arch.rip = t.rip;
    cpu_update_derived(cpu);
    place_memory(m, c);
    return NULL;
}

/* ---- running */

static void store_x87(const struct cpu_arch *a, struct hardware_state *s)
{
    unsigned top = a->x87_status >> 11 & 7;

    s->x87_control = a->x87_control;
    s->x87_status = a->x87_status;
    s->x87_valid = 0;
    for (unsigned i = 0; i < 8; i++) {
        const struct x87_reg *r = &a->x87[(top + i) & 7];

        store_le64(s->x87[i], r->mantissa);
        store_le16(s->x87[i] + 8, r->sign_exponent);
        s->x87_valid = (u8)(s->x87_valid | ((a->x87_tag >> (2 * i) & 3) != 3) << i);
    }
}

/* The state that the exception interrupted: from the frame that it pushed, and from the registers. */
static void store_state(struct hardware_machine *m, struct hardware_state *s)
{
    const struct cpu_arch *a = &m->cpu->arch;
    paddr_t frame = m->exception.frame - SYSTEM_BASE + (m->exception.has_error ? 8 : 0);

    memcpy(s->gpr, a->gpr, sizeof s->gpr);
    s->rip = peek(m, frame);
    s->rflags = (u32)peek(m, frame + 16);
    s->gpr[RSP] = peek(m, frame + 24);
    for (enum seg seg = ES; seg <= GS; seg++)
        s->selector[seg] = a->seg[seg].selector;
    s->selector[CS] = (u16)peek(m, frame + 8);
    s->selector[SS] = (u16)peek(m, frame + 32);
    s->fs_base = a->seg[FS].base;
    s->gs_base = a->seg[GS].base;
    s->mxcsr = a->mxcsr;
    store_x87(a, s);
    memcpy(s->xmm, a->xmm, sizeof s->xmm);
}

void hardware_machine_run(struct hardware_machine *m, struct hardware_outcome *outcome)
{
    struct cpu *cpu = m->cpu;
    enum engine_exit exit;

    m->watching = true;
    exit = engine_run(cpu, cpu->clock->ticks + CASE_TICKS);
    m->watching = false;
    *outcome = (struct hardware_outcome){.stopped = NULL};
    if (exit == ENGINE_TICK)
        outcome->stopped = "no exception came in 300000 instructions";
    else if (cpu->host.stop == STOP_UNIMPLEMENTED)
        outcome->stopped = cpu->host.stop_text;
    else if (cpu->host.stop == STOP_SHUTDOWN)
        outcome->stopped = "an exception could not be delivered (shutdown)";
    else if (!m->seen)
        outcome->stopped = "the processor stopped without an exception";
    if (outcome->stopped != NULL)
        return;
    outcome->vector = m->exception.vector;
    outcome->error = m->exception.has_error ? m->exception.error : 0;
    outcome->cr2 = outcome->vector == VEC_PF ? cpu->arch.cr2 : 0;
    store_state(m, &outcome->after);
    if (outcome->vector == VEC_BP)
        outcome->after.rip--; /* a corpus has the address of the INT3 */
}

/* ---- memory */

static void apply_runs(u8 *image, const struct hardware_case *c, const struct hardware_bytes *runs, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        memcpy(image + (runs[i].address - HARDWARE_DATA), c->bytes + runs[i].at, runs[i].size);
}

static void restore_runs(struct hardware_machine *m, const struct hardware_bytes *runs, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        u32 at = runs[i].address - HARDWARE_DATA;

        memcpy(m->expected + at, m->background + at, runs[i].size);
    }
}

static void take_code_away(struct hardware_machine *m, const struct hardware_case *c)
{
    static const u8 int3[15] = {INT3, INT3, INT3, INT3, INT3, INT3, INT3, INT3,
                                INT3, INT3, INT3, INT3, INT3, INT3, INT3};
    u64 at = corpus_code_address(c->mode, c->before.rip);
    size_t room = HARDWARE_CODE_END - at;

    physmem_write(m->pm, at, int3, c->length < room ? c->length : room, INITIATOR_LOADER);
}

void hardware_machine_compare(struct hardware_machine *m, const struct hardware_case *c,
                              void (*different)(void *context, u32 address, u8 expected, u8 got), void *context)
{
    apply_runs(m->expected, c, c->before_run, c->runs_before);
    apply_runs(m->expected, c, c->after_run, c->runs_after);
    for (u32 page = 0; page < MACHINE_DATA_BYTES; page += PAGE_SIZE) {
        const u8 *got = physmem_host(m->pm, HARDWARE_DATA + page), *expected = m->expected + page;

        if (memcmp(got, expected, PAGE_SIZE) != 0)
            for (u32 i = 0; i < PAGE_SIZE; i++)
                if (got[i] != expected[i])
                    different(context, HARDWARE_DATA + page + i, expected[i], got[i]);
        if (memcmp(got, m->background + page, PAGE_SIZE) != 0)
            physmem_write(m->pm, HARDWARE_DATA + page, m->background + page, PAGE_SIZE, INITIATOR_LOADER);
    }
    restore_runs(m, c->before_run, c->runs_before);
    restore_runs(m, c->after_run, c->runs_after);
    take_code_away(m, c);
}

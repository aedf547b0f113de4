/* SPDX-License-Identifier: MIT
 * The machine of the rule cases: memory, page tables, task state, and the way into each mode.
 * SDM 3A, "Protected-Mode Memory Management", "Task Management", "Paging".
 */
#include "conform/rules/preset_tables.h"

#include <stdlib.h>

#include "cpu/flags.h"
#include "cpu/ring/descriptor.h"
#include "cpu/ring/mechanisms.h"

#define RAM_BYTES (1u << 20)
#define PAGE_SUPER 0x63u /* present, writable, accessed, dirty */
#define PAGE_USER 0x67u
#define NX BIT(63)
#define NOP 0x90

/* What distinguishes the presets. */
struct preset_row {
    const char *name;
    u16 cs, ss; /* selectors with RPL; real mode and VM86: segments */
    u64 cr0, cr4, efer;
    u64 rflags;
};

#define PROTECTED (CR0_PE | CR0_ET | CR0_NE)
#define PAGING (PROTECTED | CR0_PG | CR0_WP)
#define LONG_EFER (EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE)
#define OS_CR4 (CR4_OSFXSR | CR4_OSXMMEXCPT)

static const struct preset_row rows[PRESET_COUNT] = {
    [INDEX_REAL] = {"real", 0x2000, 0x1000, CR0_ET, OS_CR4, EFER_SCE, 0},
    [INDEX_VM86] = {"vm86", 0x2000, 0x1300, PROTECTED, OS_CR4, EFER_SCE, FLAG_VM},
    [INDEX_PM16_0] = {"pm16/0", K16, KDATA16, PROTECTED, OS_CR4, EFER_SCE, 0},
    [INDEX_PM16_3] = {"pm16/3", U16 | 3, UDATA16 | 3, PROTECTED, OS_CR4, EFER_SCE, 0},
    [INDEX_PM32_0] = {"pm32/0", K32, KDATA, PROTECTED, OS_CR4, EFER_SCE, 0},
    [INDEX_PM32_1] = {"pm32/1", R1CODE | 1, R1DATA | 1, PROTECTED, OS_CR4, EFER_SCE, 0},
    [INDEX_PM32_2] = {"pm32/2", R2CODE | 2, R2DATA | 2, PROTECTED, OS_CR4, EFER_SCE, 0},
    [INDEX_PM32_3] = {"pm32/3", U32 | 3, UDATA | 3, PROTECTED, OS_CR4, EFER_SCE, 0},
    [INDEX_PAGED_0] = {"paged/0", K32, KDATA, PAGING, OS_CR4, EFER_SCE, 0},
    [INDEX_PAGED_3] = {"paged/3", U32 | 3, UDATA | 3, PAGING, OS_CR4, EFER_SCE, 0},
    [INDEX_PAE_0] = {"pae/0", K32, KDATA, PAGING, OS_CR4 | CR4_PAE, EFER_SCE | EFER_NXE, 0},
    [INDEX_PAE_3] = {"pae/3", U32 | 3, UDATA | 3, PAGING, OS_CR4 | CR4_PAE, EFER_SCE | EFER_NXE, 0},
    [INDEX_COMPAT_0] = {"compat/0", K32, KDATA, PAGING, OS_CR4 | CR4_PAE, LONG_EFER, 0},
    [INDEX_COMPAT_3] = {"compat/3", U32 | 3, UDATA | 3, PAGING, OS_CR4 | CR4_PAE, LONG_EFER, 0},
    [INDEX_LONG_0] = {"long/0", K64, KDATA, PAGING, OS_CR4 | CR4_PAE, LONG_EFER, 0},
    [INDEX_LONG_1] = {"long/1", R1CODE64 | 1, R1DATA | 1, PAGING, OS_CR4 | CR4_PAE, LONG_EFER, 0},
    [INDEX_LONG_2] = {"long/2", R2CODE64 | 2, R2DATA | 2, PAGING, OS_CR4 | CR4_PAE, LONG_EFER, 0},
    [INDEX_LONG_3] = {"long/3", U64 | 3, UDATA | 3, PAGING, OS_CR4 | CR4_PAE, LONG_EFER, 0},
};

const char *preset_name(enum preset_index index) { return rows[index].name; }
bool preset_is_long(enum preset_index index) { return (rows[index].efer & EFER_LMA) != 0; }

/* ---- memory */

void preset_write(struct preset_machine *m, paddr_t at, u64 value, unsigned size)
{
    physmem_write(m->pm, at, &value, size, INITIATOR_LOADER);
}

u64 preset_read(struct preset_machine *m, paddr_t at, unsigned size)
{
    u64 value = 0;

    physmem_read(m->pm, at, &value, size, INITIATOR_LOADER);
    return value;
}

void preset_page(struct preset_machine *m, u32 address, u64 flags)
{
    u32 page = address >> PAGE_SHIFT;

    preset_write(m, AT_PT + page * 8u, (u64)page << PAGE_SHIFT | flags, 8);
    preset_write(m, AT_PT32 + page * 4u, (u64)page << PAGE_SHIFT | (flags & 0xFFF), 4);
}

/* Upper entries allow everything: the last level decides. AT_PDPT serves PAE too, whose four entries have no rights. */
static void page_tables(struct preset_machine *m, bool pae)
{
    preset_write(m, AT_PML4, AT_PDPT | PAGE_USER, 8);
    preset_write(m, AT_PDPT, AT_PD | (pae ? 1u : PAGE_USER), 8);
    preset_write(m, AT_PD, AT_PT | PAGE_USER, 8);
    preset_write(m, AT_PD32, AT_PT32 | PAGE_USER, 4);
    preset_write(m, AT_PML4 + 255 * 8, AT_HIGH_PDPT | PAGE_USER, 8);
    preset_write(m, AT_HIGH_PDPT + 511 * 8, AT_HIGH_PD | PAGE_USER, 8);
    preset_write(m, AT_HIGH_PD + 511 * 8, AT_HIGH_PT | PAGE_USER, 8);
    preset_write(m, AT_HIGH_PT + 511 * 8, AT_HIGH | PAGE_USER, 8);
    for (u32 at = 0; at < RAM_BYTES; at += PAGE_SIZE)
        preset_page(m, at, PAGE_SUPER);
    for (u32 at = AT_CODE; at < AT_HANDLER; at += PAGE_SIZE)
        preset_page(m, at, PAGE_USER);
    preset_page(m, STACK3 - PAGE_SIZE, PAGE_USER);
    preset_page(m, AT_USER, PAGE_USER);
    preset_page(m, AT_USER_RO, PAGE_USER & ~2u);
    preset_page(m, AT_ABSENT, 0);
    preset_page(m, AT_USER_NX, PAGE_USER | NX);
    preset_page(m, AT_RESERVED, PAGE_USER | BIT(51));
    preset_page(m, AT_SUPER_RO, PAGE_SUPER & ~2u);
}

/* A 32-bit task at CPL 0 with registers of its own. */
static void task_image(struct preset_machine *m, paddr_t at, u32 eip, u32 cr3)
{
    static const u16 segments[] = {KDATA, K32, KDATA, KDATA, 0, 0};

    preset_write(m, at, 0, 4); /* no back link */
    preset_write(m, at + 4, TSS_SP0, 4);
    preset_write(m, at + 8, KDATA, 4);
    preset_write(m, at + 0x1C, cr3, 4);
    preset_write(m, at + 0x20, eip, 4);
    preset_write(m, at + 0x24, FLAG_FIXED1, 4);
    for (u32 i = 0; i < 8; i++)
        preset_write(m, at + 0x28 + i * 4, i == RSP ? AT_TASK_STACK : 0x7A500000u + i, 4);
    for (u32 i = 0; i < 6; i++)
        preset_write(m, at + 0x48 + i * 4, segments[i], 4);
}

static void task_state(struct preset_machine *m, bool long_mode, u32 cr3)
{
    static const u32 sp[] = {TSS_SP0, TSS_SP1, TSS_SP2};
    static const u16 ss[] = {KDATA, R1DATA | 1, R2DATA | 2};

    for (u32 i = 0; i < 3; i++) {
        preset_write(m, AT_TSS + 4 + i * 8, sp[i], long_mode ? 8 : 4);
        if (!long_mode)
            preset_write(m, AT_TSS + 8 + i * 8, ss[i], 4);
        preset_write(m, AT_TSS_OLD16 + 2 + i * 4, sp[i] & 0xFFFF, 2); /* KDATA16 has its base at 10000h */
        preset_write(m, AT_TSS_OLD16 + 4 + i * 4, i == 0 ? KDATA16 : 0, 2);
    }
    if (long_mode) {
        preset_write(m, AT_TSS + 0x24, TSS_IST1, 8);
        preset_write(m, AT_TSS + 0x2C, TSS_IST2, 8);
    } else {
        preset_write(m, AT_TSS, TSS_BACK, 4);
    }
    preset_write(m, AT_TSS + 0x66, TSS_IO_MAP, 2);
    for (u32 i = TSS_REDIRECTION; i <= TSS_LIMIT; i++)
        preset_write(m, AT_TSS + i, i == TSS_IO_MAP + 0x80 / 8 ? 0 : 0xFF, 1); /* ports 80h-87h are open */
    task_image(m, AT_TSS_B, AT_TASK, cr3);
    task_image(m, AT_TSS_BACK, AT_BACK, cr3);

    preset_write(m, AT_TSS16 + 0x0E, 0x40, 2); /* IP in K16 */
    preset_write(m, AT_TSS16 + 0x10, FLAG_FIXED1, 2);
    for (u32 i = 0; i < 8; i++)
        preset_write(m, AT_TSS16 + 0x12 + i * 2, i == RSP ? 0x8000 : 0x1600 + i, 2);
    for (u32 i = 0; i < 4; i++)
        preset_write(m, AT_TSS16 + 0x22 + i * 2, i == CS ? K16 : KDATA16, 2);
}

/* The real-mode table at 0 leads to the same handlers as the IDT; VM86 uses it with VME's redirection. */
static void vector_table(struct preset_machine *m)
{
    for (u32 v = 0; v < 256; v++)
        preset_write(m, v * 4, (AT_HANDLER >> 4) << 16 | v * 16, 4);
}

static void fill(struct preset_machine *m, paddr_t first, paddr_t end)
{
    for (paddr_t at = first; at < end; at += 8)
        preset_write(m, at, NOP * 0x0101010101010101ull, 8);
}

/* ---- entering */

/* A segment register from the GDT; real mode and VM86 have their own rule. */
static struct segment segment_of(struct preset_machine *m, enum preset_index index, u16 selector)
{
    struct descriptor d;

    if (index == INDEX_VM86)
        return segment_vm86(selector);
    if (index == INDEX_REAL)
        return (struct segment){.selector = selector, .base = (u64)selector << 4, .limit = 0xFFFF, .attr = ATTR_DATA16};
    d = descriptor_parse(preset_read(m, AT_GDT + (selector & 0xFFF8u), 8));
    return descriptor_segment(&d, selector);
}

static void load_registers(struct preset_machine *m, enum preset_index index)
{
    const struct preset_row *row = &rows[index];
    struct cpu_arch *a = &m->cpu->arch;
    bool real = index <= INDEX_VM86;
    u8 cpl = index == INDEX_VM86 ? 3 : row->cs & 3;
    u16 data = real ? AT_USER >> 4 : (u16)((cpl == 0 ? KDATA : UDATA) | cpl);

    for (unsigned i = 0; i < 16; i++)
        a->gpr[i] = 0x5A500000u + i; /* values of their own, so that a mix-up shows */
    for (enum seg s = ES; s <= GS; s++)
        if (s != CS && s != SS)
            a->seg[s] = segment_of(m, index, data);
    a->gdtr = (struct table_register){.base = AT_GDT, .limit = GDT_END - 1};
    a->idtr = (struct table_register){.base = AT_IDT, .limit = 0xFFF};
    if (index == INDEX_REAL)
        a->idtr = (struct table_register){.base = 0, .limit = 0x3FF};
    a->tr = (struct segment){.selector = TSS, .attr = 0x8B, .limit = TSS_LIMIT, .base = AT_TSS};
    a->ldtr = (struct segment){.selector = LDT, .attr = 0x82, .limit = LDT_END - 5, .base = AT_LDT};
    a->cr0 = row->cr0;
    a->cr4 = row->cr4;
    a->cr3 = row->cr4 & CR4_PAE ? (row->efer & EFER_LMA ? AT_PML4 : AT_PDPT) : AT_PD32;
    a->cr2 = 0xC2C2;
    if (index == INDEX_PAE_0 || index == INDEX_PAE_3)
        a->pdpte[0] = AT_PD | 1;
    a->msr.efer = row->efer;
    a->msr.star = (u64)U32 << 48 | (u64)K32 << 32 | AT_STAR32;
    a->msr.lstar = AT_LSTAR;
    a->msr.cstar = AT_CSTAR;
    a->msr.fmask = FLAG_IF | FLAG_DF;
    a->msr.sysenter_cs = K32;
    a->msr.sysenter_esp = TSS_SP0;
    a->msr.sysenter_eip = AT_SYSENTER;
    a->msr.kernel_gs_base = 0x55550000;
    a->x87_control = 0x37F;
    a->x87_tag = 0xFFFF;
    if (row->efer & EFER_LMA) {
        a->seg[FS].base = 0x33330000;
        a->seg[GS].base = 0x44440000;
    }
    cpu_update_paging(m->cpu);
}

static void enter(struct preset_machine *m, enum preset_index index)
{
    static const u32 stack[] = {STACK0, STACK1, STACK2, STACK3};
    const struct preset_row *row = &rows[index];
    struct transition t = transition_begin(m->cpu, MECH_RESTORE);

    t.new_cpl = index == INDEX_REAL ? 0 : index == INDEX_VM86 ? 3 : row->cs & 3;
    t.cs = segment_of(m, index, row->cs);
    t.ss = segment_of(m, index, row->ss);
    t.rip = AT_CODE - t.cs.base;
    t.rsp = stack[t.new_cpl] - t.ss.base;
    t.rflags = FLAG_FIXED1 | FLAG_IF | row->rflags;
    t.stage = STAGE_SS | STAGE_RSP | STAGE_RFLAGS;
    ring_commit(m->cpu, &t);
    m->cpu->arch.rip = t.rip;
    m->code_base = AT_CODE;
    m->code_rip = t.rip;
}

/* ---- the outside world */

static void see_transition(void *context, struct cpu *cpu, const struct transition *t)
{
    struct preset_machine *m = context;

    (void)cpu;
    if (m->seen_count < MAX_SEEN)
        m->seen[m->seen_count] = *t;
    m->seen_count++;
}

static void see_side(void *context, struct cpu *cpu, const struct side_event *event)
{
    struct preset_machine *m = context;

    (void)cpu;
    (void)event;
    m->side_count++;
}

static bool irq_pending(void *context) { return ((struct preset_machine *)context)->irq != NO_IRQ; }

static int irq_acknowledge(void *context)
{
    struct preset_machine *m = context;
    int vector = m->irq;

    m->irq = NO_IRQ;
    return vector;
}

static u8 read_priority(void *context) { return ((struct preset_machine *)context)->task_priority; }
static void write_priority(void *context, u8 value) { ((struct preset_machine *)context)->task_priority = value; }

static bool write_apic_base(void *context, u64 value)
{
    return lapic_set_base(((struct preset_machine *)context)->lapic, value);
}

static bool read_apic(void *context, u32 number, u64 *value)
{
    return lapic_msr_read(((struct preset_machine *)context)->lapic, number, value);
}

static bool write_apic(void *context, u32 number, u64 value)
{
    return lapic_msr_write(((struct preset_machine *)context)->lapic, number, value);
}

/* A page of NOPs around the reset vector, for INIT. */
static void map_reset_vector(struct preset_machine *m)
{
    u8 page[PAGE_SIZE];

    memset(page, NOP, sizeof page);
    physmem_map_rom(m->pm, 0xFFFFF000u, sizeof page, page, "reset vector");
}

/* ---- life */

bool preset_open(struct preset_machine *m, enum preset_index index, enum cpu_vendor vendor, struct error *err)
{
    struct cpu_model model;

    memset(m, 0, sizeof *m);
    if (!cpu_model_parse(&model, vendor == VENDOR_AMD ? "max,vendor=amd" : "max", err))
        return false;
    clock_init(&m->clock);
    m->pm = physmem_new(RAM_BYTES, err);
    if (m->pm == NULL)
        return false;
    m->io = ports_new();
    m->cpu = cpu_new(&model, 0, &m->clock, m->pm, m->io);
    m->irq = NO_IRQ;
    m->cpu->host.ports = (struct cpu_ports){.context = m,
                                            .interrupt_pending = irq_pending,
                                            .interrupt_acknowledge = irq_acknowledge,
                                            .task_priority_read = read_priority,
                                            .task_priority_write = write_priority,
                                            .apic_base_write = write_apic_base,
                                            .apic_msr_read = read_apic,
                                            .apic_msr_write = write_apic};
    m->apic_bus = apic_bus_new(m->pm, &m->clock);
    m->lapic = lapic_new(m->apic_bus, 0, &(struct lapic_hooks){.tsc_deadline = model.feature[FEAT_TSC_DEADLINE]});
    map_reset_vector(m);
    page_tables(m, index == INDEX_PAE_0 || index == INDEX_PAE_3);
    vector_table(m);
    fill(m, AT_CODE, AT_TASK + PAGE_SIZE);
    preset_tables(m, preset_is_long(index));
    task_state(m, preset_is_long(index), index == INDEX_PAE_0 || index == INDEX_PAE_3 ? AT_PDPT : AT_PD32);
    load_registers(m, index);
    enter(m, index);
    m->observer = (struct cpu_observer){.context = m, .transition = see_transition, .side = see_side};
    m->cpu->host.observer = &m->observer;
    engine_attach(m->cpu);
    return true;
}

void preset_close(struct preset_machine *m)
{
    engine_detach(m->cpu);
    cpu_free(m->cpu);
    apic_bus_free(m->apic_bus);
    ports_free(m->io);
    physmem_free(m->pm);
}

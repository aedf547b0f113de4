/* SPDX-License-Identifier: MIT
 * GDT, IDT, task-state segments and stacks of the 32-bit tour.
 * SDM 3A, "Segment Descriptors", "IDT Descriptors", "Task-State Segment (TSS)".
 */
#include "kernel.h"

extern const char entry_stubs[], code16_base[], gate_target[], gate16_entry[], int16_entry[], ring1_handler[],
    conforming_handler[];

struct descriptor gdt[GDT_ENTRIES] __attribute__((aligned(16)));
struct descriptor idt[INT_LIMIT] __attribute__((aligned(16)));
struct main_tss main_tss __attribute__((aligned(4096)));
struct tss fault_tss, other_tss;

u8 ring_stacks[4][STACK_BYTES] __attribute__((aligned(16)));
static u8 kernel_stack[STACK_BYTES] __attribute__((aligned(16)));
static u8 inner_stacks[2][STACK_BYTES] __attribute__((aligned(16)));

enum { P = 0x80, CODE = 0x1B, DATA = 0x13, CONFORMING_CODE = 0x1F, TYPE_LDT = 2, TYPE_TASK_GATE = 5, TYPE_TSS = 9 };
enum { TYPE_CALL16 = 4, TYPE_INT16 = 6, TYPE_CALL32 = 12, TYPE_INT32 = 14, TYPE_TRAP32 = 15 };
enum { DPL1 = 1 << 5, DPL2 = 2 << 5, DPL3 = 3 << 5, FLAT = 0xC };

struct descriptor *gdt_at(u16 selector) { return &gdt[selector >> 3]; }

void gdt_set(u16 selector, u32 base, u32 limit, u8 type, u8 flags)
{
    struct descriptor *d = gdt_at(selector);

    d->low = base << 16 | (limit & 0xFFFF);
    d->high = (base & 0xFF000000) | (u32)flags << 20 | (limit & 0xF0000) | (u32)type << 8 | (base >> 16 & 0xFF);
}

void gate_set(struct descriptor *gate, u16 selector, u32 offset, u8 type, u8 parameters)
{
    gate->low = (u32)selector << 16 | (offset & 0xFFFF);
    gate->high = (offset & 0xFFFF0000) | (u32)type << 8 | parameters;
}

u32 ring_stack_top(unsigned ring) { return (u32)(uintptr_t)ring_stacks[ring] + STACK_BYTES - 64; }

u32 kernel_stack_top(void) { return (u32)(uintptr_t)kernel_stack + STACK_BYTES; }

u32 inner_stack_top(unsigned ring) { return (u32)(uintptr_t)inner_stacks[ring - 1] + STACK_BYTES; }

u16 ring_code(unsigned ring)
{
    static const u16 selectors[] = {CODE0, CODE1, CODE2, CODE3};

    return selectors[ring];
}

u16 ring_data(unsigned ring)
{
    static const u16 selectors[] = {DATA0, DATA1, DATA2, DATA3};

    return selectors[ring];
}

static void fill_gdt(void)
{
    const u32 base16 = (u32)(uintptr_t)code16_base;
    const u32 target = (u32)(uintptr_t)gate_target;

    for (unsigned ring = 0; ring < 4; ring++) {
        gdt_set(ring_code(ring), 0, 0xFFFFF, (u8)(P | CODE | ring << 5), FLAT);
        gdt_set(ring_data(ring), 0, 0xFFFFF, (u8)(P | DATA | ring << 5), FLAT);
    }
    gdt_set(TSS_MAIN, (u32)(uintptr_t)&main_tss, sizeof main_tss - 1, P | TYPE_TSS, 0);
    gdt_set(TSS_FAULT, (u32)(uintptr_t)&fault_tss, sizeof fault_tss - 1, P | TYPE_TSS, 0);
    gdt_set(TSS_OTHER, (u32)(uintptr_t)&other_tss, sizeof other_tss - 1, P | TYPE_TSS, 0);
    gdt_set(CONFORMING, 0, 0xFFFFF, P | CONFORMING_CODE, FLAT);
    gdt_set(CODE16_0, base16, 0xFFFF, P | CODE, 0);
    gdt_set(CODE16_3, base16, 0xFFFF, P | CODE | DPL3, 0);
    gdt_set(DATA16_0, 0, 0xFFFF, P | DATA, 0);
    gdt_set(DATA_ABSENT, 0, 0xFFFFF, DATA, FLAT);
    gdt_set(STACK16_3, (u32)(uintptr_t)ring_stacks[3], STACK_BYTES - 1, P | DATA | DPL3, 0);
    gdt_set(REAL_CODE, REAL_BASE, 0xFFFF, P | CODE, 0);
    gdt_set(DATA_SMALL, 0, 0xFF, P | DATA | DPL3, 4);
    gate_set(gdt_at(GATE_RING0), CODE0, target, P | DPL3 | TYPE_CALL32, 2);
    gate_set(gdt_at(GATE_RING1), CODE1, target, P | DPL3 | TYPE_CALL32, 2);
    gate_set(gdt_at(GATE_RING2), CODE2, target, P | DPL3 | TYPE_CALL32, 2);
    gate_set(gdt_at(GATE_1TO0), CODE0, target, P | DPL1 | TYPE_CALL32, 2);
    gate_set(gdt_at(GATE_DPL0), CODE0, target, P | TYPE_CALL32, 2);
    gate_set(gdt_at(GATE_ABSENT), CODE0, target, DPL3 | TYPE_CALL32, 2);
    gate_set(gdt_at(GATE_TASK), TSS_OTHER, 0, P | TYPE_TASK_GATE, 0);
    gate_set(gdt_at(GATE16), CODE16_0, (u32)(gate16_entry - code16_base), P | DPL3 | TYPE_CALL16, 1);
}

static void fill_idt(void)
{
    for (unsigned vector = 0; vector < INT_LIMIT; vector++) {
        bool user = vector == V_BP || vector == V_OF || vector == V_BR || vector >= 0x40;

        gate_set(&idt[vector], CODE0, (u32)(uintptr_t)entry_stubs + vector * 16,
                 (u8)(P | TYPE_INT32 | (user ? DPL3 : 0)), 0);
    }
    gate_set(&idt[V_DF], TSS_FAULT, 0, P | TYPE_TASK_GATE, 0);
    gate_set(&idt[INT_KERNEL], CODE0, (u32)(uintptr_t)entry_stubs + INT_KERNEL * 16, P | TYPE_INT32, 0);
    gate_set(&idt[INT_TRAP], CODE0, (u32)(uintptr_t)entry_stubs + INT_TRAP * 16, P | TYPE_TRAP32 | DPL3, 0);
    gate_set(&idt[INT_RING1], CODE1, (u32)(uintptr_t)ring1_handler, P | TYPE_INT32 | DPL3, 0);
    gate_set(&idt[INT_CONFORMING], CONFORMING, (u32)(uintptr_t)conforming_handler, P | TYPE_INT32 | DPL3, 0);
    gate_set(&idt[INT_16BIT], CODE16_0, (u32)(int16_entry - code16_base), P | TYPE_INT16 | DPL3, 0);
    gate_set(&idt[INT_TASK], TSS_OTHER, 0, P | TYPE_TASK_GATE | DPL3, 0);
    gate_set(&idt[INT_ABSENT], CODE0, (u32)(uintptr_t)entry_stubs + INT_ABSENT * 16, TYPE_INT32 | DPL3, 0);
}

bool tss_is_busy(u16 selector) { return gdt_at(selector)->high & 0x200; }

void tss_clear_busy(u16 selector) { gdt_at(selector)->high &= ~0x200u; }

u16 read_tr(void)
{
    u32 value;

    __asm__ volatile("str %0" : "=r"(value));
    return (u16)value;
}

void load_tr(u16 selector) { __asm__ volatile("ltr %0" : : "r"(selector) : "memory"); }

void tables_open(void)
{
    struct {
        u16 limit;
        u32 base;
    } __attribute__((packed)) gdtr = {sizeof gdt - 1, (u32)(uintptr_t)gdt},
                              idtr = {sizeof idt - 1, (u32)(uintptr_t)idt};

    fill_gdt();
    fill_idt();
    main_tss.tss = (struct tss){.ss0 = DATA0,
                                .esp0 = kernel_stack_top(),
                                .ss1 = DATA1,
                                .esp1 = inner_stack_top(1),
                                .ss2 = DATA2,
                                .esp2 = inner_stack_top(2),
                                .io_map = offsetof(struct main_tss, io)};
    for (unsigned i = 0; i < sizeof main_tss.redirection; i++)
        main_tss.redirection[i] = 0xFF;
    for (unsigned i = 0; i < sizeof main_tss.io; i++)
        main_tss.io[i] = 0xFF;
    __asm__ volatile("lgdt %0\n\t"
                     "lidt %1\n\t"
                     "ljmp %2, $1f\n"
                     "1:\tmovl %3, %%ds\n\tmovl %3, %%es\n\tmovl %3, %%ss\n\tmovl %4, %%fs\n\tmovl %4, %%gs"
                     :
                     : "m"(gdtr), "m"(idtr), "i"(CODE0), "r"(DATA0), "r"(0)
                     : "memory");
    load_tr(TSS_MAIN);
}

/* SPDX-License-Identifier: MIT
 * GDT, IDT, task-state segment, stacks and special pages of the 64-bit tour.
 * SDM 3A, "Segment Descriptors", "64-Bit Mode IDT", "Task Management in 64-bit Mode", "4-Level Paging".
 */
#include "kernel.h"

#include "stops.h"

enum { STACK_BYTES = 4096 };
extern const char entry_stubs[], call_gate_target[];

u64 gdt[GDT_ENTRIES] __attribute__((aligned(16)));
struct gate idt[IDT_ENTRIES] __attribute__((aligned(16)));
struct tss tss __attribute__((aligned(128)));

static u8 kernel_stack[STACK_BYTES] __attribute__((aligned(16)));
static u8 ring0_stack[STACK_BYTES] __attribute__((aligned(16)));
static u8 ist_stacks[4][STACK_BYTES] __attribute__((aligned(16)));
static u8 user_stacks[3][STACK_BYTES] USER_DATA __attribute__((aligned(16)));

enum {
    P = 0x80,
    CODE = 0x1B,
    DATA = 0x13,
    TYPE_TASK_GATE = 5,
    TYPE_TSS = 9,
    TYPE_CALL = 12,
    TYPE_INT = 14,
    TYPE_TRAP = 15
};
enum { DPL3 = 3 << 5, LONG = 0xA, FLAT32 = 0xC };

u64 ist_top(unsigned ist) { return (u64)ist_stacks[ist - 1] + STACK_BYTES; }

u64 kernel_stack_top(void) { return (u64)kernel_stack + STACK_BYTES; }

u64 stack_top(enum place place)
{
    return (place == RING0 ? (u64)ring0_stack : (u64)user_stacks[place > RING3 ? 2 : place - 1]) + STACK_BYTES - 256;
}

u16 place_code(enum place place)
{
    static const u16 selectors[] = {CODE0, CODE1, CODE2, CODE3, CODE3_32};

    return selectors[place];
}

u16 place_data(enum place place)
{
    static const u16 selectors[] = {DATA0, DATA1, DATA2, DATA3, DATA3};

    return selectors[place];
}

static void gdt_set(u16 selector, u64 base, u32 limit, unsigned type, unsigned flags)
{
    gdt[selector >> 3] = (base & 0xFFFFFF) << 16 | (base >> 24 & 0xFF) << 56 | (limit & 0xFFFF) |
                         (u64)(limit >> 16) << 48 | (u64)type << 40 | (u64)flags << 52;
}

void gate_set(struct gate *gate, u16 selector, const char *target, u8 type, u8 ist)
{
    u64 offset = (u64)target;

    *gate = (struct gate){.offset_low = (u16)offset,
                          .selector = selector,
                          .ist = ist,
                          .type = type,
                          .offset_middle = (u16)(offset >> 16),
                          .offset_high = (u32)(offset >> 32)};
}

static void fill_gdt(void)
{
    gdt_set(CODE0, 0, 0xFFFFF, P | CODE, LONG);
    gdt_set(CODE1, 0, 0xFFFFF, P | CODE | 1 << 5, LONG);
    gdt_set(CODE2, 0, 0xFFFFF, P | CODE | 2 << 5, LONG);
    gdt_set(CODE3, 0, 0xFFFFF, P | CODE | DPL3, LONG);
    gdt_set(CODE3_32, 0, 0xFFFFF, P | CODE | DPL3, FLAT32);
    gdt_set(CODE0_32, 0, 0xFFFFF, P | CODE, FLAT32);
    gdt_set(CODE_L_AND_D, 0, 0xFFFFF, P | CODE, LONG | FLAT32);
    gdt_set(DATA0, 0, 0xFFFFF, P | DATA, FLAT32);
    gdt_set(DATA1, 0, 0xFFFFF, P | DATA | 1 << 5, FLAT32);
    gdt_set(DATA2, 0, 0xFFFFF, P | DATA | 2 << 5, FLAT32);
    gdt_set(DATA3, 0, 0xFFFFF, P | DATA | DPL3, FLAT32);
    gdt_set(DATA3_AGAIN, 0, 0xFFFFF, P | DATA | DPL3, FLAT32);
    gdt_set(DATA_ABSENT, 0, 0xFFFFF, DATA, FLAT32);
    gdt_set(TSS, (u64)&tss, sizeof tss - 1, P | TYPE_TSS, 0);
    gdt[(TSS >> 3) + 1] = (u64)&tss >> 32;
    gdt_set(TSS_OTHER, (u64)&tss, sizeof tss - 1, P | TYPE_TSS, 0);
    gdt_set(TASK_GATE, TSS_OTHER, 0, P | TYPE_TASK_GATE, 0);
    gate_set((struct gate *)&gdt[CALL_GATE >> 3], CODE0, call_gate_target, P | DPL3 | TYPE_CALL, 0);
}

static void fill_idt(void)
{
    static const u8 ist[] = {[V_NMI] = IST_NMI, [V_DF] = IST_DF, [V_DB] = IST_DB, [INT_IST] = IST_SPARE};

    for (unsigned vector = 0; vector < IDT_ENTRIES; vector++) {
        bool user = vector == V_BP || vector == V_OF || vector >= 0x40;

        gate_set(&idt[vector], CODE0, entry_stubs + vector * 16, (u8)(P | TYPE_INT | (user ? DPL3 : 0)),
                 vector < ARRAY_LEN(ist) ? ist[vector] : 0);
    }
    idt[INT_KERNEL].type = P | TYPE_INT;
    idt[INT_TRAP].type = P | DPL3 | TYPE_TRAP;
    idt[INT_TASK].type = P | DPL3 | TYPE_TASK_GATE;
    idt[INT_ABSENT].type = DPL3 | TYPE_INT;
}

/* The 2 MiB from 600000h in pages of 4 KiB, some of them special. */
static void split_pages(void)
{
    static u64 table[512] __attribute__((aligned(4096)));
    enum { PRESENT = 1, WRITABLE = 2, USER = 4 };

    for (unsigned i = 0; i < 512; i++)
        table[i] = (PAGE_ABSENT + i * 4096u) | PRESENT | WRITABLE | USER;
    table[PAGE_ABSENT >> 12 & 511] &= ~(u64)PRESENT;
    table[PAGE_KERNEL >> 12 & 511] &= ~(u64)USER;
    table[PAGE_READONLY >> 12 & 511] &= ~(u64)WRITABLE;
    if (processor.nx) {
        wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_NXE);
        table[PAGE_NO_EXECUTE >> 12 & 511] |= 1ull << 63;
    }
    table[PAGE_RESERVED_BIT >> 12 & 511] |= 1ull << 51; /* above any physical address width below 52 */
    page_directories[PAGE_ABSENT >> 21] = (u64)table | PRESENT | WRITABLE | USER;
    write_cr3(read_cr3());
}

void tables_open(void)
{
    struct {
        u16 limit;
        u64 base;
    } __attribute__((packed)) gdtr = {sizeof gdt - 1, (u64)gdt}, idtr = {sizeof idt - 1, (u64)idt};

    fill_gdt();
    fill_idt();
    tss = (struct tss){.rsp = {kernel_stack_top()}, .io_map = sizeof tss};
    for (unsigned i = 1; i <= ARRAY_LEN(ist_stacks); i++)
        tss.ist[i] = ist_top(i);
    __asm__ volatile("lgdt %0\n\t"
                     "lidt %1\n\t"
                     "pushq %2\n\tpushq $1f\n\tlretq\n"
                     "1:\tmovl %3, %%ds\n\tmovl %3, %%es\n\tmovl %3, %%ss\n\tmovl %4, %%fs\n\tmovl %4, %%gs\n\t"
                     "ltr %w5"
                     :
                     : "m"(gdtr), "m"(idtr), "i"(CODE0), "r"(DATA0), "r"(0), "r"(TSS)
                     : "memory");
    split_pages();
}

/* SPDX-License-Identifier: MIT
 * Tables, the two address spaces, traps, runs, and the timer.
 * SDM 3A, "Protected-Mode Memory Management", "Paging", "Interrupt and Exception Handling", "APIC Timer".
 */
#include "kernel.h"

extern const char entry_stubs[];
extern u64 pointers_a[512], pointers_b[512], identity[2048];
#if BITS == 64
extern u64 root_a[512], root_b[512];
#endif
void run_start(const struct regs *r);
void run_land(void) __attribute__((noreturn));
void trap(struct frame *f);

struct trap traps[TRAPS];
unsigned trap_count;
u8 arena[ARENA_PAGES][4096] __attribute__((aligned(4096)));
u64 window_a[512] __attribute__((aligned(4096))), window_b[512] __attribute__((aligned(4096)));
u64 window_directory_a[512] __attribute__((aligned(4096))), window_directory_b[512] __attribute__((aligned(4096)));
word space_a, space_b;
struct features features;

static u64 gdt[GDT_ENTRIES] __attribute__((aligned(16)));
static u64 idt[IDT_ENTRIES][BITS / 32] __attribute__((aligned(16)));
static u32 tss[32] __attribute__((aligned(128)));
static u8 kernel_stack[8192] __attribute__((aligned(16))), code_stack[8192] __attribute__((aligned(16)));

/* ---- tables */

static void gdt_set(u16 selector, u64 base, u32 limit, unsigned type, unsigned flags)
{
    gdt[selector >> 3] = (base & 0xFFFFFF) << 16 | (base >> 24 & 0xFF) << 56 | (limit & 0xFFFF) |
                         (u64)(limit >> 16) << 48 | (u64)type << 40 | (u64)flags << 52;
}

static void fill_gdt(void)
{
    enum { CODE = 0x9B, DATA = 0x93, DPL3 = 0x60, TYPE_TSS = 0x89, WIDE = BITS == 64 ? 0xA : 0xC };

    gdt_set(CODE0, 0, 0xFFFFF, CODE, WIDE);
    gdt_set(DATA0, 0, 0xFFFFF, DATA, 0xC);
    gdt_set(CODE3, 0, 0xFFFFF, CODE | DPL3, WIDE);
    gdt_set(DATA3, 0, 0xFFFFF, DATA | DPL3, 0xC);
    gdt_set(CODE0_16, 0, 0xFFFFF, CODE, 0x8);
    gdt_set(CODE0_32, 0, 0xFFFFF, CODE, 0xC);
    gdt_set(CODE3_32, 0, 0xFFFFF, CODE | DPL3, 0xC);
    gdt_set(TSS, (word)tss, sizeof tss - 1, TYPE_TSS, 0);
#if BITS == 64
    tss[1] = (u32)(word)(kernel_stack + sizeof kernel_stack); /* RSP0, below 4 GiB */
#else
    tss[1] = (u32)(kernel_stack + sizeof kernel_stack);
    tss[2] = DATA0;
#endif
    tss[25] = sizeof tss << 16; /* no I/O permission map */
}

static void fill_idt(void)
{
    for (unsigned vector = 0; vector < IDT_ENTRIES; vector++) {
        u64 target = (word)entry_stubs + vector * 16;
        bool user = vector >= 0x40 && vector < INT_TIMER;

        idt[vector][0] =
            (target & 0xFFFF) | (u64)CODE0 << 16 | (user ? 0xEEull : 0x8Eull) << 40 | (target >> 16 & 0xFFFF) << 48;
    }
}

static void load_tables(void)
{
    struct {
        u16 limit;
        word base;
    } __attribute__((packed)) gdtr = {sizeof gdt - 1, (word)gdt}, idtr = {sizeof idt - 1, (word)idt};

    __asm__ volatile("lgdt %0\n\tlidt %1" : : "m"(gdtr), "m"(idtr) : "memory");
#if BITS == 64
    __asm__ volatile("pushq %0\n\tpushq $1f\n\tlretq\n1:" : : "i"(CODE0) : "memory");
#else
    __asm__ volatile("ljmp %0, $1f\n1:" : : "i"(CODE0) : "memory");
#endif
    __asm__ volatile("movl %0, %%ss\n\tmovl %1, %%ds\n\tmovl %1, %%es\n\tmovl %1, %%fs\n\tmovl %1, %%gs\n\tltr %w2"
                     :
                     : "r"(DATA0), "r"(DATA3), "r"(TSS)
                     : "memory");
}

static void cpuid(u32 leaf, u32 r[4])
{
    __asm__ volatile("cpuid" : "=a"(r[0]), "=b"(r[1]), "=c"(r[2]), "=d"(r[3]) : "a"(leaf), "c"(0));
}

static void find_features(void)
{
    u32 r[4];

    cpuid(1, r);
    features.pcid = BITS == 64 && (r[2] >> 17 & 1);
    features.deadline = r[2] >> 24 & 1;
    features.x2apic = r[2] >> 21 & 1;
    cpuid(0, r);
    if (r[0] >= 7) {
        cpuid(7, r);
        features.invpcid = r[1] >> 10 & 1;
    }
    features.nx = processor.nx;
    if (features.nx)
        wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_NXE);
}

/* ---- memory */

void spaces_reset(void)
{
    for (unsigned i = 0; i < 512; i++) {
        window_a[i] = window_b[i] = i < ARENA_PAGES ? frame_of(i) | PWU : 0;
        window_directory_a[i] = window_directory_b[i] = 0;
        pointers_b[i] = pointers_a[i];
    }
    window_directory_a[0] = (word)window_a | PWU;
    window_directory_b[0] = (word)window_b | PWU;
    pointers_a[1] = (word)window_directory_a | (BITS == 64 ? PWU : P);
    pointers_b[1] = (word)window_directory_b | (BITS == 64 ? PWU : P);
#if BITS == 64
    root_b[0] = (word)pointers_b | PWU;
    space_a = (word)root_a;
    space_b = (word)root_b;
#else
    space_a = (word)pointers_a;
    space_b = (word)pointers_b;
#endif
    write_cr3(space_a);
    for (unsigned i = 0; i < ARENA_PAGES; i++)
        arena_fill(i, 0);
}

word window(unsigned page) { return WINDOW + page * 4096ul; }

u64 frame_of(unsigned arena_page) { return (word)arena[arena_page]; }

void map_only(unsigned page, u64 entry) { *(volatile u64 *)&window_a[page] = entry; }

void map(unsigned page, unsigned to)
{
    map_only(page, frame_of(to) | PWU);
    invlpg(window(page));
}

void arena_fill(unsigned page, u8 value)
{
    for (unsigned i = 0; i < 4096 / sizeof(word); i++)
        ((volatile word *)arena[page])[i] = value * (~(word)0 / 0xFF);
}

/* ---- traps and runs */

static struct regs *running;
static hook_t *running_hook;
static unsigned ended_by;

static void end_run(const struct frame *f)
{
    struct regs *r = running;

    *r = (struct regs){f->ax, f->cx, f->dx, f->bx, f->bp, f->si, f->di, f->ip, f->cs, f->flags, 0, 0};
    r->sp = BITS == 64 || (f->cs & 3) ? f->sp : (word)&f->sp;
    running = NULL;
    ended_by = (unsigned)f->vector;
    run_land();
}

void trap(struct frame *f)
{
    struct trap t = {f->vector, f->error, f->ip, f->flags, read_cr2(), read_dr6(), f->ax, f->cx, f->dx, f->si, f->di};

    if (running == NULL)
        stress_fatal(f->vector, f->error, f->ip);
    if (f->vector == V_DB)
        write_dr6(DR6_NONE);
    mix(t.vector | (u64)t.error << 32);
    mix(t.ip);
    mix(t.flags);
    mix(t.vector == V_PF ? t.cr2 : 0);
    mix(t.dr6);
    mix(t.ax);
    mix(t.cx ^ (u64)t.dx << 20);
    mix(t.si);
    mix(t.di);
    mix(f->bx ^ (u64)f->bp << 20);
    mix(rdtsc());
    if (trap_count < TRAPS)
        traps[trap_count] = t;
    trap_count++;
    if (f->vector == INT_EXIT || running_hook == NULL || !running_hook(f))
        end_run(f);
}

unsigned run(struct regs *r, hook_t *hook)
{
    if (r->cs == 0)
        r->cs = CODE0;
    r->ss = (r->cs & 3) == 3 ? DATA3 : DATA0;
    if (r->sp == 0)
        r->sp = (word)(code_stack + sizeof code_stack);
    r->flags |= FLAG_ONE;
    trap_count = 0;
    running_hook = hook;
    running = r;
    run_start(r);
    return ended_by;
}

void run_clean(struct regs *r)
{
    unsigned vector = run(r, NULL);

    if (vector != INT_EXIT) {
        check("vector that ended the run", INT_EXIT, vector);
        say("at %lx, error %lx, cr2 %lx", r->ip, traps[0].error, traps[0].cr2);
    }
}

word place(word address, const char *name, const char *end)
{
    for (unsigned i = 0; name + i != end; i++)
        ((volatile u8 *)address)[i] = (u8)name[i];
    return address;
}

/* ---- time */

enum {
    APIC_EOI = 0xB0,
    APIC_LVT_TIMER = 0x320,
    APIC_COUNT = 0x380,
    APIC_CURRENT = 0x390,
    APIC_DIVIDE = 0x3E0,
    MASKED = 0x10000
};
#define MSR_DEADLINE 0x6E0u

volatile u32 *apic_register(unsigned offset) { return (volatile u32 *)(0xFEE00000ul + offset); }

/* One instruction a byte, so that the timer, whose counts are many ticks long, can be started at any tick. */
CODE(sled, ".rept 64\n nop\n .endr\n ret\n");
static u32 count_ticks; /* of one count of the APIC's timer */

static void measure_timer(void)
{
    enum { COUNTS = 256 };
    u64 start;

    *apic_register(APIC_DIVIDE) = 0xB; /* by 1 */
    *apic_register(APIC_LVT_TIMER) = MASKED | INT_TIMER;
    *apic_register(APIC_COUNT) = ~0u;
    start = rdtsc();
    while (*apic_register(APIC_CURRENT) > ~0u - COUNTS)
        ;
    count_ticks = ((u32)(rdtsc() - start) + COUNTS / 2) / COUNTS;
    if (count_ticks == 0)
        count_ticks = 1;
    *apic_register(APIC_COUNT) = 0;
}

void interrupt_in(u32 ticks)
{
    u32 late = ticks % count_ticks;

    if (features.deadline) {
        *apic_register(APIC_LVT_TIMER) = INT_TIMER | 2u << 17;
        wrmsr(MSR_DEADLINE, rdtsc() + ticks);
        return;
    }
    *apic_register(APIC_LVT_TIMER) = INT_TIMER;
    __asm__ volatile("call *%0" : : "r"(sled + (late < 64 ? 64 - late : 0)) : "memory");
    *apic_register(APIC_COUNT) = ticks >= count_ticks ? ticks / count_ticks : 1;
}

void interrupt_end(void) { *apic_register(APIC_EOI) = 0; }

CODE(drain, "nop\nnop\n" EXIT);

static bool take_one(struct frame *f)
{
    if (f->vector == INT_TIMER)
        interrupt_end();
    return f->vector == INT_TIMER;
}

void interrupt_cancel(void)
{
    if (features.deadline)
        wrmsr(MSR_DEADLINE, 0);
    *apic_register(APIC_COUNT) = 0;
    *apic_register(APIC_LVT_TIMER) = MASKED | INT_TIMER;
    if (apic_waiting(INT_TIMER))
        run(&(struct regs){.ip = (word)drain, .flags = FLAG_IF}, take_one);
}

void kernel_open(void)
{
    fill_gdt();
    fill_idt();
    load_tables();
    find_features();
    __asm__ volatile("fninit");
    spaces_reset();
    interrupts_open();
    measure_timer();
}

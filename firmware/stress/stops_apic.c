/* SPDX-License-Identifier: MIT
 * Stops: interrupts by the local APIC's MSRs, and by the HPET through I/O APIC and 8259.
 * SDM 3A, "Extended XAPIC (x2APIC)", "TSC-Deadline Mode"; IA-PC HPET Specification 1.0a.
 */
#include "stress.h"

enum { MSR_TSC = 0x10, MSR_DEADLINE = 0x6E0, MSR_X2APIC = 0x800 };
enum { ID = 0x02, TPR = 0x08, EOI = 0x0B, LDR = 0x0D, IRR = 0x20, ICR = 0x30, LVT_TIMER = 0x32, SELF_IPI = 0x3F };
#define BASE_EXTD 0x400u
#define BASE_EN 0x800u
#define MASKED 0x10000u
#define DEADLINE_MODE (2u << 17)

CODE(msr_write, "wrmsr\n" AT(msr_write_1) "incl %ebx\n incl %ebx\n 1: jmp 1b\n");
CODE(waits, "1: incl %eax\n jmp 1b\n");
CODE(count_down, "1: addl %ecx, %eax\n decl %ecx\n jnz 1b\n" EXIT);
extern const char msr_write_1[];

/* ---- x2APIC */

static bool on_x2apic(struct frame *f)
{
    if (f->vector == INT_TIMER)
        wrmsr(MSR_X2APIC + EOI, 0);
    return false;
}

/* One WRMSR in straight code, after which the interrupt comes at once. */
static void by_write(const char *what, u32 msr, u32 high, u32 low)
{
    struct regs r = {.ip = (word)msr_write, .cx = msr, .ax = low, .dx = high, .flags = FLAG_IF};

    check(what, INT_TIMER, run(&r, on_x2apic));
    check("at once", (word)msr_write_1, r.ip);
}

static void deadlines(void)
{
    const u64 far = 1ull << 40;

    wrmsr(MSR_X2APIC + LVT_TIMER, INT_TIMER | DEADLINE_MODE);
    for (u32 ticks = 20; ticks < 80; ticks++) {
        struct regs r = {.ip = (word)waits, .flags = FLAG_IF};

        wrmsr(MSR_DEADLINE, rdtsc() + ticks);
        check("the deadline", INT_TIMER, run(&r, on_x2apic));
        check("which is gone then", 0, rdmsr(MSR_DEADLINE));
        mix(r.ax);
        wrmsr(MSR_DEADLINE, rdtsc() + far + ticks);
        wrmsr(MSR_TSC, rdtsc() + far);
        r = (struct regs){.ip = (word)waits, .flags = FLAG_IF};
        check("the counter was moved past it", INT_TIMER, run(&r, on_x2apic));
        wrmsr(MSR_TSC, rdtsc() - far);
        mix(r.ax);
    }
    wrmsr(MSR_X2APIC + LVT_TIMER, MASKED | INT_TIMER);
}

static void x2apic(void)
{
    u64 base = rdmsr(MSR_APIC_BASE);

    if (!features.x2apic) {
        skip("no x2APIC");
        return;
    }
    wrmsr(MSR_APIC_BASE, base | BASE_EXTD);
    check("the ID", 0, rdmsr(MSR_X2APIC + ID));
    check("the logical ID", 1, rdmsr(MSR_X2APIC + LDR));
    check("the page is gone", ~0u, *apic_register(0x30));
    for (unsigned i = 0; i < 20; i++) {
        by_write("self IPI", MSR_X2APIC + SELF_IPI, 0, INT_TIMER);
        by_write("to the ID", MSR_X2APIC + ICR, 0, INT_TIMER);
        by_write("to the logical ID", MSR_X2APIC + ICR, 1, 0x800 | INT_TIMER);
        by_write("to all", MSR_X2APIC + ICR, ~0u, INT_TIMER);
        wrmsr(MSR_X2APIC + TPR, 0xF0);
        wrmsr(MSR_X2APIC + SELF_IPI, INT_TIMER);
        check("it waits", 1, rdmsr(MSR_X2APIC + IRR + INT_TIMER / 32) >> INT_TIMER % 32 & 1);
        by_write("the task priority lowered", MSR_X2APIC + TPR, 0, 0);
        mix(rdtsc());
    }
    if (features.deadline)
        deadlines();
    wrmsr(MSR_APIC_BASE, base & ~(u64)(BASE_EN | BASE_EXTD)); /* the only way back */
    wrmsr(MSR_APIC_BASE, base);
    check("a disabled APIC forgets", 0xFF, *apic_register(0xF0));
    interrupts_open();
    *apic_register(0x3E0) = 0xB;
    *apic_register(0x320) = MASKED | INT_TIMER;
}

/* ---- the HPET */

#define HPET 0xFED00000ul
#define IO_APIC 0xFEC00000ul
enum { HPET_CONFIG = 0x10, HPET_STATUS = 0x20, HPET_COUNTER = 0xF0, HPET_T0 = 0x100, HPET_T2 = 0x140, COMPARATOR = 8 };
enum { T_LEVEL = 2, T_ENABLE = 4, T_PERIODIC = 8, T_SET_VALUE = 0x40, T_32BIT = 0x100 };
static unsigned pin, interrupts;

static volatile u32 *hpet(unsigned reg) { return (volatile u32 *)(HPET + reg); }

static void io_apic(unsigned reg, u32 value)
{
    *(volatile u32 *)IO_APIC = reg;
    *(volatile u32 *)(IO_APIC + 0x10) = value;
}

static void route(u32 entry)
{
    io_apic(0x11 + 2 * pin, 0);
    io_apic(0x10 + 2 * pin, entry);
}

static bool on_hpet(struct frame *f)
{
    if (f->vector == IRQ_BASE) {
        timer_end();
        return false;
    }
    if (f->vector != INT_TIMER)
        return false;
    interrupts++;
    *hpet(HPET_STATUS) = 4;
    interrupt_end();
    return *hpet(HPET_T2) & T_PERIODIC;
}

/* A match comes into an endless loop, at every count. */
static void matches(const char *what, unsigned timer, u32 config, unsigned vector)
{
    for (u32 counts = 4; counts < 40; counts++) {
        struct regs r = {.ip = (word)waits, .flags = FLAG_IF};

        *hpet(timer) = config;
        *hpet(timer + COMPARATOR) = *hpet(HPET_COUNTER) + counts;
        if (vector == IRQ_BASE)
            outb(0x21, 0xFE);
        check(what, vector, run(&r, on_hpet));
        check("its status was taken away", 0, *hpet(HPET_STATUS));
        mix(r.ax);
        *hpet(timer) = 0;
    }
}

static void periods(void)
{
    for (u32 period = 30; period < 60; period += 3) {
        struct regs r = {.ip = (word)count_down, .cx = 2000, .flags = FLAG_IF};

        interrupts = 0;
        *hpet(HPET_T2) = pin << 9 | T_32BIT | T_LEVEL | T_ENABLE | T_PERIODIC | T_SET_VALUE;
        *hpet(HPET_T2 + COMPARATOR) = *hpet(HPET_COUNTER) + period;
        *hpet(HPET_T2 + COMPARATOR) = period;
        check("end", INT_EXIT, run(&r, on_hpet));
        *hpet(HPET_T2) = 0;
        *hpet(HPET_STATUS) = 4;
        check("the sum", 2001000, r.ax);
        check("there were interrupts", true, interrupts > 5);
        mix(interrupts);
    }
}

CODE(counter_block, "movl 0xF0(" SI "), %eax\n nop\n nop\n movl 0xF0(" SI "), %ebx\n .skip 30, 0x90\n"
                    "movl 0xF0(" SI "), %ecx\n" EXIT);

static void straight(void)
{
    for (unsigned i = 0; i < 40; i++) {
        struct regs r = {.ip = (word)counter_block, .si = HPET};

        run_clean(&r);
        check("the counter goes on", true, r.bx >= r.ax && r.cx > r.bx);
        mix(r.ax);
        mix(r.bx);
        mix(r.cx);
    }
}

static void hpet_timer(void)
{
    if (*hpet(0) == ~0u) {
        skip("no HPET");
        return;
    }
    check("a period of at most 100 ns", true, *hpet(4) != 0 && *hpet(4) <= 100000000);
    pin = (unsigned)__builtin_ctz(*hpet(HPET_T2 + 4));
    *hpet(HPET_CONFIG) = 1;
    straight();
    route(INT_TIMER | 0x8000); /* level */
    matches("level", HPET_T2, pin << 9 | T_32BIT | T_LEVEL | T_ENABLE, INT_TIMER);
    periods();
    route(INT_TIMER);
    matches("edge", HPET_T2, pin << 9 | T_32BIT | T_ENABLE, INT_TIMER);
    route(MASKED);
    *hpet(HPET_CONFIG) = 3;
    matches("in the place of the 8254", HPET_T0, T_32BIT | T_ENABLE, IRQ_BASE);
    *hpet(HPET_CONFIG) = 0;
}

const struct stop stops_apic[] = {
    {"x2APIC: interrupts by MSR, and the way back", x2apic},
    {"The HPET's matches, by I/O APIC and 8259", hpet_timer},
};
const unsigned stops_apic_count = ARRAY_LEN(stops_apic);

/* SPDX-License-Identifier: MIT
 * Stops: interrupts at every tick over loops of every length, shadows, device access and RDTSC in straight code.
 * SDM 3A, "APIC Timer", "Masking Exceptions and Interrupts When Switching Stacks"; SDM 2B, "STI".
 */
#include "stress.h"

static unsigned interrupts;
static u32 again_in;

static bool on_timer(struct frame *f)
{
    if (f->vector != INT_TIMER)
        return false;
    interrupts++;
    interrupt_end();
    if (again_in != 0)
        interrupt_in(again_in);
    return again_in != 0;
}

/* ---- endless loops, left by an interrupt */

CODE(loop_self, "1: jmp 1b\n");
CODE(loop_far, "1: jmp 2f\n .skip 200\n 2: jmp 1b\n");
CODE(loop_two, "1: incl %eax\n jmp 1b\n");
CODE(loop_three, "1: incl %eax\n addl %eax, %edx\n jmp 1b\n");
CODE(loop_count, "1: movl $3, %ecx\n 2: incl %eax\n loop 2b\n jmp 1b\n");
CODE(loop_memory, "1: incl (" DI ")\n movl (" DI "), %eax\n jmp 1b\n");
CODE(loop_call, "1: call 2f\n incl %edx\n jmp 1b\n 2: incl %eax\n ret\n");
CODE(loop_indirect, "1: incl %eax\n jmp *" SI "\n");
CODE(loop_rep, "1: movl $5, %ecx\n mov " SI ", " DI "\n rep stosb\n incl %eax\n jmp 1b\n");
CODE(loop_flags, "1: pushf\n pop " AX "\n push " AX "\n popf\n incl %edx\n jmp 1b\n");
CODE(loop_tsc, "1: rdtsc\n addl %eax, %ebx\n jmp 1b\n");
CODE(loop_apic, "1: movl 0x20(" BX "), %eax\n incl %edx\n jmp 1b\n");
CODE(loop_port, "movl $0x61, %edx\n 1: inb %dx, %al\n incl %ecx\n jmp 1b\n");
CODE(loop_sti, "1: sti\n incl %eax\n" AT(sti_1) "cli\n" AT(sti_2) "incl %ecx\n jmp 1b\n");
CODE(loop_never,
     "movl $300, %ecx\n 1: sti\n cli\n incl %eax\n decl %ecx\n jnz 1b\n sti\n nop\n" AT(never_1) "1: jmp 1b\n");
CODE(loop_ss, "movl %ss, %ecx\n 1: movl %ecx, %ss\n incl %eax\n" AT(ss_1) "jmp 1b\n");
CODE(loop_halt, "1: sti\n hlt\n" AT(halt_1) "nop\n jmp 1b\n");
CODE(loop_iret,
#if BITS == 64
     "movl %ss, %ecx\n 1: mov " SP ", " DX "\n push " CX "\n push " DX "\n pushf\n movl %cs, %eax\n push " AX "\n"
     "lea 2f(%rip), " AX "\n push " AX "\n incl %ebx\n iretq\n 2: incl %ebx\n jmp 1b\n");
#else
     "1: pushf\n push %cs\n call 2f\n 2: addl $3f-2b, (" SP ")\n incl %ebx\n iretl\n 3: incl %ebx\n jmp 1b\n");
#endif
extern const char sti_1[], sti_2[], never_1[], ss_1[], halt_1[];

static const struct {
    const char *name, *begin, *end;
    u32 ticks; /* the last to try */
} loops[] = {
#define ROW(name, ticks)                                                                                               \
    {                                                                                                                  \
#name, name, name##_end, ticks                                                                                 \
    }
    ROW(loop_self, 90),   ROW(loop_far, 90),   ROW(loop_two, 90),      ROW(loop_three, 90), ROW(loop_count, 110),
    ROW(loop_memory, 90), ROW(loop_call, 100), ROW(loop_indirect, 90), ROW(loop_rep, 120),  ROW(loop_flags, 100),
    ROW(loop_tsc, 90),    ROW(loop_apic, 90),  ROW(loop_port, 90),     ROW(loop_sti, 100),  ROW(loop_never, 70),
    ROW(loop_ss, 90),     ROW(loop_halt, 80),  ROW(loop_iret, 120),
#undef ROW
};

static void check_place(const char *loop, word ip)
{
    if (loop == loop_sti)
        check("STI: after the instruction that follows it", true, ip == (word)sti_1);
    if (loop == loop_never)
        check("STI, CLI: never between them", true, ip == (word)never_1);
    if (loop == loop_ss)
        check("MOV SS: not right after it", true, ip != (word)ss_1 - 2);
    if (loop == loop_halt)
        check("HLT: after it", true, ip == (word)halt_1 || ip == (word)halt_1 + 1 || ip == (word)loop_halt);
}

static void every_tick(void)
{
    for (unsigned i = 0; i < ARRAY_LEN(loops); i++) {
        for (u32 ticks = 20; ticks < loops[i].ticks; ticks++) {
            bool opens = loops[i].begin == loop_sti || loops[i].begin == loop_never || loops[i].begin == loop_halt;
            struct regs r = {.ip = (word)loops[i].begin,
                             .flags = opens ? 0 : FLAG_IF,
                             .bx = 0xFEE00000u,
                             .si = (word)(loops[i].begin == loop_rep ? (word)arena[1] : (word)loops[i].begin),
                             .di = (word)arena[1] + 128};

            interrupts = again_in = 0;
            interrupt_in(ticks);
            check(loops[i].name, INT_TIMER, run(&r, on_timer));
            check("inside the loop", true, r.ip >= (word)loops[i].begin && r.ip < (word)loops[i].end);
            check_place(loops[i].begin, r.ip);
            interrupt_cancel();
        }
    }
}

/* ---- loops that end, under a timer that does not */

CODE(sum_loop, "1: addl %ecx, %eax\n adcl $0, %edx\n decl %ecx\n jnz 1b\n" EXIT);
CODE(memory_loop, "1: addl %ecx, (" DI ")\n decl %ecx\n jnz 1b\n movl (" DI "), %eax\n" EXIT);
CODE(call_loop, "1: call 2f\n decl %ecx\n jnz 1b\n" EXIT "2: call 3f\n ret\n 3: addl %ecx, %eax\n ret\n");

static void under_timer(void)
{
    static const char *const codes[] = {sum_loop, memory_loop, call_loop};

    for (unsigned i = 0; i < ARRAY_LEN(codes); i++) {
        for (u32 every = 100; every < 330; every += 17) {
            struct regs r = {.ip = (word)codes[i], .cx = 1000, .di = (word)arena[2], .flags = FLAG_IF};

            *(u32 *)arena[2] = 0;
            interrupts = 0;
            again_in = every;
            interrupt_in(every);
            check("end", INT_EXIT, run(&r, on_timer));
            interrupt_cancel();
            check("sum of 1 to 1000", 500500, r.ax);
            check("there were interrupts", true, interrupts > 5);
            mix(interrupts);
        }
    }
}

/* ---- devices and clocks in straight code */

CODE(tsc_block, "rdtsc\n movl %eax, %ebx\n nop\n nop\n nop\n rdtsc\n movl %eax, %ecx\n rdtsc\n subl %ecx, %eax\n"
                "subl %ebx, %ecx\n" EXIT);
CODE(tsc_loop,
     "movl $7, %ebx\n rdtsc\n movl %eax, %esi\n 1: nop\n nop\n decl %ebx\n jnz 1b\n rdtsc\n subl %esi, %eax\n" EXIT);
CODE(apic_block,
     "movl 0x20(" SI "), %eax\n movl 0x390(" SI "), %ebx\n nop\n nop\n movl 0x390(" SI "), %ecx\n"
     "movl $0x30, 0x80(" SI ")\n movl 0x80(" SI "), %edx\n movl $0, 0x80(" SI ")\n movl 0x390(" SI "), %ebp\n"
     "movl $55, (" DI ")\n addl (" DI "), %eax\n" EXIT);
CODE(port_block,
     "inb $0x40, %al\n movb %al, %bl\n inb $0x40, %al\n movb %al, %bh\n nop\n outb %al, $0x80\n inb $0x40, %al\n"
     "movb %al, %cl\n inb $0x40, %al\n inb $0x61, %al\n" EXIT);

static void clocks(void)
{
    word first = 0, first_loop = 0;

    *apic_register(0x3E0) = 0xB;
    *apic_register(0x320) = 0x10000 | INT_TIMER;
    for (unsigned i = 0; i < 60; i++) {
        struct regs r = {.ip = (word)tsc_block};

        run_clean(&r);
        first = i == 0 ? r.ax : first;
        check("time between two RDTSCs, each time the same", first, r.ax);
        mix(r.cx);
        r = (struct regs){.ip = (word)tsc_loop};
        run_clean(&r);
        first_loop = i == 0 ? r.ax : first_loop;
        check("time of a loop", first_loop, r.ax);
        *apic_register(0x380) = 100000 + i * 13;
        r = (struct regs){.ip = (word)apic_block, .si = 0xFEE00000u, .di = (word)arena[3]};
        run_clean(&r);
        check("the task priority that was written", 0x30, r.dx);
        mix(r.bx);
        mix(r.cx);
        mix(r.bp);
        *apic_register(0x380) = 0;
        r = (struct regs){.ip = (word)port_block};
        run_clean(&r);
        mix(r.ax ^ r.bx << 8);
        mix(r.cx);
    }
}

/* An interrupt that waits behind the task priority comes when straight code lowers it. */
CODE(lowers, "movl $0, 0x80(" SI ")\n incl %eax\n incl %eax\n incl %eax\n 1: jmp 1b\n");
#if BITS == 64
CODE(lowers_cr8, "mov %rdx, %cr8\n" AT(lowers_cr8_1) "incl %eax\n incl %eax\n 1: jmp 1b\n");
extern const char lowers_cr8_1[];
#endif

static void task_priority(void)
{
    for (unsigned i = 0; i < 20; i++) {
        struct regs r = {.ip = (word)lowers, .si = 0xFEE00000u, .flags = FLAG_IF};

        interrupts = again_in = 0;
        *apic_register(0x80) = 0xF0;
        interrupt_in(5);
        while (!apic_waiting(INT_TIMER))
            ;
        check("lowered in memory", INT_TIMER, run(&r, on_timer));
        mix(r.ax);
#if BITS == 64
        *apic_register(0x80) = 0xF0;
        interrupt_in(5);
        while (!apic_waiting(INT_TIMER))
            ;
        r = (struct regs){.ip = (word)lowers_cr8, .flags = FLAG_IF};
        check("lowered in CR8", INT_TIMER, run(&r, on_timer));
        check("at once", (word)lowers_cr8_1, r.ip);
#endif
        interrupt_cancel();
    }
}

const struct stop stops_time[] = {
    {"An interrupt at every tick of short loops", every_tick},
    {"Loops under a fast timer", under_timer},
    {"RDTSC, the local APIC and ports in straight code", clocks},
    {"The task priority lowered in straight code", task_priority},
};
const unsigned stops_time_count = ARRAY_LEN(stops_time);

/* SPDX-License-Identifier: MIT
 * Stops: data watchpoints, code breakpoints and single step over ordinary code.
 * SDM 3B, "Debug Exceptions".
 */
#include "stress.h"

static void debug_set(unsigned number, word address, unsigned kind, unsigned length)
{
    switch (number) {
    case 0: write_dr0(address); break;
    case 1: write_dr1(address); break;
    case 2: write_dr2(address); break;
    default: write_dr3(address); break;
    }
    write_dr6(DR6_NONE);
    write_dr7(DR7_NONE | 2u << (2 * number) | kind << (16 + 4 * number) |
              (length == 8 ? 2u : length - 1) << (18 + 4 * number));
}

static void debug_off(void) { write_dr7(DR7_NONE); }

enum { EXECUTE = 0, WRITE = 1, ACCESS = 3 };

static bool go_on(struct frame *f) { return f->vector == V_DB; }

#define M "(" DI ")"
CODE(touches, "movl $1, %eax\n movl %eax, " M "\n" AT(touch1) "movl " M ", %ecx\n" AT(touch2) "addl $1, " M "\n" AT(
                  touch3) "movb 2" M ", %dl\n" AT(touch4) "movl %eax, 4" M "\n pushf\n popf\n xchgl %eax, " M
                                                          "\n" AT(touch5) "nop\n" EXIT);
extern const char touch1[], touch2[], touch3[], touch4[], touch5[];

static void watchpoints(void)
{
    static const char *const on_write[] = {touch1, touch3, touch5};
    static const char *const on_access[] = {touch1, touch2, touch3, touch4, touch5};

    for (unsigned number = 0; number < 4; number++) {
        for (unsigned kind = WRITE; kind <= ACCESS; kind += 2) {
            const char *const *expected = kind == WRITE ? on_write : on_access;
            unsigned count = kind == WRITE ? ARRAY_LEN(on_write) : ARRAY_LEN(on_access);
            struct regs r = {.ip = (word)touches, .di = (word)arena[16] + 8};

            debug_set(number, r.di, kind, 4);
            check("end", INT_EXIT, run(&r, go_on));
            debug_off();
            check("#DBs", count + 1, trap_count);
            for (unsigned i = 0; i < count && i < trap_count; i++) {
                check("after the instruction that touched", (word)expected[i], traps[i].ip);
                check("DR6", DR6_NONE | 1u << number, traps[i].dr6);
            }
        }
    }
}

CODE(copy_bytes, "rep movsb\n" AT(copy_bytes_done) EXIT);
CODE(copy_words, "rep movsl\n" EXIT);
CODE(stores, "rep stosl\n" EXIT);
extern const char copy_bytes_done[];

static void watch_in_rep(void)
{
    for (unsigned at = 0; at < 30; at++) {
        for (unsigned source = 0; source < 2; source++) {
            struct regs r = {
                .ip = (word)copy_bytes, .cx = 30, .si = (word)arena[16] + 100, .di = (word)arena[17] + 4080};

            debug_set(at & 3, (source ? r.si : r.di) + at, source ? ACCESS : WRITE, 1);
            check("end", INT_EXIT, run(&r, go_on));
            debug_off();
            check("one #DB", 2, trap_count);
            check("after that iteration", 29 - at, traps[0].cx);
            check("at", at == 29 ? (word)copy_bytes_done : (word)copy_bytes, traps[0].ip);
        }
    }
    for (unsigned at = 0; at < 40; at += 3) {
        struct regs r = {.ip = (word)stores, .cx = 30, .di = (word)arena[16] + 40};

        debug_set(0, ((word)arena[16] + 40 + at) & ~(word)3, WRITE, 4);
        run(&r, go_on);
        check("count at the watchpoint", 29 - at / 4, traps[0].cx);
        r = (struct regs){.ip = (word)copy_words, .cx = 30, .si = (word)arena[17], .di = (word)arena[16] + 39};
        run(&r, go_on);
        debug_off();
        mix(trap_count);
        check("count at the end", 0, r.cx);
    }
}

/* DR7 is written in the middle of straight code. */
CODE(arms, "movl $1, " M "\n mov " DX ", %dr7\n movl $2, " M "\n" AT(arms1) "incl %eax\n mov " BX ", %dr7\n movl $3, " M
                                                                            "\n incl %eax\n" EXIT);
extern const char arms1[];

static void armed_inside(void)
{
    for (unsigned i = 0; i < 10; i++) {
        struct regs r = {
            .ip = (word)arms, .di = (word)arena[18] + i * 4, .dx = DR7_NONE | 2 | 1u << 16 | 3u << 18, .bx = DR7_NONE};

        write_dr0(r.di);
        check("end", INT_EXIT, run(&r, go_on));
        debug_off();
        check("one #DB", 2, trap_count);
        check("after the store in between", (word)arms1, traps[0].ip);
        check("EAX", 2, r.ax);
    }
}

static bool resume(struct frame *f)
{
    f->flags |= FLAG_RF;
    return f->vector == V_DB;
}

CODE(straight, "nop\n incl %eax\n" AT(brk1) "addl $2, %eax\n" AT(brk2) "movl %eax, " M "\n" AT(brk3) "rep stosb\n" AT(
                   brk4) "leal 1(%eax), %eax\n" EXIT);
CODE(loops, "1: incl %eax\n" AT(brk_loop) "incl %edx\n decl %ecx\n jnz 1b\n" EXIT);
extern const char brk1[], brk2[], brk3[], brk4[], brk_loop[];

static void code_breakpoints(void)
{
    static const char *const at[] = {brk1, brk2, brk3, brk4};

    for (unsigned i = 0; i < 12; i++) {
        struct regs r = {.ip = (word)straight, .di = (word)arena[18], .cx = 5};

        if (i >= 4) /* without a breakpoint, so that what was cached of this code is met again */
            run_clean(&(struct regs){.ip = (word)straight, .di = (word)arena[18], .cx = 5});
        debug_set(i & 3, (word)at[i & 3], EXECUTE, 1);
        check("end", INT_EXIT, run(&r, resume));
        debug_off();
        check("one #DB", 2, trap_count);
        check("before the instruction", (word)at[i & 3], traps[0].ip);
        check("DR6", DR6_NONE | 1u << (i & 3), traps[0].dr6);
        check("RF in the pushed flags: not for an instruction breakpoint", 0, traps[0].flags & FLAG_RF);
        check("EAX at the end", 4, r.ax);
    }
    struct regs r = {.ip = (word)loops, .cx = 20};

    debug_set(0, (word)brk_loop, EXECUTE, 1);
    check("end", INT_EXIT, run(&r, resume));
    debug_off();
    check("once in each round", 21, trap_count);
    check("rounds", 20, r.dx);
    r = (struct regs){.ip = (word)loops, .cx = 20};
    run_clean(&r);
}

/* ---- single step */

static unsigned steps;
static word last_step;

static bool step(struct frame *f)
{
    if (f->vector != V_DB)
        return false;
    steps++;
    last_step = f->ip;
    return true;
}

CODE(walk, "movl $3, %ecx\n 1: incl %eax\n push " AX "\n call 2f\n pop " AX "\n decl %ecx\n jnz 1b\n jmp 3f\n"
           "2: test %eax, %eax\n ret\n 3: nop\n" AT(walk_last) EXIT);
CODE(walk_rep, "cld\n rep stosb\n" AT(walk_rep_last) EXIT);
CODE(walk_popf,
     "pushf\n orl $0x100, (" SP ")\n popf\n nop\n nop\n andl $0, %eax\n pushf\n andl $~0x100, (" SP ")\n popf\n"
     " nop\n nop\n" EXIT);
CODE(walk_ss, "movl %ss, %eax\n movl %eax, %ss\n nop\n nop\n" EXIT);
extern const char walk_last[], walk_rep_last[];

static void single_step(void)
{
    for (unsigned again = 0; again < 3; again++) {
        struct regs r = {.ip = (word)walk, .flags = FLAG_TF};

        steps = 0;
        check("end", INT_EXIT, run(&r, step));
        check("steps of a loop with a call", 1 + 3 * 8 + 2, steps);
        check("the last one", (word)walk_last, last_step);
        check("DR6", DR6_NONE | DR6_BS, traps[0].dr6);
        run_clean(&(struct regs){.ip = (word)walk});

        r = (struct regs){.ip = (word)walk_rep, .cx = 10, .di = (word)arena[19], .flags = FLAG_TF};
        steps = 0;
        check("end", INT_EXIT, run(&r, step));
        check("steps of REP STOSB: one for each iteration", 1 + 10, steps);
        check("the last one", (word)walk_rep_last, last_step);

        r = (struct regs){.ip = (word)walk_popf};
        steps = 0;
        check("end", INT_EXIT, run(&r, step));
        check("steps between two POPFs", 6, steps);

        r = (struct regs){.ip = (word)walk_ss, .flags = FLAG_TF};
        steps = 0;
        check("end", INT_EXIT, run(&r, step));
        check("steps over MOV SS: none for itself", 3, steps);
    }
}

/* Single step and a watchpoint at once. */
static void step_and_watch(void)
{
    struct regs r = {.ip = (word)touches, .di = (word)arena[16] + 8, .flags = FLAG_TF};
    unsigned both = 0;

    debug_set(1, r.di, WRITE, 4);
    steps = 0;
    check("end", INT_EXIT, run(&r, step));
    debug_off();
    for (unsigned i = 0; i + 1 < trap_count && i < TRAPS; i++)
        both += traps[i].dr6 == (DR6_NONE | DR6_BS | 2);
    check("steps that a watchpoint shared", 3, both);
    mix(steps);
}

const struct stop stops_debug[] = {
    {"Watchpoints in ordinary code", watchpoints},
    {"Watchpoints inside REP", watch_in_rep},
    {"DR7 written in the middle of code", armed_inside},
    {"Code breakpoints", code_breakpoints},
    {"Single step over branches, calls, REP, POPF and MOV SS", single_step},
    {"Single step and a watchpoint together", step_and_watch},
};
const unsigned stops_debug_count = ARRAY_LEN(stops_debug);

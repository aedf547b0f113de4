/* SPDX-License-Identifier: MIT
 * Stops: the same bytes in code segments of every width and in rings 0 and 3.
 */
#include "stress.h"

/* MOV eAX, 9090_1234h; 40h (INC eAX, or REX); ADD eAX, 9090_0001h; INT 41h. In 16 bits each NOP pair is code. */
CODE(widths, ".byte 0xB8, 0x34, 0x12, 0x90, 0x90, 0x40, 0x05, 0x01, 0x00, 0x90, 0x90, 0xCD, 0x41\n");

static void code_widths(void)
{
    for (unsigned i = 0; i < 60; i++) {
        /* 16-bit code reaches 64 KiB without a prefix, but EIP may be anywhere: straight code and INT do not care. */
        struct regs r = {.ip = window(30) + 0xFF0 + i, .ax = 0xAAAA0000};

        map(30, 30);
        map(31, 31);
        PLACE(r.ip, widths);
        switch (i % 3) {
        case 0:
            r.cs = CODE0_16;
            check("16 bits", INT_EXIT, run(&r, NULL));
            check("AX", 0xAAAA1236, r.ax);
            break;
        case 1:
            r.cs = CODE0_32;
            check("32 bits", INT_EXIT, run(&r, NULL));
            check("EAX", 0x21201236, r.ax);
            break;
        default:
            r.cs = CODE0;
            check("the kernel's width", INT_EXIT, run(&r, NULL));
            check("eAX", BITS == 64 ? 0x21201235 : 0x21201236, r.ax);
            break;
        }
    }
}

/* By turns at one place, so that each decoding finds the others' there. */
static void by_turns(void)
{
    static const u16 selectors[] = {CODE0_16, CODE0, CODE0_32, CODE3, CODE3_32};

    PLACE((word)arena[7] + 0x10, widths);
    for (unsigned i = 0; i < 100; i++) {
        struct regs r = {.ip = (word)arena[7] + 0x10, .cs = selectors[i * i % 5], .ax = 0xAAAA0000};
        u16 cs = (u16)r.cs;

        if (cs & 3)
            r.sp = (word)arena[8] + 4096;
        check("end", INT_EXIT, run(&r, NULL));
        check("code segment", cs, r.cs);
        check("eAX",
              cs == CODE0_16                               ? 0xAAAA1236
              : BITS == 64 && (cs == CODE0 || cs == CODE3) ? 0x21201235
                                                           : 0x21201236,
              r.ax);
    }
}

/* What ring 0 may do and ring 3 may not. */
CODE(privileged, "incl %eax\n" AT(privileged_at) "cli\n incl %eax\n mov %cr0, " DX "\n incl %eax\n" EXIT);
CODE(supervisor, "incl %eax\n" AT(supervisor_at) "movl (" DI "), %ecx\n incl %eax\n" EXIT);
extern const char privileged_at[], supervisor_at[];

static void both_rings(void)
{
    map_only(33, frame_of(33) | P | W);
    invlpg(window(33));
    for (unsigned i = 0; i < 40; i++) {
        u16 cs = i & 1 ? CODE3 : CODE0;
        struct regs r = {.ip = (word)privileged, .cs = cs, .sp = (word)arena[8] + 4096};

        check("CLI", i & 1 ? V_GP : INT_EXIT, run(&r, NULL));
        check("EAX", i & 1 ? 1 : 3, r.ax);
        if (i & 1)
            check("at", (word)privileged_at, r.ip);
        r = (struct regs){.ip = (word)supervisor, .cs = cs, .sp = (word)arena[8] + 4096, .di = window(33)};
        check("a supervisor page", i & 1 ? V_PF : INT_EXIT, run(&r, NULL));
        check("EAX", i & 1 ? 1 : 2, r.ax);
        check("error code", i & 1 ? 5 : 0, traps[0].error);
    }
}

/* ---- ring 3 with interrupts and INT n */

static unsigned interrupts, calls;

static bool serve(struct frame *f)
{
    if (f->vector == INT_USER) {
        calls++;
        f->ax += 1;
        return true;
    }
    if (f->vector != INT_TIMER)
        return false;
    interrupts++;
    interrupt_end();
    interrupt_in(211);
    return true;
}

/* PUSH and POP have the same bytes at both widths. */
CODE(user_loop, "1: int $0x42\n addl %eax, %edx\n push " AX "\n pop " BX "\n decl %ecx\n jnz 1b\n" EXIT);

static void user_code(void)
{
    static const u16 selectors[] = {CODE3, CODE3_32};

    for (unsigned i = 0; i < 2; i++) {
        struct regs r = {
            .ip = (word)arena[7], .cs = selectors[i], .cx = 300, .sp = (word)arena[8] + 4096, .flags = FLAG_IF};

        PLACE(r.ip, user_loop);
        interrupts = calls = 0;
        interrupt_in(211);
        check("end", INT_EXIT, run(&r, serve));
        interrupt_cancel();
        check("calls", 300, calls);
        check("EAX", 300, r.ax);
        check("sum", 45150, r.dx);
        mix(interrupts);
    }
}

const struct stop stops_mode[] = {
    {"The same bytes as 16-, 32- and 64-bit code", code_widths},
    {"The same by turns, in rings 0 and 3", by_turns},
    {"The same code with and without rights", both_rings},
    {"Ring 3 under a timer, with calls", user_code},
};
const unsigned stops_mode_count = ARRAY_LEN(stops_mode);

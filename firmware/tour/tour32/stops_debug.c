/* SPDX-License-Identifier: MIT
 * Stops: single step, breakpoints, and the shadow of MOV SS.
 * SDM 3B, "Debug Exceptions"; SDM 3A, "Masking Exceptions and Interrupts When Switching Stacks".
 */
#include "stops.h"

#define DR6_NONE 0xFFFF0FF0u
#define DR6_BS 0x4000u
#define DR7_NONE 0x400u
#define STEPPING (FLAG_ONE | FLAG_TF)

PROBE(step, "nop\n" AT(step1) "nop\n" AT(step2) "int $0x40\n" AT(step3) "nop\n" AT(step4) EXIT AT(step_end));
extern const char step1[], step2[], step3[], step4[], step_end[];

static void single_step(void)
{
    write_dr6(DR6_NONE);
    visit_flags(3, step, STEPPING, hook_until_exit);
    expect_entries(5);
    expect_entry(0, V_DB, NO_ERROR, 3, step1, STEPPING);
    check("DR6: BS", DR6_NONE | DR6_BS, entries[0].dr6);
    expect_entry(1, V_DB, NO_ERROR, 3, step2, STEPPING);
    say("INT 40h itself is not trapped: TF is saved and cleared; the step goes on after its IRET");
    expect_entry(2, 0x40, NO_ERROR, 3, step3, STEPPING);
    expect_entry(3, V_DB, NO_ERROR, 3, step4, STEPPING);
    expect_entry(4, INT_EXIT, NO_ERROR, 3, step_end, STEPPING);
}

static void debug_registers(u32 address, u32 control)
{
    write_dr0(address);
    write_dr6(DR6_NONE);
    write_dr7(DR7_NONE | control);
}

static bool resume_once(struct frame *frame)
{
    if (frame->vector == V_DB)
        frame->eflags |= FLAG_RF;
    return frame->vector != INT_EXIT;
}

PROBE(code_break, "nop\n" AT(code_break_at) "nop\n" EXIT AT(code_break_end));
extern const char code_break_at[], code_break_end[];

static void code_breakpoint(void)
{
    debug_registers((u32)(uintptr_t)code_break_at, 2); /* DR0, execution */
    visit(3, code_break, resume_once);
    debug_registers(0, 0);
    expect_entries(2);
    expect_entry(0, V_DB, NO_ERROR, 3, code_break_at, FLAG_ONE);
    check("DR6: B0", DR6_NONE | 1, entries[0].dr6);
    expect_entry(1, INT_EXIT, NO_ERROR, 3, code_break_end, FLAG_ONE);
}

PROBE(watch, "movl $7, seen\n" AT(watch_next) EXIT);
extern const char watch_next[];

static void data_watchpoint(void)
{
    debug_registers((u32)(uintptr_t)seen, 2 | 1u << 16 | 3u << 18); /* DR0, writes, four bytes */
    visit(3, watch, hook_until_exit);
    debug_registers(0, 0);
    expect_entries(2);
    expect_entry(0, V_DB, NO_ERROR, 3, watch_next, FLAG_ONE);
    check("DR6: B0", DR6_NONE | 1, entries[0].dr6);
    check("the write was done", 7, seen[0]);
}

PROBE(ss_step, "mov %ss, %eax\n" AT(ss_step1) "mov %eax, %ss\n" AT(ss_step2) "nop\n" AT(ss_step3) EXIT);
extern const char ss_step1[], ss_step3[];

static void step_over_mov_ss(void)
{
    write_dr6(DR6_NONE);
    visit_flags(3, ss_step, STEPPING, hook_until_exit);
    expect_entries(3);
    expect_entry(0, V_DB, NO_ERROR, 3, ss_step1, STEPPING);
    say("no trap after MOV SS:");
    expect_entry(1, V_DB, NO_ERROR, 3, ss_step3, STEPPING);
}

u32 watched_selector = DATA3;
PROBE(ss_watch, "movw watched_selector, %ss\n int $0x40\n" AT(ss_watch_next) EXIT);
extern const char ss_watch_next[], entry_stubs[];

/* The watchpoint that MOV SS hits is held back over INT n: #DB comes at the handler's first instruction, at CPL 0. */
static void watch_in_shadow(void)
{
    const char *handler = entry_stubs + 0x40 * 16;

    debug_registers((u32)(uintptr_t)&watched_selector, 2 | 3u << 16 | 1u << 18); /* DR0, reads and writes, two bytes */
    visit(3, ss_watch, hook_until_exit);
    debug_registers(0, 0);
    expect_entries(3);
    show_entry(0);
    show_entry(1);
    check("first: vector", V_DB, entries[0].frame.vector);
    check("first: pushed CS, the kernel's", CODE0, entries[0].frame.cs);
    check("first: pushed EIP, the handler's first instruction", (u32)(uintptr_t)handler, entries[0].frame.eip);
    check("first: DR6 says B0", 1, entries[0].dr6 & 0xF);
    check("first: below the frame of INT 40h", kernel_stack_top() - 20 - 12, entries[0].top);
    check("second: vector", 0x40, entries[1].frame.vector);
    check("second: pushed EIP", (u32)(uintptr_t)ss_watch_next, entries[1].frame.eip);
}

PROBE(move_dr, "mov %eax, %dr0\n" EXIT);

static void debug_registers_protected(void)
{
    visit(3, move_dr, NULL);
    expect_entry(0, V_GP, 0, 3, move_dr, FLAG_ONE | FLAG_RF);
    debug_registers(0, 1u << 13); /* GD */
    visit(0, move_dr, NULL);
    say("DR6 %08x, DR7 after %08x", entries[0].dr6, (u32)read_dr7());
    check("DR7.GD: vector", V_DB, entries[0].frame.vector);
    check("DR6: BD", DR6_NONE | 1u << 13, entries[0].dr6);
    check("pushed EIP: the instruction was not executed", (u32)(uintptr_t)move_dr, entries[0].frame.eip);
    check("DR7.GD is cleared", DR7_NONE, read_dr7());
    debug_registers(0, 0);
}

const struct stop stops_debug[] = {
    {"Single step through INT n", single_step},
    {"Code breakpoint in DR0, resumed with RF", code_breakpoint},
    {"Data watchpoint in DR0", data_watchpoint},
    {"Single step over MOV SS", step_over_mov_ss},
    {"A watchpoint in the shadow of MOV SS, then INT n", watch_in_shadow},
    {"MOV to DR in ring 3, and with DR7.GD in ring 0", debug_registers_protected},
};
const unsigned stops_debug_count = ARRAY_LEN(stops_debug);

/* SPDX-License-Identifier: MIT
 * Stops: single step and watchpoints across SYSCALL and INT n.
 * SDM 3B, "Debug Exceptions"; SDM 2B, "SYSCALL", "SYSRET".
 */
#include "stops.h"

#define DR6_NONE 0xFFFF0FF0u
#define DR6_BS 0x4000u
#define DR7_NONE 0x400u
#define STEPPING (FLAG_ONE | FLAG_TF)

KERNEL_PROBE(plain_entry, "nop\n" AT(plain_entry_second) "sysretq\n");
extern const char plain_entry_second[];
PROBE(step, "nop\n" AT(step1) "int $0x40\n" AT(step2) "nop\n" AT(step3) EXIT);
PROBE(step_syscall, "syscall\n" AT(step_syscall1) "nop\n" AT(step_syscall2) EXIT AT(step_syscall_end));
extern const char step1[], step2[], step3[], step_syscall1[], step_syscall2[], step_syscall_end[];

static void single_step(void)
{
    write_dr6(DR6_NONE);
    visit_flags(RING3, step, STEPPING, hook_until_exit);
    expect_entries(4);
    expect_entry(0, V_DB, NO_ERROR, RING3, step1, STEPPING);
    check("DR6: BS", DR6_NONE | DR6_BS, entries[0].dr6);
    expect_entry(1, 0x40, NO_ERROR, RING3, step2, STEPPING);
    expect_entry(2, V_DB, NO_ERROR, RING3, step3, STEPPING);
}

static void syscall_open(u64 fmask)
{
    wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_SCE);
    wrmsr(MSR_STAR, (u64)CODE3_32 << 48 | (u64)CODE0 << 32);
    wrmsr(MSR_LSTAR, (u64)plain_entry);
    wrmsr(MSR_FMASK, fmask);
    write_dr6(DR6_NONE);
}

static void step_masked(void)
{
    syscall_open(FLAG_TF);
    visit_flags(RING3, step_syscall, STEPPING, hook_until_exit);
    expect_entries(3);
    say("nothing in the kernel; SYSRET brings TF back, and the step comes before the first user instruction:");
    expect_entry(0, V_DB, NO_ERROR, RING3, step_syscall1, STEPPING);
    expect_entry(1, V_DB, NO_ERROR, RING3, step_syscall2, STEPPING);
    expect_entry(2, INT_EXIT, NO_ERROR, RING3, step_syscall_end, STEPPING);
}

/* A kernel's #DB handler stops stepping when it finds itself in the kernel. */
static bool stop_stepping_in_kernel(struct frame *frame)
{
    if (frame->vector == V_DB && (frame->cs & 3) == 0)
        frame->rflags &= ~(u64)FLAG_TF;
    return frame->vector != INT_EXIT;
}

static void step_not_masked(void)
{
    syscall_open(0);
    visit_flags(RING3, step_syscall, STEPPING, stop_stepping_in_kernel);
    show_entry(0);
    say("the step trap came in ring 0, before the kernel's first instruction, on the user's RSP but for IST");
    check("vector", V_DB, entries[0].frame.vector);
    check("pushed CS: the kernel's", CODE0, entries[0].frame.cs);
    check("pushed RIP: LSTAR", (u64)plain_entry, entries[0].frame.rip);
    check("pushed RSP: the user's", stack_top(RING3), entries[0].frame.rsp);
    check("pushed RFLAGS", STEPPING, entries[0].frame.rflags & ~(u64)FLAGS_ARITHMETIC);
    check("on the IST stack", ist_top(IST_DB) - 40, entries[0].top);
    expect_entry(1, V_DB, NO_ERROR, RING3, step_syscall1, STEPPING);
}

static void debug_registers(u64 address, u32 control)
{
    write_dr0(address);
    write_dr6(DR6_NONE);
    write_dr7(DR7_NONE | control);
}

PROBE(watch, "movq $7, seen\n" AT(watch_next) EXIT);
extern const char watch_next[];

static void watchpoint(void)
{
    debug_registers((u64)seen, 2 | 1u << 16 | 2u << 18); /* DR0, writes, eight bytes */
    visit(RING3, watch, hook_until_exit);
    debug_registers(0, 0);
    expect_entries(2);
    expect_entry(0, V_DB, NO_ERROR, RING3, watch_next, FLAG_ONE);
    check("DR6: B0", DR6_NONE | 1, entries[0].dr6);
}

u32 watched_selector USER_DATA = DATA3;
PROBE(ss_syscall, "movw watched_selector, %ss\n syscall\n" AT(ss_syscall_next) EXIT);
PROBE(ss_int, "movw watched_selector, %ss\n int $0x40\n" AT(ss_int_next) EXIT);
extern const char ss_int_next[], entry_stubs[];

/* The watchpoint that MOV SS hits is held back over the entry: #DB comes at the kernel's first instruction. */
static void watch_in_shadow(void)
{
    const u32 control = 2 | 3u << 16 | 1u << 18; /* DR0, reads and writes, two bytes */

    debug_registers((u64)&watched_selector, control);
    visit(RING3, ss_int, hook_until_exit);
    debug_registers(0, 0);
    expect_entries(3);
    show_entry(0);
    check("INT n: vector", V_DB, entries[0].frame.vector);
    check("INT n: pushed CS, the kernel's", CODE0, entries[0].frame.cs);
    check("INT n: pushed RIP, the handler's first instruction", (u64)entry_stubs + 0x40 * 16, entries[0].frame.rip);
    check("INT n: then INT 40h itself", 0x40, entries[1].frame.vector);
    syscall_open(0);
    debug_registers((u64)&watched_selector, control);
    visit(RING3, ss_syscall, hook_until_exit);
    debug_registers(0, 0);
    expect_entries(2);
    show_entry(0);
    check("SYSCALL: vector", V_DB, entries[0].frame.vector);
    check("SYSCALL: pushed CS, the kernel's", CODE0, entries[0].frame.cs);
    check("SYSCALL: pushed RIP, LSTAR", (u64)plain_entry, entries[0].frame.rip);
}

const struct stop stops_debug[] = {
    {"Single step through INT n", single_step},
    {"Single step over SYSCALL with FMASK.TF", step_masked},
    {"Single step over SYSCALL without FMASK.TF: #DB in ring 0", step_not_masked},
    {"Data watchpoint in DR0", watchpoint},
    {"A watchpoint in the shadow of MOV SS, then INT n and SYSCALL", watch_in_shadow},
};
const unsigned stops_debug_count = ARRAY_LEN(stops_debug);

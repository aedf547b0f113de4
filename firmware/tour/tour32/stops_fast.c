/* SPDX-License-Identifier: MIT
 * Stops: SYSENTER and SYSEXIT; SYSCALL and SYSRET outside long mode.
 * SDM 3A, "Performing Fast Calls to System Procedures with the SYSENTER and SYSEXIT Instructions";
 * AMD APM 2, "SYSCALL and SYSRET".
 */
#include "stops.h"

/* Ring 0, on the stack that was given. seen: CS, SS, ESP, EFLAGS, ECX. */
#define RECORD_ENTRY                                                                                                   \
    "mov %esp, seen + 8\n mov %ecx, seen + 16\n mov $fast_stack + 64, %esp\n pushf\n pop seen + 12\n"                  \
    "mov seen + 8, %esp\n mov %cs, %eax\n mov %eax, seen\n mov %ss, %eax\n mov %eax, seen + 4\n"

u8 fast_stack[128] __attribute__((aligned(16)));
static u8 sysenter_stack[256] __attribute__((aligned(16)));

PROBE(sysenter_user, "mov %esp, %ecx\n mov $sysenter_return, %edx\n" AT(sysenter_at) "sysenter\n" AT(sysenter_return)
                         EXIT AT(sysenter_end));
extern const char sysenter_at[], sysenter_return[], sysenter_end[];
PROBE(sysenter_kernel, RECORD_ENTRY "sysexit\n");
PROBE(sysexit_user, "sysexit\n" EXIT);

static void sysenter(void)
{
    u32 top = (u32)(uintptr_t)sysenter_stack + sizeof sysenter_stack;

    if (!processor.sep) {
        visit(3, sysenter_user, NULL);
        expect_entry(0, V_UD, NO_ERROR, 3, sysenter_at, FLAG_ONE | FLAG_RF);
        return;
    }
    wrmsr(MSR_SYSENTER_CS, CODE0);
    wrmsr(MSR_SYSENTER_ESP, top);
    wrmsr(MSR_SYSENTER_EIP, (u32)(uintptr_t)sysenter_kernel);
    visit_flags(3, sysenter_user, FLAG_ONE | FLAG_IF, NULL);
    say("SYSENTER_CS %x, ESP %x, EIP %x", (u32)rdmsr(MSR_SYSENTER_CS), (u32)rdmsr(MSR_SYSENTER_ESP),
        (u32)rdmsr(MSR_SYSENTER_EIP));
    say("ring 3 -> ring %u: CS %04x, stack %04x:%08x, EFLAGS %08x; no return address is saved", seen[0] & 3, seen[0],
        seen[1], seen[2], seen[3]);
    check("CS", CODE0, seen[0]);
    check("SS", DATA0, seen[1]);
    check("ESP", top, seen[2]);
    check("IF, VM, RF inside", 0, seen[3] & (FLAG_IF | FLAG_VM | FLAG_RF));
    expect_entries(1);
    say("SYSEXIT does not bring IF back:");
    expect_entry(0, INT_EXIT, NO_ERROR, 3, sysenter_end, FLAG_ONE);
}

static void sysenter_denied(void)
{
    if (!processor.sep) {
        skip("no SYSENTER");
        return;
    }
    visit(3, sysexit_user, NULL);
    expect_entry(0, V_GP, 0, 3, sysexit_user, FLAG_ONE | FLAG_RF);
    wrmsr(MSR_SYSENTER_CS, 3);
    visit(3, sysenter_user, NULL);
    expect_entry(0, V_GP, 0, 3, sysenter_at, FLAG_ONE | FLAG_RF);
}

PROBE(syscall_user, "syscall\n" AT(syscall_return) EXIT AT(syscall_end));
extern const char syscall_return[], syscall_end[];
PROBE(syscall_kernel, RECORD_ENTRY "sysret\n");

static void syscall_off(void)
{
    visit(3, syscall_user, NULL);
    expect_entry(0, V_UD, NO_ERROR, 3, syscall_user, FLAG_ONE | FLAG_RF);
}

static void syscall_on(void)
{
    if (processor.long_mode || processor.syscall)
        wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_SCE);
    if (!processor.amd || !processor.syscall) {
        say("this processor has SYSCALL in 64-bit mode only, whatever EFER.SCE says");
        syscall_off();
        if (processor.long_mode)
            wrmsr(MSR_EFER, rdmsr(MSR_EFER) & ~(u64)EFER_SCE);
        return;
    }
    wrmsr(MSR_STAR, (u64)(CODE3 & 0xFFFF) << 48 | (u64)CODE0 << 32 | (u32)(uintptr_t)syscall_kernel);
    for (unsigned i = 0; i < 8; i++)
        seen[i] = 0;
    visit_flags(3, syscall_user, FLAG_ONE | FLAG_IF, NULL);
    say("STAR %08x_%08x", (u32)(rdmsr(MSR_STAR) >> 32), (u32)rdmsr(MSR_STAR));
    say("ring 3 -> ring %u: CS %04x, stack %04x:%08x (unchanged), EFLAGS %08x, ECX %08x", seen[0] & 3, seen[0], seen[1],
        seen[2], seen[3], seen[4]);
    check("CS", CODE0, seen[0]);
    check("SS", DATA0, seen[1]);
    check("ESP: the caller's", ring_stack_top(3), seen[2]);
    check("ECX: the return address", (u32)(uintptr_t)syscall_return, seen[4]);
    check("IF, VM, RF inside", 0, seen[3] & (FLAG_IF | FLAG_VM | FLAG_RF));
    expect_entries(1);
    say("SYSRET sets IF:");
    expect_entry(0, INT_EXIT, NO_ERROR, 3, syscall_end, FLAG_ONE | FLAG_IF);
    wrmsr(MSR_EFER, rdmsr(MSR_EFER) & ~(u64)EFER_SCE);
}

const struct stop stops_fast[] = {
    {"SYSENTER and SYSEXIT", sysenter},
    {"SYSEXIT in ring 3, SYSENTER with a null SYSENTER_CS: #GP(0)", sysenter_denied},
    {"SYSCALL with EFER.SCE=0: #UD", syscall_off},
    {"SYSCALL and SYSRET outside long mode: AMD only", syscall_on},
};
const unsigned stops_fast_count = ARRAY_LEN(stops_fast);

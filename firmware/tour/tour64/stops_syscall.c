/* SPDX-License-Identifier: MIT
 * Stops: SYSCALL, SYSRET, SYSENTER, SYSEXIT and SWAPGS, from 64-bit and compatibility mode, on both vendors.
 * SDM 3A, "Fast System Calls in 64-Bit Mode"; SDM 2B, "SYSCALL", "SYSRET", "SYSENTER", "SYSEXIT", "SWAPGS";
 * AMD APM 2, "SYSCALL and SYSRET", "SYSENTER and SYSEXIT (Legacy Mode Only)", "SWAPGS Instruction".
 */
#include "stops.h"

#define FMASK_VALUE (FLAG_TF | FLAG_IF | FLAG_DF | FLAG_NT)
#define USER_WORD 0x5553455200000003ull
#define KERNEL_WORD 0x4B45524E00000000ull

u64 scratch_stack[16] __attribute__((aligned(16)));
static u64 sysenter_stack[64] __attribute__((aligned(16)));
static u64 user_area[2] USER_DATA = {USER_WORD};
static u64 kernel_area[2] = {KERNEL_WORD};

/* Places in `seen`. */
enum { AT_CS, AT_SS, AT_RSP, AT_RFLAGS, AT_RCX, AT_R11, AT_USER_GS, AT_KERNEL_GS, AT_DOOR };
enum { DOOR_LSTAR = 1, DOOR_CSTAR, DOOR_SYSENTER };

#define RECORD_ENTRY(door)                                                                                             \
    "mov %gs:0, %rax\n mov %rax, seen + 48\n swapgs\n mov %gs:0, %rax\n mov %rax, seen + 56\n"                         \
    "mov %cs, %eax\n mov %rax, seen\n mov %ss, %eax\n mov %rax, seen + 8\n mov %rsp, seen + 16\n"                      \
    "mov $scratch_stack + 64, %rsp\n pushfq\n popq seen + 24\n mov seen + 16, %rsp\n"                                  \
    "mov %rcx, seen + 32\n mov %r11, seen + 40\n movq $" #door ", seen + 64\n swapgs\n"

KERNEL_PROBE(lstar_entry, RECORD_ENTRY(1) "sysretq\n");
KERNEL_PROBE(cstar_entry, RECORD_ENTRY(2) "sysretl\n");
KERNEL_PROBE(sysenter_to_compat, RECORD_ENTRY(3) "sysexitl\n");
KERNEL_PROBE(sysenter_to_long, RECORD_ENTRY(3) "sysexitq\n");

PROBE(syscall_long, "syscall\n" AT(syscall_long_next) EXIT AT(syscall_long_end));
PROBE_COMPAT(syscall_compat, "syscall\n" AT(syscall_compat_next) EXIT AT(syscall_compat_end));
PROBE(sysenter_long,
      "mov %rsp, %rcx\n mov $sysenter_long_next, %edx\n" AT(sysenter_long_at) "sysenter\n" AT(sysenter_long_next)
          EXIT AT(sysenter_long_end));
PROBE_COMPAT(sysenter_compat,
             "mov %esp, %ecx\n mov $sysenter_compat_next, %edx\n" AT(sysenter_compat_at) "sysenter\n" AT(
                 sysenter_compat_next) EXIT AT(sysenter_compat_end));
extern const char syscall_long_next[], syscall_long_end[], syscall_compat_next[], syscall_compat_end[],
    sysenter_long_at[], sysenter_long_end[], sysenter_compat_at[], sysenter_compat_end[];

static void registers_open(void)
{
    wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_SCE);
    wrmsr(MSR_STAR, (u64)CODE3_32 << 48 | (u64)CODE0 << 32);
    wrmsr(MSR_LSTAR, (u64)lstar_entry);
    wrmsr(MSR_CSTAR, (u64)cstar_entry);
    wrmsr(MSR_FMASK, FMASK_VALUE);
    wrmsr(MSR_GS_BASE, (u64)user_area);
    wrmsr(MSR_KERNEL_GS_BASE, (u64)kernel_area);
    if (processor.sep) {
        wrmsr(MSR_SYSENTER_CS, CODE0);
        wrmsr(MSR_SYSENTER_ESP, (u64)&sysenter_stack[64]);
        wrmsr(MSR_SYSENTER_EIP, (u64)sysenter_to_compat);
    }
    seen_clear();
}

static void show_fast_entry(enum place place)
{
    static const char *const doors[] = {"nothing", "LSTAR", "CSTAR", "SYSENTER_EIP"};

    say("ring 3 %s -> ring %u at %s: CS %04x, stack %04x:%08llx, RFLAGS %08x, RCX %08llx, R11 %08x",
        place == COMPAT ? "compatibility" : "64-bit", (u32)seen[AT_CS] & 3, doors[seen[AT_DOOR] & 3], (u32)seen[AT_CS],
        (u32)seen[AT_SS], (unsigned long long)seen[AT_RSP], (u32)seen[AT_RFLAGS], (unsigned long long)seen[AT_RCX],
        (u32)seen[AT_R11]);
}

/* What SYSCALL does, whether it comes from 64-bit or compatibility mode. */
static void expect_syscall(enum place place, u64 next, unsigned door, u64 rflags)
{
    show_fast_entry(place);
    check("door", door, seen[AT_DOOR]);
    check("CS", CODE0, seen[AT_CS]);
    check("SS", DATA0, seen[AT_SS]);
    check("RSP: the caller's", stack_top(place), seen[AT_RSP]);
    check("RCX: the return address", next, seen[AT_RCX]);
    check("R11: the caller's RFLAGS", rflags, seen[AT_R11] & ~(u64)FLAGS_ARITHMETIC);
    check("RFLAGS: those of FMASK cleared", rflags & ~(u64)FMASK_VALUE, seen[AT_RFLAGS] & ~(u64)FLAGS_ARITHMETIC);
    check("GS at the entry: the user's", USER_WORD, seen[AT_USER_GS]);
    check("GS after SWAPGS: the kernel's", KERNEL_WORD, seen[AT_KERNEL_GS]);
}

static void syscall_64(void)
{
    registers_open();
    say("STAR %016llx, LSTAR %llx, CSTAR %llx, FMASK %x", (unsigned long long)rdmsr(MSR_STAR),
        (unsigned long long)rdmsr(MSR_LSTAR), (unsigned long long)rdmsr(MSR_CSTAR), (u32)rdmsr(MSR_FMASK));
    visit_flags(RING3, syscall_long, FLAG_ONE | FLAG_IF, NULL);
    expect_syscall(RING3, (u64)syscall_long_next, DOOR_LSTAR, FLAG_ONE | FLAG_IF);
    say("SYSRET brings RFLAGS back from R11:");
    expect_entry(0, INT_EXIT, NO_ERROR, RING3, syscall_long_end, FLAG_ONE | FLAG_IF);
    check("GS base in ring 3 again", (u64)user_area, entries[0].gs_base);
}

static void syscall_32(void)
{
    registers_open();
    visit_flags(COMPAT, syscall_compat, FLAG_ONE | FLAG_IF, NULL);
    if (processor.amd) {
        expect_syscall(COMPAT, (u64)syscall_compat_next, DOOR_CSTAR, FLAG_ONE | FLAG_IF);
        expect_entry(0, INT_EXIT, NO_ERROR, COMPAT, syscall_compat_end, FLAG_ONE | FLAG_IF);
        return;
    }
    say("no SYSCALL in compatibility mode here: CSTAR serves nothing");
    check("door", 0, seen[AT_DOOR]);
    expect_entry(0, V_UD, NO_ERROR, COMPAT, syscall_compat, FAULTED | FLAG_IF);
}

KERNEL_PROBE(lstar_to_compat, RECORD_ENTRY(1) "mov $sysret_compat, %ecx\n sysretl\n");
PROBE_COMPAT(sysret_compat, EXIT AT(sysret_compat_end));
extern const char sysret_compat_end[];

/* The 32-bit form of SYSRET exists on both vendors. */
static void sysret_to_compatibility(void)
{
    registers_open();
    wrmsr(MSR_LSTAR, (u64)lstar_to_compat);
    visit(RING3, syscall_long, NULL);
    expect_syscall(RING3, (u64)syscall_long_next, DOOR_LSTAR, FLAG_ONE);
    expect_entry(0, INT_EXIT, NO_ERROR, COMPAT, sysret_compat_end, FLAG_ONE);
}

/* An NMI between SYSCALL and SWAPGS: ring 0 with the user's GS and the user's RSP. */
KERNEL_PROBE(lstar_nmi, "mov $0xFEE00300, %eax\n movl $0x4400, (%rax)\n" AT(lstar_nmi_sent)
                            AWAIT_NMI AT(lstar_nmi_end) "sysretq\n");
extern const char lstar_nmi_sent[], lstar_nmi_end[];

static void nmi_before_swapgs(void)
{
    const struct entry *e = &entries[0];

    if (!processor.apic) {
        skip("no local APIC");
        return;
    }
    registers_open();
    wrmsr(MSR_LSTAR, (u64)lstar_nmi);
    apic_aim_at_self();
    visit(RING3, syscall_long, count_nmi);
    expect_entries(2);
    show_entry(0);
    say("GS base %llx is the user's: a handler must not trust CS alone", (unsigned long long)e->gs_base);
    check("vector", V_NMI, e->frame.vector);
    check("pushed CS: the kernel's", CODE0, e->frame.cs);
    check("pushed RIP is in the entry code", true,
          e->frame.rip >= (u64)lstar_nmi_sent && e->frame.rip <= (u64)lstar_nmi_end);
    check("pushed RSP: the user's", stack_top(RING3), e->frame.rsp);
    check("on the IST stack", ist_top(IST_NMI) - 40, e->top);
    check("GS base: the user's", (u64)user_area, e->gs_base);
}

static void expect_sysenter(enum place place)
{
    show_fast_entry(place);
    check("door", DOOR_SYSENTER, seen[AT_DOOR]);
    check("CS", CODE0, seen[AT_CS]);
    check("SS", DATA0, seen[AT_SS]);
    check("RSP", (u64)&sysenter_stack[64], seen[AT_RSP]);
    check("RFLAGS: IF, VM, RF cleared", FLAG_ONE, seen[AT_RFLAGS] & ~(u64)FLAGS_ARITHMETIC);
    check("GS at the entry: the user's", USER_WORD, seen[AT_USER_GS]);
    check("GS after SWAPGS: the kernel's", KERNEL_WORD, seen[AT_KERNEL_GS]);
}

static void sysenter_32(void)
{
    registers_open();
    visit_flags(COMPAT, sysenter_compat, FLAG_ONE | FLAG_IF, NULL);
    if (processor.amd || !processor.sep) {
        say("no SYSENTER in long mode here: SYSENTER_EIP serves nothing");
        check("door", 0, seen[AT_DOOR]);
        expect_entry(0, V_UD, NO_ERROR, COMPAT, sysenter_compat_at, FAULTED | FLAG_IF);
        return;
    }
    say("SYSENTER_CS %x, ESP %llx, EIP %llx", (u32)rdmsr(MSR_SYSENTER_CS), (unsigned long long)rdmsr(MSR_SYSENTER_ESP),
        (unsigned long long)rdmsr(MSR_SYSENTER_EIP));
    expect_sysenter(COMPAT);
    say("SYSEXIT to compatibility mode; IF stays cleared:");
    expect_entry(0, INT_EXIT, NO_ERROR, COMPAT, sysenter_compat_end, FLAG_ONE);
}

static void sysenter_64(void)
{
    registers_open();
    if (processor.sep)
        wrmsr(MSR_SYSENTER_EIP, (u64)sysenter_to_long);
    visit_flags(RING3, sysenter_long, FLAG_ONE | FLAG_IF, NULL);
    if (processor.amd || !processor.sep) {
        expect_entry(0, V_UD, NO_ERROR, RING3, sysenter_long_at, FAULTED | FLAG_IF);
        return;
    }
    expect_sysenter(RING3);
    show_entry(0);
    say("SYSEXIT with REX.W to 64-bit mode: CS %04x, SS %04x", (u32)entries[0].frame.cs, (u32)entries[0].frame.ss);
    check("CS: SYSENTER_CS + 32", CODE3, entries[0].frame.cs);
    check("SS: SYSENTER_CS + 40", DATA3_AGAIN, entries[0].frame.ss);
    check("RSP", stack_top(RING3), entries[0].frame.rsp);
    check("RIP", (u64)sysenter_long_end, entries[0].frame.rip);
}

static void doors(void)
{
    u64 cstar, eip;

    registers_open();
    cstar = rdmsr(MSR_CSTAR);
    eip = processor.sep ? rdmsr(MSR_SYSENTER_EIP) : 0;
    say("LSTAR %llx, CSTAR %llx, SYSENTER_EIP %llx: three registers, %s", (unsigned long long)rdmsr(MSR_LSTAR),
        (unsigned long long)cstar, (unsigned long long)eip,
        cstar == eip ? "two with the same value" : "each with its own value");
    check("CSTAR holds what was written", (u64)cstar_entry, cstar);
    if (processor.sep)
        check("SYSENTER_EIP holds what was written", (u64)sysenter_to_compat, eip);
    say("64-bit SYSCALL enters at LSTAR on every processor");
    if (processor.amd) {
        say("AMD: compatibility-mode SYSCALL enters at CSTAR; SYSENTER is #UD in long mode, SYSENTER_EIP is never "
            "used");
        visit(COMPAT, syscall_compat, NULL);
        check("door of SYSCALL", DOOR_CSTAR, seen[AT_DOOR]);
    } else {
        say("Intel: compatibility-mode SYSENTER enters at SYSENTER_EIP; SYSCALL is #UD there, CSTAR is never used");
        visit(COMPAT, sysenter_compat, NULL);
        check("door of SYSENTER", DOOR_SYSENTER, seen[AT_DOOR]);
    }
    wrmsr(MSR_CSTAR, (u64)sysenter_to_compat);
    check("a kernel may well write the same value to both: CSTAR", processor.sep ? eip : (u64)sysenter_to_compat,
          rdmsr(MSR_CSTAR));
}

PROBE(sysret_user, "sysretq\n" EXIT);
PROBE(swapgs_user, "swapgs\n" EXIT);
PROBE_COMPAT(swapgs_compat, ".byte 0x0F, 0x01, 0xF8\n" EXIT);

static void denied(void)
{
    registers_open();
    visit(RING3, sysret_user, NULL);
    expect_entry(0, V_GP, 0, RING3, sysret_user, FAULTED);
    visit(RING3, swapgs_user, NULL);
    expect_entry(0, V_GP, 0, RING3, swapgs_user, FAULTED);
    say("SWAPGS is an instruction of 64-bit mode only:");
    visit(COMPAT, swapgs_compat, NULL);
    expect_entry(0, V_UD, NO_ERROR, COMPAT, swapgs_compat, FAULTED);
    wrmsr(MSR_EFER, rdmsr(MSR_EFER) & ~(u64)EFER_SCE);
    say("with EFER.SCE=0:");
    visit(RING3, syscall_long, NULL);
    expect_entry(0, V_UD, NO_ERROR, RING3, syscall_long, FAULTED);
}

/* SYSRET to an address that is not canonical, on the user's stack as kernels do it. #GP has IST 4 meanwhile. */
KERNEL_PROBE(sysret_far, "mov $0x0100000000000000, %rcx\n mov $2, %r11d\n mov $user_stack_word, %rsp\n" AT(
                             sysret_far_at) "sysretq\n");
__asm__(".pushsection .user,\"ax\"\n.balign 8\n.quad 0, 0\nuser_stack_word: .quad 0\n.popsection");
extern const char sysret_far_at[], user_stack_word[];

static void sysret_non_canonical(void)
{
    const struct entry *e = &entries[0];

    registers_open();
    idt[V_GP].ist = IST_SPARE;
    visit(RING0, sysret_far, NULL);
    idt[V_GP].ist = 0;
    show_entry(0);
    check("vector", V_GP, e->frame.vector);
    check("error code", 0, e->frame.error);
    check("pushed RSP: the user's", (u64)user_stack_word, e->frame.rsp);
    check("on the IST stack", ist_top(IST_SPARE) - 48, e->top);
    if (processor.amd) {
        say("SYSRET completed: the fetch from the address faults, in ring 3");
        check("pushed CS", CODE3, e->frame.cs);
        check("pushed RIP", NON_CANONICAL, e->frame.rip);
    } else {
        say("SYSRET itself faults: ring 0 on the user's RSP; without IST the user chooses where the frame goes");
        check("pushed CS", CODE0, e->frame.cs);
        check("pushed RIP", (u64)sysret_far_at, e->frame.rip);
    }
}

KERNEL_PROBE(write_register,
             "mov seen, %rcx\n mov seen + 8, %rax\n mov seen + 16, %rdx\n" AT(write_register_at) "wrmsr\n" EXIT);
extern const char write_register_at[];

/* returns: WRMSR was accepted. */
static bool try_wrmsr(u32 number, u64 value)
{
    seen[0] = number;
    seen[1] = (u32)value;
    seen[2] = value >> 32;
    visit(RING0, write_register, NULL);
    if (entries[0].frame.vector == V_GP)
        expect_entry(0, V_GP, 0, RING0, write_register_at, FAULTED);
    else
        check("vector", INT_EXIT, entries[0].frame.vector);
    return entries[0].frame.vector == INT_EXIT;
}

static void registers_refused(void)
{
    registers_open();
    say("an address that is not canonical into LSTAR, GS base, SYSENTER_EIP; a register that does not exist:");
    check("LSTAR takes it", false, try_wrmsr(MSR_LSTAR, NON_CANONICAL));
    check("GS base takes it", false, try_wrmsr(MSR_GS_BASE, NON_CANONICAL));
    check("a register that does not exist takes it", false, try_wrmsr(0x12345678, 0));
    if (processor.sep && processor.intel) {
        check("SYSENTER_EIP takes it", false, try_wrmsr(MSR_SYSENTER_EIP, NON_CANONICAL));
    } else if (processor.sep && processor.amd) {
        say("AMD: SYSENTER_EIP has 32 bits, the rest is dropped");
        check("SYSENTER_EIP takes it", true, try_wrmsr(MSR_SYSENTER_EIP, NON_CANONICAL | 0x1234));
        check("SYSENTER_EIP", 0x1234, rdmsr(MSR_SYSENTER_EIP));
    }
}

/* SYSRET to compatibility mode while SS is null, as it is in a kernel that came in through an interrupt. */
KERNEL_PROBE(sysret_null_ss, "xor %eax, %eax\n mov %eax, %ss\n mov $compat_push, %ecx\n mov $2, %r11d\n"
                             "mov $user_stack_word, %rsp\n sysretl\n");
PROBE_COMPAT(compat_push, "push %eax\n" EXIT AT(compat_push_end));
extern const char compat_push_end[];

static void sysret_stack_segment(void)
{
    const struct entry *e = &entries[0];

    registers_open();
    visit(RING0, sysret_null_ss, NULL);
    show_entry(0);
    check("SS selector", DATA3, e->frame.ss);
    check("pushed CS", CODE3_32, e->frame.cs);
    if (processor.amd) {
        say("AMD: SYSRET loads the selector of SS and not its attributes; the null SS shows at the first push");
        check("vector", V_SS, e->frame.vector);
        check("error code", 0, e->frame.error);
        check("pushed RIP: the push", (u64)compat_push, e->frame.rip);
    } else {
        say("Intel: SYSRET makes SS a flat segment of ring 3");
        check("vector", INT_EXIT, e->frame.vector);
        check("pushed RIP", (u64)compat_push_end, e->frame.rip);
        check("pushed RSP: below the push", (u64)user_stack_word - 4, e->frame.rsp);
    }
}

/* SWAPGS in ring 0, step by step. seen: the words that GS:0 reaches. */
KERNEL_PROBE(swap_twice,
             "mov %gs:0, %rax\n mov %rax, seen\n swapgs\n mov %gs:0, %rax\n mov %rax, seen + 8\n mov %gs, %eax\n"
             "mov %rax, seen + 16\n int $0x40\n swapgs\n mov %gs:0, %rax\n mov %rax, seen + 24\n" EXIT);

static void swapgs(void)
{
    registers_open();
    visit(RING0, swap_twice, hook_until_exit);
    say("GS:0 reads %016llx, after SWAPGS %016llx, after another %016llx; selector %04x", (unsigned long long)seen[0],
        (unsigned long long)seen[1], (unsigned long long)seen[3], (u32)seen[2]);
    check("before", USER_WORD, seen[0]);
    check("after SWAPGS", KERNEL_WORD, seen[1]);
    check("the selector does not change", 0, seen[2]);
    check("an interrupt leaves GS alone: base in the handler", (u64)kernel_area, entries[0].gs_base);
    check("after another SWAPGS", USER_WORD, seen[3]);
    check("GS base", (u64)user_area, rdmsr(MSR_GS_BASE));
    check("KERNEL_GS_BASE", (u64)kernel_area, rdmsr(MSR_KERNEL_GS_BASE));
}

const struct stop stops_syscall[] = {
    {"SYSCALL and SYSRET in 64-bit mode, with SWAPGS", syscall_64},
    {"SYSRET to compatibility mode", sysret_to_compatibility},
    {"An NMI between SYSCALL and SWAPGS", nmi_before_swapgs},
    {"SYSCALL in compatibility mode: CSTAR on AMD, #UD on Intel", syscall_32},
    {"SYSENTER in compatibility mode: SYSENTER_EIP on Intel, #UD on AMD", sysenter_32},
    {"SYSENTER in 64-bit mode, SYSEXIT with REX.W", sysenter_64},
    {"Do CSTAR and SYSENTER_EIP hold the same value, and which is used when?", doors},
    {"SYSRET and SWAPGS in ring 3, SYSCALL with EFER.SCE=0", denied},
    {"SYSRET to an address that is not canonical", sysret_non_canonical},
    {"SYSRET to compatibility mode with a null SS", sysret_stack_segment},
    {"SWAPGS in ring 0", swapgs},
    {"WRMSR refused", registers_refused},
};
const unsigned stops_syscall_count = ARRAY_LEN(stops_syscall);

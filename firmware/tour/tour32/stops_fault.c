/* SPDX-License-Identifier: MIT
 * Stops: exceptions, with and without error code, and double faults.
 * SDM 3A, "Exception and Interrupt Reference", "Interrupt 8 - Double Fault Exception".
 */
#include "stops.h"
#include "task.h"

#define FAULTED (FLAG_ONE | FLAG_RF) /* a fault pushes RF=1 */

PROBE(divide, "xor %edx, %edx\n xor %ecx, %ecx\n" AT(divide_at) "div %ecx\n" EXIT);
extern const char divide_at[];
PROBE(undefined, "ud2\n" EXIT);
PROBE(no_fpu, "fnop\n" EXIT);

static void without_error_code(void)
{
    visit(3, divide, NULL);
    expect_entry(0, V_DE, NO_ERROR, 3, divide_at, FAULTED);
    visit(0, divide, NULL);
    expect_entry(0, V_DE, NO_ERROR, 0, divide_at, FAULTED);
    visit(3, undefined, NULL);
    expect_entry(0, V_UD, NO_ERROR, 3, undefined, FAULTED);
    write_cr0(read_cr0() | CR0_TS);
    visit(3, no_fpu, NULL);
    expect_entry(0, V_NM, NO_ERROR, 3, no_fpu, FAULTED);
    __asm__ volatile("clts");
}

PROBE(cli_user, "cli\n" EXIT);
PROBE(hlt_user, "hlt\n" EXIT);
PROBE(load_kernel_data, "mov $0x10, %eax\n" AT(load_kernel_data_at) "mov %eax, %ds\n" EXIT);
extern const char load_kernel_data_at[];

static void general_protection(void)
{
    visit(3, cli_user, NULL);
    expect_entry(0, V_GP, 0, 3, cli_user, FAULTED);
    visit(1, hlt_user, NULL);
    expect_entry(0, V_GP, 0, 1, hlt_user, FAULTED);
    visit(3, load_kernel_data, NULL);
    expect_entry(0, V_GP, DATA0, 3, load_kernel_data_at, FAULTED);
}

PROBE(load_absent, "mov $0x88, %eax\n" AT(load_absent_at) "mov %eax, %es\n" EXIT);
extern const char load_absent_at[];
PROBE(load_absent_stack, "mov $0x88, %eax\n" AT(load_absent_stack_at) "mov %eax, %ss\n" EXIT);
extern const char load_absent_stack_at[];

static void not_present(void)
{
    visit(0, load_absent, NULL);
    expect_entry(0, V_NP, DATA_ABSENT, 0, load_absent_at, FAULTED);
    visit(0, load_absent_stack, NULL);
    expect_entry(0, V_SS, DATA_ABSENT, 0, load_absent_stack_at, FAULTED);
}

PROBE(push_small, "push %eax\n" EXIT);

static void stack_limit(void)
{
    struct start start = {.eip = (u32)(uintptr_t)push_small,
                          .cs = CODE3,
                          .eflags = FLAG_ONE,
                          .esp = 0x200,
                          .ss = DATA_SMALL,
                          .ds = DATA3,
                          .es = DATA3};

    entry_count = 0;
    visit_start(&start);
    show_entry(0);
    check("vector", V_SS, entries[0].frame.vector);
    check("error code", 0, entries[0].frame.error);
    check("pushed ESP: unchanged by the PUSH that failed", 0x200, entries[0].frame.esp);
    check("pushed SS", DATA_SMALL, entries[0].frame.ss);
}

PROBE(to_bad_stack, "int $0x44\n" EXIT); /* INT_RING1 */

static void invalid_tss(void)
{
    main_tss.tss.ss1 = DATA0; /* RPL 0, but the handler is in ring 1 */
    visit(3, to_bad_stack, NULL);
    expect_entry(0, V_TS, DATA0, 3, to_bad_stack, FAULTED);
    main_tss.tss.ss1 = DATA1;
}

PROBE(misaligned, "pushf\n orl $0x40000, (%esp)\n popf\n" AT(misaligned_at) "movl seen + 1, %eax\n" EXIT);
extern const char misaligned_at[];

static void alignment(void)
{
    write_cr0(read_cr0() | CR0_AM);
    visit(3, misaligned, NULL);
    expect_entry(0, V_AC, 0, 3, misaligned_at, FAULTED | FLAG_AC);
    visit(0, misaligned, NULL);
    check("ring 0 is not checked: vector", INT_EXIT, entries[0].frame.vector);
    write_cr0(read_cr0() & ~(word)CR0_AM);
}

static void external_bit(void)
{
    struct descriptor kept = idt[V_UD];

    idt[V_UD].high &= ~0x8000u; /* not present */
    visit(3, undefined, NULL);
    expect_entry(0, V_NP, V_UD * 8 + 3, 3, undefined, FAULTED);
    idt[V_UD] = kept;
}

/* ---- page faults */

PROBE(read_absent, "movl 0xC00010, %eax\n" EXIT);
PROBE(write_absent, "movl %eax, 0xC00020\n" EXIT);
PROBE(read_kernel, "movl 0xC01010, %eax\n" EXIT);
PROBE(write_readonly, "movl %eax, 0xC02010\n" EXIT);

static void page_fault(unsigned ring, const char *probe, int error, u32 address)
{
    visit(ring, probe, NULL);
    expect_entry(0, V_PF, error, ring, probe, FAULTED);
    say("   CR2 %08x: %s, %s, by ring %u", entries[0].cr2, error & 1 ? "a protection violation" : "page not present",
        error & 2 ? "write" : "read", ring);
    check("CR2", address, entries[0].cr2);
}

static void page_faults(void)
{
    paging_on();
    page_fault(3, read_absent, 4, PAGE_ABSENT + 0x10);
    page_fault(3, write_absent, 6, PAGE_ABSENT + 0x20);
    page_fault(0, write_absent, 2, PAGE_ABSENT + 0x20);
    page_fault(3, read_kernel, 5, PAGE_KERNEL + 0x10);
    page_fault(3, write_readonly, 7, PAGE_READONLY + 0x10);
    write_cr0(read_cr0() | CR0_WP);
    page_fault(0, write_readonly, 3, PAGE_READONLY + 0x10);
    write_cr0(read_cr0() & ~(word)CR0_WP);
    visit(0, write_readonly, NULL);
    check("ring 0 with CR0.WP=0 writes a read-only page: vector", INT_EXIT, entries[0].frame.vector);
    paging_off();
}

/* ---- double faults, through the task gate at vector 8 */

static void expect_double_fault(const char *eip, unsigned ring)
{
    say("#DF: task %04x entered, link %04x, error code %x; old task saved at ring %u %04x:%08x, ESP %08x",
        double_fault.tr, double_fault.link, double_fault.error, double_fault.cs & 3, double_fault.cs, double_fault.eip,
        double_fault.esp);
    check("double faults", 1, double_fault.count);
    check("no other entry", 0, entry_count);
    check("TR in the double-fault task", TSS_FAULT, double_fault.tr);
    check("back link", TSS_MAIN, double_fault.link);
    check("NT in the double-fault task", FLAG_NT, double_fault.eflags & FLAG_NT);
    check("error code", 0, double_fault.error);
    check("saved EIP: the instruction that began it", (u32)(uintptr_t)eip, double_fault.eip);
    check("saved CS", ring_code(ring), double_fault.cs);
    check("saved ESP", ring_stack_top(ring), double_fault.esp);
    check("TR after IRET", TSS_MAIN, read_tr());
    check("double-fault task busy after IRET", 0, tss_is_busy(TSS_FAULT));
    __asm__ volatile("clts");
}

PROBE(forbidden, "int $0x42\n" EXIT);

static void double_fault_contributory(void)
{
    struct descriptor kept = idt[V_GP];

    idt[V_GP].high &= ~0x8000u;
    double_fault_prepare();
    visit(3, forbidden, NULL);
    idt[V_GP] = kept;
    say("#GP(%xh) whose gate is absent: #NP while delivering #GP", INT_KERNEL * 8 + 2);
    expect_double_fault(forbidden, 3);
}

PROBE(nested_ring0, "xor %edx, %edx\n xor %ecx, %ecx\n" AT(nested_ring0_at) "div %ecx\n" EXIT);
extern const char nested_ring0_at[];

static void double_fault_ring0(void)
{
    struct descriptor kept = idt[V_DE];

    idt[V_DE].high &= ~0x8000u;
    double_fault_prepare();
    visit(0, nested_ring0, NULL);
    idt[V_DE] = kept;
    say("#DE in ring 0 whose gate is absent: #NP while delivering #DE");
    expect_double_fault(nested_ring0_at, 0);
}

PROBE(int_bad_esp0, "int $0x40\n" EXIT);

static void double_fault_bad_stack(void)
{
    paging_on();
    double_fault_prepare();
    main_tss.tss.esp0 = PAGE_ABSENT + 0x1000;
    visit(3, int_bad_esp0, NULL);
    main_tss.tss.esp0 = kernel_stack_top();
    paging_off();
    say("INT 40h with TSS.ESP0 in an absent page: #PF, then #PF again while delivering that, CR2 %08x",
        double_fault.cr2);
    check("CR2", PAGE_ABSENT + 0xFFC, double_fault.cr2);
    expect_double_fault(int_bad_esp0, 3);
}

const struct stop stops_fault[] = {
    {"Exceptions without error code: #DE in rings 3 and 0, #UD, #NM", without_error_code},
    {"#GP: privileged instructions, a segment of an inner ring", general_protection},
    {"#NP(selector), #SS(selector): absent segments", not_present},
    {"#SS(0): a push past the stack segment's limit", stack_limit},
    {"#TS(selector): the TSS's stack for the inner ring is not usable", invalid_tss},
    {"#AC: misaligned access with CR0.AM and EFLAGS.AC", alignment},
    {"EXT=1: the gate of #UD is absent", external_bit},
    {"#PF: error codes and CR2", page_faults},
    {"Double fault: contributory after contributory, through a task gate", double_fault_contributory},
    {"Double fault in ring 0", double_fault_ring0},
    {"Double fault: the kernel stack is in an absent page", double_fault_bad_stack},
};
const unsigned stops_fault_count = ARRAY_LEN(stops_fault);

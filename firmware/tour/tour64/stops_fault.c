/* SPDX-License-Identifier: MIT
 * Stops: exceptions, with and without error code, and double faults through IST.
 * SDM 3A, "Exception and Interrupt Reference".
 */
#include "stops.h"

PROBE(divide, "xor %edx, %edx\n xor %ecx, %ecx\n" AT(divide_at) "div %ecx\n" EXIT);
extern const char divide_at[];
PROBE(undefined, "ud2\n" EXIT);

static void without_error_code(void)
{
    visit(RING3, divide, NULL);
    expect_entry(0, V_DE, NO_ERROR, RING3, divide_at, FAULTED);
    visit(RING0, divide, NULL);
    expect_entry(0, V_DE, NO_ERROR, RING0, divide_at, FAULTED);
    visit(COMPAT, divide, NULL);
    expect_entry(0, V_DE, NO_ERROR, COMPAT, divide_at, FAULTED);
    visit(RING3, undefined, NULL);
    expect_entry(0, V_UD, NO_ERROR, RING3, undefined, FAULTED);
}

PROBE(hlt_user, "hlt\n" EXIT);
PROBE(rdmsr_user, "rdmsr\n" EXIT);
PROBE(far_data, "mov $0x0100000000000000, %rbx\n" AT(far_data_at) "mov (%rbx), %eax\n" EXIT);
PROBE(far_stack, "mov $0x0100000000000000, %rbp\n" AT(far_stack_at) "mov (%rbp), %eax\n" EXIT);
extern const char far_data_at[], far_stack_at[];

static void general_protection(void)
{
    visit(RING3, hlt_user, NULL);
    expect_entry(0, V_GP, 0, RING3, hlt_user, FAULTED);
    visit(RING1, rdmsr_user, NULL);
    expect_entry(0, V_GP, 0, RING1, rdmsr_user, FAULTED);
    say("an address that is not canonical, through DS and through SS:");
    visit(RING3, far_data, NULL);
    expect_entry(0, V_GP, 0, RING3, far_data_at, FAULTED);
    visit(RING3, far_stack, NULL);
    expect_entry(0, V_SS, 0, RING3, far_stack_at, FAULTED);
}

PROBE(load_absent, "mov $0x80, %eax\n" AT(load_absent_at) "mov %eax, %es\n" EXIT);
PROBE(load_absent_stack, "mov $0x80, %eax\n" AT(load_absent_stack_at) "mov %eax, %ss\n" EXIT);
extern const char load_absent_at[], load_absent_stack_at[];

static void not_present(void)
{
    visit(RING0, load_absent, NULL);
    expect_entry(0, V_NP, DATA_ABSENT, RING0, load_absent_at, FAULTED);
    visit(RING0, load_absent_stack, NULL);
    expect_entry(0, V_SS, DATA_ABSENT, RING0, load_absent_stack_at, FAULTED);
}

PROBE(misaligned, "pushfq\n orl $0x40000, (%rsp)\n popfq\n" AT(misaligned_at) "mov seen + 1, %eax\n" EXIT);
extern const char misaligned_at[];

static void alignment(void)
{
    write_cr0(read_cr0() | CR0_AM);
    visit(RING3, misaligned, NULL);
    expect_entry(0, V_AC, 0, RING3, misaligned_at, FAULTED | FLAG_AC);
    write_cr0(read_cr0() & ~(word)CR0_AM);
}

static void external_bit(void)
{
    struct gate kept = idt[V_UD];

    idt[V_UD].type &= 0x7F; /* not present */
    visit(RING3, undefined, NULL);
    idt[V_UD] = kept;
    expect_entry(0, V_NP, V_UD * 8 + 3, RING3, undefined, FAULTED);
}

static void double_fault_absent_gate(void)
{
    struct gate kept = idt[V_GP];

    idt[V_GP].type &= 0x7F;
    visit(RING3, hlt_user, NULL);
    idt[V_GP] = kept;
    say("#GP(0) whose gate is absent: #NP while delivering #GP");
    expect_entry_ist(0, V_DF, 0, RING3, (u64)hlt_user, FAULTED, IST_DF);
}

static void double_fault_bad_stack(void)
{
    tss.rsp[0] = PAGE_ABSENT + 0x1000;
    visit(RING3, undefined, NULL);
    tss.rsp[0] = kernel_stack_top();
    say("RSP0 in an absent page: #PF, then #PF again while delivering that; CR2 %llx",
        (unsigned long long)entries[0].cr2);
    expect_entry_ist(0, V_DF, 0, RING3, (u64)undefined, FAULTED, IST_DF);
    check("CR2", PAGE_ABSENT + 0xFF8, entries[0].cr2);
}

static void double_fault_non_canonical_stack(void)
{
    tss.rsp[0] = NON_CANONICAL;
    visit(RING3, undefined, NULL);
    tss.rsp[0] = kernel_stack_top();
    say("RSP0 not canonical: #SS, then #SS again");
    expect_entry_ist(0, V_DF, 0, RING3, (u64)undefined, FAULTED, IST_DF);
}

const struct stop stops_fault[] = {
    {"Exceptions without error code: #DE in ring 3, ring 0 and compatibility mode, #UD", without_error_code},
    {"#GP(0), #SS(0): privileged instructions, addresses that are not canonical", general_protection},
    {"#NP(selector), #SS(selector): absent segments", not_present},
    {"#AC: misaligned access with CR0.AM and EFLAGS.AC", alignment},
    {"EXT=1: the gate of #UD is absent", external_bit},
    {"Double fault through IST: an absent gate", double_fault_absent_gate},
    {"Double fault through IST: the kernel stack is in an absent page", double_fault_bad_stack},
    {"Double fault through IST: the kernel stack is not canonical", double_fault_non_canonical_stack},
};
const unsigned stops_fault_count = ARRAY_LEN(stops_fault);

/* SPDX-License-Identifier: MIT
 * Stops: software interrupts from every place, IST, IRETQ.
 * SDM 3A, "Exception and Interrupt Handling in 64-bit Mode"; SDM 2A, "INT n/INTO/INT3/INT1", "IRET/IRETD/IRETQ".
 */
#include "stops.h"

PROBE(int_user, "int $0x40\n" AT(int_user_next) "mov $0x600DF00D, %eax\n" EXIT AT(int_user_end));
extern const char int_user_next[], int_user_end[];

static void int_from(enum place place)
{
    visit(place, int_user, hook_until_exit);
    expect_entries(2);
    expect_entry(0, 0x40, NO_ERROR, place, int_user_next, FLAG_ONE);
    expect_entry(1, INT_EXIT, NO_ERROR, place, int_user_end, FLAG_ONE);
    check("EAX set after IRETQ", 0x600DF00D, entries[1].frame.rax);
}

static void int_from_ring3(void) { int_from(RING3); }

static void int_from_ring0(void) { int_from(RING0); }

static void int_from_middle_rings(void)
{
    int_from(RING1);
    int_from(RING2);
}

static void int_from_compatibility(void) { int_from(COMPAT); }

static void int_aligns(void)
{
    u64 rsp = stack_top(RING0) - 5;

    visit_stack(RING0, int_user, rsp);
    show_entry(0);
    check("pushed RSP", rsp, entries[0].frame.rsp);
    check("frame: five words below RSP rounded down to 16", (rsp & ~15ull) - 40, entries[0].top);
}

PROBE_COMPAT(int_linux, "mov $20, %eax\n int $0x80\n" AT(int_linux_next) EXIT);
extern const char int_linux_next[];

static void int80(void)
{
    visit(COMPAT, int_linux, hook_until_exit);
    expect_entries(2);
    expect_entry(0, INT_LINUX, NO_ERROR, COMPAT, int_linux_next, FLAG_ONE);
    check("EAX, as the program left it", 20, entries[0].frame.rax);
}

PROBE(int_kernel, "int $0x42\n" EXIT);
PROBE(int_absent, "int $0x46\n" EXIT);
PROBE(int_task, "int $0x45\n" EXIT);
PROBE(int_limit, "int $0x81\n" EXIT);

static void int_denied(void)
{
    visit(RING3, int_kernel, NULL);
    expect_entry(0, V_GP, INT_KERNEL * 8 + 2, RING3, int_kernel, FAULTED);
    visit(RING3, int_absent, NULL);
    expect_entry(0, V_NP, INT_ABSENT * 8 + 2, RING3, int_absent, FAULTED);
    say("a task gate:");
    visit(RING3, int_task, NULL);
    expect_entry(0, V_GP, INT_TASK * 8 + 2, RING3, int_task, FAULTED);
    say("past the limit:");
    visit(RING3, int_limit, NULL);
    expect_entry(0, V_GP, IDT_ENTRIES * 8 + 2, RING3, int_limit, FAULTED);
}

PROBE(int_trap, "int $0x43\n" EXIT);

static void trap_gate(void)
{
    visit_flags(RING3, int_trap, FLAG_ONE | FLAG_IF, NULL);
    show_entry(0);
    check("IF in the handler of a trap gate", FLAG_IF, entries[0].frame.inside_rflags & FLAG_IF);
}

PROBE(int3_probe, "int3\n" AT(int3_next) EXIT);
extern const char int3_next[];
PROBE(int1_probe, ".byte 0xF1\n" AT(int1_next) EXIT);
extern const char int1_next[];
PROBE(into_long, ".byte 0xCE\n" EXIT);
PROBE_COMPAT(into_compat, "mov $0x7FFFFFFF, %eax\n inc %eax\n into\n" AT(into_compat_next) EXIT);
extern const char into_compat_next[];

static void one_byte_interrupts(void)
{
    visit(RING3, int3_probe, hook_until_exit);
    expect_entry(0, V_BP, NO_ERROR, RING3, int3_next, FLAG_ONE);
    write_dr6(0xFFFF0FF0);
    visit(RING3, int1_probe, hook_until_exit);
    expect_entry(0, V_DB, NO_ERROR, RING3, int1_next, FLAG_ONE);
    say("INTO: #UD in 64-bit mode, #OF in compatibility mode");
    visit(RING3, into_long, NULL);
    expect_entry(0, V_UD, NO_ERROR, RING3, into_long, FAULTED);
    visit(COMPAT, into_compat, hook_until_exit);
    expect_entry(0, V_OF, NO_ERROR, COMPAT, into_compat_next, FLAG_ONE);
}

PROBE(int_ist, "int $0x44\n" AT(int_ist_next) EXIT);
extern const char int_ist_next[];

static void ist(void)
{
    visit(RING3, int_ist, hook_until_exit);
    expect_entry_ist(0, INT_IST, NO_ERROR, RING3, (u64)int_ist_next, FLAG_ONE, IST_SPARE);
    say("from ring 0 as well: IST switches the stack although the ring stays");
    visit(RING0, int_ist, hook_until_exit);
    expect_entry_ist(0, INT_IST, NO_ERROR, RING0, (u64)int_ist_next, FLAG_ONE, IST_SPARE);
}

KERNEL_PROBE(iret_non_canonical,
             "pushq $0x23\n pushq $0x1000\n pushq $2\n pushq $0x2B\n mov $0x0100000000000000, %rax\n"
             "push %rax\n" AT(iret_non_canonical_at) "iretq\n");
KERNEL_PROBE(iret_nested, "pushfq\n orl $0x4000, (%rsp)\n popfq\n" AT(iret_nested_at) "iretq\n");
PROBE(iret_inward, "pushq $0\n pushq $0x1000\n pushq $2\n pushq $0x08\n pushq $0x1000\n" AT(iret_inward_at) "iretq\n");
extern const char iret_non_canonical_at[], iret_nested_at[], iret_inward_at[];

static void expect_general_protection(const char *rip, u32 error, u16 cs)
{
    show_entry(0);
    check("vector", V_GP, entries[0].frame.vector);
    check("error code", error, entries[0].frame.error);
    check("pushed RIP: the IRETQ", (u64)rip, entries[0].frame.rip);
    check("pushed CS", cs, entries[0].frame.cs);
}

static void iret_denied(void)
{
    say("to a RIP that is not canonical: refused while still in ring 0");
    visit(RING0, iret_non_canonical, NULL);
    expect_general_protection(iret_non_canonical_at, 0, CODE0);
    say("with NT=1: there is no task to return to in long mode");
    visit(RING0, iret_nested, NULL);
    expect_general_protection(iret_nested_at, 0, CODE0);
    say("from ring 3 to ring 0:");
    visit(RING3, iret_inward, NULL);
    expect_general_protection(iret_inward_at, CODE0, CODE3);
}

const struct stop stops_interrupt[] = {
    {"INT n from ring 3: RSP0, five words, IRETQ", int_from_ring3},
    {"INT n from ring 0: five words too", int_from_ring0},
    {"INT n from ring 0 on a stack that is not aligned", int_aligns},
    {"IRETQ to rings 1 and 2, INT n from there", int_from_middle_rings},
    {"IRETQ to compatibility mode, INT n from there", int_from_compatibility},
    {"INT 80h from compatibility mode", int80},
    {"INT n denied: DPL 0, absent gate, task gate, past the limit", int_denied},
    {"Trap gate: IF survives", trap_gate},
    {"INT3, INT1, INTO", one_byte_interrupts},
    {"IST: a stack of its own for a vector", ist},
    {"IRETQ refused: not canonical, NT=1, inner ring", iret_denied},
};
const unsigned stops_interrupt_count = ARRAY_LEN(stops_interrupt);

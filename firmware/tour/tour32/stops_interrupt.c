/* SPDX-License-Identifier: MIT
 * Stops: software interrupts, their gates, and IRET to each ring.
 * SDM 3A, "Interrupt and Exception Handling"; SDM 2A, "INT n/INTO/INT3/INT1", "IRET/IRETD".
 */
#include "stops.h"

PROBE(int_user, "int $0x40\n" AT(int_user_next) "mov $0x600DF00D, %eax\n" AT(int_user_exit) EXIT AT(int_user_end));
extern const char int_user_next[], int_user_exit[], int_user_end[];

static void int_from_ring3(void)
{
    visit(3, int_user, hook_until_exit);
    expect_entries(2);
    expect_entry(0, 0x40, NO_ERROR, 3, int_user_next, FLAG_ONE);
    expect_entry(1, INT_EXIT, NO_ERROR, 3, int_user_end, FLAG_ONE);
    check("EAX set by ring 3 after IRET", 0x600DF00D, entries[1].frame.eax);
}

static void int_from_ring0(void)
{
    visit(0, int_user, hook_until_exit);
    expect_entries(2);
    expect_entry(0, 0x40, NO_ERROR, 0, int_user_next, FLAG_ONE);
}

static void int_from_each_ring(void)
{
    for (unsigned ring = 1; ring <= 2; ring++) {
        visit(ring, int_user, hook_until_exit);
        expect_entries(2);
        expect_entry(0, 0x40, NO_ERROR, ring, int_user_next, FLAG_ONE);
    }
}

PROBE(int_kernel, "int $0x42\n" EXIT);

static void int_denied(void)
{
    visit(3, int_kernel, NULL);
    expect_entries(1);
    expect_entry(0, V_GP, INT_KERNEL * 8 + 2, 3, int_kernel, FLAG_ONE | FLAG_RF);
    visit(0, int_kernel, NULL);
    expect_entries(1);
    check("from ring 0 the same gate lets through: vector", INT_KERNEL, entries[0].frame.vector);
}

PROBE(int_absent, "int $0x48\n" EXIT);
PROBE(int_limit, "int $0x60\n" EXIT);

static void int_no_gate(void)
{
    visit(3, int_absent, NULL);
    expect_entry(0, V_NP, INT_ABSENT * 8 + 2, 3, int_absent, FLAG_ONE | FLAG_RF);
    visit(3, int_limit, NULL);
    expect_entry(0, V_GP, INT_LIMIT * 8 + 2, 3, int_limit, FLAG_ONE | FLAG_RF);
}

PROBE(int_trap, "int $0x43\n" AT(int_trap_next) EXIT);
extern const char int_trap_next[];

static void trap_gate(void)
{
    visit_flags(3, int_trap, FLAG_ONE | FLAG_IF, hook_until_exit);
    expect_entries(2);
    show_entry(0);
    check("IF in the handler of a trap gate", FLAG_IF, entries[0].frame.inside_eflags & FLAG_IF);
    expect_entry(1, INT_EXIT, NO_ERROR, 3, int_trap_next + 2, FLAG_ONE | FLAG_IF);
}

PROBE(int3_probe, "int3\n" AT(int3_next) EXIT);
extern const char int3_next[];
PROBE(into_probe, "xor %eax, %eax\n into\n mov $0x7FFFFFFF, %eax\n inc %eax\n into\n" AT(into_next) EXIT);
extern const char into_next[];
PROBE(bound_probe, "mov $bound_limits, %edx\n mov $5, %eax\n bound %eax, (%edx)\n mov $11, %eax\n" AT(
                       bound_at) "bound %eax, (%edx)\n" EXIT "bound_limits: .long 3, 10\n");
extern const char bound_at[];
PROBE(int1_probe, ".byte 0xF1\n" AT(int1_next) EXIT);
extern const char int1_next[];

static void int3_and_into(void)
{
    visit(3, int3_probe, hook_until_exit);
    expect_entries(2);
    expect_entry(0, V_BP, NO_ERROR, 3, int3_next, FLAG_ONE);
    visit(3, into_probe, hook_until_exit);
    expect_entries(2);
    expect_entry(0, V_OF, NO_ERROR, 3, into_next, FLAG_ONE);
}

static void bound(void)
{
    visit(3, bound_probe, NULL);
    expect_entries(1);
    expect_entry(0, V_BR, NO_ERROR, 3, bound_at, FLAG_ONE | FLAG_RF);
    check("index out of bounds, in EAX", 11, entries[0].frame.eax);
}

static void int1(void)
{
    write_dr6(0xFFFF0FF0);
    visit(3, int1_probe, hook_until_exit);
    expect_entries(2);
    expect_entry(0, V_DB, NO_ERROR, 3, int1_next, FLAG_ONE);
    check("DR6 says nothing of INT1", 0xFFFF0FF0, entries[0].dr6);
}

PROBE(int_ring1, "int $0x44\n" AT(int_ring1_next) EXIT AT(int_ring1_end));
extern const char int_ring1_next[], int_ring1_end[];

static void handler_in_ring1(void)
{
    visit(3, int_ring1, hook_until_exit);
    expect_entries(1);
    say("handler in ring %u: CS %04x, stack %04x:%08x", seen[0] & 3, seen[0], seen[1], seen[2]);
    check("CS in the handler", CODE1, seen[0]);
    check("SS in the handler is TSS.SS1", DATA1, seen[1]);
    check("ESP in the handler is TSS.ESP1 less five words", inner_stack_top(1) - 20, seen[2]);
    check("pushed EIP", (u32)(uintptr_t)int_ring1_next, seen[3]);
    check("pushed CS", CODE3, seen[4] & 0xFFFF);
    check("pushed ESP", ring_stack_top(3), seen[6]);
    check("pushed SS", DATA3, seen[7] & 0xFFFF);
    expect_entry(0, INT_EXIT, NO_ERROR, 3, int_ring1_end, FLAG_ONE);
}

PROBE(int_conforming, "int $0x45\n" AT(int_conforming_next) EXIT);
extern const char int_conforming_next[];

static void conforming(void)
{
    visit(3, int_conforming, hook_until_exit);
    expect_entries(1);
    say("handler: CS %04x, so still ring %u, stack %04x:%08x", seen[0], seen[0] & 3, seen[1], seen[2]);
    check("CS in the handler", CONFORMING | 3, seen[0]);
    check("SS in the handler", DATA3, seen[1]);
    check("ESP in the handler: three words on the caller's stack", ring_stack_top(3) - 12, seen[2]);
    check("pushed EIP", (u32)(uintptr_t)int_conforming_next, seen[3]);
    check("CS after IRET", CODE3, entries[0].frame.cs);
}

/* IRET from ring 3 to ring 0 must fail: a return goes outward only. */
PROBE(iret_inward, "pushf\n push $0x08\n push $iret_inward\n" AT(iret_inward_at) "iret\n");
extern const char iret_inward_at[];

static void iret_to_inner_ring(void)
{
    visit(3, iret_inward, NULL);
    show_entry(0);
    check("vector", V_GP, entries[0].frame.vector);
    check("error code: the selector", CODE0, entries[0].frame.error);
    check("EIP", (u32)(uintptr_t)iret_inward_at, entries[0].frame.eip);
}

/* IRETD to ring 3 with DS, ES = ring-0 data: the processor takes them away. */
PROBE(null_segments, "mov %ds, %eax\n mov %es, %ecx\n mov %fs, %edx\n" EXIT);

static void iret_clears_segments(void)
{
    struct start start = {.eip = (u32)(uintptr_t)null_segments,
                          .cs = CODE3,
                          .eflags = FLAG_ONE,
                          .esp = ring_stack_top(3),
                          .ss = DATA3,
                          .ds = DATA0,
                          .es = DATA1,
                          .fs = DATA3};

    entry_count = 0;
    visit_start(&start);
    say("in ring 3: DS %04x, ES %04x, FS %04x", entries[0].frame.eax, entries[0].frame.ecx, entries[0].frame.edx);
    check("DS, loaded with DPL 0, is null in ring 3", 0, entries[0].frame.eax & 0xFFFF);
    check("ES, loaded with DPL 1, is null in ring 3", 0, entries[0].frame.ecx & 0xFFFF);
    check("FS, loaded with DPL 3, stays", DATA3, entries[0].frame.edx & 0xFFFF);
}

const struct stop stops_interrupt[] = {
    {"INT n from ring 3: interrupt gate, stack switch through the TSS, IRET", int_from_ring3},
    {"INT n from ring 0: interrupt gate, no stack switch", int_from_ring0},
    {"IRET to rings 1 and 2, INT n from there", int_from_each_ring},
    {"INT n from ring 3 through a gate with DPL 0: #GP(vector * 8 + 2)", int_denied},
    {"INT n through an absent gate: #NP; past the IDT: #GP", int_no_gate},
    {"Trap gate: IF survives", trap_gate},
    {"INT3 and INTO", int3_and_into},
    {"BOUND", bound},
    {"INT1 (F1h) through a gate with DPL 0", int1},
    {"INT n from ring 3 to a handler in ring 1", handler_in_ring1},
    {"INT n to conforming code: the ring stays", conforming},
    {"IRET to an inner ring: #GP(selector)", iret_to_inner_ring},
    {"IRET to an outer ring nulls DS and ES that it may not use", iret_clears_segments},
};
const unsigned stops_interrupt_count = ARRAY_LEN(stops_interrupt);

/* SPDX-License-Identifier: MIT
 * Stops: call gates, RETF, conforming code, LDT, 16-bit gates.
 * SDM 3A, "Call Gates", "Accessing a Code Segment Through a Call Gate", "Returning from a Called Procedure".
 */
#include "stops.h"

#define GATE_CALL(name, selector)                                                                                      \
    PROBE(name, "push $0x1111\n push $0x2222\n lcall $" #selector ", $0\n" AT(name##_next) "mov %es, %eax\n" EXIT);    \
    extern const char name##_next[]
GATE_CALL(gate_ring0, 0x93);
GATE_CALL(gate_ring1, 0x9B);
GATE_CALL(gate_ring2, 0xA3);
GATE_CALL(gate_1to0, 0xA8);

static void through_gate(unsigned from, unsigned to, const char *probe, const char *next)
{
    u32 inner = to == 0 ? kernel_stack_top() : inner_stack_top(to);

    for (unsigned i = 0; i < ARRAY_LEN(seen); i++)
        seen[i] = 0;
    visit(from, probe, NULL);
    say("ring %u -> ring %u: CS %04x, stack %04x:%08x; on it EIP %08x, CS %04x, parameters %x %x, ESP %08x, SS %04x",
        from, seen[0] & 3, seen[0], seen[1], seen[2], seen[3], seen[4] & 0xFFFF, seen[5], seen[6], seen[7],
        seen[8] & 0xFFFF);
    expect_entries(1);
    check("vector at the end", INT_EXIT, entries[0].frame.vector);
    check("times in the procedure", 1, seen[9]);
    check("CS in the procedure", ring_code(to), seen[0]);
    check("SS in the procedure", ring_data(to), seen[1]);
    check("ESP in the procedure: six words on the inner stack", inner - 24, seen[2]);
    check("return EIP", (u32)(uintptr_t)next, seen[3]);
    check("return CS", ring_code(from), seen[4] & 0xFFFF);
    check("parameter pushed last", 0x2222, seen[5]);
    check("parameter pushed first", 0x1111, seen[6]);
    check("caller's ESP", ring_stack_top(from) - 8, seen[7]);
    check("caller's SS", ring_data(from), seen[8] & 0xFFFF);
    check("after RETF 8: CS", ring_code(from), entries[0].frame.cs);
    check("after RETF 8: parameters released, ESP", ring_stack_top(from), entries[0].frame.esp);
    check("after RETF 8: ES of the inner ring is null", 0, entries[0].frame.eax & 0xFFFF);
}

static void gate_to_ring0(void) { through_gate(3, 0, gate_ring0, gate_ring0_next); }

static void gate_to_ring1(void) { through_gate(3, 1, gate_ring1, gate_ring1_next); }

static void gate_to_ring2(void) { through_gate(3, 2, gate_ring2, gate_ring2_next); }

static void gate_from_ring1(void) { through_gate(1, 0, gate_1to0, gate_1to0_next); }

PROBE(gate_same, "push $0x1111\n push $0x2222\n lcall $0xC8, $0\n" EXIT);

static void gate_same_ring(void)
{
    visit(0, gate_same, NULL);
    say("CS %04x, stack %04x:%08x, same stack: parameters are where the caller pushed them", seen[0], seen[1], seen[2]);
    check("CS", CODE0, seen[0]);
    check("ESP: two words and two parameters", ring_stack_top(0) - 16, seen[2]);
    check("parameter pushed last", 0x2222, seen[5]);
    check("after RETF 8: parameters released", ring_stack_top(0) - 12, entries[0].top);
}

PROBE(gate_denied, "lcall $0xC8, $0\n" EXIT);
PROBE(gate_not_there, "lcall $0xBB, $0\n" EXIT);
PROBE(gate_inner_direct, "lcall $0x08, $gate_inner_direct\n" EXIT);
PROBE(retf_inward, "push $0x08\n push $retf_inward\n" AT(retf_inward_at) "lret\n");
extern const char retf_inward_at[];

static void gates_denied(void)
{
    visit(3, gate_denied, NULL);
    expect_entry(0, V_GP, GATE_DPL0, 3, gate_denied, FLAG_ONE | FLAG_RF);
    visit(3, gate_not_there, NULL);
    expect_entry(0, V_NP, GATE_ABSENT & ~3, 3, gate_not_there, FLAG_ONE | FLAG_RF);
    visit(3, gate_inner_direct, NULL);
    expect_entry(0, V_GP, CODE0, 3, gate_inner_direct, FLAG_ONE | FLAG_RF);
    visit(3, retf_inward, NULL);
    show_entry(0);
    check("RETF to an inner ring: vector", V_GP, entries[0].frame.vector);
    check("RETF to an inner ring: error code", CODE0, entries[0].frame.error);
    check("RETF to an inner ring: EIP", (u32)(uintptr_t)retf_inward_at, entries[0].frame.eip);
}

PROBE(conforming_call, "lcall $0x68, $conforming_target\n" EXIT);
PROBE(conforming_jump, "push %cs\n push $1f\n ljmp $0x68, $conforming_target\n 1:" EXIT);

static void conforming_code(void)
{
    visit(3, conforming_call, NULL);
    say("far CALL to selector 0068: CS %04x, SS %04x: still ring %u", seen[0], seen[1], seen[0] & 3);
    check("far CALL: CS", CONFORMING | 3, seen[0]);
    check("far CALL: SS", DATA3, seen[1]);
    check("far CALL: end", INT_EXIT, entries[0].frame.vector);
    seen[0] = seen[1] = 0;
    visit(3, conforming_jump, NULL);
    say("far JMP to selector 0068: CS %04x, SS %04x", seen[0], seen[1]);
    check("far JMP: CS", CONFORMING | 3, seen[0]);
    check("far JMP: end", INT_EXIT, entries[0].frame.vector);
    check("after RETF: CS", CODE3, entries[0].frame.cs);
}

/* An LDT with one code segment at 0007h (DPL 3). */
static struct descriptor ldt[2];
PROBE(ldt_call, "lcall $0x0F, $ldt_target\n" EXIT "ldt_target: mov %cs, %eax\n mov %eax, seen\n lret\n");

static void ldt_code(void)
{
    const u16 selector = LDT;

    ldt[1] = *gdt_at(CODE3);
    gdt_set(LDT, (u32)(uintptr_t)ldt, sizeof ldt - 1, 0x82, 0);
    __asm__ volatile("lldt %0" : : "r"(selector));
    visit(3, ldt_call, NULL);
    say("far CALL to selector 000F: CS %04x, from the LDT", seen[0]);
    check("CS", 0x0F, seen[0]);
    check("end", INT_EXIT, entries[0].frame.vector);
    __asm__ volatile("lldt %0" : : "r"((u16)0));
    visit(3, ldt_call, NULL);
    expect_entry(0, V_GP, 0x0C, 3, ldt_call, FLAG_ONE | FLAG_RF);
}

extern const char code16_base[], user16[], user16_after_call[], user16_after_int[];

static void gates_16bit(void)
{
    u32 top = STACK_BYTES - 64;
    struct start start = {.eip = (u32)(user16 - code16_base),
                          .cs = CODE16_3,
                          .eflags = FLAG_ONE,
                          .esp = top,
                          .ss = STACK16_3,
                          .ds = DATA3,
                          .es = DATA3};

    entry_count = 0;
    for (unsigned i = 0; i < ARRAY_LEN(seen); i++)
        seen[i] = 0;
    visit_start(&start);
    say("16-bit call gate: CS %04x, stack %04x:%08x; IP %04x, CS %04x, parameter %04x, SP %04x, SS %04x", seen[0],
        seen[1], seen[2], seen[3], seen[4], seen[5], seen[6], seen[7]);
    check("call gate: CS", CODE16_0, seen[0]);
    check("call gate: SS", DATA0, seen[1]);
    check("call gate: five words of two bytes", kernel_stack_top() - 10, seen[2]);
    check("call gate: return IP", (u32)(user16_after_call - code16_base), seen[3]);
    check("call gate: return CS", CODE16_3, seen[4]);
    check("call gate: parameter", 0x1234, seen[5]);
    check("call gate: SP", top - 2, seen[6]);
    check("call gate: SS on the stack", STACK16_3, seen[7]);
    check("after RETF 2: SP", top, seen[15] & 0xFFFF);
    say("16-bit interrupt gate: IP %04x, CS %04x, FLAGS %04x, SP %04x, SS %04x", seen[9], seen[10], seen[11], seen[12],
        seen[13]);
    check("interrupt gate: five words of two bytes", kernel_stack_top() - 10, seen[8]);
    check("interrupt gate: return IP", (u32)(user16_after_int - code16_base), seen[9]);
    check("interrupt gate: return CS", CODE16_3, seen[10]);
    check("interrupt gate: FLAGS", FLAG_ONE, seen[11] & ~(u32)FLAGS_ARITHMETIC);
    check("interrupt gate: SP", top, seen[12]);
    check("interrupt gate: SS on the stack", STACK16_3, seen[13]);
    check("after IRET: SP", top, seen[16] & 0xFFFF);
    check("end", INT_EXIT, entries[0].frame.vector);
}

const struct stop stops_gate[] = {
    {"Call gate from ring 3 to ring 0 with two parameters, RETF 8", gate_to_ring0},
    {"Call gate from ring 3 to ring 1", gate_to_ring1},
    {"Call gate from ring 3 to ring 2", gate_to_ring2},
    {"Call gate from ring 1 to ring 0", gate_from_ring1},
    {"Call gate within ring 0", gate_same_ring},
    {"Call gates that deny; direct CALL and RETF to an inner ring", gates_denied},
    {"Conforming code by far CALL and far JMP", conforming_code},
    {"A code segment in the LDT; the same selector without an LDT", ldt_code},
    {"16-bit call gate and 16-bit interrupt gate", gates_16bit},
};
const unsigned stops_gate_count = ARRAY_LEN(stops_gate);

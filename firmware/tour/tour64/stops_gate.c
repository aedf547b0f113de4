/* SPDX-License-Identifier: MIT
 * Stops: 64-bit call gate, far transfers between 64-bit and compatibility mode, what long mode no longer has.
 * SDM 3A, "Call Gates" (64-bit mode), "Task Management in 64-bit Mode".
 */
#include "stops.h"

/* Behind the call gate. seen: CS, SS, RSP, four words of the stack. */
KERNEL_PROBE(call_gate_target,
             "mov %cs, %eax\n mov %rax, seen\n mov %ss, %eax\n mov %rax, seen + 8\n mov %rsp, seen + 16\n"
             "mov 0(%rsp), %rax\n mov %rax, seen + 24\n mov 8(%rsp), %rax\n mov %rax, seen + 32\n"
             "mov 16(%rsp), %rax\n mov %rax, seen + 40\n mov 24(%rsp), %rax\n mov %rax, seen + 48\n lretq\n");

PROBE(gate_long,
      "lcall *gate_pointer\n" AT(gate_long_next) EXIT AT(gate_long_end) "gate_pointer: .long 0\n .word 0x73\n");
PROBE_COMPAT(gate_compat, "lcall $0x73, $0\n" AT(gate_compat_next) EXIT AT(gate_compat_end));
extern const char gate_long_next[], gate_long_end[], gate_compat_next[], gate_compat_end[];

static void through_gate(enum place place, const char *probe, const char *next, const char *end)
{
    seen_clear();
    visit(place, probe, NULL);
    say("ring 3 %s -> ring %u: CS %04x, stack %04x:%08llx; on it RIP %08llx, CS %04x, RSP %08llx, SS %04x",
        place == COMPAT ? "compatibility" : "64-bit", (u32)seen[0] & 3, (u32)seen[0], (u32)seen[1],
        (unsigned long long)seen[2], (unsigned long long)seen[3], (u32)seen[4], (unsigned long long)seen[5],
        (u32)seen[6]);
    check("CS behind the gate", CODE0, seen[0]);
    check("SS behind the gate: null", 0, seen[1]);
    check("RSP behind the gate: four words below RSP0, no alignment", kernel_stack_top() - 32, seen[2]);
    check("return RIP", (u64)next, seen[3]);
    check("return CS", place_code(place), seen[4]);
    check("caller's RSP", stack_top(place), seen[5]);
    check("caller's SS", place_data(place), seen[6]);
    expect_entry(0, INT_EXIT, NO_ERROR, place, end, FLAG_ONE);
}

static void call_gate(void)
{
    through_gate(RING3, gate_long, gate_long_next, gate_long_end);
    through_gate(COMPAT, gate_compat, gate_compat_next, gate_compat_end);
}

/* Ring 3 goes from compatibility mode to 64-bit mode and back, as programs that mix both do. */
PROBE_COMPAT(mixed, "ljmp $0x2B, $mixed_long\n"
                    ".code64\n"
                    "mixed_long: mov %cs, %eax\n"
                    "mov $0x1122334455667788, %rcx\n"
                    "mov %rcx, seen + 8\n"
                    "mov %rax, seen\n"
                    "ljmp *mixed_back\n"
                    "mixed_back: .long mixed_compat\n .word 0x1B\n"
                    ".code32\n"
                    "mixed_compat: mov %cs, %eax\n"
                    "mov %eax, seen + 16\n" EXIT AT(mixed_end));
extern const char mixed_end[];

static void far_jump_between_modes(void)
{
    seen_clear();
    visit(COMPAT, mixed, NULL);
    say("CS %04x (64-bit: RCX took %llx), then CS %04x", (u32)seen[0], (unsigned long long)seen[1], (u32)seen[2]);
    check("CS in 64-bit mode", CODE3, seen[0]);
    check("a 64-bit register", 0x1122334455667788, seen[1]);
    check("CS in compatibility mode", CODE3_32, seen[2]);
    expect_entry(0, INT_EXIT, NO_ERROR, COMPAT, mixed_end, FLAG_ONE);
}

#define FAR_JUMP(name, selector) PROBE(name, "ljmp *1f\n 1: .long 2f\n .word " #selector "\n 2:" EXIT)
FAR_JUMP(jump_l_and_d, 0x98);
FAR_JUMP(jump_tss, 0x88);
FAR_JUMP(jump_task_gate, 0xA0);
FAR_JUMP(jump_absent, 0xF8);

static void far_jump_denied(void)
{
    say("code with L=1 and D=1:");
    visit(RING0, jump_l_and_d, NULL);
    expect_entry(0, V_GP, CODE_L_AND_D, RING0, jump_l_and_d, FAULTED);
    say("a TSS: no task switch in long mode");
    visit(RING0, jump_tss, NULL);
    expect_entry(0, V_GP, TSS_OTHER, RING0, jump_tss, FAULTED);
    say("a task gate:");
    visit(RING0, jump_task_gate, NULL);
    expect_entry(0, V_GP, TASK_GATE, RING0, jump_task_gate, FAULTED);
    say("past the GDT:");
    visit(RING0, jump_absent, NULL);
    expect_entry(0, V_GP, 0xF8, RING0, jump_absent, FAULTED);
}

const struct stop stops_gate[] = {
    {"64-bit call gate from ring 3, 64-bit and compatibility mode, RETFQ", call_gate},
    {"Far JMP from compatibility to 64-bit mode and back, in ring 3", far_jump_between_modes},
    {"Far JMP denied: L=1 with D=1, TSS, task gate, past the GDT", far_jump_denied},
};
const unsigned stops_gate_count = ARRAY_LEN(stops_gate);

/* SPDX-License-Identifier: MIT
 * Stops: hardware task switches.
 * SDM 3A, "Task Switching", "Task Linking".
 */
#include "stops.h"
#include "task.h"

static void expect_switch(unsigned count, bool nested)
{
    say("in the other task: TR %04x, NT=%u, link %04x, main %s, other %s, CR0.TS=%u", other_task.tr,
        other_task.eflags & FLAG_NT ? 1 : 0, other_task.link, other_task.main_busy ? "busy" : "available",
        other_task.other_busy ? "busy" : "available", other_task.cr0 & CR0_TS ? 1 : 0);
    check("times in the other task", count, other_task.count);
    check("TR inside", TSS_OTHER, other_task.tr);
    check("NT inside", nested ? FLAG_NT : 0, other_task.eflags & FLAG_NT);
    if (nested)
        check("link", TSS_MAIN, other_task.link);
    check("main task busy, inside", nested, other_task.main_busy);
    check("other task busy, inside", true, other_task.other_busy);
    check("CR0.TS inside", CR0_TS, other_task.cr0 & CR0_TS);
    check("TR after the return", TSS_MAIN, read_tr());
    check("main task busy, after", true, tss_is_busy(TSS_MAIN));
    check("other task busy, after", false, tss_is_busy(TSS_OTHER));
    __asm__ volatile("clts");
}

static void task_jump(void)
{
    other_task_prepare(true);
    __asm__ volatile("ljmp %0, $0" : : "i"(TSS_OTHER) : "memory", "cc");
    expect_switch(1, false);
}

static void task_call(void)
{
    other_task_prepare(false);
    __asm__ volatile("lcall %0, $0" : : "i"(TSS_OTHER) : "memory", "cc");
    expect_switch(1, true);
    check("NT in the saved image of the other task, after its IRET", 0, other_tss.eflags & FLAG_NT);
    __asm__ volatile("lcall %0, $0" : : "i"(TSS_OTHER) : "memory", "cc");
    expect_switch(2, true);
}

static void task_gate_call(void)
{
    other_task_prepare(false);
    __asm__ volatile("lcall %0, $0" : : "i"(GATE_TASK) : "memory", "cc");
    expect_switch(1, true);
}

PROBE(int_task, "int $0x47\n" AT(int_task_next) EXIT AT(int_task_end));
extern const char int_task_next[], int_task_end[];

static void task_gate_interrupt(void)
{
    other_task_prepare(false);
    visit(3, int_task, NULL);
    expect_switch(1, true);
    check("saved CS of the main task", CODE3, main_tss.tss.cs & 0xFFFF);
    check("saved EIP of the main task", (u32)(uintptr_t)int_task_next, main_tss.tss.eip);
    check("saved ESP of the main task", ring_stack_top(3), main_tss.tss.esp);
    expect_entry(0, INT_EXIT, NO_ERROR, 3, int_task_end, FLAG_ONE);
}

static void task_trap_bit(void)
{
    other_task_prepare(false);
    other_tss.trap = 1;
    write_dr6(0xFFFF0FF0);
    entry_count = 0;
    hook = hook_until_exit;
    __asm__ volatile("lcall %0, $0" : : "i"(TSS_OTHER) : "memory", "cc");
    hook = NULL;
    expect_entries(1);
    show_entry(0);
    check("vector", V_DB, entries[0].frame.vector);
    check("DR6.BT", 0x8000, entries[0].dr6 & 0xE00F);
    check("TR in the handler", TSS_OTHER, entries[0].tr);
    expect_switch(1, true);
}

PROBE(jump_other, "ljmp $0x58, $0\n" EXIT); /* TSS_OTHER */
PROBE(task_user, EXIT AT(task_user_next));
extern const char task_user_next[];

/* Far JMP from ring 0 straight into a task of an outer ring; its INT n uses that task's own ESP0. */
static void visit_task(void)
{
    other_tss.ss0 = DATA0;
    other_tss.esp0 = kernel_stack_top();
    visit(0, jump_other, NULL);
    tss_clear_busy(TSS_MAIN); /* that task was not left by a switch */
    tss_clear_busy(TSS_OTHER);
    load_tr(TSS_MAIN);
    __asm__ volatile("clts");
    check("TR in the handler", TSS_OTHER, entries[0].tr);
}

static void task_ring3(void)
{
    other_task_prepare(false);
    other_tss.eip = (u32)(uintptr_t)task_user;
    other_tss.cs = CODE3;
    other_tss.ss = other_tss.ds = other_tss.es = DATA3;
    other_tss.esp = ring_stack_top(3);
    visit_task();
    expect_entry(0, INT_EXIT, NO_ERROR, 3, task_user_next, FLAG_ONE);
}

static void task_vm86(void)
{
    u32 address = REAL_BASE;
    volatile u8 *code;

    __asm__("" : "+r"(address)); /* low memory: opaque to the compiler */
    code = (volatile u8 *)address;
    code[0] = 0xCD; /* INT n */
    code[1] = INT_EXIT;
    other_task_prepare(false);
    other_tss.eip = 0;
    other_tss.eflags = FLAG_ONE | FLAG_VM | FLAG_IOPL;
    other_tss.cs = other_tss.ss = REAL_BASE >> 4;
    other_tss.ds = 0x1234;
    other_tss.esp = 0x1000;
    visit_task();
    show_entry(0);
    check("vector", INT_EXIT, entries[0].frame.vector);
    check("pushed EFLAGS", FLAG_ONE | FLAG_VM | FLAG_IOPL, entries[0].frame.eflags & ~(u32)FLAGS_ARITHMETIC);
    check("pushed CS", REAL_BASE >> 4, entries[0].frame.cs);
    check("pushed IP", 2, entries[0].frame.eip);
    check("pushed DS, from the TSS", 0x1234, entries[0].frame.v86_ds & 0xFFFF);
}

PROBE(jump_busy, "ljmp $0x48, $0\n" EXIT);

static void task_busy(void)
{
    visit(0, jump_busy, NULL);
    expect_entry(0, V_GP, TSS_MAIN, 0, jump_busy, FLAG_ONE | FLAG_RF);
}

const struct stop stops_task[] = {
    {"Task switch by far JMP, and by JMP back", task_jump},
    {"Task switch by far CALL, IRET with NT=1 back; and again", task_call},
    {"Task switch by a task gate in the GDT", task_gate_call},
    {"Task switch by INT n from ring 3 through a task gate in the IDT", task_gate_interrupt},
    {"The T bit of a TSS: #DB before the new task's first instruction", task_trap_bit},
    {"Task switch from ring 0 to a task in ring 3", task_ring3},
    {"Task switch from ring 0 to a task in virtual-8086 mode", task_vm86},
    {"Far JMP to a busy task: #GP(selector)", task_busy},
};
const unsigned stops_task_count = ARRAY_LEN(stops_task);

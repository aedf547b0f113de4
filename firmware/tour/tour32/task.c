/* SPDX-License-Identifier: MIT
 * The two other hardware tasks.
 * SDM 3A, "Task Management".
 */
#include "task.h"

struct double_fault double_fault;
struct other_task other_task;
static u8 fault_stack[2048] __attribute__((aligned(16))), other_stack[2048] __attribute__((aligned(16)));
u32 other_leaves_by_jump;

void double_fault_record(u32 error);
void other_task_record(void);
extern const char double_fault_start[], other_task_start[];

__asm__(".pushsection .text\n"
        "double_fault_start: call double_fault_record\n" /* its argument is the error code that the processor pushed */
        "add $4, %esp\n"
        "iret\n" /* NT is set: back to the task in the link */
        "jmp double_fault_start\n"
        "other_task_start: call other_task_record\n"
        "cmpl $0, other_leaves_by_jump\n"
        "je 1f\n"
        "ljmp $0x48, $0\n" /* TSS_MAIN */
        "jmp other_task_start\n"
        "1: iret\n"
        "jmp other_task_start\n"
        ".popsection\n");

static u32 read_eflags(void)
{
    u32 value;

    __asm__ volatile("pushfl\n\tpopl %0" : "=r"(value));
    return value;
}

static struct tss kernel_task(const char *start, u32 esp)
{
    return (struct tss){.cr3 = read_cr3(),
                        .eip = (u32)(uintptr_t)start,
                        .eflags = FLAG_ONE,
                        .esp = esp,
                        .cs = CODE0,
                        .ss = DATA0,
                        .ds = DATA0,
                        .es = DATA0,
                        .io_map = sizeof(struct tss)};
}

void double_fault_prepare(void)
{
    double_fault = (struct double_fault){0};
    fault_tss = kernel_task(double_fault_start, (u32)(uintptr_t)fault_stack + sizeof fault_stack);
    main_tss.tss.cr3 = read_cr3();
}

void double_fault_record(u32 error)
{
    struct tss *old = &main_tss.tss;

    double_fault = (struct double_fault){.count = double_fault.count + 1,
                                         .error = error,
                                         .eflags = read_eflags(),
                                         .eip = old->eip,
                                         .cs = old->cs & 0xFFFF,
                                         .esp = old->esp,
                                         .cr2 = read_cr2(),
                                         .tr = read_tr(),
                                         .link = (u16)fault_tss.link};
    old->eip = (u32)(uintptr_t)visit_land;
    old->cs = CODE0;
    old->ss = old->ds = old->es = DATA0;
    old->fs = old->gs = 0;
    old->esp = kernel_stack_top();
    old->eflags = FLAG_ONE;
}

void other_task_prepare(bool leave_by_jump)
{
    other_task = (struct other_task){0};
    other_leaves_by_jump = leave_by_jump;
    other_tss = kernel_task(other_task_start, (u32)(uintptr_t)other_stack + sizeof other_stack);
    main_tss.tss.cr3 = read_cr3();
}

void other_task_record(void)
{
    other_task = (struct other_task){.count = other_task.count + 1,
                                     .eflags = read_eflags(),
                                     .cr0 = read_cr0(),
                                     .tr = read_tr(),
                                     .link = (u16)other_tss.link,
                                     .main_busy = tss_is_busy(TSS_MAIN),
                                     .other_busy = tss_is_busy(TSS_OTHER)};
}

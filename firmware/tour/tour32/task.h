/* SPDX-License-Identifier: MIT
 * The two other hardware tasks: the one that takes double faults, and one to switch to.
 */
#ifndef TOUR32_TASK_H
#define TOUR32_TASK_H

#include "kernel.h"

/* What the double-fault task saw. It then edits the main task's TSS so that IRET lands at the end of the visit. */
extern struct double_fault {
    u32 count, error, eflags, eip, cs, esp, cr2;
    u16 tr, link;
} double_fault;
void double_fault_prepare(void);

/* What the other task saw. */
extern struct other_task {
    u32 count, eflags, cr0;
    u16 tr, link;
    bool main_busy, other_busy;
} other_task;
/* Make it start at its beginning; it leaves by IRET or by far JMP to the main task. */
void other_task_prepare(bool leave_by_jump);

#endif

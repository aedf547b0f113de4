/* SPDX-License-Identifier: MIT
 * The registers behind the entries of the kernel: which they are, and what a value of each means.
 */
#ifndef RINGSIDE_TRACE_VIEW_MSR_WORDS_H
#define RINGSIDE_TRACE_VIEW_MSR_WORDS_H

#include <stdio.h>

#include "trace/names.h"

enum entry_msr {
    ENTRY_EFER,
    ENTRY_STAR,
    ENTRY_LSTAR,
    ENTRY_CSTAR,
    ENTRY_FMASK,
    ENTRY_SYSENTER_CS,
    ENTRY_SYSENTER_ESP,
    ENTRY_SYSENTER_EIP,
    ENTRY_FS_BASE,
    ENTRY_GS_BASE,
    ENTRY_KERNEL_GS_BASE,
    ENTRY_MSRS
};

/* returns: ENTRY_MSRS for a register that is none of them */
enum entry_msr entry_msr_of(u32 number);
u32 entry_msr_number(enum entry_msr m);
/* "LSTAR", without the manual's IA32_; for any register, "MSR c0000082" where it has no name. */
void msr_label(u32 number, char *out, size_t size);
/* What the value of a register means, in words and with a blank before: " <entry_SYSCALL_64>", " SCE LME NXE". Prints
 * nothing where the number says it all. in: names  may be NULL; cpu  the processor that holds it */
void msr_print_meaning(FILE *out, const struct names *names, u32 number, u64 value, unsigned cpu);

#endif

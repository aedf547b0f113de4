/* SPDX-License-Identifier: MIT
 * Which entry each register serves: how often SYSCALL and SYSENTER were used, from which code, and where they lead.
 */
#ifndef RINGSIDE_TRACE_VIEW_MSR_ENTRIES_H
#define RINGSIDE_TRACE_VIEW_MSR_ENTRIES_H

#include "trace/event.h"
#include "trace/view/msr_words.h"

/* The code that an instruction stands in, as far as it decides what the instruction does. */
enum entry_code { CODE_64BIT, CODE_COMPAT, CODE_LEGACY, CODE_KINDS };

/* Zero-initialised: nothing seen. */
struct entry_use {
    u64 syscall[CODE_KINDS], sysenter[CODE_KINDS];       /* that passed the door */
    u64 syscall_ud[CODE_KINDS], sysenter_ud[CODE_KINDS]; /* refused: SC-01, SC-02, SE-07 */
    bool long_mode;
    u64 writes[ENTRY_MSRS];
    u64 value[ENTRY_MSRS]; /* after the last write, 0 (as after reset) before the first */
};

void entry_use_event(struct entry_use *u, const struct event_record *e);
/* The table, and the answer to whether CSTAR and SYSENTER_EIP hold the same value. */
void entry_use_print(FILE *out, const struct entry_use *u, const struct names *names, bool amd);
/* The members "entries" and "cstar_equals_sysenter_eip" of a JSON object, with a comma before each. */
void entry_use_print_json(FILE *out, const struct entry_use *u, const struct names *names, bool amd);

#endif

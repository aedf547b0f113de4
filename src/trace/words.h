/* SPDX-License-Identifier: MIT
 * Parts of an event in words, shared by the renderings.
 */
#ifndef RINGSIDE_TRACE_WORDS_H
#define RINGSIDE_TRACE_WORDS_H

#include <stdio.h>

#include "linux/linux.h"
#include "trace/event.h"
#include "trace/names.h"

#define COLOR_IN "\033[33m"
#define COLOR_OUT "\033[32m"
#define COLOR_FAULT "\033[31m"
#define COLOR_DIM "\033[2m"
#define COLOR_END "\033[0m"

/* "0010:ffffffff81c00000" in as many digits as the mode has. */
void words_address(FILE *out, u16 selector, u64 offset, unsigned mode);
/* The same, with the name of what stands there behind it. in: names  may be NULL */
void words_place(FILE *out, const struct names *names, u16 selector, u64 offset, unsigned mode);
/* "sh[120]"; nothing when the task is NULL or not known. in: before  printed first */
void words_task(FILE *out, const char *before, const struct guest_task *task);
/* An error code in words, by what its vector makes of it: "write to a page that is not present, by user code",
 * "selector 0040 in the GDT".
 * in:      before  printed first
 * returns: false, with nothing printed, when it says nothing: #GP(0), #DF(0), no error code at all */
bool words_error(FILE *out, const char *before, const struct event_record *e);
bool words_error_code(FILE *out, const char *before, unsigned vector, u32 error);
/* Text as a JSON string, with its quotation marks. Bytes that are no UTF-8 become U+FFFD. */
void words_json(FILE *out, const char *text);
/* " #PF(6) write to a page that is not present, by user code": vector, error code, and that in words. */
void words_cause(FILE *out, const struct event_record *e);
/* "  [SG-07: subject]": the broken rule; nothing when none is named. */
void words_rule(FILE *out, const struct event_record *e);
/* The flags that are set, "IF ZF", a blank between two. IOPL is "IOPL=3" where it is not 0. */
void words_flag_names(FILE *out, u64 rflags);
/* RFLAGS as "IF ZF IOPL=3". */
void words_flags(FILE *out, u64 rflags);
/* Name of MSR i that the mechanism read: "IA32_LSTAR". */
const char *words_msr(const struct event_record *e, unsigned i);
u32 words_msr_number(const struct event_record *e, unsigned i); /* 0: there is no such */
/* "user mode", "kernel mode"... of a ring in a mode. */
const char *words_ring(unsigned cpl);
/* "amd64", "i386", "x32". */
const char *words_abi(enum linux_abi abi);
const char *words_color(const struct event_record *e);

#endif

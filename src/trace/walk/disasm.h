/* SPDX-License-Identifier: MIT
 * Instructions as text, by Capstone.
 */
#ifndef RINGSIDE_TRACE_WALK_DISASM_H
#define RINGSIDE_TRACE_WALK_DISASM_H

#include "base/types.h"

struct disasm;

/* Never returns NULL (aborts when the host has no memory). */
struct disasm *disasm_new(void);
void disasm_free(struct disasm *d);
/* "mov rax, qword ptr [rsp]". Bytes that Capstone does not know are given in hexadecimal.
 * in: mode  enum cpu_mode */
void disasm_text(struct disasm *d, unsigned mode, u64 address, const u8 *bytes, size_t length, char *out, size_t size);

#endif

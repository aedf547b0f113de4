/* SPDX-License-Identifier: MIT
 * One instruction as text, by Capstone.
 */
#ifndef RINGSIDE_TRACE_DISASSEMBLE_H
#define RINGSIDE_TRACE_DISASSEMBLE_H

#include "cpu/cpu.h"

/* The first instruction of the bytes in the AT&T syntax: "mov %eax,0x8(%rbx)".
 * in:      size  of out, at least 1; address  linear, for branch targets; mode  of the code
 * returns: its length in bytes; 0, with out empty, when the bytes are no whole instruction */
unsigned disassemble(char *out, size_t size, const u8 *bytes, size_t length, u64 address, enum cpu_mode mode);

#endif

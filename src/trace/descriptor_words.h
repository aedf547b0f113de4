/* SPDX-License-Identifier: MIT
 * Descriptors, gates and paging entries as raw bytes and in words, for every view that shows them.
 */
#ifndef RINGSIDE_TRACE_DESCRIPTOR_WORDS_H
#define RINGSIDE_TRACE_DESCRIPTOR_WORDS_H

#include <stdio.h>

#include "trace/fault/retrace.h"

/* "GDT 0010", "LDT 000c": the table and the index in bytes. */
void words_selector(FILE *out, u16 selector);
/* The raw bytes as one or two words of hex, the high one first as in the manuals: "00cf9b00_0000ffff". */
void words_raw(FILE *out, const struct descriptor *d, unsigned bytes);
/* A code or data segment, a TSS, an LDT, a gate: "64-bit code, DPL 0, present, readable, accessed". long_mode says what
 * the types of system descriptors mean. */
void words_descriptor(FILE *out, const struct descriptor *d, bool long_mode);
/* The name of the type alone: "64-bit interrupt gate", "data", "no descriptor (type 0)". */
const char *words_descriptor_type(const struct descriptor *d, bool long_mode);
/* The bits of a paging entry: "present, writable, user, accessed"; in: level, leaf, paging_levels  as in struct
 * fault_walk */
void words_paging_entry(FILE *out, u64 entry, unsigned level, bool leaf, unsigned paging_levels);

#endif

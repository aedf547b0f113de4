/* SPDX-License-Identifier: MIT
 * Descriptors and gates as they stand in their tables, told field by field.
 * SDM 3A, "Segment Descriptors", "System Descriptor Types", "IDT Descriptors", "64-Bit Mode IDT".
 */
#ifndef RINGSIDE_TRACE_VIEW_DESCRIPTOR_FIELDS_H
#define RINGSIDE_TRACE_VIEW_DESCRIPTOR_FIELDS_H

#include <stdio.h>

#include "trace/names.h"

/* Raw bytes, then the fields, in indented lines. A system descriptor of 16 bytes is one of long mode, as is an IDT
 * entry of 16; of fewer than 8 bytes nothing can be told, and that is said. in: names  for the gate's target; may be
 * NULL.  long_mode: the processor was in it (8-byte gates are those of a call gate's lower half otherwise) */
void descriptor_print_fields(FILE *out, const struct names *names, u64 address, const u8 *bytes, u32 size,
                             bool long_mode);

#endif

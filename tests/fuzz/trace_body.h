/* SPDX-License-Identifier: MIT
 * The fuzzed part of a trace file: its bytes from behind the schema section on, called the body. The head (magic and
 * schema) is always this program's own, else no input would get past it.
 */
#ifndef RINGSIDE_TESTS_FUZZ_TRACE_BODY_H
#define RINGSIDE_TESTS_FUZZ_TRACE_BODY_H

#include "trace/file/file.h"

/* Magic and schema section, as they stand before every body. The caller frees. */
u8 *trace_body_head(size_t *size);

/* Make a changed body consistent again: lengths that fit, the sums of every section, offsets of the index, the footer.
 * What the sections hold stays as it is, so that a reader gets to see it. */
void trace_body_repair(u8 *body, size_t size);

#endif

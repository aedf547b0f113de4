/* SPDX-License-Identifier: MIT
 * A paired system call together with the memory that was kept for it, as the printer takes it.
 */
#ifndef RINGSIDE_TRACE_DECODE_H
#define RINGSIDE_TRACE_DECODE_H

#include "trace/calls.h"
#include "trace/pieces.h"

struct decoded {
    struct pieces_memory in, out;
    struct linux_call call;
    bool interrupted, restarts; /* a signal handler runs first; then the call is made again */
};

/* in: pieces  of the entry and of the return together; outlives d, which must not be copied (it points into itself) */
void decode_call(struct decoded *d, const struct call *call, const struct pieces *pieces);

#endif

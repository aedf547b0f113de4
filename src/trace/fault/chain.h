/* SPDX-License-Identifier: MIT
 * A chain of faults that no handler saw, from the first to the double fault or the shutdown: gathered while it happens
 * or from a recording, with the data that explains each.
 */
#ifndef RINGSIDE_TRACE_FAULT_CHAIN_H
#define RINGSIDE_TRACE_FAULT_CHAIN_H

#include "trace/fault/data.h"
#include "trace/fault/retrace.h"

#define FAULT_CHAIN_STEPS 8u
#define FAULT_STEP_PIECES 24u
#define FAULT_PIECE_BYTES 4096u

struct fault_piece {
    enum data_kind kind;
    u64 address;
    u32 size;
    u8 *bytes;
};

struct fault_step {
    u64 tick;
    struct fault_site site;
    unsigned pieces;
    struct fault_piece piece[FAULT_STEP_PIECES];
};

struct fault_chain {
    unsigned steps;
    u64 forgotten; /* steps before step[0], of a chain longer than is kept */
    struct fault_step step[FAULT_CHAIN_STEPS];
};

/* What became of a fault. */
enum fault_fate {
    FATE_FAILED, /* its delivery failed: the next step is what that raised */
    FATE_JOINED, /* raised by the delivery of the step before, it became a double fault or shutdown with it */
};

/* Zero-initialised is empty. */
void fault_chain_clear(struct fault_chain *chain);
/* The next undelivered fault. It begins a new chain when time has passed since the one before. */
void fault_chain_step(struct fault_chain *chain, u64 tick, const struct fault_site *site);
/* A piece of the last step's data. What is too much, or too large, is not kept. A fault_data_fn. in: context  the chain
 */
void fault_chain_piece(void *context, enum data_kind kind, u64 address, const void *bytes, u32 size);

/* in: i < chain->steps */
enum fault_fate fault_chain_fate(const struct fault_chain *chain, unsigned i);

/* The first piece of a kind; NULL. Its registers; NULL when they were not kept. */
const struct fault_piece *fault_step_piece(const struct fault_step *step, enum data_kind kind);
bool fault_step_registers(const struct fault_step *step, struct fault_registers *r);
/* The step's pieces as memory. */
struct retrace_memory fault_step_memory(const struct fault_step *step);

#endif

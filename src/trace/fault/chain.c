/* SPDX-License-Identifier: MIT
 * Gathering a chain of undelivered faults.
 */
#include "trace/fault/chain.h"

#include <stdlib.h>

static void step_clear(struct fault_step *step)
{
    for (unsigned i = 0; i < step->pieces; i++)
        free(step->piece[i].bytes);
    step->pieces = 0;
}

void fault_chain_clear(struct fault_chain *chain)
{
    for (unsigned i = 0; i < chain->steps; i++)
        step_clear(&chain->step[i]);
    chain->steps = 0;
    chain->forgotten = 0;
}

/* A fault and what its delivery raises are reported at one tick, and the delivery of a pending fault takes the next. */
static bool continues(const struct fault_chain *chain, u64 tick)
{
    u64 last = chain->steps == 0 ? 0 : chain->step[chain->steps - 1].tick;

    return chain->steps != 0 && tick >= last && tick - last <= 1;
}

void fault_chain_step(struct fault_chain *chain, u64 tick, const struct fault_site *site)
{
    struct fault_step *step;

    if (!continues(chain, tick))
        fault_chain_clear(chain);
    if (chain->steps == FAULT_CHAIN_STEPS) {
        step_clear(&chain->step[0]);
        memmove(&chain->step[0], &chain->step[1], (FAULT_CHAIN_STEPS - 1) * sizeof chain->step[0]);
        chain->steps--;
        chain->forgotten++;
    }
    step = &chain->step[chain->steps++];
    step->tick = tick;
    step->site = *site;
    step->pieces = 0;
}

void fault_chain_piece(void *context, enum data_kind kind, u64 address, const void *bytes, u32 size)
{
    struct fault_chain *chain = context;
    struct fault_step *step;
    u8 *copy;

    if (chain->steps == 0 || size == 0 || size > FAULT_PIECE_BYTES)
        return;
    step = &chain->step[chain->steps - 1];
    if (step->pieces == FAULT_STEP_PIECES)
        return;
    copy = malloc(size);
    if (copy == NULL)
        abort();
    memcpy(copy, bytes, size);
    step->piece[step->pieces++] = (struct fault_piece){.kind = kind, .address = address, .size = size, .bytes = copy};
}

/* A fault that is handled in its own turn comes again, as the one whose delivery fails, at a later tick. One that made
 * a double fault or shutdown is reported beside the first, at the same tick. */
enum fault_fate fault_chain_fate(const struct fault_chain *chain, unsigned i)
{
    if (i == 0 || chain->step[i].tick != chain->step[i - 1].tick)
        return FATE_FAILED;
    return fault_chain_fate(chain, i - 1) == FATE_FAILED ? FATE_JOINED : FATE_FAILED;
}

const struct fault_piece *fault_step_piece(const struct fault_step *step, enum data_kind kind)
{
    for (unsigned i = 0; i < step->pieces; i++)
        if (step->piece[i].kind == kind)
            return &step->piece[i];
    return NULL;
}

bool fault_step_registers(const struct fault_step *step, struct fault_registers *r)
{
    const struct fault_piece *p = fault_step_piece(step, DATA_REGISTERS);

    if (p == NULL || p->size != sizeof *r)
        return false;
    memcpy(r, p->bytes, sizeof *r);
    return true;
}

static bool read_piece(void *context, enum data_kind kind, u64 address, void *out, u32 size)
{
    const struct fault_step *step = context;

    for (unsigned i = 0; i < step->pieces; i++) {
        const struct fault_piece *p = &step->piece[i];

        if (p->kind == kind && address >= p->address && address - p->address <= p->size &&
            size <= p->size - (address - p->address)) {
            memcpy(out, p->bytes + (address - p->address), size);
            return true;
        }
    }
    return false;
}

struct retrace_memory fault_step_memory(const struct fault_step *step)
{
    return (struct retrace_memory){.context = (void *)(uintptr_t)step, .read = read_piece};
}

/* SPDX-License-Identifier: MIT
 * A system call and its memory, as the printer takes it.
 */
#include "trace/decode.h"

#define RESTARTS 512 /* ERESTARTSYS */

void decode_call(struct decoded *d, const struct call *call, const struct pieces *pieces)
{
    pieces_memory_init(&d->in, pieces, DATA_MEMORY_IN);
    pieces_memory_init(&d->out, pieces, DATA_MEMORY_OUT);
    call_linux(call, &d->in.memory, call->exit_id ? &d->out.memory : NULL, &d->call);
    d->interrupted = call->end == CALL_SIGNAL;
    d->restarts = call->end == CALL_RESTARTED;
    for (size_t i = 0; d->interrupted && i < pieces->count; i++) {
        struct data_piece piece = pieces_get(pieces, i);
        u64 word[2];

        if (piece.kind != DATA_SIGNAL || piece.size != sizeof word)
            continue;
        memcpy(word, piece.bytes, sizeof word);
        d->restarts = word[0] == call->entry.from_rip;
        d->call.result = call_result(call->abi, word[1]);
    }
    if (d->restarts)
        d->call.result = -RESTARTS; /* not what RAX holds: nothing was filled */
}

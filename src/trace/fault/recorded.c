/* SPDX-License-Identifier: MIT
 * A chain of faults gathered from a recording.
 */
#include "trace/fault/page.h"
#include "trace/file/reader.h"

/* Undelivered faults follow one another closely; between two stand at most what became known of the guest, and a task
 * switch. A chain that is longer than this is shown from its middle on. */
#define LOOK_BACK 64u

bool fault_page_ends(const struct event_record *e)
{
    return event_is_transition(e) &&
           (e->mechanism == MECH_SHUTDOWN || (e->mechanism == MECH_ABORT && e->vector == VEC_DF));
}

static struct fault_site site_of(const struct event_record *e)
{
    return (struct fault_site){
        .vector = e->vector,
        .has_error = (e->present & EVENT_HAS_ERROR) != 0,
        .error = e->error,
        .cr2 = e->cr2,
        .rule = e->rule,
        .from = {e->from_rip, e->from_rsp, e->from_rflags, e->from_cr3, e->from_gs_base, e->from_kernel_gs_base,
                 e->from_cs, e->from_ss, e->from_cpl, e->from_mode},
    };
}

static void take(struct fault_chain *chain, struct trace_reader *r, const struct event_record *e)
{
    struct fault_site site = site_of(e);
    const struct data_piece *piece;

    fault_chain_step(chain, e->ticks, &site);
    for (size_t i = 0; (piece = trace_reader_data(r, i)) != NULL; i++)
        fault_chain_piece(chain, (enum data_kind)piece->kind, piece->address, piece->bytes, piece->size);
}

void fault_page_recorded(FILE *out, struct trace_reader *r, u64 id)
{
    enum fault_page_end end = FAULT_PAGE_SHUTDOWN;
    struct fault_chain chain = {0};
    const struct event_record *e;
    u64 ticks = 0, at;

    trace_reader_seek(r, id > LOOK_BACK ? id - LOOK_BACK : 1);
    while ((e = trace_reader_next(r, NULL, &at)) != NULL && at <= id) {
        if (e->kind == EVENT_KIND_UNDELIVERED)
            take(&chain, r, e);
        if (at != id)
            continue;
        ticks = e->ticks;
        if (e->mechanism == MECH_ABORT)
            end = FAULT_PAGE_DOUBLE_FAULT;
        break;
    }
    /* A double fault is delivered at the tick after the fault that made it. */
    if (chain.steps != 0 && ticks - chain.step[chain.steps - 1].tick <= 1) {
        fputc('\n', out);
        fault_page_print(out, &chain, trace_reader_names(r), end);
        fputc('\n', out);
    }
    fault_chain_clear(&chain);
}

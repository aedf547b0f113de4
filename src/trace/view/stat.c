/* SPDX-License-Identifier: MIT
 * Statistics of a recording: per mechanism, ring pair, vector and mode; per system call; per process. What lies between
 * an entry from ring 3 and the return to it comes from the pairing (calls.h).
 */
#include <stdlib.h>

#include "trace/view/call_tally.h"
#include "trace/view/histogram.h"
#include "trace/view/process_tally.h"
#include "trace/view/views.h"

typedef unsigned long long ull;

/* An entry from ring 3 by how and from which code. */
struct entry_kind {
    u64 entries;
    struct histogram inside;
};

struct statistics {
    u64 events, kinds[EVENT_KINDS];
    u64 mechanisms[MECHANISMS], first_tick, last_tick;
    u64 rings[4][4];
    u64 vectors[MECHANISMS][256];
    struct entry_kind entry[MECHANISMS][MODE_LONG + 1];
    struct histogram inside[MECHANISMS]; /* over all modes */
    u64 never;                           /* entries that never returned */
    const struct trace_filter *filter;
    struct calls *calls;
    struct call_tally *syscalls;
    struct process_tally *processes;
};

static bool from_ring3(const struct event_record *e)
{
    return e->from_cpl == 3 && e->to_cpl < 3 && e->mechanism < MECHANISMS && e->from_mode <= MODE_LONG;
}

static void count_event(struct statistics *s, const struct event_record *e)
{
    if (s->events++ == 0)
        s->first_tick = e->ticks;
    s->last_tick = e->ticks;
    s->kinds[e->kind % EVENT_KINDS]++;
    if (!event_is_transition(e))
        return;
    s->mechanisms[e->mechanism % MECHANISMS]++;
    s->rings[e->from_cpl & 3][e->to_cpl & 3]++;
    if (e->present & EVENT_HAS_VECTOR)
        s->vectors[e->mechanism % MECHANISMS][e->vector]++;
}

/* An entry is counted with its end, when everything is known of it that a filter may ask for. */
static void count_call(void *context, struct call *call)
{
    struct statistics *s = context;
    struct trace_context c = {.id = call->entry_id, .event = &call->entry, .task = &call->task, .call = call};
    const struct event_record *e = &call->entry;

    if (!from_ring3(e) || !trace_filter_match(s->filter, &c))
        return;
    s->entry[e->mechanism][e->from_mode].entries++;
    process_tally_add(s->processes, e, &call->task);
    if (call->is_syscall)
        call_tally_add(s->syscalls, call);
    if (call->end == CALL_OPEN || call->end == CALL_NEVER) {
        s->never++;
        return;
    }
    histogram_add(&s->entry[e->mechanism][e->from_mode].inside, call->insns_inside);
    histogram_add(&s->inside[e->mechanism], call->insns_inside);
}

/* The pairing looks at every event, so that a filter never breaks a pair. */
static void count(struct statistics *s, struct trace_reader *r, u64 id, const struct event_record *e)
{
    const struct guest_task *task = trace_reader_task(r);
    struct call *call = NULL;
    enum call_news news = calls_event(s->calls, id, e, task, &call);
    struct trace_context c = {.id = id, .event = e, .task = task};
    const struct data_piece *piece;

    for (size_t i = 0; news == CALL_ENDS && call->end == CALL_SIGNAL && (piece = trace_reader_data(r, i)) != NULL; i++)
        call_signal_frame(call, piece);
    if (news == CALL_BEGINS || news == CALL_ENDS)
        c.call = call;
    if (trace_filter_match(s->filter, &c))
        count_event(s, e);
    if (news == CALL_ENDS)
        count_call(s, call);
}

/* ---- printing */

static void print_vectors(FILE *out, const struct statistics *s)
{
    bool any = false;

    for (unsigned v = 0; v < 256; v++)
        for (unsigned m = 0; m < MECHANISMS; m++)
            if (s->vectors[m][v]) {
                const char *name = event_exception_name(m, v);

                if (!any)
                    fprintf(out, "\n%-12s %-10s %12s\n", "vector", "mechanism", "count");
                any = true;
                fprintf(out, "%3u 0x%02x %-3s %-10s %12llu\n", v, v, name ? name : "", event_mechanism_name(m),
                        (ull)s->vectors[m][v]);
            }
}

static void print_entries(FILE *out, const struct statistics *s, bool histogram)
{
    bool any = false;

    for (unsigned m = 0; m < MECHANISMS; m++)
        for (unsigned mode = 0; mode <= MODE_LONG; mode++) {
            const struct entry_kind *k = &s->entry[m][mode];
            const struct histogram *h = &k->inside;

            if (!k->entries)
                continue;
            if (!any)
                fprintf(out,
                        "\ninstructions between an entry from ring 3 and its return\n%-12s %-10s %10s "
                        "%10s" HISTOGRAM_COLUMNS "\n",
                        "entry", "code", "entries", "returned", "min", "median", "p99", "max");
            any = true;
            fprintf(out, "%-12s %-10s %10llu %10llu", event_mechanism_name(m), event_mode_name(mode), (ull)k->entries,
                    (ull)h->count);
            histogram_print_columns(out, h);
            fputc('\n', out);
            if (histogram)
                histogram_print(out, h);
        }
    fprintf(out, "%sunpaired: %llu entries (never returned), %llu exits in the whole recording (new tasks, and what was under way)\n",
            any ? "" : "\n", (ull)s->never, (ull)calls_counts(s->calls).unpaired_exits);
}

static void print_text(FILE *out, const struct statistics *s, bool histogram)
{
    fprintf(out, "%llu events, ticks %llu to %llu\n\n", (ull)s->events, (ull)s->first_tick, (ull)s->last_tick);
    fprintf(out, "%-12s %12s\n", "mechanism", "count");
    for (unsigned m = 0; m < MECHANISMS; m++)
        if (s->mechanisms[m])
            fprintf(out, "%-12s %12llu\n", event_mechanism_name(m), (ull)s->mechanisms[m]);
    for (unsigned k = EVENT_KIND_TRANSITION + 1; k < EVENT_KINDS; k++)
        if (s->kinds[k])
            fprintf(out, "%-12s %12llu  (beside transitions)\n", event_kind_name(k), (ull)s->kinds[k]);

    fprintf(out, "\n%-12s %12s %12s %12s %12s\n", "from \\ to", "ring 0", "ring 1", "ring 2", "ring 3");
    for (unsigned from = 0; from < 4; from++)
        fprintf(out, "ring %-7u %12llu %12llu %12llu %12llu\n", from, (ull)s->rings[from][0], (ull)s->rings[from][1],
                (ull)s->rings[from][2], (ull)s->rings[from][3]);
    print_vectors(out, s);
    print_entries(out, s, histogram);
    call_tally_print(out, s->syscalls, histogram);
    process_tally_print(out, s->processes);
}

static void print_json(FILE *out, const struct statistics *s, const struct trace_reader *r)
{
    const char *digest = trace_properties_get(trace_reader_end(r), "digest"), *separator = "";

    fprintf(out, "{\"events\":%llu,\"first_tick\":%llu,\"last_tick\":%llu,\"digest\":\"%s\",\"mechanisms\":{",
            (ull)s->events, (ull)s->first_tick, (ull)s->last_tick, digest ? digest : "");
    for (unsigned m = 0; m < MECHANISMS; m++) {
        const struct histogram *h = &s->inside[m];

        if (!s->mechanisms[m] && !h->count)
            continue;
        fprintf(out, "%s\"%s\":{\"count\":%llu", separator, event_mechanism_name(m), (ull)s->mechanisms[m]);
        if (h->count)
            fprintf(out, ",\"returned\":%llu,\"min\":%llu,\"median\":%llu,\"p99\":%llu,\"max\":%llu", (ull)h->count,
                    (ull)h->min, (ull)histogram_quantile(h, 500), (ull)histogram_quantile(h, 990), (ull)h->max);
        fprintf(out, "}");
        separator = ",";
    }
    fprintf(out, "},\"rings\":[");
    for (unsigned from = 0; from < 4; from++)
        fprintf(out, "%s[%llu,%llu,%llu,%llu]", from ? "," : "", (ull)s->rings[from][0], (ull)s->rings[from][1],
                (ull)s->rings[from][2], (ull)s->rings[from][3]);
    fprintf(out, "],\"syscalls\":");
    call_tally_print_json(out, s->syscalls);
    fprintf(out, ",\"processes\":");
    process_tally_print_json(out, s->processes);
    fprintf(out, ",\"unpaired_entries\":%llu,\"unpaired_exits\":%llu}\n", (ull)s->never,
            (ull)calls_counts(s->calls).unpaired_exits);
}

static struct statistics *statistics_new(const struct trace_filter *filter, bool linux_kernel)
{
    struct statistics *s = calloc(1, sizeof *s);

    if (!s)
        abort();
    s->filter = filter;
    s->calls = calls_new(linux_kernel);
    calls_on_drop(s->calls, count_call, s);
    s->syscalls = call_tally_new();
    s->processes = process_tally_new();
    return s;
}

static void statistics_free(struct statistics *s)
{
    for (unsigned m = 0; m < MECHANISMS; m++) {
        histogram_free(&s->inside[m]);
        for (unsigned mode = 0; mode <= MODE_LONG; mode++)
            histogram_free(&s->entry[m][mode].inside);
    }
    calls_free(s->calls);
    call_tally_free(s->syscalls);
    process_tally_free(s->processes);
    free(s);
}

enum exit_code trace_stat(FILE *out, const char *path, const struct trace_filter *filter, const struct trace_view *view,
                          struct error *err)
{
    struct trace_reader *r = trace_reader_open(path, err);
    struct statistics *s;
    const struct event_record *e;
    u64 id;

    if (!r)
        return EXIT_FILE;
    s = statistics_new(filter, trace_reader_names(r)->kernel != NULL);
    while ((e = trace_reader_next(r, NULL, &id)) != NULL)
        count(s, r, id, e);
    calls_finish(s->calls);
    if (view && view->format == TRACE_JSON) {
        print_json(out, s, r);
    } else {
        if (!view || !view->no_header) {
            view_header(out, r);
            view_end(out, r);
        }
        print_text(out, s, view && view->histogram);
    }
    if (trace_filter_needs_task(filter) && !trace_reader_names(r)->kernel)
        view_no_tasks(path, view);
    statistics_free(s);
    view_close(r, path, view);
    return EXIT_OK;
}

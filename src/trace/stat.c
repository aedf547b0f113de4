/* SPDX-License-Identifier: MIT
 * Statistics of a recording: per mechanism, ring pair, vector and mode, and the instructions between an entry from ring
 * 3 and the return to it.
 *
 * Pairing is by what the processor did. An entry from ring 3 is open under (CR3, RSP) of its user side; the exit to
 * ring 3 with the same CR3 and RSP closes it when it also returns to the entry's RIP or just past its instruction.
 * Nothing else is paired: a signal frame, a new program or a new thread leaves ring 3 state that no entry had.
 */
#include <stdlib.h>

#include "trace/views.h"

typedef unsigned long long ull;

#define OPEN_SLOTS 65536u /* open entries; a power of two */
#define OPEN_PROBES 16u
#define SUB_BUCKETS 128u /* per power of two: values within 1 % */
#define BUCKETS (58u * SUB_BUCKETS)

struct histogram {
    u64 count, min, max;
    u64 bucket[BUCKETS];
};

struct open_entry {
    u64 cr3, rsp, rip, retired;
    u64 age; /* number of the entry; 0: free */
    u8 mechanism;
};

struct statistics {
    u64 events, kinds[EVENT_KINDS];
    u64 mechanisms[MECHANISMS], first_tick, last_tick;
    u64 rings[4][4];
    u64 vectors[MECHANISMS][256];
    u64 entry_modes[MECHANISMS][MODE_LONG + 1];
    u64 entries, paired, unpaired_exits;
    struct histogram *inside[MECHANISMS];
    struct open_entry open[OPEN_SLOTS];
};

static unsigned bucket_of(u64 value)
{
    unsigned shift;

    if (value < SUB_BUCKETS)
        return (unsigned)value;
    shift = 63u - 7u - (unsigned)__builtin_clzll(value); /* leaves eight significant bits */
    return (shift + 1) * SUB_BUCKETS + (unsigned)((value >> shift) - SUB_BUCKETS);
}

static u64 bucket_floor(unsigned bucket)
{
    unsigned shift = bucket / SUB_BUCKETS;

    return shift == 0 ? bucket : (u64)(SUB_BUCKETS + bucket % SUB_BUCKETS) << (shift - 1);
}

static void histogram_add(struct histogram **h, u64 value)
{
    if (!*h) {
        *h = calloc(1, sizeof **h);
        if (!*h)
            abort();
        (*h)->min = ~0ull;
    }
    (*h)->count++;
    (*h)->min = value < (*h)->min ? value : (*h)->min;
    (*h)->max = value > (*h)->max ? value : (*h)->max;
    (*h)->bucket[bucket_of(value)]++;
}

/* Value below which the given share (in thousandths) lies. */
static u64 histogram_quantile(const struct histogram *h, unsigned thousandths)
{
    u64 rank = (h->count * thousandths + 999) / 1000, seen = 0;

    for (unsigned b = 0; b < BUCKETS; b++) {
        seen += h->bucket[b];
        if (seen >= rank && seen) {
            u64 value = bucket_floor(b);

            return value < h->min ? h->min : value > h->max ? h->max : value;
        }
    }
    return h->max;
}

static struct open_entry *slot_of(struct statistics *s, u64 cr3, u64 rsp, bool make)
{
    u64 hash = (cr3 ^ (rsp << 7) ^ (rsp >> 9)) * 0x9E3779B97F4A7C15ull >> 48;
    struct open_entry *oldest = NULL;

    for (unsigned i = 0; i < OPEN_PROBES; i++) {
        struct open_entry *e = &s->open[(hash + i) % OPEN_SLOTS];

        if (e->age && e->cr3 == cr3 && e->rsp == rsp)
            return e;
        if (!oldest || e->age < oldest->age)
            oldest = e;
    }
    return make ? oldest : NULL; /* an entry that never returned makes room */
}

static void pair(struct statistics *s, const struct event_record *e)
{
    if (e->from_cpl == 3 && e->to_cpl < 3) {
        struct open_entry *open = slot_of(s, e->from_cr3, e->from_rsp, true);

        *open = (struct open_entry){e->from_cr3, e->from_rsp, e->from_rip, e->retired, ++s->entries, e->mechanism};
        if (e->mechanism < MECHANISMS && e->from_mode <= MODE_LONG)
            s->entry_modes[e->mechanism][e->from_mode]++;
    } else if (e->to_cpl == 3 && e->from_cpl < 3) {
        struct open_entry *open = slot_of(s, e->to_cr3, e->to_rsp, false);

        /* SDM 2A: an instruction is at most 15 bytes long. */
        if (open && e->to_rip - open->rip <= 15 && e->retired >= open->retired) {
            histogram_add(&s->inside[open->mechanism], e->retired - open->retired);
            s->paired++;
            open->age = 0;
        } else {
            s->unpaired_exits++;
        }
    }
}

static void count(struct statistics *s, const struct event_record *e, bool shown)
{
    if (event_is_transition(e))
        pair(s, e); /* over everything, so that a filter never breaks a pair */
    if (!shown)
        return;
    if (s->events++ == 0)
        s->first_tick = e->ticks;
    s->last_tick = e->ticks;
    s->kinds[e->kind]++;
    if (!event_is_transition(e))
        return;
    s->mechanisms[e->mechanism]++;
    s->rings[e->from_cpl][e->to_cpl]++;
    if (e->present & EVENT_HAS_VECTOR)
        s->vectors[e->mechanism][e->vector]++;
}

static void print_text(FILE *out, const struct statistics *s, const struct trace_filter *filter)
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

    fprintf(out, "\n%-12s %-10s %12s\n", "vector", "mechanism", "count");
    for (unsigned v = 0; v < 256; v++)
        for (unsigned m = 0; m < MECHANISMS; m++)
            if (s->vectors[m][v]) {
                const char *name = event_exception_name(m, v);

                fprintf(out, "%3u 0x%02x %-3s %-10s %12llu\n", v, v, name ? name : "", event_mechanism_name(m),
                        (ull)s->vectors[m][v]);
            }

    fprintf(out, "\n%-12s %-10s %12s\n", "from ring 3", "code", "count");
    for (unsigned m = 0; m < MECHANISMS; m++)
        for (unsigned mode = 0; mode <= MODE_LONG; mode++)
            if (s->entry_modes[m][mode])
                fprintf(out, "%-12s %-10s %12llu\n", event_mechanism_name(m), event_mode_name(mode),
                        (ull)s->entry_modes[m][mode]);

    fprintf(out, "\ninstructions between an entry from ring 3 and its return%s\n", filter ? " (whole recording)" : "");
    fprintf(out, "%-12s %12s %12s %12s %12s %12s\n", "mechanism", "returned", "min", "median", "p99", "max");
    for (unsigned m = 0; m < MECHANISMS; m++)
        if (s->inside[m])
            fprintf(out, "%-12s %12llu %12llu %12llu %12llu %12llu\n", event_mechanism_name(m),
                    (ull)s->inside[m]->count, (ull)s->inside[m]->min, (ull)histogram_quantile(s->inside[m], 500),
                    (ull)histogram_quantile(s->inside[m], 990), (ull)s->inside[m]->max);
    fprintf(out, "unpaired: %llu entries (never returned, or to a changed stack or program), %llu exits\n",
            (ull)(s->entries - s->paired), (ull)s->unpaired_exits);
}

static void print_json(FILE *out, const struct statistics *s, const struct trace_reader *r)
{
    const char *digest = trace_properties_get(trace_reader_end(r), "digest"), *separator = "";

    fprintf(out, "{\"events\":%llu,\"first_tick\":%llu,\"last_tick\":%llu,\"digest\":\"%s\",\"mechanisms\":{",
            (ull)s->events, (ull)s->first_tick, (ull)s->last_tick, digest ? digest : "");
    for (unsigned m = 0; m < MECHANISMS; m++) {
        const struct histogram *h = s->inside[m];

        if (!s->mechanisms[m] && !h)
            continue;
        fprintf(out, "%s\"%s\":{\"count\":%llu", separator, event_mechanism_name(m), (ull)s->mechanisms[m]);
        if (h)
            fprintf(out, ",\"returned\":%llu,\"min\":%llu,\"median\":%llu,\"p99\":%llu,\"max\":%llu", (ull)h->count,
                    (ull)h->min, (ull)histogram_quantile(h, 500), (ull)histogram_quantile(h, 990), (ull)h->max);
        fprintf(out, "}");
        separator = ",";
    }
    fprintf(out, "},\"rings\":[");
    for (unsigned from = 0; from < 4; from++)
        fprintf(out, "%s[%llu,%llu,%llu,%llu]", from ? "," : "", (ull)s->rings[from][0], (ull)s->rings[from][1],
                (ull)s->rings[from][2], (ull)s->rings[from][3]);
    fprintf(out, "],\"unpaired_entries\":%llu,\"unpaired_exits\":%llu}\n", (ull)(s->entries - s->paired),
            (ull)s->unpaired_exits);
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
    s = calloc(1, sizeof *s);
    if (!s)
        abort();
    while ((e = trace_reader_next(r, NULL, &id)) != NULL) {
        struct trace_context context = {.id = id, .event = e};

        count(s, e, trace_filter_match(filter, &context));
    }
    if (view && view->format == TRACE_JSON) {
        print_json(out, s, r);
    } else {
        if (!view || !view->no_header) {
            view_header(out, r);
            view_end(out, r);
        }
        print_text(out, s, filter);
    }
    for (unsigned m = 0; m < MECHANISMS; m++)
        free(s->inside[m]);
    free(s);
    view_close(r, path, view);
    return EXIT_OK;
}

/* SPDX-License-Identifier: MIT
 * The journal of MSR writes: each with its writer and who called it; those that a place makes again and again, as the
 * bases of FS and GS at context switches, are folded into one line.
 */
#include "trace/view/msr_entries.h"

#include <stdlib.h>

#include "trace/view/views.h"
#include "trace/words.h"

typedef unsigned long long ull;

#define SITES 2048u
#define SLOTS (SITES * 2u) /* half of them stay empty */
#define KEPT 4u            /* writes of one place that are told one by one; with more they are folded */
#define CHAIN 16u          /* addresses of a backtrace */

struct write {
    u64 id, ticks, old_value, new_value, rip;
    u32 number;
    u16 cs;
    u8 mode, cpu;
    u8 callers;
    u64 caller[CHAIN];
};

/* One place that writes one register. */
struct site {
    u64 count, first_value, last_id, last_value;
    bool same; /* always the same value */
    struct write kept[KEPT];
};

struct journal {
    const struct trace_filter *filter;
    const struct names *names;
    bool all;
    u16 slot[SLOTS]; /* site numbers from 1 */
    unsigned sites;
    struct site site[SITES];
    u64 writes, left_out; /* found no room */
    struct entry_use use;
};

/* Kernels write through a wrapper: who called it is part of the place. */
static u64 caller_of(const struct write *w) { return w->callers > 1 ? w->caller[1] : 0; }

static struct site *site_of(struct journal *j, const struct write *w)
{
    u64 h = (w->rip ^ ((u64)w->number << 32) ^ (caller_of(w) << 1)) * 0x9E3779B97F4A7C15ull >> 40;

    for (;; h++) {
        u16 *slot = &j->slot[h % SLOTS];

        if (*slot) {
            struct site *s = &j->site[*slot - 1];
            const struct write *first = &s->kept[0];

            if (first->rip == w->rip && first->number == w->number && caller_of(first) == caller_of(w))
                return s;
            continue;
        }
        if (j->sites == SITES)
            return NULL;
        *slot = (u16)++j->sites;
        return &j->site[*slot - 1];
    }
}

static void take_callers(struct write *w, struct trace_reader *r)
{
    const struct data_piece *p;

    for (size_t i = 0; (p = trace_reader_data(r, i)) != NULL; i++)
        for (u32 at = 0; p->kind == DATA_BACKTRACE && at + 8 <= p->size && w->callers < CHAIN; at += 8)
            w->caller[w->callers++] = load_le64(p->bytes + at);
}

static void take(struct journal *j, struct trace_reader *r, u64 id, const struct event_record *e)
{
    struct write w = {.id = id,
                      .ticks = e->ticks,
                      .old_value = e->old_value,
                      .new_value = e->new_value,
                      .rip = e->from_rip,
                      .number = e->number,
                      .cs = e->from_cs,
                      .mode = e->from_mode,
                      .cpu = e->cpu};
    struct site *s;

    take_callers(&w, r);
    s = site_of(j, &w);
    j->writes++;
    if (!s) {
        j->left_out++;
        return;
    }
    if (s->count < KEPT)
        s->kept[s->count] = w;
    if (s->count++ == 0) {
        s->first_value = e->new_value;
        s->same = true;
    }
    s->same &= e->new_value == s->first_value;
    s->last_id = id;
    s->last_value = e->new_value;
}

static void journal_event(struct journal *j, struct trace_reader *r, u64 id, const struct event_record *e)
{
    struct trace_context c = {.id = id, .event = e, .task = trace_reader_task(r)};

    entry_use_event(&j->use, e);
    if (e->kind == EVENT_KIND_WRMSR && (j->all || entry_msr_of(e->number) != ENTRY_MSRS) &&
        trace_filter_match(j->filter, &c))
        take(j, r, id, e);
}

/* ---- printing */

static int by_id(const void *a, const void *b)
{
    const struct write *x = *(const struct write *const *)a, *y = *(const struct write *const *)b;

    return x->id < y->id ? -1 : x->id > y->id;
}

/* The first writes of all sites that are not folded (folded: of all that are), by time. */
static const struct write **collect(const struct journal *j, bool folded, size_t *count)
{
    const struct write **list = malloc((size_t)SITES * KEPT * sizeof *list);
    size_t n = 0;

    if (!list)
        abort();
    for (unsigned i = 0; i < j->sites; i++) {
        const struct site *s = &j->site[i];

        if ((s->count > KEPT) != folded)
            continue;
        for (u64 k = 0; k < (folded ? 1 : s->count); k++)
            list[n++] = &s->kept[k];
    }
    qsort(list, n, sizeof *list, by_id);
    *count = n;
    return list;
}

/* "start_kernel → trap_init → syscall_init": functions only, outermost first. */
static void print_chain(FILE *out, const struct names *names, const struct write *w)
{
    for (unsigned i = w->callers; i-- > 0;) {
        u64 offset;
        const char *name = names_lookup(names, w->caller[i], &offset, NULL);

        if (name)
            fprintf(out, "%s", name);
        else
            fprintf(out, "%llx", (ull)w->caller[i]);
        if (i)
            fprintf(out, " → ");
    }
}

static void print_write(FILE *out, const struct names *names, const struct write *w)
{
    char label[32];

    msr_label(w->number, label, sizeof label);
    fprintf(out, "#%-8llu t=%-11llu %-15s %llx -> %llx", (ull)w->id, (ull)w->ticks, label, (ull)w->old_value,
            (ull)w->new_value);
    msr_print_meaning(out, names, w->number, w->new_value, w->cpu);
    fprintf(out, "\n          at ");
    words_place(out, names, w->cs, w->rip, w->mode);
    if (w->callers > 1) {
        fprintf(out, "\n          by ");
        print_chain(out, names, w);
    }
    fputc('\n', out);
}

static void print_folded(FILE *out, const struct journal *j, const struct write *const *list, size_t count)
{
    if (!count)
        return;
    fprintf(out, "\nwritten more than %u times from one place\n", KEPT);
    fprintf(out, "%10s  %-15s %-24s %s\n", "writes", "register", "events", "values, and where");
    for (size_t i = 0; i < count; i++) {
        const struct write *w = list[i];
        const struct site *s = (const struct site *)((const char *)w - offsetof(struct site, kept));
        char label[32], events[64];

        msr_label(w->number, label, sizeof label);
        snprintf(events, sizeof events, "#%llu to #%llu", (ull)w->id, (ull)s->last_id);
        fprintf(out, "%10llu  %-15s %-24s ", (ull)s->count, label, events);
        if (s->same)
            fprintf(out, "always %llx", (ull)s->first_value);
        else
            fprintf(out, "%llx ... %llx", (ull)s->first_value, (ull)s->last_value);
        msr_print_meaning(out, j->names, w->number, s->last_value, w->cpu);
        fprintf(out, "\n%53s at ", "");
        words_place(out, j->names, w->cs, w->rip, w->mode);
        if (w->callers > 1) {
            fprintf(out, "\n%53s by ", "");
            print_chain(out, j->names, w);
        }
        fputc('\n', out);
    }
}

static void print_text(FILE *out, const struct journal *j, bool amd)
{
    size_t count, folded;
    const struct write **list = collect(j, false, &count), **often = collect(j, true, &folded);

    for (size_t i = 0; i < count; i++)
        print_write(out, j->names, list[i]);
    print_folded(out, j, often, folded);
    if (j->left_out)
        fprintf(out, "\n%llu writes from more than %u places are not listed\n", (ull)j->left_out, SITES);
    if (!j->writes)
        fprintf(out, "no write of %s is in the recording\n",
                j->all ? "a model-specific register" : "an entry's register");
    entry_use_print(out, &j->use, j->names, amd);
    free(list);
    free(often);
}

static void json_write(FILE *out, const struct names *names, const struct write *w)
{
    char label[32], symbol[NAMES_LONGEST];

    msr_label(w->number, label, sizeof label);
    fprintf(out, "{\"id\":%llu,\"t\":%llu,\"msr\":%u,\"register\":\"%s\",\"old\":\"0x%llx\",\"new\":\"0x%llx\"",
            (ull)w->id, (ull)w->ticks, w->number, label, (ull)w->old_value, (ull)w->new_value);
    if (names_format(names, w->new_value, symbol, sizeof symbol)) {
        fprintf(out, ",\"symbol\":");
        words_json(out, symbol);
    }
    fprintf(out, ",\"rip\":\"0x%llx\"", (ull)w->rip);
    if (names_format(names, w->rip, symbol, sizeof symbol)) {
        fprintf(out, ",\"at\":");
        words_json(out, symbol);
    }
    fprintf(out, ",\"callers\":[");
    for (unsigned i = 0; i < w->callers; i++) {
        fprintf(out, "%s", i ? "," : "");
        if (!names_format(names, w->caller[i], symbol, sizeof symbol))
            snprintf(symbol, sizeof symbol, "0x%llx", (ull)w->caller[i]);
        words_json(out, symbol);
    }
    fprintf(out, "]");
}

static void print_json(FILE *out, const struct journal *j, bool amd)
{
    size_t count, folded;
    const struct write **list = collect(j, false, &count), **often = collect(j, true, &folded);

    fprintf(out, "{\"writes\":[");
    for (size_t i = 0; i < count; i++) {
        fprintf(out, "%s", i ? "," : "");
        json_write(out, j->names, list[i]);
        fprintf(out, "}");
    }
    fprintf(out, "],\"folded\":[");
    for (size_t i = 0; i < folded; i++) {
        const struct site *s = (const struct site *)((const char *)often[i] - offsetof(struct site, kept));

        fprintf(out, "%s", i ? "," : "");
        json_write(out, j->names, often[i]);
        fprintf(out, ",\"count\":%llu,\"last_id\":%llu,\"last\":\"0x%llx\"}", (ull)s->count, (ull)s->last_id,
                (ull)s->last_value);
    }
    fprintf(out, "],\"left_out\":%llu", (ull)j->left_out);
    entry_use_print_json(out, &j->use, j->names, amd);
    fprintf(out, "}\n");
    free(list);
    free(often);
}

enum exit_code trace_msrs(FILE *out, const char *path, const struct trace_filter *filter, const struct trace_view *view,
                          struct error *err)
{
    struct trace_reader *r = trace_reader_open(path, err);
    const struct event_record *e;
    struct journal *j;
    const char *vendor;
    u64 id;

    if (!r)
        return EXIT_FILE;
    j = calloc(1, sizeof *j);
    if (!j)
        abort();
    j->filter = filter;
    j->names = trace_reader_names(r);
    j->all = view && view->all;
    while ((e = trace_reader_next(r, NULL, &id)) != NULL)
        journal_event(j, r, id, e);
    vendor = trace_properties_get(trace_reader_run(r), "cpu.vendor");
    if (view && view->format == TRACE_JSON) {
        print_json(out, j, vendor && !strcmp(vendor, "amd"));
    } else {
        if (!view || !view->no_header)
            view_header(out, r);
        print_text(out, j, vendor && !strcmp(vendor, "amd"));
    }
    free(j);
    if (trace_filter_needs_task(filter) && !trace_reader_names(r)->kernel)
        view_no_tasks(path, view);
    view_close(r, path, view);
    return EXIT_OK;
}

/* SPDX-License-Identifier: MIT
 * Which entries each process used.
 */
#include "trace/view/process_tally.h"

#include <stdlib.h>

#include "trace/words.h"

typedef unsigned long long ull;

#define ROWS 4096u
#define SLOTS (ROWS * 2u) /* half of them stay empty */
#define ROWS_PRINTED 40u
#define EXCEPTIONS 32u

struct process_row {
    u64 cr3; /* when the task is unknown */
    u32 pid;
    bool known;
    char comm[GUEST_COMM];
    u64 total, faults;
    u32 entry[MECHANISMS][MODE_LONG + 1];
    u32 fault[EXCEPTIONS];
};

/* Row numbers from 1 by hash, and the rows; row 0 stands for all that found no room. */
struct process_tally {
    u16 slot[SLOTS];
    unsigned rows;
    struct process_row row[ROWS];
};

struct process_tally *process_tally_new(void)
{
    struct process_tally *t = calloc(1, sizeof *t);

    if (!t)
        abort();
    t->rows = 1;
    return t;
}

void process_tally_free(struct process_tally *t) { free(t); }

static u64 mix(u64 x)
{
    x *= 0x9E3779B97F4A7C15ull;
    return x ^ (x >> 29);
}

static struct process_row *row_of(struct process_tally *t, u64 cr3, const struct guest_task *task)
{
    bool known = task && task->known;
    u64 h = known ? task->tgid : cr3, letters[2] = {0};

    if (known) {
        memcpy(letters, task->comm, sizeof letters);
        h = mix(h ^ letters[0]) ^ letters[1];
    }
    for (h = mix(h);; h++) {
        u16 *slot = &t->slot[h % SLOTS];
        struct process_row *row = &t->row[*slot];

        if (*slot && row->known == known &&
            (known ? row->pid == task->tgid && !memcmp(row->comm, task->comm, GUEST_COMM) : row->cr3 == cr3))
            return row;
        if (*slot)
            continue;
        if (t->rows == ROWS)
            return &t->row[0];
        *slot = (u16)t->rows++;
        row = &t->row[*slot];
        row->known = known;
        row->cr3 = cr3;
        if (known) {
            row->pid = task->tgid;
            memcpy(row->comm, task->comm, GUEST_COMM);
        }
        return row;
    }
}

_Static_assert(GUEST_COMM == 2 * sizeof(u64), "a name is hashed as two words");

void process_tally_add(struct process_tally *t, const struct event_record *entry, const struct guest_task *task)
{
    struct process_row *row;

    if (entry->mechanism >= MECHANISMS || entry->from_mode > MODE_LONG)
        return;
    /* The low bits of CR3 are flags, or a PCID that one address space has now and another later. */
    row = row_of(t, entry->from_cr3 & ~0xFFFull, task);
    row->total++;
    row->entry[entry->mechanism][entry->from_mode]++;
    if (entry->mechanism == MECH_FAULT || entry->mechanism == MECH_TRAP || entry->mechanism == MECH_ABORT) {
        row->faults++;
        row->fault[entry->vector % EXCEPTIONS]++;
    }
}

static int by_entries(const void *a, const void *b)
{
    const struct process_row *x = *(const struct process_row *const *)a, *y = *(const struct process_row *const *)b;

    if (x->total != y->total)
        return x->total < y->total ? 1 : -1;
    return x->pid != y->pid ? (x->pid < y->pid ? -1 : 1) : x < y ? -1 : x > y;
}

static const struct process_row **sorted(const struct process_tally *t)
{
    const struct process_row **list = malloc(t->rows * sizeof *list);

    if (!list)
        abort();
    for (unsigned i = 0; i < t->rows; i++)
        list[i] = &t->row[i];
    qsort(list + 1, t->rows - 1, sizeof *list, by_entries);
    return list;
}

static void print_process_label(FILE *out, const struct process_tally *t, const struct process_row *row)
{
    char label[64];

    if (row == &t->row[0])
        snprintf(label, sizeof label, "  others");
    else if (row->known)
        snprintf(label, sizeof label, "%6u %s", row->pid, row->comm);
    else
        snprintf(label, sizeof label, "   cr3 %llx", (ull)row->cr3);
    fprintf(out, "%-24s", label);
}

/* One column for each entry that any process used. */
static void print_entries(FILE *out, const struct process_tally *t, const struct process_row *const *list,
                          unsigned shown)
{
    bool used[MECHANISMS][MODE_LONG + 1] = {{false}};

    for (unsigned i = 0; i < t->rows; i++)
        for (unsigned m = 0; m < MECHANISMS; m++)
            for (unsigned mode = 0; mode <= MODE_LONG; mode++)
                used[m][mode] |= t->row[i].entry[m][mode] != 0;
    fprintf(out, "\n%-24s", "process, entries by");
    for (unsigned m = 0; m < MECHANISMS; m++)
        for (unsigned mode = 0; mode <= MODE_LONG; mode++)
            if (used[m][mode]) {
                char name[32];

                snprintf(name, sizeof name, "%s/%s", event_mechanism_name(m), event_mode_name(mode));
                fprintf(out, " %17s", name);
            }
    fputc('\n', out);
    for (unsigned i = 0; i < shown; i++) {
        print_process_label(out, t, list[i]);
        for (unsigned m = 0; m < MECHANISMS; m++)
            for (unsigned mode = 0; mode <= MODE_LONG; mode++)
                if (used[m][mode] && list[i]->entry[m][mode])
                    fprintf(out, " %17u", list[i]->entry[m][mode]);
                else if (used[m][mode])
                    fprintf(out, " %17s", "-");
        fputc('\n', out);
    }
}

static void print_faults(FILE *out, const struct process_tally *t, const struct process_row *const *list,
                         unsigned shown)
{
    bool used[EXCEPTIONS] = {false};
    unsigned kinds = 0, last = 0;

    for (unsigned v = 0; v < EXCEPTIONS; v++) {
        for (unsigned i = 0; i < t->rows; i++)
            used[v] |= t->row[i].fault[v] != 0;
        kinds += used[v];
        last = used[v] ? v : last;
    }
    if (kinds == 1) /* the table above says all the rest */
        fprintf(out, "all exceptions of these processes are %s\n",
                event_vector_name(last) ? event_vector_name(last) : "?");
    if (kinds <= 1)
        return;
    fprintf(out, "\n%-24s", "process, exceptions");
    for (unsigned v = 0; v < EXCEPTIONS; v++)
        if (used[v])
            fprintf(out, " %8s", event_vector_name(v) ? event_vector_name(v) : "?");
    fputc('\n', out);
    for (unsigned i = 0; i < shown; i++) {
        if (!list[i]->faults)
            continue;
        print_process_label(out, t, list[i]);
        for (unsigned v = 0; v < EXCEPTIONS; v++)
            if (used[v] && list[i]->fault[v])
                fprintf(out, " %8u", list[i]->fault[v]);
            else if (used[v])
                fprintf(out, " %8s", "-");
        fputc('\n', out);
    }
}

void process_tally_print(FILE *out, const struct process_tally *t)
{
    const struct process_row **list = sorted(t);
    unsigned first = t->row[0].total ? 0 : 1, count = t->rows - first;

    if (count) {
        unsigned shown = count < ROWS_PRINTED ? count : ROWS_PRINTED;

        print_entries(out, t, list + first, shown);
        if (shown < count)
            fprintf(out, "   and %u more, less busy; --format json has all\n", count - shown);
        print_faults(out, t, list + first, shown);
    }
    free(list);
}

static void json_row(FILE *out, const struct process_row *row, bool others)
{
    const char *separator = "";

    if (others)
        fprintf(out, "{\"others\":true");
    else if (row->known) {
        fprintf(out, "{\"pid\":%u,\"comm\":", row->pid);
        words_json(out, row->comm);
    } else
        fprintf(out, "{\"cr3\":\"0x%llx\"", (ull)row->cr3);
    fprintf(out, ",\"entries\":{");
    for (unsigned m = 0; m < MECHANISMS; m++)
        for (unsigned mode = 0; mode <= MODE_LONG; mode++)
            if (row->entry[m][mode]) {
                fprintf(out, "%s\"%s/%s\":%u", separator, event_mechanism_name(m), event_mode_name(mode),
                        row->entry[m][mode]);
                separator = ",";
            }
    fprintf(out, "},\"exceptions\":{");
    separator = "";
    for (unsigned v = 0; v < EXCEPTIONS; v++)
        if (row->fault[v]) {
            fprintf(out, "%s\"%u\":%u", separator, v, row->fault[v]);
            separator = ",";
        }
    fprintf(out, "}}");
}

void process_tally_print_json(FILE *out, const struct process_tally *t)
{
    const struct process_row **list = sorted(t);
    unsigned first = t->row[0].total ? 0 : 1;

    fprintf(out, "[");
    for (unsigned i = first; i < t->rows; i++) {
        fprintf(out, "%s", i > first ? "," : "");
        json_row(out, list[i], i == 0);
    }
    fprintf(out, "]");
    free(list);
}

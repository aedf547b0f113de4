/* SPDX-License-Identifier: MIT
 * The suite of hardware corpora: what processors did, done again here.
 * A test is all cases of one mnemonic in one mode on one vendor's model.
 */
#include "conform/hardware/suite.h"

#include <inttypes.h>
#include <stdlib.h>

#include "conform/hardware/classify.h"
#include "conform/hardware/files.h"
#include "trace/disassemble.h"

#define QUICK_ONE_IN 20u
#define QUICK_LEAST 6u /* of each test */

struct group {
    const char *mnemonic;
    u8 corpus, mode, vendor;
    u32 first, count; /* in hardware_suite.order */
};

struct open_corpus {
    struct hardware_corpus *corpus;
    const char *name;                   /* of the file, without its directory */
    struct hardware_machine machine[2]; /* by vendor; made when first needed */
    bool has_machine[2];
};

struct hardware_suite {
    struct hardware_files files;
    struct open_corpus corpora[CORPUS_FILES_MAX];
    enum engine_kind engine;
    bool quick;
    u32 *order; /* cases by group: each group's stand together, in the order of its corpus */
    u32 order_count;
    struct group *groups;
    unsigned group_count;
    struct cpu_model model[2];
    struct excuse_use use;
};

/* ---- groups */

static unsigned rank_of_mnemonic(const unsigned *ranks, const struct insn *insn) { return ranks[insn->row]; }

/* Number rows so that those of one mnemonic share a number: that of the first. */
static unsigned *mnemonic_ranks(void)
{
    unsigned *ranks = calloc(insn_row_count + 1, sizeof *ranks);

    for (unsigned i = 0; ranks != NULL && i <= insn_row_count; i++) {
        ranks[i] = i;
        for (unsigned k = 0; k < i; k++)
            if (strcmp(insn_rows[k].mnemonic, insn_rows[i].mnemonic) == 0) {
                ranks[i] = k;
                break;
            }
    }
    return ranks;
}

/* Sort the cases of one corpus for one vendor by (mnemonic, mode): counting sort, so that it is stable.
 * in: keys, counts  room for a key per case, and for a count per (rank, mode) */
static void group_corpus(struct hardware_suite *s, u8 number, u8 vendor, const unsigned *ranks, u32 *keys, u32 *counts)
{
    struct hardware_corpus *corpus = s->corpora[number].corpus;
    u32 cases = hardware_corpus_count(corpus), slots = (insn_row_count + 1) * HARDWARE_MODES;
    struct hardware_case c;
    struct insn insn;

    memset(counts, 0, slots * sizeof *counts);
    for (u32 i = 0; i < cases; i++) {
        hardware_corpus_peek(corpus, i, &c);
        hardware_classify(&insn, &c, &s->model[vendor]);
        keys[i] = rank_of_mnemonic(ranks, &insn) * HARDWARE_MODES + (u32)c.mode;
        counts[keys[i]]++;
    }
    for (u32 k = 0; k < slots; k++) {
        u32 count = counts[k];

        counts[k] = s->order_count; /* from here on: where the next one goes */
        if (count == 0)
            continue;
        s->groups[s->group_count++] = (struct group){.mnemonic = insn_rows[k / HARDWARE_MODES].mnemonic,
                                                     .corpus = number,
                                                     .mode = (u8)(k % HARDWARE_MODES),
                                                     .vendor = vendor,
                                                     .first = s->order_count,
                                                     .count = count};
        s->order_count += count;
    }
    for (u32 i = 0; i < cases; i++)
        s->order[counts[keys[i]]++] = i;
}

static bool make_groups(struct hardware_suite *s, const bool vendors[2], struct error *err)
{
    u32 slots = (insn_row_count + 1) * HARDWARE_MODES, most = 0, all = 0;
    unsigned *ranks = mnemonic_ranks();
    u32 *keys, *counts;

    for (unsigned i = 0; i < s->files.count; i++) {
        u32 count = hardware_corpus_count(s->corpora[i].corpus);

        most = count > most ? count : most;
        all += count;
    }
    keys = calloc(most + 1u, sizeof *keys);
    counts = calloc(slots, sizeof *counts);
    s->order = calloc(2u * (size_t)all + 1, sizeof *s->order);
    s->groups = calloc((size_t)slots * 2 * (s->files.count + 1), sizeof *s->groups);
    if (ranks != NULL && keys != NULL && counts != NULL && s->order != NULL && s->groups != NULL) {
        for (unsigned i = 0; i < s->files.count; i++)
            for (u8 vendor = VENDOR_INTEL; vendor <= VENDOR_AMD; vendor++)
                if (vendors[vendor])
                    group_corpus(s, (u8)i, vendor, ranks, keys, counts);
    } else {
        error_set(err, EXIT_LIMIT, "no memory for %u cases of hardware corpora", all);
        s->files.count = 0;
    }
    free(keys);
    free(counts);
    free(ranks);
    return s->groups != NULL && s->order != NULL && (all == 0 || s->files.count != 0);
}

/* ---- life */

static void hardware_close(void *state)
{
    struct hardware_suite *s = state;

    for (unsigned i = 0; i < CORPUS_FILES_MAX; i++) {
        for (unsigned v = 0; v < 2; v++)
            if (s->corpora[i].has_machine[v])
                hardware_machine_close(&s->corpora[i].machine[v]);
        hardware_corpus_close(s->corpora[i].corpus);
    }
    hardware_files_free(&s->files);
    free(s->order);
    free(s->groups);
    free(s);
}

static bool open_corpora(struct hardware_suite *s, const struct conform_options *options, struct error *err)
{
    if (!hardware_files_find(&s->files, options->corpus, err))
        return false;
    for (unsigned i = 0; i < s->files.count; i++) {
        const char *slash = strrchr(s->files.path[i], '/');

        s->corpora[i].name = slash != NULL ? slash + 1 : s->files.path[i];
        s->corpora[i].corpus = hardware_corpus_open(s->files.path[i], err);
        if (s->corpora[i].corpus == NULL)
            return false;
    }
    return hardware_model(&s->model[VENDOR_INTEL], VENDOR_INTEL, err) &&
           hardware_model(&s->model[VENDOR_AMD], VENDOR_AMD, err) && make_groups(s, options->vendor, err);
}

static bool hardware_open(void **state, const struct conform_options *options, struct error *err)
{
    struct hardware_suite *s = calloc(1, sizeof *s);

    if (s == NULL)
        return error_set(err, EXIT_LIMIT, "no memory for the hardware suite");
    s->engine = options->engine;
    s->quick = options->quick;
    if (!open_corpora(s, options, err)) {
        hardware_close(s);
        return false;
    }
    *state = s;
    return true;
}

static unsigned hardware_count(void *state) { return ((const struct hardware_suite *)state)->group_count; }

static void hardware_describe(void *state, unsigned index, struct conform_test *test)
{
    const struct hardware_suite *s = state;
    const struct group *g = &s->groups[index];

    snprintf(test->name, sizeof test->name, "%s, %s, %s%s%.60s", g->mnemonic,
             hardware_mode_name((enum hardware_mode)g->mode), g->vendor == VENDOR_AMD ? "amd" : "intel",
             s->files.count > 1 ? ", " : "", s->files.count > 1 ? s->corpora[g->corpus].name : "");
    test->subject = g->mnemonic;
    test->group = s->corpora[g->corpus].name;
}

static void hardware_subtitle(void *state, FILE *out)
{
    const struct hardware_suite *s = state;

    if (s->files.count == 0)
        fputs("no corpus was found", out);
    for (unsigned i = 0; i < s->files.count; i++) {
        const struct hardware_source *source = hardware_corpus_source(s->corpora[i].corpus);

        fprintf(out, "%s%s: %" PRIu32 " cases of %s (family %u, model %u, stepping %u", i == 0 ? "" : "; ",
                s->corpora[i].name, hardware_corpus_count(s->corpora[i].corpus), source->processor, source->family,
                source->model, source->stepping);
        if (source->microcode != 0)
            fprintf(out, ", microcode %" PRIX32 "h", source->microcode);
        fprintf(out, "), %s", source->date);
    }
}

const struct excuse_use *hardware_suite_use(const void *state) { return &((const struct hardware_suite *)state)->use; }

u32 hardware_suite_cases(const void *state)
{
    const struct hardware_suite *s = state;
    u32 cases = 0;

    for (unsigned i = 0; i < s->files.count; i++)
        cases += hardware_corpus_count(s->corpora[i].corpus);
    return cases;
}

/* ---- running */

static enum cpu_mode cpu_mode_of(enum hardware_mode mode)
{
    return mode == HARDWARE_64 ? MODE_LONG : mode == HARDWARE_32 ? MODE_COMPAT32 : MODE_COMPAT16;
}

static void tell_case(FILE *out, const struct open_corpus *oc, u32 index, const struct hardware_case *c,
                      const struct insn *insn)
{
    char text[96];

    fputs("FAIL", out);
    for (unsigned i = 0; i < c->length; i++)
        fprintf(out, " %02X", c->code[i]);
    if (disassemble(text, sizeof text, c->code, c->length, c->before.rip, cpu_mode_of(c->mode)) != 0)
        fprintf(out, " \"%s\"", text);
    fprintf(out, ", %s, case %" PRIu32 " of %s\n  source: %s, %s\n", hardware_mode_name(c->mode), index, oc->name,
            insn_rows[insn->row].mnemonic, insn_rows[insn->row].source);
}

struct replay {
    struct hardware_suite *suite;
    struct open_corpus *oc;
    struct hardware_machine *machine;
    const struct group *group;
    struct conform_result *result;
    struct hardware_case c; /* large: one for all */
    struct hardware_outcome outcome;
    struct hardware_differences differences;
};

static void fail(struct replay *r, u32 index, const struct insn *insn, const char *why)
{
    if (r->result->failed++ >= DETAILS_MAX)
        return;
    tell_case(r->result->details, r->oc, index, &r->c, insn);
    if (why != NULL)
        fprintf(r->result->details, "  %s\n", why);
    else
        hardware_print_differences(r->result->details, &r->differences);
}

static void replay_case(struct replay *r, u32 index)
{
    struct insn insn;
    const char *why;
    struct excuse_case ec = {.c = &r->c,
                             .source = hardware_corpus_source(r->oc->corpus),
                             .insn = &insn,
                             .vendor = (enum cpu_vendor)r->group->vendor};

    hardware_corpus_read(r->oc->corpus, index, &r->c);
    hardware_classify(&insn, &r->c, &r->suite->model[r->group->vendor]);
    why = hardware_machine_enter(r->machine, &r->c);
    if (why != NULL) {
        fail(r, index, &insn, why);
        return;
    }
    hardware_machine_run(r->machine, &r->outcome);
    hardware_compare(r->machine, &r->c, &r->outcome, &r->differences);
    switch (excuse_differences(&ec, &r->differences, &r->suite->use)) {
    case VERDICT_SAME: r->result->passed++; break;
    case VERDICT_NOT_COMPARED: r->result->unsettled++; break;
    case VERDICT_DIFFERENT: fail(r, index, &insn, NULL); break;
    }
}

static struct hardware_machine *machine_for(struct hardware_suite *s, const struct group *g, struct error *err)
{
    struct open_corpus *oc = &s->corpora[g->corpus];

    if (!oc->has_machine[g->vendor])
        oc->has_machine[g->vendor] = hardware_machine_open(&oc->machine[g->vendor], hardware_corpus_source(oc->corpus),
                                                           (enum cpu_vendor)g->vendor, s->engine, err);
    return oc->has_machine[g->vendor] ? &oc->machine[g->vendor] : NULL;
}

/* The bounds that approximations kept. */
static void tell_approximations(const struct hardware_suite *s, const struct group *g, FILE *out)
{
    for (unsigned i = 0; i < excuse_count(); i++) {
        const struct excuse *row = excuse_at(i);

        if (row->kind == EXCUSE_APPROXIMATE && excuse_names(row, g->mnemonic))
            fprintf(out,
                    "an approximation: at most %" PRIu64
                    " units of the last place apart (%s); the worst so far: %" PRIu64 "\n",
                    row->bits, row->source, s->use.worst[i]);
    }
}

static void hardware_run(void *state, unsigned index, struct conform_result *result)
{
    struct hardware_suite *s = state;
    const struct group *g = &s->groups[index];
    struct error err = {0};
    struct replay *r = calloc(1, sizeof *r);
    u32 step = 1;

    if (r == NULL || (r->machine = machine_for(s, g, &err)) == NULL) {
        fprintf(result->details, "FAIL %s\n", r == NULL ? "no memory" : err.text);
        result->failed++;
        free(r);
        return;
    }
    r->suite = s;
    r->oc = &s->corpora[g->corpus];
    r->group = g;
    r->result = result;
    if (s->quick)
        step = g->count / QUICK_LEAST < QUICK_ONE_IN ? g->count / QUICK_LEAST : QUICK_ONE_IN;
    for (u32 i = 0; i < g->count; i += step != 0 ? step : 1)
        replay_case(r, s->order[g->first + i]);
    tell_approximations(s, g, result->details);
    free(r);
}

const struct conform_suite suite_hardware = {
    .name = "hardware",
    .title = "What processors did, instruction by instruction",
    .open = hardware_open,
    .close = hardware_close,
    .count = hardware_count,
    .describe = hardware_describe,
    .run = hardware_run,
    .subtitle = hardware_subtitle,
};

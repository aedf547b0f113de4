/* SPDX-License-Identifier: MIT
 * record_hardware: write down what this processor does with single instructions at CPL 3, for `ringside conform
 * hardware`. Linux on x86-64. docs/hardware-corpus.md
 */
#include <cpuid.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

#include "execute.h"
#include "generate.h"

#define BATCH 8192u
#define SKIPPED 77 /* ctest's code for a test that cannot run here */
#define UNDEFINED_PER_MODE 1500u

struct recording {
    struct rng rng;
    struct cpu_model model;
    struct hardware_writer *writer;
    struct hardware_case *batch;
    u8 outcomes[BATCH];
    unsigned filled;
    bool only_undefined; /* of this batch keep what raised #UD */
    unsigned per_row;
    const char *only;
    u64 recorded, unsteady, lost, unusable;
    u64 vectors[32];
};

static int fail(const struct error *err)
{
    fprintf(stderr, "record_hardware: %s\n", err->text);
    return (int)err->code;
}

/* ---- this processor */

/* A feature stands in a register of a CPUID leaf. */
static bool host_has(u32 leaf, u32 subleaf, unsigned reg, unsigned bit)
{
    u32 r[4] = {0};

    if (!__get_cpuid_count(leaf, subleaf, &r[0], &r[1], &r[2], &r[3]))
        return false;
    return r[reg] >> bit & 1;
}

/* The model that this processor is compared with: as the emulator's, less what is not here. */
static void take_features(struct cpu_model *model)
{
#define FEATURE(id, name, leaf, subleaf, reg, bit)                                                                     \
    if (!host_has(leaf, subleaf, reg, bit))                                                                            \
        model->feature[FEAT_##id] = false;
#include "cpu/feature.def"
#undef FEATURE
}

static void take_brand(char *text)
{
    u32 *r = (u32 *)(void *)text;

    memset(text, 0, 64);
    for (u32 i = 0; i < 3; i++)
        __get_cpuid(0x80000002 + i, &r[4 * i], &r[4 * i + 1], &r[4 * i + 2], &r[4 * i + 3]);
    text[48] = '\0';
    for (size_t n = strlen(text); n > 0 && text[n - 1] == ' '; n--)
        text[n - 1] = '\0';
}

static bool take_identity(struct hardware_source *s, struct error *err)
{
    u32 a, b, c, d;
    char vendor[13] = {0};

    __cpuid(0, a, b, c, d); /* every processor in 64-bit mode has leaves 0 and 1 */
    memcpy(vendor, &b, 4);
    memcpy(vendor + 4, &d, 4);
    memcpy(vendor + 8, &c, 4);
    if (strcmp(vendor, "GenuineIntel") == 0)
        s->vendor = VENDOR_INTEL;
    else if (strcmp(vendor, "AuthenticAMD") == 0)
        s->vendor = VENDOR_AMD;
    else
        return error_set(err, EXIT_FILE, "the processor's vendor is '%s': only Intel's and AMD's rules are known",
                         vendor);
    __cpuid(1, a, b, c, d);
    s->family = (u16)((a >> 8 & 15) + (a >> 20 & 0xFF));
    s->model = (u16)((a >> 4 & 15) | (a >> 12 & 0xF0));
    s->stepping = a & 15;
    take_brand(s->processor);
    return true;
}

static void take_system(struct hardware_source *s)
{
    struct utsname name;
    time_t now = time(NULL);
    struct tm utc;

    uname(&name);
    snprintf(s->system, sizeof s->system, "Linux %.35s%s", name.release,
             host_has(1, 0, 2, 31) ? ", in a virtual machine" : "");
    gmtime_r(&now, &utc);
    strftime(s->date, sizeof s->date, "%Y-%m-%d", &utc);
}

static bool describe(struct hardware_source *source, struct cpu_model *model, struct error *err)
{
    memset(source, 0, sizeof *source);
    if (!take_identity(source, err) || !execute_describe(source, err) ||
        !cpu_model_parse(model, source->vendor == VENDOR_AMD ? "max,vendor=amd" : "max", err))
        return false;
    take_features(model);
    take_system(source);
    return true;
}

/* ---- recording */

/* Faults on the kernel's half of the address space carry an error code that Linux has made up; #DB may be a
 * hypervisor's. */
static bool is_usable(const struct recording *r, const struct hardware_case *c)
{
    return c->vector != 1 && c->vector != 2 && c->vector < 32 && !(c->vector == 14 && c->cr2 >> 63) &&
           (!r->only_undefined || (c->vector == 6 && c->after.rip == c->before.rip));
}

static bool flush(struct recording *r, struct error *err)
{
    if (!execute_cases(r->batch, r->filled, r->outcomes, err))
        return false;
    for (unsigned i = 0; i < r->filled; i++) {
        struct hardware_case *c = &r->batch[i];

        if (r->outcomes[i] == EXECUTE_UNSTEADY) {
            r->unsteady++;
        } else if (r->outcomes[i] == EXECUTE_LOST) {
            r->lost++;
        } else if (!is_usable(r, c)) {
            r->unusable++;
        } else {
            r->recorded++;
            r->vectors[c->vector]++;
            hardware_writer_add(r->writer, c);
        }
    }
    r->filled = 0;
    return true;
}

static bool record_row(struct recording *r, unsigned row, enum hardware_mode mode, struct error *err)
{
    unsigned tries = 0;

    for (unsigned n = 0; n < r->per_row && tries < r->per_row * 3; tries++) {
        if (!generate_case(&r->rng, &r->model, row, mode, &r->batch[r->filled])) {
            if (n == 0 && tries > 8)
                break; /* not in this mode */
            continue;
        }
        n++;
        if (++r->filled == BATCH && !flush(r, err))
            return false;
    }
    return true;
}

static bool record_undefined(struct recording *r, struct error *err)
{
    if (!flush(r, err))
        return false;
    r->only_undefined = true;
    for (unsigned mode = 0; mode < HARDWARE_MODES; mode++) {
        for (unsigned n = 0; n < UNDEFINED_PER_MODE; n++) {
            if (generate_undefined(&r->rng, &r->model, (enum hardware_mode)mode, &r->batch[r->filled]) &&
                ++r->filled == BATCH && !flush(r, err))
                return false;
        }
    }
    return flush(r, err);
}

static int by_mnemonic(const void *a, const void *b)
{
    unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;
    int order = strcmp(insn_rows[x].mnemonic, insn_rows[y].mnemonic);

    return order != 0 ? order : (int)x - (int)y;
}

static bool record_rows(struct recording *r, struct error *err)
{
    unsigned *order = calloc(insn_row_count, sizeof *order);
    bool ok = order != NULL;

    for (unsigned i = 0; ok && i < insn_row_count; i++)
        order[i] = i;
    if (ok)
        qsort(order, insn_row_count, sizeof *order, by_mnemonic);
    for (unsigned i = 0; ok && i < insn_row_count; i++) {
        const struct insn_row *row = &insn_rows[order[i]];

        if (generate_excuse(row) != NULL || (r->only != NULL && strcmp(r->only, row->mnemonic) != 0))
            continue;
        for (unsigned mode = 0; ok && mode < HARDWARE_MODES; mode++)
            ok = record_row(r, order[i], (enum hardware_mode)mode, err);
    }
    free(order);
    return ok && (r->only != NULL || record_undefined(r, err)) && flush(r, err);
}

static void add_pool(struct hardware_writer *w)
{
    struct hardware_state state;

    for (unsigned mode = 0; mode < HARDWARE_MODES; mode++) {
        for (unsigned i = 0; i < GENERATE_POOL; i++) {
            generate_pool_state((enum hardware_mode)mode, i, &state);
            hardware_writer_add_state(w, &state);
        }
    }
}

static void report(const struct recording *r)
{
    fprintf(stderr,
            "%llu cases recorded; left out: %llu that gave two answers, %llu that killed or hung their process, "
            "%llu that do not tell\nended with:",
            (unsigned long long)r->recorded, (unsigned long long)r->unsteady, (unsigned long long)r->lost,
            (unsigned long long)r->unusable);
    for (unsigned v = 0; v < 32; v++)
        if (r->vectors[v] != 0)
            fprintf(stderr, " %u: %llu", v, (unsigned long long)r->vectors[v]);
    fputc('\n', stderr);
}

static int record(const char *path, u64 seed, unsigned per_row, const char *only)
{
    struct recording *r = calloc(1, sizeof *r);
    struct hardware_source source;
    struct error err;
    bool ok;

    if (r == NULL || (r->batch = calloc(BATCH, sizeof *r->batch)) == NULL)
        abort();
    if (!describe(&source, &r->model, &err))
        return fail(&err);
    r->rng.state = seed;
    r->per_row = per_row;
    r->only = only;
    r->writer = hardware_writer_new(&source);
    add_pool(r->writer);
    ok = record_rows(r, &err);
    if (ok) {
        report(r);
        ok = hardware_writer_finish(r->writer, path, &err);
    }
    free(r->batch);
    free(r);
    return ok ? EXIT_OK : fail(&err);
}

/* ---- verifying */

static bool same_outcome(const struct hardware_case *a, const struct hardware_case *b)
{
    if (a->vector != b->vector || a->error != b->error || a->cr2 != b->cr2 || a->runs_after != b->runs_after ||
        memcmp(&a->after, &b->after, sizeof a->after) != 0)
        return false;
    for (unsigned i = 0; i < a->runs_after; i++)
        if (a->after_run[i].address != b->after_run[i].address || a->after_run[i].size != b->after_run[i].size ||
            memcmp(a->bytes + a->after_run[i].at, b->bytes + b->after_run[i].at, a->after_run[i].size) != 0)
            return false;
    return true;
}

static unsigned verify_batch(const struct hardware_corpus *corpus, u32 first, u32 count, struct hardware_case *batch,
                             u8 *outcomes, struct error *err)
{
    struct hardware_case recorded;
    unsigned differences = 0;

    for (u32 i = 0; i < count; i++)
        hardware_corpus_read(corpus, first + i, &batch[i]);
    if (!execute_cases(batch, count, outcomes, err))
        return count;
    for (u32 i = 0; i < count; i++) {
        memset(&recorded, 0, sizeof recorded);
        hardware_corpus_read(corpus, first + i, &recorded);
        if (outcomes[i] == EXECUTE_RECORDED && same_outcome(&recorded, &batch[i]))
            continue;
        fprintf(stderr, "case %u (%s):", first + i, hardware_mode_name(recorded.mode));
        for (unsigned b = 0; b < recorded.length; b++)
            fprintf(stderr, " %02X", recorded.code[b]);
        fprintf(stderr, ": vector %u recorded, %u now\n", recorded.vector, batch[i].vector);
        differences++;
    }
    return differences;
}

static int verify(const char *path)
{
    struct hardware_corpus *corpus;
    struct hardware_source here;
    struct cpu_model model;
    struct hardware_case *batch = calloc(BATCH, sizeof *batch);
    u8 outcomes[BATCH];
    unsigned differences = 0;
    struct error err = {0};

    corpus = hardware_corpus_open(path, &err);
    if (corpus == NULL || batch == NULL)
        return fail(&err);
    if (!describe(&here, &model, &err)) {
        fprintf(stderr, "record_hardware: skipped: %s\n", err.text);
        return SKIPPED;
    }
    if (here.vendor != hardware_corpus_source(corpus)->vendor ||
        here.family != hardware_corpus_source(corpus)->family || here.model != hardware_corpus_source(corpus)->model) {
        fprintf(stderr, "record_hardware: skipped: '%s' is of %s, this is %s\n", path,
                hardware_corpus_source(corpus)->processor, here.processor);
        return SKIPPED;
    }
    for (u32 first = 0; first < hardware_corpus_count(corpus); first += BATCH) {
        u32 left = hardware_corpus_count(corpus) - first;

        differences += verify_batch(corpus, first, left < BATCH ? left : BATCH, batch, outcomes, &err);
        if (err.text[0] != '\0')
            return fail(&err);
    }
    printf("%u cases, %u differ\n", hardware_corpus_count(corpus), differences);
    hardware_corpus_close(corpus);
    free(batch);
    return differences != 0 ? EXIT_DIFFERENT : EXIT_OK;
}

/* ---- the command */

static int usage(FILE *out)
{
    fputs(
        "usage: record_hardware -o FILE [--seed N] [--per-row N] [--only MNEMONIC]\n"
        "       record_hardware --verify FILE\n"
        "       record_hardware --excuses\n\n"
        "Records what this processor does with single instructions at CPL 3. --verify executes a corpus again, here.\n"
        "--excuses lists the instructions that are not recorded, and why.\n",
        out);
    return out == stdout ? EXIT_OK : EXIT_USAGE;
}

static int list_excuses(void)
{
    const char *last = "";

    for (unsigned i = 0; i < insn_row_count; i++) {
        if (generate_excuse(&insn_rows[i]) != NULL && strcmp(last, insn_rows[i].mnemonic) != 0) {
            last = insn_rows[i].mnemonic;
            printf("%-12s %s\n", last, generate_excuse(&insn_rows[i]));
        }
    }
    return EXIT_OK;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"seed", required_argument, NULL, 's'},
                                            {"per-row", required_argument, NULL, 'n'},
                                            {"only", required_argument, NULL, 'm'},
                                            {"verify", required_argument, NULL, 'v'},
                                            {"excuses", no_argument, NULL, 'e'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    const char *output = NULL, *only = NULL;
    unsigned long long seed = 1, per_row = 48;
    int option;

    while ((option = getopt_long(argc, argv, "o:h", options, NULL)) != -1) {
        switch (option) {
        case 'o': output = optarg; break;
        case 's': seed = strtoull(optarg, NULL, 0); break;
        case 'n': per_row = strtoull(optarg, NULL, 0); break;
        case 'm': only = optarg; break;
        case 'v': return verify(optarg);
        case 'e': return list_excuses();
        case 'h': return usage(stdout);
        default: return usage(stderr);
        }
    }
    if (output == NULL || optind != argc || per_row == 0 || per_row > 100000)
        return usage(stderr);
    return record(output, seed, (unsigned)per_row, only);
}

/* SPDX-License-Identifier: MIT
 * The suite of captures: a test is a file of them on one vendor, a check is one instruction.
 */
#include <stdlib.h>
#include <string.h>

#include "conform/moo/check.h"
#include "conform/moo/directory.h"
#include "conform/suite.h"

/* Of the tests of a file, every so many are run for --quick. */
#define QUICK_STRIDE 16u

struct moo_suite {
    struct moo_directory directory;
    struct conform_options options;
    unsigned vendors;
    u64 *used; /* per row of differences.def: what it explained in this process */
};

static bool suite_open(void **state, const struct conform_options *options, struct error *err)
{
    struct moo_suite *suite;

    if (options->moo_directory == NULL)
        return error_set(err, EXIT_USAGE, "the suite moo wants captures: --moo DIR");
    suite = calloc(1, sizeof *suite);
    if (suite != NULL)
        suite->used = calloc((size_t)moo_difference_count() + 1, sizeof *suite->used);
    if (suite == NULL || suite->used == NULL) {
        free(suite);
        return error_set(err, EXIT_LIMIT, "no memory for the captures");
    }
    suite->options = *options;
    suite->vendors = (unsigned)options->vendor[VENDOR_INTEL] + options->vendor[VENDOR_AMD];
    if (!moo_directory_open(&suite->directory, options->moo_directory, err)) {
        free(suite->used);
        free(suite);
        return false;
    }
    *state = suite;
    return true;
}

static void suite_close(void *state)
{
    struct moo_suite *suite = state;

    moo_directory_close(&suite->directory);
    free(suite->used);
    free(suite);
}

static unsigned suite_count(void *state)
{
    const struct moo_suite *suite = state;

    return suite->directory.count * suite->vendors;
}

static const struct moo_file *file_of(const struct moo_suite *suite, unsigned index, enum cpu_vendor *vendor)
{
    bool both = suite->vendors == 2;

    *vendor = both ? (index % 2 != 0 ? VENDOR_AMD : VENDOR_INTEL)
                   : (suite->options.vendor[VENDOR_AMD] ? VENDOR_AMD : VENDOR_INTEL);
    return &suite->directory.files[index / suite->vendors];
}

static const char *subject_of(const struct moo_file *file)
{
    return file->header.mnemonic[0] != '\0' ? file->header.mnemonic : file->name;
}

static void suite_describe(void *state, unsigned index, struct conform_test *test)
{
    enum cpu_vendor vendor;
    const struct moo_file *file = file_of(state, index, &vendor);

    snprintf(test->name, sizeof test->name, "%.100s %s, %s", file->name, file->header.mnemonic,
             vendor == VENDOR_AMD ? "amd" : "intel");
    test->subject = subject_of(file);
    test->group = moo_cpu_name(file->header.cpu);
}

/* ---- a file */

static void count_verdict(const struct moo_suite *suite, struct conform_result *result, enum moo_verdict verdict,
                          unsigned row)
{
    switch (verdict) {
    case MOO_SAME: result->passed++; break;
    case MOO_UNDEFINED:
        result->passed++;
        suite->used[row]++;
        break;
    case MOO_OTHER:
        result->unsettled++;
        suite->used[row]++;
        break;
    case MOO_WRONG: result->failed++; break;
    }
}

static void run_tests(const struct moo_suite *suite, const struct moo_file *file, struct moo_reader *reader,
                      struct moo_machine *m, struct conform_result *result)
{
    unsigned stride = suite->options.quick ? QUICK_STRIDE : 1, revoked = 0;
    struct moo_test test;
    struct error err;
    enum moo_next next;

    for (u32 i = 0; (next = moo_next(reader, &test, &err)) == MOO_TEST; i++) {
        enum moo_verdict verdict;
        unsigned row = 0;

        if (i % stride != 0)
            continue;
        if (test.has_hash && moo_directory_revokes(&suite->directory, file, test.hash)) {
            result->skipped++;
            revoked++;
            continue;
        }
        verdict = moo_check(m, file->header.cpu, &test, result->failed < DETAILS_MAX ? result->details : NULL, &row);
        count_verdict(suite, result, verdict, row);
    }
    if (next == MOO_BAD) {
        result->failed++;
        fprintf(result->details, "%s\n", err.text);
    }
    if (revoked != 0)
        fprintf(result->details, "%u withdrawn by the set's revocation list\n", revoked);
}

static void suite_run(void *state, unsigned index, struct conform_result *result)
{
    const struct moo_suite *suite = state;
    enum cpu_vendor vendor;
    const struct moo_file *file = file_of(suite, index, &vendor);
    struct moo_reader *reader;
    struct moo_machine m;
    struct error err;

    if (file->header.mode != 0) {
        result->skipped++;
        fprintf(result->details, "%s: captured in mode %u; only real mode (0) can be set up from it\n", file->name,
                file->header.mode);
        return;
    }
    reader = moo_open(file->path, &err);
    if (reader == NULL || !moo_machine_open(&m, file->header.cpu, vendor, suite->options.engine, &err)) {
        fprintf(result->details, "%s\n", err.text);
        result->failed++;
    } else {
        run_tests(suite, file, reader, &m, result);
        moo_machine_close(&m);
    }
    moo_close(reader);
}

/* ---- reports */

static void suite_subtitle(void *state, FILE *out)
{
    const struct moo_suite *suite = state;
    bool seen[MOO_CPUS] = {false};
    const char *between = "captures of ";

    for (unsigned i = 0; i < suite->directory.count; i++)
        seen[suite->directory.files[i].header.cpu] = true;
    for (unsigned i = 0; i < MOO_CPUS; i++) {
        if (!seen[i])
            continue;
        fprintf(out, "%s%s", between, moo_cpu_name((enum moo_cpu)i));
        between = ", ";
    }
    fprintf(out, "%s on the model " MOO_MODEL " in real mode", suite->directory.count != 0 ? "" : "no captures");
}

/* Rows of differences.def that no capture needed, of the processors that there are captures of. */
static unsigned suite_coverage(void *state, FILE *out)
{
    const struct moo_suite *suite = state;
    unsigned unused = 0;
    u32 present = 0;

    for (unsigned i = 0; i < suite->directory.count; i++)
        present |= 1u << suite->directory.files[i].header.cpu;
    for (unsigned i = 0; i < moo_difference_count(); i++) {
        const struct moo_difference *row = moo_difference_row(i);

        if (!(row->cpus & present))
            continue;
        fprintf(out, "%8llu  %s: %s (%s)\n", (unsigned long long)suite->used[i], row->name, row->reason, row->source);
        unused += suite->used[i] == 0;
    }
    fprintf(out, "%u differences by design were not seen\n", unused);
    return unused;
}

const struct conform_suite suite_moo = {
    .name = "moo",
    .title = "captures of the SingleStepTests, of the directory that --moo names",
    .only_named = true,
    .open = suite_open,
    .close = suite_close,
    .count = suite_count,
    .describe = suite_describe,
    .run = suite_run,
    .subtitle = suite_subtitle,
    .coverage = suite_coverage,
};

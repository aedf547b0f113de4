/* SPDX-License-Identifier: MIT
 * The decoder suite: every row's encodings, the opcode maps, random bytes, and the list of differences itself.
 */
#include <stdlib.h>
#include <string.h>

#include "conform/decoder/compare.h"
#include "conform/decoder/encodings.h"
#include "conform/suite.h"

/* A random test: one seed in one code size. */
#define SHARDS 64u
#define SHARD_STRINGS 100000u
#define SHARD_STRINGS_QUICK 2000u

#define MAP_TESTS (INSN_MAPS * 16u)

/* The version whose reading the list of differences describes. */
#define CAPSTONE_MAJOR 4
#define CAPSTONE_MINOR 0

struct decoder_suite {
    struct capstone capstone;
    struct cpu_model model[2]; /* by enum cpu_vendor: everything that the table has */
    bool vendor[2];
    bool quick, known; /* known: this Capstone is the one that the list of differences describes */
};

/* What a test is about. */
enum test_kind { TEST_ROW, TEST_MAP, TEST_RANDOM, TEST_DIFFERENCE };
struct test_id {
    enum test_kind kind;
    unsigned number; /* row, map and high half of an opcode, seed, difference */
    enum code_size code;
};

static const char *const vendor_names[] = {"intel", "amd"};

static struct test_id test_at(unsigned index)
{
    const unsigned counts[] = {insn_row_count * CODE_SIZES, MAP_TESTS * CODE_SIZES, SHARDS};

    for (unsigned kind = 0; kind < ARRAY_LEN(counts); kind++) {
        if (index < counts[kind]) {
            unsigned number = kind == TEST_RANDOM ? index : index / CODE_SIZES;

            return (struct test_id){(enum test_kind)kind, number, (enum code_size)(index % CODE_SIZES)};
        }
        index -= counts[kind];
    }
    return (struct test_id){TEST_DIFFERENCE, index, differences[index].code};
}

static unsigned suite_count(void *state)
{
    (void)state;
    return (insn_row_count + MAP_TESTS) * CODE_SIZES + SHARDS + difference_count;
}

/* ---- names */

static void describe_row(const struct insn_row *row, unsigned bits, struct conform_test *test)
{
    static const char *const maps[] = {"", "0F ", "0F 38 ", "0F 3A "};
    static const char *const prefixes[] = {"", "NP ", "66 ", "F3 ", "F2 "};
    char extension[8] = "";
    unsigned e = row->extension;

    if (e & 0x800)
        snprintf(extension, sizeof extension, " %02X", e & 0xFF);
    else if (e & 0x400)
        snprintf(extension, sizeof extension, " /%u", e & 7);
    snprintf(test->name, sizeof test->name, "%s %s%s%02X%s%s, %u-bit", row->mnemonic, prefixes[row->prefix],
             maps[row->map], row->opcode, extension,
             (e & 0x800) ? ""
             : (e & XM)  ? " mem"
             : (e & XR)  ? " reg"
                         : "",
             bits);
    test->subject = row->mnemonic;
    test->group = "rows";
}

static void suite_describe(void *state, unsigned index, struct conform_test *test)
{
    static const char *const maps[] = {"one-byte map", "map 0F", "map 0F 38", "map 0F 3A"};
    struct test_id id = test_at(index);
    unsigned bits = 16u << id.code;

    (void)state;
    switch (id.kind) {
    case TEST_ROW: describe_row(&insn_rows[id.number], bits, test); break;
    case TEST_MAP:
        test->subject = maps[id.number / 16];
        test->group = "maps";
        snprintf(test->name, sizeof test->name, "%s, opcodes %X0-%XF, %u-bit", test->subject, id.number % 16,
                 id.number % 16, bits);
        break;
    case TEST_RANDOM:
        test->subject = "random bytes";
        test->group = "random";
        snprintf(test->name, sizeof test->name, "random bytes, seed %u, %u-bit", id.number, bits);
        break;
    case TEST_DIFFERENCE:
        test->subject = "known differences";
        test->group = "differences";
        snprintf(test->name, sizeof test->name, "difference %s", differences[id.number].name);
        break;
    }
}

/* ---- checks */

/* A test under way. */
struct running {
    struct decoder_suite *suite;
    struct conform_result *result;
    enum code_size code;
};

static void print_fields(unsigned fields, FILE *out)
{
    static const char *const names[] = {"accepted by Ringside alone",
                                        "accepted by Capstone alone",
                                        "length",
                                        "name",
                                        "operands",
                                        "register",
                                        "segment",
                                        "address",
                                        "size",
                                        "value"};
    const char *comma = "";

    for (unsigned i = 0; i < ARRAY_LEN(names); i++) {
        if (fields & (1u << i)) {
            fprintf(out, "%s%s", comma, names[i]);
            comma = ", ";
        }
    }
}

static void print_comparison(const struct comparison *c, FILE *out)
{
    const struct insn_row *row = &insn_rows[c->insn.row];
    unsigned longest = c->ours.length > c->theirs.length ? c->ours.length : c->theirs.length;

    fprintf(out, "bytes:");
    for (unsigned i = 0; i < (longest != 0 ? longest : READING_BYTES); i++)
        fprintf(out, " %02X", c->facts.bytes[i]);
    fprintf(out, " in %u-bit code, %s\nRingside: ", 16u << c->facts.code, vendor_names[c->model->vendor]);
    reading_print(&c->ours, out);
    fprintf(out, "\nCapstone: ");
    reading_print(&c->theirs, out);
    fprintf(out, "\nsource: %s %s\ndiffers in: ", row->mnemonic, row->source);
    print_fields(comparison_unexplained(c), out);
    fputc('\n', out);
}

static void count_comparison(const struct comparison *c, struct conform_result *result)
{
    if (c->fields == 0) {
        result->passed++;
    } else if (comparison_unexplained(c) == 0) {
        result->unsettled++;
    } else if (result->failed++ < DETAILS_MAX) {
        print_comparison(c, result->details);
    }
}

static void check(void *context, const u8 *bytes)
{
    struct running *run = context;
    struct decoder_suite *suite = run->suite;
    struct comparison c = {.text = suite->capstone.text};

    facts_find(&c.facts, run->code, bytes);
    reading_of_capstone(&c.theirs, &suite->capstone, &c.facts);
    for (unsigned v = 0; v < 2; v++) {
        if (!suite->vendor[v])
            continue;
        c.model = &suite->model[v];
        reading_of_ringside(&c.ours, &c.insn, &c.facts, c.model);
        comparison_make(&c);
        count_comparison(&c, run->result);
    }
}

/* An entry of the list: its example must differ, so that no entry outlives what it excuses. */
static void check_difference(struct decoder_suite *suite, const struct difference *d, struct conform_result *result)
{
    struct comparison c = {.text = suite->capstone.text, .model = &suite->model[d->vendor]};

    difference_example(d, &c, &suite->capstone);
    if ((c.fields & d->fields) != 0 && d->applies(&c) && comparison_unexplained(&c) == 0) {
        result->passed++;
        return;
    }
    result->failed++;
    fprintf(result->details, "%s: the example does not differ as the list says: %s (%s)\n", d->name, d->why, d->source);
    print_comparison(&c, result->details);
}

static void suite_run(void *state, unsigned index, struct conform_result *result)
{
    struct decoder_suite *suite = state;
    struct test_id id = test_at(index);
    struct running run = {suite, result, id.code};

    if (!suite->known) {
        result->skipped++;
        fprintf(result->details, "the list of differences is that of Capstone %d.%d\n", CAPSTONE_MAJOR, CAPSTONE_MINOR);
        return;
    }
    switch (id.kind) {
    case TEST_ROW: encodings_of_row(&insn_rows[id.number], id.code, suite->quick, check, &run); break;
    case TEST_MAP:
        encodings_of_map((enum insn_map)(id.number / 16), id.number % 16, id.code, suite->quick, check, &run);
        break;
    case TEST_RANDOM:
        encodings_random(id.number, suite->quick ? SHARD_STRINGS_QUICK : SHARD_STRINGS, id.code, check, &run);
        break;
    case TEST_DIFFERENCE: check_difference(suite, &differences[id.number], result); break;
    }
}

/* ---- open and close */

static void suite_close(void *state)
{
    struct decoder_suite *suite = state;

    capstone_close(&suite->capstone);
    free(suite);
}

static bool suite_open(void **state, const struct conform_options *options, struct error *err)
{
    struct decoder_suite *suite = calloc(1, sizeof *suite);
    int major, minor;

    if (suite == NULL)
        return error_set(err, EXIT_LIMIT, "no memory for the decoder suite");
    if (!capstone_open(&suite->capstone)) {
        free(suite);
        return error_set(err, EXIT_LIMIT, "Capstone cannot be opened for x86");
    }
    cs_version(&major, &minor);
    suite->known = major == CAPSTONE_MAJOR && minor == CAPSTONE_MINOR;
    suite->quick = options->quick;
    for (unsigned v = 0; v < 2; v++) {
        suite->vendor[v] = options->vendor[v];
        comparison_model(&suite->model[v], (enum cpu_vendor)v);
    }
    *state = suite;
    return true;
}

static void suite_subtitle(void *state, FILE *out)
{
    int major, minor;

    (void)state;
    cs_version(&major, &minor);
    fprintf(out, "against Capstone %d.%d, %u differences explained", major, minor, difference_count);
}

const struct conform_suite suite_decoder = {
    .name = "decoder",
    .title = "decoding, beside Capstone",
    .open = suite_open,
    .close = suite_close,
    .count = suite_count,
    .describe = suite_describe,
    .run = suite_run,
    .subtitle = suite_subtitle,
};

/* SPDX-License-Identifier: MIT
 * The decoder suite itself: its tests have names of their own, what it compares it sees, and the list of differences
 * excuses little.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "conform/decoder/compare.h"
#include "conform/decoder/encodings.h"
#include "conform/suite.h"

/* ---- the suite */

static int by_name(const void *a, const void *b) { return strcmp(a, b); }

static void test_names_are_unique(void **state)
{
    unsigned count = suite_decoder.count(NULL);
    char(*names)[TEST_NAME_MAX] = calloc(count, sizeof *names);

    (void)state;
    assert_non_null(names);
    for (unsigned i = 0; i < count; i++) {
        struct conform_test test = {.group = ""};

        suite_decoder.describe(NULL, i, &test);
        assert_true(strlen(test.name) < TEST_NAME_MAX - 1 && test.subject[0] != 0);
        memcpy(names[i], test.name, TEST_NAME_MAX);
    }
    qsort(names, count, sizeof *names, by_name);
    for (unsigned i = 1; i < count; i++)
        assert_string_not_equal(names[i - 1], names[i]);
    free(names);
}

/* ---- what bytes say */

static struct facts facts_of(enum code_size code, const char *bytes, unsigned count)
{
    struct facts facts;
    u8 padded[READING_BYTES] = {0};

    memcpy(padded, bytes, count);
    facts_find(&facts, code, padded);
    return facts;
}
#define FACTS(code, bytes) facts_of(code, bytes, sizeof(bytes) - 1)

static void test_facts(void **state)
{
    struct facts f = FACTS(CODE64, "\xF2\x66\x48\xF3\x41\x0F\x38\xF1\xC8");

    (void)state;
    assert_int_equal(f.prefixes, HAS_F2 | HAS_66 | HAS_F3);
    assert_true(f.repeat == 0xF3 && f.rex == 0x41 && f.stray_rex);
    assert_true(f.map == M38 && f.opcode == 0xF1 && f.modrm == 0xC8 && f.opcode_at == 7);
    f = FACTS(CODE32, "\x2E\x65\x48\x90");
    assert_int_equal(f.prefixes, HAS_FLAT_SEGMENT | HAS_FS_GS);
    assert_true(f.rex == 0 && f.map == M1 && f.opcode == 0x48);
    f = FACTS(CODE32, "\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66");
    assert_true(f.opcode_at < READING_BYTES - 1);
}

/* ---- sensitivity */

/* Both decoders, and how often a spoilt reading was noticed. */
struct sample {
    struct capstone capstone;
    struct cpu_model model;
    enum code_size code;
    unsigned agreed, spoilt, noticed;
};

static int open_sample(void **state)
{
    struct sample *s = calloc(1, sizeof *s);

    if (s == NULL || !capstone_open(&s->capstone))
        return -1;
    comparison_model(&s->model, VENDOR_AMD);
    *state = s;
    return 0;
}

static int close_sample(void **state)
{
    struct sample *s = *state;

    capstone_close(&s->capstone);
    free(s);
    return 0;
}

/* Ringside's reading with one thing wrong. returns: false when there is no such thing in it */
static bool spoil(struct reading *r, unsigned what)
{
    struct reading_operand *o = &r->operand[what / 5 % READING_OPERANDS];

    if (what >= 5 * READING_OPERANDS) {
        unsigned other = what - 5 * READING_OPERANDS;

        if (other == 0)
            r->length++;
        else if (other == 1)
            r->name = "nonsense";
        else
            r->valid = false;
        return true;
    }
    if (what / 5 >= r->count)
        return false;
    switch (o->kind) {
    case OPERAND_REGISTER: o->number ^= 1; return what % 5 == 0;
    case OPERAND_IMMEDIATE: o->value ^= 1; return what % 5 == 0;
    default: break;
    }
    switch (what % 5) {
    case 0: o->seg = o->seg == GS ? FS : GS; break;
    case 1: o->base ^= 1; break;
    case 2: o->disp ^= 1; break;
    case 3: o->index = o->index == REG_NONE ? RSI : REG_NONE; break;
    default: o->address ^= 6; return o->base != REG_NONE;
    }
    return true;
}

static void spoil_each(void *context, const u8 *bytes)
{
    struct sample *s = context;
    struct comparison c = {.text = s->capstone.text, .model = &s->model}, wrong;

    facts_find(&c.facts, s->code, bytes);
    reading_of_capstone(&c.theirs, &s->capstone, &c.facts);
    reading_of_ringside(&c.ours, &c.insn, &c.facts, c.model);
    comparison_make(&c);
    assert_int_equal(comparison_unexplained(&c), 0);
    if (c.fields != 0 || !c.ours.valid)
        return;
    s->agreed++;
    for (unsigned what = 0; what < 5 * READING_OPERANDS + 3; what++) {
        wrong = c;
        if (!spoil(&wrong.ours, what))
            continue;
        comparison_make(&wrong);
        s->spoilt++;
        s->noticed += comparison_unexplained(&wrong) != 0;
    }
}

#define STRINGS 20000u

/* What agrees would not agree, nor be excused, with a register, an address, a length wrong: in all but a few. */
static void test_errors_are_noticed(void **state)
{
    struct sample *s = *state;

    for (s->code = CODE16; s->code < CODE_SIZES; s->code++) {
        s->agreed = s->spoilt = s->noticed = 0;
        encodings_random(1000, STRINGS, s->code, spoil_each, s);
        assert_true(s->agreed > STRINGS / 3);
        assert_true(s->spoilt - s->noticed <= s->spoilt / 1000);
    }
}

/* ---- the list */

static void test_examples_differ(void **state)
{
    struct sample *s = *state;

    for (unsigned i = 0; i < difference_count; i++) {
        struct comparison c = {.text = s->capstone.text, .model = &s->model};

        s->model.vendor = differences[i].vendor;
        difference_example(&differences[i], &c, &s->capstone);
        if ((c.fields & differences[i].fields) == 0 || !differences[i].applies(&c))
            print_error("%s\n", differences[i].name);
        assert_int_not_equal(c.fields & differences[i].fields, 0);
        assert_true(differences[i].applies(&c));
    }
}

/* Capstone is asked about other bytes that mean the same: the length is that of the original. */
static void test_views(void **state)
{
    static const struct {
        enum code_size code;
        const char *bytes;
        unsigned count;
        const char *name;
    } views[] = {
        {CODE32, "\x66\x2E\x0F\x6C\xC8", 5, "punpcklqdq"}, /* a prefix between the mandatory one and the opcode */
        {CODE16, "\x0F\x58\x08", 3, "addps"},
        {CODE16, "\x66\x0F\x58\x08", 4, "addpd"},
        {CODE16, "\x67\xF3\x0F\x58\x08", 5, "addss"},
        {CODE16, "\xF3\x0F\xB8\xC8", 4, "popcnt"},
    };
    struct sample *s = *state;

    for (unsigned i = 0; i < ARRAY_LEN(views); i++) {
        struct facts facts = facts_of(views[i].code, views[i].bytes, views[i].count);
        struct reading r;

        reading_of_capstone(&r, &s->capstone, &facts);
        assert_true(r.valid);
        assert_int_equal(r.length, views[i].count);
        assert_string_equal(r.name, views[i].name);
    }
}

#define SAMPLE(test) cmocka_unit_test_setup_teardown(test, open_sample, close_sample)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_are_unique),
        cmocka_unit_test(test_facts),
        SAMPLE(test_errors_are_noticed),
        SAMPLE(test_examples_differ),
        SAMPLE(test_views),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

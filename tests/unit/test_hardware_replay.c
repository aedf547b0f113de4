/* SPDX-License-Identifier: MIT
 * The replay of hardware corpora: cases that agree pass on both engines, each kind of difference is found and told,
 * what the table of excuses forgives is no more than it says, and every row of the table is needed by the corpora that
 * exist.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "conform/hardware/corpus_layout.h"
#include "conform/hardware/suite.h"

/* The GDT as Linux has it, and an LDT with a 16-bit code and a data segment. */
enum { CS64 = 0x33, CS32 = 0x23, DATA = 0x2B, CS16 = 0x07, DATA16 = 0x0F };

static struct hardware_source source_of(u8 vendor)
{
    struct hardware_source s = {.processor = "By hand",
                                .vendor = vendor,
                                .date = "2026-12-01",
                                .system = "none",
                                .gdt_count = 16,
                                .ldt_count = 2,
                                .cr0_am = 1,
                                .cr4_fsgsbase = 1,
                                .cr4_umip = 1};

    s.gdt[4] = 0x00CFFB000000FFFF;
    s.gdt[5] = 0x00CFF3000000FFFF;
    s.gdt[6] = 0x00AFFB000000FFFF;
    s.ldt[0] = 0x0000FB100000FFFF;
    s.ldt[1] = 0x0000F3110000FFFF;
    return s;
}

/* A case that completes and changes nothing but RIP, and RF, which is 0 behind INT3. */
static struct hardware_case simple_case(enum hardware_mode mode, const u8 *code, u8 length)
{
    struct hardware_case c = {.mode = mode, .length = length, .vector = VECTOR_BP};
    bool small = mode == HARDWARE_16;
    u16 data = mode == HARDWARE_64 ? 0 : small ? DATA16 : DATA;

    memcpy(c.code, code, length);
    for (unsigned i = 0; i < (mode == HARDWARE_64 ? 16 : 8); i++)
        c.before.gpr[i] = 0x1000 + i;
    c.before.gpr[RSP] = small ? 0x8000 : HARDWARE_DATA + 0x8000;
    c.before.rip = small ? 0x400 : HARDWARE_CODE + 0x400;
    c.before.rflags = 0x202;
    c.before.mxcsr = 0x1F80;
    c.before.selector[ES] = c.before.selector[DS] = data;
    c.before.selector[CS] = mode == HARDWARE_64 ? CS64 : small ? CS16 : CS32;
    c.before.selector[SS] = small ? DATA16 : DATA;
    c.before.x87_control = 0x37F;
    c.after = c.before;
    c.after.rip += length;
    return c;
}
#define CASE(mode, ...) simple_case(mode, (const u8[]){__VA_ARGS__}, sizeof((const u8[]){__VA_ARGS__}))

static struct hardware_case faulting(struct hardware_case c, u8 vector, u32 error, u64 cr2)
{
    c.vector = vector;
    c.error = error;
    c.cr2 = cr2;
    c.after = c.before;
    c.after.rflags |= 0x10000; /* RF */
    return c;
}

static const char *scratch(void)
{
    static char path[64];

    snprintf(path, sizeof path, "/tmp/ringside-replay-%ld.corpus", (long)getpid());
    return path;
}

static void write_corpus(u8 vendor, const struct hardware_case *cases, unsigned count)
{
    struct hardware_source source = source_of(vendor);
    struct hardware_writer *w = hardware_writer_new(&source);
    struct error err = {0};

    for (unsigned i = 0; i < count; i++)
        hardware_writer_add(w, &cases[i]);
    if (!hardware_writer_finish(w, scratch(), &err))
        fail_msg("%s", err.text);
}

struct sums {
    unsigned passed, failed, unsettled;
    char details[16384];
};

/* Replay a corpus on one model. use: what was excused is added, unless it is NULL */
static void replay_file(const char *path, enum cpu_vendor vendor, enum engine_kind engine, struct sums *sums,
                        struct excuse_use *use)
{
    struct conform_options options = {.engine = engine, .corpus = path};
    struct error err = {0};
    FILE *out = fmemopen(sums->details, sizeof sums->details, "w");
    void *state;

    options.vendor[vendor] = true;
    sums->passed = sums->failed = sums->unsettled = 0;
    if (!suite_hardware.open(&state, &options, &err))
        fail_msg("%s", err.text);
    for (unsigned i = 0; i < suite_hardware.count(state); i++) {
        struct conform_result result = {.details = out};

        suite_hardware.run(state, i, &result);
        sums->passed += result.passed;
        sums->failed += result.failed;
        sums->unsettled += result.unsettled;
    }
    for (unsigned i = 0; use != NULL && i < excuse_count(); i++)
        use->used[i] += hardware_suite_use(state)->used[i];
    suite_hardware.close(state);
    fclose(out);
}

static void assert_replay(u8 recorded_on, enum cpu_vendor vendor, const struct hardware_case *cases, unsigned count,
                          unsigned passed, unsigned failed, unsigned unsettled, struct sums *sums)
{
    static const enum engine_kind engines[] = {ENGINE_STEP, ENGINE_BLOCK};

    write_corpus(recorded_on, cases, count);
    for (unsigned e = 0; e < 2; e++) {
        replay_file(scratch(), vendor, engines[e], sums, NULL);
        if (sums->passed != passed || sums->failed != failed || sums->unsettled != unsettled)
            fail_msg("%u passed, %u failed, %u unsettled\n%s", sums->passed, sums->failed, sums->unsettled,
                     sums->details);
    }
    unlink(scratch());
}

/* ---- cases that agree */

static unsigned agreeing_cases(struct hardware_case *c)
{
    unsigned n = 0;

    for (enum hardware_mode mode = 0; mode < HARDWARE_MODES; mode++)
        c[n++] = CASE(mode, 0x90);
    c[n] = CASE(HARDWARE_64, 0x48, 0x01, 0xC8); /* add rax, rcx */
    c[n].after.gpr[RAX] = 0x2001;
    c[n++].after.rflags = 0x202;
    c[n] = CASE(HARDWARE_32, 0x50); /* push eax */
    c[n].after.gpr[RSP] -= 4;
    c[n].runs_after = 1;
    c[n].after_run[0] = (struct hardware_bytes){.address = HARDWARE_DATA + 0x7FFC, .size = 4};
    c[n].bytes_used = 4;
    c[n++].bytes[1] = 0x10;
    c[n] = CASE(HARDWARE_64, 0x8B, 0x07); /* mov eax, [rdi]: of the case's own memory */
    c[n].before.gpr[RDI] = c[n].after.gpr[RDI] = HARDWARE_DATA + 0x123;
    c[n].runs_before = 1;
    c[n].before_run[0] = (struct hardware_bytes){.address = HARDWARE_DATA + 0x123, .size = 4};
    c[n].bytes_used = 4;
    c[n].bytes[0] = 0x5A;
    c[n++].after.gpr[RAX] = 0x5A;
    c[n] = CASE(HARDWARE_64, 0x88, 0x07); /* mov [rdi], al */
    c[n].before.gpr[RDI] = HARDWARE_READ_ONLY + 7;
    c[n] = faulting(c[n], VEC_PF, 7, HARDWARE_READ_ONLY + 7);
    n++;
    c[n++] = faulting(CASE(HARDWARE_64, 0x8A, 0x07), VEC_PF, 4, 0x1000 + RDI);  /* not mapped */
    c[n++] = faulting(CASE(HARDWARE_64, 0xF4), VEC_GP, 0, 0);                   /* hlt */
    c[n++] = faulting(CASE(HARDWARE_64, 0x0F, 0x0B), VEC_UD, 0, 0);             /* ud2 */
    c[n++] = faulting(CASE(HARDWARE_32, 0xCD, 0x21), VEC_GP, 0x21 << 3 | 2, 0); /* int 21h */
    c[n] = CASE(HARDWARE_16, 0xEB, 0x10);                                       /* jmp */
    c[n++].after.rip = 0x412;
    c[n] = CASE(HARDWARE_64, 0x0F, 0x77); /* emms */
    c[n].before.x87_status = 0x2800;
    c[n].before.x87_valid = 0xFF;
    memcpy(c[n].before.x87[1], "\x01\x02\x03\x04\x05\x06\x07\x08\xFF\xFF", 10); /* ST(1) is register 6 */
    c[n].after = CASE(HARDWARE_64, 0x0F, 0x77).after;
    memcpy(c[n++].after.x87[6], "\x01\x02\x03\x04\x05\x06\x07\x08\xFF\xFF", 10);
    return n;
}

static void test_cases_that_agree(void **state)
{
    struct hardware_case *cases = calloc(32, sizeof *cases);
    struct sums *sums = calloc(1, sizeof *sums);
    unsigned count = agreeing_cases(cases);

    (void)state;
    for (u8 vendor = 0; vendor < 2; vendor++)
        for (u8 from = 0; from < 2; from++)
            assert_replay(from, (enum cpu_vendor)vendor, cases, count, count, 0, 0, sums);
    free(sums);
    free(cases);
}

/* ---- each kind of difference is found */

static void assert_told(struct hardware_case c, const char *field)
{
    struct sums *sums = calloc(1, sizeof *sums);

    assert_replay(VENDOR_AMD, VENDOR_AMD, &c, 1, 0, 1, 0, sums);
    if (strstr(sums->details, field) == NULL)
        fail_msg("\"%s\" is not in\n%s", field, sums->details);
    free(sums);
}

static void test_differences_are_told(void **state)
{
    const struct hardware_case nop = CASE(HARDWARE_64, 0x90);
    struct hardware_case c;

    (void)state;
    for (unsigned i = 0; i < CORPUS_ITEMS; i++) {
        c = nop;
        ((u8 *)&c.after)[corpus_item_at(i).offset] ^= 1;
        assert_told(c, "expected");
    }
    assert_told(faulting(nop, VEC_UD, 0, 0), "vector: expected 6, got 3");
    c = faulting(CASE(HARDWARE_64, 0xF4), VEC_GP, 8, 0);
    assert_told(c, "error code: expected 8, got 0");
    assert_told(c, "source: hlt, 2A HLT");
    assert_told(c, "FAIL F4 \"hlt\", 64-bit, case 0 of ringside-replay-");
    assert_told(faulting(CASE(HARDWARE_64, 0x8A, 0x07), VEC_PF, 4, 5), "cr2: expected 5, got 1007");
    c = nop;
    c.runs_after = 1;
    c.after_run[0] = (struct hardware_bytes){.address = HARDWARE_DATA + 0x99, .size = 1};
    c.bytes_used = 1;
    c.bytes[0] = (u8)~hardware_background(HARDWARE_DATA + 0x99);
    assert_told(c, "byte at 110099h");
    assert_told(CASE(HARDWARE_64, 0xC6, 0x44, 0x24, 0x00, 0x00), "byte at 118000h"); /* a store that is not expected */
    assert_told(CASE(HARDWARE_64, 0xEB, 0xFE), "no exception came");
}

/* A case leaves nothing behind for the next. */
static void test_cases_do_not_meet(void **state)
{
    struct hardware_case *cases = calloc(32, sizeof *cases);
    struct sums *sums = calloc(1, sizeof *sums);
    unsigned count = 0;

    (void)state;
    cases[count++] = CASE(HARDWARE_64, 0xC6, 0x44, 0x24, 0x00, 0x00);
    cases[count++] = CASE(HARDWARE_64, 0x0F, 0xAE, 0x04, 0x24); /* fxsave */
    cases[count++] = CASE(HARDWARE_64, 0xEB, 0xFE);
    count += agreeing_cases(cases + count);
    assert_replay(VENDOR_AMD, VENDOR_AMD, cases, count, count - 3, 3, 0, sums);
    free(sums);
    free(cases);
}

/* ---- excuses */

static void test_excuses_are_narrow(void **state)
{
    struct sums *sums = calloc(1, sizeof *sums);
    struct hardware_case c = CASE(HARDWARE_64, 0x66, 0xEB, 0x10); /* jmp with 66: AMD goes to 16 bits of RIP */

    (void)state;
    c = faulting(c, VEC_PF, 0x14, 0x413);
    c.after.rip = 0x413;
    assert_replay(VENDOR_AMD, VENDOR_AMD, &c, 1, 1, 0, 0, sums);
    assert_replay(VENDOR_AMD, VENDOR_INTEL, &c, 1, 0, 0, 1, sums); /* another outcome by SG-06 */
    assert_replay(VENDOR_INTEL, VENDOR_INTEL, &c, 1, 0, 1, 0, sums);

    c = CASE(HARDWARE_64, 0xF7, 0xE1); /* mul ecx: SF is undefined, CF and the product are not */
    c.after.gpr[RAX] = 0x1000 * 0x1001;
    c.after.gpr[RDX] = 0;
    c.after.rflags = 0x202 | FLAG_SF;
    assert_replay(VENDOR_AMD, VENDOR_AMD, &c, 1, 1, 0, 0, sums);
    c.after.rflags |= FLAG_CF;
    assert_replay(VENDOR_AMD, VENDOR_AMD, &c, 1, 0, 1, 0, sums);
    free(sums);
}

/* Within its bound an approximation passes, beyond it fails. */
static void test_approximations_are_bounded(void **state)
{
    struct sums *sums = calloc(1, sizeof *sums);
    struct hardware_case c = CASE(HARDWARE_64, 0xF3, 0x0F, 0x53, 0xC1); /* rcpss xmm0, xmm1 */
    const u32 three = 0x40400000, near = 0x3EAAAAAB + 4000, far = 0x3EAAAAAB + 20000;

    (void)state;
    memcpy(c.before.xmm[1], &three, 4);
    memcpy(c.after.xmm[1], &three, 4);
    memcpy(c.after.xmm[0], &near, 4);
    assert_replay(VENDOR_AMD, VENDOR_AMD, &c, 1, 1, 0, 0, sums);
    memcpy(c.after.xmm[0], &far, 4);
    assert_replay(VENDOR_AMD, VENDOR_AMD, &c, 1, 0, 1, 0, sums);
    free(sums);
}

/* The whole of the corpora that come with the program, on each vendor's model: no difference is left, and no row of the
 * table is there for nothing. */
static void test_own_corpora_need_every_excuse(void **state)
{
    struct sums *sums = calloc(1, sizeof *sums);
    struct excuse_use use = {.used = {0}};
    unsigned idle = 0;

    (void)state;
    for (unsigned vendor = 0; vendor < 2; vendor++) {
        replay_file(NULL, (enum cpu_vendor)vendor, ENGINE_BLOCK, sums, &use);
        assert_true(sums->passed + sums->unsettled > 100000);
        if (sums->failed != 0)
            fail_msg("%u of the corpora's cases differ\n%s", sums->failed, sums->details);
    }
    for (unsigned i = 0; i < excuse_count(); i++) {
        if (use.used[i] == 0) {
            print_error("excuses nothing: %s, %s\n", excuse_at(i)->mnemonics, excuse_at(i)->source);
            idle++;
        }
    }
    assert_int_equal(idle, 0);
    free(sums);
}

/* ---- files from anywhere */

static u64 next_random(u64 *seed)
{
    *seed = *seed * 6364136223846793005ull + 1442695040888963407ull;
    return *seed >> 24 ^ *seed << 40;
}

/* Whatever a case says, the replay gives a verdict. */
static void test_hostile_cases(void **state)
{
    enum { COUNT = 400 };
    struct hardware_case *cases = calloc(COUNT, sizeof *cases);
    struct sums *sums = calloc(1, sizeof *sums);
    u64 seed = 3;

    (void)state;
    for (unsigned i = 0; i < COUNT; i++) {
        struct hardware_case *c = &cases[i];

        *c = CASE((enum hardware_mode)(i % 3), 0x90);
        c->length = (u8)(1 + next_random(&seed) % 15);
        for (unsigned k = 0; k < c->length; k++)
            c->code[k] = (u8)next_random(&seed);
        for (unsigned k = 0; k < sizeof c->before; k++)
            if (next_random(&seed) % 3 == 0)
                ((u8 *)&c->before)[k] = (u8)next_random(&seed);
        if (i % 2) { /* these can be entered */
            struct hardware_case plain = CASE(c->mode, 0x90);

            memcpy(c->before.selector, plain.before.selector, sizeof plain.before.selector);
            c->before.rflags &= 0x40CD7;
        }
        c->before.rip = (c->mode == HARDWARE_16 ? 0 : HARDWARE_CODE) + 0x400;
    }
    write_corpus(VENDOR_INTEL, cases, COUNT);
    for (unsigned vendor = 0; vendor < 2; vendor++) {
        replay_file(scratch(), (enum cpu_vendor)vendor, ENGINE_BLOCK, sums, NULL);
        assert_int_equal(sums->passed + sums->failed + sums->unsettled, COUNT);
    }
    unlink(scratch());
    free(sums);
    free(cases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases_that_agree),
        cmocka_unit_test(test_differences_are_told),
        cmocka_unit_test(test_cases_do_not_meet),
        cmocka_unit_test(test_excuses_are_narrow),
        cmocka_unit_test(test_approximations_are_bounded),
        cmocka_unit_test(test_own_corpora_need_every_excuse),
        cmocka_unit_test(test_hostile_cases),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

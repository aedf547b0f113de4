/* SPDX-License-Identifier: MIT
 * Hardware corpora: what is written is read again, the same input gives the same bytes, and damaged files are refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <cmocka.h>

#include "conform/hardware/corpus_layout.h"

#define CASES 400u

struct bytes {
    u8 *at;
    size_t size;
};

static u64 next_random(u64 *seed)
{
    *seed = *seed * 6364136223846793005ull + 1442695040888963407ull;
    return *seed >> 24 ^ *seed << 40;
}

static void random_bytes(u64 *seed, void *to, size_t size)
{
    for (size_t i = 0; i < size; i++)
        ((u8 *)to)[i] = (u8)next_random(seed);
}

static void change_some(u64 *seed, struct hardware_state *state)
{
    for (u64 n = next_random(seed) % 8; n > 0; n--) {
        struct corpus_item item = corpus_item_at((unsigned)(next_random(seed) % CORPUS_ITEMS));

        random_bytes(seed, (u8 *)state + item.offset, item.size);
    }
}

static void random_runs(u64 *seed, struct hardware_case *c, struct hardware_bytes *runs, u8 *count)
{
    *count = (u8)(next_random(seed) % (HARDWARE_RUNS_MAX + 1));
    for (unsigned i = 0; i < *count; i++) {
        runs[i].address = HARDWARE_DATA + (u32)(next_random(seed) % 0x10000);
        runs[i].size = (u16)(next_random(seed) % 40);
        runs[i].at = c->bytes_used;
        random_bytes(seed, c->bytes + c->bytes_used, runs[i].size);
        c->bytes_used = (u16)(c->bytes_used + runs[i].size);
    }
}

static struct hardware_case random_case(u64 *seed, const struct hardware_state *pool)
{
    struct hardware_case c = {0};

    c.mode = (enum hardware_mode)(next_random(seed) % HARDWARE_MODES);
    c.length = (u8)(1 + next_random(seed) % 15);
    random_bytes(seed, c.code, c.length);
    c.before = pool[next_random(seed) % 4];
    change_some(seed, &c.before);
    c.before.rip = (c.mode == HARDWARE_16 ? 0 : HARDWARE_CODE) + next_random(seed) % 0x2000;
    c.after = c.before;
    c.vector = (u8)(next_random(seed) % 2 ? VECTOR_BP : next_random(seed) % VECTORS);
    if (next_random(seed) % 2)
        c.after.rip += c.length;
    change_some(seed, &c.after);
    c.error = (u32)next_random(seed);
    c.cr2 = c.vector == VECTOR_PF ? next_random(seed) : 0;
    random_runs(seed, &c, c.before_run, &c.runs_before);
    random_runs(seed, &c, c.after_run, &c.runs_after);
    return c;
}

static struct hardware_source some_source(void)
{
    struct hardware_source s = {.processor = "A processor",
                                .vendor = 1,
                                .family = 25,
                                .model = 1,
                                .stepping = 2,
                                .microcode = 0xA0011D5,
                                .date = "2026-12-01",
                                .system = "6.1",
                                .gdt_count = 3,
                                .ldt_count = 2,
                                .cr0_am = 1,
                                .cr4_umip = 1};

    for (unsigned i = 0; i < 3; i++)
        s.gdt[i] = 0x00CFFB000000FFFF + i;
    s.ldt[1] = 0x000F3000000FFFF;
    return s;
}

static const char *scratch(void)
{
    static char path[64];

    snprintf(path, sizeof path, "/tmp/ringside-corpus-%ld", (long)getpid());
    return path;
}

static void write_cases(struct hardware_case *cases)
{
    struct hardware_source source = some_source();
    struct hardware_writer *w = hardware_writer_new(&source);
    struct hardware_state pool[4];
    struct error err = {0};
    u64 seed = 5;

    memset(pool, 0, sizeof pool);
    for (unsigned i = 0; i < 4; i++) {
        for (unsigned k = 0; k < CORPUS_ITEMS; k++)
            random_bytes(&seed, (u8 *)&pool[i] + corpus_item_at(k).offset, corpus_item_at(k).size);
        hardware_writer_add_state(w, &pool[i]);
    }
    for (unsigned i = 0; i < CASES; i++) {
        cases[i] = random_case(&seed, pool);
        hardware_writer_add(w, &cases[i]);
    }
    if (!hardware_writer_finish(w, scratch(), &err))
        fail_msg("%s", err.text);
}

static struct bytes read_scratch(void)
{
    FILE *file = fopen(scratch(), "rb");
    struct bytes b = {.at = malloc(1 << 20)};

    assert_non_null(file);
    b.size = fread(b.at, 1, 1 << 20, file);
    fclose(file);
    return b;
}

static void write_scratch(const u8 *at, size_t size)
{
    FILE *file = fopen(scratch(), "wb");

    assert_non_null(file);
    assert_int_equal(fwrite(at, 1, size, file), size);
    fclose(file);
}

static void assert_runs(const struct hardware_case *a, const struct hardware_bytes *ra, unsigned count,
                        const struct hardware_case *b, const struct hardware_bytes *rb)
{
    for (unsigned i = 0; i < count; i++) {
        assert_int_equal(ra[i].address, rb[i].address);
        assert_int_equal(ra[i].size, rb[i].size);
        assert_memory_equal(a->bytes + ra[i].at, b->bytes + rb[i].at, ra[i].size);
    }
}

static void assert_states(const struct hardware_state *a, const struct hardware_state *b)
{
    for (unsigned k = 0; k < CORPUS_ITEMS; k++) {
        struct corpus_item item = corpus_item_at(k);

        assert_memory_equal((const u8 *)a + item.offset, (const u8 *)b + item.offset, item.size);
    }
}

static void test_items_cover_the_state(void **state)
{
    u8 seen[sizeof(struct hardware_state)] = {0};
    unsigned covered = 0;

    (void)state;
    for (unsigned k = 0; k < CORPUS_ITEMS; k++)
        for (unsigned i = 0; i < corpus_item_at(k).size; i++) {
            assert_int_equal(seen[corpus_item_at(k).offset + i]++, 0);
            covered++;
        }
    /* All but the padding: 16 GPRs, RIP, the bases; flags, MXCSR; selectors and two x87 words; tag, ST, XMM. */
    assert_int_equal(covered, 19 * 8 + 2 * 4 + 8 * 2 + 1 + 80 + 256);
}

static void test_round_trip(void **state)
{
    struct hardware_case *cases = calloc(CASES, sizeof *cases), got;
    struct hardware_source want = some_source();
    struct hardware_corpus *corpus;
    struct error err = {0};

    (void)state;
    write_cases(cases);
    corpus = hardware_corpus_open(scratch(), &err);
    if (corpus == NULL)
        fail_msg("%s", err.text);
    assert_memory_equal(hardware_corpus_source(corpus), &want, sizeof want);
    assert_int_equal(hardware_corpus_count(corpus), CASES);
    for (u32 k = 0; k < CASES; k++) {
        u32 i = (k * 77 + 5) % CASES; /* in another order */

        hardware_corpus_peek(corpus, i, &got);
        assert_memory_equal(got.code, cases[i].code, sizeof got.code);
        hardware_corpus_read(corpus, i, &got);
        assert_int_equal(got.mode, cases[i].mode);
        assert_int_equal(got.length, cases[i].length);
        assert_memory_equal(got.code, cases[i].code, sizeof got.code);
        assert_int_equal(got.vector, cases[i].vector);
        assert_int_equal(got.error, cases[i].error);
        assert_int_equal(got.cr2, cases[i].cr2);
        assert_int_equal(got.runs_before, cases[i].runs_before);
        assert_int_equal(got.runs_after, cases[i].runs_after);
        assert_states(&got.before, &cases[i].before);
        assert_states(&got.after, &cases[i].after);
        assert_runs(&got, got.before_run, got.runs_before, &cases[i], cases[i].before_run);
        assert_runs(&got, got.after_run, got.runs_after, &cases[i], cases[i].after_run);
    }
    hardware_corpus_close(corpus);
    free(cases);
}

static void test_same_bytes(void **state)
{
    struct hardware_case *cases = calloc(CASES, sizeof *cases);
    struct bytes a, b;

    (void)state;
    write_cases(cases);
    a = read_scratch();
    write_cases(cases);
    b = read_scratch();
    assert_int_equal(a.size, b.size);
    assert_memory_equal(a.at, b.at, a.size);
    free(a.at);
    free(b.at);
    free(cases);
}

static void assert_refused(const char *why)
{
    struct error err = {0};
    struct hardware_corpus *corpus = hardware_corpus_open(scratch(), &err);

    if (corpus != NULL)
        fail_msg("%s was accepted", why);
    assert_int_equal(err.code, EXIT_FILE);
    assert_non_null(strstr(err.text, scratch()));
}

static void test_damaged_files(void **state)
{
    struct hardware_case *cases = calloc(CASES, sizeof *cases);
    struct bytes file;

    (void)state;
    write_cases(cases);
    file = read_scratch();
    for (size_t size = 0; size < file.size; size += 1 + size / 8) {
        write_scratch(file.at, size);
        assert_refused("a truncated file");
    }
    for (size_t i = 0; i < file.size; i += i < 64 ? 1 : 997) {
        file.at[i] ^= 0x10;
        write_scratch(file.at, file.size);
        assert_refused("a flipped byte");
        file.at[i] ^= 0x10;
    }
    unlink(scratch());
    assert_refused("a missing file");
    free(file.at);
    free(cases);
}

static struct bytes unpacked(const struct bytes *file)
{
    struct bytes b = {.size = load_le32(file->at + 16)};

    b.at = malloc(b.size + 1);
    assert_int_equal(ZSTD_decompress(b.at, b.size, file->at + CORPUS_PREAMBLE, file->size - CORPUS_PREAMBLE), b.size);
    return b;
}

/* A file with these contents whose packing and checksum are right. */
static void write_contents(const u8 *contents, size_t size)
{
    size_t room = CORPUS_PREAMBLE + ZSTD_compressBound(size), packed;
    u8 *file = malloc(room);

    packed = ZSTD_compress(file + CORPUS_PREAMBLE, room - CORPUS_PREAMBLE, contents, size, 1);
    assert_false(ZSTD_isError(packed));
    memcpy(file, CORPUS_MAGIC, 8);
    store_le32(file + 8, CORPUS_VERSION);
    store_le32(file + 16, (u32)size);
    store_le32(file + 12, (u32)crc32_z(0, file + 16, packed + 4));
    write_scratch(file, packed + CORPUS_PREAMBLE);
    free(file);
}

/* Whatever stands in a well-packed file, it is refused with an error, or every case can be read and is in bounds. */
static void test_hostile_contents(void **state)
{
    struct hardware_case *cases = calloc(CASES, sizeof *cases), c;
    struct bytes file, contents;
    unsigned refused = 0, rounds = 2000;
    u64 seed = 9;

    (void)state;
    write_cases(cases);
    file = read_scratch();
    contents = unpacked(&file);
    for (unsigned round = 0; round < rounds; round++) {
        u8 *copy = malloc(contents.size);
        size_t size = round % 4 == 0 ? next_random(&seed) % contents.size : contents.size;
        struct error err = {0};
        struct hardware_corpus *corpus;

        memcpy(copy, contents.at, contents.size);
        for (u64 n = next_random(&seed) % 3; n > 0; n--)
            copy[next_random(&seed) % contents.size] = (u8)next_random(&seed);
        write_contents(copy, size);
        corpus = hardware_corpus_open(scratch(), &err);
        if (corpus == NULL) {
            refused++;
            assert_int_equal(err.code, EXIT_FILE);
        }
        for (u32 i = 0; corpus != NULL && i < hardware_corpus_count(corpus); i++) {
            hardware_corpus_read(corpus, i, &c);
            assert_in_range(c.length, 1, 15);
            assert_true(c.runs_before <= HARDWARE_RUNS_MAX && c.runs_after <= HARDWARE_RUNS_MAX);
            for (unsigned r = 0; r < c.runs_before; r++)
                assert_true(corpus_run_mapped(c.before_run[r].address, c.before_run[r].size));
        }
        hardware_corpus_close(corpus);
        free(copy);
    }
    assert_in_range(refused, rounds / 4, rounds - 100); /* both happen */
    unlink(scratch());
    free(contents.at);
    free(file.at);
    free(cases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_items_cover_the_state),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_same_bytes),
        cmocka_unit_test(test_damaged_files),
        cmocka_unit_test(test_hostile_contents),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

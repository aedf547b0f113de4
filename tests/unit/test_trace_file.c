/* SPDX-License-Identifier: MIT
 * The trace file: what goes in comes out, a cut or damaged file is read as far as it goes, the digest is the stream's.
 */
#include "trace_fixture.h"

#include <signal.h>
#include <sys/resource.h>

#include "trace/file/block.h"

static u8 *fixture_bytes(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    u8 *bytes;

    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    *size = (size_t)ftell(file);
    rewind(file);
    bytes = malloc(*size + 1);
    assert_int_equal(fread(bytes, 1, *size, file), *size);
    fclose(file);
    return bytes;
}

static void fixture_put(const char *path, const u8 *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");

    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    fclose(file);
}

/* Every record of the file against a second recording of the same stream, held in memory. */
static void test_round_trip(void **state)
{
    (void)state;
    struct trace_fixture f;
    struct error err;
    struct event_digest digest;
    const struct event_record *e;
    const unsigned n = 3 * BLOCK_EVENTS + 100;
    u64 id, expect = 1, want;

    fixture_open(&f, "round");
    want = fixture_record(&f, n, true);
    struct trace_reader *r = trace_reader_open(f.path, &err);
    assert_non_null(r);
    assert_null(trace_reader_damage(r));
    assert_int_equal(trace_reader_events(r), n);
    assert_string_equal(trace_properties_get(trace_reader_run(r), "command"), "ringside run a b");
    assert_string_equal(trace_properties_get(trace_reader_end(r), "end.reason"), "power-off");
    event_digest_init(&digest);
    while ((e = trace_reader_next(r, NULL, &id)) != NULL) {
        assert_int_equal(id, expect++);
        assert_int_equal(e->sequence, id);
        event_digest_add(&digest, e);
        if (e->frame_words) {
            assert_true(e->present & EVENT_HAS_FRAME);
            for (unsigned i = 0; i < e->frame_words; i++)
                assert_int_equal(event_frame_word(e, i), event_frame_expected(e, i));
        }
    }
    assert_int_equal(expect, n + 1);
    assert_int_equal(event_digest_value(&digest), want);
    trace_reader_seek(r, 2 * BLOCK_EVENTS + 7);
    assert_non_null(trace_reader_next(r, NULL, &id));
    assert_int_equal(id, 2 * BLOCK_EVENTS + 7);
    trace_reader_close(r);
    fixture_close(&f);
}

static void test_digest_is_the_streams(void **state)
{
    (void)state;
    struct trace_fixture a, b, c;

    fixture_open(&a, "digest-a");
    fixture_open(&b, "digest-b");
    fixture_open(&c, "digest-c");
    c.random++;
    u64 with_file = fixture_record(&a, 600, true), without = fixture_record(&b, 600, false);
    assert_int_equal(with_file, without);
    assert_int_not_equal(with_file, fixture_record(&c, 600, false));
    fixture_close(&a);
    fixture_close(&b);
    fixture_close(&c);
}

/* Order matters, and each digest field. */
static void test_digest_sees_every_field(void **state)
{
    (void)state;
    struct event_record e = {0};
    struct event_digest base, other;

    event_digest_init(&base);
    event_digest_add(&base, &e);
    for (unsigned i = 0; i < EVENT_FIELDS; i++) {
        const struct event_field_info *field = event_field_info(i);
        struct event_record changed = e;

        ((u8 *)&changed)[field->offset] ^= 1;
        event_digest_init(&other);
        event_digest_add(&other, &changed);
        if (i == EVENT_kind)
            assert_int_equal(other.events, 0);
        else if (field->digest)
            assert_int_not_equal(event_digest_value(&base), event_digest_value(&other));
        else
            assert_int_equal(event_digest_value(&base), event_digest_value(&other));
    }
}

/* Records as a block, by a predictor of its own; raw is valid until the next block. */
static size_t encode(struct block_codec *codec, const struct event_record *records, u32 count, const u8 **raw)
{
    struct predictor *p = predictor_new();
    struct predict_miss miss;

    for (u32 i = 0; i < count; i++) {
        const struct event_record *made;

        predictor_compare(p, &records[i], &miss);
        if (miss.mask == 0 && miss.slot == miss.base && miss.slot == p->following) {
            predictor_follow(p);
            made = block_follow(codec);
        } else {
            predictor_apply(p, &miss);
            made = block_add(codec, &miss);
        }
        assert_int_equal(made->ticks, records[i].ticks);
        if (event_is_transition(made))
            assert_memory_equal(made, &records[i], sizeof *made);
    }
    assert_int_equal(codec->count, count);
    free(p);
    return block_end(codec, raw);
}

/* A loop of four sites, whose counter and flags move, interrupted now and then. */
static void make_loop(struct event_record *e, u32 count, struct trace_fixture *f)
{
    static const u8 mechanism[] = {MECH_SYSCALL, 0, 0, MECH_SYSRET};
    struct event_record before = {.sequence = 7};
    u64 user = 0x7F0000001000, kernel = 0xFFFF888000000000, flags = 0x246;

    for (u32 i = 0; i < count; i++) {
        bool side = i % 4 == 1 || i % 4 == 2, gap = fixture_random(f) % 64 == 0;

        memset(&e[i], 0, sizeof e[i]);
        e[i].kind = side ? EVENT_KIND_SWAPGS : EVENT_KIND_TRANSITION;
        e[i].mechanism = mechanism[i % 4];
        e[i].ticks = before.ticks + 10 + i % 4 + (gap ? fixture_random(f) % 5000 : 0);
        e[i].retired = before.retired + (e[i].ticks - before.ticks) - (gap ? 3 : 0);
        e[i].sequence = before.sequence + !side;
        e[i].from_rip = 0x1000 + 0x20 * (i % 4);
        e[i].from_cr3 = e[i].to_cr3 = 0x5000 + 0x1000 * (i / 300);
        e[i].from_gs_base = i % 4 == 2 ? kernel : user;
        e[i].from_kernel_gs_base = i % 4 == 2 ? user : kernel;
        e[i].to_gs_base = (i % 4 == 2) != side ? kernel : user;
        e[i].to_kernel_gs_base = (i % 4 == 2) != side ? user : kernel;
        e[i].to_rip = side ? e[i].from_rip : i % 4 ? 0x1002 : 0x2000;
        e[i].from_rsp = e[i].to_rsp = 0x7FFD0000 - (gap ? 0x40 : 0);
        if (i % 4 == 0)
            flags = 0x202 | (fixture_random(f) & 4);
        e[i].from_rflags = i % 4 ? 0x46 : flags;
        e[i].to_rflags = i % 4 == 3 ? flags : side ? 0x46 : 2;
        e[i].from_cpl = i % 4 == 0 ? 3 : 0;
        e[i].to_cpl = i % 4 == 3 ? 3 : 0;
        if (side) {
            e[i].old_value = e[i].from_gs_base;
            e[i].new_value = e[i].to_gs_base;
        }
        if (i % 4 == 0) {
            e[i].present = EVENT_HAS_REGISTERS;
            e[i].rax = 39;
            e[i].rbx = 1000000 - i / 4;
            e[i].rdi = 5 * (i / 4);
            e[i].rcx = 0x1002;
            e[i].r11 = flags;
        }
        before = e[i];
    }
}

static void test_block_of_a_loop(void **state)
{
    (void)state;
    struct block_codec *codec = block_codec_new();
    struct event_record *in = calloc(BLOCK_EVENTS, sizeof *in), *out = calloc(BLOCK_EVENTS, sizeof *out);
    struct trace_fixture f = {.random = 7};
    const u8 *raw;

    make_loop(in, BLOCK_EVENTS, &f);
    for (unsigned turn = 0; turn < 2; turn++) {
        size_t size = encode(codec, in, BLOCK_EVENTS, &raw);
        u32 rows = load_le32(raw);
        u8 *copy = malloc(size);

        memcpy(copy, raw, size);
        assert_true(rows < BLOCK_EVENTS / 5); /* half of the entries by their flags, and what the gaps disturb */
        assert_true(block_decode(codec, copy, size, BLOCK_EVENTS, out));
        assert_memory_equal(in, out, BLOCK_EVENTS * sizeof *in);
        assert_false(block_decode(codec, copy, size, rows - 1, out));
        free(copy);
    }
    free(in);
    free(out);
    block_codec_free(codec);
}

/* Blocks of random bytes, and sound ones with random bytes in them: refused, or records that can be printed. */
static void test_block_of_any_bytes(void **state)
{
    (void)state;
    struct block_codec *codec = block_codec_new();
    struct event_record *in = calloc(400, sizeof *in), *out = calloc(BLOCK_EVENTS, sizeof *out);
    struct trace_fixture f = {.random = 99};
    const u8 *raw;
    unsigned taken = 0;

    make_loop(in, 400, &f);
    size_t size = encode(codec, in, 400, &raw);
    u8 *sound = malloc(size), *bytes = malloc(size);
    memcpy(sound, raw, size);
    for (unsigned turn = 0; turn < 3000; turn++) {
        memcpy(bytes, sound, size);
        for (u64 n = 1 + fixture_random(&f) % 4; n; n--)
            bytes[fixture_random(&f) % (turn % 3 ? size : 200)] ^= (u8)fixture_random(&f);
        if (!block_decode(codec, bytes, size, 400, out))
            continue;
        taken++;
        for (unsigned i = 0; i < 400; i++)
            assert_true(out[i].kind < EVENT_KINDS && out[i].mechanism < MECHANISMS && out[i].from_cpl <= 3);
    }
    assert_true(taken > 0 && taken < 3000);
    assert_true(block_decode(codec, sound, size, 400, out));
    assert_memory_equal(in, out, 400 * sizeof *in);
    free(sound);
    free(bytes);
    free(in);
    free(out);
    block_codec_free(codec);
}

static void test_block_round_trip_of_noise(void **state)
{
    (void)state;
    struct block_codec *codec = block_codec_new();
    struct event_record *in = calloc(500, sizeof *in), *out = calloc(500, sizeof *out);
    struct trace_fixture f = {.random = 42};
    const u8 *raw;

    for (unsigned i = 0; i < 500; i++) {
        for (unsigned k = 0; k < EVENT_FIELDS; k++) {
            u64 value = fixture_random(&f);

            memcpy((u8 *)&in[i] + event_field_info(k)->offset, &value, event_field_info(k)->size);
        }
        in[i].kind = (u8)(in[i].kind % EVENT_KINDS);
        in[i].mechanism = (u8)(in[i].mechanism % MECHANISMS);
        in[i].from_cpl &= 3;
        in[i].to_cpl &= 3;
        in[i].rule = (u16)(in[i].rule % RULES);
    }
    size_t size = encode(codec, in, 500, &raw);
    assert_true(block_decode(codec, raw, size, 500, out));
    assert_memory_equal(in, out, 500 * sizeof *in);
    assert_false(block_decode(codec, raw, size - 1, 500, out));
    assert_false(block_decode(codec, raw, size, 499, out));
    free(in);
    free(out);
    block_codec_free(codec);
}

/* Events readable from a file; 0 when it does not open. */
static u64 readable(const char *path, bool *damaged)
{
    struct error err = {0};
    struct trace_reader *r = trace_reader_open(path, &err);
    u64 id, count = 0;

    *damaged = true;
    if (!r) {
        assert_int_equal(err.code, EXIT_FILE);
        assert_true(err.text[0] != '\0');
        return 0;
    }
    while (trace_reader_next(r, NULL, &id))
        count++;
    *damaged = trace_reader_damage(r) != NULL;
    trace_reader_close(r);
    return count;
}

/* A file of two blocks (the second forced by its inputs), cut at every length. */
static void record_small(struct trace_fixture *f)
{
    struct recorder_options options = {.path = f->path};
    struct error err;
    struct recorder *r = recorder_open(&options, &err);
    u8 *paste = calloc(1, 70000);

    assert_non_null(r);
    recorder_attach(r, f->cpu, f->port);
    fixture_feed(f, 20);
    input_push(f->port, INPUT_SERIAL0, paste, 70000);
    f->clock.ticks += 2;
    clock_run(&f->clock);
    fixture_feed(f, 10);
    assert_true(recorder_close(r, NULL, &err));
    free(paste);
}

static size_t swallow(void *context, const u8 *bytes, size_t size)
{
    (void)context, (void)bytes;
    return size;
}

static void test_cut_at_every_byte(void **state)
{
    (void)state;
    struct trace_fixture f;
    size_t size;
    bool damaged;
    u64 last = 0;

    fixture_open(&f, "cut");
    input_attach(f.port, INPUT_SERIAL0, swallow, NULL);
    record_small(&f);
    u8 *bytes = fixture_bytes(f.path, &size);
    assert_int_equal(readable(f.path, &damaged), 31);
    assert_false(damaged);
    for (size_t cut = 0; cut < size; cut++) {
        fixture_put(f.path, bytes, cut);
        u64 count = readable(f.path, &damaged);
        assert_true(damaged);
        assert_true(count == 0 || count == 21 || count == 31);
        assert_true(count >= last); /* more bytes never mean fewer events */
        last = count;
    }
    assert_int_equal(last, 31); /* all blocks were there before the index was */
    free(bytes);
    fixture_close(&f);
}

static void test_flip_at_every_byte(void **state)
{
    (void)state;
    struct trace_fixture f;
    size_t size;
    bool damaged;

    fixture_open(&f, "flip");
    input_attach(f.port, INPUT_SERIAL0, swallow, NULL);
    record_small(&f);
    u8 *bytes = fixture_bytes(f.path, &size);
    for (size_t at = 0; at < size; at++) {
        u8 keep = bytes[at];

        bytes[at] ^= (u8)(1u << (at % 8));
        fixture_put(f.path, bytes, size);
        u64 count = readable(f.path, &damaged);
        assert_true(count == 0 || count == 10 || count == 21 || count == 31);
        if (count < 31)
            assert_true(damaged);
        bytes[at] = keep;
    }
    free(bytes);
    fixture_close(&f);
}

static void test_other_schema_is_refused(void **state)
{
    (void)state;
    struct error err = {0};
    struct trace_fixture f;

    fixture_open(&f, "schema");
    char text[] = "ringside-trace\t99\n";
    struct trace_section s = {.marker = TRACE_SECTION_MARKER,
                              .tag = TAG_SCHEMA,
                              .stored = sizeof text - 1,
                              .raw = sizeof text - 1,
                              .payload_sum = trace_checksum(text, sizeof text - 1)};
    s.header_sum = trace_checksum(&s, offsetof(struct trace_section, header_sum));
    FILE *file = fopen(f.path, "wb");
    fwrite(TRACE_MAGIC, 1, TRACE_MAGIC_SIZE, file);
    fwrite(&s, sizeof s, 1, file);
    fwrite(text, 1, sizeof text - 1, file);
    fclose(file);
    assert_null(trace_reader_open(f.path, &err));
    assert_int_equal(err.code, EXIT_FILE);
    assert_non_null(strstr(err.text, "schema 99"));
    fixture_close(&f);
}

static void count_input(void *context, u64 tick, u32 source, const u8 *bytes, size_t size)
{
    (void)tick, (void)bytes;
    assert_int_equal(source, INPUT_SERIAL0);
    *(size_t *)context += size;
}

static void test_input_log(void **state)
{
    (void)state;
    struct trace_fixture f;
    struct error err;
    size_t bytes = 0;
    u64 inputs = 0;

    fixture_open(&f, "input");
    input_attach(f.port, INPUT_SERIAL0, swallow, NULL);
    record_small(&f);
    struct trace_reader *r = trace_reader_open(f.path, &err);
    assert_non_null(r);
    assert_true(trace_reader_inputs(r, count_input, &bytes, &err));
    assert_int_equal(bytes, 70000);
    trace_reader_close(r);
    assert_true(trace_replay(f.path, f.port, &inputs, &err));
    assert_int_equal(inputs, 1);
    assert_int_equal(truncate(f.path, 3000), 0);
    assert_false(trace_replay(f.path, f.port, &inputs, &err));
    assert_int_equal(err.code, EXIT_FILE);
    fixture_close(&f);
}

static void test_disk_full(void **state)
{
    (void)state;
    struct recorder_options options = {.path = "/dev/full"};
    struct error err = {0};

    assert_null(recorder_open(&options, &err));
    assert_int_equal(err.code, EXIT_FILE);
    assert_non_null(strstr(err.text, "No space left"));
}

/* The file may grow to 64 KiB only: the failure is told at the end, and what was written stays readable. */
static void test_disk_fills_up(void **state)
{
    (void)state;
    struct trace_fixture f;
    struct error err = {0};
    struct rlimit before, limit;
    bool damaged;

    fixture_open(&f, "full");
    struct recorder_options options = {.path = f.path};
    struct recorder *r = recorder_open(&options, &err);
    assert_non_null(r);
    recorder_attach(r, f.cpu, f.port);
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    limit = before;
    limit.rlim_cur = 65536;
    setrlimit(RLIMIT_FSIZE, &limit);
    fixture_feed(&f, 10 * BLOCK_ROWS); /* hardly any is as predicted */
    assert_false(recorder_close(r, NULL, &err));
    setrlimit(RLIMIT_FSIZE, &before);
    signal(SIGXFSZ, SIG_DFL);
    assert_int_equal(err.code, EXIT_FILE);
    assert_non_null(strstr(err.text, f.path));
    assert_int_equal(readable(f.path, &damaged), BLOCK_ROWS);
    assert_true(damaged);
    fixture_close(&f);
}

static void test_size_per_event(void **state)
{
    (void)state;
    struct trace_fixture f;
    const unsigned n = 10 * BLOCK_EVENTS;
    size_t size;

    fixture_open(&f, "size");
    fixture_record(&f, n, true);
    free(fixture_bytes(f.path, &size));
    print_message("%zu bytes for %u events: %.2f bytes an event (record: %zu bytes)\n", size, n, (double)size / n,
                  sizeof(struct event_record));
    assert_true(size <= 20u * n);
    fixture_close(&f);
}

/* docs/trace-format.md must name every field. */
static void test_document_is_complete(void **state)
{
    (void)state;
    char path[512];
    size_t size;

    snprintf(path, sizeof path, "%s/docs/trace-format.md", RINGSIDE_SOURCE_DIR);
    char *text = (char *)fixture_bytes(path, &size);
    text[size] = '\0';
    for (unsigned i = 0; i < EVENT_FIELDS; i++) {
        const struct event_field_info *f = event_field_info(i);
        char row[600];

        snprintf(row, sizeof row, "| `%s` | %s | %s | %s | `%s` | %s |\n", f->name, f->type, f->codec, f->unit, f->json,
                 f->doc);
        if (!strstr(text, row))
            fail_msg("docs/trace-format.md lacks the row %s", row);
    }
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_digest_is_the_streams),
        cmocka_unit_test(test_digest_sees_every_field),
        cmocka_unit_test(test_block_round_trip_of_noise),
        cmocka_unit_test(test_block_of_a_loop),
        cmocka_unit_test(test_block_of_any_bytes),
        cmocka_unit_test(test_cut_at_every_byte),
        cmocka_unit_test(test_flip_at_every_byte),
        cmocka_unit_test(test_other_schema_is_refused),
        cmocka_unit_test(test_input_log),
        cmocka_unit_test(test_disk_full),
        cmocka_unit_test(test_disk_fills_up),
        cmocka_unit_test(test_size_per_event),
        cmocka_unit_test(test_document_is_complete),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

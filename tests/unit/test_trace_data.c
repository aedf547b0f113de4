/* SPDX-License-Identifier: MIT
 * What a recording keeps beside its events: tasks, where the kernel runs, its symbols, modules, pieces of memory; read
 * back in order, after a seek, from a file cut short and from a damaged one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/bits.h"
#include "trace/file/reader.h"
#include "trace/file/stream.h"
#include "trace/pieces.h"

#define EVENTS 40000u /* three blocks */
#define SLIDE 0x7000000u

static struct kernel kernel = {.is64 = true,
                               .banner = "",
                               .release = "6.1.0-test",
                               .symbols_how = "by hand",
                               .layout_how = "",
                               .syscalls_how = "",
                               .current_how = "",
                               .image_how = ""};

static void path_of(char *path, size_t size) { snprintf(path, size, "trace_data-%d.trace", (int)getpid()); }

static struct guest_task task_at(u64 id)
{
    struct guest_task task = {0xFFFF888000000000 + (id / 100) * 64, (u32)(id / 100 + 1), (u32)(id / 100 + 1), "", true};

    snprintf(task.comm, sizeof task.comm, "task%u", task.pid);
    return task;
}

/* Event id: a task every hundredth (and first in a block, as a recorder does), the kernel is number 50, others
 * SYSCALLs; every seventh SYSCALL has two pieces. */
static struct event_record event_at(u64 id, bool first)
{
    struct event_record e = {.ticks = id * 10, .retired = id * 10};

    if (id == 50) {
        e.kind = EVENT_KIND_KERNEL;
        e.number = 1;
        e.new_value = SLIDE;
    } else if (id % 100 == 0 || first) {
        struct guest_task task = task_at(id);

        e.kind = EVENT_KIND_TASK;
        event_put_task(&e, &task);
    } else {
        e.mechanism = MECH_SYSCALL;
        e.from_cpl = 3;
        e.from_rip = 0x401000 + id % 7;
    }
    return e;
}

static void put_pieces(struct stream *s, u64 id)
{
    u8 bytes[64];

    for (unsigned i = 0; i < 2; i++) {
        struct data_piece piece = {
            .event = id, .address = id << 12 | i, .size = 8 + i * 16, .kind = (u8)(DATA_MEMORY_IN + i), .bytes = bytes};

        memset(bytes, (int)(id + i), sizeof bytes);
        stream_data(s, &piece);
    }
}

static void write_file(const char *path, bool whole)
{
    struct trace_properties run = {0}, end = {0};
    struct guest_module module = {.name = "af_test", .base = 0xFFFFFFFFC0000000, .size = 0x2000};
    struct error err;
    struct trace_writer *w;
    struct stream *s;
    size_t size;
    u8 *bytes;

    kernel.symbols = symbols_new();
    symbols_add(kernel.symbols, 0xFFFFFFFF81000000, 'T', "_text", 5);
    symbols_add(kernel.symbols, 0xFFFFFFFF81000100, 'T', "entry_SYSCALL_64", 16);
    symbols_add(kernel.symbols, 0xFFFFFFFF81001000, 'T', "_etext", 6);
    symbols_sort(kernel.symbols);
    module.symbols = symbols_new();
    symbols_add(module.symbols, module.base + 0x10, 't', "test_init", 9);
    symbols_sort(module.symbols);

    trace_properties_set(&run, "version", "test");
    w = trace_writer_open(path, 0, &run, &err);
    assert_non_null(w);
    s = stream_open(w, NULL);
    bytes = kernel_pack(&kernel, &size);
    stream_section(s, TAG_KERNEL, bytes, size);
    free(bytes);
    for (u64 id = 1; id <= EVENTS; id++) {
        struct event_record e = event_at(id, s->events == 0);

        if (e.kind == EVENT_KIND_TRANSITION && id % 7 == 0)
            put_pieces(s, id);
        stream_event(s, &e);
        if (id == 300) {
            bytes = module_pack(&module, &size);
            stream_section(s, TAG_MODULE, bytes, size);
            free(bytes);
        }
    }
    stream_close(s);
    trace_properties_set(&end, "kernel.slides", "1");
    trace_properties_set(&end, "kernel.slide", "%x", SLIDE);
    assert_true(trace_writer_close(w, whole ? &end : NULL, &err));
    trace_properties_free(&run);
    trace_properties_free(&end);
    symbols_free(kernel.symbols);
    symbols_free(module.symbols);
}

static struct trace_reader *open_file(const char *path)
{
    struct error err;
    struct trace_reader *r = trace_reader_open(path, &err);

    assert_non_null(r);
    return r;
}

static void check_event(struct trace_reader *r, u64 id, const struct event_record *e)
{
    const struct data_piece *piece;
    struct guest_task task = task_at(id);

    if (id >= 100) {
        assert_true(trace_reader_task(r)->known);
        assert_int_equal(trace_reader_task(r)->pid, task.pid);
        assert_string_equal(trace_reader_task(r)->comm, task.comm);
    }
    for (unsigned i = 0; i < 2; i++) {
        piece = trace_reader_data(r, i);
        if (e->kind != EVENT_KIND_TRANSITION || id % 7) {
            assert_null(piece);
            continue;
        }
        assert_non_null(piece);
        assert_int_equal(piece->address, id << 12 | i);
        assert_int_equal(piece->size, 8 + i * 16);
        assert_int_equal(piece->kind, DATA_MEMORY_IN + i);
        for (u32 b = 0; b < piece->size; b++)
            assert_int_equal(piece->bytes[b], (u8)(id + i));
    }
    assert_null(trace_reader_data(r, 2));
}

static void check_names(struct trace_reader *r)
{
    const struct names *names = trace_reader_names(r);
    char text[NAMES_LONGEST];
    u64 address;

    assert_true(names_format(names, 0xFFFFFFFF81000104 + SLIDE, text, sizeof text));
    assert_string_equal(text, "entry_SYSCALL_64+0x4");
    assert_true(names_format(names, 0xFFFFFFFFC0000018, text, sizeof text));
    assert_string_equal(text, "test_init+0x8 [af_test]");
    assert_false(names_format(names, 0x401000, text, sizeof text));
    assert_true(names_address(names, "entry_SYSCALL_64", &address));
    assert_int_equal(address, 0xFFFFFFFF81000100 + SLIDE);
}

static void reads_back(void **state)
{
    char path[64];
    const struct event_record *e;
    struct trace_reader *r;
    u64 id, last = 0;

    (void)state;
    path_of(path, sizeof path);
    write_file(path, true);
    r = open_file(path);
    check_names(r);
    while ((e = trace_reader_next(r, NULL, &id)) != NULL) {
        assert_int_equal(id, last + 1);
        check_event(r, id, e);
        last = id;
    }
    assert_int_equal(last, EVENTS);
    assert_null(trace_reader_damage(r));
    /* Seeking, forwards and back, into the middle of blocks. */
    for (u64 at = 37777; at > 3331; at -= 3331) {
        trace_reader_seek(r, at);
        e = trace_reader_next(r, NULL, &id);
        assert_non_null(e);
        assert_int_equal(id, at);
        check_event(r, id, e);
    }
    trace_reader_close(r);
    unlink(path);
}

/* The index and the end are gone: symbols, slide, tasks and data are found all the same, as far as the file goes. */
static void reads_a_file_cut_short(void **state)
{
    char path[64];
    const struct event_record *e;
    struct trace_reader *r;
    u64 id, last = 0;
    FILE *file;

    (void)state;
    path_of(path, sizeof path);
    write_file(path, true);
    file = fopen(path, "rb+");
    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    assert_int_equal(ftruncate(fileno(file), ftell(file) * 3 / 4), 0);
    fclose(file);
    r = open_file(path);
    check_names(r);
    while ((e = trace_reader_next(r, NULL, &id)) != NULL) {
        check_event(r, id, e);
        last = id;
    }
    assert_true(last > 1000 && last < EVENTS);
    assert_non_null(trace_reader_damage(r));
    trace_reader_close(r);
    unlink(path);
}

/* One byte is wrong, wherever it stands: nothing crashes, and what is read is either right or said to be lost. */
static void survives_damage(void **state)
{
    char path[64];
    FILE *file;
    long size;
    u8 *bytes;
    u64 seed = 88172645463325252ull;

    (void)state;
    path_of(path, sizeof path);
    write_file(path, true);
    file = fopen(path, "rb");
    fseek(file, 0, SEEK_END);
    size = ftell(file);
    rewind(file);
    bytes = malloc((size_t)size);
    assert_int_equal(fread(bytes, 1, (size_t)size, file), size);
    fclose(file);
    for (unsigned round = 0; round < 40; round++) {
        struct trace_reader *r;
        struct error err;
        u64 id;

        seed = seed * 6364136223846793005ull + 1442695040888963407ull;
        size_t at = (size_t)((seed >> 20) % (u64)size);
        bytes[at] ^= 0x5A;
        file = fopen(path, "wb");
        assert_int_equal(fwrite(bytes, 1, (size_t)size, file), size);
        fclose(file);
        bytes[at] ^= 0x5A;
        r = trace_reader_open(path, &err);
        if (!r)
            continue; /* the schema, refused */
        trace_reader_names(r);
        while (trace_reader_next(r, NULL, &id))
            trace_reader_data(r, 0);
        assert_non_null(trace_reader_damage(r));
        trace_reader_close(r);
    }
    free(bytes);
    unlink(path);
}

static void memory_of_pieces(void **state)
{
    struct pieces p = {0};
    struct pieces_memory m;
    u8 out[16];

    (void)state;
    pieces_add(&p, DATA_MEMORY_IN, 1, 0x1000, "abcdef", 6);
    pieces_add(&p, DATA_MEMORY_OUT, 1, 0x1006, "XXXX", 4);
    pieces_add(&p, DATA_MEMORY_IN, 1, 0x1006, "ghij", 4);
    pieces_memory_init(&m, &p, DATA_MEMORY_IN);
    assert_true(m.memory.read(m.memory.context, 0x1002, out, 6));
    assert_memory_equal(out, "cdefgh", 6);
    assert_false(m.memory.read(m.memory.context, 0x1002, out, 9));
    assert_false(m.memory.read(m.memory.context, 0xFFF, out, 1));
    assert_true(m.memory.read(m.memory.context, ~0ull, out, 0));
    pieces_add(&p, DATA_MEMORY_IN, 1, 0x2000, "", 0);
    assert_int_equal(p.count, 3); /* what is empty is left out */
    for (unsigned i = 0; i < 2 * PIECES_MAX; i++)
        pieces_add(&p, DATA_MEMORY_IN, 1, 0x3000 + i, "x", 1);
    assert_int_equal(p.count, PIECES_MAX);
    pieces_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_back),
        cmocka_unit_test(reads_a_file_cut_short),
        cmocka_unit_test(survives_damage),
        cmocka_unit_test(memory_of_pieces),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT
 * The table of symbols: order, lookup by address and name, packing, and packed bytes that are damaged.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/pack.h"
#include "kernel/symbols.h"

static void add(struct symbols *s, u64 address, char type, const char *name)
{
    symbols_add(s, address, type, name, strlen(name));
}

/* A kernel in small: per-CPU offsets, a text section with aliases and markers, a gap, a data section. */
static struct symbols *sample(void)
{
    struct symbols *s = symbols_new();

    add(s, 0xffffffff82000010, 'd', "counter");
    add(s, 0xffffffff81000000, 'T', "_text");
    add(s, 0xffffffff81000000, 'T', "startup_64");
    add(s, 0xffffffff81000000, 'T', "_stext");
    add(s, 0xffffffff81000100, 't', "__do_sys_getpid");
    add(s, 0xffffffff81000100, 'T', "__ia32_sys_getpid");
    add(s, 0xffffffff81000100, 'T', "__x64_sys_getpid");
    add(s, 0xffffffff81000140, 't', "helper");
    add(s, 0xffffffff81000200, 'T', "helper");
    add(s, 0xffffffff81000300, 't', "last");
    add(s, 0xffffffff81000360, 'T', "_etext");
    add(s, 0x1fbc0, 'A', "current_task");
    add(s, 0xffffffff82000000, 'D', "jiffies");
    add(s, 0xffffffff81800000, 't', "far");
    symbols_add_end(s, 0xffffffff81800040);
    symbols_add_end(s, 0x35000);
    symbols_sort(s);
    return s;
}

static void expect_at(const struct symbols *s, u64 address, const char *name, u64 distance)
{
    struct symbol found;
    u64 offset;

    if (name == NULL) {
        assert_false(symbols_lookup(s, address, &found, &offset));
        return;
    }
    assert_true(symbols_lookup(s, address, &found, &offset));
    assert_string_equal(found.name, name);
    assert_int_equal(offset, distance);
    assert_int_equal(found.address + offset, address);
}

static void expect_sample(const struct symbols *s)
{
    u64 address;

    assert_int_equal(symbols_count(s), 14);
    for (size_t i = 1; i < symbols_count(s); i++)
        assert_true(symbols_at(s, i - 1).address <= symbols_at(s, i).address);
    expect_at(s, 0xffffffff81000000, "startup_64", 0);
    expect_at(s, 0xffffffff810000ff, "startup_64", 0xff);
    expect_at(s, 0xffffffff81000100, "__x64_sys_getpid", 0);
    expect_at(s, 0xffffffff8100013f, "__x64_sys_getpid", 0x3f);
    expect_at(s, 0xffffffff8100035f, "last", 0x5f);
    expect_at(s, 0xffffffff81000360, NULL, 0); /* _etext alone names nothing */
    expect_at(s, 0xffffffff81000380, NULL, 0);
    expect_at(s, 0xffffffff8180003f, "far", 0x3f);
    expect_at(s, 0xffffffff81800040, NULL, 0); /* behind the section */
    expect_at(s, 0xffffffff81ffffff, NULL, 0);
    expect_at(s, 0xffffffff82000000, "jiffies", 0);
    expect_at(s, 0xffffffff82000fff, "counter", 0xfef); /* no end was added: its page */
    expect_at(s, 0xffffffff82001000, NULL, 0);
    expect_at(s, UINT64_MAX, NULL, 0);
    expect_at(s, 0xffffffff80ffffff, NULL, 0);
    expect_at(s, 0x1fbc0, NULL, 0); /* an offset, no place */
    expect_at(s, 0, NULL, 0);
    assert_int_equal(symbols_end(s, 0xffffffff81000000), 0xffffffff81000100);
    assert_int_equal(symbols_end(s, 0xffffffff81000300), 0xffffffff81000360);
    assert_int_equal(symbols_end(s, 0xffffffff81000344), 0xffffffff81000360);
    assert_true(symbols_find(s, "_stext", &address));
    assert_int_equal(address, 0xffffffff81000000);
    assert_true(symbols_find(s, "current_task", &address));
    assert_int_equal(address, 0x1fbc0);
    assert_true(symbols_find(s, "helper", &address)); /* the global one */
    assert_int_equal(address, 0xffffffff81000200);
    assert_false(symbols_find(s, "helpe", &address));
    assert_false(symbols_find(s, "", &address));
}

static void test_lookup(void **state)
{
    struct symbols *s = sample();

    (void)state;
    expect_sample(s);
    symbols_free(s);
}

static void test_empty(void **state)
{
    struct symbols *s = symbols_new();
    u64 address;

    (void)state;
    expect_at(s, 0x1000, NULL, 0);
    assert_false(symbols_find(s, "x", &address));
    symbols_sort(s);
    assert_int_equal(symbols_count(s), 0);
    expect_at(s, 0x1000, NULL, 0);
    assert_false(symbols_find(s, "x", &address));
    symbols_free(s);
}

static void test_top_of_memory(void **state)
{
    struct symbols *s = symbols_new();

    (void)state;
    add(s, 0xfffffffffffff800, 't', "top");
    symbols_sort(s);
    expect_at(s, UINT64_MAX, "top", 0x7ff);
    symbols_free(s);
}

static void test_pack(void **state)
{
    struct symbols *s = sample(), *again;
    struct error err;
    size_t size;
    u8 *bytes = symbols_pack(s, &size);

    (void)state;
    again = symbols_unpack(bytes, size, &err);
    assert_non_null(again);
    expect_sample(again);
    for (size_t i = 0; i < symbols_count(s); i++) {
        struct symbol a = symbols_at(s, i), b = symbols_at(again, i);

        assert_int_equal(a.address, b.address);
        assert_int_equal(a.type, b.type);
        assert_string_equal(a.name, b.name);
    }
    symbols_free(again);
    /* Cut anywhere, and with bytes too many. */
    for (size_t cut = 0; cut < size; cut++) {
        u8 *part = malloc(cut + 1); /* its own block, so that a read past the cut is seen by the sanitizer */

        memcpy(part, bytes, cut);
        err.code = EXIT_OK;
        assert_null(symbols_unpack(part, cut, &err));
        assert_int_equal(err.code, EXIT_FILE);
        free(part);
    }
    bytes = realloc(bytes, size + 1);
    bytes[size] = 0;
    assert_null(symbols_unpack(bytes, size + 1, &err));
    /* Any byte changed: an error or another table, but never more than there is room for. */
    for (size_t at = 0; at < size; at++) {
        u8 old = bytes[at];

        for (unsigned bit = 0; bit < 8; bit++) {
            bytes[at] = (u8)(old ^ 1u << bit);
            again = symbols_unpack(bytes, size, &err);
            assert_true(again == NULL || symbols_count(again) <= size);
            symbols_free(again);
        }
        bytes[at] = old;
    }
    free(bytes);
    symbols_free(s);
}

/* Many symbols, added in no order, are all found by name and address. */
static void test_many(void **state)
{
    enum { MANY = 20011 };
    struct symbols *s = symbols_new();
    char name[32];

    (void)state;
    for (u64 i = 0; i < MANY; i++) {
        u64 k = i * 7919 % MANY;

        snprintf(name, sizeof name, "function_%llu", (unsigned long long)k);
        add(s, 0xc1000000 + k * 16, 't', name);
    }
    symbols_sort(s);
    for (u64 k = 0; k < MANY; k++) {
        u64 address;

        snprintf(name, sizeof name, "function_%llu", (unsigned long long)k);
        assert_true(symbols_find(s, name, &address));
        assert_int_equal(address, 0xc1000000 + k * 16);
        expect_at(s, address + 15, name, 15);
    }
    symbols_free(s);
}

static void test_numbers(void **state)
{
    static const u64 value[] = {0, 1, 127, 128, 0x3fff, 0x4000, UINT32_MAX, UINT64_MAX - 1, UINT64_MAX};
    static const u8 too_large[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2};
    struct pack_writer w = {0};
    struct pack_reader r;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(value); i++)
        pack_number(&w, value[i]);
    r = (struct pack_reader){.at = w.bytes, .end = w.bytes + w.size};
    for (size_t i = 0; i < ARRAY_LEN(value); i++)
        assert_true(unpack_number(&r) == value[i]);
    assert_false(r.failed);
    assert_ptr_equal(r.at, r.end);
    unpack_number(&r);
    assert_true(r.failed);
    r = (struct pack_reader){.at = too_large, .end = too_large + sizeof too_large};
    unpack_number(&r);
    assert_true(r.failed);
    free(w.bytes);
}

/* A file or a guest chooses the names; none may drive a terminal. */
static void test_plain_names(void **state)
{
    struct symbols *s = symbols_new();

    (void)state;
    add(s, 0x1000, 'T', "one\033[2J\x7f");
    add(s, 0x2000, 'T', "two\xc2\x9b\xc3\xa9");
    symbols_sort(s);
    expect_at(s, 0x1000, "one?[2J?", 0);
    expect_at(s, 0x2000, "two??\xc3\xa9", 0);
    symbols_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lookup),      cmocka_unit_test(test_empty), cmocka_unit_test(test_top_of_memory),
        cmocka_unit_test(test_pack),        cmocka_unit_test(test_many),  cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_plain_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT
 * Captures in MOO format: parsing hostile chunks, and a machine that no test leaves a trace in.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bits.h"
#include "conform/moo/check.h"

#define ROOM 1024u

/* ---- a test chunk, written piece by piece */

struct writer {
    u8 bytes[ROOM];
    u32 size;
};

static void put(struct writer *w, u64 value, unsigned size)
{
    assert_true(w->size + size <= ROOM);
    memcpy(w->bytes + w->size, &value, size);
    w->size += size;
}

static u32 begin(struct writer *w, const char *tag)
{
    memcpy(w->bytes + w->size, tag, 4);
    w->size += 8;
    return w->size;
}

static void end(struct writer *w, u32 from)
{
    u32 size = w->size - from;

    memcpy(w->bytes + from - 4, &size, 4);
}

struct entry {
    u32 address;
    u8 value;
};

static void put_memory(struct writer *w, const struct entry *entries, unsigned count)
{
    u32 at = begin(w, "RAM ");

    put(w, count, 4);
    for (unsigned i = 0; i < count; i++) {
        put(w, entries[i].address, 4);
        put(w, entries[i].value, 1);
    }
    end(w, at);
}

/* MOV [BX],AL at CS:0100h, with DS 100h: BX decides the place. HLT behind it. */
static void put_store(struct writer *w, u16 cs, u16 bx, u8 al, const struct entry *after, unsigned after_count)
{
    static const u8 code[] = {0x88, 0x07, 0xF4};
    u16 registers[14] = {al, bx, 0, 0, cs, 0x4000, 0x100, 0, 0x8000, 0, 0, 0, 0x100, 2};
    struct entry before[3];
    u32 at, inner;

    *w = (struct writer){0};
    put(w, 7, 4);
    at = begin(w, "NAME");
    put(w, 5, 4);
    memcpy(w->bytes + w->size, "store", 5);
    w->size += 5;
    end(w, at);
    at = begin(w, "BYTS");
    put(w, sizeof code, 4);
    for (unsigned i = 0; i < sizeof code; i++) {
        put(w, code[i], 1);
        before[i] = (struct entry){cs * 16u + 0x100 + i, code[i]};
    }
    end(w, at);
    at = begin(w, "INIT");
    inner = begin(w, "REGS");
    put(w, 0x3FFF, 2);
    for (unsigned i = 0; i < 14; i++)
        put(w, registers[i], 2);
    end(w, inner);
    put_memory(w, before, 3);
    end(w, at);
    at = begin(w, "FINA");
    inner = begin(w, "REGS");
    put(w, 1 << 12, 2);
    put(w, 0x103, 2);
    end(w, inner);
    put_memory(w, after, after_count);
    end(w, at);
}

static void all_ones(u32 masks[MOO_REGISTERS]) { memset(masks, 0xFF, MOO_REGISTERS * sizeof masks[0]); }

/* ---- parsing */

static void test_registers(void **state)
{
    const u8 narrow[] = {0x01, 0x30, 0x34, 0x12, 0x78, 0x56, 0x02, 0x00}, wide[] = {4, 0, 0, 0, 1, 2, 3, 4};
    struct moo_registers r;

    (void)state;
    assert_true(moo_parse_registers(narrow, sizeof narrow, false, &r));
    assert_int_equal(r.present, 1u << MOO_EAX | 1u << MOO_EIP | 1u << MOO_EFLAGS);
    assert_int_equal(r.value[MOO_EAX], 0x1234);
    assert_int_equal(r.value[MOO_EIP], 0x5678);
    assert_true(moo_parse_registers(wide, sizeof wide, true, &r));
    assert_int_equal(r.present, 1u << MOO_EAX);
    assert_int_equal(r.value[MOO_EAX], 0x04030201);
    for (u32 size = 0; size < sizeof narrow; size++)
        assert_false(moo_parse_registers(narrow, size, false, &r));
    assert_false(moo_parse_registers(wide, 3, true, &r));
    assert_false(moo_parse_registers(wide, 7, true, &r));
    assert_string_equal(moo_register_name(MOO_EFLAGS, false), "flags");
    assert_string_equal(moo_register_name(MOO_ES, false), "es");
    assert_string_equal(moo_register_name(MOO_EAX, true), "eax");
}

static void test_whole(void **state)
{
    const struct entry after[] = {{0x1002, 0x5A}};
    struct writer w;
    struct moo_test test;
    struct error err;
    u32 masks[MOO_REGISTERS];

    (void)state;
    all_ones(masks);
    put_store(&w, 0x1000, 2, 0x5A, after, 1);
    assert_true(moo_parse_test(w.bytes, w.size, masks, 0, "file", &test, &err));
    assert_int_equal(test.index, 7);
    assert_string_equal(test.name, "store");
    assert_int_equal(test.code_size, 3);
    assert_int_equal(test.initial.value[MOO_EBX], 2);
    assert_int_equal(test.before.count, 3);
    assert_int_equal(moo_address_at(&test.after, 0), 0x1002);
    assert_int_equal(moo_value_at(&test.after, 0), 0x5A);
    assert_false(test.exception);
}

/* Cut off anywhere, or any byte changed: refused with a message, or read without leaving the chunk. */
static void test_hostile(void **state)
{
    const struct entry after[] = {{0x1002, 0x5A}};
    static const u8 values[] = {0, 1, 5, 0x7F, 0x80, 0xFF};
    struct writer w;
    struct moo_test test;
    struct error err;
    u32 masks[MOO_REGISTERS];
    unsigned refused = 0;

    (void)state;
    all_ones(masks);
    put_store(&w, 0x1000, 2, 0x5A, after, 1);
    for (u32 size = 0; size < w.size; size++) {
        u8 *copy = malloc(size + 1); /* exactly as large: sanitizers see a read behind it */

        memcpy(copy, w.bytes, size);
        copy = realloc(copy, size != 0 ? size : 1);
        assert_false(moo_parse_test(copy, size, masks, 5, "file", &test, &err));
        assert_non_null(strstr(err.text, "file: at byte 5"));
        assert_int_equal(err.code, EXIT_FILE);
        free(copy);
    }
    for (u32 at = 0; at < w.size; at++) {
        for (unsigned v = 0; v < sizeof values; v++) {
            u8 *copy = malloc(w.size);
            u32 sum = 0;

            memcpy(copy, w.bytes, w.size);
            copy[at] = values[v];
            err.text[0] = '\0';
            if (moo_parse_test(copy, w.size, masks, 5, "file", &test, &err)) {
                for (u32 i = 0; i < test.before.count; i++)
                    sum += moo_value_at(&test.before, i);
                for (u32 i = 0; i < test.after.count; i++)
                    assert_true(moo_address_at(&test.after, i) < MOO_ADDRESS_END);
            } else {
                assert_true(err.text[0] != '\0');
                refused++;
            }
            free(copy);
            assert_true(sum <= 255 * ROOM);
        }
    }
    assert_true(refused > 100);
}

/* ---- the machine */

static enum moo_verdict check(struct moo_machine *m, u16 cs, u16 bx, u8 al, const struct entry *after, unsigned count)
{
    struct writer w;
    struct moo_test test;
    struct error err;
    u32 masks[MOO_REGISTERS];
    unsigned row;

    all_ones(masks);
    put_store(&w, cs, bx, al, after, count);
    assert_true(moo_parse_test(w.bytes, w.size, masks, 0, "file", &test, &err));
    return moo_check(m, MOO_286, &test, NULL, &row);
}

/* Writes that a capture has not, in data, in the page of the code, and in what was code before; more often than a page
 * stays a page of code. Memory is zero after each. */
static void test_no_trace(void **state)
{
    const struct entry right[] = {{0x1002, 0x5A}}, code_page[] = {{0x10802, 0x5A}};
    struct moo_machine m;
    struct error err;
    u64 zero;

    (void)state;
    for (int engine = ENGINE_BLOCK; engine <= ENGINE_STEP; engine++) {
        assert_true(moo_machine_open(&m, MOO_286, VENDOR_INTEL, (enum engine_kind)engine, &err));
        zero = physmem_hash(m.pm);
        for (unsigned i = 0; i < 100; i++) {
            assert_int_equal(check(&m, 0x1000, 2, 0x5A, right, 1), MOO_SAME);
            assert_int_equal(physmem_hash(m.pm), zero);
            assert_int_equal(check(&m, 0x1000, 3, 0x5A, right, 1), MOO_WRONG); /* elsewhere */
            assert_int_equal(physmem_hash(m.pm), zero);
            assert_int_equal(check(&m, 0x1000, 2, 0x5A, NULL, 0), MOO_WRONG); /* nowhere */
            assert_int_equal(physmem_hash(m.pm), zero);
            assert_int_equal(check(&m, 0x1000, 0xF802, 0x5A, code_page, 1), MOO_SAME);
            assert_int_equal(physmem_hash(m.pm), zero);
            assert_int_equal(check(&m, 0x1000, 0xF803, 0x5A, code_page, 1), MOO_WRONG);
            assert_int_equal(physmem_hash(m.pm), zero);
            for (unsigned j = 0; j < i % 3; j++) {
                assert_int_equal(check(&m, 0x2000, 0xF803, 0x5A, NULL, 0), MOO_WRONG);
                assert_int_equal(physmem_hash(m.pm), zero);
            }
        }
        moo_machine_close(&m);
    }
}

/* RAM answers where a PC has its hole: code is executed there. */
static void test_hole(void **state)
{
    struct error err;
    struct physmem *pm = physmem_new(2u << 20, &err);
    u8 value = 0x5A;

    (void)state;
    assert_non_null(pm);
    assert_null(physmem_host(pm, 0xB8000));
    physmem_fill_hole(pm);
    physmem_write(pm, 0xB8000, &value, 1, INITIATOR_LOADER);
    value = 0;
    physmem_read(pm, 0xB8000, &value, 1, INITIATOR_LOADER);
    assert_int_equal(value, 0x5A);
    assert_non_null(physmem_host(pm, 0xB8000));
    physmem_free(pm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_registers), cmocka_unit_test(test_whole), cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_no_trace),  cmocka_unit_test(test_hole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

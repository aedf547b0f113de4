/* SPDX-License-Identifier: MIT
 * Chains of undelivered faults: where one begins and ends, and that a page of damaged data is a page still.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "cpu/ring/descriptor.h"
#include "trace/descriptor_words.h"
#include "trace/disassemble.h"
#include "trace/fault/page.h"

static struct fault_site fault(u8 vector) { return (struct fault_site){.vector = vector, .from.mode = MODE_LONG}; }

static void step(struct fault_chain *chain, u64 tick, u8 vector)
{
    struct fault_site site = fault(vector);

    fault_chain_step(chain, tick, &site);
}

/* #UD whose delivery raises #NP, handled in its turn; that raises #NP: #DF; that raises #NP: shutdown. */
static void test_fates(void **state)
{
    (void)state;
    static const enum fault_fate expected[] = {FATE_FAILED, FATE_FAILED, FATE_JOINED, FATE_FAILED, FATE_JOINED};
    struct fault_chain chain = {0};

    step(&chain, 40, VEC_PF); /* an older one, which a handler saw in the end */
    step(&chain, 100, VEC_UD);
    step(&chain, 101, VEC_NP);
    step(&chain, 101, VEC_NP);
    step(&chain, 102, VEC_DF);
    step(&chain, 102, VEC_NP);
    assert_int_equal(chain.steps, ARRAY_LEN(expected));
    for (unsigned i = 0; i < chain.steps; i++)
        assert_int_equal(fault_chain_fate(&chain, i), expected[i]);
    fault_chain_clear(&chain);
}

/* Benign faults can follow one another for ever: the last ones are kept, and their data. */
static void test_long_chains(void **state)
{
    (void)state;
    struct fault_chain chain = {0};
    static u8 big[FAULT_PIECE_BYTES + 1];

    for (unsigned i = 0; i < 100; i++) {
        step(&chain, 1000 + i, VEC_UD);
        for (unsigned k = 0; k < 2 * FAULT_STEP_PIECES; k++)
            fault_chain_piece(&chain, DATA_CODE, i, &k, sizeof k);
        fault_chain_piece(&chain, DATA_STACK, 0, big, sizeof big);
    }
    assert_int_equal(chain.steps, FAULT_CHAIN_STEPS);
    assert_int_equal(chain.forgotten, 100 - FAULT_CHAIN_STEPS);
    assert_int_equal(chain.step[FAULT_CHAIN_STEPS - 1].pieces, FAULT_STEP_PIECES);
    assert_int_equal(chain.step[0].piece[0].address, 100 - FAULT_CHAIN_STEPS);
    assert_null(fault_step_piece(&chain.step[0], DATA_STACK));
    fault_chain_clear(&chain);
    assert_int_equal(chain.steps, 0);
}

/* Memory made of pieces: whole reads only, and by kind. */
static void test_pieces_as_memory(void **state)
{
    (void)state;
    struct fault_chain chain = {0};
    u8 bytes[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9}, out[16];
    struct retrace_memory memory;

    step(&chain, 1, VEC_GP);
    fault_chain_piece(&chain, DATA_GATE, ~0ull - 15, bytes, 16);
    memory = fault_step_memory(&chain.step[0]);
    assert_true(memory.read(memory.context, DATA_GATE, ~0ull - 15, out, 16));
    assert_memory_equal(out, bytes, 16);
    assert_true(memory.read(memory.context, DATA_GATE, ~0ull - 14, out, 2));
    assert_int_equal(out[0], 2);
    assert_false(memory.read(memory.context, DATA_GATE, ~0ull - 14, out, 16));
    assert_false(memory.read(memory.context, DATA_GATE, ~0ull - 16, out, 2));
    assert_false(memory.read(memory.context, DATA_TSS, ~0ull - 15, out, 2));
    assert_false(memory.read(memory.context, DATA_GATE, 0, out, 1));
    fault_chain_clear(&chain);
}

static u64 seed = 88172645463325252ull;

static u64 draw(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

/* Pieces whose kinds and sizes are right and whose contents are not. */
static void damaged_step(struct fault_chain *chain, u64 tick)
{
    static const struct {
        enum data_kind kind;
        u32 size;
    } pieces[] = {{DATA_REGISTERS, sizeof(struct fault_registers)},
                  {DATA_WALK, sizeof(struct fault_walk)},
                  {DATA_CODE, 15},
                  {DATA_GATE, 16},
                  {DATA_DESCRIPTOR, 16},
                  {DATA_DESCRIPTOR, 8},
                  {DATA_TSS, 8},
                  {DATA_STACK, 64},
                  {DATA_FRAME, 48},
                  {DATA_BACKTRACE, 44}};
    struct fault_site site = {.vector = (u8)(draw() % 24),
                              .has_error = draw() & 1,
                              .error = (u32)draw() & 0xFFFF,
                              .cr2 = draw() & 0xFFF,
                              .rule = (u16)(draw() % (RULES + 20)),
                              .from = {.mode = (u8)(draw() % 9), .cpl = (u8)(draw() % 5)}};

    fault_chain_step(chain, tick, &site);
    for (unsigned i = 0; i < ARRAY_LEN(pieces); i++) {
        u8 bytes[sizeof(struct fault_registers)];
        u64 address = draw() & 0x1FF;

        for (unsigned k = 0; k < sizeof bytes; k++)
            bytes[k] = draw() & 1 ? (u8)draw() : 0;
        if (pieces[i].kind == DATA_REGISTERS) { /* tables at 0, so that the other pieces are found */
            struct fault_registers *r = (struct fault_registers *)(void *)bytes;

            r->gdtr_base = r->idtr_base = r->ldtr.base = r->tr.base = r->gpr[RSP] = 0;
            r->mode = (u8)(draw() % 9);
        }
        fault_chain_piece(chain, pieces[i].kind, draw() & 3 ? address & ~7ull : address, bytes,
                          draw() % 8 ? pieces[i].size : (u32)(1 + draw() % pieces[i].size));
    }
}

static void test_damaged_data_makes_a_page(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 3000; round++) {
        struct fault_chain chain = {0};
        char *text = NULL;
        size_t size;
        FILE *out = open_memstream(&text, &size);
        u64 tick = 5;

        for (unsigned i = 0; i < 1 + draw() % 6; i++)
            damaged_step(&chain, tick += draw() & 1);
        fault_page_print(out, &chain, NULL, draw() & 1);
        fclose(out);
        assert_in_range(size, 100, 40000);
        free(text);
        fault_chain_clear(&chain);
    }
}

static void test_no_chain_no_page(void **state)
{
    (void)state;
    struct fault_chain chain = {0};
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    fault_page_print(out, &chain, NULL, FAULT_PAGE_SHUTDOWN);
    fclose(out);
    assert_int_equal(size, 0);
    free(text);
}

/* What a descriptor is, by its raw bytes. */
static void test_descriptors_in_words(void **state)
{
    (void)state;
    static const struct {
        u64 low, high;
        bool wide, long_mode;
        const char *words;
    } rows[] = {
        {0x00AF9B000000FFFF, 0, false, true, "64-bit code, DPL 0, present, readable, accessed"},
        {0x00CFF3000000FFFF, 0, false, false, "data, DPL 3, present, writable, accessed, base 0, limit ffffffff"},
        {0x00CF1A000000FFFF, 0, false, true, "32-bit code, DPL 0, NOT present, readable"},
        {0x0010EE0000081234, 0, false, false, "32-bit interrupt gate, DPL 3, present, to 0008:101234"},
        {0x8180EE0300101234, 0xFFFFFFFF, true, true,
         "64-bit interrupt gate, DPL 3, present, to 0010:ffffffff81801234, IST 3"},
        {0x0000850000280000, 0, false, false, "task gate, DPL 0, present, to TSS 0028"},
        {0x00008B0000000067, 0, true, true, "busy 64-bit TSS, DPL 0, present, base 0, limit 67"},
        {0, 0, true, true, "no descriptor (type 0)"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct descriptor d =
            rows[i].wide ? descriptor_parse_wide(rows[i].low, rows[i].high) : descriptor_parse(rows[i].low);
        char *text = NULL;
        size_t size;
        FILE *out = open_memstream(&text, &size);

        words_descriptor(out, &d, rows[i].long_mode);
        fclose(out);
        assert_string_equal(text, rows[i].words);
        free(text);
    }
}

static void test_disassembly(void **state)
{
    (void)state;
    static const u8 push[] = {0x48, 0x89, 0x43, 0x08, 0x90};
    char text[64];

    assert_int_equal(disassemble(text, sizeof text, push, sizeof push, 0x1000, MODE_LONG), 4);
    assert_string_equal(text, "movq %rax, 8(%rbx)");
    assert_int_equal(disassemble(text, sizeof text, push, sizeof push, 0x1000, MODE_PM32), 1);
    assert_string_equal(text, "decl %eax");
    assert_int_equal(disassemble(text, sizeof text, push, 2, 0x1000, MODE_LONG), 0);
    assert_string_equal(text, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fates),
        cmocka_unit_test(test_long_chains),
        cmocka_unit_test(test_pieces_as_memory),
        cmocka_unit_test(test_damaged_data_makes_a_page),
        cmocka_unit_test(test_no_chain_no_page),
        cmocka_unit_test(test_descriptors_in_words),
        cmocka_unit_test(test_disassembly),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

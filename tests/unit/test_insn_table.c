/* SPDX-License-Identifier: MIT
 * insn.def as a whole: no two rows claim the same bytes, every row can be reached, and every encoding has a body.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cpu/isa/insn.h"
#include "cpu/isa/match.h"

static struct decode_entry entry_of(unsigned row)
{
    const struct insn_row *r = &insn_rows[row];

    return entry_make((u16)row, r->prefix, r->extension, r->operand);
}

static bool opcodes_meet(const struct insn_row *a, const struct decode_entry *ea, const struct insn_row *b,
                         const struct decode_entry *eb)
{
    unsigned mask = (ea->flags | eb->flags) & ENTRY_RANGE ? 0xF8 : 0xFF;

    return a->map == b->map && ((a->opcode ^ b->opcode) & mask) == 0;
}

/* Extensions of equal specificity have the same shape: they meet when they are equal. */
static bool same_bytes(unsigned i, unsigned j)
{
    const struct insn_row *a = &insn_rows[i], *b = &insn_rows[j];
    struct decode_entry ea = entry_of(i), eb = entry_of(j);

    if (!opcodes_meet(a, &ea, b, &eb) || entry_specificity(&ea) != entry_specificity(&eb))
        return false;
    if (ea.prefix != eb.prefix || ea.extension != eb.extension)
        return false;
    return !(((a->attributes & NO64) && (b->attributes & ONLY64)) ||
             ((b->attributes & NO64) && (a->attributes & ONLY64)));
}

static void test_no_two_rows_match_the_same_bytes(void **state)
{
    unsigned overlaps = 0;

    (void)state;
    for (unsigned i = 0; i < insn_row_count; i++) {
        for (unsigned j = i + 1; j < insn_row_count; j++) {
            if (same_bytes(i, j)) {
                print_error("rows %u and %u overlap: \"%s\" and \"%s\", map %u opcode %02X\n", i, j,
                            insn_rows[i].mnemonic, insn_rows[j].mnemonic, insn_rows[i].map, insn_rows[i].opcode);
                overlaps++;
            }
        }
    }
    assert_int_equal(overlaps, 0);
}

static void test_same_modrm_for_an_opcode(void **state)
{
    (void)state;
    for (unsigned i = 0; i < insn_row_count; i++) {
        for (unsigned j = i + 1; j < insn_row_count; j++) {
            struct decode_entry a = entry_of(i), b = entry_of(j);

            if (opcodes_meet(&insn_rows[i], &a, &insn_rows[j], &b))
                assert_int_equal(a.flags & ENTRY_MODRM, b.flags & ENTRY_MODRM);
        }
    }
}

/* ---- encodings made from a row */

struct variant {
    unsigned mode; /* KEY_WIDTH */
    bool p66, rex_w, memory;
    u8 reg;
};

static unsigned put_row(u8 *bytes, const struct insn_row *row, const struct decode_entry *entry,
                        const struct variant *v)
{
    static const u8 mandatory[] = {[P66] = 0x66, [PF2] = 0xF2, [PF3] = 0xF3};
    unsigned n = 0;

    if (v->p66 && row->prefix != P66)
        bytes[n++] = 0x66;
    if (row->prefix != P__ && row->prefix != PNP)
        bytes[n++] = mandatory[row->prefix];
    if (v->mode == 2 && v->rex_w)
        bytes[n++] = 0x48;
    if (row->map != M1)
        bytes[n++] = 0x0F;
    if (row->map == M38 || row->map == M3A)
        bytes[n++] = row->map == M38 ? 0x38 : 0x3A;
    bytes[n++] = row->opcode | (entry->flags & ENTRY_RANGE ? 1 : 0); /* 90 itself is NOP */
    if (entry->flags & ENTRY_MODRM) {
        u8 reg = entry->extension & 0x400 ? entry->extension & 7 : v->reg;

        bytes[n++] = (u8)(entry->extension & 0x800 ? entry->extension : (v->memory ? 0 : 0xC0) | (reg << 3));
    }
    return n;
}

/* insn_decode() asserts that a body exists for the form and width that it chose. */
static bool reaches(unsigned number, const struct variant *v, const struct cpu_model *model)
{
    const struct insn_row *row = &insn_rows[number];
    struct decode_entry entry = entry_of(number);
    u8 bytes[16] = {0};
    struct insn insn;

    (void)put_row(bytes, row, &entry, v);
    assert_int_equal(insn_decode(&insn, bytes, 15, v->mode | KEY_OSFXSR | KEY_OSXSAVE, model), DECODE_OK);
    assert_non_null(insn.exec);
    return insn.row == number;
}

static bool reachable(unsigned number, const struct cpu_model *model)
{
    bool found = false;

    for (unsigned i = 0; i < 3 * 2 * 2 * 2 * 8; i++) {
        struct variant v = {
            .mode = i % 3, .p66 = i / 3 & 1, .rex_w = i / 6 & 1, .memory = i / 12 & 1, .reg = (u8)(i / 24)};

        found |= reaches(number, &v, model);
    }
    return found;
}

static void test_every_row_is_reached(void **state)
{
    struct cpu_model model = {.generation = 6, .has_cpuid = true, .linear_bits = 48};
    unsigned hidden = 0;

    (void)state;
    for (unsigned f = 0; f < CPU_FEATURES; f++)
        model.feature[f] = true;
    assert_true(insn_row_count > 100);
    for (unsigned vendor = VENDOR_INTEL; vendor <= VENDOR_AMD; vendor++) {
        model.vendor = (enum cpu_vendor)vendor;
        for (unsigned i = 0; i < insn_row_count; i++) {
            if (!reachable(i, &model)) {
                print_error("row %u is never chosen: \"%s\", map %u opcode %02X\n", i, insn_rows[i].mnemonic,
                            insn_rows[i].map, insn_rows[i].opcode);
                hidden++;
            }
        }
    }
    assert_int_equal(hidden, 0);
}

static void test_rows_say_where_they_come_from(void **state)
{
    (void)state;
    for (unsigned i = 0; i < insn_row_count; i++) {
        assert_true(insn_rows[i].mnemonic[0] != '\0');
        assert_true(insn_rows[i].source[0] != '\0');
        assert_non_null(insn_rows[i].body);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_two_rows_match_the_same_bytes),
        cmocka_unit_test(test_same_modrm_for_an_opcode),
        cmocka_unit_test(test_every_row_is_reached),
        cmocka_unit_test(test_rows_say_where_they_come_from),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

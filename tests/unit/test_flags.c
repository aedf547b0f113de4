/* SPDX-License-Identifier: MIT
 * The lazy flags against a straightforward computation: every pair of 8-bit operands, with and without carry in, and
 * the corners of the wider operands.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "cpu/flags.h"

static struct cpu *cpu;

static int set_up(void **state)
{
    (void)state;
    cpu = aligned_alloc(_Alignof(struct cpu), sizeof *cpu);
    if (cpu != NULL)
        memset(cpu, 0, offsetof(struct cpu, mmu));
    return cpu == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    free(cpu);
    return 0;
}

/* SF, ZF and PF of a result, bit by bit. */
static u64 result_flags(u64 result, unsigned width)
{
    unsigned ones = 0;

    for (unsigned i = 0; i < 8; i++)
        ones += (unsigned)(result >> i) & 1;
    return ((result >> (width - 1)) & 1 ? FLAG_SF : 0) | (result == 0 ? FLAG_ZF : 0) | (ones % 2 == 0 ? FLAG_PF : 0);
}

/* Sign-extended operands as exact integers: 64-bit sums need 66 bits. */
typedef __int128 wide;

static wide signed_of(u64 value, unsigned width)
{
    return (value >> (width - 1)) & 1 ? (wide)value - ((wide)1 << width) : (wide)value;
}

static u64 expected(u64 a, u64 b, bool carry, unsigned width, bool subtract, u64 *result)
{
    u64 mask = width == 64 ? ~0ull : BIT(width) - 1;
    wide limit = (wide)1 << (width - 1);
    wide exact = subtract ? (wide)a - (wide)b - carry : (wide)a + (wide)b + carry;
    wide exact_signed = subtract ? signed_of(a, width) - signed_of(b, width) - carry
                                 : signed_of(a, width) + signed_of(b, width) + carry;
    int nibble = subtract ? (int)(a & 15) - (int)(b & 15) - carry : (int)(a & 15) + (int)(b & 15) + carry;
    u64 flags;

    *result = (u64)exact & mask;
    flags = result_flags(*result, width);
    if (exact < 0 || exact > (wide)mask)
        flags |= FLAG_CF;
    if (exact_signed < -limit || exact_signed >= limit)
        flags |= FLAG_OF;
    if (nibble < 0 || nibble > 15)
        flags |= FLAG_AF;
    return flags;
}

static void check(u64 a, u64 b, bool carry, enum width w)
{
    u64 result, flags = expected(a, b, carry, width_bits(w), false, &result);

    flags_add(cpu, w, a, b, result);
    assert_int_equal(flags_arithmetic(cpu), flags);
    flags = expected(a, b, carry, width_bits(w), true, &result);
    flags_sub(cpu, w, a, b, result);
    assert_int_equal(flags_arithmetic(cpu), flags);
}

static void all_byte_pairs(void **state)
{
    (void)state;
    for (unsigned a = 0; a < 256; a++) {
        for (unsigned b = 0; b < 256; b++) {
            check(a, b, false, W8);
            check(a, b, true, W8);
        }
    }
}

static void corners_of_wider_operands(void **state)
{
    static const u64 seeds[] = {0, 1, 2, 7, 8, 15, 16, 0x55, 0x7F, 0x80, 0xFF};

    (void)state;
    for (enum width w = W16; w <= W64; w++) {
        u64 mask = width_mask(w), top = BIT(width_bits(w) - 1);

        for (unsigned i = 0; i < ARRAY_LEN(seeds); i++) {
            for (unsigned j = 0; j < ARRAY_LEN(seeds); j++) {
                const u64 a[] = {seeds[i], mask - seeds[i], top + seeds[i], top - seeds[i]};
                const u64 b[] = {seeds[j], mask - seeds[j], top + seeds[j], top - seeds[j]};

                for (unsigned k = 0; k < 16; k++) {
                    check(a[k / 4] & mask, b[k % 4] & mask, false, w);
                    check(a[k / 4] & mask, b[k % 4] & mask, true, w);
                }
            }
        }
    }
}

static void logic_clears_carry_and_overflow(void **state)
{
    (void)state;
    for (unsigned result = 0; result < 256; result++) {
        flags_logic(cpu, W8, result);
        assert_int_equal(flags_arithmetic(cpu), result_flags(result, 8));
    }
}

/* Every combination of the six flags goes in and comes out, and single flags can be replaced. */
static void put_and_get(void **state)
{
    static const u64 bit[6] = {FLAG_CF, FLAG_PF, FLAG_AF, FLAG_ZF, FLAG_SF, FLAG_OF};

    (void)state;
    for (unsigned n = 0; n < 64; n++) {
        u64 flags = 0;

        for (unsigned i = 0; i < 6; i++)
            flags |= (n >> i) & 1 ? bit[i] : 0;
        flags_put(cpu, flags | FLAG_IF);
        assert_int_equal(flags_get(cpu), flags | FLAG_IF | FLAG_FIXED1);
        flags_put_cf(cpu, false);
        assert_int_equal(flags_arithmetic(cpu), flags & ~FLAG_CF);
        flags_put_cf(cpu, true);
        assert_int_equal(flags_arithmetic(cpu), flags | FLAG_CF);
        flags_put_cf_of(cpu, false, true);
        assert_int_equal(flags_arithmetic(cpu), (flags & ~FLAG_CF) | FLAG_OF);
        flags_put_cf_of(cpu, true, false);
        assert_int_equal(flags_arithmetic(cpu), (flags & ~FLAG_OF) | FLAG_CF);
    }
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(all_byte_pairs),
        CASE(corners_of_wider_operands),
        CASE(logic_clears_carry_and_overflow),
        CASE(put_and_get),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

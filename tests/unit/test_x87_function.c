/* SPDX-License-Identifier: MIT
 * Wide arithmetic, its rounding to extended numbers, and the functions on it against values of 128 bits that were
 * computed by other series in rational arithmetic.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cpu/isa/x87.h"
#include "cpu/isa/x87_function.h"

enum function { SINE, COSINE, ARCTANGENT, LOG2, LOG2_1P, EXP2_M1 };

/* (-1)^negative * high.low * 2^exponent, high.low in 1..2 */
struct value {
    u64 high, low;
    i32 exponent;
    bool negative;
};

#define EXTENDED(mantissa, exponent, negative)                                                                         \
    {                                                                                                                  \
        mantissa, 0, exponent, negative                                                                                \
    }
#define ONE EXTENDED(0x8000000000000000, 0, false)
#define NOTHING EXTENDED(0, 0, false)

static const struct known {
    const char *name;
    enum function function;
    struct value x, y, result;
} known[] = {
    {"sin 0.75",
     SINE,
     EXTENDED(0xC000000000000000, -1, false),
     NOTHING,
     {0xAE7FE0B5FC786B2D, 0x966E1D6AF140A488, -1, false}},
    {"cos 0.75",
     COSINE,
     EXTENDED(0xC000000000000000, -1, false),
     NOTHING,
     {0xBB4FF632A908F73E, 0xC151839CB9D993B4, -1, false}},
    {"sin 1/8",
     SINE,
     EXTENDED(0x8000000000000000, -3, false),
     NOTHING,
     {0xFF5577743771AE50, 0x34D43390FC4FC2D2, -4, false}},
    /* With pi of 66 bits. */
    {"sin 1", SINE, ONE, NOTHING, {0xD76AA47848677020, 0xCC12D33A698C689B, -1, false}},
    {"sin 3",
     SINE,
     EXTENDED(0xC000000000000000, 1, false),
     NOTHING,
     {0x9081C36DB6AADA78, 0x986932D6B2DF7CC4, -3, false}},
    {"sin pi", SINE, EXTENDED(0xC90FDAA22168C235, 1, false), NOTHING, {0x8000000000000000, 0, -64, true}},
    {"sin 2^62 + 2^40",
     SINE,
     EXTENDED(0x8000020000000000, 62, false),
     NOTHING,
     {0xEEE57193A0E58471, 0x9CB85596110D1A0B, -1, false}},
    {"cos 2^62 + 2^40",
     COSINE,
     EXTENDED(0x8000020000000000, 62, false),
     NOTHING,
     {0xB8019986E0207540, 0xA2C212874748D511, -2, false}},
    {"log2 3",
     LOG2,
     EXTENDED(0xC000000000000000, 1, false),
     NOTHING,
     {0xCAE00D1CFDEB43CF, 0xD00589050345D6E8, 0, false}},
    {"log2 0.7",
     LOG2,
     {0xB333333333333333, 0x3333333333333333, -1, false},
     NOTHING,
     {0x83BB1144B3E890C5, 0xF9E6D85922D9C4EC, -1, true}},
    {"log2 77/64",
     LOG2,
     EXTENDED(0x9A00000000000000, 0, false),
     NOTHING,
     {0x88983ED6985BAE58, 0x4B82D3CAD274FE0C, -2, false}},
    {"log2 (1 + 2^-40)",
     LOG2_1P,
     EXTENDED(0x8000000000000000, -40, false),
     NOTHING,
     {0xB8AA3B295BBB9B9E, 0x29DA30661EF66E63, -40, false}},
    {"2^0.5 - 1",
     EXP2_M1,
     EXTENDED(0x8000000000000000, -1, false),
     NOTHING,
     {0xD413CCCFE7799211, 0x65F626CDD52AFA7C, -2, false}},
    {"2^-0.75 - 1",
     EXP2_M1,
     EXTENDED(0xC000000000000000, -1, true),
     NOTHING,
     {0xCF901F5CE48EAD21, 0x72A5B9CFA37A1213, -2, true}},
    {"2^(2^-50) - 1",
     EXP2_M1,
     EXTENDED(0x8000000000000000, -50, false),
     NOTHING,
     {0xB17217F7D1CF890B, 0xA8E374FACC2A8681, -51, false}},
    {"atan2(1, 3)",
     ARCTANGENT,
     EXTENDED(0xC000000000000000, 1, false),
     ONE,
     {0xA4BC7D1934F70924, 0x19A87F2A457DAC9E, -2, false}},
    {"atan2(1, -3)",
     ARCTANGENT,
     EXTENDED(0xC000000000000000, 1, true),
     ONE,
     {0xB4784AFEFAC9E110, 0x419152A6382C673D, 1, false}},
    {"atan2(-3, 1)",
     ARCTANGENT,
     ONE,
     EXTENDED(0xC000000000000000, 1, true),
     {0x9FE0BB5BD42AFFEB, 0xBE5C42C0EF7CB1A9, 0, true}},
    {"atan2(15, 16)",
     ARCTANGENT,
     EXTENDED(0x8000000000000000, 4, false),
     EXTENDED(0xF000000000000000, 3, false),
     {0xC0CE85B8AC526640, 0x89DD62C46E92FA24, -1, false}},
    {"atan2(2^-70, 1)",
     ARCTANGENT,
     ONE,
     EXTENDED(0x8000000000000000, -70, false),
     {0xFFFFFFFFFFFFFFFF, 0xFFFFFFFFFFFFFFFF, -71, false}},
};

static struct wide wide_of(struct value v)
{
    return (struct wide){.significand = ((u128)v.high << 64) | v.low, .exponent = v.exponent, .negative = v.negative};
}

static struct wide compute(enum function function, struct wide x, struct wide y)
{
    struct angle a = {.quadrant = 0};

    if (function == SINE || function == COSINE)
        a = function_reduce(x);
    switch (function) {
    case SINE: return function_sine(&a);
    case COSINE: return function_cosine(&a);
    case ARCTANGENT: return function_arctangent(y, x);
    case LOG2: return function_log2(x);
    case LOG2_1P: return function_log2_1p(x);
    default: return function_exp2_m1(x);
    }
}

static void test_known_values(void **state)
{
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(known); i++) {
        struct wide expected = wide_of(known[i].result);
        struct wide result = compute(known[i].function, wide_of(known[i].x), wide_of(known[i].y));
        struct wide error = wide_subtract(result, expected);

        if (error.significand != 0 && error.exponent > expected.exponent - 115)
            fail_msg("%s: relative error 2^%d", known[i].name, error.exponent - expected.exponent);
    }
}

static void test_arithmetic(void **state)
{
    const struct wide three = wide_from_integer(3, 0), seven = wide_from_integer(7, 0);
    struct wide third = wide_divide(wide_from_integer(1, 0), three), error;

    (void)state;
    assert_int_equal(wide_compare(wide_multiply(three, seven), wide_from_integer(21, 0)), 0);
    assert_int_equal(wide_compare(wide_subtract(three, seven), wide_from_integer(4, 0)), 0);
    assert_true(wide_subtract(three, seven).negative);
    assert_int_equal(wide_compare(wide_divide(wide_from_integer(21, 0), seven), three), 0);
    assert_int_equal(wide_subtract(three, three).significand != 0, 0);
    error = wide_subtract(wide_multiply(third, three), wide_from_integer(1, 0));
    assert_true(error.significand == 0 || error.exponent < -124);
    assert_int_equal(wide_add(three, wide_from_integer(1, -300)).exponent, 1);
}

static u16 rounded(struct value v, u16 control, u16 sign_exponent, u64 mantissa)
{
    struct x87_reg r = {.mantissa = 0};
    u16 status = wide_round(wide_of(v), control, &r);

    assert_int_equal(r.sign_exponent, sign_exponent);
    assert_true(r.mantissa == mantissa);
    return status;
}

#define NEAREST 0x033F
#define DOWN 0x073F
#define UP 0x0B3F
#define CHOP 0x0F3F

static void test_rounding(void **state)
{
    const struct value tie = {0x8000000000000001, 0x8000000000000000, 0, false};
    const struct value minus = {0x8000000000000000, 1, 0, true};
    const struct value ones = {0xFFFFFFFFFFFFFFFF, 0xFFFFFFFFFFFFFFFF, 0, false};

    (void)state;
    assert_int_equal(rounded(tie, NEAREST, 0x3FFF, 0x8000000000000002), X87_PE | X87_C1);
    assert_int_equal(rounded(tie, DOWN, 0x3FFF, 0x8000000000000001), X87_PE);
    assert_int_equal(rounded(tie, UP, 0x3FFF, 0x8000000000000002), X87_PE | X87_C1);
    assert_int_equal(rounded(tie, CHOP, 0x3FFF, 0x8000000000000001), X87_PE);
    assert_int_equal(rounded(minus, NEAREST, 0xBFFF, 0x8000000000000000), X87_PE);
    assert_int_equal(rounded(minus, DOWN, 0xBFFF, 0x8000000000000001), X87_PE | X87_C1);
    assert_int_equal(rounded(minus, UP, 0xBFFF, 0x8000000000000000), X87_PE);
    assert_int_equal(rounded(ones, NEAREST, 0x4000, 0x8000000000000000), X87_PE | X87_C1);
}

static void test_rounding_beyond_the_range(void **state)
{
    const struct value huge = {0xC000000000000000, 0, 16384, false};
    const struct value tiny = {0xC000000000000000, 0, -16384, false}; /* 1.5 * 2^-16384 */
    const struct value nothing = {0x8000000000000000, 0, -17000, true};
    const struct value almost_normal = {0xFFFFFFFFFFFFFFFF, 0xC000000000000000, -16383, false};

    (void)state;
    assert_int_equal(rounded(huge, NEAREST, 0x7FFF, 0x8000000000000000), X87_OE | X87_PE | X87_C1);
    assert_int_equal(rounded(huge, CHOP, 0x7FFE, 0xFFFFFFFFFFFFFFFF), X87_OE | X87_PE);
    assert_int_equal(rounded(huge, NEAREST & ~X87_OE, 0x7FFF - 24576, 0xC000000000000000), X87_OE | X87_PE);
    assert_int_equal(rounded(tiny, NEAREST, 0, 0x3000000000000000), X87_UE | X87_PE);
    assert_int_equal(rounded(tiny, NEAREST & ~X87_UE, 24575, 0xC000000000000000), X87_UE | X87_PE);
    assert_int_equal(rounded(nothing, NEAREST, 0x8000, 0), X87_UE | X87_PE);
    assert_int_equal(rounded(nothing, DOWN, 0x8000, 1), X87_UE | X87_PE | X87_C1);
    assert_int_equal(rounded(almost_normal, NEAREST, 1, 0x8000000000000000), X87_PE | X87_C1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_values),
        cmocka_unit_test(test_arithmetic),
        cmocka_unit_test(test_rounding),
        cmocka_unit_test(test_rounding_beyond_the_range),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT
 * The transcendental instructions against the host processor (within one unit in the last place; special operands,
 * exceptions and the stack exactly), and against values known to more digits.
 */
#include "unit/x87_native.h"

#include "cpu/isa/x87.h"
#include "cpu/isa/x87_function.h"

#define CASES 20000u

static const struct {
    const char *name;
    u8 modrm;
} functions[] = {{"f2xm1", 0xF0},   {"fyl2x", 0xF1},   {"fptan", 0xF2}, {"fpatan", 0xF3},
                 {"fyl2xp1", 0xF9}, {"fsincos", 0xFB}, {"fsin", 0xFE},  {"fcos", 0xFF}};

/* Distance of two extended numbers in units of the last place; huge for different signs. */
static u64 distance(const u8 *a, const u8 *b)
{
    u16 ea = load_le16(a + 8), eb = load_le16(b + 8);
    u64 ma = load_le64(a), mb = load_le64(b);

    if (ea == eb)
        return ma > mb ? ma - mb : mb - ma;
    if (ea + 1 == eb && ma == ~0ull && mb == BIT(63))
        return 1;
    if (eb + 1 == ea && mb == ~0ull && ma == BIT(63))
        return 1;
    return ~0ull;
}

/* Where the manual defines nothing: F2XM1 beyond 1, FYL2XP1 beyond its range. */
static bool is_undefined(u8 modrm, const struct x87_case *c)
{
    unsigned exponent = load_le16(c->image + 36) & 0x7FFF;

    if (exponent == 0x7FFF)
        return false;
    if (modrm == 0xF0)
        return exponent > 0x3FFF || (exponent == 0x3FFF && load_le64(c->image + 28) != BIT(63));
    return modrm == 0xF9 &&
           (exponent > 0x3FFD || (exponent == 0x3FFD && load_le64(c->image + 28) > 0x95F619980C4336F7));
}

static bool agree(const struct x87_case *start, const struct x87_case *native, const struct x87_case *emulated)
{
    u16 status = load_le16(native->image + 4), other = load_le16(emulated->image + 4);
    bool stack_fault = (status & ~load_le16(start->image + 4) & (X87_SF | X87_IE)) != 0;
    u16 vague = status & other & X87_PE && !stack_fault ? X87_C1 : 0; /* C1 follows the last bit */

    if ((status ^ other) & ~vague)
        return false;
    if (memcmp(native->image, emulated->image, 4) != 0 || memcmp(native->image + 8, emulated->image + 8, 4) != 0)
        return false;
    for (unsigned i = 0; i < 8; i++)
        if (distance(native->image + 28 + 10 * i, emulated->image + 28 + 10 * i) > (i < 2 || i == 7 ? 1 : 0))
            return false;
    return native->pointed == emulated->pointed && memcmp(native->memory, emulated->memory, X87_MEMORY) == 0;
}

static void print_case(const char *name, const struct x87_case *c)
{
    print_error("  %-9s control %04X status %04X tags %04X pointed %d\n", name, load_le16(c->image),
                load_le16(c->image + 4), load_le16(c->image + 8), c->pointed);
    for (unsigned i = 0; i < 8; i = i == 1 ? 7 : i + 1)
        print_error("    st%u %04X %016llX\n", i, load_le16(c->image + 36 + 10 * i),
                    (unsigned long long)load_le64(c->image + 28 + 10 * i));
}

/* Operands of the sizes that programs use: exponents -12 to 19 (-12 to -1 for the logarithm near 1 and 2^x - 1). */
static void put_moderate(u64 *seed, struct x87_case *c)
{
    for (unsigned i = 0; i < 2; i++) {
        u64 r = x87_random(seed);
        unsigned range = i == 0 && r % 2 ? 12 : 32;

        store_le64(c->image + 28 + 10 * i, x87_random(seed) | BIT(63));
        store_le16(c->image + 36 + 10 * i, (u16)((r >> 63) << 15 | (0x3FFF - 12 + (r >> 8) % range)));
    }
}

static void test_against_the_host(void **state)
{
    unsigned cases = getenv("X87_CASES") ? (unsigned)atoi(getenv("X87_CASES")) : CASES, bad = 0;
    struct x87_native n;
    struct fixture fx;

    (void)state;
    x87_native_open(&n);
    fixture_open(&fx, FIXTURE_64);
    fx.cpu->arch.cr0 |= CR0_NE;
    for (unsigned f = 0; f < ARRAY_LEN(functions); f++) {
        const u8 bytes[2] = {0xD9, functions[f].modrm};
        u64 seed = 0x2545F4914F6CDD1Dull ^ functions[f].modrm;
        unsigned differ = 0;

        for (unsigned i = 0; i < cases; i++) {
            struct x87_case start, native, emulated;
            int native_vector, emulated_vector;

            x87_random_case(&seed, &start);
            if (i % 2)
                put_moderate(&seed, &start);
            if (is_undefined(functions[f].modrm, &start))
                continue;
            native = emulated = start;
            native_vector = x87_native_run(&n, bytes, 2, &native);
            emulated_vector = x87_emulated_run(&fx, bytes, 2, &emulated);
            if (native_vector == emulated_vector && agree(&start, &native, &emulated))
                continue;
            if (differ++ < 6) {
                print_error("%s: vector %d, emulated %d\n", functions[f].name, native_vector, emulated_vector);
                print_case("before", &start);
                print_case("native", &native);
                print_case("emulated", &emulated);
            }
        }
        if (differ)
            print_error("%s: %u of %u differ\n", functions[f].name, differ, cases);
        bad += differ;
    }
    x87_native_close(&n);
    fixture_close(&fx);
    assert_int_equal(bad, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_the_host),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

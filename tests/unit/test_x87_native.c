/* SPDX-License-Identifier: MIT
 * Every x87 row of the table except the transcendental ones, executed by the host processor and by the emulator from
 * the same random states: registers, tags, status, control, flags and memory must agree to the last bit.
 */
#include "unit/x87_native.h"

#define CASES_PER_ENCODING 4000u

struct encoding {
    u8 bytes[2];
    const struct insn_row *row;
};

static bool is_transcendental(const struct encoding *e)
{
    static const u8 modrm[] = {0xF0, 0xF1, 0xF2, 0xF3, 0xF9, 0xFB, 0xFE, 0xFF};

    return e->bytes[0] == 0xD9 && memchr(modrm, e->bytes[1], sizeof modrm) != NULL;
}

/* FLDENV and FRSTOR from random memory would load random pointers: they have their own test. */
static bool loads_environment(const struct encoding *e)
{
    return (e->bytes[0] == 0xD9 || e->bytes[0] == 0xDD) && e->bytes[1] < 0xC0 && ((e->bytes[1] >> 3) & 7) == 4;
}

static bool saves_environment(const struct encoding *e)
{
    return (e->bytes[0] == 0xD9 || e->bytes[0] == 0xDD) && e->bytes[1] < 0xC0 && ((e->bytes[1] >> 3) & 7) == 6;
}

static void print_case(const char *name, const struct x87_case *c)
{
    print_error("  %-9s control %04X status %04X tags %04X flags %03llX rax %016llX pointed %d\n", name,
                load_le16(c->image), load_le16(c->image + 4), load_le16(c->image + 8),
                (unsigned long long)(c->rflags & FLAGS_ARITHMETIC), (unsigned long long)c->rax, c->pointed);
    for (unsigned i = 0; i < 8; i++)
        print_error("    st%u %04X %016llX\n", i, load_le16(c->image + 36 + 10 * i),
                    (unsigned long long)load_le64(c->image + 28 + 10 * i));
    print_error("    memory %016llX %016llX\n", (unsigned long long)load_le64(c->memory),
                (unsigned long long)load_le64(c->memory + 8));
}

static bool agree(const struct encoding *e, const struct x87_case *native, const struct x87_case *emulated)
{
    unsigned skip = saves_environment(e) ? 28 : 0;

    if (memcmp(native->image, emulated->image, 12) != 0 ||
        memcmp(native->image + 28, emulated->image + 28, X87_IMAGE - 28) != 0)
        return false;
    if (skip && memcmp(native->memory, emulated->memory, 12) != 0)
        return false;
    if (memcmp(native->memory + skip, emulated->memory + skip, X87_MEMORY - skip) != 0)
        return false;
    return native->rax == emulated->rax && ((native->rflags ^ emulated->rflags) & FLAGS_ARITHMETIC) == 0 &&
           native->pointed == emulated->pointed;
}

/* returns: how many cases differ */
static unsigned compare_encoding(struct fixture *fx, struct x87_native *n, const struct encoding *e, unsigned cases)
{
    u64 seed = 0x9E3779B97F4A7C15ull ^ (u64)e->bytes[0] << 8 ^ e->bytes[1];
    unsigned bad = 0;

    for (unsigned i = 0; i < cases; i++) {
        struct x87_case start, native, emulated;
        int native_vector, emulated_vector;

        x87_random_case(&seed, &start);
        native = emulated = start;
        native_vector = x87_native_run(n, e->bytes, 2, &native);
        emulated_vector = x87_emulated_run(fx, e->bytes, 2, &emulated);
        if (native_vector == emulated_vector && agree(e, &native, &emulated))
            continue;
        if (bad++ < 2) {
            print_error("%s %02X %02X: vector %d, emulated %d\n", e->row->mnemonic, e->bytes[0], e->bytes[1],
                        native_vector, emulated_vector);
            print_case("before", &start);
            print_case("native", &native);
            print_case("emulated", &emulated);
        }
    }
    if (bad)
        print_error("%s %02X %02X: %u of %u differ\n", e->row->mnemonic, e->bytes[0], e->bytes[1], bad, cases);
    return bad;
}

/* All second bytes with [RSI] or a register. */
static void test_every_encoding(void **state)
{
    unsigned cases = getenv("X87_CASES") ? (unsigned)atoi(getenv("X87_CASES")) : CASES_PER_ENCODING;
    unsigned bad = 0, encodings = 0;
    struct x87_native n;
    struct fixture fx;

    (void)state;
    x87_native_open(&n);
    fixture_open(&fx, FIXTURE_64);
    fx.cpu->arch.cr0 |= CR0_NE;
    for (unsigned opcode = 0xD8; opcode <= 0xDF; opcode++) {
        for (unsigned modrm = 0; modrm <= 0xFF; modrm++) {
            struct encoding e = {.bytes = {(u8)opcode, (u8)modrm}};
            struct insn insn;

            if (modrm < 0xC0 && (modrm & 0xC7) != 6)
                continue;
            assert_int_equal(insn_decode(&insn, e.bytes, 2, fx.cpu->d.decode_key, &fx.cpu->model), DECODE_OK);
            e.row = &insn_rows[insn.row];
            if (insn.row == insn_row_count || is_transcendental(&e) || loads_environment(&e))
                continue;
            encodings++;
            bad += compare_encoding(&fx, &n, &e, cases);
        }
    }
    x87_native_close(&n);
    fixture_close(&fx);
    assert_true(encodings > 250);
    assert_int_equal(bad, 0);
}

/* What the table calls undefined is #UD on the host. */
static void test_reserved_encodings(void **state)
{
    unsigned reserved = 0, bad = 0;
    struct x87_native n;
    struct fixture fx;

    (void)state;
    x87_native_open(&n);
    fixture_open(&fx, FIXTURE_64);
    for (unsigned opcode = 0xD8; opcode <= 0xDF; opcode++) {
        for (unsigned modrm = 0; modrm <= 0xFF; modrm++) {
            const u8 bytes[2] = {(u8)opcode, (u8)modrm};
            struct x87_case c;
            struct insn insn;
            u64 seed = 1;

            if (modrm < 0xC0 && (modrm & 0xC7) != 6)
                continue;
            assert_int_equal(insn_decode(&insn, bytes, 2, fx.cpu->d.decode_key, &fx.cpu->model), DECODE_OK);
            if (insn.row != insn_row_count)
                continue;
            reserved++;
            x87_random_case(&seed, &c);
            if (x87_native_run(&n, bytes, 2, &c) != VEC_UD) {
                print_error("%02X %02X: executes on the host\n", opcode, modrm);
                bad++;
            }
        }
    }
    x87_native_close(&n);
    fixture_close(&fx);
    assert_true(reserved > 20);
    assert_int_equal(bad, 0);
}

/* ---- the environment in memory */
struct environment_case {
    const char *name;
    u8 bytes[3];
    u8 size;
    u8 pointers, pointers_end; /* bytes of the image that hold addresses */
};

static const struct environment_case environments[] = {
    {"fnstenv, 32-bit", {0xD9, 0x36}, 2, 12, 28}, {"fnstenv, 16-bit", {0x66, 0xD9, 0x36}, 3, 6, 14},
    {"fnsave, 32-bit", {0xDD, 0x36}, 2, 12, 28},  {"fnsave, 16-bit", {0x66, 0xDD, 0x36}, 3, 6, 14},
    {"fldenv, 32-bit", {0xD9, 0x26}, 2, 12, 28},  {"fldenv, 16-bit", {0x66, 0xD9, 0x26}, 3, 6, 14},
    {"frstor, 32-bit", {0xDD, 0x26}, 2, 12, 28},  {"frstor, 16-bit", {0x66, 0xDD, 0x26}, 3, 6, 14},
};

/* An image at the memory operand in the format of the instruction, made of another random state. */
static void put_environment(u64 *seed, struct x87_case *c, const struct environment_case *e)
{
    struct x87_case other;

    x87_random_case(seed, &other);
    if (e->pointers == 12) {
        memcpy(c->memory, other.image, X87_IMAGE);
        for (unsigned i = 0; i < 3; i++)
            store_le16(c->memory + 4 * i, (u16)x87_random(seed)); /* reserved bits too */
    } else {
        for (unsigned i = 0; i < 3; i++)
            store_le16(c->memory + 2 * i, (u16)x87_random(seed));
        memcpy(c->memory + 14, other.image + 28, 80);
    }
}

static void test_environment(void **state)
{
    struct x87_native n;
    struct fixture fx;
    unsigned bad = 0;
    u64 seed = 88172645463325252ull;

    (void)state;
    x87_native_open(&n);
    fixture_open(&fx, FIXTURE_64);
    fx.cpu->arch.cr0 |= CR0_NE;
    for (unsigned k = 0; k < ARRAY_LEN(environments) * 2000; k++) {
        const struct environment_case *e = &environments[k % ARRAY_LEN(environments)];
        struct x87_case native, emulated;
        int native_vector, emulated_vector;

        x87_random_case(&seed, &native);
        put_environment(&seed, &native, e);
        emulated = native;
        native_vector = x87_native_run(&n, e->bytes, e->size, &native);
        emulated_vector = x87_emulated_run(&fx, e->bytes, e->size, &emulated);
        memset(native.memory + e->pointers, 0, e->pointers_end - e->pointers);
        memset(emulated.memory + e->pointers, 0, e->pointers_end - e->pointers);
        memset(native.image + 12, 0, 16);
        memset(emulated.image + 12, 0, 16);
        if (native_vector != emulated_vector || memcmp(native.image, emulated.image, X87_IMAGE) != 0 ||
            memcmp(native.memory, emulated.memory, X87_MEMORY) != 0) {
            if (bad++ < 4) {
                print_error("%s: vector %d, emulated %d\n", e->name, native_vector, emulated_vector);
                print_case("native", &native);
                print_case("emulated", &emulated);
            }
        }
    }
    x87_native_close(&n);
    fixture_close(&fx);
    assert_int_equal(bad, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_encoding),
        cmocka_unit_test(test_reserved_encodings),
        cmocka_unit_test(test_environment),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT
 * Operands worth trying.
 */
#include "values.h"

#include <string.h>

#include "base/bits.h"
#include "execute.h"

#define PICK(rng, array) ((array)[rng_below(rng, ARRAY_LEN(array))])

u64 value_integer(struct rng *rng)
{
    static const u64 edges[] = {0,
                                1,
                                2,
                                3,
                                0x7F,
                                0x80,
                                0x81,
                                0xFF,
                                0x100,
                                0x7FFF,
                                0x8000,
                                0xFFFF,
                                0x10000,
                                0x7FFFFFFF,
                                0x80000000,
                                0x80000001,
                                0xFFFFFFFF,
                                0x100000000,
                                BIT(63) - 1,
                                BIT(63),
                                BIT(63) + 1,
                                ~0ull,
                                ~1ull,
                                0xAAAAAAAAAAAAAAAA,
                                0x0123456789ABCDEF,
                                9,
                                0x99,
                                10};

    switch (rng_below(rng, 4)) {
    case 0:
    case 1: return PICK(rng, edges);
    case 2: return rng_next(rng) >> rng_below(rng, 64);
    default: return rng_next(rng);
    }
}

u32 value_single(struct rng *rng)
{
    static const u32 edges[] = {0x00000000, 0x00000001, 0x007FFFFF, 0x00800000, 0x3F800000, 0x3F800001, 0x3F7FFFFF,
                                0x40000000, 0x3FC00000, 0x3F000000, 0x4B000001, 0x4EFFFFFF, 0x4F000000, 0x5F000000,
                                0x7F7FFFFF, 0x7F800000, 0x7F800001, 0x7FC00000, 0x7FFFFFFF, 0x7FA00000, 0x33800000};
    u32 sign = rng_chance(rng, 40) ? 0x80000000 : 0;

    switch (rng_below(rng, 4)) {
    case 0:
    case 1: return PICK(rng, edges) | sign;
    case 2: return (0x3F800000 + (rng_below(rng, 64) << 23) - (16u << 23) + (u32)(rng_next(rng) & 0x7FFFFF)) | sign;
    default: return (u32)rng_next(rng);
    }
}

u64 value_double(struct rng *rng)
{
    static const u64 edges[] = {0x0000000000000000, 0x0000000000000001, 0x000FFFFFFFFFFFFF, 0x0010000000000000,
                                0x3FF0000000000000, 0x3FF0000000000001, 0x3FEFFFFFFFFFFFFF, 0x4000000000000000,
                                0x3FF8000000000000, 0x3FE0000000000000, 0x41DFFFFFFFC00000, 0x41E0000000000000,
                                0x43E0000000000000, 0x36A0000000000000, 0x47EFFFFFE0000000, 0x47EFFFFFF0000000,
                                0x7FEFFFFFFFFFFFFF, 0x7FF0000000000000, 0x7FF0000000000001, 0x7FF8000000000000,
                                0x7FFFFFFFFFFFFFFF, 0x7FF4000000000000};
    u64 sign = rng_chance(rng, 40) ? BIT(63) : 0;

    switch (rng_below(rng, 4)) {
    case 0:
    case 1: return PICK(rng, edges) | sign;
    case 2: return (0x3F00000000000000 + ((u64)rng_below(rng, 64) << 52) + (rng_next(rng) & (BIT(52) - 1))) | sign;
    default: return rng_next(rng);
    }
}

void value_extended(struct rng *rng, u8 *bytes)
{
    /* Exponent and mantissa: zeros, denormals, pseudo-denormals, unnormals, infinities, pseudo-infinities, NaNs. */
    static const struct {
        u16 exponent;
        u64 mantissa;
    } edges[] = {{0, 0},
                 {0, 1},
                 {0, BIT(63) - 1},
                 {0, BIT(63)},
                 {0, BIT(63) + 5},
                 {1, BIT(63)},
                 {0x3FFF, BIT(63)},
                 {0x3FFF, BIT(63) + 1},
                 {0x3FFE, ~0ull},
                 {0x3FFE, BIT(63)},
                 {0x4000, BIT(63)},
                 {0x4000, 0xC90FDAA22168C235},
                 {0x3FFD, 0x9A209A84FBCFF799},
                 {0x4000, 0x4000000000000000},
                 {0x403E, BIT(63)},
                 {0x403E, ~0ull},
                 {0x401E, 0xFFFFFFFF00000000},
                 {0x43FF, BIT(63)},
                 {0x7FFE, ~0ull},
                 {0x7FFF, BIT(63)},
                 {0x7FFF, 0},
                 {0x7FFF, BIT(63) | 1},
                 {0x7FFF, 0xC000000000000000},
                 {0x7FFF, 0xE000000000000123},
                 {0x7FFF, 0x4000000000000000}};
    u32 which = rng_below(rng, 4);
    u64 mantissa = rng_next(rng) | BIT(63);
    u16 exponent = (u16)(0x3FFF + rng_below(rng, 80) - 40);

    if (which < 2) {
        u32 i = rng_below(rng, ARRAY_LEN(edges));

        mantissa = edges[i].mantissa;
        exponent = edges[i].exponent;
    } else if (which == 3) {
        mantissa = (u64)rng_below(rng, 2000) << 40 | BIT(63); /* few bits: results that are exact */
        exponent = (u16)(0x3FFF + rng_below(rng, 16));
    }
    if (rng_chance(rng, 40))
        exponent |= 0x8000;
    store_le64(bytes, mantissa);
    store_le16(bytes + 8, exponent);
}

void value_vector(struct rng *rng, u8 *bytes)
{
    u32 kind = rng_below(rng, 3);

    for (unsigned i = 0; i < 16; i += kind == 1 ? 4 : 8) {
        if (kind == 0)
            store_le64(bytes + i, value_integer(rng));
        else if (kind == 1)
            store_le32(bytes + i, value_single(rng));
        else
            store_le64(bytes + i, value_double(rng));
    }
}

u16 value_selector(struct rng *rng)
{
    static const u16 gdt[] = {0,          1,     2,          3,    0x08, 0x0B,           0x10, 0x13,
                              0x18,       0x1B,  SEL_USER32, 0x20, 0x21, SEL_USER_DATA,  0x28, 0x2A,
                              SEL_USER64, 0x30,  0x43,       0x53, 0x63, SEL_CPU_NUMBER, 0x78, 0x83,
                              0xFFF8,     0xFFFB};

    switch (rng_below(rng, 5)) {
    case 0:
    case 1: return PICK(rng, gdt);
    case 2:
        return (u16)(LDT_SELECTOR(rng_below(rng, LDT_COUNT)) & (rng_chance(rng, 30) ? ~(rng_below(rng, 3) + 1) : ~0u));
    case 3: return rng_chance(rng, 20) ? (u16)(LDT_COUNT << 3 | 7) : LDT_SELECTOR(rng_below(rng, LDT_COUNT));
    default: return (u16)rng_next(rng);
    }
}

u16 value_code_selector(struct rng *rng, enum hardware_mode mode)
{
    static const u16 codes[] = {SEL_USER32,
                                SEL_USER64,
                                LDT_SELECTOR(LDT_CODE16),
                                LDT_SELECTOR(LDT_CODE32),
                                LDT_SELECTOR(LDT_CONFORMING),
                                LDT_SELECTOR(LDT_SMALL_CODE)};

    if (rng_chance(rng, 40))
        return mode == HARDWARE_64 ? SEL_USER64 : mode == HARDWARE_32 ? SEL_USER32 : LDT_SELECTOR(LDT_CODE16);
    return rng_chance(rng, 60) ? PICK(rng, codes) : value_selector(rng);
}

/* SPDX-License-Identifier: MIT
 * SHA-256 over 64 KiB at a time: rotations, additions and logic without branches. FIPS 180-4, "SHA-256".
 *
 * The constants are computed as the standard defines them, the first 32 bits of the fractional parts of the square and
 * cube roots of the first primes, by integer search: no table to mistype.
 */
#include "workload.h"

typedef unsigned int u32;

enum { BLOCKS = 1024, BLOCK_BYTES = 64 };

static unsigned char data[BLOCKS * BLOCK_BYTES];
static u32 initial[8], constants[64];

/* A product of 32-bit digits, least significant first: 64-bit arithmetic would need a library on a 32-bit processor
 * only for division, which this does without. */
static void multiply(u32 *out, const u32 *a, int a_digits, const u32 *b, int b_digits)
{
    for (int i = 0; i < a_digits + b_digits; i++)
        out[i] = 0;
    for (int i = 0; i < a_digits; i++) {
        u32 carry = 0;

        for (int j = 0; j < b_digits; j++) {
            unsigned long long t = (unsigned long long)a[i] * b[j] + out[i + j] + carry;

            out[i + j] = (u32)t;
            carry = (u32)(t >> 32);
        }
        out[i + b_digits] = carry;
    }
}

/* returns: the first 32 bits after the point of prime to the power 1/root, root 2 or 3 */
static u32 root_fraction(u32 prime, int root)
{
    u32 x[2] = {0, 0}; /* fraction, integer part */

    /* The largest x with x^root <= prime, one bit at a time from the top; roots of these primes are below 32. */
    for (int bit = 36; bit >= 0; bit--) {
        u32 trial[2] = {x[0], x[1]}, square[4], power[6];
        u32 whole;

        trial[bit / 32] |= 1u << bit % 32;
        multiply(square, trial, 2, trial, 2);
        if (root == 3)
            multiply(power, square, 4, trial, 2);
        /* x^2 has its point at bit 64, x^3 at bit 96; no prime has an exact root. */
        whole = root == 3 ? power[3] : square[2];
        if (whole < prime && (root == 3 ? power[4] : square[3]) == 0) {
            x[0] = trial[0];
            x[1] = trial[1];
        }
    }
    return x[0];
}

static void make_constants(void)
{
    int found = 0;

    for (u32 n = 2; found < 64; n++) {
        u32 d = 2;

        while (n % d != 0)
            d++;
        if (d != n)
            continue;
        if (found < 8)
            initial[found] = root_fraction(n, 2);
        constants[found++] = root_fraction(n, 3);
    }
}

static inline u32 rotate(u32 x, int by) { return x >> by | x << (32 - by); }

static void compress(u32 hash[8], const unsigned char *block)
{
    u32 w[64], s[8];

    for (int i = 0; i < 16; i++, block += 4)
        w[i] = (u32)block[0] << 24 | (u32)block[1] << 16 | (u32)block[2] << 8 | block[3];
    for (int i = 16; i < 64; i++) {
        u32 low = rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18) ^ w[i - 15] >> 3;
        u32 high = rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19) ^ w[i - 2] >> 10;

        w[i] = w[i - 16] + low + w[i - 7] + high;
    }
    for (int i = 0; i < 8; i++)
        s[i] = hash[i];
    for (int i = 0; i < 64; i++) {
        u32 e = rotate(s[4], 6) ^ rotate(s[4], 11) ^ rotate(s[4], 25);
        u32 choose = (s[4] & s[5]) ^ (~s[4] & s[6]);
        u32 t = s[7] + e + choose + constants[i] + w[i];
        u32 a = rotate(s[0], 2) ^ rotate(s[0], 13) ^ rotate(s[0], 22);
        u32 majority = (s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]);

        s[7] = s[6];
        s[6] = s[5];
        s[5] = s[4];
        s[4] = s[3] + t;
        s[3] = s[2];
        s[2] = s[1];
        s[1] = s[0];
        s[0] = t + a + majority;
    }
    for (int i = 0; i < 8; i++)
        hash[i] += s[i];
}

/* Each turn hashes on from the turn before, so that the result depends on all of them; for one turn it is the
 * standard's hash of the data before the padding's block. */
word work_sha256(word count)
{
    u32 hash[8];

    make_constants();
    for (int i = 0; i < 8; i++)
        hash[i] = initial[i];
    for (word i = 0; i < sizeof data; i++)
        data[i] = (unsigned char)(i * 31 + (i >> 8));
    for (word turn = 0; turn < count; turn++)
        for (int b = 0; b < BLOCKS; b++)
            compress(hash, data + b * BLOCK_BYTES);
    return hash[0];
}

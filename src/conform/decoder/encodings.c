/* SPDX-License-Identifier: MIT
 * Making byte strings to decode.
 */
#include "conform/decoder/encodings.h"

#include <string.h>

#include "cpu/isa/match.h"

/* A byte string in the making, and the random numbers behind it. */
struct maker {
    encoding_visit *visit;
    void *context;
    u64 seed;
    enum code_size code;
    unsigned length;
    u8 bytes[READING_BYTES];
};

static u64 next_random(struct maker *m)
{
    u64 z = m->seed += 0x9E3779B97F4A7C15ull;

    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return z ^ (z >> 31);
}

static void put(struct maker *m, unsigned byte) { m->bytes[m->length++] = (u8)byte; }

/* Fill up with random bytes, and show. effects: the length stays */
static void show(struct maker *m)
{
    u64 low = next_random(m), high = next_random(m);
    u8 random[READING_BYTES];

    memcpy(random, &low, 8);
    memcpy(random + 8, &high, 8);
    memcpy(m->bytes + m->length, random, READING_BYTES - m->length);
    m->visit(m->context, m->bytes);
}

static void put_opcode(struct maker *m, enum insn_map map, unsigned opcode)
{
    if (map != M1)
        put(m, 0x0F);
    if (map == M38 || map == M3A)
        put(m, map == M38 ? 0x38 : 0x3A);
    put(m, opcode);
}

/* ---- prefixes */

/* Up to three bytes; only64: a REX prefix. quick: is in the quick part. */
struct prefix_set {
    u8 count, bytes[3];
    bool only64, quick;
};

static const struct prefix_set prefix_sets[] = {
    {0, {0}, false, true},           {1, {0x66}, false, true},        {1, {0x67}, false, true},
    {2, {0x66, 0x67}, false, false}, {1, {0xF2}, false, true},        {1, {0xF3}, false, true},
    {2, {0x66, 0xF2}, false, false}, {2, {0xF3, 0x66}, false, false}, {2, {0xF2, 0xF3}, false, false},
    {1, {0xF0}, false, true},        {2, {0xF0, 0x66}, false, false}, {2, {0xF0, 0xF3}, false, false},
    {1, {0x26}, false, false},       {1, {0x2E}, false, true},        {1, {0x36}, false, false},
    {1, {0x3E}, false, false},       {1, {0x64}, false, true},        {1, {0x65}, false, false},
    {2, {0x2E, 0x65}, false, false}, {1, {0x40}, true, true},         {1, {0x41}, true, false},
    {1, {0x42}, true, false},        {1, {0x44}, true, false},        {1, {0x48}, true, true},
    {1, {0x4F}, true, true},         {2, {0x66, 0x48}, true, true},   {2, {0x48, 0x66}, true, false},
    {2, {0x67, 0x43}, true, false},  {2, {0xF0, 0x48}, true, false},  {3, {0x65, 0x66, 0x4D}, true, false},
};

static unsigned mandatory_byte(enum insn_prefix prefix)
{
    return prefix == P66 ? 0x66 : prefix == PF3 ? 0xF3 : prefix == PF2 ? 0xF2 : 0;
}

/* The row's own prefix stands first: a set may take its place or add to it. */
static void put_prefixes(struct maker *m, const struct prefix_set *set, unsigned mandatory)
{
    m->length = 0;
    if (mandatory != 0)
        put(m, mandatory);
    for (unsigned i = 0; i < set->count; i++)
        put(m, set->bytes[i]);
}

/* ---- ModRM and SIB */

static bool extension_allows(unsigned extension, unsigned modrm)
{
    if (extension & 0x800)
        return modrm == (extension & 0xFF);
    if ((extension & 0x400) && ((modrm >> 3) & 7) != (extension & 7))
        return false;
    if ((extension & (XM | XR)) == XM)
        return modrm < 0xC0;
    return (extension & (XM | XR)) != XR || modrm >= 0xC0;
}

/* A memory operand with SIB: all bytes without prefixes, classes of them under others. */
static void show_sibs(struct maker *m, bool all)
{
    static const u8 classes[] = {0x00, 0x24, 0x25, 0x65, 0x6C, 0xC5, 0xE4, 0x9D};
    unsigned at = m->length;

    for (unsigned i = 0; i < (all ? 256u : sizeof classes); i++) {
        put(m, all ? i : classes[i]);
        show(m);
        m->length = at;
    }
}

static void show_modrms(struct maker *m, unsigned extension, bool all_sibs, bool quick)
{
    unsigned at = m->length;

    for (unsigned modrm = 0; modrm < 256; modrm++) {
        unsigned reg = (modrm >> 3) & 7;

        if (!extension_allows(extension, modrm) || (quick && !(extension & 0xC00) && reg != 1 && reg != 6))
            continue;
        put(m, modrm);
        if (m->code != CODE16 && modrm < 0xC0 && (modrm & 7) == 4)
            show_sibs(m, all_sibs && (reg == 0 || (extension & 0x400)));
        else
            show(m);
        m->length = at;
    }
}

/* ---- what the header offers */

static struct maker maker_new(enum code_size code, u64 seed, encoding_visit *visit, void *context)
{
    return (struct maker){.visit = visit, .context = context, .code = code, .seed = seed * 4 + code};
}

void encodings_of_row(const struct insn_row *row, enum code_size code, bool quick, encoding_visit *visit, void *context)
{
    struct decode_entry entry = entry_make(0, row->prefix, row->extension, row->operand);
    struct maker m = maker_new(code, row->opcode + row->map * 256u + row->extension * 1024u, visit, context);
    unsigned opcodes = entry.flags & ENTRY_RANGE ? 8 : 1;

    for (unsigned s = 0; s < ARRAY_LEN(prefix_sets); s++) {
        const struct prefix_set *set = &prefix_sets[s];

        if ((set->only64 && code != CODE64) || (quick && !set->quick))
            continue;
        for (unsigned low = 0; low < opcodes; low++) {
            put_prefixes(&m, set, mandatory_byte((enum insn_prefix)row->prefix));
            put_opcode(&m, (enum insn_map)row->map, row->opcode + low);
            if (entry.flags & ENTRY_MODRM)
                show_modrms(&m, entry.extension, set->count == 0 && !quick, quick);
            else
                for (unsigned i = 0; i < 4; i++)
                    show(&m);
        }
    }
}

void encodings_of_map(enum insn_map map, unsigned high, enum code_size code, bool quick, encoding_visit *visit,
                      void *context)
{
    static const struct prefix_set sets[] = {
        {0, {0}, false, true},          {1, {0x66}, false, true},        {1, {0xF3}, false, true},
        {1, {0xF2}, false, true},       {2, {0x66, 0xF3}, false, false}, {2, {0xF2, 0x66}, false, false},
        {1, {0xF0}, false, false},      {1, {0x48}, true, false},        {2, {0x66, 0x48}, true, false},
        {2, {0xF3, 0x4F}, true, false},
    };
    struct maker m = maker_new(code, 0x10000 + map * 16u + high, visit, context);

    for (unsigned s = 0; s < ARRAY_LEN(sets); s++) {
        if ((sets[s].only64 && code != CODE64) || (quick && !sets[s].quick))
            continue;
        for (unsigned n = 0; n < 16 * 256; n++) {
            if (quick && (n & 7) != s)
                continue;
            put_prefixes(&m, &sets[s], 0);
            put_opcode(&m, map, high * 16 + n / 256);
            put(&m, n & 0xFF);
            show(&m);
        }
    }
}

static void put_random_prefixes(struct maker *m)
{
    static const u8 any[16] = {0x66, 0x67, 0xF2, 0xF3, 0xF0, 0x26, 0x2E, 0x36,
                               0x3E, 0x64, 0x65, 0x66, 0xF2, 0xF3, 0x66, 0x67};
    unsigned count = (unsigned)next_random(m) & 7;

    for (unsigned i = 0; i + 4 < count; i++)
        put(m, any[next_random(m) & 15]);
    if (m->code == CODE64 && (next_random(m) & 1))
        put(m, 0x40 | (next_random(m) & 15));
}

/* So many that some instructions come to 15 bytes, and some to more. */
static void put_many_prefixes(struct maker *m)
{
    static const u8 any[4] = {0x66, 0x2E, 0x65, 0x3E};
    unsigned count = 5 + (unsigned)next_random(m) % 6;

    for (unsigned i = 0; i < count; i++)
        put(m, any[next_random(m) & 3]);
}

void encodings_random(unsigned seed, unsigned count, enum code_size code, encoding_visit *visit, void *context)
{
    struct maker m = maker_new(code, 0x1000000 + seed, visit, context);

    for (unsigned n = 0; n < count; n++) {
        const struct insn_row *row = &insn_rows[next_random(&m) % insn_row_count];

        m.length = 0;
        if (n % 64 == 63)
            put_many_prefixes(&m);
        else if (n % 4 != 0)
            put_random_prefixes(&m);
        if (n % 4 == 1) {
            put(&m, 0x0F);
        } else if (n % 4 > 1) {
            if (mandatory_byte((enum insn_prefix)row->prefix) != 0 && m.length == 0)
                put(&m, mandatory_byte((enum insn_prefix)row->prefix));
            put_opcode(&m, (enum insn_map)row->map, row->opcode);
            if ((row->extension & 0x400) && n % 8 > 3)
                put(&m, (next_random(&m) & 0xC7) | (row->extension & 7) << 3);
        }
        show(&m);
    }
}

/* SPDX-License-Identifier: MIT
 * Build-time program: writes the decoder's index of insn.def to standard output, as a C header.
 *
 * Rows are grouped by (map, opcode); in a group the most specific stands first, equals in row order.
 */
#include <stdio.h>
#include <stdlib.h>

#include "cpu/isa/match.h"

struct source_row {
    u8 map, opcode, prefix;
    u16 extension;
    u8 operand[3];
    const char *mnemonic;
};

static const struct source_row source_rows[] = {
#define INSN(map, op, prefix, ext, mnemonic, o1, o2, o3, attributes, feature, body, source)                            \
    {map, op, prefix, ext, {o1, o2, o3}, mnemonic},
#include "cpu/isa/insn.def"
#undef INSN
};

#define BUCKET_MAX 128u

/* Insert by falling specificity; equals keep their order. */
static void insert(struct decode_entry *bucket, unsigned *count, struct decode_entry entry)
{
    unsigned at = *count;

    if (*count == BUCKET_MAX) {
        fprintf(stderr, "gen_decode: more than %u rows for one opcode\n", BUCKET_MAX);
        exit(1);
    }
    while (at > 0 && entry_specificity(&bucket[at - 1]) < entry_specificity(&entry)) {
        bucket[at] = bucket[at - 1];
        at--;
    }
    bucket[at] = entry;
    (*count)++;
}

static unsigned collect(unsigned map, unsigned opcode, struct decode_entry *bucket)
{
    unsigned count = 0;

    for (unsigned i = 0; i < ARRAY_LEN(source_rows); i++) {
        const struct source_row *row = &source_rows[i];
        struct decode_entry entry = entry_make((u16)i, row->prefix, row->extension, row->operand);
        unsigned mask = entry.flags & ENTRY_RANGE ? 0xF8 : 0xFF;

        if (row->map == map && ((row->opcode ^ opcode) & mask) == 0)
            insert(bucket, &count, entry);
    }
    for (unsigned i = 1; i < count; i++) {
        if ((bucket[i].flags ^ bucket[0].flags) & ENTRY_MODRM) {
            fprintf(stderr, "gen_decode: map %u opcode %02X: \"%s\" has a ModRM byte and another row has none\n", map,
                    opcode, source_rows[bucket[bucket[i].flags & ENTRY_MODRM ? i : 0].row].mnemonic);
            exit(1);
        }
    }
    return count;
}

int main(void)
{
    static struct decode_bucket buckets[INSN_MAPS][256];
    struct decode_entry bucket[BUCKET_MAX];
    unsigned total = 0;

    printf("/* Generated from insn.def by tools/gen_decode.c: do not edit. */\n");
    printf("static const struct decode_entry decode_entries[] = {\n");
    for (unsigned map = 0; map < INSN_MAPS; map++) {
        for (unsigned opcode = 0; opcode < 256; opcode++) {
            unsigned count = collect(map, opcode, bucket);

            buckets[map][opcode] =
                (struct decode_bucket){(u16)total, (u8)count, count && bucket[0].flags & ENTRY_MODRM};
            for (unsigned i = 0; i < count; i++)
                printf("    {%u, 0x%03X, %u, %u},\n", bucket[i].row, bucket[i].extension, bucket[i].prefix,
                       bucket[i].flags);
            total += count;
        }
    }
    printf("};\n\nstatic const struct decode_bucket decode_buckets[%d][256] = {\n", INSN_MAPS);
    for (unsigned map = 0; map < INSN_MAPS; map++) {
        printf("    {");
        for (unsigned opcode = 0; opcode < 256; opcode++)
            printf("%s{%u, %u, %u},", opcode % 8 ? " " : "\n     ", buckets[map][opcode].first,
                   buckets[map][opcode].count, buckets[map][opcode].modrm);
        printf("\n    },\n");
    }
    printf("};\n");
    return 0;
}

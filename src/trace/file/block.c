/* SPDX-License-Identifier: MIT
 * Rows and byte planes of a block of events. Layout: number of rows (4 bytes); then a byte for each row, four times:
 * its slot, its base, and low and high byte of the number of predicted events before it; then a bit map with one bit
 * per byte of the record, lowest first; then for each set bit one plane: that byte of every row's difference, in order.
 * The slot is stored exclusive-or the slot that was to follow, the base exclusive-or the slot. Events after the last
 * row are as predicted.
 */
#include "trace/file/block.h"

#include <stdlib.h>

struct block_bytes {
    u8 head[BLOCK_ROW_BYTES][BLOCK_ROWS];
    bool used[BLOCK_PLANES];
    u8 plane[BLOCK_PLANES][BLOCK_ROWS];
    u8 raw[BLOCK_RAW_MAX];
};

struct block_codec *block_codec_new(void)
{
    struct block_codec *codec = calloc(1, sizeof *codec);

    if (!codec)
        abort();
    codec->predictor = predictor_new();
    codec->bytes = malloc(sizeof *codec->bytes);
    if (!codec->bytes)
        abort();
    memset(codec->bytes->used, 0, sizeof codec->bytes->used);
    return codec;
}

void block_codec_free(struct block_codec *codec)
{
    if (codec) {
        free(codec->predictor);
        free(codec->bytes);
    }
    free(codec);
}

static void scatter_word(struct block_bytes *b, unsigned plane, u64 rest, u32 row)
{
    for (; rest; rest >>= 8, plane++) {
        if (!(rest & 0xFF))
            continue;
        if (!b->used[plane]) {
            b->used[plane] = true;
            memset(b->plane[plane], 0, BLOCK_ROWS);
        }
        b->plane[plane][row] = (u8)rest;
    }
}

const struct event_record *block_add(struct block_codec *codec, const struct predict_miss *miss)
{
    const struct predictor *p = codec->predictor;
    struct block_bytes *b = codec->bytes;
    u32 row = codec->rows++;

    b->head[0][row] = miss->slot ^ p->following;
    b->head[1][row] = miss->base ^ miss->slot;
    b->head[2][row] = (u8)codec->before;
    b->head[3][row] = (u8)(codec->before >> 8);
    codec->before = 0;
    codec->count++;
    for (u64 rest = miss->mask; rest; rest &= rest - 1) {
        unsigned i = (unsigned)__builtin_ctzll(rest);

        scatter_word(b, i * 8, miss->difference[i], row);
    }
    return predictor_apply(codec->predictor, miss);
}

size_t block_end(struct block_codec *codec, const u8 **out)
{
    struct block_bytes *b = codec->bytes;
    u8 *map = b->raw + 4 + (size_t)codec->rows * BLOCK_ROW_BYTES, *at = b->raw + 4;

    store_le32(b->raw, codec->rows);
    for (unsigned i = 0; i < BLOCK_ROW_BYTES; i++, at += codec->rows)
        memcpy(at, b->head[i], codec->rows);
    memset(map, 0, BLOCK_MAP_BYTES);
    at += BLOCK_MAP_BYTES;
    for (unsigned plane = 0; plane < BLOCK_PLANES; plane++) {
        if (!b->used[plane])
            continue;
        map[plane / 8] |= (u8)(1u << (plane % 8));
        memcpy(at, b->plane[plane], codec->rows);
        at += codec->rows;
    }
    memset(b->used, 0, sizeof b->used);
    codec->count = codec->rows = codec->before = 0;
    predictor_restart(codec->predictor);
    *out = b->raw;
    return (size_t)(at - b->raw);
}

/* ---- decoder ---- */

struct rows {
    u32 count;
    const u8 *head, *planes;
    unsigned used; /* planes that are there; of each its number */
    u16 plane[BLOCK_PLANES];
};

static bool find_rows(struct rows *rows, const u8 *bytes, size_t size, u32 count)
{
    const u8 *map;

    if (size < 4 || count == 0 || count > BLOCK_EVENTS)
        return false;
    rows->count = load_le32(bytes);
    if (rows->count == 0 || rows->count > BLOCK_ROWS || rows->count > count ||
        size < 4 + (size_t)rows->count * BLOCK_ROW_BYTES + BLOCK_MAP_BYTES)
        return false;
    rows->head = bytes + 4;
    map = rows->head + (size_t)rows->count * BLOCK_ROW_BYTES;
    rows->planes = map + BLOCK_MAP_BYTES;
    rows->used = 0;
    for (unsigned plane = 0; plane < BLOCK_PLANES; plane++)
        if ((map[plane / 8] >> (plane % 8)) & 1)
            rows->plane[rows->used++] = (u16)plane;
    return size == (size_t)(rows->planes - bytes) + (size_t)rows->used * rows->count;
}

static void gather(const struct rows *rows, u32 row, struct predict_miss *miss)
{
    const u8 *source = rows->planes + row;

    memset(miss->difference, 0, sizeof miss->difference);
    miss->mask = 0;
    for (unsigned i = 0; i < rows->used; i++, source += rows->count) {
        unsigned plane = rows->plane[i];

        miss->difference[plane / 8] |= (u64)*source << (plane % 8 * 8);
        miss->mask |= (u64)(*source != 0) << (plane / 8);
    }
}

static bool is_sound(const struct event_record *e)
{
    return e && e->kind < EVENT_KINDS && e->mechanism < MECHANISMS && e->from_cpl <= 3 && e->to_cpl <= 3 &&
           e->rule < RULES;
}

static bool follow(struct predictor *p, struct event_record **out, u32 events)
{
    for (; events; events--) {
        const struct event_record *e = predictor_follow(p);

        if (!is_sound(e))
            return false;
        *(*out)++ = *e;
    }
    return true;
}

static bool decode(struct predictor *p, const u8 *bytes, size_t size, u32 count, struct event_record *records)
{
    struct event_record *out = records;
    struct predict_miss miss;
    struct rows rows;

    if (!find_rows(&rows, bytes, size, count))
        return false;
    for (u32 row = 0; row < rows.count; row++) {
        u32 before = rows.head[2 * rows.count + row] | (u32)rows.head[3 * rows.count + row] << 8;
        const struct event_record *e;

        if (before + 1 > count - (u32)(out - records) || !follow(p, &out, before))
            return false;
        gather(&rows, row, &miss);
        miss.slot = rows.head[row] ^ p->following;
        miss.base = rows.head[rows.count + row] ^ miss.slot;
        e = predictor_apply(p, &miss);
        if (!is_sound(e))
            return false;
        *out++ = *e;
    }
    return follow(p, &out, count - (u32)(out - records));
}

bool block_decode(struct block_codec *codec, const u8 *bytes, size_t size, u32 count, struct event_record *records)
{
    bool ok = decode(codec->predictor, bytes, size, count, records);

    predictor_restart(codec->predictor);
    return ok;
}

/* SPDX-License-Identifier: MIT
 * Prediction and byte planes of a block of events. Layout: a bit map with one bit per byte of the record, lowest first,
 * then for each set bit one plane: that byte of every record's difference, in order.
 *
 * A prediction reads only what came before, and fields of the same record from an earlier stage, so that the decoder
 * can make it again:
 *   stage 1  PREV, AFTER, SAME       from earlier records
 *   stage 2  CLOCK, SELF, RETURN, SYSCALL   also from stage 1 of this record
 *   stage 3  EXPECT                  also from stage 2
 * Differences are exclusive-or, except ticks, retired and sequence: zigzag of the subtraction, because they count.
 */
#include "trace/block.h"

#include <stdlib.h>

#define WORDS ((unsigned)(sizeof(struct event_record) / sizeof(u64)))
#define CONTEXTS 128u

/* Records of this block that predictions read; a record of zeros stands for what has not been yet. */
struct history {
    const struct event_record *previous;
    const struct event_record *user; /* the last entry from ring 3 */
    const struct event_record *same[CONTEXTS];
    struct event_record zero;
};

struct block_codec {
    struct history history;
    u8 raw[BLOCK_RAW_MAX];
    u8 plane[BLOCK_PLANES][BLOCK_EVENTS];
    bool used[BLOCK_PLANES];
};

_Static_assert(sizeof(struct event_record) % sizeof(u64) == 0, "the record is compared word by word");
_Static_assert(MECHANISMS <= 64 && EVENT_KINDS <= 32, "contexts of SAME");

struct block_codec *block_codec_new(void)
{
    struct block_codec *codec = malloc(sizeof *codec);

    if (!codec)
        abort();
    return codec;
}

void block_codec_free(struct block_codec *codec) { free(codec); }

static unsigned context_of(u8 kind, u8 mechanism)
{
    return kind == EVENT_KIND_TRANSITION ? mechanism & 63u : 64u + (kind & 63u);
}

static u64 zigzag(u64 d) { return (d << 1) ^ (u64)((i64)d >> 63); }

static u64 unzigzag(u64 z) { return (z >> 1) ^ (0 - (z & 1)); }

/* Every field but those that are like the last record of the context (SAME). */
static void predict_from_history(struct event_record *p, const struct history *h, unsigned context)
{
    const struct event_record *prev = h->previous, *same = h->same[context];

    p->kind = prev->kind;
    p->mechanism = prev->mechanism;
    p->cpu = prev->cpu;
    p->ticks = prev->ticks;
    p->sequence = prev->sequence;
    p->from_cr3 = prev->to_cr3;
    p->from_gs_base = prev->to_gs_base;
    p->from_kernel_gs_base = prev->to_kernel_gs_base;
    p->from_cs = prev->to_cs;
    p->from_ss = prev->to_ss;
    p->from_cpl = prev->to_cpl;
    p->from_mode = prev->to_mode;
    /* RETURN and SYSCALL, unless predict_from_sides() knows better. */
    p->to_rip = same->to_rip;
    p->to_rsp = same->to_rsp;
    p->to_rflags = same->to_rflags;
    p->rcx = same->rcx;
    p->r11 = same->r11;
}

/* INT n and SYSCALL are two bytes long. SDM 2, opcodes CD ib and 0F 05. */
static u64 return_rip(const struct event_record *entry)
{
    return entry->from_rip + (entry->mechanism == MECH_SYSCALL || entry->mechanism == MECH_INT_N ? 2 : 0);
}

static void predict_from_sides(struct event_record *p, const struct event_record *e, const struct history *h)
{
    p->retired = h->previous->retired + (e->ticks - h->previous->ticks);
    p->to_cr3 = e->from_cr3;
    p->to_gs_base = e->from_gs_base;
    p->to_kernel_gs_base = e->from_kernel_gs_base;
    if (event_is_exit(e) && e->to_cpl == 3) {
        p->to_rip = return_rip(h->user);
        p->to_rsp = h->user->from_rsp;
        p->to_rflags = h->user->from_rflags;
    }
    if (e->kind == EVENT_KIND_TRANSITION && e->mechanism == MECH_SYSCALL) {
        p->rcx = return_rip(e);
        p->r11 = e->from_rflags;
    }
}

static void predict_frame(struct event_record *p, const struct event_record *e)
{
    u64 expected[EVENT_FRAME_WORDS] = {0};

    p->frame_address = 0;
    if (e->frame_words)
        p->frame_address = event_frame_is_popped(e) ? e->from_rsp : e->to_rsp;
    if (e->present & EVENT_HAS_FRAME)
        for (unsigned i = 0; i < e->frame_words && i < EVENT_FRAME_WORDS; i++)
            expected[i] = event_frame_expected(e, i);
    memcpy((u8 *)p + offsetof(struct event_record, frame0), expected, sizeof expected);
}

static void history_clear(struct history *h)
{
    memset(&h->zero, 0, sizeof h->zero);
    h->previous = h->user = &h->zero;
    for (unsigned i = 0; i < CONTEXTS; i++)
        h->same[i] = &h->zero;
}

static void history_add(struct history *h, const struct event_record *e)
{
    h->previous = e;
    h->same[context_of(e->kind, e->mechanism)] = e;
    if (event_is_entry(e) && e->from_cpl == 3)
        h->user = e;
}

static void words_xor(struct event_record *out, const struct event_record *a, const struct event_record *b)
{
    for (unsigned i = 0; i < WORDS; i++)
        ((u64 *)out)[i] = ((const u64 *)a)[i] ^ ((const u64 *)b)[i];
}

static void scatter_word(struct block_codec *codec, unsigned plane, u64 rest, u32 row)
{
    for (; rest; rest >>= 8, plane++) {
        if (!(rest & 0xFF))
            continue;
        if (!codec->used[plane]) {
            codec->used[plane] = true;
            memset(codec->plane[plane], 0, BLOCK_EVENTS);
        }
        codec->plane[plane][row] = (u8)rest;
    }
}

/* Most words of a difference are 0: they are looked at in groups of eight. */
#define GROUP 8u
_Static_assert(WORDS % GROUP == 0, "groups are whole");

static void scatter(struct block_codec *codec, const u64 *word, u32 row)
{
    for (unsigned first = 0; first < WORDS; first += GROUP) {
        const u64 *w = word + first;

        if ((w[0] | w[1] | w[2] | w[3] | w[4] | w[5] | w[6] | w[7]) == 0)
            continue;
        for (unsigned i = 0; i < GROUP; i++)
            if (w[i])
                scatter_word(codec, (first + i) * 8, w[i], row);
    }
}

size_t block_encode(struct block_codec *codec, const struct event_record *records, u32 count, const u8 **out)
{
    struct history *h = &codec->history;
    size_t size = BLOCK_MAP_BYTES;

    history_clear(h);
    memset(codec->used, 0, sizeof codec->used);
    for (u32 i = 0; i < count; i++) {
        const struct event_record *e = &records[i];
        struct event_record p, d;

        unsigned context = context_of(e->kind, e->mechanism);

        predict_from_history(&p, h, context);
        predict_from_sides(&p, e, h);
        predict_frame(&p, e);
        words_xor(&d, e, h->same[context]);
        /* The fields of which more is known than that. */
#define DIFFER_SAME(name)
#define DIFFER_PREV(name) d.name = e->name ^ p.name;
#define DIFFER_AFTER DIFFER_PREV
#define DIFFER_CLOCK DIFFER_PREV
#define DIFFER_SELF DIFFER_PREV
#define DIFFER_RETURN DIFFER_PREV
#define DIFFER_SYSCALL DIFFER_PREV
#define DIFFER_EXPECT DIFFER_PREV
#define EVENT_FIELD(name, type, codec, digest, unit, json, doc) DIFFER_##codec(name)
#include "trace/event.def"
#undef EVENT_FIELD
        d.ticks = zigzag(e->ticks - p.ticks);
        d.retired = zigzag(e->retired - p.retired);
        d.sequence = zigzag(e->sequence - p.sequence);
        scatter(codec, (const u64 *)&d, i);
        history_add(h, e);
    }
    memset(codec->raw, 0, BLOCK_MAP_BYTES);
    for (unsigned plane = 0; plane < BLOCK_PLANES; plane++) {
        if (!codec->used[plane])
            continue;
        codec->raw[plane / 8] |= (u8)(1u << (plane % 8));
        memcpy(codec->raw + size, codec->plane[plane], count);
        size += count;
    }
    *out = codec->raw;
    return size;
}

static void apply(struct event_record *e, const struct event_record *d, const struct event_record *p)
{
    words_xor(e, d, p);
    e->ticks = p->ticks + unzigzag(d->ticks);
    e->retired = p->retired + unzigzag(d->retired);
    e->sequence = p->sequence + unzigzag(d->sequence);
}

bool block_decode(struct block_codec *codec, const u8 *bytes, size_t size, u32 count, struct event_record *records)
{
    struct history *h = &codec->history;
    size_t planes = 0;

    if (size < BLOCK_MAP_BYTES || count == 0 || count > BLOCK_EVENTS)
        return false;
    for (unsigned plane = 0; plane < BLOCK_PLANES; plane++)
        planes += (bytes[plane / 8] >> (plane % 8)) & 1;
    if (size != BLOCK_MAP_BYTES + planes * count)
        return false;
    memset(records, 0, count * sizeof *records);
    const u8 *source = bytes + BLOCK_MAP_BYTES;
    for (unsigned plane = 0; plane < BLOCK_PLANES; plane++) {
        u8 *target = (u8 *)records + plane;

        if (!((bytes[plane / 8] >> (plane % 8)) & 1))
            continue;
        for (u32 i = 0; i < count; i++)
            target[i * sizeof *records] = source[i];
        source += count;
    }
    history_clear(h);
    for (u32 i = 0; i < count; i++) {
        struct event_record p, d = records[i], *e = &records[i];

        unsigned context = context_of(d.kind ^ h->previous->kind, d.mechanism ^ h->previous->mechanism);

        p = *h->same[context];
        predict_from_history(&p, h, context);
        apply(e, &d, &p);
        predict_from_sides(&p, e, h);
        apply(e, &d, &p);
        predict_frame(&p, e);
        apply(e, &d, &p);
        if (e->kind >= EVENT_KINDS || e->mechanism >= MECHANISMS || e->from_cpl > 3 || e->to_cpl > 3 ||
            e->rule >= RULES)
            return false;
        history_add(h, e);
    }
    return true;
}

/* SPDX-License-Identifier: MIT
 * Choosing encodings.
 */
#include "encode.h"

#include <string.h>

#include "cpu/isa/table.h"

#define TRIES 200u

u32 generate_key(enum hardware_mode mode)
{
    static const u32 width[HARDWARE_MODES] = {[HARDWARE_64] = 2, [HARDWARE_32] = 1 | KEY_STACK32, [HARDWARE_16] = 0};

    return width[mode] | 3u << KEY_CPL_SHIFT | KEY_MP | KEY_OSFXSR | KEY_OSXSAVE;
}

struct builder {
    u8 bytes[32];
    unsigned size;
};

static void put(struct builder *b, u8 byte) { b->bytes[b->size++] = byte; }

static u8 any_segment_prefix(struct rng *rng)
{
    static const u8 prefixes[] = {0x26, 0x2E, 0x36, 0x3E, 0x64, 0x65, 0x64, 0x65};

    return prefixes[rng_below(rng, sizeof prefixes)];
}

static void put_prefixes(struct rng *rng, const struct insn_row *row, enum hardware_mode mode, struct builder *b)
{
    static const u8 mandatory[] = {[P66] = 0x66, [PF3] = 0xF3, [PF2] = 0xF2};

    if (rng_chance(rng, 12))
        put(b, any_segment_prefix(rng));
    if (rng_chance(rng, row->attributes & LOCK ? 15 : 1))
        put(b, 0xF0);
    if (row->prefix == P__ && rng_chance(rng, 25))
        put(b, 0x66);
    if (rng_chance(rng, 12))
        put(b, 0x67);
    if (row->prefix == P66 || row->prefix == PF3 || row->prefix == PF2)
        put(b, mandatory[row->prefix]);
    else if (row->prefix == P__ && rng_chance(rng, row->attributes & REPABLE ? 60 : 2))
        put(b, rng_chance(rng, 60) ? 0xF3 : 0xF2);
    if (mode == HARDWARE_64 && rng_chance(rng, 60))
        put(b, (u8)(0x40 | rng_below(rng, 16)));
}

static bool has_low_register(const struct insn_row *row)
{
    for (unsigned i = 0; i < 3; i++)
        if (row->operand[i] == Z_b || row->operand[i] == Z_v || row->operand[i] == Z_v64 || row->operand[i] == Z_y)
            return true;
    return false;
}

static void put_opcode(struct rng *rng, const struct insn_row *row, struct builder *b)
{
    if (row->map != M1)
        put(b, 0x0F);
    if (row->map == M38 || row->map == M3A)
        put(b, row->map == M38 ? 0x38 : 0x3A);
    put(b, has_low_register(row) ? (u8)((row->opcode & 0xF8) | rng_below(rng, 8)) : row->opcode);
}

/* What stands at the place of ModRM; where there is none it is part of an immediate. */
static u8 any_modrm(struct rng *rng, const struct insn_row *row)
{
    u8 byte = (u8)rng_next(rng);

    if (row->extension & 0x800)
        return (u8)row->extension;
    if (row->extension & 0x400)
        byte = (u8)((byte & 0xC7) | (row->extension & 7) << 3);
    if (row->extension & XR || (!(row->extension & XM) && rng_chance(rng, 40)))
        byte |= 0xC0;
    else if (byte >= 0xC0)
        byte &= 0x3F | (u8)(rng_below(rng, 3) << 6);
    return byte;
}

static void find_displacement(struct encoding *e, enum hardware_mode mode)
{
    const u8 *at = e->bytes + e->modrm_at;
    u8 mod = at[0] >> 6, rm = at[0] & 7;
    bool wide = e->insn.address_width != W16;
    unsigned sib = wide && rm == 4;

    (void)mode;
    e->disp_at = (u8)(e->modrm_at + 1 + sib);
    e->disp_size = 0;
    if (mod == 1)
        e->disp_size = 1;
    else if (mod == 2)
        e->disp_size = wide ? 4 : 2;
    else if (mod == 0 && wide && (rm == 5 || (sib && (at[1] & 7) == 5)))
        e->disp_size = 4;
    else if (mod == 0 && !wide && rm == 6)
        e->disp_size = 2;
}

bool encode_has_memory(const struct encoding *e)
{
    return e->insn.form == FORM_RM || e->insn.form == FORM_MR || e->insn.form == FORM_MI;
}

bool encode_again(struct encoding *e, const struct cpu_model *model, enum hardware_mode mode)
{
    u16 row = e->insn.row;
    u8 bytes[16];

    memset(bytes, 0xCC, sizeof bytes);
    memcpy(bytes, e->bytes, e->length);
    return insn_decode(&e->insn, bytes, 15, generate_key(mode), model) == DECODE_OK && e->insn.row == row &&
           e->insn.length == e->length;
}

static bool try_encoding(struct rng *rng, const struct cpu_model *model, unsigned row, enum hardware_mode mode,
                         struct encoding *e)
{
    struct builder b = {.size = 0};

    *e = (struct encoding){.row = &insn_rows[row]};
    put_prefixes(rng, e->row, mode, &b);
    put_opcode(rng, e->row, &b);
    e->modrm_at = (u8)b.size;
    put(&b, any_modrm(rng, e->row));
    while (b.size < sizeof b.bytes)
        put(&b, (u8)(rng_chance(rng, 60) ? rng_below(rng, 64) : rng_next(rng)));
    if (insn_decode(&e->insn, b.bytes, 15, generate_key(mode), model) != DECODE_OK || e->insn.row != row)
        return false;
    e->length = e->insn.length;
    memcpy(e->bytes, b.bytes, e->length);
    if (encode_has_memory(e) && e->row->operand[0] != O_b && e->row->operand[0] != O_v && e->row->operand[1] != O_b &&
        e->row->operand[1] != O_v)
        find_displacement(e, mode);
    return true;
}

bool encode_row(struct rng *rng, const struct cpu_model *model, unsigned row, enum hardware_mode mode,
                struct encoding *e)
{
    for (unsigned i = 0; i < TRIES; i++)
        if (try_encoding(rng, model, row, mode, e))
            return true;
    return false;
}

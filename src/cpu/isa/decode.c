/* SPDX-License-Identifier: MIT
 * The decoder: prefixes, opcode, and the choice of a row of insn.def; operands are in decode_operand.c.
 * SDM 2A, "Instruction Format"; SDM 2D, "Opcode Map"; APM 3, "Instruction Encoding".
 */
#include "cpu/isa/insn.h"

#include <assert.h>

#include "cpu/isa/decode_operand.h"
#include "cpu/isa/forbidden.h"
#include "cpu/isa/match.h"
#include "decode_index.h" /* generated: decode_entries[], decode_buckets[][] */

/* Take prefixes up to the first opcode byte, which is returned. REX counts only right before the opcode; in 64-bit
 * mode overrides of ES, CS, SS and DS are ignored (and leave an earlier FS or GS in force). */
static u8 take_prefixes(struct decoder *d, struct insn *insn)
{
    for (;;) {
        u8 byte = (u8)decoder_take(d, 1);

        switch (byte) {
        case 0xF0: insn->prefixes |= PREFIX_LOCK; break;
        case 0xF2: insn->prefixes = (u8)((insn->prefixes & ~PREFIX_REP) | PREFIX_REPNE); break;
        case 0xF3: insn->prefixes = (u8)((insn->prefixes & ~PREFIX_REPNE) | PREFIX_REP); break;
        case 0x66: insn->prefixes |= PREFIX_66; break;
        case 0x67: insn->prefixes |= PREFIX_67; break;
        case 0x26:
        case 0x2E:
        case 0x36:
        case 0x3E:
            if (!d->mode64)
                d->override = (byte >> 3) & 3;
            break;
        case 0x64:
        case 0x65: d->override = (u8)(FS + (byte & 1)); break;
        default:
            if (d->mode64 && (byte & 0xF0) == 0x40) {
                d->rex = byte;
                continue;
            }
            if (d->rex)
                insn->prefixes |= PREFIX_REX | (REX_W(d) ? PREFIX_REX_W : 0);
            if (d->override != SEG_NO_OVERRIDE)
                insn->prefixes |= PREFIX_SEG;
            return byte;
        }
        d->rex = 0;
    }
}

static enum insn_map take_opcode(struct decoder *d, struct insn *insn, u8 first)
{
    enum insn_map map = M1;

    if (first == 0x0F) {
        first = (u8)decoder_take(d, 1);
        map = M2;
        if (first == 0x38 || first == 0x3A) {
            map = first == 0x38 ? M38 : M3A;
            first = (u8)decoder_take(d, 1);
        }
    }
    insn->opcode = first;
    return map;
}

/* F3 and F2 win over 66 as a mandatory prefix. */
static enum insn_prefix mandatory_prefix(const struct insn *insn)
{
    if (insn->prefixes & PREFIX_REP)
        return PF3;
    if (insn->prefixes & PREFIX_REPNE)
        return PF2;
    return insn->prefixes & PREFIX_66 ? P66 : PNP;
}

static bool extension_matches(unsigned extension, u8 modrm)
{
    if (extension & 0x800)
        return modrm == (u8)extension;
    if ((extension & 0x400) && ((modrm >> 3) & 7) != (extension & 7))
        return false;
    if ((extension & XM) && modrm >= 0xC0)
        return false;
    return !(extension & XR) || modrm >= 0xC0;
}

static bool model_has(const struct cpu_model *model, u8 feature)
{
    switch (feature) {
    case FEAT_ALWAYS: return true;
    case FEAT_CPUID: return model->has_cpuid;
    case FEAT_GEN6: return model->generation >= 6;
    default: return model->feature[feature];
    }
}

static const struct decode_entry *select_row(const struct decoder *d, const struct insn *insn,
                                             const struct decode_bucket *bucket, enum insn_map map,
                                             const struct cpu_model *model)
{
    enum insn_prefix prefix = mandatory_prefix(insn);

    for (unsigned i = bucket->first; i < bucket->first + (unsigned)bucket->count; i++) {
        const struct decode_entry *entry = &decode_entries[i];
        const struct insn_row *row = &insn_rows[entry->row];

        if (entry->prefix != P__ && entry->prefix != prefix)
            continue;
        if (!extension_matches(entry->extension, insn->modrm))
            continue;
        if (row->attributes & (d->mode64 ? NO64 : ONLY64))
            continue;
        if (!model_has(model, row->feature))
            continue;
        /* 90 is NOP or PAUSE, but with REX.B it is XCHG R8,rAX. */
        if (map == M1 && row->opcode == 0x90 && !(entry->flags & ENTRY_RANGE) && REX_B(d))
            continue;
        return entry;
    }
    return NULL;
}

/* Effective operand size. SDM 1, "Operand-Size and Address-Size Attributes"; SG-06 for AMD's near branches. */
static enum width operand_size(const struct decoder *d, const struct insn *insn, u32 key, u32 attributes, bool size64,
                               const struct cpu_model *model)
{
    bool p66 = (insn->prefixes & PREFIX_66) != 0;

    if (!d->mode64)
        return ((key & KEY_WIDTH) == 0) != p66 ? W16 : W32;
    if (REX_W(d))
        return W64;
    if (attributes & F64)
        return p66 && model->vendor == VENDOR_AMD ? W16 : W64;
    if (p66)
        return W16;
    return (attributes & D64) || size64 ? W64 : W32;
}

static enum width address_size(const struct insn *insn, u32 key)
{
    bool p67 = (insn->prefixes & PREFIX_67) != 0;

    switch (key & KEY_WIDTH) {
    case 0: return p67 ? W32 : W16;
    case 1: return p67 ? W16 : W32;
    default: return p67 ? W32 : W64;
    }
}

static enum decode_status undefined(const struct decoder *d, struct insn *insn)
{
    insn->row = (u16)insn_row_count;
    insn->exec = forbidden_undefined;
    insn->length = (u8)d->position;
    insn->end = insn->length;
    insn->taken = 1;
    return DECODE_OK;
}

static enum decode_status ran_out(const struct decoder *d)
{
    return d->limit == INSN_MAX_BYTES ? DECODE_TOO_LONG : DECODE_NEED_MORE;
}

enum decode_status insn_decode(struct insn *insn, const u8 *bytes, unsigned available, u32 key,
                               const struct cpu_model *model)
{
    struct decoder d = {.bytes = bytes,
                        .limit = available < INSN_MAX_BYTES ? available : INSN_MAX_BYTES,
                        .mode64 = (key & KEY_WIDTH) == 2,
                        .override = SEG_NO_OVERRIDE};
    const struct decode_bucket *bucket;
    const struct decode_entry *entry;
    const struct insn_row *row;
    enum insn_map map;
    exec_fn *forbidden;
    u8 first;

    *insn = (struct insn){.base = REG_NONE, .index = REG_NONE, .seg = DS};
    first = take_prefixes(&d, insn);
    map = take_opcode(&d, insn, first);
    bucket = &decode_buckets[map][insn->opcode];
    if (bucket->modrm)
        insn->modrm = (u8)decoder_take(&d, 1);
    if (d.ended)
        return ran_out(&d);
    insn->address_width = (u8)address_size(insn, key);

    entry = select_row(&d, insn, bucket, map, model);
    if (!entry)
        return undefined(&d, insn);
    row = &insn_rows[entry->row];
    d.operand = operand_size(&d, insn, key, row->attributes, (entry->flags & ENTRY_SIZE64) != 0, model);
    if (!decode_operands(&d, insn, row, entry))
        return d.ended ? ran_out(&d) : undefined(&d, insn);
    if (d.ended)
        return ran_out(&d);

    insn->row = entry->row;
    insn->length = (u8)d.position;
    insn->end = insn->length;
    insn->taken = 1;
    forbidden = forbidden_check(row, insn, key);
    insn->exec = forbidden ? forbidden : row->body->fn[insn->form][insn->width];
    assert(insn->exec != NULL); /* tests/unit/test_insn_table.c shows that no row can come here without */
    return DECODE_OK;
}

/* SPDX-License-Identifier: MIT
 * The committed list of differences, and names that mean the same.
 */
#include <string.h>

#include "conform/decoder/compare.h"

bool names_agree(const char *ours, const char *theirs)
{
    static const char *const pairs[][2] = {
#define NAMES(ours, theirs) {ours, theirs},
#include "conform/decoder/names.def"
#undef NAMES
    };

    if (strcmp(ours, theirs) == 0)
        return true;
    for (unsigned i = 0; i < ARRAY_LEN(pairs); i++)
        if (strcmp(pairs[i][0], ours) == 0 && strcmp(pairs[i][1], theirs) == 0)
            return true;
    return false;
}

/* ---- what conditions are made of; c is the comparison */

#define HAS(prefix) ((c->facts.prefixes & HAS_##prefix) != 0)
#define OP(m, op) (c->facts.map == (m) && c->facts.opcode == (op))
#define OPS(m, first, last) (c->facts.map == (m) && c->facts.opcode >= (first) && c->facts.opcode <= (last))
#define IN16 (c->facts.code == CODE16)
#define IN32 (c->facts.code == CODE32)
#define IN64 (c->facts.code == CODE64)
#define ON_INTEL (c->model->vendor == VENDOR_INTEL)
#define MEMORY (c->facts.modrm < 0xC0)
#define DIGIT ((c->facts.modrm >> 3) & 7)
#define MODRM (c->facts.modrm)
#define REX_W_SET ((c->facts.rex & 8) != 0)
#define THEIRS(n) (strcmp(c->theirs.name, n) == 0)
/* MOVBE, RDRAND and RDSEED have rows with and without 66, which is the operand size. */
#define SIZED_BY_66 (OP(M38, 0xF0) || OP(M38, 0xF1) || (OP(M2, 0xC7) && !MEMORY))
#define NEAR_BRANCH is_near_branch(&c->facts)
#define OP_PUSH_POP ((OP(M1, 0xFF) && DIGIT == 6) || (OP(M1, 0x8F) && DIGIT == 0) || OP(M1, 0x68) || OP(M1, 0x6A))

/* SDM 2A, "LOCK": the instructions that may have it, with a memory destination. */
static bool lock_is_allowed(const struct facts *f)
{
    unsigned digit = (f->modrm >> 3) & 7;

    if (f->modrm >= 0xC0)
        return false;
    if (f->map == M1) {
        switch (f->opcode) {
        case 0x80:
        case 0x81:
        case 0x82:
        case 0x83: return digit != 7;
        case 0x86:
        case 0x87: return true;
        case 0xF6:
        case 0xF7: return digit == 2 || digit == 3;
        case 0xFE:
        case 0xFF: return digit <= 1;
        default: return f->opcode < 0x38 && (f->opcode & 7) <= 1;
        }
    }
    if (f->map != M2)
        return false;
    switch (f->opcode) {
    case 0xAB:
    case 0xB3:
    case 0xBB:
    case 0xB0:
    case 0xB1:
    case 0xC0:
    case 0xC1: return true;
    case 0xBA: return digit >= 5;
    case 0xC7: return digit == 1;
    default: return false;
    }
}

/* SDM 2B, "MOV CRn", "MOV DRn": which exist. */
static bool control_register_exists(const struct facts *f)
{
    unsigned number = ((f->modrm >> 3) & 7) | (f->rex & 4) << 1;

    if (f->opcode & 1)
        return number <= 7;
    return number == 0 || (number >= 2 && number <= 4) || number == 8;
}

static bool is_near_branch(const struct facts *f)
{
    unsigned digit = (f->modrm >> 3) & 7;

    if (f->map == M2)
        return (f->opcode & 0xF0) == 0x80;
    if (f->map != M1)
        return false;
    return (f->opcode & 0xF0) == 0x70 || (f->opcode >= 0xE0 && f->opcode <= 0xE3) || f->opcode == 0xE8 ||
           f->opcode == 0xE9 || f->opcode == 0xEB || f->opcode == 0xC2 || f->opcode == 0xC3 ||
           (f->opcode == 0xFF && (digit == 2 || digit == 4));
}

/* Whether the memory operand has these sizes. */
static bool memory_sizes(const struct comparison *c, unsigned ours, unsigned theirs)
{
    for (unsigned i = 0; i < c->ours.count && i < c->theirs.count; i++)
        if (c->ours.operand[i].kind == OPERAND_MEMORY && c->theirs.operand[i].kind == OPERAND_MEMORY)
            return c->ours.operand[i].size == ours && c->theirs.operand[i].size == theirs;
    return false;
}

static bool operand_is(const struct reading_operand *a, const struct reading_operand *b)
{
    return a->kind == OPERAND_REGISTER && b->kind == OPERAND_REGISTER && a->file == b->file && a->number == b->number &&
           a->size == b->size;
}

/* Whether both have the same two registers, in another order. */
static bool are_exchanged(const struct comparison *c)
{
    const struct reading_operand *a = c->ours.operand, *b = c->theirs.operand;

    return c->ours.count == 2 && c->theirs.count == 2 && operand_is(&a[0], &b[1]) && operand_is(&a[1], &b[0]);
}

/* Where REX stands, or the opcode. */
static unsigned prefixes_end(const struct facts *f)
{
    return f->opcode_at - (f->map == M1 ? 0u : f->map == M2 ? 1u : 2u) - (f->rex != 0);
}

/* A REX that does not count goes too: it must not count for want of what stood behind it. */
static bool is_dropped(const struct facts *f, u8 byte, unsigned prefixes)
{
    switch (byte) {
    case 0x66: return (prefixes & HAS_66) != 0;
    case 0xF2: return (prefixes & HAS_F2) != 0;
    case 0xF3: return (prefixes & HAS_F3) != 0;
    default: return f->code == CODE64 && (byte & 0xF0) == 0x40;
    }
}

/* Whether Capstone reads what Ringside reads in the bytes without some of the prefixes 66, F2, F3, or with another; and
 * whether there the opcode map has a column for each of these prefixes. */
static bool reads_as(const struct comparison *c, unsigned without, u8 with)
{
    struct comparison other = {.model = c->model};
    struct facts facts = c->facts;
    u8 bytes[READING_BYTES] = {0};
    unsigned count = 0;

    if (with != 0)
        bytes[count++] = with;
    for (unsigned i = 0; i < READING_BYTES && count < READING_BYTES; i++)
        if (i >= prefixes_end(&facts) || !is_dropped(&facts, facts.bytes[i], without))
            bytes[count++] = facts.bytes[i];
    facts_find(&facts, facts.code, bytes);
    reading_of_ringside(&other.ours, &other.insn, &facts, c->model);
    if (!other.ours.valid || !c->theirs.valid || insn_rows[other.insn.row].prefix == P__)
        return false;
    other.theirs = c->theirs;
    comparison_make(&other);
    return (other.fields & (FIELD_NAME | FIELD_COUNT | FIELD_REGISTER)) == 0;
}

static bool overlooks(const struct comparison *c, unsigned prefixes)
{
    return (c->facts.prefixes & prefixes) != 0 && reads_as(c, prefixes, 0);
}

static bool invents_66(const struct comparison *c)
{
    return c->facts.code == CODE64 && c->facts.map != M1 && (c->facts.prefixes & (HAS_66 | HAS_67)) == HAS_67 &&
           (c->facts.rex & 8) != 0 && c->facts.repeat == 0 && reads_as(c, 0, 0x66);
}

/* Whether Capstone's target is ours but for the upper bits. */
static bool is_cut_to_16(const struct comparison *c)
{
    return c->ours.count == 1 && c->theirs.count == 1 && c->ours.operand[0].kind == OPERAND_IMMEDIATE &&
           c->theirs.operand[0].kind == OPERAND_IMMEDIATE &&
           ((c->ours.operand[0].value ^ c->theirs.operand[0].value) & 0xFFFF) == 0;
}

/* Whether Ringside has the last one of FS and GS where Capstone has an override of another segment behind it. */
static bool keeps_fs_gs(const struct comparison *c)
{
    u8 last = DS;

    for (unsigned i = 0; i < prefixes_end(&c->facts); i++)
        if ((c->facts.bytes[i] & 0xFE) == 0x64)
            last = (u8)(FS + (c->facts.bytes[i] & 1));
    for (unsigned i = 0; i < c->ours.count && i < c->theirs.count; i++)
        if (c->ours.operand[i].seg != c->theirs.operand[i].seg && c->ours.operand[i].seg != last)
            return false;
    return true;
}

/* Whether Capstone's immediates are ours, a word and maybe a byte, with a sign extended. */
static bool has_invented_sign(const struct comparison *c)
{
    const struct reading_operand *a = c->ours.operand, *b = c->theirs.operand;

    if (c->ours.count == 0 || c->ours.count != c->theirs.count || a[0].value > 0xFFFF)
        return false;
    if (sign_extend(a[0].value, W16) != sign_extend(b[0].value, W16))
        return false;
    return c->ours.count == 1 || (a[1].value <= 0xFF && sign_extend(a[1].value, W8) == sign_extend(b[1].value, W8));
}

/* Whether Capstone has our immediate, a comparison's predicate, in its name. */
static bool names_predicate(const struct comparison *c)
{
    const struct reading *r = &c->ours;

    return c->text->detail->x86.sse_cc != X86_SSE_CC_INVALID && r->count > 0 &&
           r->operand[r->count - 1].value == (u64)c->text->detail->x86.sse_cc - X86_SSE_CC_EQ;
}

/* ---- the list */

#define DIFFERENCE(id, fields, condition, right, why, source, code, vendor, example)                                   \
    static bool applies_##id(const struct comparison *c) { return (condition); }
#include "conform/decoder/differences.def"
#undef DIFFERENCE

const struct difference differences[] = {
#define DIFFERENCE(id, fields, condition, right, why, source, code, vendor, example)                                   \
    {#id, fields, applies_##id, RIGHT_##right, why, source, CODE##code, VENDOR_##vendor, example, sizeof(example) - 1},
#include "conform/decoder/differences.def"
#undef DIFFERENCE
};

const unsigned difference_count = ARRAY_LEN(differences);

void difference_example(const struct difference *d, struct comparison *c, struct capstone *capstone)
{
    u8 bytes[READING_BYTES] = {0};

    memcpy(bytes, d->example, d->example_length);
    facts_find(&c->facts, d->code, bytes);
    reading_of_capstone(&c->theirs, capstone, &c->facts);
    reading_of_ringside(&c->ours, &c->insn, &c->facts, c->model);
    comparison_make(c);
}

/* SPDX-License-Identifier: MIT
 * Which differences are excused: the table excuse.def.
 */
#include "conform/hardware/excuse.h"

#include "cpu/isa/table.h"
#include "cpu/ring/descriptor.h"

static const struct excuse excuses[] = {
#define UNDEFINED(names, when, part, bits, source)                                                                     \
    {EXCUSE_UNDEFINED, names, WHEN_##when, PART_##part, bits, RULE_NONE, source},
#define APPROXIMATE(names, part, ulps, source)                                                                         \
    {EXCUSE_APPROXIMATE, names, WHEN_ALWAYS, PART_##part, ulps, RULE_NONE, source},
#define VENDORS(names, when, part, bits, rule, why)                                                                    \
    {EXCUSE_VENDORS, names, WHEN_##when, PART_##part, bits, RULE_##rule, why},
#include "conform/hardware/excuse.def"
#undef UNDEFINED
#undef APPROXIMATE
#undef VENDORS
};
_Static_assert(ARRAY_LEN(excuses) <= EXCUSES_MAX, "EXCUSES_MAX is too small");

unsigned excuse_count(void) { return ARRAY_LEN(excuses); }
const struct excuse *excuse_at(unsigned index) { return &excuses[index]; }

/* ---- does a row speak of the case? */

static bool names_mnemonic(const char *names, const char *mnemonic)
{
    size_t length = strlen(mnemonic);

    if (strcmp(names, "*") == 0)
        return true;
    while (*names != '\0') {
        size_t word = strcspn(names, " ");

        if (word == length && memcmp(names, mnemonic, word) == 0)
            return true;
        names += word + (names[word] == ' ');
    }
    return false;
}

bool excuse_names(const struct excuse *row, const char *mnemonic) { return names_mnemonic(row->mnemonics, mnemonic); }

static bool has_memory(const struct insn *insn)
{
    return insn->form == FORM_RM || insn->form == FORM_MR || insn->form == FORM_MI;
}

static unsigned shift_count(const struct excuse_case *ec)
{
    const struct insn_row *row = &insn_rows[ec->insn->row];
    bool by_cl = row->operand[1] == CL_ || row->operand[2] == CL_;
    u64 count = by_cl ? ec->c->before.gpr[RCX] : ec->insn->imm;

    return (unsigned)(count & (ec->insn->width == W64 ? 63 : 31));
}

static bool stack_is_16(const struct excuse_case *ec)
{
    u16 ss = ec->c->before.selector[SS];
    const u64 *table = ss & SELECTOR_TI ? ec->source->ldt : ec->source->gdt;
    unsigned count = ss & SELECTOR_TI ? ec->source->ldt_count : ec->source->gdt_count;

    if (ec->c->mode == HARDWARE_64 || ss >> 3 >= count)
        return false;
    return !(descriptor_parse(table[ss >> 3]).attr & SEG_DB);
}

static u64 register_before(const struct excuse_case *ec, unsigned number)
{
    if (number == REG_RIP)
        return ec->c->before.rip + ec->c->length;
    return number < 16 ? ec->c->before.gpr[number] : 0;
}

static u64 segment_base(const struct excuse_case *ec, unsigned seg)
{
    u16 selector = ec->c->before.selector[seg];
    const u64 *table = selector & SELECTOR_TI ? ec->source->ldt : ec->source->gdt;
    unsigned count = selector & SELECTOR_TI ? ec->source->ldt_count : ec->source->gdt_count;

    if (seg == FS || seg == GS)
        return seg == FS ? ec->c->before.fs_base : ec->c->before.gs_base;
    if (ec->c->mode == HARDWARE_64 || selector >> 3 >= count)
        return 0;
    return descriptor_parse(table[selector >> 3]).base;
}

/* Linear address of the memory operand. */
static u64 operand_place(const struct excuse_case *ec)
{
    const struct insn *insn = ec->insn;
    u64 offset =
        register_before(ec, insn->base) + (register_before(ec, insn->index) << insn->scale) + (u64)(i64)insn->disp;

    offset &= width_mask((enum width)insn->address_width);
    offset += segment_base(ec, insn->seg);
    return ec->c->mode == HARDWARE_64 ? offset : offset & 0xFFFFFFFF;
}

/* FYL2XP1 is defined from -(1 - sqrt(2)/2) to sqrt(2) - 1. */
static bool beyond_log(const struct hardware_state *s)
{
    unsigned top = s->x87_status >> 11 & 7, exponent = load_le16(s->x87[0] + 8);
    u64 mantissa = load_le64(s->x87[0]), bound = exponent & 0x8000 ? 0x95F619980C4336F7ull : 0xD413CCCFE7799211ull;
    bool valid = s->x87_valid >> top & 1;

    exponent &= 0x7FFF;
    return valid && exponent != 0x7FFF && (exponent > 0x3FFD || (exponent == 0x3FFD && mantissa > bound));
}

static bool is_lock_cr0(const struct insn *insn)
{
    const struct insn_row *row = &insn_rows[insn->row];

    return (insn->prefixes & PREFIX_LOCK) != 0 &&
           ((row->operand[0] == C_y && insn->dst == 0) || (row->operand[1] == C_y && insn->src == 0));
}

static bool applies(const struct excuse *row, const struct excuse_case *ec)
{
    unsigned size = 8u << ec->insn->width;

    if (row->kind == EXCUSE_VENDORS && ec->source->vendor == (u8)ec->vendor)
        return false;
    if (!names_mnemonic(row->mnemonics, insn_rows[ec->insn->row].mnemonic))
        return false;
    switch (row->when) {
    case WHEN_ALWAYS: return true;
    case WHEN_COUNT_NOT_0: return shift_count(ec) != 0;
    case WHEN_COUNT_ABOVE_1: return shift_count(ec) > 1;
    case WHEN_COUNT_ABOVE_SIZE: return shift_count(ec) > size;
    case WHEN_LEGACY: return ec->c->mode != HARDWARE_64;
    case WHEN_LOCK: return (ec->insn->prefixes & PREFIX_LOCK) != 0;
    case WHEN_LOCK_CR0: return is_lock_cr0(ec->insn);
    case WHEN_REX_W: return (ec->insn->prefixes & PREFIX_REX_W) != 0;
    case WHEN_REPEAT: return (ec->insn->prefixes & (PREFIX_REP | PREFIX_REPNE)) != 0;
    case WHEN_AC: return ec->c->vector == VEC_AC;
    case WHEN_PF: return ec->c->vector == VEC_PF;
    case WHEN_FAULT: return ec->c->vector != VEC_BP;
    case WHEN_WRAPS: return ec->c->mode != HARDWARE_64 && operand_place(ec) > 0xFFFFFFF0;
    case WHEN_STACK_WRAPS: return ec->c->mode != HARDWARE_64 && (u32)ec->c->before.gpr[RSP] < 32;
    case WHEN_BEYOND_LOG: return beyond_log(&ec->c->before);
    case WHEN_PREFIX_66_64: return ec->c->mode == HARDWARE_64 && (ec->insn->prefixes & PREFIX_66);
    }
    return false;
}

/* ---- what it excuses of one difference */

static bool in_operand(const struct excuse_case *ec, const struct hardware_difference *d, u64 first, u64 end)
{
    u64 at = d->address - operand_place(ec);

    return d->field == FIELD_MEMORY && has_memory(ec->insn) && at >= first && at < end;
}

static bool below_stack(const struct excuse_case *ec, u64 address)
{
    u64 top = (stack_is_16(ec) ? (u16)ec->c->before.gpr[RSP] : ec->c->before.gpr[RSP]) + segment_base(ec, SS);

    return top - 1 - address < 32;
}

static u64 distance(u64 a, u64 b) { return a > b ? a - b : b - a; }

/* In units of the last place; infinite for values of different signs, and for what is no number in one of them. */
static u64 ulps_single(u32 a, u32 b)
{
    bool nan = (a & 0x7FFFFFFF) > 0x7F800000 || (b & 0x7FFFFFFF) > 0x7F800000;

    if (a == b)
        return 0;
    return nan || (a ^ b) >> 31 ? ~0ull : distance(a, b);
}

static u64 ulps_extended(const u64 a[2], const u64 b[2])
{
    u64 exponents = distance(a[1], b[1]), low_a = a[0] & ~BIT(63), low_b = b[0] & ~BIT(63);

    if (exponents == 0)
        return distance(a[0], b[0]);
    if (exponents != 1 || (a[1] & 0x7FFF) == 0x7FFF || (b[1] & 0x7FFF) == 0x7FFF)
        return ~0ull;
    return a[1] > b[1] ? BIT(63) - low_b + low_a : BIT(63) - low_a + low_b;
}

/* returns: how far apart the values are that the row is about; 0 when it is not about this field */
static u64 approximate_ulps(const struct excuse *row, const struct excuse_case *ec, const struct hardware_difference *d)
{
    u64 most = 0;

    if (row->part == PART_STACK && d->field >= FIELD_ST && d->field < FIELD_XMM)
        return ulps_extended(d->expected, d->got);
    if (row->part != PART_SINGLES || d->field != FIELD_XMM + ec->insn->dst)
        return 0;
    for (unsigned i = 0; i < 4; i++) {
        unsigned shift = i % 2 * 32;
        u64 ulps = ulps_single((u32)(d->expected[i / 2] >> shift), (u32)(d->got[i / 2] >> shift));

        most = ulps > most ? ulps : most;
    }
    return most;
}

static u64 excused_bits(const struct excuse *row, const struct excuse_case *ec, const struct hardware_difference *d)
{
    const struct insn *insn = ec->insn;

    switch (row->part) {
    case PART_FLAGS: return d->field == FIELD_RFLAGS ? row->bits : 0;
    case PART_DESTINATION:
        if (insn->form == FORM_MR || insn->form == FORM_MI)
            return in_operand(ec, d, 0, 1u << insn->width) ? ~0ull : 0;
        return d->field == FIELD_GPR + insn->dst ? row->bits : 0;
    case PART_VECTOR: return d->field == FIELD_VECTOR ? ~0ull : 0;
    case PART_X87: return d->field >= FIELD_X87_CONTROL && d->field < FIELD_XMM ? ~0ull : 0;
    case PART_RIP: return d->field == FIELD_RIP ? ~0ull : 0;
    case PART_CR2: return d->field == FIELD_CR2 ? ~0ull : 0;
    case PART_CR2_IN_OPERAND:
        return d->field == FIELD_CR2 && d->expected[0] - operand_place(ec) < row->bits &&
                       d->got[0] - operand_place(ec) < row->bits
                   ? ~0ull
                   : 0;
    case PART_ERROR: return d->field == FIELD_ERROR ? row->bits : 0;
    case PART_NULL_SELECTOR:
        return d->field >= FIELD_SELECTOR && d->field < FIELD_FS_BASE && d->expected[0] == 0 && d->got[0] < 4 ? ~0ull
                                                                                                              : 0;
    case PART_X87_STATUS: return d->field == FIELD_X87_STATUS ? row->bits : 0;
    case PART_MEMORY_STACK: return d->field == FIELD_MEMORY && below_stack(ec, d->address) ? ~0ull : 0;
    case PART_MEMORY: return in_operand(ec, d, row->bits & 0xFFFFFFFF, row->bits >> 32) ? ~0ull : 0;
    case PART_ALL: return ~0ull;
    case PART_SINGLES:
    case PART_STACK: break;
    }
    return 0;
}

/* returns: whether anything was excused */
static bool excuse_one(const struct excuse *row, const struct excuse_case *ec, struct hardware_difference *d,
                       u64 *worst)
{
    u64 bits, ulps;

    if ((d->bits[0] | d->bits[1]) == 0)
        return false;
    if (row->kind == EXCUSE_APPROXIMATE) {
        ulps = approximate_ulps(row, ec, d);
        if (ulps == 0 || ulps > row->bits)
            return false;
        *worst = ulps > *worst ? ulps : *worst;
        d->bits[0] = d->bits[1] = 0;
        return true;
    }
    bits = excused_bits(row, ec, d);
    if ((d->bits[0] & bits) == 0 && (row->part != PART_ALL || d->bits[1] == 0))
        return false;
    d->bits[0] &= ~bits;
    if (row->part == PART_ALL || row->part == PART_X87)
        d->bits[1] = 0;
    return true;
}

enum excuse_verdict excuse_differences(const struct excuse_case *ec, struct hardware_differences *differences,
                                       struct excuse_use *use)
{
    bool another_outcome = false;

    if (differences->count == 0 && differences->stopped == NULL)
        return VERDICT_SAME;
    for (unsigned r = 0; r < ARRAY_LEN(excuses); r++) {
        bool excused = false;

        if (!applies(&excuses[r], ec))
            continue;
        if (excuses[r].part == PART_ALL && differences->stopped != NULL) {
            differences->stopped = NULL;
            excused = true;
        }
        for (unsigned i = 0; i < differences->count; i++)
            excused |= excuse_one(&excuses[r], ec, &differences->list[i], &use->worst[r]);
        use->used[r] += excused;
        another_outcome |= excused && excuses[r].part == PART_ALL;
    }
    if (differences->stopped == NULL && another_outcome)
        return VERDICT_NOT_COMPARED;
    if (differences->stopped != NULL || differences->count == DIFFERENCES_MAX)
        return VERDICT_DIFFERENT;
    for (unsigned i = 0; i < differences->count; i++)
        if ((differences->list[i].bits[0] | differences->list[i].bits[1]) != 0)
            return VERDICT_DIFFERENT;
    return VERDICT_SAME;
}

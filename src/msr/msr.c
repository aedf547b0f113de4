/* SPDX-License-Identifier: MIT
 * The model-specific register file: lookup, validation and storage.
 * SDM 4, "Model-Specific Registers"; SDM 3A, "Memory Type Range Registers", "Page Attribute Table";
 * APM 2, "MSR Cross-Reference". Rules MSR-01, MSR-03, MSR-04, MSR-07, SE-08.
 */
#include "msr/msr.h"

enum vendor_column { VENDOR_ANY, VENDOR_INTEL, VENDOR_AMD };

enum storage_kind {
    STORAGE_FIELD,
    STORAGE_PAIRS,
    STORAGE_CONST,
    STORAGE_CAPABILITIES,
    STORAGE_NONE,
    STORAGE_WRITE_ONLY
};

enum check {
    CHECK_FREE,
    CHECK_MASK,
    CHECK_CANONICAL,
    CHECK_READONLY,
    CHECK_LOW32,
    CHECK_SYSENTER,
    CHECK_APIC_BASE,
    CHECK_LOCKABLE,
    CHECK_SPEC_CTRL,
    CHECK_PAT_TYPES,
    CHECK_MTRR_TYPES,
    CHECK_MTRR_DEFAULT,
    CHECK_MTRR_VARIABLE,
};

struct msr_row {
    u32 first, count;
    const char *name;
    u8 vendor, gate, storage, check, effect;
    u16 field; /* index of the first u64 in struct msr_file */
    u64 argument;
    u64 constant;
};

#define INDEX(member) (u16)(offsetof(struct msr_file, member) / sizeof(u64))
#define FIELD(member) STORAGE_FIELD, .field = INDEX(member)
#define PAIRS(member) STORAGE_PAIRS, .field = INDEX(member)
#define CONST(value) STORAGE_CONST, .constant = (value)
#define CAPABILITIES STORAGE_CAPABILITIES
#define NONE STORAGE_NONE
#define WRITE_ONLY STORAGE_WRITE_ONLY

static const struct msr_row rows[] = {
#define MSR(num, n, text, ven, gat, stor, chk, arg, eff)                                                               \
    {.first = (num),                                                                                                   \
     .count = (n),                                                                                                     \
     .name = (text),                                                                                                   \
     .vendor = VENDOR_##ven,                                                                                           \
     .gate = MSR_GATE_##gat,                                                                                           \
     .check = CHECK_##chk,                                                                                             \
     .argument = (arg),                                                                                                \
     .effect = MSR_EFFECT_##eff,                                                                                       \
     .storage = stor},
#include "msr/msr.def"
#undef MSR
};

#undef FIELD
#undef PAIRS
#undef CONST
#undef CAPABILITIES
#undef NONE
#undef WRITE_ONLY

static const struct msr_row *find(const struct msr_context *ctx, u32 number)
{
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        const struct msr_row *row = &rows[i];

        if (number - row->first >= row->count)
            continue;
        if (row->vendor != VENDOR_ANY && (row->vendor == VENDOR_AMD) != ctx->amd)
            continue;
        return ctx->has(ctx, (enum msr_gate)row->gate) ? row : NULL;
    }
    return NULL;
}

const char *msr_name(u32 number)
{
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        if (number - rows[i].first < rows[i].count)
            return rows[i].name;
    }
    return NULL;
}

/* Where a stored register lies. Odd numbers of a pair are the masks, which follow the bases. */
static unsigned field_of(const struct msr_row *row, u32 number)
{
    u32 n = number - row->first;

    if (row->storage == STORAGE_PAIRS)
        return row->field + n / 2 + (n & 1 ? MTRR_VARIABLE : 0);
    return row->field + n;
}

_Static_assert(offsetof(struct msr_file, mtrr_mask) ==
                   offsetof(struct msr_file, mtrr_base) + MTRR_VARIABLE * sizeof(u64),
               "the masks follow the bases");

enum msr_status msr_read(const struct msr_context *ctx, const struct msr_file *file, u32 number, u64 *value,
                         enum msr_effect *effect)
{
    const struct msr_row *row = find(ctx, number);

    *effect = MSR_EFFECT_NONE;
    if (row == NULL || row->storage == STORAGE_WRITE_ONLY)
        return MSR_UNKNOWN;
    switch (row->storage) {
    case STORAGE_CONST: *value = row->constant; break;
    case STORAGE_CAPABILITIES: *value = ctx->arch_capabilities; break;
    case STORAGE_NONE:
        *value = 0;
        *effect = (enum msr_effect)row->effect;
        break;
    default: *value = ((const u64 *)file)[field_of(row, number)]; break;
    }
    return MSR_OK;
}

/* ---- what a write must satisfy */

/* Memory types: 0 UC, 1 WC, 4 WT, 5 WP, 6 WB; the PAT also knows 7, UC-. */
static bool types_valid(u64 value, unsigned count, bool pat)
{
    for (unsigned i = 0; i < count; i++) {
        unsigned type = (unsigned)(value >> (8 * i)) & 0xFF;

        if (type > (pat ? 7 : 6) || type == 2 || type == 3)
            return false;
    }
    return true;
}

static bool beyond_physical(const struct msr_context *ctx, u64 value) { return (value >> ctx->maxphyaddr) != 0; }

/* source: SDM 3A, "IA32_MTRR_PHYSBASEn and IA32_MTRR_PHYSMASKn" */
static bool mtrr_variable_valid(const struct msr_context *ctx, bool mask, u64 value)
{
    if (beyond_physical(ctx, value))
        return false;
    if (mask)
        return (value & 0x7FF) == 0;
    return (value & 0xF00) == 0 && types_valid(value & 0xFF, 1, false);
}

/* source: SDM 3A, "Local APIC Status and Location", "x2APIC State Transitions"; rule MSR-07 */
static bool apic_base_valid(const struct msr_context *ctx, u64 old, u64 value)
{
    bool x2apic = ctx->has(ctx, MSR_GATE_X2APIC);
    u64 reserved = 0x2FF | (x2apic ? 0 : APIC_BASE_X2APIC);

    if ((value & reserved) || beyond_physical(ctx, value))
        return false;
    if ((value & APIC_BASE_X2APIC) && !(value & APIC_BASE_ENABLE))
        return false;
    if ((value & APIC_BASE_X2APIC) && !(old & APIC_BASE_ENABLE))
        return false; /* disabled -> x2APIC */
    if ((old & APIC_BASE_X2APIC) && (value & APIC_BASE_ENABLE) && !(value & APIC_BASE_X2APIC))
        return false; /* x2APIC -> xAPIC */
    return true;
}

static u64 spec_ctrl_bits(const struct msr_context *ctx)
{
    return BIT(0) | (ctx->has(ctx, MSR_GATE_STIBP) ? BIT(1) : 0) | (ctx->has(ctx, MSR_GATE_SSBD) ? BIT(2) : 0);
}

/* in: old  the stored value, 0 where nothing is stored.  effects: narrows *value where the vendor does */
static enum msr_status check_write(const struct msr_context *ctx, const struct msr_row *row, u32 number, u64 old,
                                   u64 *value)
{
    bool fine = true;

    switch ((enum check)row->check) {
    case CHECK_FREE: break;
    case CHECK_MASK: fine = (*value & ~row->argument) == 0; break;
    case CHECK_CANONICAL: /* MSR-04: by the widest the processor knows */
        return is_canonical(*value, ctx->linear_bits) ? MSR_OK : MSR_NON_CANONICAL;
    case CHECK_READONLY: return MSR_READ_ONLY;
    case CHECK_LOW32: *value = (u32)*value; break;
    case CHECK_SYSENTER:
        if (ctx->amd || ctx->linear_bits < 48) {
            *value = (u32)*value; /* SE-08; and 32-bit processors hold no more */
            return MSR_OK;
        }
        return is_canonical(*value, ctx->linear_bits) ? MSR_OK : MSR_NON_CANONICAL;
    case CHECK_APIC_BASE: fine = apic_base_valid(ctx, old, *value); break;
    case CHECK_LOCKABLE: return old & 1 ? MSR_READ_ONLY : MSR_OK;
    case CHECK_SPEC_CTRL: fine = (*value & ~spec_ctrl_bits(ctx)) == 0; break;
    case CHECK_PAT_TYPES: fine = types_valid(*value, 8, true); break;
    case CHECK_MTRR_TYPES: fine = types_valid(*value, 8, false); break;
    case CHECK_MTRR_DEFAULT: fine = (*value & ~0xCFFull) == 0 && types_valid(*value & 0xFF, 1, false); break;
    case CHECK_MTRR_VARIABLE: fine = mtrr_variable_valid(ctx, (number - row->first) & 1, *value); break;
    }
    return fine ? MSR_OK : MSR_RESERVED_BITS;
}

enum msr_status msr_write(const struct msr_context *ctx, struct msr_file *file, u32 number, u64 *value,
                          enum msr_effect *effect)
{
    const struct msr_row *row = find(ctx, number);
    bool stored = row != NULL && (row->storage == STORAGE_FIELD || row->storage == STORAGE_PAIRS);
    u64 *slot = stored ? &((u64 *)file)[field_of(row, number)] : NULL;
    enum msr_status status;

    *effect = MSR_EFFECT_NONE;
    if (row == NULL)
        return MSR_UNKNOWN;
    status = check_write(ctx, row, number, stored ? *slot : 0, value);
    if (status != MSR_OK)
        return status;
    *effect = (enum msr_effect)row->effect;
    if (*effect == MSR_EFFECT_NONE)
        *slot = *value;
    return MSR_OK;
}

/* source: SDM 3A, "Processor State After Reset"; SDM 4; APM 2, "Processor Initialization State".
 * Registers that firmware sets before an operating system runs hold what firmware leaves: FEATURE_CONTROL is locked,
 * HWCR says that the TSC counts at its nominal frequency. */
void msr_reset(struct msr_file *file)
{
    *file = (struct msr_file){
        .apic_base = 0xFEE00000 | APIC_BASE_ENABLE | APIC_BASE_BSP,
        .pat = 0x0007040600070406,
        .misc_enable = BIT(0) | BIT(11) | BIT(12) | BIT(18), /* fast strings, no BTS, no PEBS, MONITOR */
        .feature_control = 1,
        .platform_info = 10 << 8, /* 10 x 100 MHz */
        .hwcr = BIT(24),
        .patch_level = 1,
        .de_cfg = BIT(1), /* LFENCE serialises */
    };
}

/* SPDX-License-Identifier: MIT
 * Comparing two readings.
 */
#include "conform/decoder/compare.h"

#include <string.h>

void comparison_model(struct cpu_model *model, enum cpu_vendor vendor)
{
    *model = (struct cpu_model){.vendor = vendor, .generation = 6, .has_cpuid = true, .linear_bits = 48};
    for (unsigned f = 0; f < CPU_FEATURES; f++)
        model->feature[f] = true;
}

static unsigned compare_memory(const struct reading_operand *a, const struct reading_operand *b)
{
    unsigned fields = 0;

    if (a->seg != b->seg)
        fields |= FIELD_SEGMENT;
    if (a->base != b->base || a->index != b->index || a->scale != b->scale || a->disp != b->disp)
        fields |= FIELD_ADDRESS;
    if (a->address != b->address && b->address != 0)
        fields |= FIELD_ADDRESS;
    if (a->size != b->size && a->size != 0 && b->size != 0)
        fields |= FIELD_SIZE;
    return fields;
}

static unsigned compare_operand(const struct reading_operand *a, const struct reading_operand *b)
{
    if (a->kind != b->kind)
        return FIELD_COUNT;
    switch (a->kind) {
    case OPERAND_REGISTER:
        if (a->file != b->file || a->number != b->number)
            return FIELD_REGISTER;
        return a->file == FILE_GPR && a->size != b->size && a->size != 0 ? FIELD_SIZE : 0;
    case OPERAND_MEMORY: return compare_memory(a, b);
    default:
        return (((a->value ^ b->value) & a->mask) != 0 ? FIELD_VALUE : 0) |
               (a->size != b->size && a->size != 0 ? FIELD_SIZE : 0);
    }
}

void comparison_make(struct comparison *c)
{
    const struct reading *a = &c->ours, *b = &c->theirs;

    c->fields = 0;
    if (a->valid != b->valid)
        c->fields = a->valid ? FIELD_ACCEPTED : FIELD_REFUSED;
    if (!a->valid || !b->valid)
        return;
    if (a->length != b->length)
        c->fields |= FIELD_LENGTH;
    if (!names_agree(a->name, b->name))
        c->fields |= FIELD_NAME;
    if (a->count != b->count)
        c->fields |= FIELD_COUNT;
    for (unsigned i = 0; i < a->count && i < b->count; i++)
        c->fields |= compare_operand(&a->operand[i], &b->operand[i]);
}

/* Capstone's groups of features that the table does not have. AVX-512 has several, and so has what AMD gave up. */
bool comparison_missing_feature(const struct comparison *c)
{
    static const u8 missing[] = {
        X86_GRP_3DNOW, X86_GRP_ADX, X86_GRP_AES, X86_GRP_AVX, X86_GRP_AVX2, X86_GRP_AVX512, X86_GRP_BMI,
        X86_GRP_BMI2,  X86_GRP_BWI, X86_GRP_CDI, X86_GRP_DQI, X86_GRP_ERI,  X86_GRP_F16C,   X86_GRP_FMA,
        X86_GRP_FMA4,  X86_GRP_HLE, X86_GRP_PFI, X86_GRP_RTM, X86_GRP_SGX,  X86_GRP_SHA,    X86_GRP_SSE4A,
        X86_GRP_TBM,   X86_GRP_VLX, X86_GRP_VM,  X86_GRP_XOP,
    };
    const cs_detail *detail = c->text->detail;

    for (unsigned i = 0; i < detail->groups_count; i++)
        if (memchr(missing, detail->groups[i], sizeof missing) != NULL)
            return true;
    return false;
}

unsigned comparison_unexplained(const struct comparison *c)
{
    unsigned left = c->fields;

    if (c->fields == FIELD_REFUSED && comparison_missing_feature(c))
        return 0;
    for (unsigned i = 0; i < difference_count && left != 0; i++)
        if ((differences[i].fields & left) != 0 && differences[i].applies(c))
            left &= ~differences[i].fields;
    return left;
}

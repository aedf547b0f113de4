/* SPDX-License-Identifier: MIT
 * The leaves of CPUID, derived from a model's row and features.
 * SDM 2A, "CPUID—CPU Identification"; APM 3, "CPUID".
 *
 * Left to the instruction: APIC ids (leaf 1 EBX[31:24], leaf Bh EDX), OSXSAVE (leaf 1 ECX[27]), the APIC bit while the
 * local APIC is disabled, leaf Dh EBX for the present XCR0, and on Intel the SYSCALL bit outside 64-bit mode.
 */
#include "cpu/model.h"

#include <string.h>

#include "base/bits.h"

#define EXTENDED 0x80000000u
#define TSC_HZ 1000000000u   /* one tick, one count */
#define CRYSTAL_HZ 62500000u /* the local APIC timer's input: software takes leaf 15h's crystal for it */

enum { EAX_, EBX_, ECX_, EDX_ };

/* Feature bits of one leaf, one row of feature.def each. */
static void add_features(const struct cpu_model *model, u32 leaf, u32 subleaf, struct cpuid_result *r)
{
    static const struct {
        u32 leaf;
        u8 subleaf, reg, bit;
    } where[CPU_FEATURES] = {
#define FEATURE(id, name, leaf, subleaf, reg, bit) [FEAT_##id] = {leaf, subleaf, reg, bit},
#include "cpu/feature.def"
#undef FEATURE
    };
    bool has_subleaves = leaf == 7 || leaf == 0xD; /* elsewhere ECX is not looked at */
    u32 *out[4] = {[EAX_] = &r->eax, [EBX_] = &r->ebx, [ECX_] = &r->ecx, [EDX_] = &r->edx};

    for (unsigned i = 0; i < CPU_FEATURES; i++) {
        if (model->feature[i] && where[i].leaf == leaf && (where[i].subleaf == subleaf || !has_subleaves))
            *out[where[i].reg] |= 1u << where[i].bit;
    }
}

/* source: SDM 2A, "Version Information Returned by CPUID in EAX" */
static u32 signature(const struct cpu_model *model)
{
    u32 family = model->family < 15 ? model->family : 15;
    u32 extended = model->family < 15 ? 0 : model->family - 15u;

    return extended << 20 | (u32)(model->model >> 4) << 16 | family << 8 | (model->model & 15u) << 4 | model->stepping;
}

static void vendor_string(const struct cpu_model *model, struct cpuid_result *r)
{
    const char *text = model->vendor == VENDOR_AMD ? "AuthenticAMD" : "GenuineIntel";

    r->ebx = load_le32(text);
    r->edx = load_le32(text + 4);
    r->ecx = load_le32(text + 8);
}

static bool is_amd(const struct cpu_model *model) { return model->vendor == VENDOR_AMD; }

/* Leaf 4: 32 KiB + 32 KiB, 256 KiB, and with leaf Bh 2 MiB shared. One thread, one core. */
static struct cpuid_result cache_leaf(const struct cpu_model *model, u32 subleaf)
{
    static const struct {
        u8 type, level, ways;
        u16 sets;
    } caches[] = {{1, 1, 8, 64}, {2, 1, 8, 64}, {3, 2, 8, 512}, {3, 3, 16, 2048}};
    unsigned count = model->basic_leaves >= 0xB ? 4 : 3;

    if (subleaf >= count)
        return (struct cpuid_result){0};
    return (struct cpuid_result){
        .eax = caches[subleaf].type | (u32)caches[subleaf].level << 5 | 1u << 8,
        .ebx = (u32)(caches[subleaf].ways - 1) << 22 | 63,
        .ecx = caches[subleaf].sets - 1u,
    };
}

static struct cpuid_result basic_leaf(const struct cpu_model *model, u32 leaf, u32 subleaf)
{
    struct cpuid_result r = {0};

    add_features(model, leaf, subleaf, &r);
    switch (leaf) {
    case 0:
        r.eax = model->basic_leaves;
        vendor_string(model, &r);
        break;
    case 1:
        r.eax = signature(model);
        r.ebx = 1u << 16 | (model->feature[FEAT_CLFLUSH] ? 8u << 8 : 0);
        break;
    case 2:
        if (!is_amd(model) && model->basic_leaves >= 4)
            r.eax = 0xFF01; /* FFh: see leaf 4 */
        else if (!is_amd(model))
            r = (struct cpuid_result){.eax = 0x03020101, .edx = 0x0C040841}; /* 512 KiB second level */
        break;
    case 4:
        if (!is_amd(model))
            r = cache_leaf(model, subleaf);
        break;
    case 5:
        /* No C-state substates: HLT is the only idle state worth entering. */
        if (model->feature[FEAT_MONITOR])
            r = (struct cpuid_result){.eax = 64, .ebx = 64, .ecx = 3};
        break;
    case 6:
        if (model->feature[FEAT_INVARIANT_TSC])
            r.eax = 1u << 2; /* the APIC timer never stops */
        break;
    case 0xB:
        if (subleaf == 0)
            r = (struct cpuid_result){.eax = 0, .ebx = 1, .ecx = 0x100};
        else if (subleaf == 1)
            r = (struct cpuid_result){.eax = 0, .ebx = 1, .ecx = 0x201};
        else
            r.ecx = subleaf & 0xFF;
        break;
    case 0xD:
        /* x87 and SSE: the legacy area and the header. */
        if (model->feature[FEAT_XSAVE] && subleaf == 0)
            r = (struct cpuid_result){.eax = 3, .ebx = 576, .ecx = 576};
        break;
    case 0x15: r = (struct cpuid_result){.eax = 1, .ebx = TSC_HZ / CRYSTAL_HZ, .ecx = CRYSTAL_HZ}; break;
    case 0x16: r = (struct cpuid_result){.eax = TSC_HZ / 1000000, .ebx = TSC_HZ / 1000000, .ecx = 100}; break;
    default: break;
    }
    return r;
}

static struct cpuid_result extended_leaf(const struct cpu_model *model, u32 leaf)
{
    /* AMD repeats these bits of leaf 1 EDX. source: APM 3, "Fn8000_0001_EDX" */
    const u32 repeated = 0x0183F3FF;
    struct cpuid_result r = {0};

    add_features(model, leaf, 0, &r);
    switch (leaf) {
    case EXTENDED:
        r.eax = model->extended_leaves;
        if (is_amd(model))
            vendor_string(model, &r);
        break;
    case EXTENDED + 1:
        if (is_amd(model)) {
            struct cpuid_result basic = basic_leaf(model, 1, 0);

            r.eax = basic.eax;
            r.edx |= basic.edx & repeated;
        }
        break;
    case EXTENDED + 2:
    case EXTENDED + 3:
    case EXTENDED + 4: {
        const char *part = model->brand + (leaf - EXTENDED - 2) * 16;

        r = (struct cpuid_result){load_le32(part), load_le32(part + 4), load_le32(part + 8), load_le32(part + 12)};
        break;
    }
    case EXTENDED + 5:
        if (is_amd(model)) /* first-level TLBs of 64 entries, caches of 32 KiB, 8 ways, 64-byte lines */
            r = (struct cpuid_result){.eax = 0xFF40FF40, .ebx = 0xFF40FF40, .ecx = 0x20080140, .edx = 0x20080140};
        break;
    case EXTENDED + 6:
        if (is_amd(model)) /* second-level TLBs of 512 entries, 512 KiB, 8 ways */
            r = (struct cpuid_result){.eax = 0x42004200, .ebx = 0x42004200, .ecx = 0x02006140};
        else
            r.ecx = 0x01006040; /* 256 KiB */
        break;
    case EXTENDED + 8: r.eax = model->physical_bits | (u32)model->linear_bits << 8; break;
    case EXTENDED + 0x21:
        /* LFENCE always serialises; not subject to speculative return stack overflow. */
        if (is_amd(model))
            r.eax |= 1u << 2 | 1u << 29;
        break;
    default: break;
    }
    return r;
}

struct cpuid_result cpuid_leaf(const struct cpu_model *model, u32 leaf, u32 subleaf)
{
    if (leaf <= model->basic_leaves)
        return basic_leaf(model, leaf, subleaf);
    if (leaf >= EXTENDED && leaf <= model->extended_leaves)
        return extended_leaf(model, leaf);
    /* Past the last leaf Intel returns the data of the highest basic leaf, AMD zeros. */
    if (is_amd(model))
        return (struct cpuid_result){0};
    return basic_leaf(model, model->basic_leaves, subleaf);
}

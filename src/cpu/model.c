/* SPDX-License-Identifier: MIT
 * CPU models: the table, and the -cpu option that edits a row.
 * SDM 2A, "CPUID—CPU Identification"; SDM 4, "IA32_ARCH_CAPABILITIES"; APM 3, "CPUID".
 */
#include "cpu/model.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/bits.h"

/* ---- IA32_ARCH_CAPABILITIES: bits that -cpu MODEL,+name sets. SDM 4, "IA32_ARCH_CAPABILITIES" */

static const struct {
    const char *name;
    u8 bit;
} capabilities[] = {
    {"rdcl-no", 0},  {"ibrs-all", 1},      {"skip-l1dfl-vmentry", 3},
    {"ssb-no", 4},   {"mds-no", 5},        {"pschange-mc-no", 6},
    {"taa-no", 8},   {"sbdr-ssdp-no", 13}, {"fbsdp-no", 14},
    {"psdp-no", 15}, {"bhi-no", 20},       {"pbrsb-no", 24},
    {"gds-no", 26},  {"rfds-no", 27},      {"its-no", 62},
};

#define ARCH_CAPABILITIES_SAFE                                                                                         \
    (BIT(0) | BIT(1) | BIT(3) | BIT(4) | BIT(5) | BIT(6) | BIT(8) | BIT(13) | BIT(14) | BIT(15) | BIT(20) | BIT(24) |  \
     BIT(26) | BIT(27) | BIT(62))

/* ---- the table */

#define SET_PENTIUM FEAT_FPU, FEAT_VME, FEAT_DE, FEAT_PSE, FEAT_TSC, FEAT_MSR, FEAT_MCE, FEAT_CX8
#define SET_PENTIUM3                                                                                                   \
    SET_PENTIUM, FEAT_PAE, FEAT_SEP, FEAT_MTRR, FEAT_PGE, FEAT_MCA, FEAT_CMOV, FEAT_PAT, FEAT_PSE36, FEAT_MMX,         \
        FEAT_FXSR, FEAT_SSE, FEAT_APIC
#define SET_X86_64 SET_PENTIUM3, FEAT_CLFLUSH, FEAT_SSE2, FEAT_SSE3, FEAT_LM, FEAT_SYSCALL, FEAT_NX
#define SET_CORE2 SET_X86_64, FEAT_SSSE3, FEAT_CX16, FEAT_LAHF_LM, FEAT_MONITOR, FEAT_SSE4_1
#define SET_NEHALEM SET_CORE2, FEAT_SSE4_2, FEAT_POPCNT, FEAT_RDTSCP, FEAT_INVARIANT_TSC
#define SET_OPTERON SET_X86_64, FEAT_LAHF_LM, FEAT_MMXEXT
#define SET_MAX                                                                                                        \
    SET_NEHALEM, FEAT_PCID, FEAT_X2APIC, FEAT_MOVBE, FEAT_TSC_DEADLINE, FEAT_XSAVE, FEAT_FSGSBASE, FEAT_TSC_ADJUST,    \
        FEAT_SMEP, FEAT_ERMS, FEAT_INVPCID, FEAT_SMAP, FEAT_CLFLUSHOPT, FEAT_CLWB, FEAT_UMIP, FEAT_LA57, FEAT_RDPID,   \
        FEAT_SPEC_CTRL, FEAT_STIBP, FEAT_SSBD, FEAT_FLUSH_L1D, FEAT_ARCH_CAPABILITIES, FEAT_LZCNT, FEAT_PREFETCHW,     \
        FEAT_PAGE1GB

struct model_row {
    struct cpu_model model;
    const u8 *features;
    unsigned feature_count;
};

#define MODEL(id, text, ven, fam, mod, step, phys, lin, cpuid, gen, basic, extended, caps, ...)                        \
    {.model = {.name = id,                                                                                             \
               .brand = text,                                                                                          \
               .vendor = ven,                                                                                          \
               .family = fam,                                                                                          \
               .model = mod,                                                                                           \
               .stepping = step,                                                                                       \
               .physical_bits = phys,                                                                                  \
               .linear_bits = lin,                                                                                     \
               .has_cpuid = cpuid,                                                                                     \
               .generation = gen,                                                                                      \
               .basic_leaves = basic,                                                                                  \
               .extended_leaves = extended,                                                                            \
               .arch_capabilities = caps},                                                                             \
     .features = (const u8[]){__VA_ARGS__},                                                                            \
     .feature_count = sizeof((const u8[]){__VA_ARGS__})},

static const struct model_row model_rows[] = {
#include "cpu/model.def"
};
#undef MODEL

static const char *const feature_names[CPU_FEATURES] = {
#define FEATURE(id, name, leaf, subleaf, reg, bit) [FEAT_##id] = name,
#include "cpu/feature.def"
#undef FEATURE
};

const char *cpu_model_row_name(unsigned row) { return row < ARRAY_LEN(model_rows) ? model_rows[row].model.name : NULL; }

const char *cpu_feature_name(enum cpu_feature feature)
{
    return (unsigned)feature < CPU_FEATURES ? feature_names[feature] : NULL;
}

/* ---- names: case, dots, dashes and underscores do not matter */

static char folded(char c)
{
    if (c >= 'A' && c <= 'Z')
        return (char)(c - 'A' + 'a');
    return c == '.' || c == '-' ? '_' : c;
}

static bool same_name(const char *a, const char *b)
{
    while (*a != '\0' && folded(*a) == folded(*b)) {
        a++;
        b++;
    }
    return *a == '\0' && *b == '\0';
}

/* Spellings of other tools. */
static const struct {
    const char *alias, *name;
} aliases[] = {
    {"pni", "sse3"},
    {"sse4_1", "sse4.1"},
    {"sse4_2", "sse4.2"},
    {"lzcnt", "abm"},
    {"page1gb", "pdpe1gb"},
    {"prefetchw", "3dnowprefetch"},
    {"xd", "nx"},
    {"tscdeadline", "tsc-deadline"},
    {"i64", "lm"},
    {"clfsh", "clflush"},
    {"cmpxchg16b", "cx16"},
    {"cmpxchg8b", "cx8"},
    {"invariant_tsc", "invtsc"},
    {"ffxsr", "fxsr-opt"},
};

/* Edit distance, for "did you mean". Both names are shorter than 32 characters. */
static unsigned distance(const char *a, const char *b)
{
    unsigned row[33];
    size_t width = strlen(b);

    if (width > 32)
        width = 32;
    for (unsigned j = 0; j <= width; j++)
        row[j] = j;
    for (unsigned i = 0; a[i] != '\0'; i++) {
        unsigned diagonal = row[0];

        row[0] = i + 1;
        for (unsigned j = 0; j < width; j++) {
            unsigned replace = diagonal + (folded(a[i]) != folded(b[j]));
            unsigned shorter = row[j] < row[j + 1] ? row[j] : row[j + 1];

            diagonal = row[j + 1];
            row[j + 1] = replace < shorter + 1 ? replace : shorter + 1;
        }
    }
    return row[width];
}

static void nearer(const char *wanted, const char *candidate, const char **best, unsigned *best_distance)
{
    unsigned d = distance(wanted, candidate);

    if (d < *best_distance) {
        *best = candidate;
        *best_distance = d;
    }
}

static bool unknown_feature(const char *name, struct error *err)
{
    const char *best = "";
    unsigned best_distance = ~0u;

    for (unsigned i = 0; i < CPU_FEATURES; i++)
        nearer(name, feature_names[i], &best, &best_distance);
    for (unsigned i = 0; i < ARRAY_LEN(capabilities); i++)
        nearer(name, capabilities[i].name, &best, &best_distance);
    return error_set(err, EXIT_USAGE, "-cpu: unknown feature '%s'; the nearest known one is '%s'", name, best);
}

static bool unknown_model(const char *name, struct error *err)
{
    const char *best = "";
    unsigned best_distance = ~0u;

    for (unsigned i = 0; i < ARRAY_LEN(model_rows); i++)
        nearer(name, model_rows[i].model.name, &best, &best_distance);
    return error_set(err, EXIT_USAGE, "-cpu: unknown model '%s'; the nearest known one is '%s' (see 'ringside cpus')",
                     name, best);
}

/* ---- editing a row */

static bool set_feature(struct cpu_model *model, const char *name, bool on, struct error *err)
{
    for (unsigned i = 0; i < ARRAY_LEN(aliases); i++) {
        if (same_name(name, aliases[i].alias))
            name = aliases[i].name;
    }
    for (unsigned i = 0; i < CPU_FEATURES; i++) {
        if (same_name(name, feature_names[i])) {
            model->feature[i] = on;
            return true;
        }
    }
    for (unsigned i = 0; i < ARRAY_LEN(capabilities); i++) {
        if (!same_name(name, capabilities[i].name))
            continue;
        if (on) {
            model->arch_capabilities |= BIT(capabilities[i].bit);
            model->feature[FEAT_ARCH_CAPABILITIES] = true;
        } else {
            model->arch_capabilities &= ~BIT(capabilities[i].bit);
        }
        return true;
    }
    return unknown_feature(name, err);
}

/* Change the vendor: its string, its rules, and a family that its software knows.
 * A long-mode model of the newest kind becomes AMD family 19h model 11h (or Intel family 6 model 6Bh), an older one AMD
 * family 0Fh (or Intel family 6 model 17h); 32-bit models keep their numbers. Features that only the other vendor has
 * are exchanged for their counterparts. */
static void set_vendor(struct cpu_model *model, enum cpu_vendor vendor)
{
    static const u8 intel_only[] = {FEAT_SPEC_CTRL,         FEAT_STIBP,        FEAT_SSBD,      FEAT_FLUSH_L1D,
                                    FEAT_ARCH_CAPABILITIES, FEAT_TSC_DEADLINE, FEAT_TSC_ADJUST};
    static const u8 amd_only[] = {FEAT_MMXEXT, FEAT_FXSR_OPT, FEAT_AMD_IBPB, FEAT_NULL_CLEARS_BASE};
    bool modern = model->feature[FEAT_SMAP];

    if (model->vendor == vendor)
        return;
    model->vendor = vendor;
    if (vendor == VENDOR_AMD) {
        for (unsigned i = 0; i < ARRAY_LEN(intel_only); i++)
            model->feature[intel_only[i]] = false;
        model->arch_capabilities = 0;
        if (!model->feature[FEAT_LM])
            return;
        model->family = modern ? 0x19 : 0x0F;
        model->model = modern ? 0x11 : 0x25;
        model->stepping = 1;
        model->feature[FEAT_MMXEXT] = true;
        model->feature[FEAT_AMD_IBPB] = modern;
        model->feature[FEAT_NULL_CLEARS_BASE] = modern;
        model->basic_leaves = modern ? 0xD : 1;
        model->extended_leaves = modern ? 0x80000021 : 0x80000008;
    } else {
        for (unsigned i = 0; i < ARRAY_LEN(amd_only); i++)
            model->feature[amd_only[i]] = false;
        if (!model->feature[FEAT_LM])
            return;
        model->family = 6;
        model->model = modern ? 0x6B : 23;
        model->stepping = modern ? 1 : 10;
        model->basic_leaves = modern ? 0x16 : 0xA;
        model->extended_leaves = 0x80000008;
    }
}

/* Features that cannot stand without another. */
static bool check_consistent(struct cpu_model *model, struct error *err)
{
    static const struct {
        u8 feature, needs;
    } needs[] = {
        {FEAT_LM, FEAT_PAE},      {FEAT_LM, FEAT_MSR},     {FEAT_LM, FEAT_SYSCALL},        {FEAT_LM, FEAT_CX8},
        {FEAT_LA57, FEAT_LM},     {FEAT_PCID, FEAT_LM},    {FEAT_PAGE1GB, FEAT_LM},        {FEAT_SSE, FEAT_FXSR},
        {FEAT_SSE2, FEAT_SSE},    {FEAT_XSAVE, FEAT_FXSR}, {FEAT_X2APIC, FEAT_APIC},       {FEAT_SEP, FEAT_MSR},
        {FEAT_SYSCALL, FEAT_MSR}, {FEAT_NX, FEAT_PAE},     {FEAT_TSC_DEADLINE, FEAT_APIC}, {FEAT_MTRR, FEAT_MSR},
        {FEAT_PAT, FEAT_MSR},     {FEAT_APIC, FEAT_MSR},   {FEAT_RDTSCP, FEAT_TSC},
    };

    for (unsigned i = 0; i < ARRAY_LEN(needs); i++) {
        if (model->feature[needs[i].feature] && !model->feature[needs[i].needs])
            return error_set(err, EXIT_USAGE, "-cpu: feature '%s' needs '%s', which model '%s' is left without",
                             feature_names[needs[i].feature], feature_names[needs[i].needs], model->name);
    }
    if (!model->feature[FEAT_LM])
        model->linear_bits = 32;
    else if (!model->feature[FEAT_LA57] || model->linear_bits < 48)
        model->linear_bits = model->feature[FEAT_LA57] ? 57 : 48;
    else
        model->linear_bits = 57;
    return true;
}

static bool apply_option(struct cpu_model *model, const char *option, struct error *err)
{
    if (strncmp(option, "vendor=", 7) == 0) {
        if (strcasecmp(option + 7, "intel") == 0)
            set_vendor(model, VENDOR_INTEL);
        else if (strcasecmp(option + 7, "amd") == 0)
            set_vendor(model, VENDOR_AMD);
        else
            return error_set(err, EXIT_USAGE, "-cpu: unknown vendor '%s'; known are 'intel' and 'amd'", option + 7);
        return true;
    }
    if (option[0] != '+' && option[0] != '-')
        return error_set(err, EXIT_USAGE, "-cpu: '%s' is none of +feature, -feature and vendor=intel|amd", option);
    return set_feature(model, option + 1, option[0] == '+', err);
}

bool cpu_model_parse(struct cpu_model *model, const char *option, struct error *err)
{
    char word[48];
    bool first = true;
    /* The vendor comes first, wherever it is written: it must not undo a feature that was named. */
    for (int pass = 0; pass < 2; pass++) {
        const char *p = option;

        first = true;
        for (;;) {
            size_t length = strcspn(p, ",");
            bool vendor;

            if (length >= sizeof word)
                return error_set(err, EXIT_USAGE, "-cpu: '%.40s...' is too long for a name", p);
            memcpy(word, p, length);
            word[length] = '\0';
            vendor = strncmp(word, "vendor=", 7) == 0;
            if (first && pass == 0) {
                unsigned row = 0;

                while (row < ARRAY_LEN(model_rows) && !same_name(word, model_rows[row].model.name))
                    row++;
                if (row == ARRAY_LEN(model_rows))
                    return unknown_model(word, err);
                *model = model_rows[row].model;
                for (unsigned i = 0; i < model_rows[row].feature_count; i++)
                    model->feature[model_rows[row].features[i]] = true;
            } else if (!first && vendor == (pass == 0)) {
                if (!apply_option(model, word, err))
                    return false;
            }
            first = false;
            if (p[length] == '\0')
                break;
            p += length + 1;
        }
    }
    return check_consistent(model, err);
}

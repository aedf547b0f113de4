/* SPDX-License-Identifier: MIT
 * CPU models: rows of model.def, features added and removed by name, and the vendor that decides the vendor rules.
 */
#ifndef RINGSIDE_CPU_MODEL_H
#define RINGSIDE_CPU_MODEL_H

#include "base/error.h"
#include "base/types.h"

enum cpu_feature {
#define FEATURE(id, name, leaf, subleaf, reg, bit) FEAT_##id,
#include "cpu/feature.def"
#undef FEATURE
    CPU_FEATURES,
    /* Gates that are not CPUID bits: present from a processor generation on. */
    FEAT_ALWAYS = 254,
    FEAT_CPUID = 253, /* has_cpuid */
    FEAT_GEN6 = 252,  /* generation 6 and later */
};

enum cpu_vendor { VENDOR_INTEL, VENDOR_AMD };

struct cpu_model {
    char name[32];
    char brand[48];
    enum cpu_vendor vendor;
    u8 family, model, stepping;
    u8 physical_bits;    /* MAXPHYADDR */
    u8 linear_bits;      /* 32, 48 or 57 */
    bool has_cpuid;      /* EFLAGS.ID can be changed and CPUID exists (not on the first 486) */
    u8 generation;       /* 4 = 486, 5 = Pentium, 6 = P6 and later: gates what CPUID does not name (RDPMC, UD0...) */
    u32 basic_leaves;    /* highest basic CPUID leaf */
    u32 extended_leaves; /* highest extended CPUID leaf, 0 = there are none */
    bool feature[CPU_FEATURES];
    u64 arch_capabilities; /* value of IA32_ARCH_CAPABILITIES when the feature is present */
};

/* Parse "MODEL[,+feature][,-feature][,vendor=intel|amd]". returns: false with err set, naming what is unknown and
 * the nearest known name. */
bool cpu_model_parse(struct cpu_model *model, const char *option, struct error *err);
/* Rows of the table, for `ringside cpus`. returns: NULL past the end. */
const char *cpu_model_row_name(unsigned row);
const char *cpu_feature_name(enum cpu_feature feature);

struct cpuid_result {
    u32 eax, ebx, ecx, edx;
};
/* Static part of CPUID: what does not depend on run-time state (OSXSAVE, APIC id and XSAVE size are patched by the
 * instruction). Out-of-range leaves follow the vendor's rule. source: SDM 2A "CPUID"; APM 3 "CPUID". */
struct cpuid_result cpuid_leaf(const struct cpu_model *model, u32 leaf, u32 subleaf);

#endif

/* SPDX-License-Identifier: MIT
 * CPU models, the -cpu option, CPUID, and the control-register checks that follow from them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cpu/creg.h"

static struct cpu_model parsed(const char *option)
{
    struct cpu_model model;
    struct error err;

    memset(&model, 0, sizeof model);
    if (!cpu_model_parse(&model, option, &err))
        fail_msg("%s: %s", option, err.text);
    return model;
}

static void refused(const char *option, const char *named)
{
    struct cpu_model model;
    struct error err;

    assert_false(cpu_model_parse(&model, option, &err));
    assert_int_equal(err.code, EXIT_USAGE);
    assert_non_null(strstr(err.text, named));
}

static void every_row_parses(void **state)
{
    unsigned rows = 0;

    (void)state;
    for (; cpu_model_row_name(rows) != NULL; rows++) {
        struct cpu_model model = parsed(cpu_model_row_name(rows));
        struct cpuid_result r = cpuid_leaf(&model, 0, 0);

        assert_int_equal(r.eax, model.basic_leaves);
        assert_memory_equal(&r.ebx, model.vendor == VENDOR_AMD ? "Auth" : "Genu", 4);
        assert_int_equal(model.brand[sizeof model.brand - 1], 0);
        assert_false(model.feature[FEAT_HYPERVISOR]);
        /* Features that nothing carries out are in no row. */
        assert_false(model.feature[FEAT_RDRAND] || model.feature[FEAT_RDSEED] || model.feature[FEAT_PCLMULQDQ]);
    }
    assert_int_equal(rows, 7);
}

static void names_are_forgiving(void **state)
{
    (void)state;
    assert_false(parsed("max,-sse4_1").feature[FEAT_SSE4_1]);
    assert_false(parsed("MAX,-SSE4.1").feature[FEAT_SSE4_1]);
    assert_false(parsed("max,-tsc_deadline").feature[FEAT_TSC_DEADLINE]);
    assert_true(parsed("nehalem,+lzcnt").feature[FEAT_LZCNT]);
    refused("nehalen", "'nehalem'");
    refused("max,+smeep", "'smep'");
    refused("max,vendor=via", "intel");
    refused("max,smep", "smep");
    refused("max,-pae", "pae");
}

static void arch_capabilities_by_name(void **state)
{
    (void)state;
    assert_true(parsed("max").arch_capabilities & 1);
    assert_false(parsed("max,-rdcl-no").arch_capabilities & 1);
    assert_true(parsed("max,-rdcl-no").arch_capabilities & 2);
    assert_true(parsed("nehalem,+rdcl_no").feature[FEAT_ARCH_CAPABILITIES]);
    assert_int_equal(parsed("core2").arch_capabilities, 0);
}

static void vendor_can_be_forced(void **state)
{
    struct cpu_model model = parsed("max,+tsc-deadline,vendor=amd");
    struct cpuid_result r = cpuid_leaf(&model, 0, 0);

    (void)state;
    assert_memory_equal(&r.ecx, "cAMD", 4);
    assert_int_equal(model.family, 0x19);
    assert_true(model.feature[FEAT_TSC_DEADLINE]); /* named: stays, although the vendor has none */
    assert_false(model.feature[FEAT_SPEC_CTRL]);
    assert_true(model.feature[FEAT_AMD_IBPB]);
    r = cpuid_leaf(&model, 0x80000001, 0);
    assert_int_equal(r.edx & 1, 1); /* repeats leaf 1 */
    model = parsed("opteron,vendor=intel");
    assert_int_equal(model.family, 6);
    assert_false(model.feature[FEAT_MMXEXT]);
    assert_int_equal(parsed("max,vendor=intel").model, parsed("max").model);
}

static void cpuid_leaves(void **state)
{
    struct cpu_model max = parsed("max"), opteron = parsed("opteron"), pentium = parsed("pentium");
    struct cpuid_result r;

    (void)state;
    assert_int_equal(cpuid_leaf(&pentium, 1, 0).eax, 0x52C);
    assert_int_equal(cpuid_leaf(&opteron, 1, 0).eax, 0x20F51);
    assert_int_equal(cpuid_leaf(&max, 7, 0).ebx & 0x100081, 0x100081); /* SMAP SMEP FSGSBASE */
    assert_int_equal(cpuid_leaf(&max, 7, 1).ebx, 0);
    assert_int_equal(cpuid_leaf(&max, 0x80000008, 0).eax, 46 | 57 << 8);
    assert_int_equal(cpuid_leaf(&opteron, 0x80000008, 0).eax & 0xFFFF, 40 | 48 << 8);
    r = cpuid_leaf(&max, 0x15, 0);
    assert_int_equal((u64)r.ecx * r.ebx / r.eax, 1000000000);
    assert_int_equal(r.ecx, 62500000); /* the local APIC timer's rate */
    /* Out of range: Intel repeats the highest basic leaf, AMD answers zero; no hypervisor leaves. */
    r = cpuid_leaf(&max, 0x40000000, 0);
    assert_int_equal(r.eax, cpuid_leaf(&max, 0x16, 0).eax);
    r = cpuid_leaf(&opteron, 0x40000000, 0);
    assert_int_equal(r.eax | r.ebx | r.ecx | r.edx, 0);
    r = cpuid_leaf(&max, 0xD, 0);
    assert_int_equal(r.eax, 3);
    assert_int_equal(r.ecx, 576);
    r = cpuid_leaf(&max, 0x80000002, 0);
    assert_memory_equal(&r, max.brand, 16);
}

/* ---- creg.c */

static struct cpu *cpu_of(const char *option)
{
    struct cpu *cpu = aligned_alloc(_Alignof(struct cpu), sizeof *cpu);

    assert_non_null(cpu);
    memset(cpu, 0, offsetof(struct cpu, mmu));
    cpu->model = parsed(option);
    cpu->arch.cr0 = CR0_ET | CR0_PE;
    cpu->d.mode = MODE_PM32;
    return cpu;
}

/* ECX selects a sub-leaf in leaves that have them; elsewhere it is not looked at. SDM 2A "CPUID". */
static void ecx_matters_only_with_subleaves(void **state)
{
    struct cpu_model model = parsed("max");

    (void)state;
    assert_int_equal(cpuid_leaf(&model, 1, 6).edx, cpuid_leaf(&model, 1, 0).edx);
    assert_int_equal(cpuid_leaf(&model, 0x80000001, 5).ecx, cpuid_leaf(&model, 0x80000001, 0).ecx);
    assert_int_equal(cpuid_leaf(&model, 7, 1).ebx, 0);
    assert_int_not_equal(cpuid_leaf(&model, 7, 0).ebx, 0);
}

static void cr0_rules(void **state)
{
    struct cpu *cpu = cpu_of("max");

    (void)state;
    assert_int_equal(creg_check_cr0(cpu, CR0_PG | CR0_PE), RULE_NONE);
    assert_int_equal(creg_check_cr0(cpu, CR0_PG), RULE_PG_04);
    assert_int_equal(creg_check_cr0(cpu, CR0_PE | CR0_NW), RULE_PG_04);
    assert_int_equal(creg_check_cr0(cpu, BIT(32) | CR0_PE), RULE_PG_04);
    assert_int_equal(creg_check_cr0(cpu, CR0_PE | 0x40), RULE_NONE);
    assert_int_equal(creg_cr0_store(cpu, CR0_PE | 0x40), CR0_PE | CR0_ET);
    cpu->arch.msr.efer = EFER_LME;
    assert_int_equal(creg_check_cr0(cpu, CR0_PG | CR0_PE), RULE_MD_01);
    cpu->arch.cr4 = CR4_PAE;
    assert_int_equal(creg_check_cr0(cpu, CR0_PG | CR0_PE), RULE_NONE);
    cpu->arch.seg[CS].attr = SEG_L;
    assert_int_equal(creg_check_cr0(cpu, CR0_PG | CR0_PE), RULE_MD_01);
    cpu->arch.cr0 |= CR0_PG;
    cpu->d.mode = MODE_LONG;
    assert_int_equal(creg_check_cr0(cpu, CR0_PE), RULE_MD_01);
    free(cpu);
}

static void cr3_and_cr4_rules(void **state)
{
    struct cpu *cpu = cpu_of("max");
    u64 store = 0;
    bool keep = false;

    (void)state;
    cpu->arch.msr.efer = EFER_LME | EFER_LMA;
    cpu->arch.cr4 = CR4_PAE;
    cpu->d.mode = MODE_LONG;
    assert_int_equal(creg_check_cr3(cpu, BIT(63) | 0x1000, &store, &keep), RULE_PG_03);
    assert_int_equal(creg_check_cr3(cpu, BIT(46), &store, &keep), RULE_PG_03);
    assert_int_equal(creg_check_cr4(cpu, CR4_PAE | CR4_PCIDE), RULE_NONE);
    cpu->arch.cr3 = 5;
    assert_int_equal(creg_check_cr4(cpu, CR4_PAE | CR4_PCIDE), RULE_PG_03);
    assert_int_equal(creg_check_cr4(cpu, 0), RULE_PG_04);
    assert_int_equal(creg_check_cr4(cpu, CR4_PAE | BIT(15)), RULE_PG_04);
    assert_int_equal(creg_check_cr4(cpu, CR4_PAE | CR4_LA57), RULE_MD_01);
    cpu->arch.cr4 |= CR4_PCIDE;
    assert_int_equal(creg_check_cr3(cpu, BIT(63) | 0x1005, &store, &keep), RULE_NONE);
    assert_true(keep);
    assert_int_equal(store, 0x1005);
    cpu->model = parsed("core2");
    assert_int_equal(creg_check_cr4(cpu, CR4_PAE | CR4_SMEP), RULE_PG_04);
    free(cpu);
}

static void efer_rules(void **state)
{
    struct cpu *cpu = cpu_of("max");

    (void)state;
    assert_int_equal(creg_check_efer(cpu, EFER_SCE | EFER_LME | EFER_NXE), RULE_NONE);
    assert_int_equal(creg_check_efer(cpu, BIT(1)), RULE_MSR_03);
    assert_int_equal(creg_check_efer(cpu, EFER_LMA), RULE_NONE);
    assert_int_equal(creg_efer_store(cpu, EFER_LMA), 0);
    cpu->arch.cr0 |= CR0_PG;
    assert_int_equal(creg_check_efer(cpu, EFER_LME), RULE_MSR_05);
    cpu->model = parsed("max,-nx");
    assert_int_equal(creg_check_efer(cpu, EFER_NXE), RULE_MSR_03);
    free(cpu);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_parses),
        cmocka_unit_test(names_are_forgiving),
        cmocka_unit_test(arch_capabilities_by_name),
        cmocka_unit_test(vendor_can_be_forced),
        cmocka_unit_test(cpuid_leaves),
        cmocka_unit_test(ecx_matters_only_with_subleaves),
        cmocka_unit_test(cr0_rules),
        cmocka_unit_test(cr3_and_cr4_rules),
        cmocka_unit_test(efer_rules),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT
 * SYSENTER, SYSEXIT and SWAPGS by vendor and mode: rules SE-01 to SE-07, SX-01 to SX-05, GS-01 to GS-03.
 */
#include "ring_fixture.h"

static void set_msrs(struct ring_fixture *f)
{
    f->cpu->arch.msr.sysenter_cs = 0x0B;
    f->cpu->arch.msr.sysenter_eip = 0xFFFFFFFF81000000;
    f->cpu->arch.msr.sysenter_esp = 0xFFFFC90000001000;
}

static void sysenter_long_intel(void **state)
{
    struct ring_fixture *f = fixture_long(VENDOR_INTEL);
    const u64 survive = FLAG_TF | FLAG_NT | FLAG_AC | FLAG_DF | FLAG_IOPL;

    (void)state;
    set_msrs(f);
    fixture_enter(f, SEL_UCODE32 | 3, SEL_UDATA32 | 3, AT_CODE, AT_USER_STACK, FLAG_FIXED1 | FLAG_IF | survive);
    ASSERT_COMPLETES(f, ring_sysenter(f->cpu));
    assert_int_equal(f->cpu->arch.cpl, 0);
    assert_int_equal(f->cpu->d.mode, MODE_LONG);
    assert_int_equal(f->cpu->d.next_rip, 0xFFFFFFFF81000000);
    assert_int_equal(f->cpu->arch.gpr[RSP], 0xFFFFC90000001000);
    assert_int_equal(f->cpu->arch.seg[CS].selector, 0x08);
    assert_int_equal(f->cpu->arch.seg[SS].selector, 0x10);
    assert_int_equal(flags_get(f->cpu), FLAG_FIXED1 | survive);
    assert_int_equal(f->last.mechanism, MECH_SYSENTER);
    assert_int_equal(f->last.stack_source, STACK_SYSENTER_ESP);
    fixture_free(f);
}

static void sysenter_legacy_of(enum cpu_vendor vendor)
{
    struct ring_fixture *f = fixture_protected(vendor);

    set_msrs(f);
    fixture_vm86(f, FLAG_FIXED1 | FLAG_IF); /* SE-03 */
    ASSERT_COMPLETES(f, ring_sysenter(f->cpu));
    assert_int_equal(f->cpu->d.mode, MODE_PM32);
    assert_int_equal(f->cpu->arch.cpl, 0);
    assert_int_equal(f->cpu->d.next_rip, 0x81000000);
    assert_int_equal(f->cpu->arch.gpr[RSP], 0x1000);
    assert_int_equal(f->cpu->arch.seg[CS].attr, 0xC9B);
    fixture_free(f);
}

static void sysenter_legacy(void **state)
{
    (void)state;
    sysenter_legacy_of(VENDOR_INTEL);
    sysenter_legacy_of(VENDOR_AMD);
}

static void sysenter_faults(void **state)
{
    struct ring_fixture *f = fixture_new(VENDOR_INTEL);

    (void)state;
    set_msrs(f);
    ASSERT_FAULT(f, ring_sysenter(f->cpu), VEC_GP, 0, RULE_SE_01);
    fixture_free(f);
    f = fixture_protected(VENDOR_INTEL);
    f->cpu->arch.msr.sysenter_cs = 3;
    ASSERT_FAULT(f, ring_sysenter(f->cpu), VEC_GP, 0, RULE_SE_02);
    fixture_free(f);
    f = fixture_long(VENDOR_AMD);
    set_msrs(f);
    ASSERT_FAULT(f, ring_sysenter(f->cpu), VEC_UD, 0, RULE_SE_07);
    fixture_enter(f, SEL_UCODE32 | 3, SEL_UDATA32 | 3, AT_CODE, AT_USER_STACK, FLAG_FIXED1);
    ASSERT_FAULT(f, ring_sysenter(f->cpu), VEC_UD, 0, RULE_SE_07);
    fixture_free(f);
}

static void sysexit_intel(void **state)
{
    struct ring_fixture *f = fixture_long(VENDOR_INTEL);
    struct cpu_arch *a = &f->cpu->arch;

    (void)state;
    set_msrs(f);
    a->gpr[RDX] = 0x0000000100400000;
    a->gpr[RCX] = 0x0000000200500000;
    ASSERT_COMPLETES(f, ring_sysexit(f->cpu, true));
    assert_int_equal(a->cpl, 3);
    assert_int_equal(f->cpu->d.next_rip, 0x0000000100400000);
    assert_int_equal(a->gpr[RSP], 0x0000000200500000);
    assert_int_equal(a->seg[CS].selector, 0x2B);
    assert_int_equal(a->seg[SS].selector, 0x33);
    ASSERT_FAULT(f, ring_sysexit(f->cpu, true), VEC_GP, 0, RULE_SX_01);
    fixture_free(f);

    f = fixture_long(VENDOR_INTEL);
    a = &f->cpu->arch;
    set_msrs(f);
    a->gpr[RDX] = 0x0000000100400000;
    a->gpr[RCX] = 0x0000800000000000;
    ASSERT_FAULT(f, ring_sysexit(f->cpu, true), VEC_GP, 0, RULE_SX_05);
    ASSERT_COMPLETES(f, ring_sysexit(f->cpu, false));
    assert_int_equal(f->cpu->d.mode, MODE_COMPAT32);
    assert_int_equal(f->cpu->d.next_rip, 0x00400000);
    assert_int_equal(a->gpr[RSP], 0);
    assert_int_equal(a->seg[CS].selector, 0x1B);
    assert_int_equal(a->seg[SS].selector, 0x23);
    fixture_free(f);

    f = fixture_protected(VENDOR_INTEL);
    f->cpu->arch.msr.sysenter_cs = 3;
    ASSERT_FAULT(f, ring_sysexit(f->cpu, false), VEC_GP, 0, RULE_SX_02);
    fixture_free(f);
}

static void sysexit_amd_long(void **state)
{
    struct ring_fixture *f = fixture_long(VENDOR_AMD);

    (void)state;
    set_msrs(f);
    ASSERT_FAULT(f, ring_sysexit(f->cpu, true), VEC_UD, 0, RULE_SX_03);
    fixture_enter(f, SEL_UCODE64 | 3, SEL_UDATA32 | 3, AT_CODE, AT_USER_STACK, FLAG_FIXED1);
    ASSERT_FAULT(f, ring_sysexit(f->cpu, true), VEC_GP, 0, RULE_SX_01);
    fixture_free(f);
}

static void swapgs(void **state)
{
    struct ring_fixture *f = fixture_long(VENDOR_INTEL);
    struct cpu_arch *a = &f->cpu->arch;

    (void)state;
    a->seg[GS] = (struct segment){.selector = 0x2B, .base = 0x1111, .limit = 5};
    a->msr.kernel_gs_base = 0xFFFF888000000000;
    ASSERT_COMPLETES(f, ring_swapgs(f->cpu));
    assert_int_equal(a->seg[GS].base, 0xFFFF888000000000);
    assert_int_equal(f->cpu->d.seg_base[GS], 0xFFFF888000000000);
    assert_int_equal(a->msr.kernel_gs_base, 0x1111);
    assert_int_equal(a->seg[GS].selector, 0x2B);
    assert_int_equal(f->sides, 1);
    assert_int_equal(f->side.kind, SIDE_SWAPGS);
    fixture_enter(f, SEL_UCODE64 | 3, SEL_UDATA32 | 3, AT_CODE, AT_USER_STACK, FLAG_FIXED1);
    ASSERT_FAULT(f, ring_swapgs(f->cpu), VEC_GP, 0, RULE_GS_02);
    fixture_enter(f, SEL_UCODE32 | 3, SEL_UDATA32 | 3, AT_CODE, AT_USER_STACK, FLAG_FIXED1);
    ASSERT_FAULT(f, ring_swapgs(f->cpu), VEC_UD, 0, RULE_GS_01);
    fixture_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sysenter_long_intel), cmocka_unit_test(sysenter_legacy),  cmocka_unit_test(sysenter_faults),
        cmocka_unit_test(sysexit_intel),       cmocka_unit_test(sysexit_amd_long), cmocka_unit_test(swapgs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

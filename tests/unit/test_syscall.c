/* SPDX-License-Identifier: MIT
 * SYSCALL and SYSRET by vendor and mode: rules SC-01 to SC-09, SR-01 to SR-09.
 */
#include "ring_fixture.h"

#define STAR ((u64)0x0023 << 48 | (u64)0x000B << 32 | 0x00030000)

static struct ring_fixture *at_user(enum cpu_vendor vendor)
{
    struct ring_fixture *f = fixture_long(vendor);

    f->cpu->arch.msr.star = STAR;
    f->cpu->arch.msr.lstar = 0xFFFFFFFF81000000;
    f->cpu->arch.msr.cstar = 0xFFFFFFFF82000000;
    f->cpu->arch.msr.fmask = FLAG_TF | FLAG_IF | FLAG_DF;
    fixture_enter(f, SEL_UCODE64 | 3, SEL_UDATA32 | 3, AT_CODE, AT_USER_STACK,
                  FLAG_FIXED1 | FLAG_IF | FLAG_TF | FLAG_CF | FLAG_ZF);
    return f;
}

static void syscall_64_of(enum cpu_vendor vendor)
{
    struct ring_fixture *f = at_user(vendor);
    struct cpu_arch *a = &f->cpu->arch;

    ASSERT_COMPLETES(f, ring_syscall(f->cpu));
    assert_int_equal(a->cpl, 0);
    assert_int_equal(f->cpu->d.mode, MODE_LONG);
    assert_int_equal(f->cpu->d.next_rip, 0xFFFFFFFF81000000);
    assert_int_equal(a->gpr[RCX], AT_CODE + 2);
    assert_int_equal(a->gpr[R11], FLAG_FIXED1 | FLAG_IF | FLAG_TF | FLAG_CF | FLAG_ZF);
    assert_int_equal(flags_get(f->cpu), FLAG_FIXED1 | FLAG_CF | FLAG_ZF);
    assert_int_equal(a->gpr[RSP], AT_USER_STACK);
    assert_int_equal(a->seg[CS].selector, 0x08);
    assert_int_equal(a->seg[CS].attr, 0xA9B);
    assert_int_equal(a->seg[SS].selector, 0x0B + 8);
    assert_int_equal(a->seg[SS].attr, 0xC93);
    assert_int_equal(a->seg[SS].limit, 0xFFFFFFFF);
    assert_int_equal(f->transitions, 1);
    assert_int_equal(f->last.mechanism, MECH_SYSCALL);
    assert_int_equal(f->last.from.cpl, 3);
    assert_int_equal(f->last.from.rip, AT_CODE);
    assert_int_equal(f->last.to.cpl, 0);
    assert_int_equal(f->last.msr[0], STAR);
    assert_int_equal(f->last.msrs, 3);
    fixture_free(f);
}

static void syscall_64(void **state)
{
    (void)state;
    syscall_64_of(VENDOR_INTEL);
    syscall_64_of(VENDOR_AMD);
}

static void syscall_undefined(void **state)
{
    struct ring_fixture *f = at_user(VENDOR_INTEL);

    (void)state;
    f->cpu->arch.msr.efer &= ~EFER_SCE;
    ASSERT_FAULT(f, ring_syscall(f->cpu), VEC_UD, 0, RULE_SC_01);
    f->cpu->arch.msr.efer |= EFER_SCE;
    fixture_enter(f, SEL_UCODE32 | 3, SEL_UDATA32 | 3, AT_CODE, AT_USER_STACK, FLAG_FIXED1);
    ASSERT_FAULT(f, ring_syscall(f->cpu), VEC_UD, 0, RULE_SC_02);
    assert_int_equal(f->transitions, 0);
    fixture_free(f);
}

/* SC-03, SC-08: legal from CPL 0; the return address is stored even when it is not canonical. */
static void syscall_at_the_boundary(void **state)
{
    struct ring_fixture *f = at_user(VENDOR_INTEL);

    (void)state;
    fixture_enter(f, SEL_CODE64, 0, 0x00007FFFFFFFFFFE, AT_KERNEL_STACK, FLAG_FIXED1);
    ASSERT_COMPLETES(f, ring_syscall(f->cpu));
    assert_int_equal(f->cpu->arch.gpr[RCX], 0x0000800000000000);
    fixture_free(f);
}

static void syscall_amd_other_modes(void **state)
{
    struct ring_fixture *f = at_user(VENDOR_AMD);

    (void)state;
    fixture_enter(f, SEL_UCODE32 | 3, SEL_UDATA32 | 3, AT_CODE, AT_USER_STACK, FLAG_FIXED1 | FLAG_IF);
    ASSERT_COMPLETES(f, ring_syscall(f->cpu));
    assert_int_equal(f->cpu->d.mode, MODE_LONG);
    assert_int_equal(f->cpu->d.next_rip, 0xFFFFFFFF82000000);
    assert_int_equal(f->cpu->arch.gpr[R11], FLAG_FIXED1 | FLAG_IF);
    fixture_free(f);

    f = fixture_protected(VENDOR_AMD); /* SC-09 */
    f->cpu->arch.msr.efer = EFER_SCE;
    f->cpu->arch.msr.star = STAR;
    f->cpu->arch.gpr[R11] = 0x1234;
    fixture_enter(f, SEL_UCODE32 | 3, SEL_UDATA32 | 3, AT_CODE, AT_USER_STACK, FLAG_FIXED1 | FLAG_IF | FLAG_TF);
    ASSERT_COMPLETES(f, ring_syscall(f->cpu));
    assert_int_equal(f->cpu->arch.cpl, 0);
    assert_int_equal(f->cpu->d.mode, MODE_PM32);
    assert_int_equal(f->cpu->d.next_rip, 0x30000);
    assert_int_equal(f->cpu->arch.gpr[RCX], AT_CODE + 2);
    assert_int_equal(f->cpu->arch.gpr[R11], 0x1234);
    assert_int_equal(flags_get(f->cpu), FLAG_FIXED1 | FLAG_TF);
    fixture_free(f);
}

static struct ring_fixture *at_kernel(enum cpu_vendor vendor)
{
    struct ring_fixture *f = at_user(vendor);

    fixture_enter(f, SEL_CODE64, 0, AT_CODE, AT_USER_STACK, FLAG_FIXED1);
    f->cpu->arch.gpr[RCX] = 0x0000000100400000;
    f->cpu->arch.gpr[R11] = ~0ull;
    return f;
}

static void sysret_intel(void **state)
{
    struct ring_fixture *f = at_kernel(VENDOR_INTEL);
    struct cpu_arch *a = &f->cpu->arch;

    (void)state;
    ASSERT_COMPLETES(f, ring_sysret(f->cpu, true));
    assert_int_equal(a->cpl, 3);
    assert_int_equal(f->cpu->d.mode, MODE_LONG);
    assert_int_equal(f->cpu->d.next_rip, 0x0000000100400000);
    assert_int_equal(a->seg[CS].selector, 0x33);
    assert_int_equal(a->seg[CS].attr, 0xAFB);
    assert_int_equal(a->seg[SS].selector, 0x2B);
    assert_int_equal(a->seg[SS].attr, 0xCF3);
    assert_int_equal(flags_get(f->cpu), 0x3C7FD7);
    assert_int_equal(a->pending_debug, DR6_BS); /* SR-09 */
    fixture_free(f);

    f = at_kernel(VENDOR_INTEL);
    f->cpu->arch.gpr[R11] = 0;
    ASSERT_COMPLETES(f, ring_sysret(f->cpu, false));
    assert_int_equal(f->cpu->d.mode, MODE_COMPAT32);
    assert_int_equal(f->cpu->d.next_rip, 0x00400000); /* SR-05 */
    assert_int_equal(f->cpu->arch.seg[CS].selector, 0x23);
    assert_int_equal(flags_get(f->cpu), FLAG_FIXED1);
    assert_int_equal(f->cpu->arch.pending_debug, 0);
    fixture_free(f);
}

static void sysret_faults(void **state)
{
    struct ring_fixture *f = at_kernel(VENDOR_INTEL);

    (void)state;
    f->cpu->arch.gpr[RCX] = 0x0000800000000000;
    ASSERT_FAULT(f, ring_sysret(f->cpu, true), VEC_GP, 0, RULE_SR_04);
    assert_int_equal(f->cpu->arch.cpl, 0);
    assert_int_equal(f->transitions, 0);
    ASSERT_COMPLETES(f, ring_sysret(f->cpu, false));
    ASSERT_FAULT(f, ring_sysret(f->cpu, false), VEC_UD, 0, RULE_SR_03); /* now in compatibility mode */
    fixture_free(f);

    f = at_user(VENDOR_INTEL);
    ASSERT_FAULT(f, ring_sysret(f->cpu, true), VEC_GP, 0, RULE_SR_02);
    f->cpu->arch.msr.efer &= ~EFER_SCE;
    ASSERT_FAULT(f, ring_sysret(f->cpu, true), VEC_UD, 0, RULE_SR_01);
    fixture_free(f);
}

static void sysret_amd(void **state)
{
    struct ring_fixture *f = at_kernel(VENDOR_AMD);

    (void)state;
    f->cpu->arch.gpr[RCX] = 0x0000800000000000;
    ASSERT_COMPLETES(f, ring_sysret(f->cpu, true)); /* SR-04: the fetch faults, at CPL 3 */
    assert_int_equal(f->cpu->arch.cpl, 3);
    assert_int_equal(f->cpu->d.next_rip, 0x0000800000000000);
    assert_int_equal(f->cpu->arch.seg[SS].selector, 0x2B);
    assert_true(f->cpu->arch.seg[SS].attr & SEG_UNUSABLE); /* SR-08: the null SS leaks */
    fixture_free(f);

    f = at_kernel(VENDOR_AMD);
    f->cpu->arch.msr.star = (u64)0x0020 << 48; /* SR-07: RPL 0 stays in SS */
    ASSERT_COMPLETES(f, ring_sysret(f->cpu, true));
    assert_int_equal(f->cpu->arch.seg[CS].selector, 0x33);
    assert_int_equal(f->cpu->arch.seg[SS].selector, 0x28);
    fixture_free(f);

    f = fixture_protected(VENDOR_AMD);
    f->cpu->arch.msr.efer = EFER_SCE;
    f->cpu->arch.msr.star = STAR;
    f->cpu->arch.gpr[RCX] = 0x400000;
    f->cpu->arch.gpr[R11] = FLAG_DF;
    ASSERT_COMPLETES(f, ring_sysret(f->cpu, false));
    assert_int_equal(f->cpu->d.mode, MODE_PM32);
    assert_int_equal(f->cpu->d.next_rip, 0x400000);
    assert_int_equal(flags_get(f->cpu), FLAG_FIXED1 | FLAG_IF);
    fixture_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(syscall_64),
        cmocka_unit_test(syscall_undefined),
        cmocka_unit_test(syscall_at_the_boundary),
        cmocka_unit_test(syscall_amd_other_modes),
        cmocka_unit_test(sysret_intel),
        cmocka_unit_test(sysret_faults),
        cmocka_unit_test(sysret_amd),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

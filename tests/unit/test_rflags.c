/* SPDX-License-Identifier: MIT
 * POPF, PUSHF, CLI, STI and the I/O permission map: rules IO-01 to IO-04, VM-02, VM-03, SH-04, DB-04.
 */
#include "ring_fixture.h"

#define EVERYTHING (~0ull)

static void at_cpl3(struct ring_fixture *f, u64 rflags)
{
    fixture_enter(f, SEL_UCODE32 | 3, SEL_UDATA32 | 3, AT_CODE, AT_USER_STACK, FLAG_FIXED1 | rflags);
}

static u64 popf(struct ring_fixture *f, u64 image, enum width operand)
{
    ASSERT_COMPLETES(f, rflags_popf(f->cpu, image, operand));
    return flags_get(f->cpu);
}

static void popf_by_level(void **state)
{
    struct ring_fixture *f = fixture_protected(VENDOR_INTEL);
    const u64 always = FLAG_FIXED1 | FLAGS_ARITHMETIC | FLAG_TF | FLAG_DF | FLAG_NT;

    (void)state;
    f->cpu->arch.rflags |= FLAG_RF;
    assert_int_equal(popf(f, EVERYTHING, W32), always | FLAG_IF | FLAG_IOPL | FLAG_AC | FLAG_ID); /* DB-04: no RF */
    at_cpl3(f, 0);
    assert_int_equal(popf(f, EVERYTHING, W32), always | FLAG_AC | FLAG_ID); /* IO-03 */
    at_cpl3(f, FLAG_IF);
    assert_int_equal(popf(f, 0, W32), FLAG_FIXED1 | FLAG_IF);
    at_cpl3(f, FLAG_IOPL);
    assert_int_equal(popf(f, EVERYTHING, W16), always | FLAG_IF | FLAG_IOPL);
    at_cpl3(f, FLAG_IOPL | FLAG_AC | FLAG_VIP | FLAG_VIF);
    assert_int_equal(popf(f, 0, W16), FLAG_FIXED1 | FLAG_IOPL | FLAG_AC | FLAG_VIP | FLAG_VIF);
    f->cpu->model.has_cpuid = false;
    at_cpl3(f, 0);
    assert_int_equal(popf(f, FLAG_ID | FLAG_AC, W32), FLAG_FIXED1 | FLAG_AC);
    fixture_free(f);
}

static void popf_reaches_the_alignment_check(void **state)
{
    struct ring_fixture *f = fixture_protected(VENDOR_INTEL);

    (void)state;
    f->cpu->arch.cr0 |= CR0_AM;
    at_cpl3(f, 0);
    assert_false(f->cpu->d.align_check);
    popf(f, FLAG_AC, W32);
    assert_true(f->cpu->d.align_check);
    fixture_free(f);
}

static void vm86_without_vme(void **state)
{
    struct ring_fixture *f = fixture_protected(VENDOR_INTEL);

    (void)state;
    fixture_vm86(f, FLAG_FIXED1);
    ASSERT_FAULT(f, rflags_popf(f->cpu, 0, W16), VEC_GP, 0, RULE_IO_01);
    ASSERT_FAULT(f, rflags_pushf_image(f->cpu, W16), VEC_GP, 0, RULE_IO_01);
    ASSERT_FAULT(f, rflags_cli(f->cpu), VEC_GP, 0, RULE_IO_01);
    ASSERT_FAULT(f, rflags_sti(f->cpu), VEC_GP, 0, RULE_IO_01);
    fixture_vm86(f, FLAG_FIXED1 | FLAG_IOPL | FLAG_RF);
    assert_int_equal(rflags_pushf_image(f->cpu, W32), FLAG_FIXED1 | FLAG_IOPL);
    assert_int_equal(popf(f, FLAG_IF, W32), FLAG_FIXED1 | FLAG_IOPL | FLAG_VM | FLAG_IF);
    fixture_free(f);
}

static void vm86_with_vme(void **state)
{
    struct ring_fixture *f = fixture_protected(VENDOR_INTEL);

    (void)state;
    f->cpu->arch.cr4 = CR4_VME;
    fixture_vm86(f, FLAG_FIXED1);
    ASSERT_FAULT(f, rflags_popf(f->cpu, 0, W32), VEC_GP, 0, RULE_IO_01);
    ASSERT_FAULT(f, rflags_popf(f->cpu, FLAG_TF, W16), VEC_GP, 0, RULE_IO_02);
    assert_int_equal(popf(f, FLAG_IF | FLAG_IOPL, W16), FLAG_FIXED1 | FLAG_VM | FLAG_VIF);
    assert_int_equal(rflags_pushf_image(f->cpu, W16), FLAG_FIXED1 | FLAG_IF | FLAG_IOPL);
    rflags_cli(f->cpu);
    assert_int_equal(flags_get(f->cpu), FLAG_FIXED1 | FLAG_VM);
    rflags_sti(f->cpu);
    assert_int_equal(flags_get(f->cpu), FLAG_FIXED1 | FLAG_VM | FLAG_VIF);
    assert_int_equal(f->cpu->arch.shadow, 0);
    fixture_vm86(f, FLAG_FIXED1 | FLAG_VIP);
    ASSERT_FAULT(f, rflags_sti(f->cpu), VEC_GP, 0, RULE_IO_02);
    ASSERT_FAULT(f, rflags_popf(f->cpu, FLAG_IF, W16), VEC_GP, 0, RULE_IO_02);
    assert_false(rflags_virtual_interrupt(f->cpu));
    fixture_vm86(f, FLAG_FIXED1 | FLAG_VIP | FLAG_VIF);
    assert_true(rflags_virtual_interrupt(f->cpu)); /* VM-03 */
    fixture_vm86(f, FLAG_FIXED1 | FLAG_VIP | FLAG_VIF | FLAG_IOPL);
    assert_false(rflags_virtual_interrupt(f->cpu));
    fixture_free(f);
}

static void cli_and_sti(void **state)
{
    struct ring_fixture *f = fixture_protected(VENDOR_INTEL);

    (void)state;
    rflags_sti(f->cpu);
    assert_true(f->cpu->arch.rflags & FLAG_IF);
    assert_int_equal(f->cpu->arch.shadow, SHADOW_STI);
    f->cpu->arch.shadow = 0;
    rflags_sti(f->cpu);
    assert_int_equal(f->cpu->arch.shadow, 0); /* SH-04: IF was 1 */
    rflags_cli(f->cpu);
    assert_false(f->cpu->arch.rflags & FLAG_IF);

    at_cpl3(f, FLAG_IF);
    ASSERT_FAULT(f, rflags_cli(f->cpu), VEC_GP, 0, RULE_IO_01);
    f->cpu->arch.cr4 = CR4_PVI;
    ASSERT_COMPLETES(f, rflags_sti(f->cpu));
    assert_int_equal(flags_get(f->cpu), FLAG_FIXED1 | FLAG_IF | FLAG_VIF);
    ASSERT_COMPLETES(f, rflags_cli(f->cpu));
    assert_int_equal(flags_get(f->cpu), FLAG_FIXED1 | FLAG_IF);
    fixture_enter(f, SEL_CODE1 | 1, SEL_UDATA32 | 3, AT_CODE, AT_USER_STACK, FLAG_FIXED1); /* PVI is for CPL 3 only */
    ASSERT_FAULT(f, rflags_cli(f->cpu), VEC_GP, 0, RULE_IO_01);
    fixture_free(f);
}

static void io_permission(void **state)
{
    struct ring_fixture *f = fixture_protected(VENDOR_INTEL);
    struct cpu_arch *a = &f->cpu->arch;

    (void)state;
    ASSERT_COMPLETES(f, io_check_permission(f->cpu, 0x3F8, 1));
    at_cpl3(f, 0);
    put(f, AT_TSS + 0x66, 0x68, 2);
    ASSERT_FAULT(f, io_check_permission(f->cpu, 0x3F8, 1), VEC_GP, 0, RULE_IO_04); /* past the limit */
    a->tr.limit = 0x68 + 0x80;
    ASSERT_COMPLETES(f, io_check_permission(f->cpu, 0x3F8, 4));
    put(f, AT_TSS + 0x68 + 0x3F8 / 8, 0x08, 1);
    ASSERT_COMPLETES(f, io_check_permission(f->cpu, 0x3F8, 2));
    ASSERT_FAULT(f, io_check_permission(f->cpu, 0x3F8, 4), VEC_GP, 0, RULE_IO_04);
    ASSERT_FAULT(f, io_check_permission(f->cpu, 0x3FB, 1), VEC_GP, 0, RULE_IO_04);
    ASSERT_COMPLETES(f, io_check_permission(f->cpu, 0x400 - 2, 1));
    put(f, AT_TSS + 0x68 + 0x80, 0x01, 1); /* port 400h, one bit past a byte boundary */
    ASSERT_FAULT(f, io_check_permission(f->cpu, 0x3FF, 2), VEC_GP, 0, RULE_IO_04);
    ASSERT_FAULT(f, io_check_permission(f->cpu, 0x400, 1), VEC_GP, 0, RULE_IO_04); /* its second byte is outside */
    at_cpl3(f, FLAG_IOPL);
    ASSERT_COMPLETES(f, io_check_permission(f->cpu, 0x3FB, 1));
    fixture_vm86(f, FLAG_FIXED1 | FLAG_IOPL);
    ASSERT_FAULT(f, io_check_permission(f->cpu, 0x3FB, 1), VEC_GP, 0, RULE_VM_02);
    at_cpl3(f, 0);
    a->tr.attr = 0x83;
    ASSERT_FAULT(f, io_check_permission(f->cpu, 0x3F8, 1), VEC_GP, 0, RULE_IO_04); /* a 16-bit TSS */
    fixture_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(popf_by_level),    cmocka_unit_test(popf_reaches_the_alignment_check),
        cmocka_unit_test(vm86_without_vme), cmocka_unit_test(vm86_with_vme),
        cmocka_unit_test(cli_and_sti),      cmocka_unit_test(io_permission),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

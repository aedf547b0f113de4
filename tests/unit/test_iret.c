/* SPDX-License-Identifier: MIT
 * IRET by mode: rules IR-01 to IR-17, SH-05.
 */
#include "ring_fixture.h"

#define TARGET 0x31000u

/* A frame of words of the given size at the current stack pointer. */
static void put_frame(struct ring_fixture *f, unsigned size, u64 rip, u64 cs, u64 rflags, u64 rsp, u64 ss)
{
    u64 at = f->cpu->arch.gpr[RSP];
    const u64 words[] = {rip, cs, rflags, rsp, ss};

    for (unsigned i = 0; i < ARRAY_LEN(words); i++)
        put(f, at + i * size, words[i], size);
}

static void kernel32(struct ring_fixture *f, u64 rflags)
{
    fixture_enter(f, SEL_CODE32, SEL_DATA32, AT_CODE, AT_KERNEL_STACK - 0x100, FLAG_FIXED1 | rflags);
}

static void kernel64(struct ring_fixture *f, u64 rflags)
{
    fixture_enter(f, SEL_CODE64, 0, AT_CODE, AT_KERNEL_STACK - 0x100, FLAG_FIXED1 | rflags);
}

static void outward_32(void **state)
{
    struct ring_fixture *f = fixture_protected(VENDOR_INTEL);
    struct cpu_arch *a = &f->cpu->arch;

    (void)state;
    kernel32(f, 0);
    a->seg[DS] = (struct segment){.selector = SEL_DATA32, .attr = 0xC93, .limit = ~0u};
    a->seg[ES] = (struct segment){.selector = SEL_UDATA32 | 3, .attr = 0xCF3, .limit = ~0u};
    a->nmi_blocked = 1;
    put_frame(f, 4, TARGET, SEL_UCODE32 | 3, FLAG_IF | FLAG_IOPL | FLAG_RF | FLAG_ID | FLAG_CF, AT_USER_STACK,
              SEL_UDATA32 | 3);
    ASSERT_COMPLETES(f, ring_iret(f->cpu, W32));
    assert_int_equal(a->cpl, 3);
    assert_int_equal(f->cpu->d.next_rip, TARGET);
    assert_int_equal(a->gpr[RSP], AT_USER_STACK);
    assert_int_equal(a->seg[SS].selector, SEL_UDATA32 | 3);
    assert_int_equal(flags_get(f->cpu), FLAG_FIXED1 | FLAG_IF | FLAG_IOPL | FLAG_RF | FLAG_ID | FLAG_CF);
    assert_true(selector_is_null(a->seg[DS].selector)); /* IR-10 */
    assert_int_equal(a->seg[ES].selector, SEL_UDATA32 | 3);
    assert_false(a->nmi_blocked);
    assert_int_equal(f->last.mechanism, MECH_IRET_OUTER);
    assert_int_equal(f->last.frame, AT_KERNEL_STACK - 0x100);
    assert_int_equal(f->last.frame_words, 5);
    fixture_free(f);
}

/* IR-09, IR-02: a return at CPL 3 with IOPL 0 changes neither IF, IOPL nor VM. */
static void user_flags(void **state)
{
    struct ring_fixture *f = fixture_protected(VENDOR_INTEL);

    (void)state;
    fixture_enter(f, SEL_UCODE32 | 3, SEL_UDATA32 | 3, AT_CODE, AT_USER_STACK, FLAG_FIXED1 | FLAG_IF);
    put_frame(f, 4, TARGET, SEL_UCODE32 | 3, FLAG_VM | FLAG_IOPL | FLAG_VIF | FLAG_VIP | FLAG_AC | FLAG_DF, 0, 0);
    ASSERT_COMPLETES(f, ring_iret(f->cpu, W32));
    assert_int_equal(flags_get(f->cpu), FLAG_FIXED1 | FLAG_IF | FLAG_AC | FLAG_DF);
    assert_int_equal(f->cpu->arch.gpr[RSP], AT_USER_STACK + 12);
    assert_int_equal(f->last.mechanism, MECH_IRET_SAME);
    fixture_enter(f, SEL_UCODE32 | 3, SEL_UDATA32 | 3, AT_CODE, AT_USER_STACK, FLAG_FIXED1 | FLAG_AC);
    put_frame(f, 2, 0x1234, SEL_UCODE32 | 3, FLAG_CF, 0, 0);
    ASSERT_COMPLETES(f, ring_iret(f->cpu, W16));
    assert_int_equal(flags_get(f->cpu), FLAG_FIXED1 | FLAG_AC | FLAG_CF);
    assert_int_equal(f->cpu->d.next_rip, 0x1234);
    fixture_free(f);
}

static void code_segment_checks(void **state)
{
    struct ring_fixture *f = fixture_long(VENDOR_INTEL);
    static const struct {
        u16 cs;
        u8 vector;
        u16 error;
    } cases[] = {
        {3, VEC_GP, 0},                       /* null */
        {SEL_END, VEC_GP, SEL_END},           /* outside the table */
        {SEL_DATA32, VEC_GP, SEL_DATA32},     /* not code */
        {SEL_UCODE64, VEC_GP, SEL_UCODE64},   /* DPL 3, RPL 0 */
        {SEL_CODE64 | 3, VEC_GP, SEL_CODE64}, /* DPL 0, RPL 3 */
        {SEL_CODE_LD, VEC_GP, SEL_CODE_LD},   /* L and D */
        {SEL_ABSENT_CODE, VEC_NP, SEL_ABSENT_CODE},
    };

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        kernel64(f, 0);
        put_frame(f, 8, TARGET, cases[i].cs, 0, AT_USER_STACK, SEL_UDATA32 | 3);
        ASSERT_FAULT(f, ring_iret(f->cpu, W64), cases[i].vector, cases[i].error, RULE_IR_05);
        assert_int_equal(f->transitions, 0);
        assert_int_equal(f->cpu->arch.gpr[RSP], AT_KERNEL_STACK - 0x100);
    }
    fixture_enter(f, SEL_UCODE64 | 3, SEL_UDATA32 | 3, AT_CODE, AT_USER_STACK, FLAG_FIXED1);
    put_frame(f, 8, TARGET, SEL_CODE64, 0, AT_USER_STACK, SEL_DATA32); /* inward */
    ASSERT_FAULT(f, ring_iret(f->cpu, W64), VEC_GP, SEL_CODE64, RULE_IR_05);
    fixture_free(f);
}

static void stack_segment_checks(void **state)
{
    struct ring_fixture *f = fixture_long(VENDOR_INTEL);

    (void)state;
    kernel64(f, 0);
    put_frame(f, 8, TARGET, SEL_UCODE64 | 3, 0, AT_USER_STACK, 3);
    ASSERT_FAULT(f, ring_iret(f->cpu, W64), VEC_GP, 0, RULE_IR_06); /* null to CPL 3 */
    put_frame(f, 8, TARGET, SEL_CODE64, 0, AT_USER_STACK, 3);
    ASSERT_FAULT(f, ring_iret(f->cpu, W64), VEC_GP, 0, RULE_IR_06); /* RPL != CPL */
    put_frame(f, 8, TARGET, SEL_CODE32, 0, AT_USER_STACK, 0);
    ASSERT_FAULT(f, ring_iret(f->cpu, W64), VEC_GP, 0, RULE_IR_06); /* null to compatibility mode */
    put_frame(f, 8, TARGET, SEL_UCODE64 | 3, 0, AT_USER_STACK, SEL_DATA32 | 3);
    ASSERT_FAULT(f, ring_iret(f->cpu, W64), VEC_GP, SEL_DATA32, RULE_IR_07);
    put_frame(f, 8, TARGET, SEL_UCODE64 | 3, 0, AT_USER_STACK, SEL_ABSENT_UDATA | 3);
    ASSERT_FAULT(f, ring_iret(f->cpu, W64), VEC_SS, SEL_ABSENT_UDATA, RULE_IR_07);
    put_frame(f, 8, TARGET, SEL_CODE64, 0, 0x0000800000000000, 0); /* null at CPL 0, IR-15 */
    ASSERT_COMPLETES(f, ring_iret(f->cpu, W64));
    assert_int_equal(f->cpu->arch.gpr[RSP], 0x0000800000000000);
    assert_int_equal(f->last.mechanism, MECH_IRET_SAME);
    fixture_free(f);
}

static void target_checks(void **state)
{
    struct ring_fixture *f = fixture_long(VENDOR_INTEL);

    (void)state;
    kernel64(f, 0);
    put_frame(f, 8, 0x0000800000000000, SEL_UCODE64 | 3, 0, AT_USER_STACK, SEL_UDATA32 | 3);
    ASSERT_FAULT(f, ring_iret(f->cpu, W64), VEC_GP, 0, RULE_IR_08);
    put_frame(f, 8, TARGET, SEL_SMALL_UCODE | 3, 0, AT_USER_STACK, SEL_UDATA32 | 3);
    ASSERT_FAULT(f, ring_iret(f->cpu, W64), VEC_GP, 0, RULE_IR_08);
    assert_int_equal(f->cpu->arch.cpl, 0);
    assert_int_equal(f->transitions, 0);
    kernel64(f, FLAG_NT);
    ASSERT_FAULT(f, ring_iret(f->cpu, W64), VEC_GP, 0, RULE_IR_01);
    fixture_free(f);
}

/* IR-11: the upper bits of a 16-bit stack's RSP. */
static u64 rsp_after_small_stack(enum cpu_vendor vendor)
{
    struct ring_fixture *f = fixture_long(vendor);
    const u64 top = 0xFFFFC90000000000;
    u64 rsp;

    put(f, AT_PAGING + 0xC90, (AT_PAGING + 0x1000) | 7, 8);
    fixture_enter(f, SEL_CODE64, 0, AT_CODE, top + AT_KERNEL_STACK - 0x100, FLAG_FIXED1);
    put(f, AT_PAGING + (top >> 39 & 511) * 8, (AT_PAGING + 0x1000) | 7, 8);
    put(f, AT_PAGING + 0x1000 + (top >> 30 & 511) * 8, (AT_PAGING + 0x2000) | 7, 8);
    f->cpu->arch.gpr[RSP] = AT_KERNEL_STACK - 0x100;
    put_frame(f, 8, 0x100, SEL_UCODE32 | 3, 0, 0xABCD1234, SEL_UDATA16 | 3);
    f->cpu->arch.gpr[RSP] += top;
    ASSERT_COMPLETES(f, ring_iret(f->cpu, W64));
    rsp = f->cpu->arch.gpr[RSP];
    fixture_free(f);
    return rsp;
}

static void small_stack(void **state)
{
    (void)state;
    assert_int_equal(rsp_after_small_stack(VENDOR_INTEL), 0x0000000000001234);
    assert_int_equal(rsp_after_small_stack(VENDOR_AMD), 0xFFFFC90000001234);
}

/* SH-05: NMI and a faulting IRET. */
static void nmi_unblocking(void **state)
{
    struct ring_fixture *f = fixture_long(VENDOR_INTEL);

    (void)state;
    kernel64(f, FLAG_NT);
    f->cpu->arch.nmi_blocked = 1;
    ASSERT_FAULT(f, ring_iret(f->cpu, W64), VEC_GP, 0, RULE_IR_01);
    assert_false(f->cpu->arch.nmi_blocked);
    fixture_free(f);

    f = fixture_long(VENDOR_AMD);
    kernel64(f, FLAG_NT);
    f->cpu->arch.nmi_blocked = 1;
    ASSERT_FAULT(f, ring_iret(f->cpu, W64), VEC_GP, 0, RULE_IR_01);
    assert_true(f->cpu->arch.nmi_blocked);
    kernel64(f, 0);
    put_frame(f, 8, TARGET, SEL_CODE64, 0, AT_KERNEL_STACK, 0);
    ASSERT_COMPLETES(f, ring_iret(f->cpu, W64));
    assert_false(f->cpu->arch.nmi_blocked);
    fixture_free(f);
}

static void to_and_from_vm86(void **state)
{
    struct ring_fixture *f = fixture_protected(VENDOR_INTEL);
    struct cpu_arch *a = &f->cpu->arch;
    static const u16 segments[] = {0x1111, 0x2222, 0x3333, 0x4444};

    (void)state;
    kernel32(f, 0);
    put_frame(f, 4, 0x10000, 0x2000, FLAG_VM | FLAG_IF | FLAG_IOPL, 0x100, 0x1400);
    for (unsigned i = 0; i < ARRAY_LEN(segments); i++)
        put(f, a->gpr[RSP] + 20 + 4 * i, segments[i], 4);
    ASSERT_FAULT(f, ring_iret(f->cpu, W32), VEC_GP, 0, RULE_IR_12);
    put(f, a->gpr[RSP], 0x10, 4);
    ASSERT_COMPLETES(f, ring_iret(f->cpu, W32));
    assert_int_equal(f->cpu->d.mode, MODE_VM86);
    assert_int_equal(a->cpl, 3);
    assert_int_equal(a->seg[CS].base, 0x20000);
    assert_int_equal(a->seg[ES].base, 0x11110);
    assert_int_equal(a->seg[DS].base, 0x22220);
    assert_int_equal(a->seg[GS].base, 0x44440);
    assert_int_equal(a->gpr[RSP], 0x100);
    assert_int_equal(f->last.mechanism, MECH_IRET_VM86);

    put(f, 0x14100, 0x1234, 2);
    put(f, 0x14102, 0x2100, 2);
    put(f, 0x14104, FLAG_CF, 2);
    ASSERT_COMPLETES(f, ring_iret(f->cpu, W16));
    assert_int_equal(a->seg[CS].base, 0x21000);
    assert_int_equal(f->cpu->d.next_rip, 0x1234);
    assert_int_equal(flags_get(f->cpu), FLAG_FIXED1 | FLAG_CF | FLAG_VM | FLAG_IOPL);
    fixture_vm86(f, FLAG_FIXED1);
    ASSERT_FAULT(f, ring_iret(f->cpu, W16), VEC_GP, 0, RULE_IR_03);
    a->cr4 = CR4_VME;
    a->gpr[RSP] = 0x100;
    put(f, 0x14104, FLAG_IF, 2);
    ASSERT_COMPLETES(f, ring_iret(f->cpu, W16));
    assert_int_equal(flags_get(f->cpu), FLAG_FIXED1 | FLAG_VM | FLAG_VIF);
    fixture_free(f);
}

static void real_mode(void **state)
{
    struct ring_fixture *f = fixture_new(VENDOR_INTEL);
    struct cpu_arch *a = &f->cpu->arch;

    (void)state;
    a->gpr[RSP] = 0x7000;
    flags_put(f->cpu, FLAG_VIF);
    put_frame(f, 4, 0x1234, 0x2000, 0xFFFFFFFF, 0, 0);
    ASSERT_COMPLETES(f, ring_iret(f->cpu, W32));
    assert_int_equal(flags_get(f->cpu), 0x257FD5 | FLAG_FIXED1 | FLAG_VIF); /* IR-17 */
    assert_int_equal(a->seg[CS].base, 0x20000);
    assert_int_equal(a->gpr[RSP], 0x700C);
    a->gpr[RSP] = 0x7000;
    put_frame(f, 4, 0x10000, 0x2000, 0, 0, 0);
    ASSERT_FAULT(f, ring_iret(f->cpu, W32), VEC_GP, 0, RULE_IR_08);
    fixture_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outward_32),          cmocka_unit_test(user_flags),
        cmocka_unit_test(code_segment_checks), cmocka_unit_test(stack_segment_checks),
        cmocka_unit_test(target_checks),       cmocka_unit_test(small_stack),
        cmocka_unit_test(nmi_unblocking),      cmocka_unit_test(to_and_from_vm86),
        cmocka_unit_test(real_mode),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

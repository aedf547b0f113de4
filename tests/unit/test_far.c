/* SPDX-License-Identifier: MIT
 * Far JMP, CALL and RET: direct, through call gates, between levels.
 */
#include "segment_fixture.h"

#define NEXT 0x10007u /* the return address of the fixture's instruction */

static void real_mode(void **state)
{
    (void)state;
    struct fixture *f = fixture_new(VENDOR_INTEL);

    fixture_real(f);
    f->cpu->arch.gpr[RSP] = 0x12340002;
    f->cpu->arch.seg[CS].selector = 0x777;
    f->cpu->d.next_rip = 0x55;
    EXPECT_OK(f, far_call(f->cpu, 0x2000, 0x1234, W16));
    assert_int_equal(f->cpu->arch.seg[CS].base, 0x20000);
    assert_int_equal(f->cpu->d.next_rip, 0x1234);
    assert_int_equal(f->cpu->arch.gpr[RSP], 0x1234FFFE); /* SP wraps, ESP's upper half stays */
    assert_int_equal(get(f, 0, 2), 0x777);
    assert_int_equal(get(f, 0xFFFE, 2), 0x55);
    EXPECT_OK(f, far_return(f->cpu, W16, 4));
    assert_int_equal(f->cpu->arch.seg[CS].selector, 0x777);
    assert_int_equal(f->cpu->d.next_rip, 0x55);
    assert_int_equal(f->cpu->arch.gpr[RSP], 0x12340006);
    EXPECT_FAULT(f, far_jump(f->cpu, 0x2000, 0x10000, W32), VEC_GP, 0, RULE_JF_03);
    f->cpu->arch.gpr[RSP] = 1; /* a word at FFFFh does not fit */
    EXPECT_FAULT(f, far_call(f->cpu, 0x2000, 0, W16), VEC_SS, 0, RULE_SG_04);
    fixture_free(f);
}

static void direct_checks(void **state)
{
    (void)state;
    struct fixture *f = fixture_new(VENDOR_INTEL);

    EXPECT_FAULT(f, far_jump(f->cpu, 2, 0, W32), VEC_GP, 0, RULE_JF_01);
    EXPECT_FAULT(f, far_jump(f->cpu, 0x100, 0, W32), VEC_GP, 0x100, RULE_JF_01);
    EXPECT_FAULT(f, far_jump(f->cpu, DATA0, 0, W32), VEC_GP, DATA0, RULE_JF_01);
    EXPECT_FAULT(f, far_jump(f->cpu, CODE3, 0, W32), VEC_GP, CODE3 & ~3, RULE_JF_01);
    EXPECT_FAULT(f, far_jump(f->cpu, CODE0 | 1, 0, W32), VEC_GP, CODE0, RULE_JF_01);
    EXPECT_FAULT(f, far_jump(f->cpu, LDT_SEL, 0, W32), VEC_GP, LDT_SEL, RULE_JF_01);
    EXPECT_FAULT(f, far_jump(f->cpu, CODE16, 0x10000, W32), VEC_GP, 0, RULE_JF_03);
    gdt_put(f, FREE, make_descriptor(0, 0xFFFFF, ACCESS(0u, TYPE_CODE) & ~0x80u, FLAT32));
    EXPECT_FAULT(f, far_jump(f->cpu, FREE, 0, W32), VEC_NP, FREE, RULE_JF_01);
    assert_int_equal(f->transitions, 0);
    EXPECT_OK(f, far_jump(f->cpu, CODE16, 0xABCD, W32));
    assert_int_equal(f->cpu->d.mode, MODE_PM16);
    assert_int_equal(f->last.mechanism, MECH_JMP_FAR);
    assert_true(gdt_get(f, CODE16) & BIT(40));
    fixture_free(f);
}

static void direct_call_pushes(void **state)
{
    (void)state;
    struct fixture *f = fixture_new(VENDOR_INTEL);

    EXPECT_OK(f, far_call(f->cpu, CODE0, 0x20000, W32));
    assert_int_equal(f->cpu->arch.gpr[RSP], 0x7FF8);
    assert_int_equal(get(f, 0x7FF8, 4), NEXT);
    assert_int_equal(get(f, 0x7FFC, 4), CODE0);
    assert_int_equal(f->last.mechanism, MECH_CALL_FAR);
    assert_int_equal(f->last.frame, 0x7FF8);
    EXPECT_OK(f, far_return(f->cpu, W32, 8));
    assert_int_equal(f->cpu->arch.gpr[RSP], 0x8008);
    assert_int_equal(f->cpu->d.next_rip, NEXT);
    fixture_free(f);
}

static void conforming_code_keeps_the_level(void **state)
{
    (void)state;
    struct fixture *f = fixture_new(VENDOR_INTEL);

    enter(f, CODE3, DATA3, 0x10000, 0x8000);
    EXPECT_OK(f, far_jump(f->cpu, CONFORM0, 0x1000, W32));
    assert_int_equal(f->cpu->arch.seg[CS].selector, CONFORM0 | 3);
    assert_int_equal(f->cpu->arch.cpl, 3);
    fixture_free(f);
}

static void long_mode_direct(void **state)
{
    (void)state;
    struct fixture *f = fixture_new64(VENDOR_INTEL, CODE64);

    gdt_put(f, FREE, make_descriptor(0, 0xFFFFF, ACCESS(0u, TYPE_CODE), 0xE)); /* L = D = 1 */
    EXPECT_FAULT(f, far_jump(f->cpu, FREE, 0, W32), VEC_GP, FREE, RULE_JF_04);
    EXPECT_FAULT(f, far_jump(f->cpu, CODE64, 1ull << 47, W64), VEC_GP, 0, RULE_JF_03);
    EXPECT_OK(f, far_call(f->cpu, CODE64, 0xFFFF800000000000, W64));
    assert_int_equal(f->cpu->arch.gpr[RSP], 0x7FF0);
    assert_int_equal(get(f, 0x7FF0, 8), NEXT);
    EXPECT_OK(f, far_jump(f->cpu, CODE0, 0x4000, W32)); /* to compatibility mode */
    assert_int_equal(f->cpu->d.mode, MODE_COMPAT32);
    EXPECT_FAULT(f, far_jump(f->cpu, TSS2_SEL, 0, W32), VEC_GP, TSS2_SEL, RULE_TS_05);
    gdt_put(f, FREE, make_gate(TSS2_SEL, 0, SYSTEM(3u, SYS_TASK_GATE), 0));
    EXPECT_FAULT(f, far_jump(f->cpu, FREE, 0, W32), VEC_GP, FREE, RULE_TS_05);
    fixture_free(f);
}

/* A ring-3 program before a call gate to ring 0, with two parameters on its stack. */
static struct fixture *at_gate(unsigned type, unsigned dpl)
{
    struct fixture *f = fixture_new(VENDOR_INTEL);

    gdt_put(f, FREE, make_gate(CODE0 | 3, 0x00045678, SYSTEM(dpl, type), 2));
    put(f, TSS_AT + 4, 0x9000, 4);
    put(f, TSS_AT + 8, DATA0, 2);
    enter(f, CODE3, DATA3, 0x10000, 0x8000);
    put(f, 0x8000, 0x1111111122222222, 8);
    return f;
}

static void call_gate_switches_stacks(void **state)
{
    (void)state;
    struct fixture *f = at_gate(SYS_CALL_GATE, 3);

    EXPECT_OK(f, far_call(f->cpu, FREE | 3, 0xDEAD, W32));
    assert_int_equal(f->cpu->arch.cpl, 0);
    assert_int_equal(f->cpu->arch.seg[CS].selector, CODE0); /* CG-02 */
    assert_int_equal(f->cpu->arch.seg[SS].selector, DATA0);
    assert_int_equal(f->cpu->d.next_rip, 0x45678);
    assert_int_equal(f->cpu->arch.gpr[RSP], 0x9000 - 24);
    assert_int_equal(get(f, 0x8FFC, 4), DATA3);
    assert_int_equal(get(f, 0x8FF8, 4), 0x8000);
    assert_int_equal(get(f, 0x8FF4, 4), 0x11111111);
    assert_int_equal(get(f, 0x8FF0, 4), 0x22222222);
    assert_int_equal(get(f, 0x8FEC, 4), CODE3);
    assert_int_equal(get(f, 0x8FE8, 4), NEXT);
    assert_int_equal(f->last.mechanism, MECH_CALL_GATE);
    assert_int_equal(f->last.from.cpl, 3);
    assert_int_equal(f->last.parameters, 2);

    /* and back: parameters leave both stacks, kernel segments go */
    f->cpu->arch.seg[DS] = f->cpu->arch.seg[SS];
    EXPECT_OK(f, far_return(f->cpu, W32, 8));
    assert_int_equal(f->cpu->arch.cpl, 3);
    assert_int_equal(f->cpu->arch.gpr[RSP], 0x8008);
    assert_int_equal(f->cpu->arch.seg[SS].selector, DATA3);
    assert_int_equal(f->cpu->arch.seg[DS].selector, 0);
    assert_int_equal(f->cpu->d.next_rip, NEXT);
    fixture_free(f);
}

static void call_gate_16_copies_words(void **state)
{
    (void)state;
    struct fixture *f = at_gate(SYS_CALL_GATE16, 3);

    EXPECT_OK(f, far_call(f->cpu, FREE | 3, 0, W32));
    assert_int_equal(f->cpu->d.next_rip, 0x5678);
    assert_int_equal(f->cpu->arch.gpr[RSP], 0x9000 - 12);
    assert_int_equal(get(f, 0x8FFE, 2), DATA3);
    assert_int_equal(get(f, 0x8FFC, 2), 0x8000);
    assert_int_equal(get(f, 0x8FFA, 2), 0x2222);
    assert_int_equal(get(f, 0x8FF4, 2), NEXT & 0xFFFF);
    fixture_free(f);
}

static void call_gate_checks(void **state)
{
    (void)state;
    struct fixture *f = at_gate(SYS_CALL_GATE, 2);

    EXPECT_FAULT(f, far_call(f->cpu, FREE, 0, W32), VEC_GP, FREE, RULE_CG_01);
    gdt_put(f, FREE, make_gate(CODE0, 0, SYSTEM(3u, SYS_CALL_GATE) & ~0x80u, 0));
    EXPECT_FAULT(f, far_call(f->cpu, FREE, 0, W32), VEC_NP, FREE, RULE_CG_01);
    gdt_put(f, FREE, make_gate(0, 0, SYSTEM(3u, SYS_CALL_GATE), 0));
    EXPECT_FAULT(f, far_call(f->cpu, FREE, 0, W32), VEC_GP, 0, RULE_CG_05);
    gdt_put(f, FREE, make_gate(DATA0, 0, SYSTEM(3u, SYS_CALL_GATE), 0));
    EXPECT_FAULT(f, far_call(f->cpu, FREE, 0, W32), VEC_GP, DATA0, RULE_CG_05);
    gdt_put(f, FREE, make_gate(CODE0, 0, SYSTEM(3u, SYS_CALL_GATE), 2));
    EXPECT_FAULT(f, far_jump(f->cpu, FREE, 0, W32), VEC_GP, CODE0, RULE_CG_06);

    put(f, TSS_AT + 8, 0, 2);
    EXPECT_FAULT(f, far_call(f->cpu, FREE, 0, W32), VEC_TS, 0, RULE_CG_04);
    put(f, TSS_AT + 8, DATA0 | 1, 2);
    EXPECT_FAULT(f, far_call(f->cpu, FREE, 0, W32), VEC_TS, DATA0, RULE_CG_04);
    gdt_put(f, FREE + 8, make_descriptor(0, 0xFFFFF, ACCESS(0u, TYPE_DATA) & ~0x80u, FLAT32));
    put(f, TSS_AT + 8, FREE + 8, 2);
    EXPECT_FAULT(f, far_call(f->cpu, FREE, 0, W32), VEC_SS, FREE + 8, RULE_CG_04);
    put(f, TSS_AT + 8, DATA0, 2);
    put(f, TSS_AT + 4, 20, 4);                                               /* six words do not fit in 20 bytes ... */
    gdt_put(f, DATA0, make_descriptor(0, 0xFFFF, ACCESS(0u, TYPE_DATA), 4)); /* ... of a 64 KiB stack */
    EXPECT_FAULT(f, far_call(f->cpu, FREE, 0, W32), VEC_SS, DATA0, RULE_CG_04);
    f->cpu->arch.tr.limit = 8;
    EXPECT_FAULT(f, far_call(f->cpu, FREE, 0, W32), VEC_TS, TSS_SEL, RULE_CG_04);
    assert_int_equal(f->transitions, 0);
    assert_int_equal(f->cpu->arch.gpr[RSP], 0x8000);
    fixture_free(f);
}

static void call_gate_64(void **state)
{
    (void)state;
    struct fixture *f = fixture_new64(VENDOR_INTEL, CODE64_3);

    f->cpu->arch.tr.limit = 0x67;
    put(f, TSS_AT + 4, 0x9004, 8); /* no alignment (CG-03) */
    gdt_put(f, FREE, make_gate(CODE64, 0x22223333, SYSTEM(3u, SYS_CALL_GATE), 5));
    gdt_put(f, FREE + 8, 0xFFFF8000);
    EXPECT_OK(f, far_call(f->cpu, FREE | 3, 0, W32));
    assert_true(f->cpu->d.next_rip == 0xFFFF800022223333);
    assert_int_equal(f->cpu->arch.gpr[RSP], 0x9004 - 32);
    assert_int_equal(get(f, 0x9004 - 8, 8), DATA3);
    assert_int_equal(get(f, 0x9004 - 16, 8), 0x8000);
    assert_int_equal(get(f, 0x9004 - 24, 8), CODE64_3);
    assert_int_equal(get(f, 0x9004 - 32, 8), NEXT);
    assert_int_equal(f->cpu->arch.seg[SS].selector, 0);
    EXPECT_OK(f, far_return(f->cpu, W64, 0));
    assert_int_equal(f->cpu->arch.cpl, 3);
    assert_int_equal(f->cpu->arch.gpr[RSP], 0x8000);

    enter(f, CODE64_3, DATA3, 0x10000, 0x8000);
    gdt_put(f, FREE, make_gate(CODE0, 0x22223333, SYSTEM(3u, SYS_CALL_GATE), 0));
    EXPECT_FAULT(f, far_call(f->cpu, FREE | 3, 0, W32), VEC_GP, CODE0, RULE_CG_03);
    gdt_put(f, FREE + 8, 0xC0000000000); /* type bits in the upper half */
    EXPECT_FAULT(f, far_call(f->cpu, FREE | 3, 0, W32), VEC_GP, FREE, RULE_CG_03);
    gdt_put(f, FREE, make_gate(CODE64, 0, SYSTEM(3u, SYS_CALL_GATE16), 0));
    EXPECT_FAULT(f, far_call(f->cpu, FREE | 3, 0, W32), VEC_GP, FREE, RULE_CG_03);
    gdt_put(f, FREE, make_gate(CODE64, 0, SYSTEM(3u, SYS_CALL_GATE), 0));
    gdt_put(f, FREE + 8, 0);
    put(f, TSS_AT + 4, 1ull << 47, 8);
    EXPECT_FAULT(f, far_call(f->cpu, FREE | 3, 0, W32), VEC_SS, 0, RULE_ID_10);
    put(f, TSS_AT + 4, 0xFFFF800000000008, 8); /* the second push falls below the canonical half */
    EXPECT_FAULT(f, far_call(f->cpu, FREE | 3, 0, W32), VEC_SS, 0, RULE_CG_04);
    fixture_free(f);
}

static void call_gate_same_level(void **state)
{
    (void)state;
    struct fixture *f = fixture_new(VENDOR_INTEL);

    gdt_put(f, FREE, make_gate(CODE0 | 3, 0x5000, SYSTEM(0u, SYS_CALL_GATE), 3));
    EXPECT_OK(f, far_call(f->cpu, FREE, 0, W32));
    assert_int_equal(f->cpu->arch.gpr[RSP], 0x7FF8);
    assert_int_equal(f->cpu->arch.seg[CS].selector, CODE0);
    EXPECT_OK(f, far_jump(f->cpu, FREE, 0, W32)); /* CG-06: same level by JMP, no push */
    assert_int_equal(f->cpu->arch.gpr[RSP], 0x7FF8);
    fixture_free(f);
}

/* Put a far return frame on the stack. */
static void frame(struct fixture *f, u64 ip, u64 cs, u64 sp, u64 ss, unsigned size)
{
    put(f, 0x8000, ip, size);
    put(f, 0x8000 + size, cs, size);
    put(f, 0x8000 + 2 * size, sp, size);
    put(f, 0x8000 + 3 * size, ss, size);
    f->cpu->arch.gpr[RSP] = 0x8000;
}

static void return_checks(void **state)
{
    (void)state;
    struct fixture *f = fixture_new(VENDOR_INTEL);

    frame(f, 0x1000, 0, 0, 0, 4);
    EXPECT_FAULT(f, far_return(f->cpu, W32, 0), VEC_GP, 0, RULE_RF_01);
    frame(f, 0x1000, DATA0, 0, 0, 4);
    EXPECT_FAULT(f, far_return(f->cpu, W32, 0), VEC_GP, DATA0, RULE_RF_01);
    frame(f, 0x1000, CODE3, 0x6000, 0, 4);
    EXPECT_FAULT(f, far_return(f->cpu, W32, 0), VEC_GP, 0, RULE_RF_02);
    frame(f, 0x1000, CODE3, 0x6000, DATA0 | 3, 4);
    EXPECT_FAULT(f, far_return(f->cpu, W32, 0), VEC_GP, DATA0, RULE_RF_02);
    gdt_put(f, FREE, make_descriptor(0, 0xFFFFF, ACCESS(3u, TYPE_DATA) & ~0x80u, FLAT32));
    frame(f, 0x1000, CODE3, 0x6000, FREE | 3, 4);
    EXPECT_FAULT(f, far_return(f->cpu, W32, 0), VEC_SS, FREE, RULE_RF_02);
    frame(f, 0x10000, CODE16, 0, 0, 4);
    EXPECT_FAULT(f, far_return(f->cpu, W32, 0), VEC_GP, 0, RULE_JF_03);
    assert_int_equal(f->cpu->arch.gpr[RSP], 0x8000);
    enter(f, CODE3, DATA3, 0x10000, 0x8000);
    frame(f, 0x1000, CODE0, 0, 0, 4);
    EXPECT_FAULT(f, far_return(f->cpu, W32, 0), VEC_GP, CODE0, RULE_RF_01);
    fixture_free(f);
}

static void return_to_a_16bit_stack(void **state)
{
    (void)state;
    struct fixture *f = fixture_new(VENDOR_INTEL);

    frame(f, 0x1000, CODE3, 0xABCD6000, STACK16_3, 4);
    put(f, 0x18000, get(f, 0x8000, 8), 8);
    put(f, 0x18008, get(f, 0x8008, 8), 8);
    f->cpu->arch.gpr[RSP] = 0x18000;
    EXPECT_OK(f, far_return(f->cpu, W32, 0));
    assert_int_equal(f->cpu->arch.gpr[RSP], 0x16000); /* IR-11: only SP is restored */
    fixture_free(f);
}

static void null_stack_in_64bit_mode(void **state)
{
    (void)state;
    struct fixture *f = fixture_new64(VENDOR_INTEL, CODE64);

    gdt_put(f, FREE, make_descriptor(0, 0xFFFFF, ACCESS(1u, TYPE_CODE), FLAT64));
    frame(f, 0x1000, FREE | 1, 0x6000, 0, 8);
    EXPECT_FAULT(f, far_return(f->cpu, W64, 0), VEC_GP, 0, RULE_RF_02);
    frame(f, 0x1000, FREE | 1, 0x6000, 1, 8);
    EXPECT_OK(f, far_return(f->cpu, W64, 0));
    assert_int_equal(f->cpu->arch.cpl, 1);
    assert_int_equal(f->cpu->arch.seg[SS].selector, 1);
    enter(f, CODE64, DATA0, 0x10000, 0x8000);
    frame(f, 0x1000, CODE64_3, 0x6000, 3, 8);
    EXPECT_FAULT(f, far_return(f->cpu, W64, 0), VEC_GP, 0, RULE_RF_02);
    frame(f, 1ull << 47, CODE64_3, 0x6000, DATA3, 8);
    EXPECT_FAULT(f, far_return(f->cpu, W64, 0), VEC_GP, 0, RULE_JF_03);
    f->cpu->arch.gpr[RSP] = 1ull << 47;
    EXPECT_FAULT(f, far_return(f->cpu, W64, 0), VEC_SS, 0, RULE_ID_20);
    fixture_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(real_mode),
        cmocka_unit_test(direct_checks),
        cmocka_unit_test(direct_call_pushes),
        cmocka_unit_test(conforming_code_keeps_the_level),
        cmocka_unit_test(long_mode_direct),
        cmocka_unit_test(call_gate_switches_stacks),
        cmocka_unit_test(call_gate_16_copies_words),
        cmocka_unit_test(call_gate_checks),
        cmocka_unit_test(call_gate_64),
        cmocka_unit_test(call_gate_same_level),
        cmocka_unit_test(return_checks),
        cmocka_unit_test(return_to_a_16bit_stack),
        cmocka_unit_test(null_stack_in_64bit_mode),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

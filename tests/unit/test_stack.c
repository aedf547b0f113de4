/* SPDX-License-Identifier: MIT
 * The stack cursor's limits and wrap, the table of stack violations, and the stacks in the TSS.
 */
#include "segment_fixture.h"

#include "cpu/ring/stack.h"

static void a_16bit_stack_wraps_in_sp(void **state)
{
    (void)state;
    struct fixture *f = fixture_new(VENDOR_INTEL);
    struct segment ss = {.attr = 0x93, .limit = 0xFFFF, .base = 0x20000};
    struct stack_cursor c = stack_new(f->cpu, &ss, 0xABC0000, 0, SS_(8), RULE_ID_24);

    EXPECT_OK(f, stack_push(&c, 0x1122334455667788, W32));
    assert_int_equal(c.sp, 0xABCFFFC);
    assert_int_equal(get(f, 0x2FFFC, 4), 0x55667788);
    assert_int_equal(stack_linear(&c), 0x2FFFC);
    assert_int_equal(stack_peek(&c, 2, W16), 0x5566);
    assert_int_equal(stack_pop(&c, W32), 0x55667788);
    assert_int_equal(c.sp, 0xABC0000);
    stack_release(&c, 0x10004);
    assert_int_equal(c.sp, 0xABC0004);
    c.sp = 1;
    EXPECT_FAULT(f, stack_push(&c, 0, W16), VEC_SS, 8, RULE_ID_24);
    assert_int_equal(c.sp, 1);
    fixture_free(f);
}

static void an_expand_down_stack_ends_above_its_limit(void **state)
{
    (void)state;
    struct fixture *f = fixture_new(VENDOR_INTEL);
    struct segment ss = {.attr = 0x97, .limit = 0x1000};
    struct stack_cursor c = stack_new(f->cpu, &ss, 0x1006, 0, SS_(0), RULE_ID_24);

    ss.attr |= SEG_DB;
    EXPECT_OK(f, stack_push(&c, 0, W16));
    EXPECT_FAULT(f, stack_push(&c, 0, W32), VEC_SS, 0, RULE_ID_24);
    EXPECT_OK(f, stack_require_room(&c, 1, W16));
    EXPECT_FAULT(f, stack_require_room(&c, 2, W16), VEC_SS, 0, RULE_ID_24);
    c = stack_new(f->cpu, &ss, 0x20000, 0, SS_(0), RULE_ID_24);
    EXPECT_OK(f, stack_push(&c, 0, W32)); /* a big one reaches past 64 KiB */
    fixture_free(f);
}

static void a_64bit_stack_is_canonical(void **state)
{
    (void)state;
    struct fixture *f = fixture_new64(VENDOR_INTEL, CODE64);
    struct stack_cursor c = stack_new64(f->cpu, 0xFFFF800000000010, 0, SS_(1), RULE_ID_10);

    EXPECT_OK(f, stack_require_room(&c, 2, W64));
    EXPECT_FAULT(f, stack_require_room(&c, 3, W64), VEC_SS, 1, RULE_ID_10);
    c.sp = 0x8000000000000000;
    EXPECT_FAULT(f, stack_pop(&c, W64), VEC_SS, 1, RULE_ID_10);
    fixture_free(f);
}

static void the_view_is_that_of_the_level(void **state)
{
    (void)state;
    struct fixture *f = fixture_new(VENDOR_INTEL);

    assert_int_equal(access_view_at(f->cpu, 3), VIEW_USER);
    assert_int_equal(access_view_at(f->cpu, 0), VIEW_SUPERVISOR);
    f->cpu->arch.rflags |= FLAG_AC;
    assert_int_equal(access_view_at(f->cpu, 0), VIEW_SUPERVISOR_AC);
    assert_int_equal(access_view_at(f->cpu, 3), VIEW_USER);
    fixture_free(f);
}

static void violations_by_mechanism(void **state)
{
    (void)state;
    struct fault fault = stack_violation_fault(STACK_USE_INTERRUPT, VIOLATION_DPL, 0x1B, 1);

    assert_int_equal(fault.vector, VEC_TS);
    assert_int_equal(fault.error, 0x19);
    fault = stack_violation_fault(STACK_USE_IRET, VIOLATION_RPL, 0x1B, 0);
    assert_int_equal(fault.vector, VEC_GP);
    fault = stack_violation_fault(STACK_USE_IRET, VIOLATION_ABSENT, 0x1B, 0);
    assert_int_equal(fault.vector, VEC_SS);
    assert_int_equal(fault.error, 0x18);
    assert_int_equal(stack_violation_rule(STACK_USE_IRET, VIOLATION_NULL), RULE_IR_06);
    assert_int_equal(stack_violation_rule(STACK_USE_IRET, VIOLATION_TYPE), RULE_IR_07);
}

static void stacks_in_the_tss(void **state)
{
    (void)state;
    struct fixture *f = fixture_new(VENDOR_INTEL);
    struct segment *tr = &f->cpu->arch.tr;
    struct tss_stack s = {0};

    put(f, TSS_AT + 0x0C, 0x12345678, 4);
    put(f, TSS_AT + 0x10, 0xFFFF0011, 4);
    EXPECT_OK(f, s = tss_stack_fetch(f->cpu, 1, 0, RULE_ID_09));
    assert_int_equal(s.sp, 0x12345678);
    assert_int_equal(s.ss, 0x11);
    tr->limit = 1 * 8 + 9;
    EXPECT_OK(f, tss_stack_fetch(f->cpu, 1, 1, RULE_ID_09));
    tr->limit--;
    EXPECT_FAULT(f, tss_stack_fetch(f->cpu, 1, 1, RULE_ID_09), VEC_TS, TSS_SEL | 1, RULE_ID_09);
    tr->attr = SYSTEM(0u, SYS_TSS16_BUSY);
    put(f, TSS_AT + 6, 0x00229988, 4);
    tr->limit = 1 * 4 + 5;
    EXPECT_OK(f, s = tss_stack_fetch(f->cpu, 1, 0, RULE_ID_09));
    assert_int_equal(s.sp, 0x9988);
    assert_int_equal(s.ss, 0x22);
    tr->limit--;
    EXPECT_FAULT(f, tss_stack_fetch(f->cpu, 1, 0, RULE_ID_09), VEC_TS, TSS_SEL, RULE_ID_09);
    fixture_free(f);
}

static void stacks_in_a_64bit_tss(void **state)
{
    (void)state;
    struct fixture *f = fixture_new64(VENDOR_INTEL, CODE64);
    u64 rsp = 0;

    put(f, TSS_AT + 0x14, 0xFFFF800000001238, 8);
    EXPECT_OK(f, rsp = tss_rsp_fetch(f->cpu, 2, 0, RULE_ID_09));
    assert_true(rsp == 0xFFFF800000001238);
    put(f, TSS_AT + 0x54, 0x7000, 8);
    EXPECT_OK(f, rsp = tss_ist_fetch(f->cpu, 7, 0));
    assert_int_equal(rsp, 0x7000);
    f->cpu->arch.tr.limit = 0x54 + 7;
    EXPECT_OK(f, tss_ist_fetch(f->cpu, 7, 0));
    f->cpu->arch.tr.limit--;
    EXPECT_FAULT(f, tss_ist_fetch(f->cpu, 7, 1), VEC_TS, TSS_SEL | 1, RULE_ID_09);
    put(f, TSS_AT + 0x24, 1ull << 47, 8);
    EXPECT_FAULT(f, tss_ist_fetch(f->cpu, 1, 1), VEC_SS, 1, RULE_ID_10);
    fixture_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_16bit_stack_wraps_in_sp),  cmocka_unit_test(an_expand_down_stack_ends_above_its_limit),
        cmocka_unit_test(a_64bit_stack_is_canonical), cmocka_unit_test(the_view_is_that_of_the_level),
        cmocka_unit_test(violations_by_mechanism),    cmocka_unit_test(stacks_in_the_tss),
        cmocka_unit_test(stacks_in_a_64bit_tss),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

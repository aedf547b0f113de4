/* SPDX-License-Identifier: MIT
 * Segment loads, LLDT, LTR, the selector queries, and the revocation of data segments.
 */
#include "segment_fixture.h"

#include "cpu/ring/segment.h"

#define MOV(f, seg, sel) segment_load((f)->cpu, (seg), (sel))

static void mov_ss_checks(void **state)
{
    (void)state;
    struct fixture *f = fixture_new(VENDOR_INTEL);

    EXPECT_FAULT(f, MOV(f, SS, 0), VEC_GP, 0, RULE_SG_01);
    EXPECT_FAULT(f, MOV(f, SS, DATA0 | 1), VEC_GP, DATA0, RULE_SG_01);
    EXPECT_FAULT(f, MOV(f, SS, DATA3 & ~3), VEC_GP, DATA3 & ~3, RULE_SG_01);
    EXPECT_FAULT(f, MOV(f, SS, CODE0), VEC_GP, CODE0, RULE_SG_01);
    EXPECT_FAULT(f, MOV(f, SS, 0x1000), VEC_GP, 0x1000, RULE_SG_01);
    EXPECT_FAULT(f, MOV(f, SS, 0x0C), VEC_GP, 0x0C, RULE_SG_01); /* null LDT */
    gdt_put(f, FREE, make_descriptor(0, 0xFFFFF, ACCESS(0u, TYPE_DATA) & ~0x80u, FLAT32));
    EXPECT_FAULT(f, MOV(f, SS, FREE), VEC_SS, FREE, RULE_SG_01);
    gdt_put(f, FREE, make_descriptor(0, 0xFFFFF, ACCESS(0u, 0u), FLAT32)); /* read-only */
    EXPECT_FAULT(f, MOV(f, SS, FREE), VEC_GP, FREE, RULE_SG_01);
    assert_int_equal(f->cpu->arch.seg[SS].selector, DATA0);
    EXPECT_OK(f, MOV(f, SS, DATA16));
    assert_int_equal(f->cpu->arch.seg[SS].limit, 0xFFFF);
    assert_true(gdt_get(f, DATA16) & BIT(40));
    fixture_free(f);
}

static void null_ss_in_64bit_mode(void **state)
{
    (void)state;
    struct fixture *f = fixture_new64(VENDOR_INTEL, CODE64);

    EXPECT_OK(f, MOV(f, SS, 0));
    EXPECT_FAULT(f, MOV(f, SS, 1), VEC_GP, 0, RULE_SG_01); /* Intel: RPL = CPL */
    fixture_free(f);
    f = fixture_new64(VENDOR_AMD, CODE64);
    EXPECT_OK(f, MOV(f, SS, 1));
    fixture_free(f);
    f = fixture_new64(VENDOR_INTEL, CODE64_3);
    EXPECT_FAULT(f, MOV(f, SS, 3), VEC_GP, 0, RULE_SG_01);
    fixture_free(f);
}

static void mov_ds_checks(void **state)
{
    (void)state;
    struct fixture *f = fixture_new(VENDOR_INTEL);

    EXPECT_OK(f, MOV(f, DS, DATA3)); /* DPL 3 >= RPL 3 */
    EXPECT_OK(f, MOV(f, DS, CODE0)); /* readable code */
    EXPECT_FAULT(f, MOV(f, DS, DATA0 | 3), VEC_GP, DATA0, RULE_SG_02);
    EXPECT_OK(f, MOV(f, DS, CONFORM0 | 3));
    EXPECT_FAULT(f, MOV(f, DS, TSS_SEL), VEC_GP, TSS_SEL, RULE_SG_02);
    gdt_put(f, FREE, make_descriptor(0, 0xFFFFF, ACCESS(0u, SEG_CODE), FLAT32)); /* execute-only */
    EXPECT_FAULT(f, MOV(f, ES, FREE), VEC_GP, FREE, RULE_SG_02);
    gdt_put(f, FREE, make_descriptor(0, 0xFFFFF, ACCESS(0u, TYPE_DATA) & ~0x80u, FLAT32));
    EXPECT_FAULT(f, MOV(f, ES, FREE), VEC_NP, FREE, RULE_SG_02);
    EXPECT_FAULT(f, MOV(f, ES, 0x100), VEC_GP, 0x100, RULE_SG_02);
    enter(f, CODE3, DATA3, 0, 0x8000);
    EXPECT_FAULT(f, MOV(f, DS, DATA0), VEC_GP, DATA0, RULE_SG_02);
    EXPECT_OK(f, MOV(f, DS, CONFORM0));
    fixture_free(f);
}

static void null_fs_by_vendor(void **state)
{
    (void)state;
    struct fixture *f = fixture_new64(VENDOR_INTEL, CODE64);

    f->cpu->arch.seg[FS].base = 0x123456789000;
    EXPECT_OK(f, MOV(f, FS, 3));
    assert_int_equal(f->cpu->arch.seg[FS].base, 0);
    assert_int_equal(f->cpu->arch.seg[FS].selector, 3);
    fixture_free(f);
    f = fixture_new64(VENDOR_AMD, CODE64);
    f->cpu->arch.seg[FS].base = 0x123456789000;
    EXPECT_OK(f, MOV(f, FS, 0));
    assert_true(f->cpu->arch.seg[FS].base == 0x123456789000);
    f->cpu->model.feature[FEAT_NULL_CLEARS_BASE] = true;
    EXPECT_OK(f, MOV(f, FS, 0));
    assert_int_equal(f->cpu->arch.seg[FS].base, 0);
    f->cpu->arch.seg[GS].base = ~0ull << 40;
    gdt_put(f, FREE, make_descriptor(0x87654321, 0xFFFFF, ACCESS(0u, TYPE_DATA), FLAT32));
    EXPECT_OK(f, MOV(f, GS, FREE)); /* GS-06 */
    assert_int_equal(f->cpu->arch.seg[GS].base, 0x87654321);
    fixture_free(f);
}

static void real_mode_load(void **state)
{
    (void)state;
    struct fixture *f = fixture_new(VENDOR_INTEL);

    EXPECT_OK(f, MOV(f, DS, DATA0));
    EXPECT_OK(f, MOV(f, ES, 0));
    fixture_real(f);
    EXPECT_OK(f, MOV(f, DS, 0xB800));
    assert_int_equal(f->cpu->arch.seg[DS].base, 0xB8000);
    assert_int_equal(f->cpu->arch.seg[DS].limit, 0xFFFFFFFF); /* RM-02: big real mode */
    EXPECT_OK(f, MOV(f, ES, 0x100));
    assert_int_equal(f->cpu->arch.seg[ES].limit, 0xFFFF);
    assert_false(f->cpu->arch.seg[ES].attr & SEG_UNUSABLE);
    fixture_free(f);
}

static void lldt(void **state)
{
    (void)state;
    struct fixture *f = fixture_new(VENDOR_INTEL);

    EXPECT_FAULT(f, segment_load_ldtr(f->cpu, TSS_SEL), VEC_GP, TSS_SEL, RULE_SG_07);
    EXPECT_FAULT(f, segment_load_ldtr(f->cpu, LDT_SEL | 4), VEC_GP, LDT_SEL | 4, RULE_SG_07);
    gdt_put(f, FREE, make_descriptor(LDT_AT, 0x1F, 0x02, 0));
    EXPECT_FAULT(f, segment_load_ldtr(f->cpu, FREE), VEC_NP, FREE, RULE_SG_07);
    EXPECT_OK(f, segment_load_ldtr(f->cpu, LDT_SEL));
    put(f, LDT_AT + 8, make_descriptor(0x500, 0xFF, ACCESS(0u, TYPE_DATA), 0), 8);
    EXPECT_OK(f, MOV(f, DS, 0x0C));
    assert_int_equal(f->cpu->arch.seg[DS].base, 0x500);
    EXPECT_OK(f, segment_load_ldtr(f->cpu, 0));
    EXPECT_FAULT(f, MOV(f, DS, 0x0C), VEC_GP, 0x0C, RULE_SG_02);
    fixture_free(f);
}

static void ltr(void **state)
{
    (void)state;
    struct fixture *f = fixture_new(VENDOR_INTEL);

    EXPECT_FAULT(f, segment_load_tr(f->cpu, 0), VEC_GP, 0, RULE_SG_05);
    EXPECT_FAULT(f, segment_load_tr(f->cpu, TSS_SEL), VEC_GP, TSS_SEL, RULE_SG_05); /* busy */
    EXPECT_FAULT(f, segment_load_tr(f->cpu, LDT_SEL), VEC_GP, LDT_SEL, RULE_SG_05);
    gdt_put(f, FREE, make_descriptor(TSS2_AT, 0x67, SYS_TSS, 0));
    EXPECT_FAULT(f, segment_load_tr(f->cpu, FREE), VEC_NP, FREE, RULE_SG_05);
    EXPECT_OK(f, segment_load_tr(f->cpu, TSS2_SEL));
    assert_int_equal(f->cpu->arch.tr.base, TSS2_AT);
    assert_int_equal(gdt_get(f, TSS2_SEL) >> 40 & 0xF, SYS_TSS_BUSY);
    fixture_free(f);

    f = fixture_new64(VENDOR_INTEL, CODE64);
    gdt_put(f, FREE, make_descriptor(TSS2_AT, 0x67, SYSTEM(0u, SYS_TSS), 0));
    gdt_put(f, FREE + 8, 0x00008000); /* bits 63:32: not canonical */
    EXPECT_FAULT(f, segment_load_tr(f->cpu, FREE), VEC_GP, FREE, RULE_SG_09);
    gdt_put(f, FREE + 8, 0xFFFF8000);
    EXPECT_OK(f, segment_load_tr(f->cpu, FREE));
    assert_true(f->cpu->arch.tr.base == (0xFFFF800000000000 | TSS2_AT));
    gdt_put(f, FREE, make_descriptor(TSS2_AT, 0x67, SYSTEM(0u, SYS_TSS16), 0));
    EXPECT_FAULT(f, segment_load_tr(f->cpu, FREE), VEC_GP, FREE, RULE_SG_05);
    f->cpu->arch.gdtr.limit = FREE + 7;
    gdt_put(f, FREE, make_descriptor(TSS2_AT, 0x67, SYSTEM(0u, SYS_TSS), 0));
    EXPECT_FAULT(f, segment_load_tr(f->cpu, FREE), VEC_GP, FREE, RULE_SG_09);
    fixture_free(f);
}

static void queries(void **state)
{
    (void)state;
    struct fixture *f = fixture_new(VENDOR_INTEL), *amd = fixture_new(VENDOR_AMD);
    u32 value = 0;

    assert_true(segment_query_lar(f->cpu, DATA0, &value));
    assert_int_equal(value, 0x00C09200);
    assert_true(segment_query_lar(amd->cpu, DATA0, &value));
    assert_int_equal(value, 0x00CF9200);
    assert_true(segment_query_lsl(f->cpu, DATA0, &value));
    assert_int_equal(value, 0xFFFFFFFF);
    assert_true(segment_query_lsl(f->cpu, TSS_SEL, &value));
    assert_int_equal(value, 0x67);
    gdt_put(f, FREE, make_gate(CODE0, 0, SYSTEM(0u, SYS_CALL_GATE), 0));
    assert_true(segment_query_lar(f->cpu, FREE, &value));
    assert_false(segment_query_lsl(f->cpu, FREE, &value));
    gdt_put(f, FREE, make_gate(CODE0, 0, SYSTEM(0u, SYS_TRAP_GATE), 0));
    assert_false(segment_query_lar(f->cpu, FREE, &value));
    gdt_put(f, FREE, make_gate(TSS_SEL, 0, SYSTEM(0u, SYS_TASK_GATE), 0));
    assert_true(segment_query_lar(f->cpu, FREE, &value));
    assert_false(segment_query_lar(f->cpu, 0, &value));
    assert_false(segment_query_lar(f->cpu, DATA0 | 3, &value));
    assert_true(segment_query_lar(f->cpu, CONFORM0 | 3, &value));
    assert_true(segment_query_verify(f->cpu, CODE0, false));
    assert_false(segment_query_verify(f->cpu, CODE0, true));
    assert_true(segment_query_verify(f->cpu, DATA3, true));
    assert_false(segment_query_verify(f->cpu, TSS_SEL, false));
    fixture_free(f);
    fixture_free(amd);

    f = fixture_new64(VENDOR_INTEL, CODE64);
    gdt_put(f, FREE, make_gate(TSS_SEL, 0, SYSTEM(0u, SYS_TASK_GATE), 0));
    assert_false(segment_query_lar(f->cpu, FREE, &value));
    gdt_put(f, FREE, make_descriptor(TSS2_AT, 0x67, SYSTEM(0u, SYS_TSS16), 0));
    assert_false(segment_query_lsl(f->cpu, FREE, &value));
    fixture_free(f);
}

static void outward_return_revokes(void **state)
{
    (void)state;
    struct fixture *f = fixture_new64(VENDOR_INTEL, CODE64);

    EXPECT_OK(f, MOV(f, DS, DATA0));
    EXPECT_OK(f, MOV(f, ES, DATA3));
    EXPECT_OK(f, MOV(f, FS, CONFORM0));
    EXPECT_OK(f, MOV(f, GS, 2));
    f->cpu->arch.seg[GS].base = 0x7000;
    enter(f, CODE64_3, DATA3, 0, 0);
    segment_revoke_outward(f->cpu);
    assert_int_equal(f->cpu->arch.seg[DS].selector, 0);
    assert_true(f->cpu->arch.seg[DS].attr & SEG_UNUSABLE);
    assert_int_equal(f->cpu->arch.seg[ES].selector, DATA3);
    assert_int_equal(f->cpu->arch.seg[FS].selector, CONFORM0);
    assert_int_equal(f->cpu->arch.seg[GS].selector, 0);
    assert_int_equal(f->cpu->arch.seg[GS].base, 0x7000);
    fixture_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mov_ss_checks),
        cmocka_unit_test(null_ss_in_64bit_mode),
        cmocka_unit_test(mov_ds_checks),
        cmocka_unit_test(null_fs_by_vendor),
        cmocka_unit_test(real_mode_load),
        cmocka_unit_test(lldt),
        cmocka_unit_test(ltr),
        cmocka_unit_test(queries),
        cmocka_unit_test(outward_return_revokes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT
 * Descriptors: unpacking, table limits, accessed and busy bits.
 */
#include "segment_fixture.h"

static void parses_a_code_segment(void **state)
{
    (void)state;
    struct descriptor d = descriptor_parse(make_descriptor(0x12345678, 0xABCDE, ACCESS(2u, TYPE_CODE), FLAT32));

    assert_int_equal(d.base, 0x12345678);
    assert_int_equal(d.limit, 0xABCDEFFF);
    assert_int_equal(d.dpl, 2);
    assert_true(d.present);
    assert_true(descriptor_is_code(&d));
    assert_true(descriptor_is_readable(&d));
    assert_false(descriptor_is_conforming(&d));
    assert_false(descriptor_is_writable(&d));
    assert_int_equal(d.attr, 0xCDA);
}

static void parses_gates(void **state)
{
    (void)state;
    struct descriptor d = descriptor_parse(make_gate(0x1234, 0xDEADBEEF, SYSTEM(3u, SYS_CALL_GATE), 17));

    assert_true(descriptor_is_system(&d, SYS_CALL_GATE));
    assert_int_equal(d.selector, 0x1234);
    assert_int_equal(d.offset, 0xDEADBEEF);
    assert_int_equal(d.parameters, 17);
    d = descriptor_parse(make_gate(0x1234, 0xDEADBEEF, SYSTEM(3u, SYS_CALL_GATE16), 0));
    assert_int_equal(d.offset, 0xBEEF);
    d = descriptor_parse_wide(make_gate(8, 0x11112222, SYSTEM(0u, SYS_INTERRUPT_GATE), 5), 0xFFFF8000);
    assert_true(d.offset == 0xFFFF800011112222);
    assert_int_equal(d.ist, 5);
}

static void a_table_ends_at_its_limit(void **state)
{
    (void)state;
    struct fixture *f = fixture_new(VENDOR_INTEL);
    struct descriptor d = {0};

    f->cpu->arch.gdtr.limit = 0x17;
    assert_true(descriptor_fetch(f->cpu, DATA0 | 3, &d));
    assert_int_equal(d.laddr, GDT_AT + DATA0);
    assert_false(descriptor_fetch(f->cpu, 0x18, &d));
    f->cpu->arch.gdtr.limit = 0x16;
    assert_false(descriptor_fetch(f->cpu, DATA0, &d));
    assert_false(descriptor_fetch(f->cpu, 0x04, &d)); /* null LDT */
    f->cpu->arch.ldtr = (struct segment){.selector = LDT_SEL, .attr = 0x82, .limit = 7, .base = LDT_AT};
    assert_true(descriptor_fetch(f->cpu, 0x04, &d));
    assert_false(descriptor_fetch(f->cpu, 0x0C, &d));
    fixture_free(f);
}

static void wide_descriptors_need_sixteen_bytes(void **state)
{
    (void)state;
    struct fixture *f = fixture_new64(VENDOR_INTEL, CODE64);
    struct descriptor d = {0};

    gdt_put(f, FREE + 8, 0x00000000FFFF8123);
    f->cpu->arch.gdtr.limit = FREE + 15;
    assert_true(descriptor_fetch(f->cpu, FREE, &d));
    assert_true(descriptor_fetch_high(f->cpu, FREE, &d));
    assert_int_equal(d.base >> 32, 0xFFFF8123);
    f->cpu->arch.gdtr.limit = FREE + 14;
    assert_false(descriptor_fetch_high(f->cpu, FREE, &d));
    fixture_free(f);
}

static void accessed_and_busy_bits_reach_memory(void **state)
{
    (void)state;
    struct fixture *f = fixture_new(VENDOR_INTEL);
    u64 before = gdt_get(f, DATA3), tss = gdt_get(f, TSS2_SEL);
    struct descriptor d = {0};

    assert_true(descriptor_fetch(f->cpu, DATA3, &d));
    descriptor_set_accessed(f->cpu, &d);
    assert_true(gdt_get(f, DATA3) == (before | BIT(40)));
    assert_true(d.attr & SEG_ACCESSED);
    assert_true(descriptor_fetch(f->cpu, TSS2_SEL, &d));
    descriptor_set_busy(f->cpu, &d, true);
    assert_true(gdt_get(f, TSS2_SEL) == (tss | BIT(41)));
    assert_int_equal(d.type, SYS_TSS_BUSY);
    descriptor_set_busy(f->cpu, &d, false);
    assert_true(gdt_get(f, TSS2_SEL) == tss);
    fixture_free(f);
}

static void real_mode_keeps_the_limit(void **state)
{
    (void)state;
    struct segment old = {.attr = 0xC93, .limit = 0xFFFFFFFF};
    struct segment s = segment_real(&old, 0x1234);

    assert_int_equal(s.base, 0x12340);
    assert_int_equal(s.limit, 0xFFFFFFFF);
    s = segment_vm86(0x1234);
    assert_int_equal(s.limit, 0xFFFF);
    assert_int_equal(segment_dpl(&s), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses_a_code_segment),
        cmocka_unit_test(parses_gates),
        cmocka_unit_test(a_table_ends_at_its_limit),
        cmocka_unit_test(wide_descriptors_need_sixteen_bytes),
        cmocka_unit_test(accessed_and_busy_bits_reach_memory),
        cmocka_unit_test(real_mode_keeps_the_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

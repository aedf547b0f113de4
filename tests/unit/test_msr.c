/* SPDX-License-Identifier: MIT
 * The MSR file: existence by model and vendor, reserved bits, canonical addresses, narrowing, effects.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cpu/msr_access.h"

static struct cpu *cpu;

static void use_model(const char *option)
{
    struct error err;

    assert_true(cpu_model_parse(&cpu->model, option, &err));
    msr_reset(&cpu->arch.msr);
}

static int set_up(void **state)
{
    (void)state;
    cpu = aligned_alloc(_Alignof(struct cpu), sizeof *cpu);
    if (cpu != NULL)
        memset(cpu, 0, offsetof(struct cpu, mmu));
    return cpu == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    free(cpu);
    return 0;
}

static enum msr_status put(u32 number, u64 value)
{
    struct msr_context ctx = cpu_msr_context(cpu);
    enum msr_effect effect;

    return msr_write(&ctx, &cpu->arch.msr, number, &value, &effect);
}

static enum msr_effect effect_of_write(u32 number, u64 value)
{
    struct msr_context ctx = cpu_msr_context(cpu);
    enum msr_effect effect;

    assert_int_equal(msr_write(&ctx, &cpu->arch.msr, number, &value, &effect), MSR_OK);
    return effect;
}

static enum msr_status get(u32 number, u64 *value)
{
    struct msr_context ctx = cpu_msr_context(cpu);
    enum msr_effect effect;

    return msr_read(&ctx, &cpu->arch.msr, number, value, &effect);
}

static u64 value_of(u32 number)
{
    u64 value = ~0ull;

    assert_int_equal(get(number, &value), MSR_OK);
    return value;
}

static void unknown_msrs(void **state) /* MSR-01 */
{
    static const u32 numbers[] = {0x2, 0x9999, 0x40000000, 0xC0000085, 0xC0000104, 0xC0011030, 0xFFFFFFFF};
    u64 value;

    (void)state;
    use_model("max");
    for (unsigned i = 0; i < ARRAY_LEN(numbers); i++) {
        assert_int_equal(get(numbers[i], &value), MSR_UNKNOWN);
        assert_int_equal(put(numbers[i], 0), MSR_UNKNOWN);
        assert_null(msr_name(numbers[i]));
    }
    assert_int_equal(cpu_msr_rule(0x9999, MSR_UNKNOWN), RULE_MSR_01);
    assert_string_equal(msr_name(0xC0000082), "IA32_LSTAR");
    assert_string_equal(msr_name(0x26F), "IA32_MTRR_FIX4K_C0000");
}

static void gates_follow_the_model(void **state)
{
    u64 value;

    (void)state;
    use_model("pentium3");
    assert_int_equal(get(0x174, &value), MSR_OK);
    assert_int_equal(get(0xC0000080, &value), MSR_UNKNOWN);
    assert_int_equal(get(0xC0000082, &value), MSR_UNKNOWN);
    assert_int_equal(get(0xC1, &value), MSR_OK);
    use_model("pentium");
    assert_int_equal(get(0x10, &value), MSR_OK);
    assert_int_equal(get(0x174, &value), MSR_UNKNOWN);
    assert_int_equal(get(0x277, &value), MSR_UNKNOWN);
    use_model("486");
    assert_int_equal(get(0x10, &value), MSR_UNKNOWN);
    use_model("max,vendor=amd");
    assert_int_equal(get(0xC0010015, &value), MSR_OK);
    assert_int_equal(get(0x1A0, &value), MSR_UNKNOWN);
    assert_int_equal(get(0x10A, &value), MSR_UNKNOWN);
    assert_int_equal(get(0x49, &value), MSR_UNKNOWN);
    assert_int_equal(put(0x49, 1), MSR_OK);
    assert_int_equal(put(0x8B, 0), MSR_READ_ONLY);
    use_model("max");
    assert_int_equal(get(0xC0010015, &value), MSR_UNKNOWN);
    assert_int_equal(put(0x8B, 0), MSR_OK);
    assert_true(value_of(0x10A) & 1);
    use_model("max,-rdcl-no");
    assert_false(value_of(0x10A) & 1);
}

static void canonical_by_the_widest_width(void **state) /* MSR-04 */
{
    static const u32 both[] = {0xC0000082, 0xC0000083, 0xC0000100, 0xC0000101, 0xC0000102};

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(both); i++) {
        use_model("nehalem");
        assert_int_equal(put(both[i], 0x0000800000000000), MSR_NON_CANONICAL);
        assert_int_equal(put(both[i], 0xFFFF800000000000), MSR_OK);
        /* A processor with 57 bits takes what 48 bits forbid, whatever CR4.LA57. */
        use_model("max");
        assert_int_equal(put(both[i], 0x0000800000000000), MSR_OK);
        assert_int_equal(put(both[i], 0x0100000000000000), MSR_NON_CANONICAL);
    }
    assert_int_equal(cpu_msr_rule(0xC0000082, MSR_NON_CANONICAL), RULE_MSR_04);
}

static void sysenter_msrs_by_vendor(void **state) /* MSR-04, SE-08 */
{
    (void)state;
    use_model("nehalem");
    assert_int_equal(put(0x175, 0x0000800000000000), MSR_NON_CANONICAL);
    assert_int_equal(put(0x176, 0xFFFF800012345678), MSR_OK);
    assert_true(value_of(0x176) == 0xFFFF800012345678);
    use_model("opteron");
    assert_int_equal(put(0x175, 0x1234567889ABCDEF), MSR_OK);
    assert_true(value_of(0x175) == 0x89ABCDEF);
}

static void reserved_bits(void **state) /* MSR-03 */
{
    (void)state;
    use_model("max");
    assert_int_equal(put(0xC0000084, 0x100000000), MSR_RESERVED_BITS);
    assert_int_equal(put(0xC0000103, 0x100000000), MSR_RESERVED_BITS);
    assert_int_equal(put(0x48, 7), MSR_OK);
    assert_int_equal(put(0x48, 8), MSR_RESERVED_BITS);
    assert_int_equal(put(0x49, 2), MSR_RESERVED_BITS);
    assert_int_equal(put(0x3A, 0), MSR_READ_ONLY); /* locked by firmware */
    use_model("max,-ssbd");
    assert_int_equal(put(0x48, 4), MSR_RESERVED_BITS);
}

static void memory_types(void **state)
{
    (void)state;
    use_model("nehalem");
    assert_true(value_of(0x277) == 0x0007040600070406);
    assert_int_equal(put(0x277, 0x0007050100070106), MSR_OK);
    assert_int_equal(put(0x277, 0x0007040600070402), MSR_RESERVED_BITS);
    assert_int_equal(put(0x277, 0x0307040600070406), MSR_RESERVED_BITS);
    assert_int_equal(put(0x277, 0x0007040600080406), MSR_RESERVED_BITS);
    assert_int_equal(put(0x250, 0x0606060606060606), MSR_OK);
    assert_int_equal(put(0x250, 0x0706060606060606), MSR_RESERVED_BITS);
    assert_int_equal(put(0x2FF, 0xC06), MSR_OK);
    assert_int_equal(put(0x2FF, 0x1006), MSR_RESERVED_BITS);
    assert_int_equal(put(0x2FF, 0xC02), MSR_RESERVED_BITS);
    assert_int_equal(put(0x200, 0xC0000006), MSR_OK);
    assert_int_equal(put(0x201, 0xFFC0000800), MSR_OK);
    assert_int_equal(put(0x201, 0xFFC0000C00), MSR_RESERVED_BITS);
    assert_int_equal(put(0x20F, BIT(40)), MSR_RESERVED_BITS);
    assert_true(cpu->arch.msr.mtrr_base[0] == 0xC0000006 && cpu->arch.msr.mtrr_mask[0] == 0xFFC0000800);
    assert_int_equal(put(0x26F, 0x0505050505050505), MSR_OK);
    assert_true(cpu->arch.msr.mtrr_fixed[10] == 0x0505050505050505);
    assert_int_equal(value_of(0xFE), 0x508);
    assert_int_equal(put(0xFE, 0), MSR_READ_ONLY);
}

static void apic_base_transitions(void **state) /* MSR-07 */
{
    (void)state;
    use_model("max");
    assert_int_equal(value_of(0x1B), 0xFEE00900);
    assert_int_equal(put(0x1B, 0xFEE00901), MSR_RESERVED_BITS);
    assert_int_equal(put(0x1B, 0xFEE00500), MSR_RESERVED_BITS);
    assert_int_equal(effect_of_write(0x1B, 0xFEE00D00), MSR_EFFECT_APIC_BASE);
    assert_int_equal(value_of(0x1B), 0xFEE00900); /* the caller stores it */
    cpu->arch.msr.apic_base = 0xFEE00D00;
    assert_int_equal(put(0x1B, 0xFEE00900), MSR_RESERVED_BITS);
    assert_int_equal(put(0x1B, 0xFEE00100), MSR_OK);
    cpu->arch.msr.apic_base = 0xFEE00100;
    assert_int_equal(put(0x1B, 0xFEE00D00), MSR_RESERVED_BITS);
    assert_int_equal(cpu_msr_rule(0x1B, MSR_RESERVED_BITS), RULE_MSR_07);
    use_model("nehalem"); /* no x2APIC */
    assert_int_equal(put(0x1B, 0xFEE00D00), MSR_RESERVED_BITS);
}

static void effects(void **state)
{
    (void)state;
    use_model("max");
    assert_int_equal(effect_of_write(0xC0000080, 0xD01), MSR_EFFECT_EFER);
    assert_int_equal(value_of(0xC0000080), 0);
    assert_int_equal(effect_of_write(0xC0000100, 0x1000), MSR_EFFECT_FS_BASE);
    assert_int_equal(effect_of_write(0xC0000101, 0x1000), MSR_EFFECT_GS_BASE);
    assert_int_equal(effect_of_write(0x10, 5), MSR_EFFECT_TSC);
    assert_int_equal(effect_of_write(0x3B, 5), MSR_EFFECT_TSC_ADJUST);
    assert_int_equal(effect_of_write(0x6E0, 5), MSR_EFFECT_TSC_DEADLINE);
    assert_int_equal(effect_of_write(0x80B, 0), MSR_EFFECT_APIC);
    assert_int_equal(effect_of_write(0xC0000102, 0x1000), MSR_EFFECT_NONE);
    assert_int_equal(value_of(0xC0000102), 0x1000);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(unknown_msrs),
        CASE(gates_follow_the_model),
        CASE(canonical_by_the_widest_width),
        CASE(sysenter_msrs_by_vendor),
        CASE(reserved_bits),
        CASE(memory_types),
        CASE(apic_base_transitions),
        CASE(effects),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT
 * Mode changes, PDPTE loads, TLB invalidation, reset and INIT, debug registers: rules MD-01, MD-02, PG-03, PG-04,
 * IQ-03, DB-03.
 */
#include "ring_fixture.h"

/* Real mode to 64-bit mode, step by step; the door shows each change of mode once. */
static void into_long_mode(void **state)
{
    struct ring_fixture *f = fixture_new(VENDOR_INTEL);
    struct cpu_arch *a = &f->cpu->arch;

    (void)state;
    fixture_tables(f, true);
    put(f, AT_PAGING, (AT_PAGING + 0x1000) | 7, 8);
    put(f, AT_PAGING + 0x1000, (AT_PAGING + 0x2000) | 7, 8);
    put(f, AT_PAGING + 0x2000, 0x87, 8);
    ASSERT_COMPLETES(f, mode_write_cr0(f->cpu, a->cr0 | CR0_PE));
    assert_int_equal(f->cpu->d.mode, MODE_PM16);
    assert_int_equal(a->cpl, 0);
    assert_int_equal(f->last.mechanism, MECH_MODE_PE);
    assert_int_equal(f->last.from.mode, MODE_REAL);
    assert_int_equal(f->last.to.mode, MODE_PM16);
    ASSERT_COMPLETES(f, mode_write_cr3(f->cpu, AT_PAGING));
    assert_int_equal(f->side.kind, SIDE_CR3);
    ASSERT_COMPLETES(f, mode_write_efer(f->cpu, EFER_LME));
    ASSERT_FAULT(f, mode_write_cr0(f->cpu, a->cr0 | CR0_PG), VEC_GP, 0, RULE_MD_01); /* PAE is 0 */
    ASSERT_COMPLETES(f, mode_write_cr4(f->cpu, CR4_PAE));
    a->tr.attr = 0x83;
    ASSERT_FAULT(f, mode_write_cr0(f->cpu, a->cr0 | CR0_PG), VEC_GP, 0, RULE_MD_01); /* a 16-bit TSS */
    a->tr.attr = 0x8B;
    assert_int_equal(f->transitions, 1);
    ASSERT_COMPLETES(f, mode_write_cr0(f->cpu, a->cr0 | CR0_PG));
    assert_int_equal(f->transitions, 2);
    assert_int_equal(f->last.mechanism, MECH_MODE_LMA);
    assert_int_equal(f->last.to.mode, MODE_COMPAT16);
    assert_true(a->msr.efer & EFER_LMA);
    assert_int_equal(f->cpu->mmu.mode.levels, 4);
    ASSERT_FAULT(f, mode_write_cr4(f->cpu, 0), VEC_GP, 0, RULE_PG_04);
    ASSERT_COMPLETES(f, mode_write_cr0(f->cpu, a->cr0 & ~CR0_PG));
    assert_false(a->msr.efer & EFER_LMA);
    assert_int_equal(f->last.mechanism, MECH_MODE_LMA);
    ASSERT_COMPLETES(f, mode_write_cr0(f->cpu, a->cr0 & ~CR0_PE));
    assert_int_equal(f->last.mechanism, MECH_MODE_PE);
    assert_int_equal(f->last.to.mode, MODE_REAL);
    fixture_free(f);
}

static void leaving_64_bit_mode_by_pg(void **state)
{
    struct ring_fixture *f = fixture_long(VENDOR_INTEL);

    (void)state;
    ASSERT_FAULT(f, mode_write_cr0(f->cpu, f->cpu->arch.cr0 & ~CR0_PG), VEC_GP, 0, RULE_MD_01);
    assert_int_equal(f->cpu->d.mode, MODE_LONG);
    fixture_free(f);
}

static void pae_pointers(void **state)
{
    struct ring_fixture *f = fixture_protected(VENDOR_INTEL);
    struct cpu_arch *a = &f->cpu->arch;

    (void)state;
    put(f, AT_PAGING, (AT_PAGING + 0x2000) | 1, 8);
    put(f, AT_PAGING + 8, 2, 8); /* not present: reserved bits do not count */
    put(f, AT_PAGING + 0x2000, 0x83, 8);
    ASSERT_COMPLETES(f, mode_write_cr4(f->cpu, CR4_PAE));
    ASSERT_COMPLETES(f, mode_write_cr3(f->cpu, AT_PAGING));
    ASSERT_COMPLETES(f, mode_write_cr0(f->cpu, a->cr0 | CR0_PG));
    assert_int_equal(f->last.mechanism, MECH_MODE_PG);
    assert_int_equal(a->pdpte[0], (AT_PAGING + 0x2000) | 1);
    assert_int_equal(f->cpu->mmu.mode.pdpte[0], (AT_PAGING + 0x2000) | 1);
    put(f, AT_PAGING + 0x20, (AT_PAGING + 0x2000) | 3, 8);
    ASSERT_FAULT(f, mode_write_cr3(f->cpu, AT_PAGING + 0x20), VEC_GP, 0, RULE_MD_02);
    assert_int_equal(a->cr3, AT_PAGING);
    fixture_free(f);

    f = fixture_protected(VENDOR_AMD); /* read at walk time: no check at the load */
    put(f, AT_PAGING, (AT_PAGING + 0x2000) | 3, 8);
    ASSERT_COMPLETES(f, mode_write_cr4(f->cpu, CR4_PAE));
    ASSERT_COMPLETES(f, mode_write_cr3(f->cpu, AT_PAGING));
    ASSERT_COMPLETES(f, mode_write_cr0(f->cpu, f->cpu->arch.cr0 | CR0_PG));
    fixture_free(f);
}

static void invalidation(void **state)
{
    struct ring_fixture *f = fixture_long(VENDOR_INTEL);
    struct cpu_arch *a = &f->cpu->arch;
    u64 flushes = f->cpu->mmu.flushes;

    (void)state;
    ASSERT_FAULT(f, mode_write_cr3(f->cpu, AT_PAGING | BIT(63)), VEC_GP, 0, RULE_PG_03);
    ASSERT_COMPLETES(f, mode_write_cr3(f->cpu, AT_PAGING));
    assert_true(f->cpu->mmu.flushes > flushes);
    flushes = f->cpu->mmu.flushes;
    ASSERT_COMPLETES(f, mode_write_cr4(f->cpu, a->cr4 | CR4_PCIDE | CR4_PGE));
    assert_true(f->cpu->mmu.flushes > flushes);
    flushes = f->cpu->mmu.flushes;
    ASSERT_COMPLETES(f, mode_write_cr3(f->cpu, AT_PAGING | BIT(63)));
    assert_int_equal(f->cpu->mmu.flushes, flushes); /* same PCID, bit 63 */
    assert_int_equal(a->cr3, AT_PAGING);
    ASSERT_COMPLETES(f, mode_write_cr3(f->cpu, AT_PAGING | 5 | BIT(63)));
    assert_true(f->cpu->mmu.flushes > flushes);
    flushes = f->cpu->mmu.flushes;
    ASSERT_COMPLETES(f, mode_write_cr4(f->cpu, a->cr4 | CR4_TSD));
    assert_int_equal(f->cpu->mmu.flushes, flushes);
    ASSERT_COMPLETES(f, mode_write_cr0(f->cpu, a->cr0 & ~CR0_WP));
    assert_true(f->cpu->mmu.flushes > flushes);
    flushes = f->cpu->mmu.flushes;
    ASSERT_COMPLETES(f, mode_write_efer(f->cpu, a->msr.efer & ~EFER_NXE));
    assert_true(f->cpu->mmu.flushes > flushes);
    assert_true(a->msr.efer & EFER_LMA);
    fixture_free(f);
}

static void lmsw_and_xcr0(void **state)
{
    struct ring_fixture *f = fixture_protected(VENDOR_INTEL);
    u64 cr0 = f->cpu->arch.cr0;

    (void)state;
    ASSERT_COMPLETES(f, mode_lmsw(f->cpu, (u16)(CR0_TS | CR0_MP)));
    assert_int_equal(f->cpu->arch.cr0, cr0 | CR0_TS | CR0_MP);
    ASSERT_COMPLETES(f, mode_lmsw(f->cpu, 0));
    assert_int_equal(f->cpu->arch.cr0, cr0); /* PE stays */
    ASSERT_COMPLETES(f, mode_write_xcr0(f->cpu, 3));
    assert_int_equal(f->cpu->arch.xcr0, 3);
    ASSERT_FAULT(f, mode_write_xcr0(f->cpu, 2), VEC_GP, 0, RULE_XC_01);
    ASSERT_FAULT(f, mode_write_xcr0(f->cpu, 1 | BIT(62)), VEC_GP, 0, RULE_XC_01);
    fixture_free(f);
}

static void reset_and_init(void **state)
{
    struct ring_fixture *f = fixture_long(VENDOR_INTEL);
    struct cpu *cpu = f->cpu;
    struct cpu_arch before = cpu->arch;

    (void)state;
    fixture_enter(f, SEL_UCODE64 | 3, SEL_UDATA32 | 3, AT_CODE, AT_USER_STACK, FLAG_FIXED1 | FLAG_IF);
    cpu->arch.xmm[3].u64[0] = 77;
    cpu->arch.msr.lstar = 99;
    cpu->arch.activity = SHUTDOWN;
    ring_init_signal(cpu);
    assert_int_equal(f->last.mechanism, MECH_INIT);
    assert_int_equal(f->last.from.mode, MODE_LONG);
    assert_int_equal(f->last.from.cpl, 3);
    assert_int_equal(f->last.from.cr3, before.cr3);
    assert_int_equal(f->last.to.mode, MODE_REAL);
    assert_int_equal(cpu->arch.cpl, 0);
    assert_int_equal(cpu->arch.seg[CS].base + cpu->d.next_rip, 0xFFFFFFF0);
    assert_int_equal(cpu->arch.activity, ACTIVE);
    assert_int_equal(cpu->arch.cr0, CR0_ET);
    assert_int_equal(cpu->arch.msr.efer, 0);
    assert_int_equal(cpu->arch.msr.lstar, 99);
    assert_int_equal(cpu->arch.xmm[3].u64[0], 77);

    ring_reset(cpu);
    assert_int_equal(f->last.mechanism, MECH_RESET);
    assert_int_equal(cpu->arch.cr0, CR0_CD | CR0_NW | CR0_ET);
    assert_int_equal(cpu->arch.msr.lstar, 0);
    assert_int_equal(cpu->arch.xmm[3].u64[0], 0);
    assert_int_equal(cpu->arch.gpr[RDX], cpuid_leaf(&cpu->model, 1, 0).eax);
    assert_int_equal(flags_get(cpu), FLAG_FIXED1);
    fixture_free(f);
}

/* A processor that never ran and one that was reset are the same, so a run can be made again. */
static void reset_equals_new(void **state)
{
    struct ring_fixture *f = fixture_long(VENDOR_AMD), *fresh = fixture_new(VENDOR_AMD);

    (void)state;
    ring_reset(f->cpu);
    assert_int_equal(cpu_state_hash(f->cpu), cpu_state_hash(fresh->cpu));
    fixture_free(f);
    fixture_free(fresh);
}

static void debug_registers(void **state)
{
    struct ring_fixture *f = fixture_long(VENDOR_INTEL);
    struct cpu_arch *a = &f->cpu->arch;

    (void)state;
    ASSERT_FAULT(f, debug_write_register(f->cpu, 7, BIT(32)), VEC_GP, 0, RULE_DB_06);
    ASSERT_COMPLETES(f, debug_write_register(f->cpu, 6, 0));
    assert_int_equal(debug_read_register(f->cpu, 6), 0xFFFF0FF0);
    ASSERT_COMPLETES(f, debug_write_register(f->cpu, 0, AT_CODE));
    ASSERT_COMPLETES(f, debug_write_register(f->cpu, 1, 0x3F8));
    ASSERT_COMPLETES(f, debug_write_register(f->cpu, 7, 1 | 4 | 2ull << 20 | DR7_GD)); /* L0 code, L1 one port */
    assert_int_equal(debug_read_register(f->cpu, 7), 0x400 | 1 | 4 | 2ull << 20 | DR7_GD);
    assert_int_equal(debug_code_match(f->cpu, AT_CODE), DR6_B0);
    assert_int_equal(debug_code_match(f->cpu, AT_CODE + 1), 0);
    a->rflags |= FLAG_RF;
    assert_int_equal(debug_code_match(f->cpu, AT_CODE), 0); /* DB-03 */
    debug_io_access(f->cpu, 0x3F8, 1);
    assert_int_equal(a->pending_debug, 0); /* without CR4.DE there are no I/O breakpoints */
    a->cr4 |= CR4_DE;
    debug_io_access(f->cpu, 0x3F9, 1);
    assert_int_equal(a->pending_debug, 0);
    debug_io_access(f->cpu, 0x3F6, 4);
    assert_int_equal(a->pending_debug, DR6_B0 << 1);
    debug_commit(f->cpu, DR6_B0 << 1);
    assert_int_equal(a->dr[6], 0xFFFF0FF2);
    assert_false(a->dr[7] & DR7_GD);
    fixture_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(into_long_mode),   cmocka_unit_test(leaving_64_bit_mode_by_pg),
        cmocka_unit_test(pae_pointers),     cmocka_unit_test(invalidation),
        cmocka_unit_test(lmsw_and_xcr0),    cmocka_unit_test(reset_and_init),
        cmocka_unit_test(reset_equals_new), cmocka_unit_test(debug_registers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

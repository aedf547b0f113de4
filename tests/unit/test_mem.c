/* SPDX-License-Identifier: MIT
 * Segmented and linear accesses: limits, types, page crossing, canonical addresses, alignment, watchpoints, SMAP.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cpu/flags.h"
#include "cpu/mem.h"

#define P 1u
#define W 2u
#define U 4u

#define DATA (SEG_PRESENT | SEG_S | SEG_WRITABLE | SEG_ACCESSED)
#define CODE (SEG_PRESENT | SEG_S | SEG_CODE | SEG_READABLE | SEG_ACCESSED)
#define USER (3u << SEG_DPL_SHIFT)

static struct physmem *pm;
static struct clock virtual_clock;
static struct cpu *cpu;

static void put64(paddr_t at, u64 value) { physmem_write(pm, at, &value, 8, INITIATOR_LOADER); }

static u64 get64(paddr_t at)
{
    u64 value;

    physmem_read(pm, at, &value, 8, INITIATOR_LOADER);
    return value;
}

static void set_segment(enum seg seg, u64 base, u32 limit, u16 attr)
{
    cpu->arch.seg[seg] = (struct segment){.base = base, .limit = limit, .attr = attr};
    cpu_update_derived(cpu);
}

static int set_up(void **state)
{
    struct cpu_model model;
    struct error err;

    (void)state;
    pm = physmem_new(4 << 20, &err);
    if (pm == NULL || !cpu_model_parse(&model, "max,-la57", &err))
        return -1;
    memset(&virtual_clock, 0, sizeof virtual_clock);
    cpu = cpu_new(&model, 0, &virtual_clock, pm, NULL);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    cpu_free(cpu);
    physmem_free(pm);
    return 0;
}

/* 32-bit protected mode without paging, flat segments. */
static void enter_protected(void)
{
    cpu->arch.cr0 = CR0_PE | CR0_ET;
    for (unsigned s = ES; s <= GS; s++)
        set_segment((enum seg)s, 0, 0xFFFFFFFF, DATA | SEG_DB);
    set_segment(CS, 0, 0xFFFFFFFF, CODE | SEG_DB);
    cpu_update_paging(cpu);
}

/* 64-bit mode; linear 0..1FFFFF through 4 KiB pages, identity. The caller edits the table at 4000h. */
static void enter_long(void)
{
    put64(0x1000, 0x2000 | P | W | U);
    put64(0x2000, 0x3000 | P | W | U);
    put64(0x3000, 0x4000 | P | W | U);
    for (unsigned i = 0; i < 512; i++)
        put64(0x4000 + 8 * i, (i << 12) | P | W | U);
    cpu->arch.cr0 = CR0_PE | CR0_PG | CR0_ET | CR0_WP;
    cpu->arch.cr3 = 0x1000;
    cpu->arch.cr4 = CR4_PAE;
    cpu->arch.msr.efer = EFER_LME | EFER_LMA | EFER_NXE;
    set_segment(CS, 0, 0xFFFFFFFF, CODE | SEG_L);
    cpu_update_paging(cpu);
    mmu_flush_all(&cpu->mmu);
}

/* The door is not under test here: a test of rights states its level through the struct. */
static void set_level(u8 level)
{
    memcpy((u8 *)&cpu->arch + offsetof(struct cpu_arch, cpl), &level, 1);
    cpu_update_derived(cpu);
}

/* Run an access and assert how it ends. */
#define RAISES(access, vec, code, expected_rule)                                                                       \
    do {                                                                                                               \
        if (setjmp(cpu->host.unwind) == 0) {                                                                           \
            access;                                                                                                    \
            fail_msg("no fault: %s", #access);                                                                         \
        }                                                                                                              \
        assert_int_equal(cpu->host.fault.vector, vec);                                                                 \
        assert_int_equal(cpu->host.fault.error, code);                                                                 \
        assert_string_equal(rule_name((enum rule)cpu->host.fault.rule), expected_rule);                                \
    } while (0)

static void real_mode_limits(void **state)
{
    (void)state;
    set_segment(DS, 0x1000, 0xFFFF, DATA);
    put64(0x10FFE, 0x1122334455667788);
    assert_int_equal(mem_read(cpu, DS, 0xFFFE, W16), 0x7788);
    RAISES(mem_read(cpu, DS, 0xFFFF, W16), VEC_GP, 0, "SG-04");
    RAISES(mem_write(cpu, SS, 0xFFFD, 0, W32), VEC_SS, 0, "SG-04");
    /* Type checks belong to protected mode. */
    mem_write(cpu, CS, 0, 1, W8);
}

static void limits_and_types(void **state)
{
    (void)state;
    enter_protected();
    set_segment(DS, 0x10000, 0xFFF, DATA | SEG_DB);
    mem_write(cpu, DS, 0xFFC, 0xCAFEBABE, W32);
    assert_int_equal(mem_read(cpu, ES, 0x10FFC, W32), 0xCAFEBABE);
    RAISES(mem_read(cpu, DS, 0xFFD, W32), VEC_GP, 0, "SG-04");
    RAISES(mem_read(cpu, DS, 0xFFFFFFFF, W32), VEC_GP, 0, "SG-04");
    set_segment(SS, 0, 0xFFF, DATA);
    RAISES(mem_write(cpu, SS, 0x1000, 0, W8), VEC_SS, 0, "SG-04");
    RAISES(mem_write(cpu, CS, 0, 0, W8), VEC_GP, 0, "SG-10");
    set_segment(CS, 0, 0xFFFFFFFF, SEG_PRESENT | SEG_S | SEG_CODE | SEG_DB);
    RAISES(mem_read(cpu, CS, 0, W8), VEC_GP, 0, "SG-10");
    set_segment(DS, 0, 0xFFFFFFFF, SEG_PRESENT | SEG_S);
    assert_int_equal(mem_read(cpu, DS, 0x10FFC, W32), 0xCAFEBABE);
    RAISES(mem_write(cpu, DS, 0, 0, W8), VEC_GP, 0, "SG-10");
    set_segment(DS, 0, 0, SEG_UNUSABLE);
    RAISES(mem_read(cpu, DS, 0, W8), VEC_GP, 0, "SG-08");
    set_segment(SS, 0, 0, SEG_UNUSABLE);
    RAISES(mem_read(cpu, SS, 0, W8), VEC_SS, 0, "SG-08");
}

static void expand_down(void **state)
{
    (void)state;
    enter_protected();
    set_segment(DS, 0, 0x0FFF, DATA | SEG_EXPAND_DOWN);
    mem_write(cpu, DS, 0x1000, 1, W8);
    RAISES(mem_write(cpu, DS, 0x0FFF, 1, W8), VEC_GP, 0, "SG-04");
    RAISES(mem_write(cpu, DS, 0xFFFF, 1, W16), VEC_GP, 0, "SG-04");
    set_segment(DS, 0, 0x0FFF, DATA | SEG_EXPAND_DOWN | SEG_DB);
    mem_write(cpu, DS, 0xFFFF, 1, W16);
}

static void base_wraps_at_4g(void **state)
{
    (void)state;
    enter_protected();
    set_segment(DS, 0xFFFFF000, 0xFFFFFFFF, DATA | SEG_DB);
    mem_write(cpu, DS, 0x21000, 0x77, W8);
    assert_int_equal(get64(0x20000) & 0xFF, 0x77);
    /* An operand across the top of the linear space continues at 0. */
    put64(0, 0x0102);
    assert_int_equal(mem_read(cpu, DS, 0xFFF, W16) >> 8, 0x02);
}

static void crossing_write_is_all_or_nothing(void **state)
{
    (void)state;
    enter_long();
    put64(0x50FF8, 0);
    mem_write(cpu, DS, 0x50FFC, 0x1122334455667788, W64);
    assert_true(get64(0x50FFC) == 0x1122334455667788);
    put64(0x4000 + 8 * 0x51, 0x51000 | P | U);
    mmu_flush_all(&cpu->mmu);
    RAISES(mem_write(cpu, DS, 0x50FFC, 0, W64), VEC_PF, PF_P | PF_W, "PF-03");
    assert_true(cpu->host.fault.cr2 == 0x51000);
    assert_true(get64(0x50FFC) == 0x1122334455667788);
    RAISES(mem_write_block(cpu, DS, 0x50FF0, "0123456789ABCDEF0123456789ABCDEF", 32, 1), VEC_PF, PF_P | PF_W, "PF-03");
    assert_true(get64(0x50FFC) == 0x1122334455667788);
}

static void scattered_pages(void **state)
{
    char out[32];

    (void)state;
    enter_long();
    put64(0x4000 + 8 * 0x51, 0x60000 | P | W | U);
    mem_write_block(cpu, DS, 0x50FF0, "0123456789ABCDEFghijklmnopqrstu", 32, 1);
    mem_read_block(cpu, DS, 0x50FF0, out, 32, 1);
    assert_string_equal(out, "0123456789ABCDEFghijklmnopqrstu");
    physmem_read(pm, 0x60000, out, 16, INITIATOR_LOADER);
    assert_memory_equal(out, "ghijklmnopqrstu", 16);
}

static void canonical_addresses(void **state)
{
    (void)state;
    enter_long();
    RAISES(mem_read(cpu, DS, 0x800000000000, W8), VEC_GP, 0, "CA-01");
    RAISES(mem_write(cpu, SS, 0x800000000000, 0, W8), VEC_SS, 0, "ID-20");
    RAISES(mem_read(cpu, DS, 0x7FFFFFFFFFFF, W16), VEC_GP, 0, "CA-01");
    RAISES(mem_read(cpu, DS, 0x7FFFFFFFFFFF, W8), VEC_PF, 0, "PF-01");
    assert_true(cpu->host.fault.cr2 == 0x7FFFFFFFFFFF);
}

static void page_fault_rules(void **state)
{
    (void)state;
    enter_long();
    put64(0x4000 + 8 * 0x50, 0x50000 | P | W);
    put64(0x4000 + 8 * 0x51, 0x51000 | P | W | U | BIT(50));
    set_level(3);
    RAISES(mem_read(cpu, DS, 0x50000, W8), VEC_PF, PF_P | PF_U, "PF-02");
    RAISES(mem_read(cpu, DS, 0x51000, W8), VEC_PF, PF_P | PF_U | PF_RSVD, "PG-05");
    set_level(0);
    cpu->arch.cr4 |= CR4_SMAP;
    cpu_update_paging(cpu);
    cpu_update_derived(cpu);
    RAISES(mem_read(cpu, DS, 0x52000, W8), VEC_PF, PF_P, "PG-02");
    flags_put(cpu, FLAG_AC);
    cpu_update_derived(cpu);
    mem_read(cpu, DS, 0x52000, W8);
    /* Implicit supervisor accesses fail whatever AC; they are supervisor accesses at CPL 3 too. */
    RAISES(sys_read(cpu, 0x52000, W8), VEC_PF, PF_P, "PG-02");
    set_level(3);
    sys_read(cpu, 0x50000, W64);
    RAISES(sys_write(cpu, 0x52000, 0, W8), VEC_PF, PF_P | PF_W, "PG-02");
}

static void rmw_faults_as_a_write(void **state)
{
    struct mem_rmw rmw;

    (void)state;
    enter_long();
    put64(0x4000 + 8 * 0x50, 0x50000 | P | U);
    RAISES(mem_rmw_begin(cpu, DS, 0x50000, W32, &rmw), VEC_PF, PF_P | PF_W, "PF-03");
    put64(0x51FFE, 41);
    assert_int_equal(mem_rmw_begin(cpu, DS, 0x51FFE, W64, &rmw), 41);
    mem_rmw_end(cpu, &rmw, 42, W64);
    assert_int_equal(get64(0x51FFE), 42);
}

static void alignment_check(void **state)
{
    u8 bytes[16];

    (void)state;
    enter_long();
    cpu->arch.cr0 |= CR0_AM;
    flags_put(cpu, FLAG_AC);
    set_level(0);
    mem_read(cpu, DS, 0x50001, W32);
    set_level(3);
    assert_true(cpu->d.align_check);
    RAISES(mem_read(cpu, DS, 0x50001, W32), VEC_AC, 0, "AL-01");
    RAISES(mem_write(cpu, DS, 0x50004, 0, W64), VEC_AC, 0, "AL-01");
    mem_read(cpu, DS, 0x50001, W8);
    mem_read(cpu, DS, 0x50008, W64);
    /* A page fault comes first. */
    put64(0x4000 + 8 * 0x53, 0);
    RAISES(mem_read(cpu, DS, 0x53001, W32), VEC_PF, PF_U, "PF-01");
    /* Implicit accesses are never checked. */
    sys_read(cpu, 0x50001, W32);
    RAISES(mem_read_block(cpu, DS, 0x50008, bytes, 16, 16), VEC_GP, 0, "AL-02");
    mem_read_block(cpu, DS, 0x50010, bytes, 16, 16);
}

static void watchpoints(void **state)
{
    (void)state;
    enter_long();
    mem_write(cpu, DS, 0x50000, 0, W32); /* cached before the breakpoint is set */
    cpu->arch.dr[0] = 0x50004;
    cpu->arch.dr[1] = 0x50010;
    cpu->arch.dr[7] = 0x400 | 1 | (0xDull << 16) /* 0: write, 4 bytes */ | 8 | (0xBull << 20) /* 1: access, 8 bytes */;
    cpu_update_derived(cpu);
    assert_true(cpu->d.watchpoints);
    cpu->d.stop_tick = 1;
    mem_read(cpu, DS, 0x50004, W32);
    mem_write(cpu, DS, 0x50003, 0, W8);
    mem_write(cpu, DS, 0x50008, 0, W64);
    assert_int_equal(cpu->arch.pending_debug, 0);
    assert_int_equal(cpu->d.stop_tick, 1);
    mem_write(cpu, DS, 0x50001, 0, W32);
    assert_int_equal(cpu->arch.pending_debug, 1);
    assert_int_equal(cpu->d.stop_tick, 0);
    cpu->arch.pending_debug = 0;
    mem_read(cpu, DS, 0x50017, W8);
    assert_int_equal(cpu->arch.pending_debug, 2);
}

static void probes_store_nothing(void **state)
{
    (void)state;
    enter_long();
    put64(0x50000, 7);
    put64(0x4000 + 8 * 0x51, 0);
    mmu_flush_all(&cpu->mmu);
    mem_probe(cpu, DS, 0x50000, 8, true);
    assert_int_equal(get64(0x50000), 7);
    RAISES(mem_probe(cpu, DS, 0x50FFF, 2, false), VEC_PF, 0, "PF-01");
    RAISES(sys_probe(cpu, 0x50FFF, 2, true), VEC_PF, PF_W, "PF-01");
}

static void hash_sees_flags_not_their_form(void **state)
{
    u64 hash;

    (void)state;
    flags_put(cpu, FLAG_ZF | FLAG_PF);
    hash = cpu_state_hash(cpu);
    flags_logic(cpu, W32, 0); /* the same flags from a result */
    assert_true(cpu_state_hash(cpu) == hash);
    cpu->arch.rflags |= FLAG_CF; /* stale bits in storage do not count */
    assert_true(cpu_state_hash(cpu) == hash);
    flags_logic(cpu, W32, 1);
    assert_true(cpu_state_hash(cpu) != hash);
    flags_put(cpu, FLAG_ZF | FLAG_PF);
    cpu->arch.smi_pending = 1; /* the last byte counts */
    assert_true(cpu_state_hash(cpu) != hash);
}

static void unimplemented_names_itself(void **state)
{
    (void)state;
    if (setjmp(cpu->host.unwind) == 0) {
        cpu_unimplemented(cpu, "feature %d", 7);
    }
    assert_int_equal(cpu->host.stop, STOP_UNIMPLEMENTED);
    assert_string_equal(cpu->host.stop_text, "not implemented: feature 7, at f000:000000000000fff0");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(real_mode_limits),
        CASE(limits_and_types),
        CASE(expand_down),
        CASE(base_wraps_at_4g),
        CASE(crossing_write_is_all_or_nothing),
        CASE(scattered_pages),
        CASE(canonical_addresses),
        CASE(page_fault_rules),
        CASE(rmw_faults_as_a_write),
        CASE(alignment_check),
        CASE(watchpoints),
        CASE(probes_store_nothing),
        CASE(hash_sees_flags_not_their_form),
        CASE(unimplemented_names_itself),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT
 * The software TLB: split rights, dirty, devices, flushes, large pages, stale entries, peeking.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/bits.h"
#include "mmu/tlb.h"

#define P 1u
#define W 2u
#define U 4u
#define PS 0x80u
#define G 0x100u
#define MMIO_BASE 0x300000u

static struct physmem *pm;
static struct mmu *mmu;

static u64 device_read(void *device, u64 offset, unsigned size, enum initiator who)
{
    (void)offset, (void)size, (void)who;
    ++*(unsigned *)device;
    return 0x5A;
}

static void device_write(void *device, u64 offset, u64 value, unsigned size, enum initiator who)
{
    (void)offset, (void)value, (void)size, (void)who;
    ++*(unsigned *)device;
}

static const struct mmio_ops device_ops = {device_read, device_write};
static unsigned device_uses;

static void revoke(void *context, paddr_t page) { mmu_revoke_writable(context, page); }
static void table_written(void *context, paddr_t page, u32 watchers)
{
    (void)page;
    mmu_table_written(context, watchers);
}

static void put64(paddr_t at, u64 value) { physmem_write(pm, at, &value, 8, INITIATOR_LOADER); }

static u64 get64(paddr_t at)
{
    u64 value;

    physmem_read(pm, at, &value, 8, INITIATOR_LOADER);
    return value;
}

/* PML4 1000h, PDPT 2000h, PD 3000h; PT 4000h serves linear 0..1FFFFF, a 2 MiB page 200000..3FFFFF. */
static int set_up(void **state)
{
    struct physmem_listener listener = {.table_written = table_written, .revoke_writable = revoke};
    struct error err;

    (void)state;
    pm = physmem_new(4 << 20, &err);
    mmu = aligned_alloc(_Alignof(struct mmu), sizeof *mmu);
    if (pm == NULL || mmu == NULL)
        return -1;
    mmu_init(mmu, pm, INITIATOR_CPU0);
    listener.context = mmu;
    physmem_set_listener(pm, &listener);
    mmu->mode =
        (struct paging_mode){.cr3 = 0x1000, .levels = 4, .maxphyaddr = 40, .wp = true, .pge = true, .nxe = true};
    mmu_flush_all(mmu);
    put64(0x1000, 0x2000 | P | W | U);
    put64(0x2000, 0x3000 | P | W | U);
    put64(0x3000, 0x4000 | P | W | U);
    put64(0x3008, 0x000000 | P | W | U | PS);
    for (unsigned i = 0; i < 512; i++)
        put64(0x4000 + 8 * i, (i << 12) | P | W | U);
    device_uses = 0;
    physmem_map_mmio(pm, MMIO_BASE, 0x1000, &device_ops, &device_uses, "test device");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    free(mmu);
    physmem_free(pm);
    return 0;
}

static paddr_t translate(laddr_t laddr, enum access_type type, enum access_view view)
{
    paddr_t paddr = ~0ull;
    u32 error;

    assert_true(mmu_translate(mmu, laddr, type, view, &paddr, &error));
    return paddr;
}

static u32 fault(laddr_t laddr, enum access_type type, enum access_view view)
{
    paddr_t paddr;
    u32 error = ~0u;

    assert_false(mmu_translate(mmu, laddr, type, view, &paddr, &error));
    return error;
}

static bool read_hits(laddr_t laddr) { return tlb_read_hit(&mmu->view[VIEW_USER], laddr, 1) != NULL; }
static bool write_hits(laddr_t laddr) { return tlb_write_hit(&mmu->view[VIEW_USER], laddr, 1) != NULL; }

static void empty_tlb_hits_nowhere(void **state)
{
    (void)state;
    for (laddr_t laddr = 0; laddr < 0x400000; laddr += 0x1000)
        assert_false(read_hits(laddr) || write_hits(laddr));
}

static void read_fill_leaves_a_clean_page_unwritable(void **state)
{
    (void)state;
    assert_int_equal(translate(0x50123, ACCESS_READ, VIEW_USER), 0x50123);
    assert_true(read_hits(0x50123));
    assert_false(write_hits(0x50123));
    assert_int_equal(get64(0x4000 + 8 * 0x50) & 0x60, 0x20);
    translate(0x50123, ACCESS_WRITE, VIEW_USER);
    assert_true(write_hits(0x50123));
    assert_int_equal(get64(0x4000 + 8 * 0x50) & 0x60, 0x60);
    assert_ptr_equal(tlb_read_hit(&mmu->view[VIEW_USER], 0x50123, 1), physmem_host(pm, 0x50000) + 0x123);
}

static void crossing_access_misses(void **state)
{
    (void)state;
    translate(0x50000, ACCESS_READ, VIEW_USER);
    translate(0x51000, ACCESS_READ, VIEW_USER);
    assert_non_null(tlb_read_hit(&mmu->view[VIEW_USER], 0x50FFC, 4));
    assert_null(tlb_read_hit(&mmu->view[VIEW_USER], 0x50FFD, 4));
}

static void views_are_separate(void **state)
{
    (void)state;
    translate(0x50000, ACCESS_WRITE, VIEW_SUPERVISOR);
    assert_false(read_hits(0x50000));
    put64(0x4000 + 8 * 0x50, 0x50000 | P | W);
    assert_int_equal(fault(0x50000, ACCESS_READ, VIEW_USER), PF_P | PF_U);
}

static void not_present_is_never_cached(void **state)
{
    (void)state;
    put64(0x4000 + 8 * 0x50, 0);
    assert_int_equal(fault(0x50000, ACCESS_READ, VIEW_USER), PF_U);
    put64(0x4000 + 8 * 0x50, 0x60000 | P | W | U);
    assert_int_equal(translate(0x50000, ACCESS_READ, VIEW_USER), 0x60000);
}

static void stale_until_flushed(void **state)
{
    (void)state;
    translate(0x50000, ACCESS_READ, VIEW_USER);
    put64(0x4000 + 8 * 0x50, 0x60000 | P | W | U);
    assert_int_equal(translate(0x50000, ACCESS_READ, VIEW_USER), 0x50000);
    /* A permission miss walks again and sees the new entry. */
    assert_int_equal(translate(0x50000, ACCESS_WRITE, VIEW_USER), 0x60000);
    put64(0x4000 + 8 * 0x50, 0x70000 | P | W | U);
    mmu_flush_page(mmu, 0x50FFF);
    assert_int_equal(translate(0x50000, ACCESS_READ, VIEW_USER), 0x70000);
}

static void fault_drops_the_entry(void **state)
{
    (void)state;
    translate(0x50000, ACCESS_READ, VIEW_USER);
    put64(0x4000 + 8 * 0x50, 0x50000 | P | U);
    assert_int_equal(fault(0x50000, ACCESS_WRITE, VIEW_USER), PF_P | PF_U | PF_W);
    assert_false(read_hits(0x50000));
}

static void global_entries_survive_cr3(void **state)
{
    u64 flushes = mmu->flushes;

    (void)state;
    put64(0x4000 + 8 * 0x50, 0x50000 | P | W | U | G);
    translate(0x50000, ACCESS_READ, VIEW_USER);
    translate(0x51000, ACCESS_READ, VIEW_USER);
    translate(0x50000, ACCESS_EXECUTE, VIEW_USER);
    translate(0x51000, ACCESS_EXECUTE, VIEW_USER);
    put64(0x4000 + 8 * 0x51, 0x52000 | P | W | U); /* or the entries would still be true, and could stay */
    mmu_flush_nonglobal(mmu);
    assert_true(read_hits(0x50000));
    assert_false(read_hits(0x51000));
    assert_true(mmu->view[VIEW_USER].insn[0x50].tag == 0x50000);
    assert_true(mmu->view[VIEW_USER].insn[0x51].tag & TLB_INVALID);
    mmu_flush_all(mmu);
    assert_false(read_hits(0x50000));
    assert_true(mmu->view[VIEW_USER].insn[0x50].tag & TLB_INVALID);
    assert_true(mmu->flushes >= flushes + 2);
}

static void invlpg_drops_every_fragment(void **state)
{
    (void)state;
    translate(0x200000, ACCESS_READ, VIEW_USER);
    translate(0x2FF000, ACCESS_EXECUTE, VIEW_USER);
    translate(0x3FF000, ACCESS_WRITE, VIEW_USER);
    translate(0x050000, ACCESS_READ, VIEW_USER);
    assert_int_equal(translate(0x200123, ACCESS_READ, VIEW_USER), 0x123);
    mmu_flush_page(mmu, 0x280000);
    assert_false(read_hits(0x200000));
    assert_false(write_hits(0x3FF000));
    assert_true(mmu->view[VIEW_USER].insn[(0x2FF000 >> 12) % ITLB_ENTRIES].tag & TLB_INVALID);
    assert_true(read_hits(0x050000));
}

static void devices_stay_slow(void **state)
{
    (void)state;
    put64(0x4000 + 8 * 0x50, MMIO_BASE | P | W | U);
    assert_int_equal(translate(0x50010, ACCESS_WRITE, VIEW_USER), MMIO_BASE + 0x10);
    assert_int_equal(translate(0x50010, ACCESS_READ, VIEW_USER), MMIO_BASE + 0x10);
    assert_false(read_hits(0x50000) || write_hits(0x50000));
    assert_int_equal(mmu->walks, 1);
    assert_int_equal(device_uses, 0);
}

static void code_pages_lose_direct_writes(void **state)
{
    (void)state;
    translate(0x50000, ACCESS_WRITE, VIEW_USER);
    translate(0x50000, ACCESS_WRITE, VIEW_SUPERVISOR);
    physmem_set_code(pm, 0x50000);
    assert_false(write_hits(0x50000));
    assert_null(tlb_write_hit(&mmu->view[VIEW_SUPERVISOR], 0x50000, 1));
    assert_true(read_hits(0x50000));
    physmem_clear_code(pm, 0x50000);
    translate(0x50000, ACCESS_WRITE, VIEW_USER);
    assert_true(write_hits(0x50000));
}

/* With the A20 gate shut two linear pages can be one page of memory: code in it must revoke both (A20-01). */
static void code_pages_lose_direct_writes_by_their_a20_alias(void **state)
{
    (void)state;
    physmem_set_a20(pm, false);
    put64(0x4000 + 8 * 0x60, 0x150000 | P | W | U); /* memory sees 50000h */
    translate(0x50000, ACCESS_WRITE, VIEW_USER);
    translate(0x60000, ACCESS_WRITE, VIEW_USER);
    assert_ptr_equal(tlb_write_hit(&mmu->view[VIEW_USER], 0x60000, 1),
                     tlb_write_hit(&mmu->view[VIEW_USER], 0x50000, 1));
    physmem_set_code(pm, 0x50000);
    assert_false(write_hits(0x50000));
    assert_false(write_hits(0x60000));
}

static void peek_has_no_effects(void **state)
{
    u8 bytes[4] = {0};
    paddr_t paddr;

    (void)state;
    put64(0x50FFE, 0xDDCCBBAA);
    put64(0x4000 + 8 * 0x52, MMIO_BASE | P | W);
    put64(0x4000 + 8 * 0x53, 0);
    assert_true(mmu_peek(mmu, 0x50FFE, bytes, 4));
    assert_int_equal(load_le32(bytes), 0xDDCCBBAA);
    assert_true(mmu_peek_translate(mmu, 0x52000, &paddr));
    assert_false(mmu_peek(mmu, 0x52000, bytes, 4));
    assert_false(mmu_peek(mmu, 0x53000, bytes, 4));
    assert_false(mmu_peek(mmu, 0x52FFF, bytes, 2));
    assert_int_equal(get64(0x4000 + 8 * 0x50) & 0x60, 0);
    assert_false(read_hits(0x50000));
    assert_int_equal(device_uses, 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(empty_tlb_hits_nowhere),        CASE(read_fill_leaves_a_clean_page_unwritable),
        CASE(crossing_access_misses),        CASE(views_are_separate),
        CASE(not_present_is_never_cached),   CASE(stale_until_flushed),
        CASE(fault_drops_the_entry),         CASE(global_entries_survive_cr3),
        CASE(invlpg_drops_every_fragment),   CASE(devices_stay_slow),
        CASE(code_pages_lose_direct_writes), CASE(code_pages_lose_direct_writes_by_their_a20_alias),
        CASE(peek_has_no_effects),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

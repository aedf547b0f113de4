/* SPDX-License-Identifier: MIT
 * The page walk: every paging mode, rights, reserved bits, error codes, accessed and dirty updates.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/bits.h"
#include "mmu/paging.h"

#define P 1u
#define W 2u
#define U 4u
#define A 0x20u
#define D 0x40u
#define PS 0x80u
#define NX BIT(63)

static struct physmem *pm;
static struct paging_mode mode;

static int set_up(void **state)
{
    struct error err;

    (void)state;
    pm = physmem_new(4 << 20, &err);
    mode = (struct paging_mode){.cr3 = 0x1000, .maxphyaddr = 40, .wp = true};
    return pm == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    physmem_free(pm);
    return 0;
}

static void put32(paddr_t at, u32 value) { physmem_write(pm, at, &value, 4, INITIATOR_LOADER); }
static void put64(paddr_t at, u64 value) { physmem_write(pm, at, &value, 8, INITIATOR_LOADER); }

static struct walk walk(laddr_t laddr, enum access_type type, enum access_view view)
{
    return page_walk(pm, &mode, laddr, type, view);
}

static void assert_fault(struct walk w, u32 error)
{
    assert_false(w.ok);
    assert_int_equal(w.error, error);
    assert_int_equal(w.updates, 0);
}

/* Four levels that map laddr 0x400000 to 0x200000: PML4 1000h, PDPT 2000h, PD 3000h, PT 4000h. */
static void map_4_level(u64 pte)
{
    mode.levels = 4;
    mode.nxe = true;
    put64(0x1000, 0x2000 | P | W | U);
    put64(0x2000, 0x3000 | P | W | U);
    put64(0x3010, 0x4000 | P | W | U);
    put64(0x4000, pte);
}

static void paging_off_is_identity(void **state)
{
    struct walk w = walk(0x12345678, ACCESS_WRITE, VIEW_USER);

    (void)state;
    assert_true(w.ok);
    assert_int_equal(w.paddr, 0x12345678);
    assert_int_equal(w.page_shift, 63);
}

static void two_levels_4k_and_4m(void **state)
{
    struct walk w;

    (void)state;
    mode.levels = 2;
    put32(0x1004, 0x2000 | P | W | U);
    put32(0x2008, 0x345000 | P | W | U);
    w = walk(0x402ABC, ACCESS_WRITE, VIEW_USER);
    assert_true(w.ok);
    assert_int_equal(w.paddr, 0x345ABC);
    assert_int_equal(w.updates, 2);
    assert_int_equal(w.update[0].paddr, 0x1004);
    assert_int_equal(w.update[0].set, A);
    assert_int_equal(w.update[1].paddr, 0x2008);
    assert_int_equal(w.update[1].set, A | D);

    /* PS means nothing without CR4.PSE. */
    put32(0x1008, 0x2000 | P | W | U | PS);
    assert_int_equal(walk(0x802010, ACCESS_READ, VIEW_USER).paddr, 0x345010);
    mode.pse = true;
    put32(0x1008, 0x800000 | P | W | U | PS);
    w = walk(0x812345, ACCESS_READ, VIEW_USER);
    assert_true(w.ok);
    assert_int_equal(w.page_shift, 22);
    assert_int_equal(w.paddr, 0x812345);
}

static void pse36_places_high_bits(void **state)
{
    (void)state;
    mode.levels = 2;
    mode.pse = true;
    put32(0x1000, 0x00400000 | (0x5u << 13) | P | W | U | PS);
    assert_fault(walk(0x1234, ACCESS_READ, VIEW_USER), PF_P | PF_U | PF_RSVD);
    mode.pse36 = true;
    assert_true(walk(0x1234, ACCESS_READ, VIEW_USER).paddr == 0x500401234ull);
    put32(0x1000, 0x00400000 | BIT(21) | P | W | U | PS);
    assert_fault(walk(0x1234, ACCESS_READ, VIEW_USER), PF_P | PF_U | PF_RSVD);
    /* With 36 physical bits the top four of the eight are reserved. */
    mode.maxphyaddr = 36;
    put32(0x1000, 0x00400000 | (0x10u << 13) | P | W | U | PS);
    assert_fault(walk(0x1234, ACCESS_READ, VIEW_USER), PF_P | PF_U | PF_RSVD);
}

static void pae_registers_or_memory(void **state)
{
    (void)state;
    mode.levels = 3;
    mode.pdpte[1] = 0x3000 | P;
    put64(0x1008, 0x5000 | P);
    put64(0x3000, 0x200000 | P | W | U | PS);
    put64(0x5000, 0x000000 | P | W | U | PS);
    assert_int_equal(walk(0x40012345, ACCESS_READ, VIEW_USER).paddr, 0x212345);
    mode.pdpte_in_memory = true;
    assert_int_equal(walk(0x40012345, ACCESS_READ, VIEW_USER).paddr, 0x012345);
    put64(0x1008, 0x5000 | P | U);
    assert_fault(walk(0x40012345, ACCESS_READ, VIEW_USER), PF_P | PF_U | PF_RSVD);
    put64(0x1008, 0);
    assert_fault(walk(0x40012345, ACCESS_READ, VIEW_USER), PF_U);
    assert_true(pdpte_is_bad(&mode, P | W));
    assert_true(pdpte_is_bad(&mode, P | 0x20));
    assert_true(pdpte_is_bad(&mode, P | BIT(40)));
    assert_false(pdpte_is_bad(&mode, 0x3000 | P | 0x18 | 0xE00));
    assert_false(pdpte_is_bad(&mode, W));
}

static void five_levels(void **state)
{
    (void)state;
    map_4_level(0x200000 | P | W | U);
    mode.levels = 5;
    mode.cr3 = 0x6000;
    put64(0x6008, 0x1000 | P | W | U);
    assert_int_equal(walk(BIT(48) | 0x400123, ACCESS_READ, VIEW_USER).paddr, 0x200123);
    assert_fault(walk(0x400123, ACCESS_READ, VIEW_USER), PF_U);
}

static void rights_combine_over_levels(void **state)
{
    (void)state;
    map_4_level(0x200000 | P | W | U);
    assert_true(walk(0x400000, ACCESS_WRITE, VIEW_USER).ok);
    put64(0x2000, 0x3000 | P | W);
    assert_fault(walk(0x400000, ACCESS_READ, VIEW_USER), PF_P | PF_U);
    assert_true(walk(0x400000, ACCESS_WRITE, VIEW_SUPERVISOR).ok);
    put64(0x2000, 0x3000 | P | U);
    assert_fault(walk(0x400000, ACCESS_WRITE, VIEW_USER), PF_P | PF_U | PF_W);
    assert_fault(walk(0x400000, ACCESS_WRITE, VIEW_SUPERVISOR), PF_P | PF_W);
    mode.wp = false;
    assert_true(walk(0x400000, ACCESS_WRITE, VIEW_SUPERVISOR).ok);
    assert_fault(walk(0x400000, ACCESS_WRITE, VIEW_USER), PF_P | PF_U | PF_W);
}

static void execute_disable(void **state)
{
    (void)state;
    map_4_level(0x200000 | P | W | U | NX);
    assert_true(walk(0x400000, ACCESS_READ, VIEW_USER).ok);
    assert_fault(walk(0x400000, ACCESS_EXECUTE, VIEW_USER), PF_P | PF_U | PF_I);
    mode.nxe = false;
    /* Without NXE the bit is reserved, and I is not reported (PG-05, ID-16). */
    assert_fault(walk(0x400000, ACCESS_READ, VIEW_USER), PF_P | PF_U | PF_RSVD);
    assert_fault(walk(0x400000, ACCESS_EXECUTE, VIEW_USER), PF_P | PF_U | PF_RSVD);
    put64(0x4000, 0);
    assert_fault(walk(0x400000, ACCESS_EXECUTE, VIEW_USER), PF_U);
    mode.smep = true;
    assert_fault(walk(0x400000, ACCESS_EXECUTE, VIEW_USER), PF_U | PF_I);
}

static void smep_and_smap(void **state)
{
    (void)state;
    map_4_level(0x200000 | P | W | U);
    assert_true(walk(0x400000, ACCESS_EXECUTE, VIEW_SUPERVISOR).ok);
    mode.smep = true;
    assert_fault(walk(0x400000, ACCESS_EXECUTE, VIEW_SUPERVISOR), PF_P | PF_I);
    assert_fault(walk(0x400000, ACCESS_EXECUTE, VIEW_SUPERVISOR_AC), PF_P | PF_I);
    assert_true(walk(0x400000, ACCESS_EXECUTE, VIEW_USER).ok);
    mode.smap = true;
    assert_fault(walk(0x400000, ACCESS_READ, VIEW_SUPERVISOR), PF_P);
    assert_fault(walk(0x400000, ACCESS_WRITE, VIEW_SUPERVISOR), PF_P | PF_W);
    assert_true(walk(0x400000, ACCESS_WRITE, VIEW_SUPERVISOR_AC).ok);
    assert_true(walk(0x400000, ACCESS_READ, VIEW_USER).ok);
}

static void reserved_bits_fault_with_p(void **state)
{
    (void)state;
    map_4_level(0x200000 | P | W | U | BIT(40));
    assert_fault(walk(0x400000, ACCESS_WRITE, VIEW_SUPERVISOR), PF_P | PF_W | PF_RSVD);
    map_4_level(0x200000 | P | W | U | BIT(52)); /* ignored in long mode */
    assert_true(walk(0x400000, ACCESS_READ, VIEW_USER).ok);
    put64(0x1000, 0x2000 | P | W | U | PS);
    assert_fault(walk(0x400000, ACCESS_READ, VIEW_USER), PF_P | PF_U | PF_RSVD);
    put64(0x1000, 0x2000 | P | W | U);
    put64(0x3010, 0x200000 | P | W | U | PS | BIT(13));
    assert_fault(walk(0x400000, ACCESS_READ, VIEW_USER), PF_P | PF_U | PF_RSVD);
    /* A 1 GiB page is reserved unless the processor has them. */
    put64(0x2000, 0 | P | W | U | PS);
    assert_fault(walk(0x400000, ACCESS_READ, VIEW_USER), PF_P | PF_U | PF_RSVD);
    mode.page1gb = true;
    assert_int_equal(walk(0x400123, ACCESS_READ, VIEW_USER).paddr, 0x400123);
    assert_int_equal(walk(0x400123, ACCESS_READ, VIEW_USER).page_shift, 30);
    put64(0x2000, BIT(29) | P | W | U | PS);
    assert_fault(walk(0x400000, ACCESS_READ, VIEW_USER), PF_P | PF_U | PF_RSVD);
    /* PAE reserves bits 62:52, long mode ignores them. */
    mode.levels = 3;
    mode.pdpte[0] = 0x3000 | P;
    put64(0x3010, 0x200000 | P | W | U | PS | BIT(52));
    assert_fault(walk(0x400000, ACCESS_READ, VIEW_USER), PF_P | PF_U | PF_RSVD);
}

static void present_comes_before_reserved(void **state)
{
    (void)state;
    map_4_level(BIT(45));
    assert_fault(walk(0x400000, ACCESS_READ, VIEW_USER), PF_U);
}

static void updates_name_only_what_is_clear(void **state)
{
    struct walk w;

    (void)state;
    map_4_level(0x200000 | P | W | U | A);
    put64(0x1000, 0x2000 | P | W | U | A);
    w = walk(0x400000, ACCESS_READ, VIEW_USER);
    assert_int_equal(w.updates, 2);
    assert_int_equal(w.update[0].paddr, 0x2000);
    assert_int_equal(w.update[1].paddr, 0x3010);
    assert_false(w.dirty);
    w = walk(0x400000, ACCESS_WRITE, VIEW_USER);
    assert_int_equal(w.updates, 3);
    assert_int_equal(w.update[2].set, D);
    assert_true(w.dirty);
}

static void tables_name_every_page_that_was_read(void **state)
{
    struct walk w;

    (void)state;
    map_4_level(0x200000 | P | W | U);
    w = walk(0x400123, ACCESS_READ, VIEW_USER);
    assert_int_equal(w.tables, 4);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(w.table[i], 0x1000 * (i + 1));
    put64(0x3010, 0x200000 | P | W | U | PS);
    assert_int_equal(walk(0x400123, ACCESS_READ, VIEW_USER).tables, 3);
    mode.levels = 3; /* PDPTEs are registers on Intel, memory on AMD */
    mode.pdpte[0] = 0x3000 | P;
    assert_int_equal(walk(0x400123, ACCESS_READ, VIEW_USER).tables, 1);
    mode.pdpte_in_memory = true;
    mode.cr3 = 0x1020;
    put64(0x1020, 0x3000 | P);
    w = walk(0x400123, ACCESS_READ, VIEW_USER);
    assert_int_equal(w.tables, 2);
    assert_int_equal(w.table[0], 0x1000);
    assert_int_equal(w.table[1], 0x3000);
    mode.levels = 0;
    assert_int_equal(walk(0x400123, ACCESS_READ, VIEW_USER).tables, 0);
}

static void global_needs_pge(void **state)
{
    (void)state;
    map_4_level(0x200000 | P | W | U | 0x100);
    assert_false(walk(0x400000, ACCESS_READ, VIEW_USER).global);
    mode.pge = true;
    assert_true(walk(0x400000, ACCESS_READ, VIEW_USER).global);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(paging_off_is_identity),
        CASE(two_levels_4k_and_4m),
        CASE(pse36_places_high_bits),
        CASE(pae_registers_or_memory),
        CASE(five_levels),
        CASE(rights_combine_over_levels),
        CASE(execute_disable),
        CASE(smep_and_smap),
        CASE(reserved_bits_fault_with_p),
        CASE(present_comes_before_reserved),
        CASE(updates_name_only_what_is_clear),
        CASE(tables_name_every_page_that_was_read),
        CASE(global_needs_pge),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

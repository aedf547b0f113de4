/* SPDX-License-Identifier: MIT
 * A TLB over 16 MiB of memory with address spaces of four levels, each with tables of its own.
 *
 * A space at base has its PML4 there and PDPT, PD and PT in the three pages behind. Linear 0..1FFFFF are 4 KiB pages,
 * page i at frame SPACE_FRAMES * n + i of the space's number n; 200000..3FFFFF is one 2 MiB page at physical 0.
 */
#ifndef RINGSIDE_TESTS_MMU_FIXTURE_H
#define RINGSIDE_TESTS_MMU_FIXTURE_H

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
#define A 0x20u
#define D 0x40u
#define PS 0x80u
#define G 0x100u
#define RIGHTS (P | W | U)

#define SPACES 24u
#define SPACE(n) (0x100000u + (n)*0x10000u)            /* where the tables of a space are */
#define TABLE(n, level) (SPACE(n) + 0x1000u * (level)) /* level 0 = PML4 ... 3 = PT */
#define FRAME(n, page) ((paddr_t)0x400000u + (n)*0x40000u + (page)*0x1000u)
#define SPACE_PAGES 64u /* pages that FRAME() has room for in one space */

static struct physmem *pm;
static struct mmu *mmu;

static inline void listener_revoke(void *context, paddr_t page) { mmu_revoke_writable(context, page); }
static inline void listener_table(void *context, paddr_t page, u32 watchers)
{
    (void)page;
    mmu_table_written(context, watchers);
}
static inline void listener_map(void *context) { mmu_flush_all(context); }

static inline void put64(paddr_t at, u64 value) { physmem_write(pm, at, &value, 8, INITIATOR_LOADER); }

static inline u64 get64(paddr_t at)
{
    u64 value;

    physmem_read(pm, at, &value, 8, INITIATOR_LOADER);
    return value;
}

static inline void make_space(unsigned n)
{
    put64(TABLE(n, 0), TABLE(n, 1) | RIGHTS);
    put64(TABLE(n, 1), TABLE(n, 2) | RIGHTS);
    put64(TABLE(n, 2), TABLE(n, 3) | RIGHTS);
    put64(TABLE(n, 2) + 8, RIGHTS | PS);
    for (unsigned page = 0; page < SPACE_PAGES; page++)
        put64(TABLE(n, 3) + 8 * page, FRAME(n, page) | RIGHTS);
}

static inline int mmu_set_up(void **state)
{
    struct error err;

    (void)state;
    pm = physmem_new(16 << 20, &err);
    mmu = aligned_alloc(_Alignof(struct mmu), sizeof *mmu);
    if (pm == NULL || mmu == NULL)
        return -1;
    mmu_init(mmu, pm, INITIATOR_CPU0);
    physmem_set_listener(pm, &(struct physmem_listener){.context = mmu,
                                                        .table_written = listener_table,
                                                        .revoke_writable = listener_revoke,
                                                        .map_changed = listener_map});
    for (unsigned n = 0; n < SPACES; n++)
        make_space(n);
    mmu->mode =
        (struct paging_mode){.cr3 = SPACE(0), .levels = 4, .maxphyaddr = 40, .wp = true, .pge = true, .nxe = true};
    mmu_flush_all(mmu);
    return 0;
}

static inline int mmu_tear_down(void **state)
{
    (void)state;
    free(mmu);
    physmem_free(pm);
    return 0;
}

/* MOV CR3 with space n (its PCID with CR4.PCIDE), bit 63 = keep. */
static inline void enter_pcid(unsigned n, unsigned pcid, bool keep)
{
    mmu->mode.cr3 = SPACE(n) | pcid;
    mmu_switch(mmu, keep);
}
static inline void enter(unsigned n) { enter_pcid(n, 0, false); }

static inline paddr_t translate(laddr_t laddr, enum access_type type, enum access_view view)
{
    paddr_t paddr = ~0ull;
    u32 error;

    assert_true(mmu_translate(mmu, laddr, type, view, &paddr, &error));
    return paddr;
}

static inline u32 fault(laddr_t laddr, enum access_type type, enum access_view view)
{
    paddr_t paddr;
    u32 error = ~0u;

    assert_false(mmu_translate(mmu, laddr, type, view, &paddr, &error));
    return error;
}

static inline paddr_t read_of(laddr_t laddr) { return translate(laddr, ACCESS_READ, VIEW_USER); }

/* How many walks a translation for reading takes: 0 when it was cached. */
static inline unsigned walks_for(laddr_t laddr)
{
    u64 before = mmu->walks;

    read_of(laddr);
    return (unsigned)(mmu->walks - before);
}

#define MMU_CASE(name) cmocka_unit_test_setup_teardown(name, mmu_set_up, mmu_tear_down)

#endif

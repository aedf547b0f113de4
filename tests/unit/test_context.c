/* SPDX-License-Identifier: MIT
 * TLB contexts: what a load of CR3 keeps and what it must see, PCIDs, INVPCID, global entries, replacement.
 */
#include "mmu_fixture.h"

static void entering_again_keeps_what_is_true(void **state)
{
    u64 flushes;

    (void)state;
    assert_int_equal(read_of(0x5123), FRAME(0, 5) + 0x123);
    enter(1);
    assert_int_equal(read_of(0x5123), FRAME(1, 5) + 0x123);
    flushes = mmu->flushes;
    enter(0);
    assert_true(mmu->flushes > flushes);
    assert_int_equal(walks_for(0x5000), 0);
    assert_int_equal(read_of(0x5123), FRAME(0, 5) + 0x123);
    assert_non_null(tlb_read_hit(&mmu->view[VIEW_USER], 0x5000, 1));
    enter(1);
    enter(1);
    assert_int_equal(walks_for(0x5000), 0);
    assert_int_equal(mmu->drops, 0);
}

/* An entry of space 0 at a level is changed to lead into space 2, while space 1 is current. */
static void an_edit_of_an_inactive_space_is_seen_at_every_level(void **state)
{
    (void)state;
    for (unsigned level = 0; level < 4; level++) {
        u64 old = get64(TABLE(0, level) + (level == 3 ? 8 * 5 : 0));
        u64 entry = level == 3 ? FRAME(2, 5) : TABLE(2, level + 1);

        enter(0);
        assert_int_equal(read_of(0x5000), FRAME(0, 5));
        enter(1);
        put64(TABLE(0, level) + (level == 3 ? 8 * 5 : 0), entry | RIGHTS);
        enter(0);
        assert_int_equal(read_of(0x5000), FRAME(2, 5));
        put64(TABLE(0, level) + (level == 3 ? 8 * 5 : 0), old);
    }
}

static void an_edit_of_the_current_space_waits_for_cr3(void **state)
{
    (void)state;
    read_of(0x5000);
    put64(TABLE(0, 3) + 8 * 5, FRAME(2, 5) | RIGHTS);
    assert_int_equal(read_of(0x5000), FRAME(0, 5));
    enter(0);
    assert_int_equal(read_of(0x5000), FRAME(2, 5));
    /* What was walked for after the edit is told apart from what was there before by nobody: it goes too. */
    put64(TABLE(0, 3) + 8 * 5, FRAME(3, 5) | RIGHTS);
    read_of(0x6000);
    put64(TABLE(0, 3) + 8 * 6, FRAME(3, 6) | RIGHTS);
    enter(1);
    enter(0);
    assert_int_equal(read_of(0x6000), FRAME(3, 6));
}

static void every_writer_is_noticed(void **state)
{
    static const enum initiator who[] = {INITIATOR_CPU0, INITIATOR_DMA, INITIATOR_LOADER, INITIATOR_DEBUGGER};

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(who); i++) {
        u64 entry = FRAME(2 + i, 5) | RIGHTS;

        enter(0);
        read_of(0x5000);
        enter(1);
        physmem_write(pm, TABLE(0, 3) + 8 * 5, &entry, 8, who[i]);
        enter(0);
        assert_int_equal(read_of(0x5000), FRAME(2 + i, 5));
    }
}

static void a_table_that_becomes_watched_takes_its_write_pointers_back(void **state)
{
    const laddr_t aliases[] = {0x10000, 0x11000, 0x12000, 0x13000};

    (void)state;
    /* Space 1 maps the page table of space 0, several times: more places than physmem's word names. */
    for (unsigned i = 0; i < ARRAY_LEN(aliases); i++)
        put64(TABLE(1, 3) + 8 * (aliases[i] >> 12), TABLE(0, 3) | RIGHTS);
    for (unsigned count = 1; count <= ARRAY_LEN(aliases); count++) {
        enter(1);
        put64(TABLE(0, 3), get64(TABLE(0, 3))); /* watched no more */
        for (unsigned i = 0; i < count; i++) {
            translate(aliases[i], ACCESS_WRITE, VIEW_USER);
            assert_non_null(tlb_write_hit(&mmu->view[VIEW_USER], aliases[i], 8));
        }
        enter(0);
        read_of(0x5000);
        assert_int_equal(physmem_page_flags(pm, TABLE(0, 3)), PAGE_TABLE);
        enter(1);
        for (unsigned i = 0; i < count; i++) {
            assert_null(tlb_write_hit(&mmu->view[VIEW_USER], aliases[i], 8));
            assert_non_null(tlb_read_hit(&mmu->view[VIEW_USER], aliases[i], 8));
        }
    }
}

static void one_write_makes_a_table_fast_again(void **state)
{
    (void)state;
    read_of(0x5000);
    for (unsigned level = 0; level < 4; level++)
        assert_int_equal(physmem_page_flags(pm, TABLE(0, level)), PAGE_TABLE);
    assert_null(physmem_host_writable(pm, TABLE(0, 3)));
    put64(TABLE(0, 3), get64(TABLE(0, 3)));
    assert_int_equal(physmem_page_flags(pm, TABLE(0, 3)), 0);
    assert_non_null(physmem_host_writable(pm, TABLE(0, 3)));
    /* A context that is written already watches nothing more until it was flushed. */
    read_of(0x6000);
    assert_int_equal(physmem_page_flags(pm, TABLE(0, 3)), 0);
    enter(0);
    read_of(0x6000);
    assert_int_equal(physmem_page_flags(pm, TABLE(0, 3)), PAGE_TABLE);
}

static void accessed_and_dirty_updates_are_no_writes(void **state)
{
    (void)state;
    put64(TABLE(1, 0), TABLE(0, 1) | RIGHTS); /* space 1 shares the lower tables */
    read_of(0x5000);
    enter(1);
    translate(0x5000, ACCESS_WRITE, VIEW_USER);
    assert_int_equal(get64(TABLE(0, 3) + 8 * 5) & (A | D), A | D);
    translate(0x6000, ACCESS_WRITE, VIEW_USER);
    assert_int_equal(physmem_page_flags(pm, TABLE(0, 3)), PAGE_TABLE);
    enter(0);
    assert_int_equal(walks_for(0x5000), 0);
    assert_int_equal(mmu->drops, 0);
    /* Both watch it: a write reaches both. */
    put64(TABLE(0, 3) + 8 * 5, FRAME(2, 5) | RIGHTS);
    enter(1);
    assert_int_equal(read_of(0x5000), FRAME(2, 5));
    enter(0);
    assert_int_equal(read_of(0x5000), FRAME(2, 5));
}

static void global_entries_are_shared_and_survive(void **state)
{
    (void)state;
    put64(TABLE(0, 3) + 8 * 5, FRAME(0, 5) | RIGHTS | G);
    read_of(0x5000);
    translate(0x5000, ACCESS_EXECUTE, VIEW_USER);
    enter(1);
    assert_int_equal(walks_for(0x5000), 0);
    assert_int_equal(read_of(0x5000), FRAME(0, 5));
    assert_int_equal(mmu->view[VIEW_USER].insn[5].tag, 0x5000);
    assert_int_equal(walks_for(0x6000), 1);
    put64(TABLE(1, 3) + 8 * 6, FRAME(2, 6) | RIGHTS);
    enter(1);
    assert_int_equal(mmu->drops, 1);
    assert_int_equal(read_of(0x5000), FRAME(0, 5));
    assert_int_equal(read_of(0x6000), FRAME(2, 6));
    mmu_flush_nonglobal(mmu);
    assert_int_equal(walks_for(0x5000), 0);
    mmu_flush_all(mmu);
    assert_int_equal(read_of(0x5000), FRAME(1, 5));
    enter(0);
    assert_int_equal(walks_for(0x5000), 1);
}

static void without_pge_nothing_is_global(void **state)
{
    (void)state;
    mmu->mode.pge = false;
    mmu_flush_all(mmu);
    put64(TABLE(0, 3) + 8 * 5, FRAME(0, 5) | RIGHTS | G);
    read_of(0x5000);
    enter(1);
    assert_int_equal(read_of(0x5000), FRAME(1, 5));
}

static void invlpg_drops_global_entries_of_every_context(void **state)
{
    (void)state;
    put64(TABLE(0, 3) + 8 * 5, FRAME(0, 5) | RIGHTS | G);
    put64(TABLE(0, 2) + 8, RIGHTS | PS | G);
    read_of(0x5000);
    read_of(0x3FF000);
    enter(1);
    assert_int_equal(read_of(0x5000), FRAME(0, 5));
    assert_int_equal(walks_for(0x3FF000), 0);
    put64(TABLE(0, 3) + 8 * 5, FRAME(3, 5) | RIGHTS | G);
    mmu_flush_page(mmu, 0x5FFF);
    mmu_flush_page(mmu, 0x200000); /* another piece of the large page */
    assert_int_equal(read_of(0x5000), FRAME(1, 5));
    assert_int_equal(walks_for(0x3FF000), 1);
    enter(0);
    assert_int_equal(read_of(0x5000), FRAME(3, 5));
    assert_int_equal(walks_for(0x3FF000), 1);
}

static void a_fault_drops_global_entries_of_every_context(void **state)
{
    (void)state;
    put64(TABLE(0, 3) + 8 * 5, FRAME(0, 5) | P | U | G);
    read_of(0x5000);
    enter(1);
    read_of(0x5000);
    put64(TABLE(1, 3) + 8 * 5, FRAME(1, 5) | P | U);
    assert_int_equal(fault(0x5000, ACCESS_WRITE, VIEW_USER), PF_P | PF_W | PF_U);
    enter(0);
    assert_int_equal(walks_for(0x5000), 1);
}

static void large_pages_of_a_context_fall_in_pieces(void **state)
{
    (void)state;
    read_of(0x200000);
    read_of(0x3FF000);
    translate(0x2FF000, ACCESS_EXECUTE, VIEW_USER);
    enter(1);
    read_of(0x3FF000);
    put64(TABLE(0, 2) + 8, 0x200000 | RIGHTS | PS);
    enter(0);
    assert_int_equal(read_of(0x3FF000), 0x3FF000);
    put64(TABLE(0, 2) + 8, RIGHTS | PS);
    mmu_flush_page(mmu, 0x280000);
    assert_int_equal(read_of(0x3FF000), 0x1FF000);
    assert_int_equal(walks_for(0x200000), 1);
    enter(1);
    assert_int_equal(walks_for(0x3FF000), 0);
}

static void use_pcids(void)
{
    mmu->mode.pcide = true;
    mmu_flush_all(mmu);
    enter_pcid(0, 1, false);
}

static void bit_63_keeps_the_entries_of_a_pcid(void **state)
{
    (void)state;
    use_pcids();
    read_of(0x5000);
    enter_pcid(1, 2, false);
    put64(TABLE(0, 3) + 8 * 5, FRAME(2, 5) | RIGHTS);
    enter_pcid(0, 1, true);
    assert_int_equal(read_of(0x5000), FRAME(0, 5)); /* as the processor would: it is the guest's to invalidate */
    enter_pcid(1, 2, true);
    enter_pcid(0, 1, false);
    assert_int_equal(read_of(0x5000), FRAME(2, 5));
}

static void a_pcid_for_another_address_drops_what_it_kept(void **state)
{
    (void)state;
    use_pcids();
    read_of(0x5000);
    read_of(0x6000);
    enter_pcid(1, 1, true);
    assert_int_equal(read_of(0x5000), FRAME(1, 5));
    put64(TABLE(0, 3) + 8 * 5, FRAME(2, 5) | RIGHTS);
    mmu_flush_page(mmu, 0x5000); /* reaches PCID 1, whose entries space 0 had */
    enter_pcid(0, 1, true);
    assert_int_equal(read_of(0x5000), FRAME(2, 5));
    /* What is true serves under any PCID. */
    read_of(0x6000);
    enter_pcid(0, 7, true);
    assert_int_equal(walks_for(0x6000), 0);
    /* What is written does not. */
    put64(TABLE(0, 3) + 8 * 6, FRAME(2, 6) | RIGHTS);
    enter_pcid(0, 8, true);
    assert_int_equal(read_of(0x6000), FRAME(2, 6));
}

static void invlpg_reaches_the_current_pcid_only(void **state)
{
    (void)state;
    use_pcids();
    read_of(0x5000);
    enter_pcid(1, 2, false);
    read_of(0x5000);
    put64(TABLE(0, 3) + 8 * 5, FRAME(2, 5) | RIGHTS);
    mmu_flush_page(mmu, 0x5000);
    assert_int_equal(walks_for(0x5000), 1);
    enter_pcid(0, 1, true);
    assert_int_equal(read_of(0x5000), FRAME(0, 5));
    mmu_flush_page(mmu, 0x5000);
    assert_int_equal(read_of(0x5000), FRAME(2, 5));
}

/* An invalidation of another PCID must hold although nothing was written before it, but something was after it. */
static void an_edit_after_invpcid_is_seen(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 3; round++) {
        make_space(0);
        use_pcids();
        read_of(0x5000);
        enter_pcid(1, 2, false);
        switch (round) {
        case 0: mmu_flush_pcid(mmu, 1); break;
        case 1: mmu_flush_nonglobal(mmu); break;
        case 2: mmu_flush_pcid_page(mmu, 1, 0x5000); break;
        }
        put64(TABLE(0, 3) + 8 * 5, FRAME(2, 5) | RIGHTS);
        enter_pcid(0, 1, true);
        assert_int_equal(read_of(0x5000), FRAME(2, 5));
    }
}

/* Pages 5, 6 (global) and 7 cached under PCID 1; then all are edited under PCID 2. */
static void prepare_for_invpcid(void)
{
    use_pcids();
    put64(TABLE(0, 3) + 8 * 6, FRAME(0, 6) | RIGHTS | G);
    for (unsigned page = 5; page <= 7; page++)
        read_of(page << 12);
    enter_pcid(1, 2, false);
    for (unsigned page = 5; page <= 7; page++) {
        read_of(page << 12);
        put64(TABLE(0, 3) + 8 * page, FRAME(2, page) | RIGHTS);
        put64(TABLE(1, 3) + 8 * page, FRAME(3, page) | RIGHTS);
    }
}

static void invpcid_address(void **state)
{
    (void)state;
    prepare_for_invpcid();
    mmu_flush_pcid_page(mmu, 1, 0x5000);
    mmu_flush_pcid_page(mmu, 1, 0x6000); /* but global */
    assert_int_equal(read_of(0x5000), FRAME(1, 5));
    enter_pcid(0, 1, true);
    assert_int_equal(read_of(0x5000), FRAME(2, 5));
    assert_int_equal(read_of(0x6000), FRAME(0, 6));
    assert_int_equal(read_of(0x7000), FRAME(0, 7));
    mmu_flush_pcid_page(mmu, 1, 0x7000);
    assert_int_equal(read_of(0x7000), FRAME(2, 7));
}

static void invpcid_context(void **state)
{
    (void)state;
    prepare_for_invpcid();
    mmu_flush_pcid(mmu, 1);
    assert_int_equal(read_of(0x5000), FRAME(1, 5));
    enter_pcid(0, 1, true);
    assert_int_equal(read_of(0x5000), FRAME(2, 5));
    assert_int_equal(read_of(0x6000), FRAME(0, 6));
    assert_int_equal(read_of(0x7000), FRAME(2, 7));
    enter_pcid(1, 2, true);
    mmu_flush_pcid(mmu, 2);
    assert_int_equal(read_of(0x5000), FRAME(3, 5));
}

static void invpcid_all(void **state)
{
    (void)state;
    prepare_for_invpcid();
    mmu_flush_all(mmu);
    assert_int_equal(read_of(0x5000), FRAME(3, 5));
    assert_int_equal(read_of(0x6000), FRAME(3, 6));
    enter_pcid(0, 1, true);
    assert_int_equal(read_of(0x5000), FRAME(2, 5));
    assert_int_equal(read_of(0x6000), FRAME(2, 6));
}

static void invpcid_all_but_global(void **state)
{
    (void)state;
    prepare_for_invpcid();
    mmu_flush_nonglobal(mmu);
    assert_int_equal(read_of(0x5000), FRAME(3, 5));
    assert_int_equal(read_of(0x6000), FRAME(0, 6));
    enter_pcid(0, 1, true);
    assert_int_equal(read_of(0x5000), FRAME(2, 5));
    assert_int_equal(read_of(0x6000), FRAME(0, 6));
}

static void the_context_entered_longest_ago_makes_room(void **state)
{
    (void)state;
    put64(TABLE(0, 3) + 8 * 6, FRAME(0, 6) | RIGHTS | G);
    read_of(0x6000);
    for (unsigned n = 0; n < TLB_CONTEXTS + 1; n++) {
        enter(n);
        assert_int_equal(read_of(0x5000), FRAME(n, 5));
        assert_int_equal(walks_for(0x6000), 0); /* the global entry came along */
    }
    for (unsigned n = TLB_CONTEXTS; n >= 1; n--) {
        enter(n);
        assert_int_equal(walks_for(0x5000), 0);
    }
    enter(0);
    assert_int_equal(walks_for(0x5000), 1);
    assert_int_equal(read_of(0x5000), FRAME(0, 5));
    enter(TLB_CONTEXTS); /* was the one entered longest ago */
    assert_int_equal(walks_for(0x5000), 1);
}

static void new_pdpte_registers_are_another_space(void **state)
{
    (void)state;
    mmu->mode = (struct paging_mode){.cr3 = SPACE(0), .levels = 3, .maxphyaddr = 40};
    mmu->mode.pdpte[0] = TABLE(0, 2) | P;
    mmu_flush_all(mmu);
    assert_int_equal(read_of(0x5000), FRAME(0, 5));
    mmu->mode.cr3 = SPACE(1);
    mmu->mode.pdpte[0] = TABLE(1, 2) | P;
    mmu_switch(mmu, false);
    assert_int_equal(read_of(0x5000), FRAME(1, 5));
    /* Back, but the table that the registers are loaded from was edited meanwhile. */
    mmu->mode.cr3 = SPACE(0);
    mmu->mode.pdpte[0] = TABLE(2, 2) | P;
    mmu_switch(mmu, false);
    assert_int_equal(read_of(0x5000), FRAME(2, 5));
    /* A load of the registers by MOV CR0 flushes nothing; the next MOV CR3 does. */
    mmu->mode.pdpte[0] = TABLE(3, 2) | P;
    mmu_mode_changed(mmu);
    assert_int_equal(read_of(0x5000), FRAME(2, 5));
    assert_int_equal(read_of(0x6000), FRAME(3, 6));
    mmu_switch(mmu, false);
    assert_int_equal(read_of(0x5000), FRAME(3, 5));
}

static u64 device_read(void *device, u64 offset, unsigned size, enum initiator who)
{
    (void)offset, (void)size, (void)who;
    ++*(unsigned *)device;
    return FRAME(2, 5) | RIGHTS | A | D;
}

/* A walk may come at any time, and a device must not see one: entries there read as ones, which breaks reserved bits.
 */
static void tables_in_a_device_read_as_ones(void **state)
{
    static const struct mmio_ops ops = {.read = device_read};
    unsigned reads = 0;
    paddr_t paddr;
    u32 error = 0;

    (void)state;
    physmem_map_mmio(pm, TABLE(0, 3), 0x1000, &ops, &reads, "table");
    enter(0);
    assert_false(mmu_translate(mmu, 0x5000, ACCESS_READ, VIEW_SUPERVISOR, &paddr, &error));
    assert_int_equal(error, PF_P | PF_RSVD);
    assert_int_equal(reads, 0);
}

static void without_a_listener_nothing_is_trusted(void **state)
{
    (void)state;
    physmem_set_listener(pm, NULL);
    read_of(0x5000);
    enter(1);
    put64(TABLE(0, 3) + 8 * 5, FRAME(2, 5) | RIGHTS);
    enter(0);
    assert_int_equal(read_of(0x5000), FRAME(2, 5));
}

static void a_change_of_mode_without_cr3_ends_what_was_true(void **state)
{
    (void)state;
    enter(1);
    read_of(0x5000);
    enter(0);
    read_of(0x5000);
    mmu->mode.cr3 = SPACE(1); /* as a debugger assigns it */
    mmu_mode_changed(mmu);
    enter(1);
    assert_int_equal(read_of(0x5000), FRAME(1, 5));
    enter(0);
    assert_int_equal(read_of(0x5000), FRAME(0, 5));
}

/* ---- against a model
 *
 * The model knows for each PCID and page which frames a cached translation may name: those that walks found while the
 * PCID was current and no invalidation reached the page since. After each step every translation must be one of them.
 */

#define MODEL_SPACES 20u
#define MODEL_PCIDS 3u
#define MODEL_PAGES 6u
#define WINDOW 0x40000u /* page table n of the spaces is mapped at WINDOW + n pages, in every space */

static struct model {
    u64 random;
    bool pcide;
    unsigned pcid;
    u64 allowed[MODEL_PCIDS][MODEL_PAGES], allowed_global[MODEL_PAGES]; /* sets of frames, numbered by frame_number() */
} model;

static unsigned choose(unsigned n)
{
    model.random ^= model.random << 13;
    model.random ^= model.random >> 7;
    model.random ^= model.random << 17;
    return (unsigned)(model.random >> 33) % n;
}

static unsigned frame_number(paddr_t paddr) { return (unsigned)(paddr >> 12) % 64; }

static struct walk walk_now(unsigned page)
{
    return page_walk(pm, &mmu->mode, (laddr_t)page << 12, ACCESS_READ, VIEW_USER);
}

static void model_learn(void)
{
    for (unsigned page = 0; page < MODEL_PAGES; page++) {
        struct walk walk = walk_now(page);

        if (!walk.ok)
            continue;
        model.allowed[model.pcid][page] |= BIT(frame_number(walk.paddr));
        if (walk.global)
            model.allowed_global[page] |= BIT(frame_number(walk.paddr));
    }
}

static void model_forget(unsigned pcid)
{
    for (unsigned page = 0; page < MODEL_PAGES; page++)
        model.allowed[pcid][page] = 0;
}

/* The guest's own store, by the TLB where it hits. */
static void guest_store(laddr_t laddr, u64 value)
{
    u8 *host = tlb_write_hit(&mmu->view[VIEW_SUPERVISOR], laddr, 8);

    if (host != NULL)
        store_le64(host, value);
    else
        physmem_write(pm, translate(laddr, ACCESS_WRITE, VIEW_SUPERVISOR), &value, 8, INITIATOR_CPU0);
}

static void model_edit(void)
{
    unsigned space = choose(MODEL_SPACES), page = choose(MODEL_PAGES);
    u64 entry = FRAME(0, choose(64)) | U;

    entry |= choose(8) != 0 ? P : 0;
    entry |= choose(2) != 0 ? W : 0;
    entry |= choose(6) == 0 ? G : 0;
    if (choose(8) == 0)
        physmem_write(pm, TABLE(space, 3) + 8 * page, &entry, 8, INITIATOR_DMA);
    else
        guest_store(WINDOW + space * 0x1000 + 8 * page, entry);
    if (choose(16) == 0) /* the level above leads to another space's table */
        put64(TABLE(space, 2), TABLE(choose(MODEL_SPACES), 3) | RIGHTS);
}

static void model_switch(void)
{
    unsigned pcid = model.pcide ? choose(MODEL_PCIDS) : 0;
    bool keep = model.pcide && choose(2) != 0;

    model.pcid = pcid;
    if (!keep)
        model_forget(pcid);
    enter_pcid(choose(4) != 0 ? choose(4) : choose(MODEL_SPACES), pcid, keep);
}

static void model_invalidate(void)
{
    unsigned pcid = model.pcide ? choose(MODEL_PCIDS) : 0, page = choose(MODEL_PAGES);

    switch (choose(12)) {
    case 0:
        mmu_flush_all(mmu);
        memset(model.allowed, 0, sizeof model.allowed);
        memset(model.allowed_global, 0, sizeof model.allowed_global);
        break;
    case 1:
    case 2:
        mmu_flush_nonglobal(mmu);
        memset(model.allowed, 0, sizeof model.allowed);
        break;
    case 3:
    case 4:
    case 5:
        mmu_flush_pcid(mmu, (u16)pcid);
        model_forget(pcid);
        break;
    case 6:
    case 7:
    case 8:
        mmu_flush_pcid_page(mmu, (u16)pcid, page << 12);
        model.allowed[pcid][page] = 0;
        break;
    default:
        mmu_flush_page(mmu, page << 12);
        model.allowed[model.pcid][page] = 0;
        model.allowed_global[page] = 0;
        break;
    }
}

static void model_check(unsigned page)
{
    paddr_t paddr = 0;
    u32 error;

    if (mmu_translate(mmu, page << 12, choose(4) == 0 ? ACCESS_WRITE : ACCESS_READ, VIEW_USER, &paddr, &error)) {
        assert_true((model.allowed[model.pcid][page] | model.allowed_global[page]) & BIT(frame_number(paddr)));
        return;
    }
    model.allowed[model.pcid][page] = 0;
    model.allowed_global[page] = 0;
}

static void run_model(bool pcide, u64 seed)
{
    model = (struct model){.random = seed, .pcide = pcide};
    mmu->mode.pcide = pcide;
    mmu_flush_all(mmu);
    for (unsigned space = 0; space < MODEL_SPACES; space++)
        for (unsigned window = 0; window < MODEL_SPACES; window++)
            put64(TABLE(space, 3) + 8 * ((WINDOW >> 12) + window), TABLE(window, 3) | P | W);
    model_learn();
    for (unsigned step = 0; step < 60000; step++) {
        switch (choose(8)) {
        case 0:
        case 1: model_edit(); break;
        case 2:
        case 3: model_switch(); break;
        case 4: model_invalidate(); break;
        default: break;
        }
        model_learn();
        model_check(choose(MODEL_PAGES));
        model_learn();
    }
    assert_true(mmu->walks > 1000);
}

static void any_order_of_edits_and_loads_agrees_with_the_model(void **state)
{
    (void)state;
    run_model(false, 0x9E3779B97F4A7C15ull);
    assert_true(mmu->drops < mmu->switches);
}

static void any_order_of_edits_and_invpcid_agrees_with_the_model(void **state)
{
    (void)state;
    run_model(true, 0xD1B54A32D192ED03ull);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        MMU_CASE(entering_again_keeps_what_is_true),
        MMU_CASE(an_edit_of_an_inactive_space_is_seen_at_every_level),
        MMU_CASE(an_edit_of_the_current_space_waits_for_cr3),
        MMU_CASE(every_writer_is_noticed),
        MMU_CASE(a_table_that_becomes_watched_takes_its_write_pointers_back),
        MMU_CASE(one_write_makes_a_table_fast_again),
        MMU_CASE(accessed_and_dirty_updates_are_no_writes),
        MMU_CASE(global_entries_are_shared_and_survive),
        MMU_CASE(without_pge_nothing_is_global),
        MMU_CASE(invlpg_drops_global_entries_of_every_context),
        MMU_CASE(a_fault_drops_global_entries_of_every_context),
        MMU_CASE(large_pages_of_a_context_fall_in_pieces),
        MMU_CASE(bit_63_keeps_the_entries_of_a_pcid),
        MMU_CASE(a_pcid_for_another_address_drops_what_it_kept),
        MMU_CASE(invlpg_reaches_the_current_pcid_only),
        MMU_CASE(an_edit_after_invpcid_is_seen),
        MMU_CASE(invpcid_address),
        MMU_CASE(invpcid_context),
        MMU_CASE(invpcid_all),
        MMU_CASE(invpcid_all_but_global),
        MMU_CASE(the_context_entered_longest_ago_makes_room),
        MMU_CASE(new_pdpte_registers_are_another_space),
        MMU_CASE(tables_in_a_device_read_as_ones),
        MMU_CASE(without_a_listener_nothing_is_trusted),
        MMU_CASE(a_change_of_mode_without_cr3_ends_what_was_true),
        MMU_CASE(any_order_of_edits_and_loads_agrees_with_the_model),
        MMU_CASE(any_order_of_edits_and_invpcid_agrees_with_the_model),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

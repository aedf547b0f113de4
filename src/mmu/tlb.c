/* SPDX-License-Identifier: MIT
 * The software TLB: fills, direct writes and side-effect-free lookups.
 * SDM 3A, "Caching Translation Information".
 */
#include "base/bits.h"
#include "mmu/filter.h"
#include "mmu/view.h"

/* ---- direct writes
 *
 * physmem keeps a word for each page: the slots of the TLB that a pointer for direct writes was put into, so that a
 * page which gets guarded takes its pointers back without a search. A slot is (view, index), the same in every context.
 */

#define SLOT_MANY 0xFFFFu

static unsigned slot_of(enum access_view view, unsigned index) { return 1 + (unsigned)view * TLB_ENTRIES + index; }

static struct tlb_entry *slot_entry(struct mmu *mmu, unsigned c, unsigned slot)
{
    return &mmu->context[c].view[(slot - 1) / TLB_ENTRIES].data[(slot - 1) % TLB_ENTRIES];
}

static bool slot_writes(struct mmu *mmu, unsigned slot, paddr_t page)
{
    for (unsigned c = 0; c < TLB_CONTEXTS; c++)
        if (mmu->base[c] != CONTEXT_NO_BASE && data_entry_writes(slot_entry(mmu, c, slot), page))
            return true;
    return false;
}

/* Remember in a page's word that a slot holds a pointer to it. Two fit: a page is commonly written through its place in
 * the kernel's map of all memory, and through one place of its user's. */
static void remember_holder(struct mmu *mmu, u32 *word, unsigned slot, paddr_t page)
{
    unsigned first = *word & 0xFFFF, second = *word >> 16;

    if (first == slot || second == slot || first == SLOT_MANY)
        return;
    if (first == 0 || !slot_writes(mmu, first, page))
        first = slot;
    else if (second == 0 || !slot_writes(mmu, second, page))
        second = slot;
    else
        first = SLOT_MANY;
    *word = first | second << 16;
}

/* Host address for direct writes to a page, or NULL when it is guarded or not RAM. */
static u8 *borrow(struct mmu *mmu, paddr_t page, unsigned slot)
{
    u8 *host = physmem_host_writable(mmu->physmem, page);

    if (host != NULL)
        remember_holder(mmu, physmem_holder(mmu->physmem, page), slot, page);
    return host;
}

static void revoke_slot(struct mmu *mmu, unsigned slot, paddr_t page)
{
    if (slot == 0)
        return;
    for (unsigned c = 0; c < TLB_CONTEXTS; c++) {
        struct tlb_entry *e = slot_entry(mmu, c, slot);

        if (mmu->base[c] != CONTEXT_NO_BASE && data_entry_writes(e, page))
            e->write_tag |= TLB_SLOW;
    }
}

void mmu_revoke_writable(struct mmu *mmu, paddr_t page)
{
    u32 *word = physmem_holder(mmu->physmem, page);

    page = physmem_seen(mmu->physmem, page & PAGE_MASK);
    if (word == NULL || *word == 0)
        return;
    if ((*word & 0xFFFF) != SLOT_MANY) {
        revoke_slot(mmu, *word & 0xFFFF, page);
        revoke_slot(mmu, *word >> 16, page);
    } else {
        for (unsigned c = 0; c < TLB_CONTEXTS; c++)
            for (unsigned v = 0; mmu->base[c] != CONTEXT_NO_BASE && v < ACCESS_VIEWS; v++)
                view_revoke(&mmu->context[c].view[v], page);
    }
    *word = 0;
}

/* ---- translation */

/* Or the accessed and dirty bits of a walk into the paging structures. */
static void apply_updates(struct mmu *mmu, const struct walk *walk)
{
    unsigned size = mmu->mode.levels == 2 ? 4 : 8;

    for (unsigned i = 0; i < walk->updates; i++)
        physmem_set_bits(mmu->physmem, walk->update[i].paddr, walk->update[i].set, size, mmu->who);
}

/* Have the pages of a walk watched, so that the context knows when its entries stop being true. */
static void watch_tables(struct mmu *mmu, const struct walk *walk)
{
    bool *written = &mmu->written[mmu->current];

    for (unsigned i = 0; i < walk->tables && !*written; i++)
        *written = !physmem_watch_table(mmu->physmem, walk->table[i], 1u << mmu->current);
}

/* Note where pieces of large pages and global entries are. */
static void note_kind(struct mmu *mmu, laddr_t laddr, const struct walk *walk)
{
    if (walk->page_shift > PAGE_SHIFT && walk->page_shift < 63)
        filter_add(mmu->large[mmu->current], region_filter_bit(laddr));
    if (walk->global)
        filter_add(mmu->global_pages, page_filter_bit(laddr));
}

static u8 piece_of(const struct walk *walk) { return walk->page_shift == 63 ? PAGE_SHIFT : walk->page_shift; }

static void fill_data(struct mmu *mmu, laddr_t laddr, const struct walk *walk, enum access_view kind)
{
    struct tlb_view *view = &mmu->view[kind];
    unsigned index = (unsigned)((laddr >> PAGE_SHIFT) % TLB_ENTRIES);
    struct tlb_entry *e = &view->data[index];
    laddr_t page = laddr & PAGE_MASK;
    paddr_t seen = physmem_seen(mmu->physmem, walk->paddr & PAGE_MASK);
    const u8 *host = physmem_host(mmu->physmem, seen);

    e->page = seen | piece_of(walk) | (walk->global ? TLB_GLOBAL : 0);
    e->addend = (uintptr_t)host - (uintptr_t)page;
    e->read_tag = TLB_INVALID;
    e->write_tag = TLB_INVALID;
    if (page_allows(&mmu->mode, walk, ACCESS_READ, kind))
        e->read_tag = page | (host == NULL ? TLB_SLOW : 0);
    /* A clean page is not cached for writing: the first write must walk and set the dirty bit. */
    if (walk->dirty && page_allows(&mmu->mode, walk, ACCESS_WRITE, kind))
        e->write_tag = page | (borrow(mmu, seen, slot_of(kind, index)) == NULL ? TLB_SLOW : 0);
    view->data_filled[index / 64] |= BIT(index % 64);
    view->used = true;
}

static void fill_insn(struct mmu *mmu, laddr_t laddr, const struct walk *walk, enum access_view kind)
{
    struct tlb_view *view = &mmu->view[kind];
    unsigned index = (unsigned)((laddr >> PAGE_SHIFT) % ITLB_ENTRIES);
    struct itlb_entry *e = &view->insn[index];

    e->tag = laddr & PAGE_MASK;
    e->page = physmem_seen(mmu->physmem, walk->paddr & PAGE_MASK);
    e->host = physmem_host(mmu->physmem, e->page);
    e->global = walk->global;
    e->page_shift = piece_of(walk);
    view->insn_filled[index / 64] |= BIT(index % 64);
    view->used = true;
}

/* Look for a cached translation that allows the access, slow entries included. */
static bool lookup(struct mmu *mmu, laddr_t laddr, enum access_type type, enum access_view kind, paddr_t *paddr)
{
    struct tlb_view *view = &mmu->view[kind];
    laddr_t page = laddr & PAGE_MASK;

    if (type == ACCESS_EXECUTE) {
        const struct itlb_entry *e = &view->insn[(laddr >> PAGE_SHIFT) % ITLB_ENTRIES];

        if (e->tag != page)
            return false;
        *paddr = e->page | (laddr & ~PAGE_MASK);
        return true;
    }

    unsigned index = (unsigned)((laddr >> PAGE_SHIFT) % TLB_ENTRIES);
    struct tlb_entry *e = &view->data[index];
    laddr_t *tag = type == ACCESS_WRITE ? &e->write_tag : &e->read_tag;
    paddr_t physical = e->page & PAGE_MASK;

    if ((*tag & ~(laddr_t)TLB_SLOW) != page)
        return false;
    *paddr = physical | (laddr & ~PAGE_MASK);
    /* The reason may have passed (the page is guarded no more): back to the fast path. Only writes have such reasons.
     */
    if ((*tag & TLB_SLOW) && type == ACCESS_WRITE && borrow(mmu, physical, slot_of(kind, index)) != NULL)
        *tag = page;
    return true;
}

bool mmu_translate(struct mmu *mmu, laddr_t laddr, enum access_type type, enum access_view view, paddr_t *paddr,
                   u32 *error)
{
    struct walk walk;

    if (lookup(mmu, laddr, type, view, paddr))
        return true;
    mmu->walks++;
    walk = page_walk(mmu->physmem, &mmu->mode, laddr, type, view);
    if (!walk.ok) {
        mmu_flush_page(mmu, laddr); /* a page fault drops what was cached for its address */
        *error = walk.error;
        return false;
    }
    apply_updates(mmu, &walk);
    watch_tables(mmu, &walk);
    note_kind(mmu, laddr, &walk);
    if (type == ACCESS_EXECUTE)
        fill_insn(mmu, laddr, &walk, view);
    else
        fill_data(mmu, laddr, &walk, view);
    *paddr = walk.paddr;
    return true;
}

/* ---- observers */

bool mmu_peek_translate(const struct mmu *mmu, laddr_t laddr, paddr_t *paddr)
{
    /* The most permissive view: an observer sees what is mapped, not what the present privilege may read. */
    struct walk walk = page_walk(mmu->physmem, &mmu->mode, laddr, ACCESS_READ, VIEW_SUPERVISOR_AC);

    if (walk.ok)
        *paddr = walk.paddr;
    return walk.ok;
}

bool mmu_peek(const struct mmu *mmu, laddr_t laddr, void *out, size_t size)
{
    u8 *to = out;

    while (size > 0) {
        size_t chunk = PAGE_SIZE - (size_t)(laddr & ~PAGE_MASK);
        paddr_t paddr;

        if (chunk > size)
            chunk = size;
        if (!mmu_peek_translate(mmu, laddr, &paddr) || !physmem_peek(mmu->physmem, paddr, to, chunk))
            return false;
        laddr += chunk;
        to += chunk;
        size -= chunk;
    }
    return true;
}

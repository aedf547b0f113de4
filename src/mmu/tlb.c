/* SPDX-License-Identifier: MIT
 * The software TLB: fills, flushes and side-effect-free lookups.
 * SDM 3A, "Caching Translation Information".
 */
#include "mmu/tlb.h"

#include "base/bits.h"

static void data_entry_clear(struct tlb_entry *e)
{
    e->read_tag = TLB_INVALID;
    e->write_tag = TLB_INVALID;
}

static void insn_entry_clear(struct itlb_entry *e)
{
    e->tag = TLB_INVALID;
    e->host = NULL;
}

/* The linear page an entry stands for, whichever of its tags is valid; false when neither is. */
static bool data_entry_page(const struct tlb_entry *e, laddr_t *page)
{
    laddr_t tag = e->read_tag & TLB_INVALID ? e->write_tag : e->read_tag;

    *page = tag & PAGE_MASK;
    return !(tag & TLB_INVALID);
}

void mmu_init(struct mmu *mmu, struct physmem *pm, enum initiator who)
{
    memset(mmu, 0, sizeof *mmu);
    mmu->physmem = pm;
    mmu->who = who;
    for (unsigned v = 0; v < ACCESS_VIEWS; v++) {
        for (unsigned i = 0; i < TLB_ENTRIES; i++)
            data_entry_clear(&mmu->view[v].data[i]);
        for (unsigned i = 0; i < ITLB_ENTRIES; i++)
            insn_entry_clear(&mmu->view[v].insn[i]);
    }
}

/* ---- flushes */

/* Visit the filled entries of a view and drop those that are not kept. */
static void view_flush(struct tlb_view *view, bool keep_global)
{
    bool any = false;

    if (!view->used)
        return;
    for (unsigned word = 0; word < ARRAY_LEN(view->data_filled); word++) {
        u64 left = 0;

        for (u64 set = view->data_filled[word]; set != 0; set &= set - 1) {
            unsigned bit = (unsigned)__builtin_ctzll(set);
            struct tlb_entry *e = &view->data[word * 64 + bit];

            if (keep_global && e->global)
                left |= BIT(bit);
            else
                data_entry_clear(e);
        }
        view->data_filled[word] = left;
        any |= left != 0;
    }
    for (unsigned word = 0; word < ARRAY_LEN(view->insn_filled); word++) {
        u64 left = 0;

        for (u64 set = view->insn_filled[word]; set != 0; set &= set - 1) {
            unsigned bit = (unsigned)__builtin_ctzll(set);
            struct itlb_entry *e = &view->insn[word * 64 + bit];

            if (keep_global && e->global)
                left |= BIT(bit);
            else
                insn_entry_clear(e);
        }
        view->insn_filled[word] = left;
        any |= left != 0;
    }
    view->used = any;
}

void mmu_flush_all(struct mmu *mmu)
{
    for (unsigned v = 0; v < ACCESS_VIEWS; v++)
        view_flush(&mmu->view[v], false);
    mmu->large_pages = false;
    mmu->flushes++;
}

void mmu_flush_nonglobal(struct mmu *mmu)
{
    for (unsigned v = 0; v < ACCESS_VIEWS; v++)
        view_flush(&mmu->view[v], true);
    mmu->flushes++;
}

/* Drop what one view holds for the 4 KiB page of laddr. */
static void view_drop_page(struct tlb_view *view, laddr_t laddr)
{
    struct tlb_entry *data = &view->data[(laddr >> PAGE_SHIFT) % TLB_ENTRIES];
    struct itlb_entry *insn = &view->insn[(laddr >> PAGE_SHIFT) % ITLB_ENTRIES];
    laddr_t page;

    if (data_entry_page(data, &page) && page == (laddr & PAGE_MASK))
        data_entry_clear(data);
    if (!(insn->tag & TLB_INVALID) && (insn->tag & PAGE_MASK) == (laddr & PAGE_MASK))
        insn_entry_clear(insn);
}

/* Drop every fragment of the large page that laddr lies in. source: SDM 3A, "Recommended Invalidation" */
static void view_drop_fragments(struct tlb_view *view, laddr_t laddr)
{
    for (unsigned word = 0; word < ARRAY_LEN(view->data_filled); word++) {
        for (u64 set = view->data_filled[word]; set != 0; set &= set - 1) {
            struct tlb_entry *e = &view->data[word * 64 + (unsigned)__builtin_ctzll(set)];
            laddr_t page;

            if (e->page_shift > PAGE_SHIFT && data_entry_page(e, &page) && ((page ^ laddr) >> e->page_shift) == 0)
                data_entry_clear(e);
        }
    }
    for (unsigned word = 0; word < ARRAY_LEN(view->insn_filled); word++) {
        for (u64 set = view->insn_filled[word]; set != 0; set &= set - 1) {
            struct itlb_entry *e = &view->insn[word * 64 + (unsigned)__builtin_ctzll(set)];

            if (e->page_shift > PAGE_SHIFT && !(e->tag & TLB_INVALID) && ((e->tag ^ laddr) >> e->page_shift) == 0)
                insn_entry_clear(e);
        }
    }
}

void mmu_flush_page(struct mmu *mmu, laddr_t laddr)
{
    for (unsigned v = 0; v < ACCESS_VIEWS; v++) {
        struct tlb_view *view = &mmu->view[v];

        if (!view->used)
            continue;
        view_drop_page(view, laddr);
        if (mmu->large_pages)
            view_drop_fragments(view, laddr);
    }
    mmu->flushes++;
}

void mmu_revoke_writable(struct mmu *mmu, paddr_t page)
{
    page &= PAGE_MASK;
    for (unsigned v = 0; v < ACCESS_VIEWS; v++) {
        struct tlb_view *view = &mmu->view[v];

        if (!view->used)
            continue;
        for (unsigned word = 0; word < ARRAY_LEN(view->data_filled); word++) {
            for (u64 set = view->data_filled[word]; set != 0; set &= set - 1) {
                struct tlb_entry *e = &view->data[word * 64 + (unsigned)__builtin_ctzll(set)];

                if (e->page == page && !(e->write_tag & TLB_INVALID))
                    e->write_tag |= TLB_SLOW;
            }
        }
    }
}

/* ---- translation */

/* Or the accessed and dirty bits of a walk into the paging structures. */
static void apply_updates(struct mmu *mmu, const struct walk *walk)
{
    size_t size = mmu->mode.levels == 2 ? 4 : 8;

    for (unsigned i = 0; i < walk->updates; i++) {
        u64 entry = 0;

        physmem_read(mmu->physmem, walk->update[i].paddr, &entry, size, mmu->who);
        entry |= walk->update[i].set;
        physmem_write(mmu->physmem, walk->update[i].paddr, &entry, size, mmu->who);
    }
}

static void fill_data(struct mmu *mmu, laddr_t laddr, const struct walk *walk, enum access_view kind)
{
    struct tlb_view *view = &mmu->view[kind];
    unsigned index = (unsigned)((laddr >> PAGE_SHIFT) % TLB_ENTRIES);
    struct tlb_entry *e = &view->data[index];
    laddr_t page = laddr & PAGE_MASK;
    const u8 *host;

    e->page = physmem_seen(mmu->physmem, walk->paddr & PAGE_MASK);
    e->global = walk->global;
    e->page_shift = walk->page_shift == 63 ? PAGE_SHIFT : walk->page_shift;
    host = physmem_host(mmu->physmem, e->page);
    e->addend = (uintptr_t)host - (uintptr_t)page;
    e->read_tag = TLB_INVALID;
    e->write_tag = TLB_INVALID;
    if (page_allows(&mmu->mode, walk, ACCESS_READ, kind))
        e->read_tag = page | (host == NULL ? TLB_SLOW : 0);
    /* A clean page is not cached for writing: the first write must walk and set the dirty bit. */
    if (walk->dirty && page_allows(&mmu->mode, walk, ACCESS_WRITE, kind))
        e->write_tag = page | (physmem_host_writable(mmu->physmem, e->page) == NULL ? TLB_SLOW : 0);
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
    e->page_shift = walk->page_shift == 63 ? PAGE_SHIFT : walk->page_shift;
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

    struct tlb_entry *e = &view->data[(laddr >> PAGE_SHIFT) % TLB_ENTRIES];
    laddr_t *tag = type == ACCESS_WRITE ? &e->write_tag : &e->read_tag;

    if ((*tag & ~(laddr_t)TLB_SLOW) != page)
        return false;
    *paddr = e->page | (laddr & ~PAGE_MASK);
    if (*tag & TLB_SLOW) {
        /* The reason may have passed (the page holds code no more): back to the fast path. */
        const u8 *host =
            type == ACCESS_WRITE ? physmem_host_writable(mmu->physmem, e->page) : physmem_host(mmu->physmem, e->page);
        if (host != NULL)
            *tag = page;
    }
    return true;
}

bool mmu_translate(struct mmu *mmu, laddr_t laddr, enum access_type type, enum access_view view, paddr_t *paddr,
                   u32 *error)
{
    struct walk walk;

    if (lookup(mmu, laddr, type, view, paddr))
        return true;
    mmu->walks++;
    walk = page_walk(mmu->physmem, mmu->who, &mmu->mode, laddr, type, view);
    if (!walk.ok) {
        /* A page fault drops what was cached for its address, whatever the view. */
        for (unsigned v = 0; v < ACCESS_VIEWS; v++)
            view_drop_page(&mmu->view[v], laddr);
        mmu->flushes++;
        *error = walk.error;
        return false;
    }
    apply_updates(mmu, &walk);
    if (walk.page_shift > PAGE_SHIFT && walk.page_shift < 63)
        mmu->large_pages = true;
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
    struct walk walk = page_walk(mmu->physmem, INITIATOR_DEBUGGER, &mmu->mode, laddr, ACCESS_READ, VIEW_SUPERVISOR_AC);

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

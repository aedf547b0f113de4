/* SPDX-License-Identifier: MIT
 * One view of the TLB: emptying it, dropping pages, copying global entries.
 * SDM 3A, "Caching Translation Information".
 */
#include "mmu/view.h"

#include "base/bits.h"

/* Visit the entries of a view that may hold a translation: index takes their numbers. */
#define FOR_EACH_BIT(index, bitmap)                                                                                    \
    for (unsigned index##_word = 0; index##_word < ARRAY_LEN(bitmap); index##_word++)                                  \
        for (u64 index##_set = (bitmap)[index##_word];                                                                 \
             index##_set != 0 && ((index = index##_word * 64 + (unsigned)__builtin_ctzll(index##_set)), true);         \
             index##_set &= index##_set - 1)

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

static bool chosen(bool global, enum view_drop which) { return which == DROP_ANY || global == (which == DROP_GLOBAL); }

void view_prepare(struct tlb_view *view)
{
    memset(view, 0, sizeof *view);
    for (unsigned i = 0; i < TLB_ENTRIES; i++)
        data_entry_clear(&view->data[i]);
    for (unsigned i = 0; i < ITLB_ENTRIES; i++)
        insn_entry_clear(&view->insn[i]);
}

void view_flush(struct tlb_view *view, bool keep_global)
{
    unsigned i;
    bool any = false;

    if (!view->used)
        return;
    FOR_EACH_BIT(i, view->data_filled)
    {
        if (keep_global && (view->data[i].page & TLB_GLOBAL)) {
            any = true;
            continue;
        }
        data_entry_clear(&view->data[i]);
        view->data_filled[i / 64] &= ~BIT(i % 64);
    }
    FOR_EACH_BIT(i, view->insn_filled)
    {
        if (keep_global && view->insn[i].global) {
            any = true;
            continue;
        }
        insn_entry_clear(&view->insn[i]);
        view->insn_filled[i / 64] &= ~BIT(i % 64);
    }
    view->used = any;
}

void view_drop_page(struct tlb_view *view, laddr_t laddr, enum view_drop which)
{
    struct tlb_entry *data = &view->data[(laddr >> PAGE_SHIFT) % TLB_ENTRIES];
    struct itlb_entry *insn = &view->insn[(laddr >> PAGE_SHIFT) % ITLB_ENTRIES];
    laddr_t page;

    if (!view->used)
        return;
    if (data_entry_page(data, &page) && page == (laddr & PAGE_MASK) && chosen(data->page & TLB_GLOBAL, which))
        data_entry_clear(data);
    if (!(insn->tag & TLB_INVALID) && (insn->tag & PAGE_MASK) == (laddr & PAGE_MASK) && chosen(insn->global, which))
        insn_entry_clear(insn);
}

void view_drop_large(struct tlb_view *view, laddr_t laddr, enum view_drop which)
{
    unsigned i;

    if (!view->used)
        return;
    FOR_EACH_BIT(i, view->data_filled)
    {
        struct tlb_entry *e = &view->data[i];
        unsigned shift = e->page & TLB_SIZE;
        laddr_t page;

        if (shift > PAGE_SHIFT && data_entry_page(e, &page) && ((page ^ laddr) >> shift) == 0 &&
            chosen(e->page & TLB_GLOBAL, which))
            data_entry_clear(e);
    }
    FOR_EACH_BIT(i, view->insn_filled)
    {
        struct itlb_entry *e = &view->insn[i];

        if (e->page_shift > PAGE_SHIFT && !(e->tag & TLB_INVALID) && ((e->tag ^ laddr) >> e->page_shift) == 0 &&
            chosen(e->global, which))
            insn_entry_clear(e);
    }
}

void view_copy_globals(struct tlb_view *to, const struct tlb_view *from)
{
    unsigned i;

    if (!from->used)
        return;
    FOR_EACH_BIT(i, from->data_filled)
    {
        if (from->data[i].page & TLB_GLOBAL) {
            to->data[i] = from->data[i];
            to->data_filled[i / 64] |= BIT(i % 64);
            to->used = true;
        }
    }
    FOR_EACH_BIT(i, from->insn_filled)
    {
        if (from->insn[i].global) {
            to->insn[i] = from->insn[i];
            to->insn_filled[i / 64] |= BIT(i % 64);
            to->used = true;
        }
    }
}

void view_revoke(struct tlb_view *view, paddr_t page)
{
    unsigned i;

    if (!view->used)
        return;
    FOR_EACH_BIT(i, view->data_filled)
    {
        if (data_entry_writes(&view->data[i], page))
            view->data[i].write_tag |= TLB_SLOW;
    }
}

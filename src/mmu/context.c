/* SPDX-License-Identifier: MIT
 * Contexts of the TLB: which one is current, what of it is still worth something, and the flushes.
 * SDM 3A, "Process-Context Identifiers (PCIDs)", "Operations that Invalidate TLBs and Paging-Structure Caches";
 * SDM 2A, "INVPCID"; SDM 3A, "PDPTE Registers".
 */
#include "base/bits.h"
#include "mmu/filter.h"
#include "mmu/view.h"

#define CR3_PCID 0xFFFull
#define NO_CONTEXT TLB_CONTEXTS

/* ---- names of address spaces */

/* The address of the outermost table: CR3 without its flags and PCID. Without paging all address spaces are one. */
static u64 base_of(const struct paging_mode *mode)
{
    switch (mode->levels) {
    case 0: return 0;
    case 3: return mode->cr3 & 0xFFFFFFE0u;
    default: return mode->cr3 & PAGE_MASK;
    }
}

static u16 pcid_of(const struct paging_mode *mode) { return mode->pcide ? (u16)(mode->cr3 & CR3_PCID) : 0; }

static bool same_pdptes(const struct mmu *mmu, unsigned c)
{
    return mmu->mode.levels != 3 || memcmp(mmu->pdpte[c], mmu->mode.pdpte, sizeof mmu->pdpte[c]) == 0;
}

static void take_name(struct mmu *mmu, unsigned c)
{
    mmu->base[c] = base_of(&mmu->mode);
    mmu->pcid[c] = pcid_of(&mmu->mode);
    memcpy(mmu->pdpte[c], mmu->mode.pdpte, sizeof mmu->pdpte[c]);
}

static bool in_use(const struct mmu *mmu, unsigned c) { return mmu->base[c] != CONTEXT_NO_BASE; }

static unsigned find_base(const struct mmu *mmu, u64 base)
{
    for (unsigned c = 0; c < TLB_CONTEXTS; c++)
        if (mmu->base[c] == base)
            return c;
    return NO_CONTEXT;
}

/* A PCID names one context: the others that used it may still serve while they are TRUE, under any PCID. */
static void take_pcid(struct mmu *mmu, unsigned owner, u16 pcid)
{
    for (unsigned c = 0; c < TLB_CONTEXTS; c++)
        if (mmu->pcid[c] == pcid)
            mmu->pcid[c] = CONTEXT_NO_PCID;
    mmu->pcid[owner] = pcid;
}

/* ---- contents of a context */

static void empty(struct mmu *mmu, unsigned c)
{
    for (unsigned v = 0; v < ACCESS_VIEWS; v++) {
        if (mmu->prepared[c])
            view_flush(&mmu->context[c].view[v], false);
        else
            view_prepare(&mmu->context[c].view[v]);
    }
    mmu->prepared[c] = true;
    memset(mmu->large[c], 0, sizeof mmu->large[c]);
    mmu->written[c] = false;
}

static void drop_nonglobal(struct mmu *mmu, unsigned c)
{
    for (unsigned v = 0; v < ACCESS_VIEWS; v++)
        view_flush(&mmu->context[c].view[v], true);
    mmu->written[c] = false;
    mmu->drops++;
}

/* An invalidation of all that is not global. What is true in the current context may stay: the processor could have
 * walked for it again at once. Another context loses its PCID, so that it is entered only while it is true, and else
 * dropped; what is written after the invalidation must not keep what was there before it. */
static void invalidate_nonglobal(struct mmu *mmu, unsigned c)
{
    if (c != mmu->current)
        mmu->pcid[c] = CONTEXT_NO_PCID;
    else if (mmu->written[c])
        drop_nonglobal(mmu, c);
}

static void drop_page(struct mmu *mmu, unsigned c, laddr_t laddr, enum view_drop which)
{
    bool large = filter_has(mmu->large[c], region_filter_bit(laddr));

    for (unsigned v = 0; v < ACCESS_VIEWS; v++) {
        view_drop_page(&mmu->context[c].view[v], laddr, which);
        if (large)
            view_drop_large(&mmu->context[c].view[v], laddr, which);
    }
}

/* ---- life, and the current context */

void mmu_init(struct mmu *mmu, struct physmem *pm, enum initiator who)
{
    memset(mmu, 0, offsetof(struct mmu, context));
    mmu->physmem = pm;
    mmu->who = who;
    for (unsigned c = 0; c < TLB_CONTEXTS; c++) {
        mmu->base[c] = CONTEXT_NO_BASE;
        mmu->pcid[c] = CONTEXT_NO_PCID;
    }
    mmu->view = mmu->context[0].view;
    empty(mmu, 0);
    take_name(mmu, 0);
}

/* The context that is free, or was entered longest ago, emptied but for the global entries of the current one. */
static unsigned replace(struct mmu *mmu)
{
    unsigned oldest = mmu->current == 0 ? 1 : 0;

    for (unsigned c = 0; c < TLB_CONTEXTS; c++) {
        if (c == mmu->current)
            continue;
        if (!in_use(mmu, c)) {
            oldest = c;
            break;
        }
        if (mmu->entered[c] < mmu->entered[oldest])
            oldest = c;
    }
    empty(mmu, oldest);
    if (mmu->mode.pge) {
        for (unsigned v = 0; v < ACCESS_VIEWS; v++)
            view_copy_globals(&mmu->context[oldest].view[v], &mmu->view[v]);
        memcpy(mmu->large[oldest], mmu->large[mmu->current], sizeof mmu->large[oldest]);
    }
    return oldest;
}

void mmu_switch(struct mmu *mmu, bool keep)
{
    u64 base = base_of(&mmu->mode);
    u16 pcid = pcid_of(&mmu->mode);
    unsigned c = mmu->base[mmu->current] == base ? mmu->current : find_base(mmu, base);

    if (c == NO_CONTEXT) {
        c = replace(mmu);
        take_name(mmu, c);
        mmu->pcid[c] = CONTEXT_NO_PCID;
    }
    if (mmu->pcid[c] != pcid) {
        take_pcid(mmu, c, pcid);
        keep = false;
    }
    if (UNLIKELY(!same_pdptes(mmu, c))) {
        memcpy(mmu->pdpte[c], mmu->mode.pdpte, sizeof mmu->pdpte[c]);
        mmu->written[c] = true;
    }
    if (mmu->written[c] && !keep)
        drop_nonglobal(mmu, c);
    if (!keep || c != mmu->current)
        mmu->flushes++;
    mmu->current = c;
    mmu->view = mmu->context[c].view;
    mmu->entered[c] = ++mmu->switches;
}

void mmu_mode_changed(struct mmu *mmu)
{
    unsigned c = mmu->current;
    unsigned other;

    if (mmu->base[c] == base_of(&mmu->mode) && mmu->pcid[c] == pcid_of(&mmu->mode) && same_pdptes(mmu, c))
        return;
    other = find_base(mmu, base_of(&mmu->mode));
    if (other != NO_CONTEXT && other != c)
        mmu->base[other] = CONTEXT_NO_BASE; /* a base names one context */
    take_pcid(mmu, c, pcid_of(&mmu->mode));
    take_name(mmu, c);
    mmu->written[c] = true;
}

void mmu_table_written(struct mmu *mmu, u32 contexts)
{
    for (; contexts != 0; contexts &= contexts - 1)
        mmu->written[__builtin_ctz(contexts)] = true;
}

/* ---- flushes */

void mmu_flush_all(struct mmu *mmu)
{
    for (unsigned c = 0; c < TLB_CONTEXTS; c++) {
        mmu->base[c] = CONTEXT_NO_BASE; /* emptied when it is used again */
        mmu->pcid[c] = CONTEXT_NO_PCID;
    }
    empty(mmu, mmu->current);
    take_name(mmu, mmu->current);
    memset(mmu->global_pages, 0, sizeof mmu->global_pages);
    mmu->flushes++;
}

void mmu_flush_nonglobal(struct mmu *mmu)
{
    for (unsigned c = 0; c < TLB_CONTEXTS; c++)
        invalidate_nonglobal(mmu, c);
    mmu->flushes++;
}

void mmu_flush_pcid(struct mmu *mmu, u16 pcid)
{
    for (unsigned c = 0; c < TLB_CONTEXTS; c++)
        if (mmu->pcid[c] == pcid)
            invalidate_nonglobal(mmu, c);
    mmu->flushes++;
}

void mmu_flush_pcid_page(struct mmu *mmu, u16 pcid, laddr_t laddr)
{
    for (unsigned c = 0; c < TLB_CONTEXTS; c++)
        if (mmu->pcid[c] == pcid && in_use(mmu, c))
            drop_page(mmu, c, laddr, DROP_NONGLOBAL);
    mmu->flushes++;
}

/* The current context's entries of any kind, and the global ones of every context. What others hold beside is either
 * true, or goes before they are entered, or belongs to another PCID, which INVLPG does not reach. */
void mmu_flush_page(struct mmu *mmu, laddr_t laddr)
{
    bool global = filter_has(mmu->global_pages, page_filter_bit(laddr));

    for (unsigned c = 0; c < TLB_CONTEXTS; c++) {
        if (c == mmu->current)
            drop_page(mmu, c, laddr, DROP_ANY);
        else if (in_use(mmu, c) && (global || filter_has(mmu->large[c], region_filter_bit(laddr))))
            drop_page(mmu, c, laddr, DROP_GLOBAL);
    }
    mmu->flushes++;
}

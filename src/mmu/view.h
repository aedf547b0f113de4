/* SPDX-License-Identifier: MIT
 * One view of the TLB: emptying it, dropping pages, copying global entries. Used within this module only.
 */
#ifndef RINGSIDE_MMU_VIEW_H
#define RINGSIDE_MMU_VIEW_H

#include "mmu/tlb.h"

/* Initialise uninitialised memory. */
void view_prepare(struct tlb_view *view);
/* Drop everything, or everything but the global entries. */
void view_flush(struct tlb_view *view, bool keep_global);
/* Drop what is held for the 4 KiB page of laddr; with globals_only leave the rest. with keep_global leave those. */
enum view_drop { DROP_ANY, DROP_GLOBAL, DROP_NONGLOBAL };
void view_drop_page(struct tlb_view *view, laddr_t laddr, enum view_drop which);
/* The same for every piece of a large page that laddr lies in. source: SDM 3A, "Invalidation of TLBs and
 * Paging-Structure Caches" (a page number of any size) */
void view_drop_large(struct tlb_view *view, laddr_t laddr, enum view_drop which);
/* Fill an empty view with another one's global entries. */
void view_copy_globals(struct tlb_view *to, const struct tlb_view *from);

ALWAYS_INLINE bool data_entry_writes(const struct tlb_entry *e, paddr_t page)
{
    return !(e->write_tag & (TLB_SLOW | TLB_INVALID)) && (e->page & PAGE_MASK) == page;
}

/* Revoke direct writes to a physical page in all of the view, by scanning it. */
void view_revoke(struct tlb_view *view, paddr_t page);

#endif

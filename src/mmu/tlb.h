/* SPDX-License-Identifier: MIT
 * The software TLB: direct-mapped, separate for data and instructions, one view per kind of access right.
 *
 * Not-present is never cached. A permission miss walks again. A hit changes nothing. The same structure serves every
 * engine, because stale entries and the moment of accessed-bit updates are visible to the guest.
 * SDM 3A, "Caching Translation Information".
 */
#ifndef RINGSIDE_MMU_TLB_H
#define RINGSIDE_MMU_TLB_H

#include "mmu/paging.h"

#define TLB_ENTRIES 512u
#define ITLB_ENTRIES 256u
/* Tag values: a page-aligned linear address, or-ed with these. An entry with a low bit set never hits the fast path. */
#define TLB_SLOW 1u    /* a device, ROM or a page that holds code: complete the access in the slow path */
#define TLB_INVALID 2u /* no translation */

struct tlb_entry {
    laddr_t read_tag;
    laddr_t write_tag;
    uintptr_t addend; /* host address - linear address, meaningful when a tag has no low bits */
    paddr_t page;     /* physical page, A20 applied */
    u8 global;
    u8 page_shift;
};

struct itlb_entry {
    laddr_t tag;
    const u8 *host; /* of the page; NULL for device memory */
    paddr_t page;
    u8 global;
    u8 page_shift;
};

struct tlb_view {
    struct tlb_entry data[TLB_ENTRIES];
    struct itlb_entry insn[ITLB_ENTRIES];
    /* One bit per entry that may hold a translation, so that a flush visits only those. */
    u64 data_filled[TLB_ENTRIES / 64], insn_filled[ITLB_ENTRIES / 64];
    bool used; /* anything was filled since the last full flush */
};

struct mmu {
    struct physmem *physmem;
    enum initiator who;
    struct paging_mode mode;
    struct tlb_view view[ACCESS_VIEWS];
    /* Linear ranges that large pages were filled from since the last flush: INVLPG inside drops every fragment. */
    bool large_pages;
    u64 flushes; /* generation: moves whenever any translation may have gone */
    u64 walks;
};

void mmu_init(struct mmu *mmu, struct physmem *pm, enum initiator who);

/* Translate for an access and fill the view's entry (data or instruction by type).
 * in:      laddr canonical
 * returns: true with *paddr set, or false with *error = the #PF error code
 * effects: accessed/dirty bits are set in memory; the TLB entry is filled.   raises: never */
bool mmu_translate(struct mmu *mmu, laddr_t laddr, enum access_type type, enum access_view view, paddr_t *paddr,
                   u32 *error);

/* Translate and read for an observer or debugger: no accessed bits, no fill, no device access, no fault.
 * returns: false when any byte is unmapped or not memory. */
bool mmu_peek(const struct mmu *mmu, laddr_t laddr, void *out, size_t size);
bool mmu_peek_translate(const struct mmu *mmu, laddr_t laddr, paddr_t *paddr);

/* Flushes. SDM 3A, "Operations that Invalidate TLBs and Paging-Structure Caches". */
void mmu_flush_all(struct mmu *mmu);                 /* globals too */
void mmu_flush_nonglobal(struct mmu *mmu);           /* MOV CR3 */
void mmu_flush_page(struct mmu *mmu, laddr_t laddr); /* INVLPG, and after #PF */
/* Drop direct-write permission for a physical page (it became PAGE_CODE). */
void mmu_revoke_writable(struct mmu *mmu, paddr_t page);

/* The hit paths. A page-crossing access misses, because the last byte's page differs from the tag.
 * returns: host address, or NULL on a miss. */
ALWAYS_INLINE const u8 *tlb_read_hit(const struct tlb_view *view, laddr_t laddr, unsigned size)
{
    const struct tlb_entry *e = &view->data[(laddr >> PAGE_SHIFT) % TLB_ENTRIES];

    if (LIKELY(e->read_tag == ((laddr + size - 1) & PAGE_MASK)))
        return (const u8 *)(uintptr_t)(laddr + e->addend);
    return NULL;
}

ALWAYS_INLINE u8 *tlb_write_hit(const struct tlb_view *view, laddr_t laddr, unsigned size)
{
    const struct tlb_entry *e = &view->data[(laddr >> PAGE_SHIFT) % TLB_ENTRIES];

    if (LIKELY(e->write_tag == ((laddr + size - 1) & PAGE_MASK)))
        return (u8 *)(uintptr_t)(laddr + e->addend);
    return NULL;
}

#endif

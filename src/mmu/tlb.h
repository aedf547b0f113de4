/* SPDX-License-Identifier: MIT
 * The software TLB: direct-mapped, separate for data and instructions, one view per kind of access right, and a set of
 * views for each of the address spaces used last.
 *
 * Not-present is never cached. A permission miss walks again. A hit changes nothing. The same structure serves every
 * engine, because stale entries and the moment of accessed-bit updates are visible to the guest.
 *
 * A context is what is cached for one address space, named by the address in CR3. It stays when another is entered.
 * The processor promises less than that: a load of CR3 drops the non-global entries. So a context is entered without
 * a flush only when that makes no difference:
 * - It is true: no page that its entries were walked through has been written since its last flush, by anyone
 *   (physmem_watch_table()). What it holds is what walks would find now, whatever PCID it is entered under.
 * - It is written, but bit 63 of the source operand keeps the entries of its PCID. A PCID names one context at most,
 * the one that used it last. The architecture would keep its entries for another CR3 address too; entries may go at any
 *   time, so there the other context's own serve. INVPCID takes the name from a context that is not current.
 * Global entries are copied into a context when it is made, and only INVLPG, a page fault, and the flushes that the
 * manual says to reach global entries drop them: in every context.
 * SDM 3A, "Caching Translation Information", "Process-Context Identifiers (PCIDs)".
 */
#ifndef RINGSIDE_MMU_TLB_H
#define RINGSIDE_MMU_TLB_H

#include "mmu/paging.h"

#define TLB_ENTRIES 2048u
#define ITLB_ENTRIES 1024u
#define TLB_CONTEXTS 16u /* at most 32: physmem's watchers are bits of a word */
/* Tag values: a page-aligned linear address, or-ed with these. An entry with a low bit set never hits the fast path. */
#define TLB_SLOW 1u    /* a device, ROM or a page that is guarded: complete the access in the slow path */
#define TLB_INVALID 2u /* no translation */
/* Low bits of tlb_entry.page: the size of the page that the entry is a piece of (12, 21, 22, 30), and G. */
#define TLB_SIZE 63u
#define TLB_GLOBAL 64u

struct tlb_entry {
    laddr_t read_tag;
    laddr_t write_tag;
    uintptr_t addend; /* host address - linear address, meaningful when a tag has no low bits */
    u64 page;         /* physical page, A20 applied; TLB_SIZE and TLB_GLOBAL below */
};

struct itlb_entry {
    laddr_t tag;
    const u8 *host; /* of the page; NULL for device memory */
    paddr_t page;
    u8 global;
    u8 page_shift;
};

struct tlb_view {
    struct tlb_entry data[TLB_ENTRIES] __attribute__((aligned(64)));
    struct itlb_entry insn[ITLB_ENTRIES];
    /* One bit per entry that may hold a translation, so that a flush visits only those. */
    u64 data_filled[TLB_ENTRIES / 64], insn_filled[ITLB_ENTRIES / 64];
    bool used; /* anything was filled since the last full flush */
};

struct tlb_context {
    struct tlb_view view[ACCESS_VIEWS];
};

#define CONTEXT_NO_BASE 1u        /* base of a context that holds nothing of use */
#define CONTEXT_NO_PCID 0xFFFFu   /* pcid of one whose PCID was invalidated, or used by another context, since */
#define CONTEXT_REGIONS 256u      /* bits of a filter over linear regions of 1 GiB */
#define MMU_GLOBAL_FILTER 0x8000u /* bits of a filter over linear pages */

struct mmu {
    struct physmem *physmem;
    enum initiator who;
    struct paging_mode mode;
    struct tlb_view *view; /* [ACCESS_VIEWS], of the current context */
    unsigned current;
    u64 flushes; /* generation: moves whenever any translation may have gone, or another context became current */
    u64 walks;
    u64 switches;           /* loads of CR3 */
    u64 drops;              /* of those, how many had to drop the non-global entries */
    u64 base[TLB_CONTEXTS]; /* address of the outermost table */
    u16 pcid[TLB_CONTEXTS];
    bool written[TLB_CONTEXTS];  /* its non-global entries may be true no more */
    bool prepared[TLB_CONTEXTS]; /* the entries have been initialised */
    u64 entered[TLB_CONTEXTS];   /* value of switches then */
    u64 pdpte[TLB_CONTEXTS][4];  /* PDPTE registers that the entries were walked through */
    /* Where pieces of large pages may be: INVLPG inside drops every piece. */
    u64 large[TLB_CONTEXTS][CONTEXT_REGIONS / 64];
    u64 global_pages[MMU_GLOBAL_FILTER / 64]; /* pages that some context may hold a global entry for */
    struct tlb_context context[TLB_CONTEXTS]; /* last: large, and prepared when first used */
};

/* An empty TLB with paging off. The contexts may be uninitialised memory. */
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

/* Enter the address space of mmu->mode: MOV CR3, and a task switch that loads CR3.
 * in:      keep  bit 63 of the operand, with CR4.PCIDE
 * effects: mmu->view moves: who keeps pointers into it takes them again.   source: SDM 3A, "Operations that Invalidate
 *          TLBs and Paging-Structure Caches" */
void mmu_switch(struct mmu *mmu, bool keep);
/* mmu->mode was assigned without a load of CR3 (MOV CR0, CR4, EFER; a test or debugger): entries walked through other
 * registers do not outlive the next load of CR3. The caller flushes when the architecture, or the rights that entries
 * hold, demand it. */
void mmu_mode_changed(struct mmu *mmu);

/* Flushes. SDM 3A, "Operations that Invalidate TLBs and Paging-Structure Caches"; SDM 2A, "INVPCID". */
void mmu_flush_all(struct mmu *mmu);                                /* every context, globals too */
void mmu_flush_nonglobal(struct mmu *mmu);                          /* every PCID: INVPCID type 3 */
void mmu_flush_pcid(struct mmu *mmu, u16 pcid);                     /* but globals: INVPCID type 1 */
void mmu_flush_pcid_page(struct mmu *mmu, u16 pcid, laddr_t laddr); /* but globals: INVPCID type 0 */
void mmu_flush_page(struct mmu *mmu, laddr_t laddr);                /* INVLPG, and a page fault */
/* Drop direct-write permission for a physical page (it became PAGE_CODE or PAGE_TABLE). */
void mmu_revoke_writable(struct mmu *mmu, paddr_t page);
/* A page that the contexts of these bits were walked through was written. */
void mmu_table_written(struct mmu *mmu, u32 contexts);

/* The host's address by an entry that hits: never NULL, so that callers' test for a miss is not made twice. */
ALWAYS_INLINE u8 *tlb_host(laddr_t laddr, const struct tlb_entry *e)
{
    u8 *host = (u8 *)(uintptr_t)(laddr + e->addend);

    if (host == NULL)
        __builtin_unreachable();
    return host;
}

/* The hit paths. A page-crossing access misses, because the last byte's page differs from the tag.
 * returns: host address, or NULL on a miss. */
ALWAYS_INLINE const u8 *tlb_read_hit(const struct tlb_view *view, laddr_t laddr, unsigned size)
{
    const struct tlb_entry *e = &view->data[(laddr >> PAGE_SHIFT) % TLB_ENTRIES];

    if (LIKELY(e->read_tag == ((laddr + size - 1) & PAGE_MASK)))
        return tlb_host(laddr, e);
    return NULL;
}

ALWAYS_INLINE u8 *tlb_write_hit(const struct tlb_view *view, laddr_t laddr, unsigned size)
{
    const struct tlb_entry *e = &view->data[(laddr >> PAGE_SHIFT) % TLB_ENTRIES];

    if (LIKELY(e->write_tag == ((laddr + size - 1) & PAGE_MASK)))
        return tlb_host(laddr, e);
    return NULL;
}

#endif

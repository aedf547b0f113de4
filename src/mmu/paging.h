/* SPDX-License-Identifier: MIT
 * The page walk: pure. It reads paging-structure entries and reports the translation, the accessed/dirty updates to
 * make, or the fault. It never writes memory and never raises.
 * SDM 3A, "Paging"; APM 2, "Page Translation and Protection".
 */
#ifndef RINGSIDE_MMU_PAGING_H
#define RINGSIDE_MMU_PAGING_H

#include "base/types.h"
#include "bus/physmem.h"

/* Everything of the processor that the walk depends on. */
struct paging_mode {
    u64 cr3;
    u64 pdpte[4];         /* PAE: the PDPTE registers (Intel), loaded by MOV CR0/CR3/CR4 */
    u8 levels;            /* 0 = paging off, 2 = 32-bit, 3 = PAE, 4, 5 */
    u8 maxphyaddr;        /* physical address bits, 32..52 */
    bool pdpte_in_memory; /* AMD PAE: PDPTEs are read at walk time (MD-02) */
    bool pse;             /* CR4.PSE (implied for 3+ levels) */
    bool pse36;
    bool nxe; /* EFER.NXE */
    bool wp;  /* CR0.WP */
    bool smep;
    bool smap;
    bool pge;
    bool pcide;   /* CR4.PCIDE: bits 11..0 of cr3 are the PCID */
    bool page1gb; /* CPUID page1gb: PDPTE.PS allowed */
};

enum access_type { ACCESS_READ, ACCESS_WRITE, ACCESS_EXECUTE };

/* Who asks, for the permission check. */
enum access_view {
    VIEW_SUPERVISOR,    /* CPL < 3 with AC=0, and implicit supervisor accesses (descriptor tables, TSS) */
    VIEW_SUPERVISOR_AC, /* CPL < 3 with EFLAGS.AC=1: SMAP does not forbid */
    VIEW_USER,          /* CPL 3 */
    ACCESS_VIEWS
};

/* #PF error code bits. SDM 3A, "Page-Fault Exceptions". */
enum pf_error { PF_P = 1, PF_W = 2, PF_U = 4, PF_RSVD = 8, PF_I = 16 };

#define WALK_MAX_LEVELS 5

struct walk {
    bool ok;
    u32 error;       /* #PF error code when !ok */
    paddr_t paddr;   /* of the byte asked for */
    u8 page_shift;   /* 12, 21, 22 or 30; 63 with paging off */
    bool user;       /* U/S set on every level */
    bool writable;   /* R/W set on every level */
    bool executable; /* no NX on any level (or NXE off) */
    bool global;     /* G set, and CR4.PGE */
    bool dirty;      /* D set, or will be by the updates */
    /* Entries whose bits must be or-ed into memory before the translation is used, outermost first. */
    u8 updates;
    struct {
        paddr_t paddr;
        u32 set; /* PTE_A and possibly PTE_D */
    } update[WALK_MAX_LEVELS];
    /* The pages of memory that the entries read lie in, outermost first: who keeps the translation watches them. */
    u8 tables;
    paddr_t table[WALK_MAX_LEVELS];
};

/* Translate one linear address through the active paging structures.
 * in:      laddr  canonical (checked by the caller); type and view of the access
 * returns: struct walk; ok, or the #PF error code
 * effects: none: the caller applies update[] through physmem_set_bits() (rule: only after ok)
 * raises:  never
 * source:  SDM 3A, "Hierarchical Paging Structures: an Overview" and "Access Rights" */
struct walk page_walk(struct physmem *pm, const struct paging_mode *mode, laddr_t laddr, enum access_type type,
                      enum access_view view);

/* Whether a translation with these rights allows the access. source: SDM 3A, "Determination of Access Rights". */
bool page_allows(const struct paging_mode *mode, const struct walk *walk, enum access_type type, enum access_view view);

/* Whether a PAE PDPTE register value has reserved bits set (#GP at the load, MD-02). */
bool pdpte_is_bad(const struct paging_mode *mode, u64 pdpte);

#endif

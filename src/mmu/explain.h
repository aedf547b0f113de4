/* SPDX-License-Identifier: MIT
 * A page walk explained: every entry that it reads, and why it ends where it ends. For people: slower than page_walk(),
 * and as pure.
 * SDM 3A, "Hierarchical Paging Structures: an Overview", "Access Rights", "Page-Fault Exceptions".
 */
#ifndef RINGSIDE_MMU_EXPLAIN_H
#define RINGSIDE_MMU_EXPLAIN_H

#include "mmu/paging.h"

enum page_walk_end {
    WALK_MAPPED,     /* the access is allowed */
    WALK_UNPAGED,    /* paging is off */
    WALK_ABSENT,     /* P is clear in the last entry read (PF-01) */
    WALK_RESERVED,   /* a reserved bit is set in it (PG-05) */
    WALK_SUPERVISOR, /* a user access, and U/S is clear on some level (PF-02) */
    WALK_READ_ONLY,  /* a write, and R/W is clear on some level (PF-03) */
    WALK_NO_EXECUTE, /* a fetch, and XD is set on some level (PF-04) */
    WALK_SMEP,       /* a supervisor fetch from a user page (PG-02) */
    WALK_SMAP,       /* a supervisor access to a user page (PG-02) */
    WALK_ENDS
};

struct walk_level {
    paddr_t paddr;    /* of the entry; 0 for a PDPTE register */
    u64 entry;        /* as read: 4 or 8 bytes */
    u8 level;         /* 1 = page table, 2 = page directory, 3 = its pointers, 4, 5 */
    u8 bytes;         /* of the entry */
    bool in_register; /* PAE on Intel: the processor holds the four PDPTEs (MD-02) */
    bool no_memory;   /* nothing is there: it was read as ones */
    bool leaf;        /* it maps the page, of any size */
};

struct walk_story {
    enum page_walk_end end;
    bool ok;
    u32 error;     /* #PF error code when !ok: both as page_walk() says */
    paddr_t paddr; /* when ok */
    u8 levels;     /* entries read */
    u8 blamed;     /* the outermost of them that forbids: index into level[] */
    u64 reserved;  /* WALK_RESERVED: the reserved bits that are set */
    struct walk_level level[WALK_MAX_LEVELS];
};

/* in: as page_walk().   effects: none.   raises: never */
struct walk_story page_walk_explain(struct physmem *pm, const struct paging_mode *mode, laddr_t laddr,
                                    enum access_type type, enum access_view view);

/* "PML4E"; "PDE". in: level  from 1 */
const char *walk_level_name(unsigned level);

#endif

/* SPDX-License-Identifier: MIT
 * The page walk for 32-bit, PAE, 4-level and 5-level paging.
 * SDM 3A, "32-bit Paging", "PAE Paging", "4-Level Paging and 5-Level Paging", "Access Rights", "Page-Fault Exceptions";
 * APM 2, "Page Translation and Protection".
 */
#include "mmu/paging.h"

#include "mmu/entry.h"

/* Read one paging-structure entry, and name its page in the walk. Where no memory is it reads as ones, whatever device
 * answers there: a walk may come at any time, and a device must not see one. All ones breaks the reserved bits, or
 * leads nowhere.   UNVERIFIED: what processors read from a device. */
ALWAYS_INLINE u64 read_entry(struct physmem *pm, struct walk *walk, paddr_t paddr, unsigned size)
{
    const u8 *page = physmem_host(pm, paddr);

    walk->table[walk->tables++] = paddr & PAGE_MASK;
    if (LIKELY(page != NULL)) {
        const u8 *host = page + (paddr & ~PAGE_MASK);

        return size == 4 ? load_le32(host) : load_le64(host);
    }
    return size == 4 ? 0xFFFFFFFF : ~0ull;
}

/* The error code of a page fault, but for the reasons P and RSVD.
 * I is reported only where fetches can be refused at all. source: SDM 3A, "Page-Fault Exceptions" (ID-16) */
static u32 error_of_access(const struct paging_mode *mode, enum access_type type, enum access_view view)
{
    u32 error = 0;

    if (type == ACCESS_WRITE)
        error |= PF_W;
    if (view == VIEW_USER)
        error |= PF_U;
    if (type == ACCESS_EXECUTE && (no_execute_enabled(mode) || mode->smep))
        error |= PF_I;
    return error;
}

bool page_allows(const struct paging_mode *mode, const struct walk *walk, enum access_type type, enum access_view view)
{
    bool supervisor = view != VIEW_USER;

    if (mode->levels == 0)
        return true;
    if (!supervisor && !walk->user)
        return false;
    if (type == ACCESS_EXECUTE) {
        if (!walk->executable)
            return false;
        return !(supervisor && walk->user && mode->smep); /* PG-02 */
    }
    if (supervisor && walk->user && mode->smap && view != VIEW_SUPERVISOR_AC)
        return false; /* PG-02 */
    if (type == ACCESS_WRITE)
        return walk->writable || (supervisor && !mode->wp);
    return true;
}

bool pdpte_is_bad(const struct paging_mode *mode, u64 pdpte)
{
    return (pdpte & PTE_P) && (pdpte & pdpte_reserved(mode));
}

static void note_update(struct walk *walk, paddr_t paddr, u64 entry, u64 wanted)
{
    u32 set = (u32)(wanted & ~entry);

    if (set != 0) {
        walk->update[walk->updates].paddr = paddr;
        walk->update[walk->updates].set = set;
        walk->updates++;
    }
}

static struct walk walk_failed(u32 error) { return (struct walk){.ok = false, .error = error}; }

/* Finish at the leaf: rights, then accessed and dirty. */
static void walk_leaf(struct walk *walk, const struct paging_mode *mode, paddr_t entry_paddr, u64 entry,
                      enum access_type type, enum access_view view)
{
    walk->global = (entry & PTE_G) && mode->pge;
    walk->dirty = (entry & PTE_D) || type == ACCESS_WRITE;
    if (!page_allows(mode, walk, type, view)) {
        *walk = walk_failed(error_of_access(mode, type, view) | PF_P);
        return;
    }
    note_update(walk, entry_paddr, entry, PTE_A | (type == ACCESS_WRITE ? PTE_D : 0));
    walk->ok = true;
}

static struct walk walk_32bit(struct physmem *pm, const struct paging_mode *mode, laddr_t laddr, enum access_type type,
                              enum access_view view)
{
    u32 error = error_of_access(mode, type, view);
    struct walk walk = {.executable = true};
    paddr_t pde_paddr = (mode->cr3 & 0xFFFFF000u) | (bits(laddr, 31, 22) << 2);
    u64 pde = read_entry(pm, &walk, pde_paddr, 4);
    paddr_t pte_paddr;
    u64 pte;

    if (!(pde & PTE_P))
        return walk_failed(error);
    walk.user = (pde & PTE_U) != 0;
    walk.writable = (pde & PTE_W) != 0;
    if ((pde & PTE_PS) && mode->pse) {
        if (pde & reserved_in_pde4m(mode))
            return walk_failed(error | PF_P | PF_RSVD);
        walk.page_shift = 22;
        walk.paddr = (pde & 0xFFC00000u) | (mode->pse36 ? bits(pde, 20, 13) << 32 : 0) | (laddr & 0x3FFFFFu);
        walk_leaf(&walk, mode, pde_paddr, pde, type, view);
        return walk;
    }
    pte_paddr = (pde & 0xFFFFF000u) | (bits(laddr, 21, 12) << 2);
    pte = read_entry(pm, &walk, pte_paddr, 4);
    if (!(pte & PTE_P))
        return walk_failed(error);
    note_update(&walk, pde_paddr, pde, PTE_A);
    walk.user = walk.user && (pte & PTE_U);
    walk.writable = walk.writable && (pte & PTE_W);
    walk.page_shift = 12;
    walk.paddr = (pte & 0xFFFFF000u) | (laddr & 0xFFFu);
    walk_leaf(&walk, mode, pte_paddr, pte, type, view);
    return walk;
}

/* The PAE pointer table: four registers on Intel, memory on AMD (MD-02). Neither carries rights or an accessed bit.
 * returns: false when the walk ends here with *error */
static bool pae_directory(struct physmem *pm, const struct paging_mode *mode, struct walk *walk, laddr_t laddr,
                          u64 *directory, u32 *error)
{
    unsigned index = (unsigned)bits(laddr, 31, 30);
    u64 pdpte =
        mode->pdpte_in_memory ? read_entry(pm, walk, (mode->cr3 & 0xFFFFFFE0u) + index * 8, 8) : mode->pdpte[index];

    if (!(pdpte & PTE_P))
        return false;
    if (pdpte_is_bad(mode, pdpte)) {
        *error |= PF_P | PF_RSVD;
        return false;
    }
    *directory = pdpte & PTE_ADDRESS;
    return true;
}

static struct walk walk_64bit(struct physmem *pm, const struct paging_mode *mode, laddr_t laddr, enum access_type type,
                              enum access_view view)
{
    u32 error = error_of_access(mode, type, view);
    struct walk walk = {.user = true, .writable = true, .executable = true};
    u64 table = mode->cr3 & PTE_ADDRESS & ~address_beyond(mode);
    unsigned level = mode->levels;

    if (level == 3) {
        if (!pae_directory(pm, mode, &walk, laddr, &table, &error))
            return walk_failed(error);
        level = 2;
    }
    for (;; level--) {
        unsigned shift = PAGE_SHIFT + 9 * (level - 1);
        paddr_t entry_paddr = table | (bits(laddr, shift + 8, shift) << 3);
        u64 entry = read_entry(pm, &walk, entry_paddr, 8);

        if (!(entry & PTE_P))
            return walk_failed(error);
        if (entry & reserved_in_entry64(mode, level, entry))
            return walk_failed(error | PF_P | PF_RSVD);
        walk.user = walk.user && (entry & PTE_U);
        walk.writable = walk.writable && (entry & PTE_W);
        walk.executable = walk.executable && !(entry & PTE_NX);
        if (level == 1 || (entry & PTE_PS)) {
            u64 offset = BIT(shift) - 1;

            walk.page_shift = (u8)shift;
            walk.paddr = (entry & PTE_ADDRESS & ~offset) | (laddr & offset);
            walk_leaf(&walk, mode, entry_paddr, entry, type, view);
            return walk;
        }
        note_update(&walk, entry_paddr, entry, PTE_A);
        table = entry & PTE_ADDRESS;
    }
}

struct walk page_walk(struct physmem *pm, const struct paging_mode *mode, laddr_t laddr, enum access_type type,
                      enum access_view view)
{
    if (mode->levels == 0) {
        return (struct walk){.ok = true,
                             .paddr = (u32)laddr,
                             .page_shift = 63,
                             .user = true,
                             .writable = true,
                             .executable = true,
                             .dirty = true};
    }
    if (mode->levels == 2)
        return walk_32bit(pm, mode, laddr, type, view);
    return walk_64bit(pm, mode, laddr, type, view);
}

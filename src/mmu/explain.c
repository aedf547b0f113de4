/* SPDX-License-Identifier: MIT
 * The page walk, told level by level. page_walk() decides whether and how the access fails; this file finds out where.
 */
#include "mmu/explain.h"

#include "mmu/entry.h"

const char *walk_level_name(unsigned level)
{
    static const char *const names[] = {"?", "PTE", "PDE", "PDPTE", "PML4E", "PML5E"};

    return names[level < ARRAY_LEN(names) ? level : 0];
}

/* As the walk reads: where no memory is, ones. */
static u64 read_level(struct physmem *pm, struct walk_level *l)
{
    const u8 *page = physmem_host(pm, l->paddr);

    l->no_memory = page == NULL;
    if (page == NULL)
        return l->bytes == 4 ? 0xFFFFFFFFu : ~0ull;
    page += l->paddr & ~PAGE_MASK;
    return l->bytes == 4 ? load_le32(page) : load_le64(page);
}

/* Whether this level is the last, because it maps a page. */
static bool is_leaf(const struct paging_mode *mode, const struct walk_level *l)
{
    if (mode->levels == 3 && l->level == 3)
        return false;
    if (l->bytes == 4)
        return l->level == 1 || ((l->entry & PTE_PS) && mode->pse);
    return l->level == 1 || (l->entry & PTE_PS) != 0;
}

static u64 reserved_bits(const struct paging_mode *mode, const struct walk_level *l)
{
    if (l->bytes == 4)
        return l->level == 2 && l->leaf ? l->entry & reserved_in_pde4m(mode) : 0;
    if (mode->levels == 3 && l->level == 3)
        return pdpte_is_bad(mode, l->entry) ? l->entry & pdpte_reserved(mode) : 0;
    return l->entry & reserved_in_entry64(mode, l->level, l->entry);
}

/* Read entries from the outermost, as far as the walk gets. */
static void descend(struct walk_story *s, struct physmem *pm, const struct paging_mode *mode, laddr_t laddr)
{
    bool narrow = mode->levels == 2, pae = mode->levels == 3;
    unsigned bits_per_level = narrow ? 10 : 9;
    u64 table = narrow ? mode->cr3 & 0xFFFFF000u
                : pae  ? mode->cr3 & 0xFFFFFFE0u
                       : mode->cr3 & PTE_ADDRESS & ~address_beyond(mode);

    for (unsigned level = mode->levels; level > 0; level--) {
        unsigned shift = PAGE_SHIFT + bits_per_level * (level - 1);
        unsigned top = pae && level == 3 ? 31 : shift + bits_per_level - 1;
        u64 index = bits(laddr, top, shift);
        struct walk_level *l = &s->level[s->levels++];

        *l = (struct walk_level){.level = (u8)level, .bytes = narrow ? 4 : 8};
        if (pae && level == 3 && !mode->pdpte_in_memory) {
            l->in_register = true;
            l->entry = mode->pdpte[index];
        } else {
            l->paddr = table + index * l->bytes;
            l->entry = read_level(pm, l);
        }
        if (!(l->entry & PTE_P)) {
            s->end = WALK_ABSENT;
            return;
        }
        l->leaf = is_leaf(mode, l);
        s->reserved = reserved_bits(mode, l);
        if (s->reserved != 0) {
            s->end = WALK_RESERVED;
            return;
        }
        if (l->leaf)
            return;
        table = narrow ? l->entry & 0xFFFFF000u : l->entry & PTE_ADDRESS;
    }
}

/* The outermost level in whose entry (entry & mask) == value: PAE's pointers carry no rights. */
static bool blame(struct walk_story *s, const struct paging_mode *mode, u64 mask, u64 value)
{
    for (unsigned i = 0; i < s->levels; i++) {
        if (mode->levels == 3 && s->level[i].level == 3)
            continue;
        if ((s->level[i].entry & mask) == value) {
            s->blamed = (u8)i;
            return true;
        }
    }
    return false;
}

/* Which right is missing, of a walk that reached its page and was refused. */
static enum page_walk_end missing_right(struct walk_story *s, const struct paging_mode *mode, enum access_type type,
                                        enum access_view view)
{
    s->blamed = (u8)(s->levels - 1);
    if (view == VIEW_USER && blame(s, mode, PTE_U, 0))
        return WALK_SUPERVISOR;
    if (type == ACCESS_EXECUTE)
        return no_execute_enabled(mode) && blame(s, mode, PTE_NX, PTE_NX) ? WALK_NO_EXECUTE : WALK_SMEP;
    if (view == VIEW_SUPERVISOR && mode->smap && !blame(s, mode, PTE_U, 0))
        return WALK_SMAP;
    blame(s, mode, PTE_W, 0);
    return WALK_READ_ONLY;
}

struct walk_story page_walk_explain(struct physmem *pm, const struct paging_mode *mode, laddr_t laddr,
                                    enum access_type type, enum access_view view)
{
    struct walk walk = page_walk(pm, mode, laddr, type, view);
    struct walk_story s = {.end = WALK_MAPPED, .ok = walk.ok, .error = walk.error, .paddr = walk.paddr};

    if (mode->levels == 0) {
        s.end = WALK_UNPAGED;
        return s;
    }
    descend(&s, pm, mode, laddr);
    if (s.end == WALK_MAPPED && !walk.ok)
        s.end = missing_right(&s, mode, type, view);
    else if (s.end != WALK_MAPPED)
        s.blamed = (u8)(s.levels - 1);
    return s;
}

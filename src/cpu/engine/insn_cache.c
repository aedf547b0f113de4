/* SPDX-License-Identifier: MIT
 * The decoded-instruction cache of the stepping engine.
 */
#include "cpu/engine/insn_cache.h"

#define MAX_INSN_BYTES 15u

void insn_cache_flush(struct insn_cache *cache)
{
    for (unsigned i = 0; i < INSN_CACHE_SLOTS; i++)
        cache->slot[i].tag = INSN_TAG_NONE;
}

void insn_cache_written(struct insn_cache *cache, paddr_t paddr, unsigned size)
{
    paddr_t page = paddr & PAGE_MASK;
    paddr_t first = paddr - page < MAX_INSN_BYTES - 1 ? page : paddr - (MAX_INSN_BYTES - 1);

    for (paddr_t p = first; p < paddr + size; p++) {
        struct insn_slot *slot = insn_cache_slot(cache, p);

        if (insn_tag_paddr(slot->tag) == p)
            slot->tag = INSN_TAG_NONE;
    }
}

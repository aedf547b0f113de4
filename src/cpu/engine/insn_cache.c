/* SPDX-License-Identifier: MIT
 * The decoded-instruction cache of the stepping engine.
 */
#include "cpu/engine/insn_cache.h"

#define MAX_INSN_BYTES 15u
/* Writes to one code page, with none to another between, after which the page counts as data again. */
#define WRITES_UNTIL_DATA 32u

void insn_cache_flush(struct insn_cache *cache)
{
    cache->last_written_page = INSN_CACHE_EMPTY;
    cache->writes_in_row = 0;
    for (unsigned i = 0; i < INSN_CACHE_SLOTS; i++)
        cache->slot[i].tag = INSN_CACHE_EMPTY;
}

static void forget_range(struct insn_cache *cache, paddr_t first, paddr_t last)
{
    for (paddr_t p = first; p <= last; p++) {
        struct insn_slot *slot = insn_cache_slot(cache, p);

        if (slot->tag >> 12 == p)
            slot->tag = INSN_CACHE_EMPTY;
    }
}

void insn_cache_written(struct insn_cache *cache, struct physmem *pm, paddr_t paddr, unsigned size)
{
    paddr_t page = paddr & PAGE_MASK;
    paddr_t first = paddr - page < MAX_INSN_BYTES - 1 ? page : paddr - (MAX_INSN_BYTES - 1);

    if (page != cache->last_written_page) {
        cache->last_written_page = page;
        cache->writes_in_row = 0;
    }
    if (++cache->writes_in_row < WRITES_UNTIL_DATA) {
        forget_range(cache, first, paddr + size - 1);
        return;
    }
    forget_range(cache, page, page + PAGE_SIZE - 1);
    physmem_clear_code(pm, page);
    cache->writes_in_row = 0;
}

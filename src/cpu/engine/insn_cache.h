/* SPDX-License-Identifier: MIT
 * The decoded-instruction cache of the stepping engine: direct-mapped on the physical address of the first byte.
 *
 * An entry is valid for one insn_tag(). Instructions that cross a page are never kept. A write to a
 * page that holds cached bytes reaches insn_cache_written() through the listener of physical memory.
 */
#ifndef RINGSIDE_CPU_ENGINE_INSN_CACHE_H
#define RINGSIDE_CPU_ENGINE_INSN_CACHE_H

#include "cpu/engine/block.h"

#define INSN_CACHE_SLOTS 65536u

/* One host cache line: a look-up touches no other. */
struct insn_slot {
    u64 tag; /* insn_tag() */
    struct insn insn;
} __attribute__((aligned(64)));

struct insn_cache {
    struct insn_slot slot[INSN_CACHE_SLOTS];
};

void insn_cache_flush(struct insn_cache *cache);
/* Forget every instruction that has a byte in [paddr, paddr+size), which lies in one page. */
void insn_cache_written(struct insn_cache *cache, paddr_t paddr, unsigned size);

/* Where the slots of a physical page are: the slot of one of its bytes is this exclusive-or the byte's offset. The page
 * number is folded in, so that pages 64 KiB apart do not fight for the same slots. */
ALWAYS_INLINE u32 insn_cache_page(paddr_t page) { return (u32)((page ^ ((page >> 16) * 0x9E5)) % INSN_CACHE_SLOTS); }

ALWAYS_INLINE struct insn_slot *insn_cache_slot_in_page(struct insn_cache *cache, u32 page_slots, unsigned offset)
{
    return &cache->slot[page_slots ^ offset];
}

ALWAYS_INLINE struct insn_slot *insn_cache_slot(struct insn_cache *cache, paddr_t paddr)
{
    return insn_cache_slot_in_page(cache, insn_cache_page(paddr & PAGE_MASK), (unsigned)(paddr & ~PAGE_MASK));
}

#endif

/* SPDX-License-Identifier: MIT
 * Bit filters over linear addresses: a clear bit says that nothing is cached there, a set one that something may be.
 * Used within this module only.
 */
#ifndef RINGSIDE_MMU_FILTER_H
#define RINGSIDE_MMU_FILTER_H

#include "base/bits.h"
#include "mmu/tlb.h"

ALWAYS_INLINE bool filter_has(const u64 *filter, unsigned bit) { return (filter[bit / 64] >> (bit % 64)) & 1; }

ALWAYS_INLINE void filter_add(u64 *filter, unsigned bit) { filter[bit / 64] |= BIT(bit % 64); }

/* Pages of every size that a processor knows lie in one region of 1 GiB. */
ALWAYS_INLINE unsigned region_filter_bit(laddr_t laddr)
{
    return (unsigned)((laddr >> 30 ^ laddr >> 38 ^ laddr >> 46) % CONTEXT_REGIONS);
}

ALWAYS_INLINE unsigned page_filter_bit(laddr_t laddr)
{
    return (unsigned)((laddr >> PAGE_SHIFT ^ laddr >> 27) % MMU_GLOBAL_FILTER);
}

#endif

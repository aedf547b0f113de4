/* SPDX-License-Identifier: MIT
 * The bits of a paging-structure entry, and which of them are reserved.
 * SDM 3A, tables "Format of a ... Entry"; APM 2, "Page-Translation Tables".
 */
#ifndef RINGSIDE_MMU_ENTRY_H
#define RINGSIDE_MMU_ENTRY_H

#include "base/bits.h"
#include "mmu/paging.h"

#define PTE_P BIT(0)
#define PTE_W BIT(1)
#define PTE_U BIT(2)
#define PTE_A BIT(5)
#define PTE_D BIT(6)
#define PTE_PS BIT(7)
#define PTE_G BIT(8)
#define PTE_NX BIT(63)

/* Bits 51..12 of an entry, where its address lies. */
#define PTE_ADDRESS 0x000FFFFFFFFFF000ull

ALWAYS_INLINE bool no_execute_enabled(const struct paging_mode *mode)
{
    return mode->nxe && mode->levels >= 3; /* 32-bit paging has no XD bit */
}

/* Bits of a physical address that this processor lacks. */
ALWAYS_INLINE u64 address_beyond(const struct paging_mode *mode) { return ~(BIT(mode->maxphyaddr) - 1); }

/* Reserved bits of a present entry of 8 bytes. level counts from 1 = page table.
 * source: SDM 3A, tables "Format of a ... Entry"; rule PG-05 */
ALWAYS_INLINE u64 reserved_in_entry64(const struct paging_mode *mode, unsigned level, u64 entry)
{
    u64 reserved = address_beyond(mode) & PTE_ADDRESS;

    if (mode->levels == 3)
        reserved |= 0x7FF0000000000000ull; /* bits 62:52 are ignored in long mode, reserved under PAE */
    if (!no_execute_enabled(mode))
        reserved |= PTE_NX;
    if (level >= 4 || (level == 3 && !mode->page1gb))
        reserved |= PTE_PS;
    if (level == 3 && (entry & PTE_PS))
        reserved |= 0x3FFFE000ull; /* 1 GiB: bits 29:13; bit 12 is PAT */
    if (level == 2 && (entry & PTE_PS))
        reserved |= 0x1FE000ull; /* 2 MiB: bits 20:13 */
    return reserved;
}

/* Reserved bits of a 32-bit page-directory entry that maps 4 MiB. source: SDM 3A, "32-bit Paging" (PSE-36) */
ALWAYS_INLINE u64 reserved_in_pde4m(const struct paging_mode *mode)
{
    unsigned width = mode->maxphyaddr < 40 ? mode->maxphyaddr : 40;

    if (!mode->pse36)
        return 0x3FE000u; /* bits 21:13 */
    return bits(~0ull, 21, width - 19) << (width - 19);
}

/* Reserved bits of a PAE page-directory-pointer entry. */
ALWAYS_INLINE u64 pdpte_reserved(const struct paging_mode *mode)
{
    return bits(~0ull, 2, 1) << 1 | bits(~0ull, 8, 5) << 5 | address_beyond(mode);
}

#endif

/* SPDX-License-Identifier: MIT
 * Two-level paging of the 32-bit tour.
 * SDM 3A, "32-Bit Paging".
 */
#include "stops.h"

enum { PRESENT = 1, WRITABLE = 2, USER = 4, TABLES = 4 };
static u32 directory[1024] __attribute__((aligned(4096)));
static u32 tables[TABLES][1024] __attribute__((aligned(4096)));

static u32 *page_entry(u32 address) { return &tables[address >> 22][address >> 12 & 1023]; }

void paging_on(void)
{
    for (u32 page = 0; page < TABLES << 10; page++)
        tables[page >> 10][page & 1023] = page << 12 | PRESENT | WRITABLE | USER;
    for (unsigned i = 0; i < TABLES; i++)
        directory[i] = (u32)(uintptr_t)tables[i] | PRESENT | WRITABLE | USER;
    *page_entry(PAGE_ABSENT) &= ~(u32)PRESENT;
    *page_entry(PAGE_KERNEL) &= ~(u32)USER;
    *page_entry(PAGE_READONLY) &= ~(u32)WRITABLE;
    write_cr3((u32)(uintptr_t)directory);
    write_cr0(read_cr0() | CR0_PG);
}

void paging_off(void) { write_cr0(read_cr0() & ~CR0_PG); }

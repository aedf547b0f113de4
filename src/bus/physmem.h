/* SPDX-License-Identifier: MIT
 * Physical memory: RAM, ROM, memory-mapped devices, the A20 gate, and the one function that writes RAM.
 *
 * Layout: RAM fills 0..3 GiB (less the 640K-1M hole, which devices and ROM claim) and continues at 4 GiB.
 * Every writer - CPU, accessed/dirty updates, DMA, loaders, debugger - goes through physmem_write(), or through a
 * host pointer that physmem_host_writable() gave out and that is revoked (listener) when the page becomes flagged.
 */
#ifndef RINGSIDE_BUS_PHYSMEM_H
#define RINGSIDE_BUS_PHYSMEM_H

#include "base/error.h"
#include "base/types.h"

/* Who makes an access. Values below 0x100 are processor numbers. */
enum initiator { INITIATOR_CPU0 = 0, INITIATOR_DMA = 0x100, INITIATOR_LOADER, INITIATOR_DEBUGGER };

/* Per-page flags of RAM. */
enum page_flag {
    PAGE_CODE = 1,     /* holds bytes that were decoded: writers must tell the listener */
    PAGE_READONLY = 2, /* ROM: guest writes are dropped */
    PAGE_TABLE = 4,    /* translations were walked through it: the first write tells the listener */
};

struct mmio_ops {
    /* size is 1, 2, 4 or 8 bytes; offset is relative to the region's base. */
    u64 (*read)(void *device, u64 offset, unsigned size, enum initiator who);
    void (*write)(void *device, u64 offset, u64 value, unsigned size, enum initiator who);
};

struct physmem_listener {
    void *context;
    /* RAM bytes [paddr, paddr+size) of a PAGE_CODE page were written. Never crosses a page. */
    void (*code_written)(void *context, paddr_t paddr, unsigned size);
    /* A PAGE_TABLE page was written, by whomever but physmem_set_bits(); the page is watched no more.
     * watchers: the bits that physmem_watch_table() was given for it. */
    void (*table_written)(void *context, paddr_t page, u32 watchers);
    /* Host pointers handed out for this page may no longer be used for direct writes. Called only for pages of which
     * pointers may be out. */
    void (*revoke_writable)(void *context, paddr_t page);
    /* Every cached translation is void (A20 or the memory map changed). */
    void (*map_changed)(void *context);
};

struct physmem;

/* in: ram_bytes  multiple of 4 KiB, at least 1 MiB.  returns: NULL with err set when the host has no memory. */
struct physmem *physmem_new(u64 ram_bytes, struct error *err);
void physmem_free(struct physmem *pm);
u64 physmem_ram_bytes(const struct physmem *pm);
/* RAM bytes below 4 GiB (the rest starts at 4 GiB). */
u64 physmem_low_ram_bytes(const struct physmem *pm);
void physmem_set_listener(struct physmem *pm, const struct physmem_listener *listener);

/* Claim [base, base+size), page-aligned, for a device; hides RAM underneath. name is for messages and `mtree`. */
void physmem_map_mmio(struct physmem *pm, paddr_t base, u64 size, const struct mmio_ops *ops, void *device,
                      const char *name);
void physmem_unmap_mmio(struct physmem *pm, paddr_t base);
/* Claim [base, base+size), page-aligned, as ROM with these contents (copied). */
void physmem_map_rom(struct physmem *pm, paddr_t base, u64 size, const void *bytes, const char *name);

/* The RAM under [base, base+size), page-aligned and within 640K-1M, as a north bridge opens it: bits of enum
 * ram_shadow. With neither bit, what is claimed there answers; with SHADOW_READ alone, writes are dropped. Instructions
 * come from where reads come from.  effects: a change of the map, when something changed */
enum ram_shadow { SHADOW_READ = 1, SHADOW_WRITE = 2 };
void physmem_set_shadow(struct physmem *pm, paddr_t base, u64 size, unsigned shadow);

/* Let RAM answer in the 640K-1M hole too: for a machine with nothing on its bus but RAM. Before anything is mapped. */
void physmem_fill_hole(struct physmem *pm);

/* The A20 gate: while disabled, bit 20 of every physical address is forced to 0. */
void physmem_set_a20(struct physmem *pm, bool enabled);
bool physmem_a20(const struct physmem *pm);
/* The address as memory sees it: A20 applied. What is remembered of a page by its physical address is remembered by
 * this one; a change of the gate is a change of the map. */
paddr_t physmem_seen(const struct physmem *pm, paddr_t paddr);

/* Host address of the RAM or ROM page that holds paddr (A20 applied); NULL when it is a device or nothing. */
const u8 *physmem_host(struct physmem *pm, paddr_t paddr);
/* As above, but NULL also when direct writes are not allowed (ROM, PAGE_CODE or PAGE_TABLE).
 * effects: the page counts as handed out until it is revoked */
u8 *physmem_host_writable(struct physmem *pm, paddr_t paddr);
/* A word per page of RAM for the holder of writable pointers, to find them again when they are revoked; 0 at first.
 * returns: NULL when the page is not RAM */
u32 *physmem_holder(struct physmem *pm, paddr_t paddr);

/* Bus reads and writes of any length (split at pages and regions). Unclaimed addresses read as ones. */
void physmem_read(struct physmem *pm, paddr_t paddr, void *out, size_t size, enum initiator who);
void physmem_write(struct physmem *pm, paddr_t paddr, const void *in, size_t size, enum initiator who);
/* Or bits into 1 to 8 bytes that do not cross a page: the page walk's accessed and dirty updates. The listener of code
 * hears of it; watchers of page tables do not, because no translation depends on these bits being clear. */
void physmem_set_bits(struct physmem *pm, paddr_t paddr, u64 set, unsigned size, enum initiator who);
/* Reads without effects on any device: false when the range is not wholly RAM or ROM. */
bool physmem_peek(struct physmem *pm, paddr_t paddr, void *out, size_t size);

/* Page flags (RAM pages only; no effect elsewhere). Setting PAGE_CODE revokes writable host pointers. */
void physmem_set_code(struct physmem *pm, paddr_t page);
void physmem_clear_code(struct physmem *pm, paddr_t page);
/* Watch a page that translations are walked through: sets PAGE_TABLE and adds bits to its set of watchers, which the
 * next write hands to the listener and empties. Watches do not outlive the listener that was set when they were made.
 * returns: false when nobody would hear of a change (device memory, or no listener) */
bool physmem_watch_table(struct physmem *pm, paddr_t page, u32 watchers);
unsigned physmem_page_flags(struct physmem *pm, paddr_t page);

/* 64-bit hash of all RAM contents, for state comparison. */
u64 physmem_hash(struct physmem *pm);

/* Iterate over the claimed regions in address order. */
struct physmem_region {
    paddr_t base;
    u64 size;
    const char *name;
    bool is_rom;
};
size_t physmem_regions(const struct physmem *pm, struct physmem_region *out, size_t max);

#endif

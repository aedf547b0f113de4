/* SPDX-License-Identifier: MIT
 * Physical memory: the address map and every access to it.
 *
 * RAM is one lazy anonymous mapping. A byte per page below the top of the map says what answers there: 0 the default
 * (RAM or nothing), SLOT_HOLE nothing, others a claimed region. Per RAM page there are a byte of flags, the set of
 * those who watch it as a page table, and a word for who holds pointers to it. All are mapped lazily: what a guest
 * never touches costs nothing.
 */
#include "bus/physmem.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/bits.h"

#define FOUR_GIB (4ull << 30)
#define LOW_RAM_MAX (3ull << 30)
#define HOLE_FIRST 0xa0000ull
#define HOLE_END 0x100000ull
#define A20_BIT BIT(20)

#define SLOT_DEFAULT 0
#define SLOT_HOLE 1
#define SLOT_REGION 2 /* slot number of regions[0] */
#define REGION_MAX 200
#define SHADOW_READ_ONLY REGION_MAX /* the region after those that are claimed: the hole's RAM, as if it were ROM */

#define PAGE_TOUCHED 0x80 /* may differ from zero: a writer has had it */
#define PAGE_LENT 0x40    /* a host pointer for direct writes may be out */
#define PAGE_GUARDED (PAGE_CODE | PAGE_TABLE)

struct region {
    paddr_t base;
    u64 size; /* 0: the entry is free */
    u64 order;
    const char *name;
    const struct mmio_ops *ops; /* NULL: ROM */
    void *device;
    u8 *rom;
};

struct physmem {
    u8 *ram;
    u8 *flags; /* per RAM page: enum page_flag, PAGE_TOUCHED and PAGE_LENT */
    u32 *watchers;
    u32 *holders;
    u8 *slots; /* per page of the map */
    u64 ram_bytes, low_bytes, map_end;
    paddr_t mask; /* the A20 gate */
    u8 hole;      /* what answers in the hole: SLOT_HOLE, or SLOT_DEFAULT when it is filled */
    u8 shadow[(HOLE_END - HOLE_FIRST) >> PAGE_SHIFT]; /* enum ram_shadow, per page of the hole */
    u64 orders;
    struct physmem_listener listener;
    struct region regions[REGION_MAX + 1];
};

static void *reserve(u64 size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (memory == MAP_FAILED)
        return NULL;
    madvise(memory, size,
            MADV_HUGEPAGE); /* a wish: a guest walks over its memory faster with fewer host translations */
    return memory;
}

struct physmem *physmem_new(u64 ram_bytes, struct error *err)
{
    struct physmem *pm = calloc(1, sizeof *pm);

    if (!pm) {
        error_set(err, EXIT_LIMIT, "no host memory for the physical memory map");
        return NULL;
    }
    if (ram_bytes < HOLE_END || ram_bytes % PAGE_SIZE || ram_bytes > BIT(40)) {
        error_set(err, EXIT_USAGE, "guest memory must be a multiple of 4 KiB from 1 MiB to 1 TiB");
        free(pm);
        return NULL;
    }
    pm->ram_bytes = ram_bytes;
    pm->low_bytes = ram_bytes < LOW_RAM_MAX ? ram_bytes : LOW_RAM_MAX;
    pm->map_end = FOUR_GIB + (ram_bytes - pm->low_bytes);
    pm->mask = ~0ull;
    pm->ram = reserve(ram_bytes);
    pm->flags = reserve(ram_bytes >> PAGE_SHIFT);
    pm->watchers = reserve((ram_bytes >> PAGE_SHIFT) * sizeof *pm->watchers);
    pm->holders = reserve((ram_bytes >> PAGE_SHIFT) * sizeof *pm->holders);
    pm->slots = reserve(pm->map_end >> PAGE_SHIFT);
    if (!pm->ram || !pm->flags || !pm->watchers || !pm->holders || !pm->slots) {
        error_set(err, EXIT_LIMIT, "the host cannot reserve %llu MiB for guest memory; ask for less with -m",
                  (unsigned long long)(ram_bytes >> 20));
        physmem_free(pm);
        return NULL;
    }
    pm->hole = SLOT_HOLE;
    pm->regions[SHADOW_READ_ONLY].rom = pm->ram; /* no claim: its size stays 0, its offsets are addresses */
    memset(pm->slots + (HOLE_FIRST >> PAGE_SHIFT), SLOT_HOLE, (HOLE_END - HOLE_FIRST) >> PAGE_SHIFT);
    return pm;
}

void physmem_free(struct physmem *pm)
{
    if (!pm)
        return;
    for (unsigned i = 0; i < REGION_MAX; i++)
        free(pm->regions[i].rom);
    if (pm->ram)
        munmap(pm->ram, pm->ram_bytes);
    if (pm->flags)
        munmap(pm->flags, pm->ram_bytes >> PAGE_SHIFT);
    if (pm->watchers)
        munmap(pm->watchers, (pm->ram_bytes >> PAGE_SHIFT) * sizeof *pm->watchers);
    if (pm->holders)
        munmap(pm->holders, (pm->ram_bytes >> PAGE_SHIFT) * sizeof *pm->holders);
    if (pm->slots)
        munmap(pm->slots, pm->map_end >> PAGE_SHIFT);
    free(pm);
}

u64 physmem_ram_bytes(const struct physmem *pm) { return pm->ram_bytes; }

u64 physmem_low_ram_bytes(const struct physmem *pm) { return pm->low_bytes; }

void physmem_set_listener(struct physmem *pm, const struct physmem_listener *listener)
{
    pm->listener = listener ? *listener : (struct physmem_listener){0};
}

static void map_changed(struct physmem *pm)
{
    if (pm->listener.map_changed)
        pm->listener.map_changed(pm->listener.context);
}

/* ---- the map ---------------------------------------------------------------------------------------------------- */

/* The latest claim wins where regions overlap; above the map (64-bit PCI windows) a search takes the slots' place. */
static unsigned top_region(const struct physmem *pm, paddr_t page)
{
    unsigned best = SLOT_DEFAULT;
    u64 order = 0;

    for (unsigned i = 0; i < REGION_MAX; i++) {
        const struct region *r = &pm->regions[i];

        if (r->size && page - r->base < r->size && r->order > order) {
            best = SLOT_REGION + i;
            order = r->order;
        }
    }
    return best;
}

static unsigned shadow_of(const struct physmem *pm, paddr_t paddr)
{
    return paddr - HOLE_FIRST < HOLE_END - HOLE_FIRST ? pm->shadow[(paddr - HOLE_FIRST) >> PAGE_SHIFT] : 0;
}

static u8 slot_of(const struct physmem *pm, paddr_t page)
{
    unsigned shadow = shadow_of(pm, page), slot;

    if (shadow & SHADOW_READ)
        return shadow & SHADOW_WRITE ? SLOT_DEFAULT : SLOT_REGION + SHADOW_READ_ONLY;
    slot = top_region(pm, page);
    if (slot == SLOT_DEFAULT && page >= HOLE_FIRST && page < HOLE_END)
        slot = pm->hole;
    return (u8)slot;
}

static void rebuild(struct physmem *pm, paddr_t base, u64 size)
{
    for (paddr_t page = base; page - base < size && page < pm->map_end; page += PAGE_SIZE)
        pm->slots[page >> PAGE_SHIFT] = slot_of(pm, page);
    map_changed(pm);
}

static struct region *add_region(struct physmem *pm, paddr_t base, u64 size, const char *name)
{
    assert(!(base % PAGE_SIZE) && !(size % PAGE_SIZE) && size && base + size - 1 >= base);
    for (unsigned i = 0; i < REGION_MAX; i++) {
        struct region *r = &pm->regions[i];

        if (!r->size) {
            *r = (struct region){.base = base, .size = size, .order = ++pm->orders, .name = name};
            return r;
        }
    }
    assert(false && "more memory regions than the map holds");
    abort();
}

void physmem_map_mmio(struct physmem *pm, paddr_t base, u64 size, const struct mmio_ops *ops, void *device,
                      const char *name)
{
    struct region *r = add_region(pm, base, size, name);

    r->ops = ops;
    r->device = device;
    rebuild(pm, base, size);
}

void physmem_unmap_mmio(struct physmem *pm, paddr_t base)
{
    struct region *latest = NULL;

    for (unsigned i = 0; i < REGION_MAX; i++) {
        struct region *r = &pm->regions[i];

        if (r->size && r->ops && r->base == base && (!latest || r->order > latest->order))
            latest = r;
    }
    if (latest) {
        u64 size = latest->size;

        latest->size = 0;
        rebuild(pm, base, size);
    }
}

void physmem_map_rom(struct physmem *pm, paddr_t base, u64 size, const void *bytes, const char *name)
{
    struct region *r = add_region(pm, base, size, name);

    r->rom = malloc(size);
    if (!r->rom)
        abort();
    memcpy(r->rom, bytes, size);
    rebuild(pm, base, size);
}

void physmem_set_shadow(struct physmem *pm, paddr_t base, u64 size, unsigned shadow)
{
    bool changed = false;

    assert(base >= HOLE_FIRST && size <= HOLE_END - base && !(base % PAGE_SIZE) && !(size % PAGE_SIZE));
    for (paddr_t page = base; page - base < size; page += PAGE_SIZE) {
        u8 *now = &pm->shadow[(page - HOLE_FIRST) >> PAGE_SHIFT];

        changed |= *now != shadow;
        *now = (u8)shadow;
    }
    if (changed)
        rebuild(pm, base, size);
}

void physmem_fill_hole(struct physmem *pm)
{
    pm->hole = SLOT_DEFAULT;
    rebuild(pm, HOLE_FIRST, HOLE_END - HOLE_FIRST);
}

void physmem_set_a20(struct physmem *pm, bool enabled)
{
    paddr_t mask = enabled ? ~0ull : ~A20_BIT;

    if (mask == pm->mask)
        return;
    pm->mask = mask;
    map_changed(pm);
}

bool physmem_a20(const struct physmem *pm) { return pm->mask == ~0ull; }

paddr_t physmem_seen(const struct physmem *pm, paddr_t paddr) { return paddr & pm->mask; }

/* ---- one page --------------------------------------------------------------------------------------------------- */

/* in: paddr  A20 applied.  returns: the claimed region, or NULL with *ram_offset set to its offset in RAM or ~0. */
ALWAYS_INLINE struct region *resolve(struct physmem *pm, paddr_t paddr, u64 *ram_offset)
{
    unsigned slot;

    *ram_offset = ~0ull;
    if (UNLIKELY(paddr >= pm->map_end)) {
        slot = top_region(pm, paddr & PAGE_MASK);
        return slot >= SLOT_REGION ? &pm->regions[slot - SLOT_REGION] : NULL;
    }
    slot = pm->slots[paddr >> PAGE_SHIFT];
    if (UNLIKELY(slot != SLOT_DEFAULT))
        return slot >= SLOT_REGION ? &pm->regions[slot - SLOT_REGION] : NULL;
    if (LIKELY(paddr < pm->low_bytes))
        *ram_offset = paddr;
    else if (paddr >= FOUR_GIB)
        *ram_offset = paddr - FOUR_GIB + pm->low_bytes;
    return NULL;
}

const u8 *physmem_host(struct physmem *pm, paddr_t paddr)
{
    paddr_t page = paddr & pm->mask & PAGE_MASK;
    u64 offset;
    struct region *r = resolve(pm, page, &offset);

    if (r)
        return r->ops ? NULL : r->rom + (page - r->base);
    return offset == ~0ull ? NULL : pm->ram + offset;
}

/* returns: the number of the RAM page that holds paddr (A20 applied here), or ~0. */
ALWAYS_INLINE u64 ram_page(struct physmem *pm, paddr_t paddr)
{
    u64 offset;

    return resolve(pm, paddr & pm->mask & PAGE_MASK, &offset) || offset == ~0ull ? ~0ull : offset >> PAGE_SHIFT;
}

u8 *physmem_host_writable(struct physmem *pm, paddr_t paddr)
{
    u64 page = ram_page(pm, paddr);

    if (page == ~0ull || (pm->flags[page] & PAGE_GUARDED))
        return NULL;
    pm->flags[page] |= PAGE_TOUCHED | PAGE_LENT;
    return pm->ram + (page << PAGE_SHIFT);
}

u32 *physmem_holder(struct physmem *pm, paddr_t paddr)
{
    u64 page = ram_page(pm, paddr);

    return page == ~0ull ? NULL : &pm->holders[page];
}

/* Set a flag that forbids direct writes, and call back the pointers that are out. */
static void guard_page(struct physmem *pm, paddr_t paddr, u64 page, u8 flag)
{
    bool lent = (pm->flags[page] & PAGE_LENT) != 0;

    pm->flags[page] = (u8)((pm->flags[page] | flag) & ~PAGE_LENT);
    if (lent && pm->listener.revoke_writable)
        pm->listener.revoke_writable(pm->listener.context, paddr & pm->mask & PAGE_MASK);
}

void physmem_set_code(struct physmem *pm, paddr_t paddr)
{
    u64 page = ram_page(pm, paddr);

    if (page != ~0ull && !(pm->flags[page] & PAGE_CODE))
        guard_page(pm, paddr, page, PAGE_CODE);
}

bool physmem_watch_table(struct physmem *pm, paddr_t paddr, u32 watchers)
{
    u64 page = ram_page(pm, paddr);

    if (UNLIKELY(page == ~0ull))
        return physmem_host(pm, paddr) != NULL; /* ROM cannot change, but by a change of the map */
    if (LIKELY((pm->watchers[page] & watchers) == watchers))
        return true;
    if (pm->listener.table_written == NULL)
        return false;
    pm->watchers[page] |= watchers;
    if (!(pm->flags[page] & PAGE_TABLE))
        guard_page(pm, paddr, page, PAGE_TABLE);
    return true;
}

void physmem_clear_code(struct physmem *pm, paddr_t paddr)
{
    u64 page = ram_page(pm, paddr);

    if (page != ~0ull)
        pm->flags[page] &= (u8)~PAGE_CODE;
}

unsigned physmem_page_flags(struct physmem *pm, paddr_t paddr)
{
    u64 offset;
    struct region *r = resolve(pm, paddr & pm->mask & PAGE_MASK, &offset);

    if (r)
        return r->ops ? 0 : PAGE_READONLY;
    return offset == ~0ull ? 0 : pm->flags[offset >> PAGE_SHIFT] & PAGE_GUARDED;
}

/* ---- accesses ---------------------------------------------------------------------------------------------------- */

/* Largest access of a device that starts at offset: a whole 1, 2, 4 or 8 bytes stays one access, as the CPU made it;
 * other lengths go in naturally aligned pieces. */
static unsigned device_piece(u64 offset, size_t size)
{
    unsigned piece = 8;

    if (size == 1 || size == 2 || size == 4 || size == 8)
        return (unsigned)size;
    while (piece > size || offset % piece)
        piece /= 2;
    return piece;
}

static void read_device(struct region *r, u64 offset, u8 *out, size_t size, enum initiator who)
{
    while (size) {
        unsigned piece = device_piece(offset, size);
        u64 value = r->ops->read ? r->ops->read(r->device, offset, piece, who) : ~0ull;

        memcpy(out, &value, piece);
        out += piece;
        offset += piece;
        size -= piece;
    }
}

static void write_device(struct region *r, u64 offset, const u8 *in, size_t size, enum initiator who)
{
    while (size) {
        unsigned piece = device_piece(offset, size);
        u64 value = 0;

        memcpy(&value, in, piece);
        if (r->ops->write)
            r->ops->write(r->device, offset, value, piece, who);
        in += piece;
        offset += piece;
        size -= piece;
    }
}

static size_t within_page(paddr_t paddr, size_t size)
{
    size_t left = PAGE_SIZE - (size_t)(paddr & (PAGE_SIZE - 1));

    return size < left ? size : left;
}

void physmem_read(struct physmem *pm, paddr_t paddr, void *out, size_t size, enum initiator who)
{
    u8 *to = out;

    while (size) {
        paddr_t at = paddr & pm->mask;
        size_t chunk = within_page(at, size);
        u64 offset;
        struct region *r = resolve(pm, at, &offset);

        if (r && r->ops)
            read_device(r, at - r->base, to, chunk, who);
        else if (r)
            memcpy(to, r->rom + (at - r->base), chunk);
        else if (offset != ~0ull)
            memcpy(to, pm->ram + offset, chunk);
        else
            memset(to, 0xff, chunk);
        to += chunk;
        paddr += chunk;
        size -= chunk;
    }
}

/* A page table was written: who watched it is told once, and the page may be written directly again. */
static COLD void table_written(struct physmem *pm, paddr_t at, u64 page)
{
    u32 watchers = pm->watchers[page];

    pm->flags[page] &= (u8)~PAGE_TABLE;
    pm->watchers[page] = 0;
    if (pm->listener.table_written)
        pm->listener.table_written(pm->listener.context, at & PAGE_MASK, watchers);
}

static void code_written(struct physmem *pm, paddr_t at, size_t size)
{
    if (pm->listener.code_written)
        pm->listener.code_written(pm->listener.context, at, (unsigned)size);
}

static void write_ram(struct physmem *pm, paddr_t at, u64 offset, const u8 *in, size_t size)
{
    u64 page = offset >> PAGE_SHIFT;
    u8 flags = pm->flags[page];

    pm->flags[page] = flags | PAGE_TOUCHED;
    memcpy(pm->ram + offset, in, size);
    if (UNLIKELY(flags & PAGE_TABLE))
        table_written(pm, at, page);
    if (UNLIKELY(flags & PAGE_CODE))
        code_written(pm, at, size);
}

void physmem_write(struct physmem *pm, paddr_t paddr, const void *in, size_t size, enum initiator who)
{
    const u8 *from = in;

    while (size) {
        paddr_t at = paddr & pm->mask;
        size_t chunk = within_page(at, size);
        u64 offset;
        struct region *r = resolve(pm, at, &offset);

        if (UNLIKELY(shadow_of(pm, at) == SHADOW_WRITE))
            write_ram(pm, at, at, from, chunk);
        else if (r && r->ops)
            write_device(r, at - r->base, from, chunk, who);
        else if (!r && offset != ~0ull)
            write_ram(pm, at, offset, from, chunk);
        from += chunk;
        paddr += chunk;
        size -= chunk;
    }
}

void physmem_set_bits(struct physmem *pm, paddr_t paddr, u64 set, unsigned size, enum initiator who)
{
    u64 page = ram_page(pm, paddr), value = 0;

    if (LIKELY(page != ~0ull)) {
        u8 *at = pm->ram + (page << PAGE_SHIFT) + (paddr & (PAGE_SIZE - 1));

        memcpy(&value, at, size);
        value |= set;
        memcpy(at, &value, size);
        pm->flags[page] |= PAGE_TOUCHED;
        if (UNLIKELY(pm->flags[page] & PAGE_CODE))
            code_written(pm, paddr & pm->mask, size);
        return;
    }
    physmem_read(pm, paddr, &value, size, who);
    value |= set;
    physmem_write(pm, paddr, &value, size, who);
}

bool physmem_peek(struct physmem *pm, paddr_t paddr, void *out, size_t size)
{
    u8 *to = out;

    while (size) {
        size_t chunk = within_page(paddr, size);
        const u8 *page = physmem_host(pm, paddr);

        if (!page)
            return false;
        memcpy(to, page + (paddr & (PAGE_SIZE - 1)), chunk);
        to += chunk;
        paddr += chunk;
        size -= chunk;
    }
    return true;
}

/* ---- hash and listing -------------------------------------------------------------------------------------------- */

ALWAYS_INLINE u64 mix(u64 h, u64 word)
{
    h = (h ^ word) * 0x9e3779b97f4a7c15ull;
    return h ^ (h >> 29);
}

/* Four independent lanes keep the multiplier busy. A page of zeros counts as untouched. */
static u64 hash_page(const u8 *page, u64 number)
{
    u64 lane[4] = {number, ~number, number << 32, number ^ 0x5bd1e995};
    u64 any = 0;

    for (unsigned i = 0; i < PAGE_SIZE; i += 32)
        for (unsigned j = 0; j < 4; j++) {
            u64 word = load_le64(page + i + 8 * j);

            any |= word;
            lane[j] = mix(lane[j], word);
        }
    return any ? mix(mix(mix(mix(number, lane[0]), lane[1]), lane[2]), lane[3]) : 0;
}

u64 physmem_hash(struct physmem *pm)
{
    u64 pages = pm->ram_bytes >> PAGE_SHIFT, hash = 0, number = 0;

    for (; number + 8 <= pages; number += 8) {
        if (!load_le64(pm->flags + number)) /* eight pages nobody has written */
            continue;
        for (u64 n = number; n < number + 8; n++)
            if (pm->flags[n] & PAGE_TOUCHED)
                hash += hash_page(pm->ram + (n << PAGE_SHIFT), n);
    }
    for (; number < pages; number++)
        if (pm->flags[number] & PAGE_TOUCHED)
            hash += hash_page(pm->ram + (number << PAGE_SHIFT), number);
    return hash;
}

size_t physmem_regions(const struct physmem *pm, struct physmem_region *out, size_t max)
{
    size_t count = 0;

    for (unsigned i = 0; i < REGION_MAX; i++) {
        const struct region *r = &pm->regions[i];
        size_t at;

        if (!r->size || count == max)
            continue;
        for (at = count++; at > 0 && out[at - 1].base > r->base; at--)
            out[at] = out[at - 1];
        out[at] = (struct physmem_region){r->base, r->size, r->name, !r->ops};
    }
    return count;
}

/* SPDX-License-Identifier: MIT
 * Building, keeping and forgetting decoded blocks.
 */
#include "cpu/engine/block.h"

#include <stdlib.h>
#include <sys/mman.h>

#include "cpu/engine/block_exec.h"
#include "cpu/engine/event.h"
#include "cpu/isa/table.h"

/* Room for the longest block: its instructions, the frame of an exact one, and two exits. */
#define BLOCK_BYTES_MAX (sizeof(struct block) + (BLOCK_INSNS + 4) * sizeof(struct insn))

/* ---- the cache */

void block_cache_init(struct block_cache *cache)
{
    cache->arena =
        mmap(NULL, BLOCK_ARENA_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (cache->arena == MAP_FAILED)
        abort();
    block_cache_flush(cache);
}

void block_cache_free(struct block_cache *cache) { munmap(cache->arena, BLOCK_ARENA_BYTES); }

static void *arena_take(struct block_cache *cache, size_t bytes)
{
    void *memory = cache->arena + cache->used;

    cache->used += (bytes + 15) & ~(size_t)15;
    return memory;
}

void block_cache_flush(struct block_cache *cache)
{
    cache->used = 0;
    cache->none = arena_take(cache, sizeof(struct block));
    memset(cache->none, 0, sizeof(struct block));
    cache->none->tag = INSN_TAG_NONE;
    for (unsigned i = 0; i < BLOCK_FRONT; i++)
        cache->front[i] = cache->none;
    memset(cache->bucket, 0, sizeof cache->bucket);
    memset(cache->in_page, 0, sizeof cache->in_page);
}

static struct block **bucket_of(struct block_cache *cache, u64 tag)
{
    return &cache->bucket[(tag * 0x9E3779B97F4A7C15ull) >> 48];
}

static struct block **page_bucket(struct block_cache *cache, paddr_t page)
{
    return &cache->in_page[(page >> PAGE_SHIFT) % BLOCK_PAGE_BUCKETS];
}

struct block *block_lookup(struct block_cache *cache, u64 tag)
{
    struct block **front = block_front(cache, tag);

    if (LIKELY((*front)->tag == tag))
        return *front;
    for (struct block *b = *bucket_of(cache, tag); b != NULL; b = b->next_in_bucket) {
        if (b->tag == tag) {
            *front = b;
            return b;
        }
    }
    return NULL;
}

/* ---- links */

void block_link(struct block_exit *exit, struct block *target, bool far)
{
    exit->target = target;
    exit->next_incoming = target->incoming;
    target->incoming = exit;
    exit->exec = far ? block_exit_far : block_exit_near;
}

static void unlink_incoming(struct block *b)
{
    for (struct block_exit *exit = b->incoming; exit != NULL; exit = exit->next_incoming)
        exit->exec = block_exit_unlinked;
    b->incoming = NULL;
}

/* ---- forgetting */

/* The counted instructions, and the frame of an exact one behind them, leave the block when execution comes to them.
 * Exits stay: they lead to blocks that are still good. */
static void abandon(struct block *b)
{
    for (unsigned i = 0; i < b->counted; i++)
        b->insn[i].exec = block_abandoned;
    if (b->insn[b->counted].exec == block_enter_exact)
        b->insn[b->counted].exec = block_abandoned;
}

static void forget(struct block_cache *cache, struct block *b)
{
    struct block **at = bucket_of(cache, b->tag);

    while (*at != b)
        at = &(*at)->next_in_bucket;
    *at = b->next_in_bucket;
    b->tag = INSN_TAG_NONE;
    unlink_incoming(b);
    abandon(b);
}

void block_cache_written(struct block_cache *cache, paddr_t paddr, unsigned size)
{
    struct block **at = page_bucket(cache, paddr & PAGE_MASK);

    while (*at != NULL) {
        struct block *b = *at;
        paddr_t first = insn_tag_paddr(b->tag);

        if (first < paddr + size && paddr < first + b->bytes) {
            *at = b->next_in_page;
            forget(cache, b);
        } else {
            at = &b->next_in_page;
        }
    }
}

/* ---- building */

enum block_part { PART_COUNTED, PART_BRANCH, PART_EXACT };

static enum block_part part_of(const struct insn *insn)
{
    u32 attributes = insn_rows[insn->row].attributes;

    /* A target truncated to 16 bits is not at a fixed distance: the exact frame takes it from d.next_rip. */
    if (attributes & BRANCH)
        return insn->width == W16 ? PART_EXACT : PART_BRANCH;
    if (attributes & END_BLK)
        return PART_EXACT;
    return (attributes & REPABLE) && (insn->prefixes & (PREFIX_REP | PREFIX_REPNE)) ? PART_EXACT : PART_COUNTED;
}

static bool is_direct(const struct insn *insn)
{
    u8 operand = insn_rows[insn->row].operand[0];

    return operand == J_b || operand == J_z;
}

static void put_exit(struct insn *slot, exec_fn *exec, i64 delta)
{
    *(struct block_exit *)slot = (struct block_exit){.exec = exec, .delta = delta};
}

/* An instruction that is executed by itself: what stands before it makes arch.rip and the clock exact.
 * returns: the slot behind. */
static struct insn *frame_exact(struct insn *slot, unsigned end)
{
    struct insn insn = *slot;

    slot[0] = (struct insn){.exec = block_enter_exact, .end = (u16)end, .length = insn.length};
    slot[1] = insn;
    put_exit(&slot[2], block_leave_exact, 0);
    put_exit(&slot[3], block_leave_exact, 0); /* a taken branch goes on here */
    return slot + 4;
}

static struct insn *exits_of_branch(struct insn *branch, unsigned end)
{
    if (is_direct(branch)) {
        put_exit(&branch[1], block_exit_unlinked, end);
        put_exit(&branch[2], block_exit_unlinked, (i64)(end + branch->imm));
    } else {
        put_exit(&branch[2], block_exit_indirect, 0);
    }
    return branch + 3;
}

/* Decode into b->insn. returns: the slot behind the last. */
static struct insn *decode_block(const struct cpu *cpu, struct block *b, const u8 *page, unsigned first)
{
    struct insn *slot = b->insn;
    unsigned at = first;

    b->counted = 0;
    while (b->counted < BLOCK_INSNS && at < PAGE_SIZE) {
        unsigned room = PAGE_SIZE - at < 15 ? PAGE_SIZE - at : 15;

        if (insn_decode(slot, page + at, room, cpu->d.decode_key, &cpu->model) != DECODE_OK)
            break;
        at += slot->length;
        b->bytes = (u16)(at - first);
        switch (part_of(slot)) {
        case PART_EXACT: return frame_exact(slot, b->bytes);
        case PART_BRANCH:
            b->counted++;
            slot->end = b->bytes;
            insn_make_plain(slot, cpu->d.decode_key);
            if (is_direct(slot) && (u64)at + slot->imm < PAGE_SIZE)
                insn_make_near(slot);
            return exits_of_branch(slot, b->bytes);
        case PART_COUNTED: break;
        }
        b->counted++;
        slot->end = b->bytes;
        insn_make_plain(slot, cpu->d.decode_key);
        slot++;
    }
    put_exit(slot, block_exit_unlinked, b->bytes);
    return slot + 1;
}

struct block *block_build(struct cpu *cpu, u64 tag, const u8 *page)
{
    struct block_cache *cache = &cpu->host.engine->blocks;
    paddr_t paddr = insn_tag_paddr(tag);
    struct block **bucket, **in_page;
    struct insn *end;
    struct block *b;

    if (cache->used + BLOCK_BYTES_MAX > BLOCK_ARENA_BYTES)
        engine_flush_code(cpu);
    b = (struct block *)(cache->arena + cache->used);
    *b = (struct block){.tag = tag};
    end = decode_block(cpu, b, page, (unsigned)(paddr & ~PAGE_MASK));
    if (b->bytes == 0)
        return NULL;
    for (unsigned i = 0; i < b->counted; i++)
        b->insn[i].left = (u8)(b->counted - i);
    arena_take(cache, (size_t)((u8 *)end - (u8 *)b));

    bucket = bucket_of(cache, tag);
    b->next_in_bucket = *bucket;
    *bucket = b;
    in_page = page_bucket(cache, paddr & PAGE_MASK);
    b->next_in_page = *in_page;
    *in_page = b;
    *block_front(cache, tag) = b;
    physmem_set_code(cpu->physmem, paddr & PAGE_MASK);
    return b;
}

/* SPDX-License-Identifier: MIT
 * Decoded basic blocks: what they are made of, and the cache that keeps them.
 *
 * A block is a run of instructions of one physical page, decoded under one key, in the order in which they are executed
 * while no conditional branch is taken: it follows jumps and calls within the page. It ends with an indirect branch,
 * with one that leaves the page or goes back, with an instruction that must be executed by itself (`exact`: it may
 * change how the next bytes are decoded or translated, or needs the exact tick), before an instruction that goes on
 * into the next page, or at its greatest length. Each instruction has a slot, but those without effect have none.
 * Behind them stand exits, which lead to other blocks:
 *
 *     insn... branch  exit(falls through)  exit(taken), for each conditional branch
 *     insn...  enter_exact  exact insn  leave_exact
 *
 * Entering a block counts the ticks of all its instructions but an exact one, which finds and adds its own. An exit in
 * the middle gives back what was not executed.
 */
#ifndef RINGSIDE_CPU_ENGINE_BLOCK_H
#define RINGSIDE_CPU_ENGINE_BLOCK_H

#include "cpu/isa/insn.h"

/* How many instructions a block counts at most: few enough that an interval between two deadlines holds many blocks. */
#define BLOCK_INSNS 64u
/* Host memory for blocks: when it is full all are forgotten and made again as they are needed. */
#define BLOCK_ARENA_BYTES (32u << 20)
#define BLOCK_FRONT 16384u
#define BLOCK_BUCKETS 65536u
#define BLOCK_PAGE_BUCKETS 16384u

/* What must match: the physical address of the first byte (code lies in RAM or ROM, below 2^48) and the decode key. */
#define INSN_TAG_NONE (~0ull)
ALWAYS_INLINE u64 insn_tag(paddr_t paddr, u32 key) { return paddr << 16 | key; }
ALWAYS_INLINE paddr_t insn_tag_paddr(u64 tag) { return tag >> 16; }

/* A way out, in the place of an instruction; exec says how it is left. */
struct block_exit {
    exec_fn *exec;
    struct block *target;             /* once it is linked */
    struct block_exit *next_incoming; /* of the target */
    i64 delta;                        /* where it leads, counted from arch.rip; unused by indirect exits */
    u64 uncounted; /* instructions of the block that were counted, and not executed when it is left here */
};
_Static_assert(sizeof(struct block_exit) <= sizeof(struct insn), "an exit takes an instruction's place");

struct block {
    u64 tag;
    u16 counted;   /* instructions that entering it counts */
    u16 slots;     /* of instructions, an exact one's frame but its own excepted: what is abandoned with the block */
    u16 low, high; /* the bytes it was decoded from lie in [low, high) of the page */
    struct block *next_in_bucket, *next_in_page;
    struct block_exit *incoming; /* exits of other blocks that are linked here */
    struct insn insn[];
};

struct block_cache {
    /* The block that was found last for each hash: looked at before the buckets. Never NULL. */
    struct block *front[BLOCK_FRONT];
    struct block *bucket[BLOCK_BUCKETS];       /* by tag */
    struct block *in_page[BLOCK_PAGE_BUCKETS]; /* by physical page */
    struct block *none;                        /* a block that matches nothing */
    u8 *arena;
    size_t used;
};

/* Memory for the blocks; aborts when the host has none. */
void block_cache_init(struct block_cache *cache);
void block_cache_free(struct block_cache *cache);
/* Forget everything. What is being executed stays readable until the next block_build(). */
void block_cache_flush(struct block_cache *cache);
/* Forget the blocks that have a byte in [paddr, paddr+size), which lies in one page. One that is being executed is left
 * before its next instruction. */
void block_cache_written(struct block_cache *cache, paddr_t paddr, unsigned size);

/* Find a block; NULL when there is none yet. */
struct block *block_lookup(struct block_cache *cache, u64 tag);
/* Decode a block from the bytes of its page on.
 * in:      tag     not in the cache;  page  the host's address of the physical page
 * returns: NULL when its first instruction does not end in the page.
 * effects: the page is marked as holding code. */
struct block *block_build(struct cpu *cpu, u64 tag, const u8 *page);
/* From now on this exit leads straight to the target. far: they lie in different linear pages, so that the translation
 * is checked each time. */
void block_link(struct block_exit *exit, struct block *target, bool far);

ALWAYS_INLINE struct block **block_front(struct block_cache *cache, u64 tag)
{
    paddr_t paddr = insn_tag_paddr(tag);

    return &cache->front[(paddr ^ (paddr >> PAGE_SHIFT) ^ tag << 5) % BLOCK_FRONT];
}

#endif

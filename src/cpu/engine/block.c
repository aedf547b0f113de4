/* SPDX-License-Identifier: MIT
 * Building, keeping and forgetting decoded blocks.
 */
#include "cpu/engine/block.h"

#include <stdlib.h>
#include <sys/mman.h>

#include "cpu/engine/block_exec.h"
#include "cpu/engine/state.h"
#include "cpu/isa/body.h"
#include "cpu/isa/forbidden.h"
#include "cpu/isa/fuse.h"
#include "cpu/isa/table.h"

/* Room for the longest block: its instructions, an exit for each, the frame of an exact one, and the last exit. */
#define BLOCK_BYTES_MAX (sizeof(struct block) + (2 * BLOCK_INSNS + 5) * sizeof(struct insn))

/* ---- the cache */

void block_cache_init(struct block_cache *cache)
{
    cache->arena =
        mmap(NULL, BLOCK_ARENA_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (cache->arena == MAP_FAILED)
        abort();
    madvise(cache->arena, BLOCK_ARENA_BYTES, MADV_HUGEPAGE); /* only a wish */
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
    _Static_assert(BLOCK_BUCKETS == 1u << 16, "the hash has 16 bits");
    return &cache->bucket[(tag * 0x9E3779B97F4A7C15ull) >> (64 - 16)];
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

/* Execution leaves the block at the next slot. Exits stay: they lead to blocks that are still good. */
static void abandon(struct block *b)
{
    for (unsigned i = 0; i < b->slots; i++)
        b->insn[i].exec = block_abandoned;
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
        paddr_t page = insn_tag_paddr(b->tag) & PAGE_MASK;

        if (page + b->low < paddr + size && paddr < page + b->high) {
            *at = b->next_in_page;
            forget(cache, b);
        } else {
            at = &b->next_in_page;
        }
    }
}

/* ---- building */

struct builder {
    struct cpu *cpu;
    struct block *block;
    const u8 *page;
    unsigned first;                   /* where the block begins, */
    unsigned at;                      /* and where the next instruction does, in the page */
    unsigned from;                    /* the first instruction since the last slot */
    u8 elided;                        /* how many of them have no slot */
    struct insn *slot;                /* the next free one */
    struct insn *branch[BLOCK_INSNS]; /* conditional ones, whose exits follow */
    unsigned branches;
    struct insn *last; /* the slot before, while a pair may begin there */
};

/* How a block goes on behind an instruction. */
enum block_part {
    PART_PLAIN,       /* with the next one */
    PART_NOTHING,     /* the same, and it needs no slot */
    PART_CONDITIONAL, /* with the next one, or at an exit */
    PART_JUMP,        /* at its target */
    PART_CALL,        /* at its target, after a push */
    PART_INDIRECT,    /* at an address known when it is executed */
    PART_EXACT,       /* by itself */
};

static enum block_part part_of(const struct insn *insn)
{
    const struct insn_row *row = &insn_rows[insn->row];
    u32 attributes = row->attributes;

    if (insn->exec != row->body->fn[insn->form][insn->width])
        return PART_PLAIN; /* forbidden: it raises, whatever it would have done */
    /* A target truncated to 16 bits is not at a fixed distance: the exact frame takes it from d.next_rip. */
    if ((attributes & BRANCH) && insn->width == W16)
        return PART_EXACT;
    if (attributes & BRANCH) {
        if (row->operand[0] != J_b && row->operand[0] != J_z)
            return PART_INDIRECT;
        if (row->body == &op_jmp_rel)
            return PART_JUMP;
        return row->body == &op_call_rel ? PART_CALL : PART_CONDITIONAL;
    }
    if ((attributes & END_BLK) || ((attributes & REPABLE) && (insn->prefixes & (PREFIX_REP | PREFIX_REPNE))))
        return PART_EXACT;
    return row->body == &op_nop ? PART_NOTHING : PART_PLAIN;
}

/* The instruction in the next slot is counted. */
static void count(struct builder *b)
{
    b->slot->end = (i16)((int)b->at - (int)b->first);
    b->slot->left = (u8)b->block->counted; /* its number for now: finish() */
    b->slot->elided = b->elided;
    b->slot->from = (i16)((int)b->from - (int)b->first);
    b->block->counted++;
}

static struct insn *keep_slot(struct builder *b)
{
    bool fused = b->last != NULL && b->elided == 0 && insn_fuse(b->last, b->slot);

    b->last = fused ? NULL : b->slot;
    b->elided = 0;
    b->from = b->at;
    return b->slot++;
}

/* It has no effect but to go on at b->at. */
static void elide(struct builder *b)
{
    b->block->counted++;
    b->elided++;
}

static void put_exit(struct builder *b, exec_fn *exec, i64 delta, unsigned uncounted)
{
    *(struct block_exit *)b->slot++ = (struct block_exit){.exec = exec, .delta = delta, .uncounted = uncounted};
}

/* An instruction that is executed by itself: what stands before it makes arch.rip and the clock exact. */
static void frame_exact(struct builder *b)
{
    struct insn insn = *b->slot;

    *b->slot = (struct insn){.exec = block_enter_exact, .length = insn.length};
    count(b);
    b->block->counted--;
    b->last = NULL;
    keep_slot(b);
    b->block->slots = (u16)(b->slot - b->block->insn);
    *b->slot++ = insn;
    put_exit(b, block_leave_exact, 0, 0);
}

/* The page offset of a direct branch's target; PAGE_SIZE or more when it lies outside. */
static u64 target_of(const struct builder *b, const struct insn *insn) { return (u64)b->at + insn->imm; }

static void make_form(struct builder *b, bool direct)
{
    insn_make_plain(b->slot, b->cpu->d.decode_key);
    if (direct && target_of(b, b->slot) < PAGE_SIZE)
        insn_make_near(b->slot);
}

/* Instructions without a slot at the end of a block need one: what was written over them must not be passed over. */
static void end_run(struct builder *b)
{
    if (b->elided != 0) {
        *b->slot = (struct insn){.exec = op_nop.fn[FORM_RR][W32], .elided = (u8)(b->elided - 1)};
        b->slot->from = (i16)((int)b->from - (int)b->first);
        b->slot->left = (u8)(b->block->counted - 1);
        b->slot++;
    }
    b->block->slots = (u16)(b->slot - b->block->insn);
}

static void end_with_exit(struct builder *b, exec_fn *exec, i64 delta)
{
    end_run(b);
    put_exit(b, exec, delta, 0);
}

static i64 distance(const struct builder *b, u64 offset) { return (i64)(offset - b->first); }

/* Take in one instruction, decoded in the next slot. returns: whether the block goes on. */
static bool take(struct builder *b)
{
    struct insn *insn = b->slot;
    enum block_part part = part_of(insn);
    u64 target = target_of(b, insn);

    switch (part) {
    case PART_EXACT: frame_exact(b); return false;
    case PART_NOTHING: elide(b); return true;
    case PART_PLAIN:
        count(b);
        make_form(b, false);
        keep_slot(b);
        return true;
    case PART_CONDITIONAL:
        count(b);
        make_form(b, true);
        b->branch[b->branches++] = keep_slot(b);
        return true;
    case PART_INDIRECT:
        count(b);
        make_form(b, false);
        keep_slot(b);
        end_with_exit(b, block_exit_indirect, 0);
        return false;
    case PART_JUMP:
        if (target > b->at && target < PAGE_SIZE) {
            elide(b);
            b->at = (unsigned)target;
            return true;
        }
        break;
    case PART_CALL: break;
    }
    count(b);
    make_form(b, true);
    if (part == PART_CALL && target < PAGE_SIZE && target != b->first) {
        b->at = (unsigned)target;
        keep_slot(b);
        return true;
    }
    keep_slot(b);
    end_with_exit(b, block_exit_unlinked, distance(b, target));
    return false;
}

/* The exits of the conditional branches, and what each instruction leaves uncounted. */
static void finish(struct builder *b)
{
    struct block *block = b->block;

    for (unsigned i = 0; i < block->slots; i++)
        block->insn[i].left = (u8)(block->counted - block->insn[i].left);
    for (unsigned i = 0; i < b->branches; i++) {
        struct insn *branch = b->branch[i];

        branch->taken = (u8)(b->slot - branch);
        put_exit(b, block_exit_unlinked, branch->end + (i64)branch->imm, branch->left - 1u);
    }
}

static void decode_block(struct builder *b)
{
    struct block *block = b->block;

    while (block->counted < BLOCK_INSNS && b->at < PAGE_SIZE) {
        unsigned room = PAGE_SIZE - b->at < 15 ? PAGE_SIZE - b->at : 15;

        if (insn_decode(b->slot, b->page + b->at, room, b->cpu->d.decode_key, &b->cpu->model) != DECODE_OK)
            break;
        forbidden_cover(b->cpu, b->slot);
        if (b->at < block->low)
            block->low = (u16)b->at;
        b->at += b->slot->length;
        if (b->at > block->high)
            block->high = (u16)b->at;
        if (!take(b))
            return;
    }
    end_with_exit(b, block_exit_unlinked, distance(b, b->at));
}

struct block *block_build(struct cpu *cpu, u64 tag, const u8 *page)
{
    struct block_cache *cache = &cpu->host.engine->blocks;
    paddr_t paddr = insn_tag_paddr(tag);
    unsigned first = (unsigned)(paddr & ~PAGE_MASK);
    struct builder builder = {.cpu = cpu, .page = page, .first = first, .at = first, .from = first};
    struct block **bucket, **in_page;
    struct block *b;

    if (cache->used + BLOCK_BYTES_MAX > BLOCK_ARENA_BYTES)
        engine_flush_code(cpu);
    b = (struct block *)(cache->arena + cache->used);
    *b = (struct block){.tag = tag, .low = (u16)first, .high = (u16)first};
    builder.block = b;
    builder.slot = b->insn;
    decode_block(&builder);
    if (b->high == first)
        return NULL;
    finish(&builder);
    arena_take(cache, (size_t)((u8 *)builder.slot - (u8 *)b));

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

/* SPDX-License-Identifier: MIT
 * How execution goes from block to block.
 */
#include "cpu/engine/block_exec.h"

#include "cpu/engine/state.h"
#include "cpu/isa/body.h"

/* Enter the block if all that it counts lies before the tick at which the run loop looks up: its last instruction may
 * not have been counted, so that the comparison is strict. now: the tick without what was counted too much. */
#define BLOCK_ENTER(cpu, block, now)                                                                                   \
    do {                                                                                                               \
        u64 before = (now), ticks = before + (block)->counted;                                                         \
                                                                                                                       \
        if (UNLIKELY(ticks >= (cpu)->d.stop_tick)) {                                                                   \
            (cpu)->clock->ticks = before;                                                                              \
            return NULL;                                                                                               \
        }                                                                                                              \
        (cpu)->clock->ticks = ticks;                                                                                   \
        BLOCK_FIRST((cpu), (block)->insn);                                                                             \
    } while (0)

#if RINGSIDE_TAIL_CALLS
#define BLOCK_FIRST(cpu, first) __attribute__((musttail)) return (first)->exec((cpu), (first))
#else
#define BLOCK_FIRST(cpu, first) return (first)
#endif

/* The instruction TLB's entry for the page of laddr, or NULL: the run loop translates. */
ALWAYS_INLINE const struct itlb_entry *cached_page(const struct cpu *cpu, laddr_t laddr)
{
    const struct itlb_entry *e = &cpu->mmu.view[cpu->d.view_kind].insn[(laddr >> PAGE_SHIFT) % ITLB_ENTRIES];

    return LIKELY(e->tag == (laddr & PAGE_MASK)) ? e : NULL;
}

ALWAYS_INLINE laddr_t fetch_address(const struct cpu *cpu)
{
    return (cpu->arch.rip + cpu->d.seg_base[CS]) & cpu->d.laddr_mask;
}

/* ---- exits */

const struct insn *block_exit_unlinked(struct cpu *cpu, const struct insn *insn)
{
    struct block_exit *exit = (struct block_exit *)insn;

    cpu->host.engine->link_page = fetch_address(cpu) & PAGE_MASK;
    cpu->host.engine->link = exit;
    cpu->arch.rip = (cpu->arch.rip + (u64)exit->delta) & cpu->d.laddr_mask;
    cpu->clock->ticks -= exit->uncounted;
    return NULL;
}

const struct insn *block_exit_near(struct cpu *cpu, const struct insn *insn)
{
    const struct block_exit *exit = (const struct block_exit *)insn;
    struct block *target = exit->target;

    cpu->arch.rip = (cpu->arch.rip + (u64)exit->delta) & cpu->d.laddr_mask;
    BLOCK_ENTER(cpu, target, cpu->clock->ticks - exit->uncounted);
}

const struct insn *block_exit_far(struct cpu *cpu, const struct insn *insn)
{
    const struct block_exit *exit = (const struct block_exit *)insn;
    struct block *target = exit->target;
    const struct itlb_entry *e;

    cpu->arch.rip = (cpu->arch.rip + (u64)exit->delta) & cpu->d.laddr_mask;
    e = cached_page(cpu, fetch_address(cpu));
    if (UNLIKELY(e == NULL || e->page != (insn_tag_paddr(target->tag) & PAGE_MASK))) {
        cpu->clock->ticks -= exit->uncounted;
        return NULL;
    }
    BLOCK_ENTER(cpu, target, cpu->clock->ticks - exit->uncounted);
}

/* By address: the front of the cache is asked for the physical address and key. */
#define BLOCK_ENTER_BY_ADDRESS(cpu)                                                                                    \
    do {                                                                                                               \
        laddr_t laddr = fetch_address(cpu);                                                                            \
        const struct itlb_entry *e = cached_page(cpu, laddr);                                                          \
        struct block *target;                                                                                          \
        u64 tag;                                                                                                       \
                                                                                                                       \
        if (UNLIKELY(e == NULL))                                                                                       \
            return NULL;                                                                                               \
        tag = insn_tag(e->page | (laddr & ~PAGE_MASK), (cpu)->d.decode_key);                                           \
        target = *block_front(&(cpu)->host.engine->blocks, tag);                                                       \
        if (UNLIKELY(target->tag != tag))                                                                              \
            return NULL;                                                                                               \
        BLOCK_ENTER(cpu, target, (cpu)->clock->ticks);                                                                 \
    } while (0)

const struct insn *block_exit_indirect(struct cpu *cpu, const struct insn *insn)
{
    (void)insn;
    cpu->arch.rip = cpu->d.next_rip;
    BLOCK_ENTER_BY_ADDRESS(cpu);
}

/* ---- exact instructions */

const struct insn *block_enter_exact(struct cpu *cpu, const struct insn *insn)
{
    u64 start = insn_rip(cpu, insn);

    cpu->d.next_rip = insn_end(cpu, insn);
    cpu->arch.rip = start;
    cpu->d.exact = true;
#ifdef RINGSIDE_DOOR_CHECK
    cpu->host.engine->door = door_state(cpu);
#endif
    BODY_CONTINUE(1);
}

const struct insn *block_leave_exact(struct cpu *cpu, const struct insn *insn)
{
    (void)insn;
    cpu->arch.rip = cpu->d.next_rip;
    cpu->clock->ticks++;
#ifdef RINGSIDE_DOOR_CHECK
    door_verify(cpu, cpu->host.engine->door);
#endif
    if (UNLIKELY(cpu->clock->ticks >= cpu->d.stop_tick || cpu->d.one_by_one))
        return NULL;
    cpu->d.exact = false;
    BLOCK_ENTER_BY_ADDRESS(cpu);
}

const struct insn *block_abandoned(struct cpu *cpu, const struct insn *insn)
{
    cpu->arch.rip = (cpu->arch.rip + (u64)(i64)insn->from) & cpu->d.laddr_mask;
    cpu->clock->ticks -= insn->left + (u64)insn->elided;
    return NULL;
}

void block_run(struct cpu *cpu, struct block *block)
{
    const struct insn *insn = block->insn;

    cpu->d.exact = false;
    cpu->d.fetch_page = 1; /* execution may come back to this page when the instruction TLB has lost it */
    cpu->clock->ticks += block->counted;
    while (insn != NULL)
        insn = insn->exec(cpu, insn);
    cpu->d.exact = true;
}

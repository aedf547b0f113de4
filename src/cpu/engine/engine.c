/* SPDX-License-Identifier: MIT
 * The run loop: events at the boundaries, and between them the engine that was chosen.
 */
#include "cpu/engine/engine.h"

#include "cpu/engine/block_exec.h"
#include "cpu/engine/event.h"
#include "cpu/engine/state.h"
#include "cpu/engine/step.h"
#include "cpu/fault.h"

/* ---- until the next boundary */

/* The instruction before which the boundary was looked at: its aftermath is looked at too. */
static void step_armed(struct cpu *cpu)
{
    struct engine *e = cpu->host.engine;

    e->door_before = cpu->d.door_count;
    e->retired_before = clock_retired(cpu->clock);
    step_one(cpu);
    event_insn_done(cpu);
}

/* The block at arch.rip; NULL when its first instruction goes on into the next page, or lies in a device (stepping
 * says so).   raises: as a fetch */
static struct block *find_block(struct cpu *cpu)
{
    laddr_t laddr = step_open_page(cpu);
    u64 tag = insn_tag(cpu->d.fetch_paddr | (laddr & ~PAGE_MASK), cpu->d.decode_key);
    struct block *b = block_lookup(&cpu->host.engine->blocks, tag);

    if (UNLIKELY(b == NULL) && cpu->d.fetch_host != NULL)
        b = block_build(cpu, tag, cpu->d.fetch_host);
    return b;
}

static void run_blocks(struct cpu *cpu)
{
    struct engine *e = cpu->host.engine;

    e->link = NULL;
    while (cpu->clock->ticks < cpu->d.stop_tick) {
        struct block *b = cpu->d.one_by_one ? NULL : find_block(cpu);

        if (UNLIKELY(b == NULL || cpu->clock->ticks + b->counted >= cpu->d.stop_tick)) {
            e->link = NULL;
            step_one(cpu);
            continue;
        }
        if (e->link != NULL) {
            block_link(e->link, b, e->link_page != cpu->d.fetch_page);
            e->link = NULL;
        }
        block_run(cpu, b);
    }
}

static void run_to_boundary(struct cpu *cpu)
{
    if (cpu->host.engine->kind == ENGINE_BLOCK)
        run_blocks(cpu);
    else
        while (cpu->clock->ticks < cpu->d.stop_tick)
            step_one(cpu);
}

/* ---- the loop */

/* Something unwound out of a block: put arch.rip and the clock to the instruction that did it. */
static void make_exact(struct cpu *cpu)
{
    const struct insn *insn = cpu->d.insn;

    if (cpu->d.exact)
        return;
    cpu->arch.rip = insn_rip(cpu, insn);
    cpu->clock->ticks -= insn->left;
    cpu->d.exact = true;
}

enum engine_exit engine_run(struct cpu *cpu, u64 until_tick)
{
    enum engine_exit exit = ENGINE_TICK;

    switch (setjmp(cpu->host.unwind)) {
    case 0: cpu_attention(cpu); break;
    case UNWIND_FAULT:
        make_exact(cpu);
        event_fault_raised(cpu);
        break;
    case UNWIND_EXACT: /* no boundary lies before it */
        make_exact(cpu);
        step_one(cpu);
        break;
    default: return ENGINE_STOPPED; /* host.stop says why */
    }
    for (;;) {
        run_to_boundary(cpu);
        switch (event_boundary(cpu, until_tick, &exit)) {
        case BOUNDARY_LEAVE: return exit;
        case BOUNDARY_AGAIN: break;
        case BOUNDARY_EXECUTE:
            if (cpu->d.stop_tick <= cpu->clock->ticks)
                step_armed(cpu);
            break;
        }
    }
}

enum engine_exit engine_step(struct cpu *cpu)
{
    struct engine *e = cpu->host.engine;
    enum engine_kind kind = e->kind;
    enum engine_exit exit;

    e->kind = ENGINE_STEP;
    exit = engine_run(cpu, cpu->clock->ticks + 1);
    e->kind = kind;
    return exit;
}

void engine_select(struct cpu *cpu, enum engine_kind kind) { cpu->host.engine->kind = kind; }

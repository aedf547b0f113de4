/* SPDX-License-Identifier: MIT
 * The owner of the caches of decoded code: made with the processor's engine, told of writes by physical memory.
 */
#include <stdlib.h>

#include "cpu/engine/engine.h"
#include "cpu/engine/state.h"

/* After so many writes a page that held code counts as data, until code is executed there again: its blocks may be left
 * over from long ago. */
#define WRITES_UNTIL_DATA 48u

static void code_written(void *context, paddr_t paddr, unsigned size)
{
    struct cpu *cpu = context;
    struct engine *e = cpu->host.engine;
    paddr_t page = paddr & PAGE_MASK;
    u8 *writes = &e->writes[(page >> PAGE_SHIFT) % ARRAY_LEN(e->writes)];

    if (++*writes >= WRITES_UNTIL_DATA) {
        *writes = 0;
        physmem_clear_code(cpu->physmem, page);
        paddr = page;
        size = PAGE_SIZE;
    }
    insn_cache_written(&e->cache, paddr, size);
    block_cache_written(&e->blocks, paddr, size);
}

static void table_written(void *context, paddr_t page, u32 watchers)
{
    struct cpu *cpu = context;

    (void)page;
    mmu_table_written(&cpu->mmu, watchers);
}

static void revoke_writable(void *context, paddr_t page)
{
    struct cpu *cpu = context;

    mmu_revoke_writable(&cpu->mmu, page);
}

static void map_changed(void *context)
{
    struct cpu *cpu = context;

    mmu_flush_all(&cpu->mmu);
    engine_flush_code(cpu);
    cpu_attention(cpu);
}

void engine_attach(struct cpu *cpu)
{
    struct engine *engine = aligned_alloc(_Alignof(struct engine), sizeof *engine);

    if (engine == NULL)
        abort();
    memset(engine, 0, offsetof(struct engine, cache));
    insn_cache_flush(&engine->cache);
    block_cache_init(&engine->blocks);
    cpu->host.engine = engine;
    physmem_set_listener(cpu->physmem, &(struct physmem_listener){.context = cpu,
                                                                  .code_written = code_written,
                                                                  .table_written = table_written,
                                                                  .revoke_writable = revoke_writable,
                                                                  .map_changed = map_changed});
}

void engine_detach(struct cpu *cpu)
{
    physmem_set_listener(cpu->physmem, &(struct physmem_listener){0});
    block_cache_free(&cpu->host.engine->blocks);
    free(cpu->host.engine);
    cpu->host.engine = NULL;
}

void engine_flush_code(struct cpu *cpu)
{
    struct engine *e = cpu->host.engine;

    insn_cache_flush(&e->cache);
    block_cache_flush(&e->blocks);
    e->link = NULL;
}

/* SPDX-License-Identifier: MIT
 * A walk fed from a processor.
 */
#include <string.h>

#include "trace/walk/walk.h"

enum walk_state walk_feed_insn(struct trace_walk *w, struct cpu *cpu, unsigned length)
{
    struct walk_insn insn = {.rip = cpu->arch.rip,
                             .retired = clock_retired(cpu->clock),
                             .length = (u8)(length > WALK_INSN_BYTES ? WALK_INSN_BYTES : length),
                             .ring = cpu->arch.cpl,
                             .mode = (u8)cpu->d.mode};
    laddr_t laddr = (cpu->arch.rip + cpu->d.seg_base[CS]) & cpu->d.laddr_mask;
    u64 offset = laddr & (PAGE_SIZE - 1);

    memcpy(insn.gpr, cpu->arch.gpr, sizeof insn.gpr);
    /* The page that the engine fetches from, unless the instruction crosses into it. While another task runs nobody
     * asks for the bytes. */
    if ((laddr & PAGE_MASK) == cpu->d.fetch_page && offset + insn.length <= PAGE_SIZE && cpu->d.fetch_host != NULL)
        memcpy(insn.bytes, cpu->d.fetch_host + offset, insn.length);
    else if (walk_state(w) != WALK_AWAY && !mmu_peek(&cpu->mmu, laddr, insn.bytes, insn.length))
        insn.length = 0;
    return walk_insn(w, &insn);
}

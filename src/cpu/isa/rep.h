/* SPDX-License-Identifier: MIT
 * Repetition of string and I/O string instructions, in chunks.
 *
 * One call of a string body performs a chunk: at least one iteration (none when rCX = 0), and ends when the instruction
 * is finished or the engine wants attention. Each iteration commits its registers and its tick before the next begins,
 * so that a fault finds exactly the iterations done. Use:
 *
 *     struct rep rep;
 *
 *     if (!rep_begin(cpu, insn, &rep))
 *         return;                               rCX = 0: nothing happens
 *     do {
 *         ...one iteration: accesses first, then rep_advance(cpu, insn, RSI, size)...
 *         rep_commit(cpu, &rep, 1);
 *     } while (rep_more(cpu, &rep));            CMPS and SCAS: while (!stop && rep_more(...))
 *     rep_end(cpu, &rep, stop);                 stop: the REPE/REPNE condition ended it (false elsewhere)
 *
 * A fast path may do n iterations at once, 1 <= n <= rep_budget(), inside one page (rep_page_elements()), and then
 * rep_commit(cpu, &rep, n).
 * SDM 2B, "REP/REPE/REPZ/REPNE/REPNZ"; rule DB-05.
 */
#ifndef RINGSIDE_CPU_ISA_REP_H
#define RINGSIDE_CPU_ISA_REP_H

#include "cpu/isa/operand.h"

struct rep {
    bool repeated;      /* an F2 or F3 prefix stands */
    enum width address; /* width of rCX, rSI, rDI */
    u64 left;           /* iterations still to do */
};

/* returns: false when a repeat prefix stands and rCX = 0 (no effect at all). */
ALWAYS_INLINE bool rep_begin(struct cpu *cpu, const struct insn *insn, struct rep *rep)
{
    rep->repeated = (insn->prefixes & (PREFIX_REP | PREFIX_REPNE)) != 0;
    rep->address = (enum width)insn->address_width;
    rep->left = rep->repeated ? reg_read(cpu, RCX, rep->address) : 1;
    return rep->left != 0;
}

/* How many iterations may be done before the engine must look: at least 1. With TF (DB-05) or a data breakpoint: 1. */
ALWAYS_INLINE u64 rep_budget(const struct cpu *cpu, const struct rep *rep)
{
    u64 ticks = cpu->clock->ticks, stop = cpu->d.stop_tick;
    u64 budget = stop > ticks ? stop - ticks : 1;

    if (UNLIKELY((cpu->arch.rflags & FLAG_TF) || cpu->d.watchpoints))
        return 1;
    return rep->left < budget ? rep->left : budget;
}

/* Iterations that are complete: counts rCX down and lets their ticks pass. */
ALWAYS_INLINE void rep_commit(struct cpu *cpu, struct rep *rep, u64 iterations)
{
    clock_pass(cpu->clock, iterations);
    rep->left -= iterations;
    if (rep->repeated)
        reg_write(cpu, RCX, rep->left, rep->address);
}

/* After rep_commit(): may this call go on with another iteration? */
ALWAYS_INLINE bool rep_more(const struct cpu *cpu, const struct rep *rep)
{
    return rep->left != 0 && cpu->clock->ticks < cpu->d.stop_tick &&
           LIKELY(!(cpu->arch.rflags & FLAG_TF) && !cpu->d.watchpoints);
}

/* End of the call. stopped: REPE/REPNE ended the instruction. When iterations remain the instruction runs again.
 * The engine adds one tick and one retired instruction per call: the tick is given back here, and the instruction too
 * unless it is complete. */
ALWAYS_INLINE void rep_end(struct cpu *cpu, const struct rep *rep, bool stopped)
{
    cpu->clock->ticks--;
    cpu->clock->unretired--;
    if (rep->left != 0 && !stopped) {
        cpu->d.next_rip = cpu->arch.rip;
        cpu->d.in_rep = true;
        cpu->clock->unretired++;
    }
}

/* Move rSI or rDI by the element size, by DF. */
ALWAYS_INLINE void rep_advance(struct cpu *cpu, const struct insn *insn, enum gpr reg, u64 bytes)
{
    enum width w = (enum width)insn->address_width;
    u64 step = cpu->arch.rflags & FLAG_DF ? -bytes : bytes;

    reg_write(cpu, reg, reg_read(cpu, reg, w) + step, w);
}

/* Whole elements of this size in the page of laddr, from laddr on in DF's direction; 0 when the first straddles. */
ALWAYS_INLINE u64 rep_page_elements(const struct cpu *cpu, laddr_t laddr, unsigned size)
{
    unsigned offset = (unsigned)(laddr & (PAGE_SIZE - 1));

    if (offset + size > PAGE_SIZE)
        return 0;
    return cpu->arch.rflags & FLAG_DF ? offset / size + 1 : (PAGE_SIZE - offset) / size;
}

#endif

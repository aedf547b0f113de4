/* SPDX-License-Identifier: MIT
 * The states after power-on or RESET# and after INIT, entered through the door.
 * SDM 3A, "Processor State After Reset" (table of register states following power-up, reset, or INIT).
 */
#include "cpu/fault.h"
#include "cpu/flags.h"
#include "cpu/ring/mechanisms.h"

/* The part of the state that is the door's: CS at the reset vector, CPL 0, SS, RFLAGS. */
static void reset_commit(struct cpu *cpu, struct transition *t)
{
    const u16 attr = SEG_PRESENT | SEG_S | SEG_WRITABLE | SEG_ACCESSED;

    t->new_cpl = 0;
    t->stage = STAGE_SS | STAGE_RSP | STAGE_RFLAGS;
    t->cs = (struct segment){.selector = 0xF000, .attr = attr | SEG_CODE, .limit = 0xFFFF, .base = 0xFFFF0000u};
    t->ss = (struct segment){.attr = attr, .limit = 0xFFFF};
    t->rip = 0xFFF0; /* IQ-03: the boot processor starts at FFFFFFF0h after INIT too */
    t->rsp = 0;
    t->rflags = FLAG_FIXED1;
    cpu_update_paging(cpu);
    mmu_flush_all(&cpu->mmu);
    cpu->arch.rip = t->rip; /* no instruction is under way whose end would move it */
    ring_commit(cpu, t);
    cpu_attention(cpu);
}

void ring_reset(struct cpu *cpu)
{
    struct transition t = transition_begin(cpu, MECH_RESET);

    cpu_state_power_on(cpu);
    reset_commit(cpu, &t);
}

void ring_init_signal(struct cpu *cpu)
{
    struct transition t = transition_begin(cpu, MECH_INIT);

    RULE_HELD(cpu, RULE_IQ_03);
    cpu_state_init(cpu);
    reset_commit(cpu, &t);
}

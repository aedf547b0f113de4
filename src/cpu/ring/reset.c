/* SPDX-License-Identifier: MIT
 * The states after power-on or RESET# and after INIT, entered through the door.
 * SDM 3A, "Processor State After Reset" (table of register states following power-up, reset, or INIT).
 */
#include <string.h>

#include "cpu/flags.h"
#include "cpu/ring/descriptor.h"
#include "cpu/ring/mechanisms.h"

#define RESET_CR0 (CR0_CD | CR0_NW | CR0_ET)
#define RESET_DR6 0xFFFF0FF0ull
#define RESET_DR7 0x00000400ull
#define RESET_MXCSR 0x1F80u
#define RESET_SMBASE 0x30000ull

/* Everything that reset and INIT set alike, except what the door commits. */
static void reset_common(struct cpu *cpu)
{
    const struct segment data = {.attr = SEG_PRESENT | SEG_S | SEG_WRITABLE | SEG_ACCESSED, .limit = 0xFFFF};
    struct cpu_arch *a = &cpu->arch;

    memset(a->gpr, 0, sizeof a->gpr);
    a->gpr[RDX] = cpuid_leaf(&cpu->model, 1, 0).eax; /* the processor signature */
    for (enum seg s = ES; s <= GS; s++)
        if (s != CS && s != SS)
            a->seg[s] = data;
    /* UNVERIFIED: the table says "present, read/write" of LDTR and TR; the types are those a VM entry would want. */
    a->ldtr = (struct segment){.attr = SEG_PRESENT | SYS_LDT, .limit = 0xFFFF};
    a->tr = (struct segment){.attr = SEG_PRESENT | SYS_TSS_BUSY, .limit = 0xFFFF};
    a->gdtr = (struct table_register){.limit = 0xFFFF};
    a->idtr = (struct table_register){.limit = 0xFFFF};
    a->cr2 = a->cr3 = a->cr4 = 0;
    memset(a->dr, 0, sizeof a->dr);
    a->dr[6] = RESET_DR6;
    a->dr[7] = RESET_DR7;
    memset(a->pdpte, 0, sizeof a->pdpte);
    a->pending_debug = 0;
    a->activity = ACTIVE;
    a->shadow = 0;
    a->nmi_pending = a->nmi_blocked = a->init_pending = a->smi_pending = 0;
    a->monitor_armed = 0;
    a->monitor_address = 0;
}

/* The part of the state that is the door's: CS at the reset vector, CPL 0, SS, RFLAGS. */
static void reset_commit(struct cpu *cpu, struct transition *t)
{
    const u16 attr = SEG_PRESENT | SEG_S | SEG_WRITABLE | SEG_ACCESSED;

    t->cpl = 0;
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
    struct cpu_arch *a = &cpu->arch;

    reset_common(cpu);
    a->zero = 0;
    a->cr0 = RESET_CR0;
    a->xcr0 = 1;
    msr_reset(&a->msr);
    a->smbase = RESET_SMBASE;
    memset(a->x87, 0, sizeof a->x87);
    a->x87_ip = a->x87_dp = 0;
    a->x87_control = 0x0040;
    a->x87_status = 0;
    a->x87_tag = 0x5555; /* all registers hold +0 */
    a->x87_opcode = a->x87_cs = a->x87_ds = 0;
    a->mxcsr = RESET_MXCSR;
    memset(a->xmm, 0, sizeof a->xmm);
    reset_commit(cpu, &t);
}

void ring_init_signal(struct cpu *cpu)
{
    struct transition t = transition_begin(cpu, MECH_INIT);

    reset_common(cpu);
    /* CD and NW keep their values; FPU, SSE, XCR0 and the MSRs are not touched, except EFER (IQ-03). */
    cpu->arch.cr0 = (cpu->arch.cr0 & (CR0_CD | CR0_NW)) | CR0_ET;
    cpu->arch.msr.efer = 0;
    reset_commit(cpu, &t);
}

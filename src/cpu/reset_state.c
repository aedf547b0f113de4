/* SPDX-License-Identifier: MIT
 * The register values after INIT, RESET# and power-on, but for those that the door commits.
 * SDM 3A, "Processor State After Reset" (table of register states following power-up, reset, or INIT).
 */
#include <string.h>

#include "cpu/cpu.h"

#define RESET_DR6 0xFFFF0FF0ull
#define RESET_DR7 0x00000400ull
#define RESET_X87_CONTROL 0x0040u
#define RESET_X87_TAG 0x5555u /* all registers hold +0 */
#define RESET_MXCSR 0x1F80u
#define RESET_SMBASE 0x30000ull
#define TYPE_LDT 0x2u
#define TYPE_BUSY_TSS 0xBu

void cpu_state_init(struct cpu *cpu)
{
    const struct segment data = {.attr = SEG_PRESENT | SEG_S | SEG_WRITABLE | SEG_ACCESSED, .limit = 0xFFFF};
    struct cpu_arch *a = &cpu->arch;

    memset(a->gpr, 0, sizeof a->gpr);
    a->gpr[RDX] = cpuid_leaf(&cpu->model, 1, 0).eax; /* the processor signature */
    for (enum seg s = ES; s <= GS; s++)
        if (s != CS && s != SS)
            a->seg[s] = data;
    /* UNVERIFIED: the table says "present, read/write" of LDTR and TR; the types are those a VM entry would want. */
    a->ldtr = (struct segment){.attr = SEG_PRESENT | TYPE_LDT, .limit = 0xFFFF};
    a->tr = (struct segment){.attr = SEG_PRESENT | TYPE_BUSY_TSS, .limit = 0xFFFF};
    a->gdtr = (struct table_register){.limit = 0xFFFF};
    a->idtr = (struct table_register){.limit = 0xFFFF};
    a->cr0 = (a->cr0 & (CR0_CD | CR0_NW)) | CR0_ET;
    a->cr2 = a->cr3 = a->cr4 = 0;
    a->msr.efer = 0;
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

void cpu_state_power_on(struct cpu *cpu)
{
    struct cpu_arch *a = &cpu->arch;

    cpu_state_init(cpu);
    a->zero = 0;
    a->cr0 = CR0_CD | CR0_NW | CR0_ET;
    a->xcr0 = 1;
    msr_reset(&a->msr);
    a->smbase = RESET_SMBASE;
    memset(a->x87, 0, sizeof a->x87);
    a->x87_ip = a->x87_dp = 0;
    a->x87_control = RESET_X87_CONTROL;
    a->x87_status = 0;
    a->x87_tag = RESET_X87_TAG;
    a->x87_opcode = a->x87_cs = a->x87_ds = 0;
    a->mxcsr = RESET_MXCSR;
    memset(a->xmm, 0, sizeof a->xmm);
}

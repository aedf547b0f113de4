/* SPDX-License-Identifier: MIT
 * x87 control instructions, and what happens when an exception is pending.
 * SDM 1, "x87 FPU Exception Handling in Software"; SDM 3A, "Interrupt 16: x87 FPU Floating-Point Error"; SDM 2A,
 * "FINIT/FNINIT", "FCLEX/FNCLEX", "FLDCW", "FFREE", "FINCSTP"; SDM 2D, "WAIT/FWAIT".
 */
#include "cpu/isa/x87.h"

/* ---- exceptions */

/* With CR0.NE clear the unit asserts FERR# and waits, unless the board asserts IGNNE#, for the interrupt that a board
 * in the manner of the PC makes of it (IRQ 13). The instruction begins again after that. UNVERIFIED: FERR# follows at
 * the waiting instruction, as on processors since the Pentium Pro for most errors. */
static bool wait_for_interrupt(struct cpu *cpu)
{
    if (cpu->host.ports.ferr == NULL)
        cpu_unimplemented(cpu, "x87 exception with CR0.NE = 0 on a machine without FERR#");
    cpu_demand_exact(cpu);
    if (cpu->host.ports.ferr(cpu->host.ports.context, true))
        return true;
    cpu->d.next_rip = cpu->arch.rip;
    cpu->d.in_rep = true; /* not complete: the same instruction follows */
    cpu->clock->unretired++;
    cpu_attention(cpu);
    return false;
}

bool x87_error_pending(struct cpu *cpu, enum rule rule)
{
    REQUIRE(cpu, !(cpu->arch.cr0 & CR0_NE), FAULT(VEC_MF), rule);
    return wait_for_interrupt(cpu);
}

/* UNVERIFIED: without an FPU and with CR0.EM clear, real processors ignore these instructions or hang. */
void x87_raise_absent(struct cpu *cpu) { cpu_raise(cpu, UD, RULE_IS_01); }

/* The summary follows from flags and masks, whatever an image says of it. The status may come from an image: whether
 * FERR# was asserted before cannot be read from it. */
static void summarize(struct cpu *cpu)
{
    u16 status = cpu->arch.x87_status & (u16)~X87_SUMMARY;

    if (status & ~cpu->arch.x87_control & X87_FLAGS)
        status |= X87_SUMMARY;
    else if (cpu->host.ports.ferr != NULL)
        cpu->host.ports.ferr(cpu->host.ports.context, false);
    cpu->arch.x87_status = status;
}

void x87_initialize(struct cpu *cpu)
{
    struct cpu_arch *a = &cpu->arch;

    a->x87_control = X87_CONTROL_INITIAL;
    a->x87_status &= X87_SUMMARY;
    summarize(cpu);
    a->x87_tag = 0xFFFF;
    a->x87_opcode = a->x87_cs = a->x87_ds = 0;
    a->x87_ip = a->x87_dp = 0;
}

void x87_set_control(struct cpu *cpu, u16 value)
{
    cpu->arch.x87_control = (value & X87_CONTROL_BITS) | X87_CONTROL_ONES;
    summarize(cpu);
}

bool x87_stack_fault(struct cpu *cpu, enum x87_stack_fault kind)
{
    u16 status = (cpu->arch.x87_status & (u16)~X87_C1) | X87_IE | X87_SF;

    cpu->arch.x87_status = status | (kind == X87_OVERFLOW ? X87_C1 : 0);
    if (cpu->arch.x87_control & X87_IE)
        return true;
    cpu->arch.x87_status |= X87_SUMMARY;
    return false;
}

/* ---- instructions that do not wait */
BODY_PLAIN(op_fninit)
{
    (void)insn;
    x87_present(cpu);
    x87_initialize(cpu);
}

BODY_PLAIN(op_fnclex)
{
    (void)insn;
    x87_present(cpu);
    cpu->arch.x87_status &= (u16) ~(X87_FLAGS | X87_SF);
    summarize(cpu);
}

BODY_PLAIN(op_fnstcw)
{
    x87_present(cpu);
    memory_write(cpu, insn, cpu->arch.x87_control, W16);
}

BODY_PLAIN(op_fnstsw)
{
    x87_present(cpu);
    memory_write(cpu, insn, cpu->arch.x87_status, W16);
}

BODY_PLAIN(op_fnstsw_ax)
{
    (void)insn;
    x87_present(cpu);
    reg_write(cpu, RAX, cpu->arch.x87_status, W16);
}

/* FNENI, FNDISI (8087) and FNSETPM (80287): nothing since. */
BODY_PLAIN(op_x87_ignored)
{
    (void)insn;
    x87_present(cpu);
}

/* ---- instructions that wait; processors count all but FLDCW and WAIT as non-control instructions */
BODY_PLAIN(op_fwait)
{
    (void)insn;
    if (cpu_has(cpu, FEAT_FPU))
        (void)x87_begin(cpu);
}

BODY_PLAIN(op_fnop)
{
    if (x87_begin(cpu))
        x87_note(cpu, insn);
}

BODY_PLAIN(op_fldcw)
{
    if (!x87_begin(cpu))
        return;
    x87_set_control(cpu, (u16)memory_read(cpu, insn, W16));
}

BODY_PLAIN(op_ffree)
{
    if (!x87_begin(cpu))
        return;
    x87_note(cpu, insn);
    cpu->arch.x87_status &= (u16)~X87_C1;
    x87_free(cpu, insn->dst);
}

/* Not in the manual: FFREE, then a pop. */
BODY_PLAIN(op_ffreep)
{
    if (!x87_begin(cpu))
        return;
    x87_note(cpu, insn);
    cpu->arch.x87_status &= (u16)~X87_C1;
    x87_free(cpu, insn->dst);
    x87_pop(cpu);
}

BODY_PLAIN(op_fincstp)
{
    if (!x87_begin(cpu))
        return;
    x87_note(cpu, insn);
    cpu->arch.x87_status &= (u16)~X87_C1;
    x87_rotate(cpu, 1);
}

BODY_PLAIN(op_fdecstp)
{
    if (!x87_begin(cpu))
        return;
    x87_note(cpu, insn);
    cpu->arch.x87_status &= (u16)~X87_C1;
    x87_rotate(cpu, 7);
}

/* SPDX-License-Identifier: MIT
 * IRET: which return it is, and NMI unblocking.
 * SDM 2A, "IRET/IRETD/IRETQ-Interrupt Return"; SDM 3A, "Handling Multiple NMIs"; APM 3, "IRET".
 */
#include "cpu/ring/iret.h"

#include "cpu/ring/task.h"

void ring_iret(struct cpu *cpu, enum width operand)
{
    COVER(cpu, RULE_SH_05, cpu->arch.nmi_blocked);
    if (!cpu_is_amd(cpu))
        iret_unblock_nmi(cpu); /* SH-05: even when the IRET faults */

    if (cpu->d.mode == MODE_REAL) {
        iret_from_real(cpu, operand);
    } else if (cpu_vm86(cpu)) {
        iret_from_vm86(cpu, operand);
    } else if (cpu->arch.rflags & FLAG_NT) {
        REQUIRE(cpu, !cpu_long_mode(cpu), GP(0), RULE_IR_01);
        task_return(cpu);
        iret_unblock_nmi(cpu);
    } else {
        iret_from_protected(cpu, operand);
    }
}

/* SPDX-License-Identifier: MIT
 * Recording a fault, or a reason to stop, and unwinding to the run loop.
 * SDM 3A, "Interrupt and Exception Handling".
 */
#include "cpu/fault.h"

#include <stdarg.h>
#include <stdio.h>

/* The record is made field by field: it is read so soon that a copy made of wider pieces would have to wait. */
static NORETURN void raise_recorded(struct cpu *cpu, enum rule rule)
{
    cpu->host.fault.rule = (u16)rule;
#ifdef RINGSIDE_COVERAGE
    cpu->host.rule_hits[0][rule]++;
#endif
    longjmp(cpu->host.unwind, UNWIND_FAULT);
}

static void record(struct cpu *cpu, u64 packed, u64 cr2, u64 debug_bits)
{
    struct fault *fault = &cpu->host.fault;

    fault->vector = (u8)packed;
    fault->has_error = (packed >> 8 & 1) != 0;
    fault->error = (u32)(packed >> 32);
    fault->cr2 = cr2;
    fault->debug_bits = debug_bits;
}

NORETURN COLD void cpu_raise(struct cpu *cpu, struct fault fault, enum rule rule)
{
    record(cpu, fault_pack(fault), fault.cr2, fault.debug_bits);
    raise_recorded(cpu, rule);
}

NORETURN COLD SLOW_PATH void cpu_raise_packed(struct cpu *cpu, u64 packed, enum rule rule)
{
    record(cpu, packed, 0, 0);
    raise_recorded(cpu, rule);
}

NORETURN COLD void cpu_raise_page_fault(struct cpu *cpu, laddr_t laddr, u32 error, enum rule rule)
{
    record(cpu, fault_pack(FAULT_CODE(VEC_PF, error)), laddr, 0);
    raise_recorded(cpu, rule);
}

NORETURN COLD void cpu_begin_again(struct cpu *cpu) { longjmp(cpu->host.unwind, UNWIND_EXACT); }

NORETURN COLD void cpu_unimplemented(struct cpu *cpu, const char *fmt, ...)
{
    char what[100];
    va_list args;

    cpu_demand_exact(cpu); /* so that what is said of the place is true */
    va_start(args, fmt);
    vsnprintf(what, sizeof what, fmt, args);
    va_end(args);
    snprintf(cpu->host.stop_text, sizeof cpu->host.stop_text, "not implemented: %s, at %04x:%016llx", what,
             (unsigned)cpu->arch.seg[CS].selector, (unsigned long long)cpu->arch.rip);
    cpu->host.stop = STOP_UNIMPLEMENTED;
    longjmp(cpu->host.unwind, UNWIND_STOP);
}

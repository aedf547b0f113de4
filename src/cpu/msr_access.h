/* SPDX-License-Identifier: MIT
 * The bridge from a processor to its MSR file: which registers this model has.
 * SDM 4, "Model-Specific Registers"; APM 2, "MSR Cross-Reference".
 */
#ifndef RINGSIDE_CPU_MSR_ACCESS_H
#define RINGSIDE_CPU_MSR_ACCESS_H

#include "cpu/cpu.h"
#include "cpu/rule.h"
#include "msr/msr.h"

/* What the MSR file must know of this processor. The result holds a pointer to cpu. */
struct msr_context cpu_msr_context(const struct cpu *cpu);
/* The rule behind a refused access (RULE_NONE for MSR_OK); the instruction raises #GP(0) with it. */
enum rule cpu_msr_rule(u32 number, enum msr_status status);

#endif

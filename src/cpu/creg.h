/* SPDX-License-Identifier: MIT
 * Control-register values: which are legal, and what is stored. Pure checks; ring/mode.c carries the writes out.
 * SDM 3A, "Control Registers"; SDM 2A, "MOV—Move to/from Control Registers"; APM 2, "System-Control Registers".
 */
#ifndef RINGSIDE_CPU_CREG_H
#define RINGSIDE_CPU_CREG_H

#include "cpu/cpu.h"
#include "cpu/rule.h"

/* Whether a value may be written now. Each returns the rule violated (the writer raises #GP(0)), or RULE_NONE.
 * None of them reads memory: the PDPTE check of MD-02 belongs to the caller (pdpte_is_bad() in mmu/paging.h).
 * source: rules PG-03, PG-04, MD-01, MSR-03, MSR-05. raises: never */
enum rule creg_check_cr0(const struct cpu *cpu, u64 value);
/* out: *store     the value that CR3 takes (bit 63 removed; 32 bits outside long mode)
 *      *keep_tlb  bit 63 was set: no invalidation (PG-03) */
enum rule creg_check_cr3(const struct cpu *cpu, u64 value, u64 *store, bool *keep_tlb);
enum rule creg_check_cr4(const struct cpu *cpu, u64 value);
/* Bits the model lacks, LME against CR0.PG, and on AMD a changed LMA bit (MSR-06; Intel ignores that bit: the caller
 * stores what creg_efer_store() says). */
enum rule creg_check_efer(const struct cpu *cpu, u64 value);

/* The values stored for a legal write: CR0 with ET set and reserved bits cleared, EFER with LMA kept as it is. */
u64 creg_cr0_store(const struct cpu *cpu, u64 value);
u64 creg_efer_store(const struct cpu *cpu, u64 value);

/* XCR0 bits that exist on this model (x87, SSE). */
u64 creg_xcr0_allowed(const struct cpu *cpu);

#endif

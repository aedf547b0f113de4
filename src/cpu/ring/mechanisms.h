/* SPDX-License-Identifier: MIT
 * The mechanisms, as the instruction bodies and the engine call them. Each validates, stages and goes to the door, or
 * raises with every register unchanged. RIP at entry is the instruction's start (arch.rip); d.next_rip its end.
 */
#ifndef RINGSIDE_CPU_RING_MECHANISMS_H
#define RINGSIDE_CPU_RING_MECHANISMS_H

#include "cpu/ring/ring.h"

/* ---- interrupt.c: delivery through the IDT or IVT. SDM 3A, "Interrupt and Exception Handling". */

/* Something to deliver through vector. mechanism is INT_N, INT3, INTO, INT1, BOUND, FAULT, TRAP, ABORT, IRQ or NMI. */
struct interrupt_event {
    enum mechanism mechanism;
    u8 vector;
    bool has_error;
    u32 error; /* without EXT for what the fault itself says; delivery adds nothing to it */
    u64 cr2;   /* #PF: written to CR2 when delivery starts */
    u16 rule;
    u64 return_rip;       /* pushed: the faulting instruction, or the next one */
    bool in_rep;          /* the event interrupts a REP instruction in its middle (ID-14) */
    bool code_breakpoint; /* #DB by an instruction breakpoint: the one fault that does not push RF=1 (ID-14) */
};

/* Deliver. Raises (with EXT as the rules say) when delivery itself faults: the engine combines (nesting.c). */
void interrupt_deliver(struct cpu *cpu, const struct interrupt_event *event);
/* Bodies of INT n, INT3, INTO (OF already tested), INT1: privilege and VM86 rules, then delivery. */
void interrupt_software(struct cpu *cpu, enum mechanism mechanism, u8 vector);

/* nesting.c: what a fault during the delivery of another becomes. SDM 3A, "Interrupt 8—Double Fault Exception". */
enum nesting { NEST_SERIAL, NEST_DOUBLE_FAULT, NEST_SHUTDOWN };
enum nesting fault_nesting(const struct interrupt_event *first, const struct fault *second);
/* Enter the shutdown state through the door. */
void ring_shutdown(struct cpu *cpu);

/* ---- iret.c */
void ring_iret(struct cpu *cpu, enum width operand);

/* ---- far.c, call_gate.c: direct and indirect far transfers. offset is already zero-extended from the operand. */
void far_jump(struct cpu *cpu, u16 selector, u64 offset, enum width operand);
void far_call(struct cpu *cpu, u16 selector, u64 offset, enum width operand);
void far_return(struct cpu *cpu, enum width operand, u16 release_bytes);

/* ---- sysenter.c, syscall.c, swapgs.c */
void ring_sysenter(struct cpu *cpu);
void ring_sysexit(struct cpu *cpu, bool rex_w);
void ring_syscall(struct cpu *cpu);
void ring_sysret(struct cpu *cpu, bool rex_w);
void ring_swapgs(struct cpu *cpu);

/* ---- task.c: the hardware task switch, also reached from far.c, interrupt.c and iret.c. */

/* ---- segment.c */

/* MOV/POP Sreg, LDS and its like. seg is not CS. Raises #GP, #NP, #SS, #PF. In real mode and VM86 sets base.
 * Does not make the MOV SS shadow (the body does). SDM 2A "MOV"; rules SG-01..SG-03, SG-08, GS-05, GS-06. */
void segment_load(struct cpu *cpu, enum seg seg, u16 selector);
void segment_load_ldtr(struct cpu *cpu, u16 selector); /* LLDT */
void segment_load_tr(struct cpu *cpu, u16 selector);   /* LTR */
/* LAR, LSL, VERR, VERW. returns: false = ZF 0. *value: access rights (already masked) or byte limit. */
bool segment_query_lar(struct cpu *cpu, u16 selector, u32 *value);
bool segment_query_lsl(struct cpu *cpu, u16 selector, u32 *value);
bool segment_query_verify(struct cpu *cpu, u16 selector, bool write);

/* ---- mode.c: control registers and EFER. Each validates (MD-*, PG-*), flushes, updates derived state. */
void mode_write_cr0(struct cpu *cpu, u64 value);
void mode_write_cr3(struct cpu *cpu, u64 value);
void mode_write_cr4(struct cpu *cpu, u64 value);
void mode_write_efer(struct cpu *cpu, u64 value);
void mode_lmsw(struct cpu *cpu, u16 value);
/* XSETBV for XCR0; raises #GP. */
void mode_write_xcr0(struct cpu *cpu, u64 value);

/* ---- debug.c: DR0-DR7 and the debug conditions. SDM 3B, "Debug, Branch Profile, TSC...". */
void debug_write_register(struct cpu *cpu, unsigned number, u64 value); /* DR7.GD, DR4/5 aliasing done by the caller */
u64 debug_read_register(struct cpu *cpu, unsigned number);
/* A code breakpoint matches the linear address of the next instruction: DR6 bits, 0 if none. */
u64 debug_code_match(const struct cpu *cpu, laddr_t laddr);
/* Make #DB's cause visible, just before its delivery: or bits into DR6, clear DR7.GD. */
void debug_commit(struct cpu *cpu, u64 dr6_bits);
/* An I/O breakpoint (CR4.DE) matches: adds to pending_debug. Data breakpoints are matched in cpu/mem.c. */
void debug_io_access(struct cpu *cpu, u16 port, unsigned size);

/* ---- reset.c */
/* Power-on or RESET# state. SDM 3A, "Processor State After Reset". */
void ring_reset(struct cpu *cpu);
/* INIT: keeps FPU, MSRs and caches (IQ-03). */
void ring_init_signal(struct cpu *cpu);

/* ---- io.c: IN/OUT permission. SDM 1, "I/O Permission Bit Map". Raises #GP(0). */
void io_check_permission(struct cpu *cpu, u16 port, unsigned size);

/* ---- rflags.c: what POPF may change by CPL, IOPL and mode, with VME and PVI; PUSHF; CLI and STI. */
void rflags_popf(struct cpu *cpu, u64 image, enum width operand);
u64 rflags_pushf_image(struct cpu *cpu, enum width operand);
void rflags_cli(struct cpu *cpu);
void rflags_sti(struct cpu *cpu);
/* VIF and VIP are both set where the virtual interrupt flag is in force (VME in VM86 with IOPL < 3; PVI at CPL 3 with
 * IOPL < 3): #GP(0) before the next instruction (VM-03). The engine asks at the boundary after a mechanism. */
bool rflags_virtual_interrupt(const struct cpu *cpu);

#endif

/* SPDX-License-Identifier: MIT
 * Stacks of a transition: a cursor with a private stack pointer, the checks of a new SS, and the stacks in the TSS.
 *
 * A mechanism pushes or pops through the cursor and stages cursor.sp as the new RSP; nothing is committed before.
 * What was pushed stays in memory when a later push faults (below the stack pointer, so nobody sees it).
 * SDM 3A, "Stack Switching", "Task-State Segment (TSS)"; SDM 1, "Procedure Stack".
 */
#ifndef RINGSIDE_CPU_RING_STACK_H
#define RINGSIDE_CPU_RING_STACK_H

#include "cpu/fault.h"
#include "cpu/ring/descriptor.h"

/* A stack being pushed to or popped from. */
struct stack_cursor {
    struct cpu *cpu;
    struct segment ss; /* base and limit rules; ignored when mask is 64 bits wide */
    u64 sp;            /* the value to stage as RSP; bits outside mask are kept as they were given */
    u64 mask;          /* FFFFh (SS.B = 0), FFFFFFFFh, or all ones in 64-bit mode */
    enum access_view view;
    struct fault fault; /* raised for a word outside the segment or at a non-canonical address */
    enum rule rule;
};

/* The view of a data access made at a privilege level (not necessarily the current one), with the present EFLAGS.AC. */
enum access_view access_view_at(const struct cpu *cpu, u8 cpl);

/* The current stack: SS:RSP at the current CPL (64-bit mode: flat). Faults are #SS(0) under rule. */
struct stack_cursor stack_current(struct cpu *cpu, enum rule rule);
/* A new stack through a segment (not 64-bit mode). sp: whole register value; fault: what a word without room raises. */
struct stack_cursor stack_new(struct cpu *cpu, const struct segment *ss, u64 sp, u8 cpl, struct fault fault,
                              enum rule rule);
/* A new flat 64-bit stack. */
struct stack_cursor stack_new64(struct cpu *cpu, u64 rsp, u8 cpl, struct fault fault, enum rule rule);

/* Push or pop one word of 2, 4 or 8 bytes. raises: cursor.fault; #PF; #AC. */
void stack_push(struct stack_cursor *c, u64 value, enum width w);
u64 stack_pop(struct stack_cursor *c, enum width w);
/* Read the word at offset bytes above the pointer, which stays. */
u64 stack_peek(struct stack_cursor *c, u64 offset, enum width w);
/* Free bytes (RETF n): moves the pointer by the mask's rule; checks nothing. */
void stack_release(struct stack_cursor *c, u64 bytes);
/* Raise cursor.fault unless count words of this width can be pushed (limit or canonical rules; no access is made):
 * the manual checks the room before the first push. */
void stack_require_room(struct stack_cursor *c, unsigned count, enum width w);
/* Linear address of the word at the pointer: transition.frame. */
laddr_t stack_linear(const struct stack_cursor *c);

/* ---- The checks of a new stack segment. One check, a table of what each mechanism makes of it. */

/* What is wrong with a stack segment selector, in the manual's order. */
enum violation {
    VIOLATION_NONE,
    VIOLATION_NULL,
    VIOLATION_TABLE, /* outside its descriptor table, or a null LDT */
    VIOLATION_RPL,   /* RPL != CPL */
    VIOLATION_TYPE,  /* not a writable data segment */
    VIOLATION_DPL,   /* DPL != CPL */
    VIOLATION_ABSENT,
    VIOLATIONS
};

/* Who loads the stack segment. */
enum stack_use {
    STACK_USE_MOV,       /* MOV SS, POP SS, LSS: #GP, absent #SS (SG-01) */
    STACK_USE_IRET,      /* outward IRET: #GP, absent #SS (IR-06, IR-07) */
    STACK_USE_RETF,      /* outward far RET (RF-02) */
    STACK_USE_INTERRUPT, /* inner ring from the TSS: #TS, absent #SS, with EXT (ID-09) */
    STACK_USE_CALL_GATE, /* the same without EXT (CG-04) */
    STACK_USE_TASK,      /* task switch: #TS, absent #SS (TS-08) */
    STACK_USES
};

/* Check a selector as the stack segment of a privilege level. *out is filled when the descriptor was read.
 * returns: the first violation.   raises: #PF by the descriptor read */
enum violation stack_segment_check(struct cpu *cpu, u16 selector, u8 cpl, struct descriptor *out);
/* The fault that a violation means for a mechanism. ext: 0 or 1, or-ed into the error code. */
struct fault stack_violation_fault(enum stack_use use, enum violation v, u16 selector, u32 ext);
enum rule stack_violation_rule(enum stack_use use, enum violation v);
/* Check, raise or set the accessed bit and return the loaded segment. A null selector always violates: callers treat
 * the legal null of 64-bit mode first, with segment_null(). */
struct segment stack_segment_load(struct cpu *cpu, enum stack_use use, u16 selector, u8 cpl, u32 ext);

/* The stack that IRET or a far RET goes back to: as stack_segment_load(), but a null selector with RPL = CPL is legal
 * in 64-bit code below CPL 3 (IR-06, RF-02). to64: the code returned to is 64-bit */
struct segment stack_segment_return(struct cpu *cpu, enum stack_use use, u16 selector, u8 cpl, bool to64);
/* RSP for a popped pointer, which is not checked (IR-15). A 16-bit stack takes SP only: bits 31:16 keep what they were,
 * and on AMD bits 63:32 too (IR-11). */
u64 stack_pointer_return(const struct cpu *cpu, const struct segment *ss, u64 popped, bool to64);

/* ---- Stacks in the TSS. */

struct tss_stack {
    u16 ss;
    u64 sp;
};

/* SSn:ESPn (32-bit TSS) or SSn:SPn (16-bit TSS) for an inner level 0-2, unchecked.
 * raises: #TS(TR + ext) when outside the TSS (ID-09); #PF */
struct tss_stack tss_stack_fetch(struct cpu *cpu, u8 cpl, u32 ext, enum rule rule);
/* RSPn, n = 0-2, of a 64-bit TSS. raises: #TS(TR + ext) outside the TSS; #SS(ext) when not canonical (ID-10); #PF */
u64 tss_rsp_fetch(struct cpu *cpu, u8 cpl, u32 ext, enum rule rule);
/* ISTn, n = 1-7. raises: as tss_rsp_fetch(). */
u64 tss_ist_fetch(struct cpu *cpu, u8 ist, u32 ext);

#endif

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
#include "cpu/mem.h"
#include "cpu/ring/descriptor.h"

/* A stack being pushed to or popped from. */
struct stack_cursor {
    struct cpu *cpu;
    struct segment ss; /* base and limit rules; ignored when mask is 64 bits wide */
    u64 sp;            /* the value to stage as RSP; bits outside mask are kept as they were given */
    u64 mask;          /* FFFFh (SS.B = 0), FFFFFFFFh, or all ones in 64-bit mode */
    enum access_view view;
    u64 fault; /* raised for a word outside the segment or at a non-canonical address: fault_pack() */
    enum rule rule;
};

/* The view of a data access made at a privilege level (not necessarily the current one), with the present EFLAGS.AC. */
ALWAYS_INLINE enum access_view access_view_at(const struct cpu *cpu, u8 cpl)
{
    if (cpl == 3)
        return VIEW_USER;
    return cpu->arch.rflags & FLAG_AC ? VIEW_SUPERVISOR_AC : VIEW_SUPERVISOR;
}

/* A new stack through a segment (not 64-bit mode). sp: whole register value; fault: what a word without room raises. */
ALWAYS_INLINE struct stack_cursor stack_new(struct cpu *cpu, const struct segment *ss, u64 sp, u8 cpl,
                                            struct fault fault, enum rule rule)
{
    bool big = ss->attr & SEG_DB;

    return (struct stack_cursor){
        .cpu = cpu,
        .ss = *ss,
        .sp = big ? sp & 0xFFFFFFFF : sp,
        .mask = big ? 0xFFFFFFFF : 0xFFFF,
        .view = access_view_at(cpu, cpl),
        .fault = fault_pack(fault),
        .rule = rule,
    };
}

/* A new flat 64-bit stack. */
ALWAYS_INLINE struct stack_cursor stack_new64(struct cpu *cpu, u64 rsp, u8 cpl, struct fault fault, enum rule rule)
{
    return (struct stack_cursor){
        .cpu = cpu,
        .sp = rsp,
        .mask = ~0ull,
        .view = access_view_at(cpu, cpl),
        .fault = fault_pack(fault),
        .rule = rule,
    };
}

/* The current stack: SS:RSP at the current CPL (64-bit mode: flat). Faults are #SS(0) under rule. */
ALWAYS_INLINE struct stack_cursor stack_current64(struct cpu *cpu, enum rule rule)
{
    return stack_new64(cpu, cpu->arch.gpr[RSP], cpu->arch.cpl, SS_(0), rule);
}
ALWAYS_INLINE struct stack_cursor stack_current_segment(struct cpu *cpu, enum rule rule)
{
    return stack_new(cpu, &cpu->arch.seg[SS], cpu->arch.gpr[RSP], cpu->arch.cpl, SS_(0), rule);
}
ALWAYS_INLINE struct stack_cursor stack_current(struct cpu *cpu, enum rule rule)
{
    return cpu_64bit(cpu) ? stack_current64(cpu, rule) : stack_current_segment(cpu, rule);
}

ALWAYS_INLINE bool stack_is_flat64(const struct stack_cursor *c) { return c->mask == ~0ull; }

/* Whether bytes first..first+size-1 lie inside the segment. SDM 3A "Limit Checking". */
ALWAYS_INLINE bool stack_segment_holds(const struct segment *ss, u64 first, unsigned size)
{
    u64 last = first + size - 1;

    if (ss->attr & SEG_UNUSABLE)
        return false;
    if (!(ss->attr & SEG_CODE) && (ss->attr & SEG_EXPAND_DOWN))
        return first > ss->limit && last <= (ss->attr & SEG_DB ? 0xFFFFFFFFull : 0xFFFFull);
    return last <= ss->limit;
}

/* Checked linear address of the word at a stack pointer. */
ALWAYS_INLINE laddr_t stack_word_address(const struct stack_cursor *c, u64 sp, enum width w)
{
    unsigned size = width_bytes(w);

    if (stack_is_flat64(c)) {
        REQUIRE(c->cpu, cpu_canonical(c->cpu, sp) && cpu_canonical(c->cpu, sp + size - 1), fault_unpack(c->fault),
                c->rule);
        return sp;
    }
    REQUIRE(c->cpu, stack_segment_holds(&c->ss, sp & c->mask, size), fault_unpack(c->fault), c->rule);
    return (c->ss.base + (sp & c->mask)) & 0xFFFFFFFF;
}

/* A stack pointer moved by a signed amount: only the bits that the stack's size says take part. */
ALWAYS_INLINE u64 stack_moved(const struct stack_cursor *c, u64 sp, u64 by)
{
    return (sp & ~c->mask) | ((sp + by) & c->mask);
}

/* Push or pop one word of 2, 4 or 8 bytes. raises: cursor.fault; #PF; #AC. */
ALWAYS_INLINE void stack_push(struct stack_cursor *c, u64 value, enum width w)
{
    u64 sp = stack_moved(c, c->sp, -(u64)width_bytes(w));

    lin_write(c->cpu, stack_word_address(c, sp, w), value & width_mask(w), w, c->view);
    c->sp = sp;
}

ALWAYS_INLINE u64 stack_pop(struct stack_cursor *c, enum width w)
{
    u64 value = lin_read(c->cpu, stack_word_address(c, c->sp, w), w, c->view);

    c->sp = stack_moved(c, c->sp, width_bytes(w));
    return value;
}

/* Read the word at offset bytes above the pointer, which stays. */
ALWAYS_INLINE u64 stack_peek(struct stack_cursor *c, u64 offset, enum width w)
{
    return lin_read(c->cpu, stack_word_address(c, stack_moved(c, c->sp, offset), w), w, c->view);
}

/* Free bytes (RETF n): moves the pointer by the mask's rule; checks nothing. */
ALWAYS_INLINE void stack_release(struct stack_cursor *c, u64 bytes) { c->sp = stack_moved(c, c->sp, bytes); }

/* Linear address of the word at a stack pointer, unchecked; of the word at the pointer: transition.frame. */
ALWAYS_INLINE laddr_t stack_linear_at(const struct stack_cursor *c, u64 sp)
{
    return stack_is_flat64(c) ? sp : (c->ss.base + (sp & c->mask)) & 0xFFFFFFFF;
}
ALWAYS_INLINE laddr_t stack_linear(const struct stack_cursor *c) { return stack_linear_at(c, c->sp); }

/* Whether all words in the size bytes at a stack pointer may be pushed or popped, as far as limits and canonical
 * addresses go. false: look at each word. */
ALWAYS_INLINE bool stack_holds(const struct stack_cursor *c, u64 sp, unsigned size)
{
    u64 first = sp & c->mask, last = first + size - 1;

    if (stack_is_flat64(c))
        return cpu_canonical(c->cpu, first) && cpu_canonical(c->cpu, last);
    return last <= c->mask && stack_segment_holds(&c->ss, first, size);
}

/* Check the words one by one: a stack pointer may wrap between them.   raises: cursor.fault */
void stack_check_words(const struct stack_cursor *c, unsigned count, enum width w);

/* Raise cursor.fault unless count words of this width can be pushed (limit or canonical rules; no access is made):
 * the manual checks the room before the first push. */
ALWAYS_INLINE void stack_require_room(const struct stack_cursor *c, unsigned count, enum width w)
{
    if (UNLIKELY(!stack_holds(c, c->sp - (count << w), count << w)))
        stack_check_words(c, count, w);
}

/* Whether the size bytes at a stack pointer may be accessed at once if they lie in one page that the TLB has: no other
 * check of a word could fail. What the TLB has is canonical. */
ALWAYS_INLINE bool stack_may_hit(const struct stack_cursor *c, u64 sp, unsigned size)
{
    return lin_may_hit(c->cpu) && (stack_is_flat64(c) || stack_holds(c, sp, size));
}

/* Push count words, in order. They go to memory at once when they all lie in one page that may be written directly.
 * raises: as stack_push(); the words before the one that faulted are in memory then */
ALWAYS_INLINE void stack_push_words(struct stack_cursor *c, const u64 *word, unsigned count, enum width w)
{
    unsigned size = count << w;
    u64 sp = stack_moved(c, c->sp, -(u64)size);
    u8 *host = NULL;

    if (stack_may_hit(c, sp, size))
        host = tlb_write_hit(&c->cpu->mmu.view[c->view], stack_linear_at(c, sp), size);
    if (LIKELY(host != NULL)) {
        for (unsigned i = 0; i < count; i++)
            mem_store_host(host + ((count - 1 - i) << w), word[i], w);
        c->sp = sp;
        return;
    }
    for (unsigned i = 0; i < count; i++)
        stack_push(c, word[i], w);
}

/* Pop count words, in order, at once when they all lie in one page that may be read directly. raises: as stack_pop() */
ALWAYS_INLINE void stack_pop_words(struct stack_cursor *c, u64 *word, unsigned count, enum width w)
{
    unsigned size = count << w;
    const u8 *host = NULL;

    if (stack_may_hit(c, c->sp, size))
        host = tlb_read_hit(&c->cpu->mmu.view[c->view], stack_linear_at(c, c->sp), size);
    if (LIKELY(host != NULL)) {
        for (unsigned i = 0; i < count; i++)
            word[i] = mem_load_host(host + (i << w), w);
        c->sp = stack_moved(c, c->sp, size);
        return;
    }
    for (unsigned i = 0; i < count; i++)
        word[i] = stack_pop(c, w);
}

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

/* SPDX-License-Identifier: MIT
 * Stacks of a transition: the cursor, the checks of a new SS, the stacks in the TSS.
 * SDM 3A, "Limit Checking", "Stack Switching", "Task-State Segment (TSS)"; APM 2, "Stack Switching".
 */
#include "cpu/ring/stack.h"

#include "cpu/mem.h"

/* ---- The checks of a new stack segment. */

/* A present writable data segment of this DPL. */
ALWAYS_INLINE bool descriptor_is_stack(const struct descriptor *d, u8 cpl)
{
    u32 looked_at = SEG_PRESENT | 3u << SEG_DPL_SHIFT | SEG_S | SEG_CODE | SEG_WRITABLE;

    return (d->attr & looked_at) == (SEG_PRESENT | (u32)cpl << SEG_DPL_SHIFT | SEG_S | SEG_WRITABLE);
}

ALWAYS_INLINE enum violation check(struct cpu *cpu, u16 selector, u8 cpl, struct descriptor *out)
{
    if (selector_is_null(selector))
        return VIOLATION_NULL;
    if (!descriptor_fetch(cpu, selector, out))
        return VIOLATION_TABLE;
    if (LIKELY(selector_rpl(selector) == cpl && descriptor_is_stack(out, cpl)))
        return VIOLATION_NONE;
    if (selector_rpl(selector) != cpl)
        return VIOLATION_RPL;
    if (!descriptor_is_writable(out))
        return VIOLATION_TYPE;
    if (out->dpl != cpl)
        return VIOLATION_DPL;
    return VIOLATION_ABSENT;
}

enum violation stack_segment_check(struct cpu *cpu, u16 selector, u8 cpl, struct descriptor *out)
{
    return check(cpu, selector, cpl, out);
}

/* What each mechanism makes of a violation: the vector of the ordinary ones (an absent segment is #SS everywhere:
 * IR-07 says why IRET too), and the rule under which it stands. */
static const struct {
    u8 vector;
    enum rule null_rule, rule;
} uses[STACK_USES] = {
    [STACK_USE_MOV] = {VEC_GP, RULE_SG_01, RULE_SG_01},       [STACK_USE_IRET] = {VEC_GP, RULE_IR_06, RULE_IR_07},
    [STACK_USE_RETF] = {VEC_GP, RULE_RF_02, RULE_RF_02},      [STACK_USE_INTERRUPT] = {VEC_TS, RULE_ID_09, RULE_ID_09},
    [STACK_USE_CALL_GATE] = {VEC_TS, RULE_CG_04, RULE_CG_04}, [STACK_USE_TASK] = {VEC_TS, RULE_TS_08, RULE_TS_08},
};

struct fault stack_violation_fault(enum stack_use use, enum violation v, u16 selector, u32 ext)
{
    /* A null selector's error code is 0 | ext by itself. */
    return FAULT_CODE(v == VIOLATION_ABSENT ? VEC_SS : uses[use].vector, selector_error(selector) | ext);
}

enum rule stack_violation_rule(enum stack_use use, enum violation v)
{
    return v == VIOLATION_NULL ? uses[use].null_rule : uses[use].rule;
}

struct segment stack_segment_load(struct cpu *cpu, enum stack_use use, u16 selector, u8 cpl, u32 ext)
{
    struct descriptor d;
    enum violation v = check(cpu, selector, cpl, &d);

    REQUIRE(cpu, v == VIOLATION_NONE, stack_violation_fault(use, v, selector, ext), stack_violation_rule(use, v));
    descriptor_set_accessed(cpu, &d);
    return descriptor_segment(&d, selector);
}

struct segment stack_segment_return(struct cpu *cpu, enum stack_use use, u16 selector, u8 cpl, bool to64)
{
    if (selector_is_null(selector) && to64 && cpl < 3 && selector_rpl(selector) == cpl) {
        RULE_HELD(cpu, stack_violation_rule(use, VIOLATION_NULL));
        return segment_null(selector, cpl);
    }
    return stack_segment_load(cpu, use, selector, cpl, 0);
}

u64 stack_pointer_return(const struct cpu *cpu, const struct segment *ss, u64 popped, bool to64)
{
    u64 mixed = (cpu->arch.gpr[RSP] & ~0xFFFFull) | (popped & 0xFFFF);

    if (to64)
        return popped;
    if (ss->attr & SEG_DB)
        return (u32)popped;
    return cpu_is_amd(cpu) ? mixed : (u32)mixed;
}

/* ---- Stacks in the TSS. */

/* Raise #TS(TR + ext) unless bytes offset..offset+size-1 lie inside the TSS. */
static void require_inside_tss(struct cpu *cpu, u32 offset, unsigned size, u32 ext, enum rule rule)
{
    const struct segment *tr = &cpu->arch.tr;

    REQUIRE(cpu, !(tr->attr & SEG_UNUSABLE) && offset + size - 1 <= tr->limit, TS_(selector_error(tr->selector) | ext),
            rule);
}

struct tss_stack tss_stack_fetch(struct cpu *cpu, u8 cpl, u32 ext, enum rule rule)
{
    u64 base = cpu->arch.tr.base;
    u32 offset;

    if ((cpu->arch.tr.attr & SEG_TYPE) >= SYS_TSS) {
        offset = cpl * 8u + 4; /* ESP0 SS0 ESP1 ... each in 32 bits; the upper word of SSn does not count */
        require_inside_tss(cpu, offset, 6, ext, rule);
        u32 esp = (u32)sys_read(cpu, base + offset, W32);
        return (struct tss_stack){.ss = (u16)sys_read(cpu, base + offset + 4, W16), .sp = esp};
    }
    offset = cpl * 4u + 2;
    require_inside_tss(cpu, offset, 4, ext, rule);
    u16 sp = (u16)sys_read(cpu, base + offset, W16);
    return (struct tss_stack){.ss = (u16)sys_read(cpu, base + offset + 2, W16), .sp = sp};
}

/* One 64-bit stack pointer of the TSS. */
static u64 fetch_rsp(struct cpu *cpu, u32 offset, u32 ext, enum rule limit_rule)
{
    u64 rsp;

    require_inside_tss(cpu, offset, 8, ext, limit_rule);
    rsp = sys_read(cpu, cpu->arch.tr.base + offset, W64);
    REQUIRE(cpu, cpu_canonical(cpu, rsp), SS_(ext), RULE_ID_10);
    return rsp;
}

u64 tss_rsp_fetch(struct cpu *cpu, u8 cpl, u32 ext, enum rule rule) { return fetch_rsp(cpu, cpl * 8u + 4, ext, rule); }

u64 tss_ist_fetch(struct cpu *cpu, u8 ist, u32 ext) { return fetch_rsp(cpu, (ist - 1u) * 8 + 0x24, ext, RULE_ID_09); }

COLD void stack_check_words(const struct stack_cursor *c, unsigned count, enum width w)
{
    u64 sp = c->sp;

    for (unsigned i = 0; i < count; i++) {
        sp = stack_moved(c, sp, -(u64)width_bytes(w));
        stack_word_address(c, sp, w);
    }
}

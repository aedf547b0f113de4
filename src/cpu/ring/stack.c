/* SPDX-License-Identifier: MIT
 * Stacks of a transition: the cursor, the checks of a new SS, the stacks in the TSS.
 * SDM 3A, "Limit Checking", "Stack Switching", "Task-State Segment (TSS)"; APM 2, "Stack Switching".
 */
#include "cpu/ring/stack.h"

#include "cpu/mem.h"

enum access_view access_view_at(const struct cpu *cpu, u8 cpl)
{
    if (cpl == 3)
        return VIEW_USER;
    return cpu->arch.rflags & FLAG_AC ? VIEW_SUPERVISOR_AC : VIEW_SUPERVISOR;
}

struct stack_cursor stack_new(struct cpu *cpu, const struct segment *ss, u64 sp, u8 cpl, struct fault fault,
                              enum rule rule)
{
    bool big = ss->attr & SEG_DB;

    return (struct stack_cursor){
        .cpu = cpu,
        .ss = *ss,
        .sp = big ? sp & 0xFFFFFFFF : sp,
        .mask = big ? 0xFFFFFFFF : 0xFFFF,
        .view = access_view_at(cpu, cpl),
        .fault = fault,
        .rule = rule,
    };
}

struct stack_cursor stack_new64(struct cpu *cpu, u64 rsp, u8 cpl, struct fault fault, enum rule rule)
{
    return (struct stack_cursor){
        .cpu = cpu,
        .sp = rsp,
        .mask = ~0ull,
        .view = access_view_at(cpu, cpl),
        .fault = fault,
        .rule = rule,
    };
}

struct stack_cursor stack_current(struct cpu *cpu, enum rule rule)
{
    if (cpu_64bit(cpu))
        return stack_new64(cpu, cpu->arch.gpr[RSP], cpu->arch.cpl, SS_(0), rule);
    return stack_new(cpu, &cpu->arch.seg[SS], cpu->arch.gpr[RSP], cpu->arch.cpl, SS_(0), rule);
}

/* Whether bytes first..first+size-1 lie inside the segment. SDM 3A "Limit Checking". */
static bool inside_segment(const struct segment *ss, u64 first, unsigned size)
{
    u64 last = first + size - 1;

    if (ss->attr & SEG_UNUSABLE)
        return false;
    if (!(ss->attr & SEG_CODE) && (ss->attr & SEG_EXPAND_DOWN))
        return first > ss->limit && last <= (ss->attr & SEG_DB ? 0xFFFFFFFFull : 0xFFFFull);
    return last <= ss->limit;
}

/* Checked linear address of the word at a stack pointer. */
static laddr_t word_address(const struct stack_cursor *c, u64 sp, enum width w)
{
    unsigned size = width_bytes(w);

    if (c->mask == ~0ull) {
        REQUIRE(c->cpu, cpu_canonical(c->cpu, sp) && cpu_canonical(c->cpu, sp + size - 1), c->fault, c->rule);
        return sp;
    }
    REQUIRE(c->cpu, inside_segment(&c->ss, sp & c->mask, size), c->fault, c->rule);
    return (c->ss.base + (sp & c->mask)) & 0xFFFFFFFF;
}

/* The pointer moved by a signed amount: only the bits that the stack's size says take part. */
static u64 moved(const struct stack_cursor *c, u64 by) { return (c->sp & ~c->mask) | ((c->sp + by) & c->mask); }

void stack_push(struct stack_cursor *c, u64 value, enum width w)
{
    u64 sp = moved(c, -(u64)width_bytes(w));

    lin_write(c->cpu, word_address(c, sp, w), value & width_mask(w), w, c->view);
    c->sp = sp;
}

u64 stack_pop(struct stack_cursor *c, enum width w)
{
    u64 value = lin_read(c->cpu, word_address(c, c->sp, w), w, c->view);

    c->sp = moved(c, width_bytes(w));
    return value;
}

u64 stack_peek(struct stack_cursor *c, u64 offset, enum width w)
{
    return lin_read(c->cpu, word_address(c, moved(c, offset), w), w, c->view);
}

void stack_release(struct stack_cursor *c, u64 bytes) { c->sp = moved(c, bytes); }

void stack_require_room(struct stack_cursor *c, unsigned count, enum width w)
{
    u64 sp = c->sp;

    for (unsigned i = 0; i < count; i++) {
        sp = (sp & ~c->mask) | ((sp - width_bytes(w)) & c->mask);
        word_address(c, sp, w);
    }
}

laddr_t stack_linear(const struct stack_cursor *c)
{
    return c->mask == ~0ull ? c->sp : (c->ss.base + (c->sp & c->mask)) & 0xFFFFFFFF;
}

/* ---- The checks of a new stack segment. */

enum violation stack_segment_check(struct cpu *cpu, u16 selector, u8 cpl, struct descriptor *out)
{
    if (selector_is_null(selector))
        return VIOLATION_NULL;
    if (!descriptor_fetch(cpu, selector, out))
        return VIOLATION_TABLE;
    if (selector_rpl(selector) != cpl)
        return VIOLATION_RPL;
    if (!descriptor_is_writable(out))
        return VIOLATION_TYPE;
    if (out->dpl != cpl)
        return VIOLATION_DPL;
    if (!out->present)
        return VIOLATION_ABSENT;
    return VIOLATION_NONE;
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
    enum violation v = stack_segment_check(cpu, selector, cpl, &d);

    REQUIRE(cpu, v == VIOLATION_NONE, stack_violation_fault(use, v, selector, ext), stack_violation_rule(use, v));
    descriptor_set_accessed(cpu, &d);
    return descriptor_segment(&d, selector);
}

struct segment stack_segment_return(struct cpu *cpu, enum stack_use use, u16 selector, u8 cpl, bool to64)
{
    if (selector_is_null(selector) && to64 && cpl < 3 && selector_rpl(selector) == cpl)
        return segment_null(selector, cpl);
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

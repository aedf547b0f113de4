/* SPDX-License-Identifier: MIT
 * Who called whom, from the kernel's stack: a word on it is a return address when a call stands before the place that
 * it names, and it belongs to the chain when that call leads to the function before. Where the return address stands is
 * known from the kernel's tables or the frame pointer (frame.c); where neither says, or what stands there does not fit,
 * the stack is searched upwards:
 *
 *   direct    the first call whose target is the function, or one that jumps to it
 *   indirect  only where there is no direct one near by, and when its own caller is found by a direct call, or it is
 *             where the kernel's stacks begin
 *
 * What earlier calls left on the stack may look the same: a frame that was searched for is likely, not proven.
 */
#include "guest/callsite.h"

#define STACK_BYTES 16384u  /* the kernel's largest ordinary stack: nothing is looked for beyond */
#define DIRECT_WINDOW 4096u /* bytes of stack in which a direct call is looked for before an indirect one is taken */

struct chain {
    const struct guest *g;
    const struct cpu *cpu;
    u64 stack_end;
    struct frame frame;
    struct function function; /* that frame.ip lies in */
    u64 jump;                 /* the function was entered by this jump from the one that was called; 0 = by a call */
};

/* Where a chain ends: the first code on a stack. */
static const char *const outermost[] = {"entry_",
                                        "asm_",
                                        "ret_from_fork",
                                        "secondary_startup",
                                        "startup_",
                                        "irq_entries_",
                                        "start_secondary",
                                        "i386_start_kernel",
                                        "x86_64_start_kernel",
                                        "common_interrupt_return"};

static bool function_is_outermost(const struct function *f)
{
    for (size_t i = 0; i < ARRAY_LEN(outermost); i++)
        if (strncmp(f->name, outermost[i], strlen(outermost[i])) == 0)
            return true;
    return false;
}

/* The word at a place of the stack, if it is a return address of kernel code; what call stands before it. */
static enum call_kind word_at(const struct chain *c, u64 at, u64 *word, struct function *caller, u64 *target)
{
    if (at >= c->stack_end || !guest_read_pointer(c->cpu, c->g->kernel->is64, at, word) ||
        !function_before(c->g, *word, caller))
        return NO_CALL;
    return call_before(c->g, c->cpu, *word, target);
}

/* The first place at or above `at` that a direct call leads from to f; 0 = none near by. */
static u64 direct_place(const struct chain *c, u64 at, const struct function *f, u64 *jump)
{
    unsigned size = c->g->kernel->is64 ? 8 : 4;
    u64 end = at + DIRECT_WINDOW, word, target;
    struct function caller;

    for (; at < end && at < c->stack_end; at += size)
        if (word_at(c, at, &word, &caller, &target) == DIRECT_CALL && call_leads_to(c->g, c->cpu, target, f, jump))
            return at;
    return 0;
}

static u64 indirect_place(const struct chain *c, u64 at)
{
    unsigned size = c->g->kernel->is64 ? 8 : 4;
    u64 end = at + DIRECT_WINDOW, word, target, jump;
    struct function caller;

    for (; at < end && at < c->stack_end; at += size)
        if (word_at(c, at, &word, &caller, &target) == INDIRECT_CALL &&
            (function_is_outermost(&caller) || direct_place(c, at + size, &caller, &jump)))
            return at;
    return 0;
}

/* The place that tables or the frame pointer name, if a call stands before what it holds and may lead here. */
static u64 framed_place(struct chain *c, struct frame *above)
{
    struct function caller;
    u64 at, word, target;

    if (!frame_return_address(c->g, c->cpu, &c->frame, &c->function, &at, above))
        return 0;
    switch (word_at(c, at, &word, &caller, &target)) {
    case DIRECT_CALL: return call_leads_to(c->g, c->cpu, target, &c->function, &c->jump) ? at : 0;
    case INDIRECT_CALL: return at;
    default: return 0;
    }
}

/* The frame pointer above a return address that was searched for. A function that has one of its own keeps the caller's
 * below its return address; one that has none leaves the caller's alone, which then points above. */
static void pointer_above(const struct chain *c, u64 at, struct frame *above)
{
    unsigned size = c->g->kernel->is64 ? 8 : 4;

    above->bp = c->frame.bp;
    if (c->frame.bp_known && c->frame.bp + size == at)
        above->bp_known = guest_read_pointer(c->cpu, c->g->kernel->is64, c->frame.bp, &above->bp);
    else
        above->bp_known = c->frame.bp_known && c->frame.bp >= above->sp;
}

/* Go to the caller. returns: false when it is not known */
static bool chain_step(struct chain *c)
{
    unsigned size = c->g->kernel->is64 ? 8 : 4;
    struct frame above = {0};
    u64 at;

    c->jump = 0;
    at = framed_place(c, &above);
    if (!at) {
        above = (struct frame){0};
        at = direct_place(c, c->frame.sp, &c->function, &c->jump);
        if (!at)
            at = indirect_place(c, c->frame.sp);
        above.sp = at + size;
        pointer_above(c, at, &above);
    }
    if (!at || !guest_read_pointer(c->cpu, c->g->kernel->is64, at, &above.ip))
        return false;
    above.is_return = true;
    c->frame = above;
    return function_before(c->g, above.ip, &c->function);
}

size_t guest_backtrace(const struct guest *g, struct cpu *cpu, u64 *out, size_t max)
{
    u64 sp = cpu->arch.gpr[RSP];
    struct chain c = {.g = g, .cpu = cpu, .stack_end = sp + STACK_BYTES};
    size_t n = 0;

    if (max == 0)
        return 0;
    out[n++] = cpu->arch.rip;
    if (!g->slid || cpu->arch.cpl != 0 || !function_before(g, cpu->arch.rip + 1, &c.function))
        return n;
    c.frame = (struct frame){.ip = cpu->arch.rip, .sp = sp, .bp = cpu->arch.gpr[RBP], .bp_known = true};
    while (n < max && !function_is_outermost(&c.function) && chain_step(&c)) {
        if (c.jump)
            out[n++] = c.jump;
        if (n < max)
            out[n++] = c.frame.ip;
    }
    return n;
}

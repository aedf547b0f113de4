/* SPDX-License-Identifier: MIT
 * Segment registers of a new task. Whatever is wrong with them is the new task's fault: it is collected, committed
 * past, and raised by task.c.
 * SDM 3A, "Task Switching" (exception conditions checked during a task switch).
 */
#include "cpu/ring/task_image.h"

#include "cpu/flags.h"
#include "cpu/mem.h"
#include "cpu/ring/stack.h"

/* Note the fault and return false unless the condition holds. */
static bool require(struct task_segments *s, bool condition, struct fault fault, enum rule rule)
{
    COVER_IF(s->cpu, rule, condition);
    if (!condition) {
        s->faulted = true;
        s->fault = fault;
        s->rule = rule;
    }
    return condition;
}

/* Whether a supervisor access can be made, in the new address space. */
static bool reach(struct task_segments *s, laddr_t laddr, unsigned size, enum access_type type)
{
    const laddr_t ends[] = {laddr, (laddr + size - 1) & 0xFFFFFFFF};

    for (unsigned i = 0; i < ARRAY_LEN(ends); i++) {
        struct fault fault = FAULT(VEC_PF);
        paddr_t paddr;

        fault.has_error = true;
        fault.cr2 = i == 0 ? ends[0] : ends[1] & PAGE_MASK;
        if (!require(s, mmu_translate(&s->cpu->mmu, ends[i], type, VIEW_SUPERVISOR, &paddr, &fault.error), fault,
                     RULE_TS_02))
            return false;
    }
    return true;
}

/* Read a descriptor; one that is outside its table is #TS. */
static bool fetch(struct task_segments *s, u16 selector, struct descriptor *d)
{
    laddr_t laddr;

    return require(s, descriptor_locate(s->cpu, selector, 8, &laddr), TS_(selector_error(selector) | s->ext),
                   RULE_TS_08) &&
           reach(s, laddr, 8, ACCESS_READ) && descriptor_fetch(s->cpu, selector, d);
}

/* Set the accessed bit and fill the register. */
static bool finish(struct task_segments *s, enum seg seg, u16 selector, struct descriptor *d)
{
    if (!(d->type & SEG_ACCESSED) && !reach(s, d->laddr, 8, ACCESS_WRITE))
        return false;
    descriptor_set_accessed(s->cpu, d);
    s->seg[seg] = descriptor_segment(d, selector);
    return true;
}

static bool load_ldt(struct task_segments *s, u16 selector)
{
    struct fault bad = TS_(selector_error(selector) | s->ext);
    struct descriptor d;

    s->cpu->arch.ldtr = segment_null(selector, 0);
    if (selector_is_null(selector))
        return true;
    if (!require(s, !(selector & SELECTOR_TI), bad, RULE_TS_08) || !fetch(s, selector, &d) ||
        !require(s, descriptor_is_system(&d, SYS_LDT) && d.present, bad, RULE_TS_08))
        return false;
    s->cpu->arch.ldtr = descriptor_segment(&d, selector);
    return true;
}

static bool load_code(struct task_segments *s, u16 selector)
{
    u32 error = selector_error(selector) | s->ext;
    u8 rpl = selector_rpl(selector);
    struct descriptor d;

    return require(s, !selector_is_null(selector), TS_(error), RULE_TS_08) && fetch(s, selector, &d) &&
           require(s, descriptor_is_code(&d), TS_(error), RULE_TS_08) &&
           require(s, descriptor_is_conforming(&d) ? d.dpl <= rpl : d.dpl == rpl, TS_(error), RULE_TS_08) &&
           require(s, d.present, NP(error), RULE_TS_08) && finish(s, CS, selector, &d);
}

static bool load_stack(struct task_segments *s, u16 selector)
{
    struct descriptor d;
    enum violation v = VIOLATION_NULL;

    if (!selector_is_null(selector)) {
        if (!fetch(s, selector, &d))
            return false;
        v = stack_segment_check(s->cpu, selector, s->new_cpl, &d);
    }
    return require(s, v == VIOLATION_NONE, stack_violation_fault(STACK_USE_TASK, v, selector, s->ext),
                   stack_violation_rule(STACK_USE_TASK, v)) &&
           finish(s, SS, selector, &d);
}

static bool load_data(struct task_segments *s, enum seg seg, u16 selector)
{
    u32 error = selector_error(selector) | s->ext;
    struct descriptor d;

    if (selector_is_null(selector))
        return true;
    return fetch(s, selector, &d) && require(s, descriptor_is_readable(&d), TS_(error), RULE_TS_08) &&
           require(s, descriptor_is_conforming(&d) || (d.dpl >= s->new_cpl && d.dpl >= selector_rpl(selector)),
                   TS_(error), RULE_TS_08) &&
           require(s, d.present, NP(error), RULE_TS_08) && finish(s, seg, selector, &d);
}

struct task_segments task_segments_load(struct cpu *cpu, const struct task_image *image, u32 ext)
{
    const u16 *selector = image->selector;
    bool vm86 = image->eflags & FLAG_VM;
    struct task_segments s = {.cpu = cpu, .ext = ext, .new_cpl = vm86 ? 3 : selector_rpl(selector[CS])};

    COVER(cpu, RULE_TS_09, vm86);
    for (unsigned i = 0; i < ARRAY_LEN(s.seg); i++)
        s.seg[i] = vm86 ? segment_vm86(selector[i]) : segment_null(selector[i], s.new_cpl);
    if (!vm86 && image->wide) /* should CS not load, the handler's frame still has the task's width */
        s.seg[CS].attr |= SEG_DB;

    if (load_ldt(&s, image->ldt) && !vm86 && load_code(&s, selector[CS]) && load_stack(&s, selector[SS]) &&
        load_data(&s, DS, selector[DS]) && load_data(&s, ES, selector[ES]) && load_data(&s, FS, selector[FS]))
        load_data(&s, GS, selector[GS]);
    return s;
}

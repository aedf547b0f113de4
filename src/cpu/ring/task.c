/* SPDX-License-Identifier: MIT
 * The hardware task switch: validate both TSSs, save the old state, load the new, one commit.
 * SDM 3A, "Task Management": "Task Switching", "Task Linking"; APM 2 "Task Management".
 */
#include "cpu/ring/task.h"

#include "cpu/fault.h"
#include "cpu/flags.h"
#include "cpu/mem.h"
#include "cpu/ring/pdpte.h"
#include "cpu/ring/ring.h"
#include "cpu/ring/stack.h"
#include "cpu/ring/task_image.h"

/* Bits of EFLAGS that exist; the rest of the image is not loaded. */
#define EFLAGS_LOADED 0x3F7FD7u
/* DR7: L0-L3 and LE belong to the task that set them. SDM 3B, "Debug Control Register (DR7)". */
#define DR7_LOCAL 0x155ull

struct task_change {
    struct cpu *cpu;
    const struct task_request *request;
    struct descriptor tss;     /* of the new task */
    struct descriptor old_tss; /* JMP, IRET: whose busy bit goes */
    bool old_wide;
    struct task_image image;
    bool loads_cr3;
    u64 pdpte[PDPTES];
    struct transition t;
};

static bool nests(const struct task_change *c)
{
    return c->request->cause == TASK_CALL || c->request->cause == TASK_INTERRUPT;
}

static bool is_wide(const struct descriptor *tss) { return tss->type >= SYS_TSS; }

/* The TSS descriptor: for JMP, CALL and interrupts an available one (#GP, ID-25, TS-07), for IRET a busy one (#TS,
 * IR-01). */
static void check_descriptor(struct task_change *c)
{
    struct cpu *cpu = c->cpu;
    bool iret = c->request->cause == TASK_IRET;
    u16 selector = c->request->selector;
    u32 error = selector_error(selector) | c->request->ext;
    struct fault bad = iret ? TS_(error) : GP(error);
    enum rule rule = iret ? RULE_IR_01 : c->request->cause == TASK_INTERRUPT ? RULE_ID_25 : RULE_TS_07;
    unsigned busy = iret ? SYS_BUSY_BIT : 0;

    REQUIRE(cpu, !selector_is_null(selector) && !(selector & SELECTOR_TI), bad, rule);
    REQUIRE(cpu, descriptor_fetch(cpu, selector, &c->tss), bad, rule);
    REQUIRE(cpu, !c->tss.code_or_data && (c->tss.type == (SYS_TSS | busy) || c->tss.type == (SYS_TSS16 | busy)), bad,
            rule);
    REQUIRE(cpu, c->tss.present, NP(error), rule);
    REQUIRE(cpu, c->tss.limit >= task_limit_min(is_wide(&c->tss)), TS_(error), RULE_TS_07);
}

/* Everything that will be stored can be stored; the image can be read. Nothing changes yet. */
static void probe(struct task_change *c)
{
    struct cpu *cpu = c->cpu;
    const struct segment *tr = &cpu->arch.tr;
    u32 offset, size, error = selector_error(tr->selector) | c->request->ext;

    task_image_saved_range(c->old_wide, &offset, &size);
    REQUIRE(cpu, !(tr->attr & SEG_UNUSABLE) && offset + size - 1 <= tr->limit, TS_(error), RULE_TS_07);
    sys_probe(cpu, tr->base + offset, size, true);
    sys_probe(cpu, c->tss.base, task_limit_min(is_wide(&c->tss)) + 1, false);
    if (nests(c)) {
        sys_probe(cpu, c->tss.base, 2, true);
    } else {
        /* UNVERIFIED: a GDT that no longer reaches the current TSS. */
        REQUIRE(cpu, descriptor_fetch(cpu, tr->selector, &c->old_tss), TS_(error), RULE_TS_01);
        sys_probe(cpu, c->old_tss.laddr, 8, true);
    }
    if (c->request->cause != TASK_IRET)
        sys_probe(cpu, c->tss.laddr, 8, true);
}

/* CR3 of a 32-bit TSS, with the PDPTEs under it (Intel; MD-02).
 * UNVERIFIED: bad PDPTEs are reported in the old task, since the new one would have no address space to run in. */
static void check_cr3(struct task_change *c)
{
    struct cpu *cpu = c->cpu;

    c->loads_cr3 = c->image.wide && (cpu->arch.cr0 & CR0_PG) && c->image.cr3 != cpu->arch.cr3;
    if (c->loads_cr3 && (cpu->arch.cr4 & CR4_PAE))
        pdptes_read(cpu, c->image.cr3, c->pdpte);
}

/* Stores into both TSSs and the GDT: busy bits, back link, the old state (TS-01). Probed: none of them faults. */
static void save(struct task_change *c)
{
    struct cpu *cpu = c->cpu;
    const struct task_request *request = c->request;
    u64 rflags = request->rflags;

    if (!nests(c))
        descriptor_set_busy(cpu, &c->old_tss, false);
    if (request->cause == TASK_IRET)
        rflags &= ~FLAG_NT;
    task_image_save(cpu, cpu->arch.tr.base, c->old_wide, (u32)request->return_rip, (u32)rflags);
    if (nests(c)) {
        sys_write(cpu, c->tss.base, cpu->arch.tr.selector, W16);
        c->image.eflags |= (u32)FLAG_NT;
    }
    if (request->cause != TASK_IRET)
        descriptor_set_busy(cpu, &c->tss, true);
}

static void load_cr3(struct task_change *c)
{
    struct cpu *cpu = c->cpu;
    u64 old = cpu->arch.cr3;

    if (!c->loads_cr3)
        return;
    cpu->arch.cr3 = c->image.cr3;
    if (cpu->arch.cr4 & CR4_PAE)
        pdptes_store(cpu, c->pdpte);
    cpu_switch_address_space(cpu, false);
    ring_side(cpu, SIDE_CR3, 0, old, cpu->arch.cr3);
}

/* The point of no return: from here on the processor is in the new task. */
static struct task_segments load(struct task_change *c)
{
    struct cpu *cpu = c->cpu;
    struct task_segments segments;

    cpu->arch.tr = descriptor_segment(&c->tss, c->request->selector);
    cpu->arch.cr0 |= CR0_TS; /* TS-03 */
    COVER(cpu, RULE_TS_10, cpu->arch.dr[7] & DR7_LOCAL);
    cpu->arch.dr[7] &= ~DR7_LOCAL;
    load_cr3(c);
    segments = task_segments_load(cpu, &c->image, c->request->ext);
    for (unsigned i = 0; i < ARRAY_LEN(c->image.gpr); i++)
        if (i != RSP)
            cpu->arch.gpr[i] = c->image.gpr[i];
    for (unsigned i = 0; i < ARRAY_LEN(segments.seg); i++)
        if (i != CS && i != SS)
            cpu->arch.seg[i] = segments.seg[i];
    return segments;
}

static void commit(struct task_change *c, const struct task_segments *segments)
{
    struct transition *t = &c->t;

    t->new_cpl = segments->new_cpl;
    t->cs = segments->seg[CS];
    t->ss = segments->seg[SS];
    t->rip = c->image.eip;
    t->rsp = c->image.gpr[RSP];
    t->rflags = (c->image.eflags & EFLAGS_LOADED) | FLAG_FIXED1;
    t->stage = STAGE_SS | STAGE_RSP | STAGE_RFLAGS;
    t->stack_source = STACK_TSS_IMAGE;
    ring_commit(c->cpu, t);
    c->cpu->arch.rip = c->image.eip; /* a fault from here on is the new task's (TS-02) */
}

/* The interrupt's error code, on the new task's stack (TS-04). */
static void push_error(struct task_change *c)
{
    struct cpu *cpu = c->cpu;
    struct stack_cursor stack = stack_current(cpu, RULE_TS_04);

    stack.fault = fault_pack(SS_(c->request->ext));
    stack_push(&stack, c->request->error, c->image.wide ? W32 : W16);
    cpu->arch.gpr[RSP] = stack.sp;
}

void task_switch(struct cpu *cpu, const struct task_request *request)
{
    struct task_change c = {
        .cpu = cpu,
        .request = request,
        .old_wide = (cpu->arch.tr.attr & SEG_TYPE) >= SYS_TSS,
        .t = transition_begin(cpu, request->cause == TASK_IRET ? MECH_IRET_TASK : MECH_TASK_SWITCH),
    };
    struct task_segments segments;

    c.t.has_vector = request->has_vector;
    c.t.vector = request->vector;
    c.t.has_error = request->has_error;
    c.t.error = request->error;
    c.t.cr2 = request->cr2;
    c.t.rule = request->rule;
    c.t.gate = request->gate;
    c.t.gate_dpl = request->gate_dpl;
    c.t.gate_selector = request->selector;

    check_descriptor(&c);
    probe(&c);
    c.image = task_image_read(cpu, c.tss.base, is_wide(&c.tss));
    check_cr3(&c);

    save(&c);
    segments = load(&c);
    commit(&c, &segments);
    if (segments.faulted)
        cpu_raise(cpu, segments.fault, segments.rule);
    COVER(cpu, RULE_TS_03, c.image.trap);
    if (c.image.trap) {
        cpu->arch.pending_debug |= DR6_BT;
        cpu_attention(cpu);
    }
    if (request->has_error)
        push_error(&c);
    REQUIRE(cpu, c.image.eip <= cpu->arch.seg[CS].limit, GP(request->ext), RULE_TS_08);
}

void task_return(struct cpu *cpu)
{
    struct task_request request = {
        .cause = TASK_IRET,
        .selector = (u16)sys_read(cpu, cpu->arch.tr.base, W16),
        .return_rip = cpu->d.next_rip,
        .rflags = flags_get(cpu),
    };

    task_switch(cpu, &request);
}

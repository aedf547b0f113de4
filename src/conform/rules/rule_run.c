/* SPDX-License-Identifier: MIT
 * One run of a rule case: prepare, execute, compare.
 */
#include "conform/rules/rule_run.h"

#include <inttypes.h>
#include <stdarg.h>

#include "cpu/engine/state.h"
#include "cpu/isa/raises.h"
#include "cpu/ring/descriptor.h"

/* A run under way. */
struct run {
    const struct rule_case *rc;
    struct preset_machine m;
    enum preset_index index;
    FILE *out;
    unsigned faults_found;
    const struct rule_watch *watch; /* NULL: nobody looks */
    u64 before[LOCATIONS];
    u8 seen_before_delivery;
};

/* ---- messages */

/* The path from the source tree on. */
static const char *short_path(const char *file)
{
    const char *at = strstr(file, "cases/");

    return at != NULL ? at : file;
}

static void PRINTF_LIKE(2, 3) complain(struct run *run, const char *fmt, ...)
{
    const struct rule_case *rc = run->rc;
    va_list args;

    if (run->faults_found++ == 0)
        fprintf(run->out, "case: %s:%d\nrule: %s\nsource: %s\n", short_path(rc->file), rc->line, rule_text(rc->rule),
                rule_source(rc->rule));
    va_start(args, fmt);
    vfprintf(run->out, fmt, args);
    va_end(args);
    fputc('\n', run->out);
}

static void compare(struct run *run, const char *what, u64 expected, u64 got, u64 mask)
{
    if (((expected ^ got) & mask) != 0)
        complain(run, "%s: expected %" PRIX64 ", got %" PRIX64, what, expected & mask, got & mask);
}

/* ---- preparing */

static void push(struct preset_machine *m, u64 value, unsigned size)
{
    struct cpu_arch *a = &m->cpu->arch;
    bool wide = m->cpu->d.mode == MODE_LONG;

    a->gpr[RSP] -= size;
    preset_write(m, (wide ? 0 : a->seg[SS].base) + a->gpr[RSP], value, size);
}

static void patch_location(struct preset_machine *m, const struct patch *p)
{
    u64 old;

    if (p->where == L_IRQ) {
        m->irq = (u16)p->value;
        return;
    }
    old = location_get(m->cpu, (enum location)p->where);
    location_put(m->cpu, (enum location)p->where,
                 p->kind == PATCH_PUT  ? p->value
                 : p->kind == PATCH_OR ? old | p->value
                                       : old & ~p->value);
    if (p->where == L_APIC_BASE)
        (void)lapic_set_base(m->lapic, location_get(m->cpu, L_APIC_BASE));
}

static void apply(struct run *run, const struct patch *p)
{
    struct preset_machine *m = &run->m;
    bool wide = preset_is_long(run->index);
    struct descriptor d;

    switch (p->kind) {
    case PATCH_NONE:
    case PATCH_LATER: break;
    case PATCH_PUT:
    case PATCH_OR:
    case PATCH_CLEAR: patch_location(m, p); break;
    case PATCH_MEMORY: preset_write(m, p->where, p->value, p->limit); break;
    case PATCH_PUSH: push(m, p->value, p->limit); break;
    case PATCH_DESCRIPTOR: preset_descriptor(m, (u16)p->where, p->base, p->limit, p->attr); break;
    case PATCH_GATE:
        preset_gate(m, AT_IDT + p->where * (wide ? 16u : 8u), (u8)p->attr, (u16)p->limit, p->base, (u8)p->value, wide);
        break;
    case PATCH_CALL_GATE:
        preset_gate(m, AT_GDT + p->where, (u8)p->attr, (u16)p->limit, p->base, (u8)p->value, wide);
        break;
    case PATCH_PAGE: preset_page(m, p->where, p->value); break;
    case PATCH_FEATURE:
        m->cpu->model.feature[p->where] = p->value != 0;
        if (p->where == FEAT_LA57)
            m->cpu->model.linear_bits = p->value ? 57 : 48;
        break;
    case PATCH_A20: physmem_set_a20(m->pm, false); break;
    case PATCH_SEGMENT:
        d = descriptor_parse(preset_read(m, AT_GDT + (p->value & 0xFFF8), 8));
        m->cpu->arch.seg[p->where] = descriptor_segment(&d, (u16)p->value);
        break;
    }
}

/* The code goes where RIP points; a case that moves RIP or CS takes its code along (HIGH_PAGE lies at AT_HIGH). */
static void place_code(struct run *run)
{
    struct preset_machine *m = &run->m;
    const struct cpu_arch *a = &m->cpu->arch;
    u64 at = a->rip + (m->cpu->d.mode == MODE_LONG ? 0 : a->seg[CS].base);

    m->code_rip = a->rip;
    m->code_base = at >= HIGH_PAGE ? AT_HIGH + (at - HIGH_PAGE) : at;
    physmem_write(m->pm, m->code_base, run->rc->code, run->rc->code_size, INITIATOR_LOADER);
}

static void prepare(struct run *run)
{
    struct cpu *cpu = run->m.cpu;

    for (const struct patch *p = run->rc->setup; p != NULL && p->kind != PATCH_NONE; p++)
        apply(run, p);
    cpu_update_derived(cpu);
    cpu_update_paging(cpu);
    place_code(run);
    for (unsigned l = 0; l < LOCATIONS; l++)
        run->before[l] = location_get(cpu, (enum location)l);
}

/* ---- comparing */

static const struct transition *last_seen(const struct run *run)
{
    unsigned count = run->m.seen_count;

    return count == 0 || count > MAX_SEEN ? NULL : &run->m.seen[count - 1];
}

static u64 observed(const struct run *run, enum location location)
{
    static const struct transition none;
    const struct transition *t = last_seen(run) ? last_seen(run) : &none;

    switch ((u32)location) {
    case L_MODE: return run->m.cpu->d.mode;
    case L_VECTOR: return t->vector;
    case L_ERROR: return t->error;
    case L_STACK_SOURCE: return t->stack_source;
    case L_GATE: return t->gate;
    case L_GATE_DPL: return t->gate_dpl;
    case L_IST: return t->ist;
    case L_FRAME: return t->frame;
    case L_FRAME_WORDS: return t->frame_words;
    case L_PARAMETERS: return t->parameters;
    case L_RULE: return t->rule;
    case L_IRQ: return run->m.irq;
    case L_TPR: return run->m.task_priority;
    default: return location_get(run->m.cpu, location);
    }
}

static u64 frame_word(struct run *run, unsigned n)
{
    const struct transition *t = last_seen(run);
    struct run *r = run;

    if (t == NULL || n >= t->frame_words) {
        complain(run, "frame word %u: the last transition has %u words", n, t ? t->frame_words : 0);
        return 0;
    }
    return preset_read(&r->m, t->frame + n * t->frame_word_bytes, t->frame_word_bytes);
}

static void compare_frame(struct run *run, const struct expectation *x)
{
    const struct transition *t = last_seen(run);
    u64 got = frame_word(run, x->where), expected = x->value, mask = ~0ull;
    char what[24];

    if (t != NULL && t->frame_word_bytes < 8)
        mask = BIT(8 * t->frame_word_bytes) - 1;
    if (x->kind == EXPECT_FRAME_CODE)
        expected += run->m.code_rip;
    if (x->kind == EXPECT_FRAME_PLUS)
        expected += run->before[x->extra];
    if (x->kind == EXPECT_FRAME_BITS)
        mask = x->value | x->clear;
    snprintf(what, sizeof what, "frame word %u", x->where);
    compare(run, what, expected, got, mask);
}

static void compare_memory(struct run *run, const struct expectation *x)
{
    char what[32];

    snprintf(what, sizeof what, "memory at %X", x->where);
    compare(run, what, x->value, preset_read(&run->m, x->where, x->extra), ~0ull);
}

static u64 expected_value(const struct run *run, const struct expectation *x)
{
    u64 from = x->kind == EXPECT_PLUS ? run->before[x->where] : x->kind == EXPECT_CODE ? run->m.code_rip : 0;

    return from + x->value;
}

/* Everything that a case names, and that nothing else changed. */
static void compare_state(struct run *run)
{
    const struct rule_case *rc = run->rc;
    u64 expected[LOCATIONS_ALL], mask[LOCATIONS_ALL];

    for (unsigned l = 0; l < LOCATIONS_ALL; l++) {
        expected[l] = l < LOCATIONS ? run->before[l] : observed(run, (enum location)l);
        mask[l] = ~0ull;
    }
    if (!(rc->flags & CASE_FAULTS))
        expected[L_RIP] = run->m.code_rip + rc->code_size;
    for (const struct expectation *x = rc->expect; x != NULL && x->kind != EXPECT_NONE; x++) {
        switch (x->kind) {
        case EXPECT_NONE: break;
        case EXPECT_VALUE:
        case EXPECT_PLUS:
        case EXPECT_CODE:
            expected[x->where] = expected_value(run, x);
            mask[x->where] = ~0ull; /* the last word on a location counts */
            break;
        case EXPECT_SET: expected[x->where] |= x->value; break;
        case EXPECT_CLEAR: expected[x->where] &= ~x->value; break;
        case EXPECT_ANY: mask[x->where] &= ~x->value; break;
        case EXPECT_MEMORY: compare_memory(run, x); break;
        case EXPECT_FRAME:
        case EXPECT_FRAME_CODE:
        case EXPECT_FRAME_PLUS:
        case EXPECT_FRAME_BITS: compare_frame(run, x); break;
        }
    }
    for (unsigned l = 0; l < LOCATIONS_ALL; l++)
        compare(run, location_name((enum location)l), expected[l], observed(run, (enum location)l), mask[l]);
}

/* The door showed the mechanisms expected, and each began at the level where the last one ended. */
static void compare_seen(struct run *run)
{
    const struct rule_case *rc = run->rc;
    unsigned count = run->m.seen_count;
    u64 cpl = run->before[L_CPL];

    if (count > MAX_SEEN) {
        complain(run, "%u transitions", count);
        return;
    }
    if (count != rc->seen_count)
        complain(run, "transitions: expected %u, got %u", rc->seen_count, count);
    for (unsigned i = 0; i < count; i++) {
        const struct transition *t = &run->m.seen[i];

        if (i >= rc->seen_count || t->mechanism != rc->seen[i])
            complain(run, "transition %u: expected %s, got %s (vector %u, rule %s)", i + 1,
                     i < rc->seen_count ? mechanism_name((enum mechanism)rc->seen[i]) : "none",
                     mechanism_name(t->mechanism), t->vector, rule_name((enum rule)t->rule));
        compare(run, "level before a transition", cpl, t->from.cpl, ~0ull);
        cpl = t->to.cpl;
    }
}

static void compare_fault(struct run *run)
{
    const struct rule_case *rc = run->rc;
    const struct engine *e = run->m.cpu->host.engine;
    enum rule by = rc->by != RULE_NONE ? rc->by : rc->rule;

    if (!(rc->flags & CASE_FAULTS)) {
        if (e->pending)
            complain(run, "no fault expected, got vector %u error %X by %s at rip %" PRIX64, e->event.vector,
                     e->event.error, rule_name((enum rule)e->event.rule), run->m.cpu->arch.rip);
        return;
    }
    if (!e->pending) {
        complain(run, "expected vector %u error %X, got no fault", rc->vector, rc->error);
        return;
    }
    if (e->event.vector != rc->vector || e->event.error != rc->error || e->event.rule != by)
        complain(run, "expected vector %u error %X by %s, got vector %u error %X by %s", rc->vector, rc->error,
                 rule_name(by), e->event.vector, e->event.error, rule_name((enum rule)e->event.rule));
}

/* One instruction, one event or one iteration. The block engine makes a block of an instruction that ends one, and
 * steps the others when there is no time for more. */
static void advance(struct run *run)
{
    struct cpu *cpu = run->m.cpu;

    if (run->watch != NULL)
        run->watch->step(run->watch->context, &run->m);
    engine_run(cpu, cpu->clock->ticks + 1);
}

/* Deliver the expected fault: the door must show it with its cause, and the frame must hold what was interrupted. */
static void deliver_fault(struct run *run)
{
    const struct rule_case *rc = run->rc;
    struct cpu *cpu = run->m.cpu;
    bool real = cpu->d.mode == MODE_REAL;
    u64 rip = cpu->arch.rip, cs = cpu->arch.seg[CS].selector;
    unsigned first, count = run->m.seen_count;
    const struct transition *t;

    advance(run);
    t = last_seen(run);
    if (run->m.seen_count != count + 1 || t == NULL) {
        complain(run, "the fault's delivery showed %u transitions; then vector %u error %X by %s",
                 run->m.seen_count - count, cpu->host.fault.vector, cpu->host.fault.error,
                 rule_name((enum rule)cpu->host.fault.rule));
        return;
    }
    compare(run, "mechanism of the delivery", rc->vector == VEC_DF ? MECH_ABORT : MECH_FAULT, t->mechanism, ~0ull);
    compare(run, "vector at the door", rc->vector, t->vector, ~0ull);
    compare(run, "error code at the door", rc->error, t->error, ~0ull);
    compare(run, "rule at the door", rc->by ? rc->by : rc->rule, t->rule, ~0ull);
    first = t->has_error && !real ? 1 : 0;
    if (first != 0)
        compare(run, "error code on the stack", rc->error, frame_word(run, 0), ~0ull);
    compare(run, "rip on the stack", rip, frame_word(run, first), real ? 0xFFFF : 0xFFFFFFFF);
    compare(run, "cs on the stack", cs, frame_word(run, first + 1), 0xFFFF);
}

/* What the door showed as the target is where the processor stands after the step. An error code that a task switch
 * pushes behind the door, and the instruction that follows INIT at once, are no part of the transition. */
static void compare_target(struct run *run)
{
    const struct transition *t = last_seen(run);
    struct ring_state now = ring_state_of(run->m.cpu, run->m.cpu->arch.rip);

    if (t == NULL || t->mechanism == MECH_INIT)
        return;
    compare(run, "door's rip", now.rip, t->to.rip, ~0ull);
    compare(run, "door's rflags", now.rflags, t->to.rflags, ~0ull);
    compare(run, "door's cs", now.cs, t->to.cs, ~0ull);
    compare(run, "door's ss", now.ss, t->to.ss, ~0ull);
    compare(run, "door's cpl", now.cpl, t->to.cpl, ~0ull);
    compare(run, "door's mode", now.mode, t->to.mode, ~0ull);
    compare(run, "door's cr3", now.cr3, t->to.cr3, ~0ull);
    compare(run, "door's gs base", now.gs_base, t->to.gs_base, ~0ull);
    if (t->mechanism != MECH_TASK_SWITCH)
        compare(run, "door's rsp", now.rsp, t->to.rsp, ~0ull);
}

/* ---- which instruction a step executes */

/* The case's own instruction that is next. */
struct next {
    bool known;         /* nothing waits to be delivered before it */
    bool interruptible; /* but for an interrupt that may be */
    struct insn insn;
    u64 rip, retired;
};

static struct next next_instruction(const struct run *run)
{
    const struct cpu *cpu = run->m.cpu;
    const struct cpu_arch *a = &cpu->arch;
    struct next next = {.rip = a->rip, .retired = clock_retired(cpu->clock), .interruptible = run->m.irq != NO_IRQ};
    u64 at = a->rip - run->m.code_rip;
    u8 bytes[15];

    if (cpu->host.engine->pending || a->pending_debug || a->nmi_pending || a->init_pending || a->activity != ACTIVE ||
        at >= run->rc->code_size)
        return next;
    memset(bytes, 0x90, sizeof bytes); /* what stands behind the code */
    memcpy(bytes, run->rc->code + at, run->rc->code_size - at < sizeof bytes ? run->rc->code_size - at : sizeof bytes);
    next.known = insn_decode(&next.insn, bytes, sizeof bytes, cpu->d.decode_key, &cpu->model) == DECODE_OK;
    return next;
}

/* Whether the exception is one of the fetch, or a breakpoint: they may come at every instruction. */
static bool is_of_fetch(const struct run *run, const struct next *next, const struct interrupt_event *event)
{
    u64 linear = next->rip + (run->m.cpu->d.mode == MODE_LONG ? 0 : run->m.cpu->arch.seg[CS].base);

    return event->vector == VEC_DB || (event->vector == VEC_PF && event->cr2 - linear < 15) ||
           (event->vector == VEC_GP && (event->rule == RULE_NX_07 || event->rule == RULE_SG_04 ||
                                        event->rule == RULE_CA_02 || event->rule == RULE_VM_03));
}

/* The step executed that instruction, unless an interrupt took its place or its fetch faulted: count its row, and hold
 * what it raised against what the row declares. */
static void check_step(struct run *run, const struct next *next, u32 *rows)
{
    const struct engine *e = run->m.cpu->host.engine;
    bool raised = e->pending && !next->interruptible;

    if (!next->known || (clock_retired(run->m.cpu->clock) == next->retired && !raised))
        return;
    if (raised && !insn_may_raise_vector(&next->insn, e->event.vector)) {
        if (is_of_fetch(run, next, &e->event))
            return;
        complain(run, "%s (%s) raised vector %u by %s, which src/cpu/isa/raises.def does not declare",
                 insn_rows[next->insn.row].mnemonic, insn_rows[next->insn.row].source, e->event.vector,
                 rule_name((enum rule)e->event.rule));
    }
    if (rows != NULL)
        rows[next->insn.row]++;
}

/* ---- running */

static void execute(struct run *run, u32 *rows)
{
    struct cpu *cpu = run->m.cpu;
    unsigned steps = run->rc->steps ? run->rc->steps : 1, seen = 0;
    struct next next;

    for (unsigned i = 0; i < steps; i++) {
        for (const struct patch *p = run->rc->setup; p != NULL && p->kind != PATCH_NONE; p++)
            if (p->kind == PATCH_LATER && p->limit == i)
                patch_location(&run->m, &(struct patch){.kind = PATCH_PUT, .where = p->where, .value = p->value});
        seen = run->m.seen_count;
        next = next_instruction(run);
        advance(run);
        check_step(run, &next, rows);
    }
    if (run->m.seen_count != seen && !(run->rc->flags & CASE_UNPINNED))
        compare_target(run);
    if (cpu->host.stop == STOP_UNIMPLEMENTED)
        complain(run, "stopped: %s", cpu->host.stop_text);
}

static void count_hits(const struct run *run, struct rule_hits *hits)
{
#ifdef RINGSIDE_COVERAGE
    for (unsigned side = 0; side < 2 && hits != NULL; side++)
        for (unsigned r = 0; r < RULES; r++)
            if (r == run->rc->rule || r == run->rc->by) /* what others pass by proves nothing */
                hits->side[side][r] += run->m.cpu->host.rule_hits[side][r];
#else
    (void)run;
    (void)hits;
#endif
}

static void run_case(struct run *run, enum cpu_vendor vendor, enum engine_kind engine, struct conform_result *result,
                     struct rule_hits *hits, u32 *rows)
{
    const struct rule_case *rc = run->rc;
    struct error err = {0};

    if (!preset_open(&run->m, run->index, vendor, &err)) {
        fprintf(result->details, "%s\n", err.text);
        result->failed++;
        return;
    }
    engine_select(run->m.cpu, engine);
    prepare(run);
    if (run->watch != NULL)
        run->watch->prepared(run->watch->context, &run->m);
    execute(run, rows);
    if (!(rc->flags & CASE_UNPINNED)) {
        compare_fault(run);
        compare_seen(run);
        compare_state(run);
        if ((rc->flags & CASE_FAULTS) && !(rc->flags & CASE_NO_DELIVERY) && run->faults_found == 0)
            deliver_fault(run);
    }
    if (run->watch != NULL)
        run->watch->done(run->watch->context, &run->m);
    count_hits(run, hits);
    preset_close(&run->m);
    if (run->faults_found != 0)
        result->failed++;
    else if (rc->flags & CASE_UNPINNED)
        result->unsettled++;
    else
        result->passed++;
}

void rule_run(const struct rule_case *rc, enum preset_index index, enum cpu_vendor vendor, enum engine_kind engine,
              struct conform_result *result, struct rule_hits *hits, u32 *rows)
{
    struct run run = {.rc = rc, .index = index, .out = result->details};

    run_case(&run, vendor, engine, result, hits, rows);
}

void rule_run_watched(const struct rule_case *rc, enum preset_index index, enum cpu_vendor vendor,
                      struct conform_result *result, const struct rule_watch *watch)
{
    struct run run = {.rc = rc, .index = index, .out = result->details, .watch = watch};

    run_case(&run, vendor, ENGINE_STEP, result, NULL, NULL);
}

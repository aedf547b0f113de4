/* SPDX-License-Identifier: MIT
 * One event as text: one line, explained, or JSON.
 */
#include "msr/msr.h"
#include "trace/trace.h"
#include "trace/view/msr_words.h"
#include "trace/words.h"

typedef unsigned long long ull;

static void print_module(FILE *out, const struct event_record *e)
{
    struct guest_module module;

    event_get_module(e, &module);
    fprintf(out, "  %s at %llx, %llu bytes", module.name, (ull)module.base, (ull)module.size);
}

static void print_new_task(FILE *out, const struct event_record *e)
{
    struct guest_task task;

    event_get_task(e, &task);
    if (!task.known)
        fprintf(out, "  not known");
    words_task(out, "  ", &task);
    if (task.known && task.tgid != task.pid)
        fprintf(out, " of process %u", task.tgid);
}

static void print_side(FILE *out, const struct event_record *e, const struct names *names)
{
    const char *msr;

    switch (e->kind) {
    case EVENT_KIND_WRMSR:
        msr = msr_name(e->number);
        if (msr)
            fprintf(out, "  %s", msr);
        else
            fprintf(out, "  MSR %08x", e->number);
        fprintf(out, " %llx -> %llx", (ull)e->old_value, (ull)e->new_value);
        break;
    case EVENT_KIND_INPUT: fprintf(out, "  %s, %llu bytes", event_input_name(e->number), (ull)e->new_value); return;
    case EVENT_KIND_SWAPGS: fprintf(out, "  GS.base %llx <-> %llx", (ull)e->old_value, (ull)e->new_value); break;
    case EVENT_KIND_UNDELIVERED:
        words_cause(out, e);
        if (e->vector == VEC_PF)
            fprintf(out, "  cr2=%llx", (ull)e->cr2);
        words_rule(out, e);
        break;
    case EVENT_KIND_TASK: print_new_task(out, e); return;
    case EVENT_KIND_MODULE: print_module(out, e); return;
    case EVENT_KIND_KERNEL:
        if (e->number == 1)
            fprintf(out, "  runs %llx bytes from where it was linked to run", (ull)e->new_value);
        else
            fprintf(out, "  not known any more");
        return;
    default: fprintf(out, "  %llx -> %llx", (ull)e->old_value, (ull)e->new_value); break;
    }
    fprintf(out, "  at ");
    words_place(out, names, e->from_cs, e->from_rip, e->from_mode);
}

static const struct trace_telling nothing_known;

void trace_print_line(FILE *out, u64 id, const struct event_record *e, const struct trace_telling *t)
{
    if (!t)
        t = &nothing_known;
    fprintf(out, "%s#%-6llu t=%-10llu ", t->color ? words_color(e) : "", (ull)id, (ull)e->ticks);
    if (t->task && t->task->known) {
        words_task(out, "", t->task);
        fprintf(out, "  ");
    }
    if (!event_is_transition(e)) {
        fprintf(out, "%u    %s", e->from_cpl, event_kind_name(e->kind));
        print_side(out, e, t->names);
        fprintf(out, "%s\n", t->color ? COLOR_END : "");
        return;
    }
    fprintf(out, "%u→%u  %s", e->from_cpl, e->to_cpl, event_mechanism_name(e->mechanism));
    words_cause(out, e);
    fprintf(out, "  ");
    words_place(out, t->names, e->from_cs, e->from_rip, e->from_mode);
    fprintf(out, " -> ");
    words_place(out, t->names, e->to_cs, e->to_rip, e->to_mode);
    if (e->from_mode != e->to_mode)
        fprintf(out, "  %s->%s", event_mode_name(e->from_mode), event_mode_name(e->to_mode));
    if (e->to_rsp != e->from_rsp)
        fprintf(out, "  rsp %llx->%llx", (ull)e->from_rsp, (ull)e->to_rsp);
    if (e->present & EVENT_HAS_VECTOR && e->vector == VEC_PF && e->mechanism == MECH_FAULT)
        fprintf(out, "  cr2=%llx", (ull)e->cr2);
    if (e->present & EVENT_HAS_REGISTERS)
        fprintf(out, "  rax=%llu", (ull)e->rax);
    if (e->present & EVENT_HAS_RESULT)
        fprintf(out, "  rax=%llx", (ull)e->rax);
    if (e->from_cr3 != e->to_cr3)
        fprintf(out, "  cr3 %llx->%llx", (ull)e->from_cr3, (ull)e->to_cr3);
    words_rule(out, e);
    fprintf(out, "%s\n", t->color ? COLOR_END : "");
}

static void print_stack(FILE *out, const struct event_record *e)
{
    fprintf(out, "    stack  %04x:%llx -> %04x:%llx, ", e->from_ss, (ull)e->from_rsp, e->to_ss, (ull)e->to_rsp);
    if (e->stack_source == STACK_IST)
        fprintf(out, "taken from TSS.IST%u\n", e->ist);
    else if (e->stack_source == STACK_TSS_RSP)
        fprintf(out, "taken from TSS.RSP%u\n", e->to_cpl);
    else if (e->stack_source == STACK_TSS_SS_ESP)
        fprintf(out, "taken from TSS.SS%u:ESP%u\n", e->to_cpl, e->to_cpl);
    else if (e->stack_source == STACK_UNCHANGED)
        fprintf(out, e->from_rsp == e->to_rsp ? "left as it was\n" : "the same stack, grown or shrunk by the frame\n");
    else
        fprintf(out, "from: %s\n", event_stack_name(e->stack_source));
}

void trace_print_verbose(FILE *out, u64 id, const struct event_record *e, const struct trace_telling *t)
{
    if (!t)
        t = &nothing_known;
    if (!event_is_transition(e)) {
        trace_print_line(out, id, e, t);
        return;
    }
    fprintf(out, "%s#%llu  %s%s", t->color ? words_color(e) : "", (ull)id, mechanism_text((enum mechanism)e->mechanism),
            t->color ? COLOR_END : "");
    words_task(out, ", in ", t->task);
    fprintf(out, "\n    from   %s, %s code, ", words_ring(e->from_cpl), event_mode_name(e->from_mode));
    words_place(out, t->names, e->from_cs, e->from_rip, e->from_mode);
    fprintf(out, "\n    to     %s, %s code, ", words_ring(e->to_cpl), event_mode_name(e->to_mode));
    words_place(out, t->names, e->to_cs, e->to_rip, e->to_mode);
    fprintf(out, "\n    time   tick %llu, after %llu instructions\n", (ull)e->ticks, (ull)e->retired);
    if (e->present & EVENT_HAS_VECTOR) {
        const char *name = event_exception_name(e->mechanism, e->vector);

        fprintf(out, "    vector %u (0x%02x)%s%s\n", e->vector, e->vector, name ? " " : "", name ? name : "");
    }
    if (e->present & EVENT_HAS_ERROR) {
        fprintf(out, "    error  %08x", e->error);
        words_error(out, ": ", e);
        fputc('\n', out);
    }
    if (e->present & EVENT_HAS_VECTOR && e->vector == VEC_PF && e->mechanism == MECH_FAULT)
        fprintf(out, "    cr2    %llx\n", (ull)e->cr2);
    if (e->gate)
        fprintf(out, "    gate   %s, to selector %04x, DPL %u\n", event_gate_name(e->gate), e->gate_selector,
                e->gate_dpl);
    print_stack(out, e);
    for (unsigned i = 0; i < e->msrs && i < 3; i++) {
        u64 value = event_get(e, EVENT_msr0 + i);

        fprintf(out, "    read   %s = %llx", words_msr(e, i), (ull)value);
        msr_print_meaning(out, t->names, words_msr_number(e, i), value, e->cpu);
        fputc('\n', out);
    }
    if (e->from_cr3 != e->to_cr3)
        fprintf(out, "    cr3    %llx -> %llx\n", (ull)e->from_cr3, (ull)e->to_cr3);
    if (e->from_rflags != e->to_rflags) {
        fprintf(out, "    flags  ");
        words_flags(out, e->from_rflags);
        fprintf(out, " -> ");
        words_flags(out, e->to_rflags);
        fputc('\n', out);
    }
    if (e->rule && e->rule < RULES)
        fprintf(out, "    rule   %s, %s: %s\n", rule_name((enum rule)e->rule), rule_subject((enum rule)e->rule),
                rule_text((enum rule)e->rule));
}

static void json_known(FILE *out, const struct event_record *e, const struct trace_telling *t)
{
    char name[NAMES_LONGEST];

    if (t->task && t->task->known) {
        fprintf(out, ",\"pid\":%u,\"tgid\":%u,\"comm\":", t->task->pid, t->task->tgid);
        words_json(out, t->task->comm);
    }
    if (!t->names)
        return;
    if (names_format(t->names, e->from_rip, name, sizeof name)) {
        fprintf(out, ",\"from.symbol\":");
        words_json(out, name);
    }
    if (names_format(t->names, e->to_rip, name, sizeof name)) {
        fprintf(out, ",\"to.symbol\":");
        words_json(out, name);
    }
}

void trace_print_json(FILE *out, u64 id, const struct event_record *e, const struct trace_telling *t)
{
    fprintf(out, "{\"id\":%llu", (ull)id);
    json_known(out, e, t ? t : &nothing_known);
    for (unsigned i = 0; i < EVENT_FIELDS; i++) {
        const struct event_field_info *f = event_field_info(i);
        u64 value = event_get(e, i);

        /* What is not present in this event is left out; times, kinds and sides always stand. */
        if (value == 0 && i != EVENT_kind && i != EVENT_mechanism && i != EVENT_from_cpl && i != EVENT_to_cpl &&
            i != EVENT_from_mode && i != EVENT_to_mode && i != EVENT_ticks && i != EVENT_retired &&
            !(i == EVENT_vector && e->present & EVENT_HAS_VECTOR) &&
            !(i == EVENT_error && e->present & EVENT_HAS_ERROR) &&
            !(i == EVENT_rax && e->present & (EVENT_HAS_REGISTERS | EVENT_HAS_RESULT)))
            continue;
        if (i == EVENT_present || (i == EVENT_mechanism && !event_is_transition(e)))
            continue;
        fprintf(out, ",\"%s\":", f->json);
        switch (i) {
        case EVENT_kind: fprintf(out, "\"%s\"", event_kind_name(e->kind)); break;
        case EVENT_mechanism: fprintf(out, "\"%s\"", event_mechanism_name(e->mechanism)); break;
        case EVENT_from_mode:
        case EVENT_to_mode: fprintf(out, "\"%s\"", event_mode_name((unsigned)value)); break;
        case EVENT_gate: fprintf(out, "\"%s\"", event_gate_name(e->gate)); break;
        case EVENT_stack_source: fprintf(out, "\"%s\"", event_stack_name(e->stack_source)); break;
        case EVENT_rule:
            fprintf(out, "\"%s\"", e->rule < RULES ? rule_name((enum rule)e->rule) : "?");
            fprintf(out, ",\"rule.text\":\"%s\"", rule_text((enum rule)e->rule));
            break;
        case EVENT_error:
            fprintf(out, "%u", e->error);
            if (words_error(out, ",\"error.text\":\"", e))
                fputc('"', out);
            break;
        default:
            /* Numbers past 2^53 do not survive every JSON reader: addresses, values and bits are strings of hex. */
            if (f->size == 8 && i != EVENT_ticks && i != EVENT_retired && i != EVENT_sequence)
                fprintf(out, "\"0x%llx\"", (ull)value);
            else
                fprintf(out, "%llu", (ull)value);
        }
    }
    fprintf(out, "}\n");
}

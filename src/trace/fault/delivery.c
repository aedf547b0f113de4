/* SPDX-License-Identifier: MIT
 * How far the delivery of a fault came, and where it failed: gate, code segment, TSS, stack, frame.
 */
#include "trace/descriptor_words.h"
#include "trace/fault/page.h"

#include "cpu/rule.h"
#include "mmu/paging.h"

typedef unsigned long long ull;

/* The parts of a delivery, in the order in which it comes to them. */
enum part { PART_GATE, PART_TARGET, PART_TSS, PART_STACK, PART_FRAME, PART_ENTRY, PART_TASK, PART_UNKNOWN };

static bool inside(u64 address, u64 from, u64 bytes) { return address - from < bytes; }

static enum part part_of_page_fault(const struct retrace *t, u64 cr2)
{
    if (inside(cr2, t->gate.address, t->gate.bytes))
        return PART_GATE;
    if (t->target.asked && inside(cr2, t->target.address, t->target.bytes))
        return PART_TARGET;
    if (t->tss_asked && inside(cr2, t->tss_address, t->tss_bytes))
        return PART_TSS;
    if (t->stack_segment.asked && inside(cr2, t->stack_segment.address, t->stack_segment.bytes))
        return PART_STACK;
    if (t->stack_known && inside(cr2, t->frame, t->words * t->word_bytes))
        return PART_FRAME;
    return PART_UNKNOWN;
}

/* Which part refused: a page fault says it by its address, another fault by its rule. */
static enum part failed_part(const struct retrace *t, const struct fault_site *raised)
{
    if (raised == NULL)
        return PART_UNKNOWN;
    if (raised->vector == VEC_PF)
        return part_of_page_fault(t, raised->cr2);
    switch (raised->rule) {
    case RULE_ID_01:
    case RULE_ID_02:
    case RULE_ID_03:
    case RULE_ID_04:
    case RULE_ID_22: return PART_GATE;
    case RULE_RM_01: return raised->vector == VEC_SS ? PART_STACK : PART_GATE;
    case RULE_ID_05:
    case RULE_ID_06:
    case RULE_ID_07:
    case RULE_ID_18: return PART_TARGET;
    case RULE_ID_09: return t->tss_inside ? PART_STACK : PART_TSS;
    case RULE_ID_10:
    case RULE_ID_24: return PART_STACK;
    case RULE_ID_23: return PART_ENTRY;
    default: return t->kind == GATE_TASK ? PART_TASK : PART_UNKNOWN;
    }
}

/* ---- tables */

static void print_entry(FILE *out, const struct retrace_entry *e, bool long_mode)
{
    fprintf(out, " at %llx: ", (ull)e->address);
    if (!e->in_table) {
        fputs("past the end of its table", out);
        return;
    }
    if (!e->known) {
        fputs("its memory cannot be read", out);
        return;
    }
    words_raw(out, &e->d, e->bytes);
    fputs("  ", out);
    if (e->bytes == 4)
        fprintf(out, "to %04x:%04llx", e->d.selector, (ull)e->d.offset);
    else
        words_descriptor(out, &e->d, long_mode);
}

static void print_gate(FILE *out, const char *label, const struct fault_registers *r, unsigned vector,
                       const struct retrace_entry *gate, const struct names *names)
{
    fault_page_label(out, label);
    fprintf(out, "%s %02x", gate->bytes == 4 ? "IVT" : "IDT", vector);
    print_entry(out, gate, r->efer & EFER_LMA);
    if (!gate->in_table)
        fprintf(out, " (base %llx, limit %x)", (ull)r->idtr_base, r->idtr_limit);
    if (gate->known && gate->bytes != 4)
        fault_page_symbol(out, names, gate->d.offset);
    fputc('\n', out);
}

static void print_descriptor(FILE *out, const char *label, const struct fault_registers *r,
                             const struct retrace_entry *e)
{
    fault_page_label(out, label);
    if (selector_is_null(e->selector))
        fprintf(out, "selector %04x, which is null\n", e->selector);
    else {
        words_selector(out, e->selector);
        print_entry(out, e, r->efer & EFER_LMA);
        fputc('\n', out);
    }
}

/* Whether the page shows this address as gate or handler of a step. */
static bool shows(const struct fault_step *step, const struct fault_registers *r, u64 address)
{
    struct retrace_memory memory = fault_step_memory(step);
    struct retrace t = retrace_delivery(r, step->site.vector, step->site.has_error, step->site.error, &memory);

    return t.gate.address == address || (t.target.asked && t.target.address == address);
}

void fault_page_named(FILE *out, const struct fault_chain *chain, unsigned i, const struct fault_registers *r)
{
    const struct fault_step *step = &chain->step[i];
    const struct fault_site *site = &step->site;
    struct retrace_memory memory = fault_step_memory(step);
    bool gate = (site->error & 2) != 0;
    struct retrace_entry e;

    if (!site->has_error || site->vector < VEC_TS || site->vector > VEC_GP || site->error < 4)
        return;
    e = gate ? retrace_gate(r, (site->error >> 3) & 0xFF, &memory)
             : retrace_descriptor(r, site->error & 0xFFFC, &memory);
    if ((fault_chain_fate(chain, i) == FATE_FAILED && shows(step, r, e.address)) ||
        (i > 0 && shows(&chain->step[i - 1], r, e.address)))
        return;
    if (gate)
        print_gate(out, "entry", r, (site->error >> 3) & 0xFF, &e, NULL);
    else
        print_descriptor(out, "selector", r, &e);
}

/* ---- stack and frame */

static void print_tss(FILE *out, const struct fault_registers *r, const struct retrace *t)
{
    fault_page_label(out, "TSS");
    if (t->stack_source == STACK_IST)
        fprintf(out, "IST%u", t->ist);
    else if (t->stack_source == STACK_TSS_RSP)
        fprintf(out, "RSP%u", t->new_cpl);
    else
        fprintf(out, "SS%u:ESP%u", t->new_cpl, t->new_cpl);
    fprintf(out, " at %llx, in the TSS %04x of base %llx and limit %x: ", (ull)t->tss_address, r->tr.selector,
            (ull)r->tr.base, r->tr.limit);
    if (!t->tss_inside)
        fputs("past its end\n", out);
    else if (!t->tss_known)
        fputs("its memory cannot be read\n", out);
    else if (t->stack_source == STACK_TSS_SS_ESP)
        fprintf(out, "%04x:%llx\n", t->stack_segment.selector, (ull)t->sp);
    else
        fprintf(out, "%llx\n", (ull)t->sp);
}

static void print_stack(FILE *out, const struct retrace *t)
{
    fault_page_label(out, "stack");
    fprintf(out, "%llx%s\n", (ull)t->sp,
            t->stack_source != STACK_UNCHANGED ? ", from the TSS"
            : t->word_bytes == 8               ? ", the present one, aligned to 16 bytes"
                                               : ", the present one");
}

/* What memory holds now where a word was to go. RF of the flags is set by some events and not by others. */
static const char *found(const struct fault_step *step, const struct retrace *t, unsigned i, u64 *value)
{
    struct retrace_memory memory = fault_step_memory(step);
    u64 ignored = strcmp(t->word_name[i], "RFLAGS") == 0 ? FLAG_RF : 0;
    u8 bytes[8] = {0};

    *value = 0;
    if (!memory.read(memory.context, DATA_FRAME, t->frame + i * t->word_bytes, bytes, t->word_bytes))
        return "not written: its memory is not mapped";
    *value = load_le64(bytes);
    return ((*value ^ t->word[i]) & ~ignored) == 0 ? "is there" : NULL;
}

static void print_frame(FILE *out, const struct fault_step *step, const struct retrace *t, enum part failed,
                        const struct fault_site *raised)
{
    int digits = t->word_bytes * 2;

    fault_page_label(out, "frame");
    fprintf(out, "%u words of %u bytes, to be pushed at %llx\n", t->words, t->word_bytes, (ull)t->frame);
    for (unsigned i = t->words; i-- > 0;) {
        u64 at = t->frame + i * t->word_bytes, value;
        const char *words = found(step, t, i, &value);

        fault_page_label(out, "");
        fprintf(out, "%0*llx  %0*llx  %-10s  ", t->word_bytes == 8 ? 16 : 8, (ull)at, digits, (ull)t->word[i],
                t->word_name[i]);
        if (failed == PART_FRAME && raised->vector == VEC_PF && inside(raised->cr2, at, t->word_bytes))
            fputs("<- this push failed\n", out);
        else if (words != NULL)
            fprintf(out, "%s\n", words);
        else
            fprintf(out, "not there: memory holds %llx\n", (ull)value);
    }
}

/* ---- where it failed */

static void print_failure(FILE *out, const struct retrace *t, enum part failed, const struct fault_site *raised,
                          unsigned vector)
{
    bool unread = raised->vector == VEC_PF;

    fault_page_label(out, "failed");
    switch (failed) {
    case PART_GATE:
        fprintf(out, "at the gate: %s\n",
                unread                                ? "its memory could not be read"
                : !t->gate.in_table                   ? "the vector lies past the table's limit"
                : t->gate.known && !t->kind           ? "this is no gate of the present mode"
                : t->gate.known && !t->gate.d.present ? "it is not present"
                                                      : "it was refused");
        break;
    case PART_TARGET:
        fprintf(out, "at the handler's code segment: %s\n",
                unread                                    ? "its descriptor could not be read"
                : selector_is_null(t->gate.d.selector)    ? "the gate's selector is null"
                : !t->target.in_table                     ? "the selector lies past the end of its table"
                : t->target.known && !t->target.d.present ? "it is not present"
                                                          : "the descriptor is not what a handler needs");
        break;
    case PART_TSS:
        fputs(unread ? "at the TSS: its memory could not be read\n" : "at the TSS: it is too short\n", out);
        break;
    case PART_STACK:
        fprintf(out, "at the stack: %s\n",
                unread                       ? "its descriptor could not be read"
                : raised->rule == RULE_ID_10 ? "its pointer is not a canonical address"
                : raised->rule == RULE_ID_09 ? "the TSS's SS is not a stack for this ring"
                                             : "it has no room for the frame");
        break;
    case PART_FRAME: fprintf(out, "at the push of the frame: address %llx\n", (ull)raised->cr2); break;
    case PART_ENTRY: fputs("at the handler's address: past its segment's limit, or not canonical\n", out); break;
    case PART_TASK: fputs("in the task switch\n", out); break;
    case PART_UNKNOWN: fprintf(out, "where, is not known from what was kept (vector %u)\n", vector); break;
    }
}

void fault_page_delivery(FILE *out, const struct fault_step *step, const struct fault_registers *r,
                         const struct fault_site *raised, const struct names *names)
{
    struct retrace_memory memory = fault_step_memory(step);
    const struct fault_site *site = &step->site;
    struct retrace t = retrace_delivery(r, site->vector, site->has_error, site->error, &memory);
    enum part failed = failed_part(&t, raised);

    print_gate(out, "gate", r, site->vector, &t.gate, names);
    if (failed > PART_GATE && t.target.asked)
        print_descriptor(out, t.kind == GATE_TASK ? "task" : "handler", r, &t.target);
    if (failed > PART_TARGET && t.tss_asked)
        print_tss(out, r, &t);
    if (failed > PART_TSS && t.stack_segment.asked)
        print_descriptor(out, "SS", r, &t.stack_segment);
    if (failed > PART_TSS && t.stack_known) {
        print_stack(out, &t);
        print_frame(out, step, &t, failed, raised);
    }
    if (raised != NULL)
        print_failure(out, &t, failed, raised, site->vector);
}

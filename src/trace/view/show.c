/* SPDX-License-Identifier: MIT
 * Everything about one event: before and after, the task and its call, the frame word by word, registers, gate, MSRs
 * and the rule; then what was kept of the guest's memory (show_data.c).
 */
#include "trace/capture.h"
#include "trace/decode.h"
#include "trace/fault/page.h"
#include "trace/view/locate.h"
#include "trace/view/msr_words.h"
#include "trace/view/show_data.h"
#include "trace/view/views.h"
#include "trace/words.h"

typedef unsigned long long ull;

static void row(FILE *out, const char *name, u64 before, u64 after)
{
    fprintf(out, "  %-15s %18llx  %18llx%s\n", name, (ull)before, (ull)after, before != after ? "  *" : "");
}

/* The same, with the symbols that the values have. */
static void row_symbols(FILE *out, const struct names *names, const char *name, u64 before, u64 after)
{
    char from[NAMES_LONGEST], to[NAMES_LONGEST];
    bool has_from = names_format(names, before, from, sizeof from), has_to = names_format(names, after, to, sizeof to);

    fprintf(out, "  %-15s %18llx  %18llx%s", name, (ull)before, (ull)after, before != after ? "  *" : "");
    if (before == after)
        fprintf(out, "%s%s", has_to ? "  " : "", to);
    else if (has_from || has_to)
        fprintf(out, "  %s%s->%s%s", from, has_from ? " " : "", has_to ? " " : "", to);
    fputc('\n', out);
}

/* The same, with what the value after means. */
static void row_msr(FILE *out, const struct names *names, const char *name, u32 number, u64 before, u64 after,
                    unsigned cpu)
{
    fprintf(out, "  %-15s %18llx  %18llx%s", name, (ull)before, (ull)after, before != after ? "  *" : "");
    msr_print_meaning(out, names, number, after, cpu);
    fputc('\n', out);
}

static void sides(FILE *out, const struct names *names, const struct event_record *e)
{
    fprintf(out, "\n  %-15s %18s  %18s\n", "", "before", "after");
    row(out, "CPL", e->from_cpl, e->to_cpl);
    fprintf(out, "  %-15s %18s  %18s%s\n", "mode", event_mode_name(e->from_mode), event_mode_name(e->to_mode),
            e->from_mode != e->to_mode ? "  *" : "");
    row(out, "CS", e->from_cs, e->to_cs);
    row_symbols(out, names, "RIP", e->from_rip, e->to_rip);
    row(out, "SS", e->from_ss, e->to_ss);
    row(out, "RSP", e->from_rsp, e->to_rsp);
    row(out, "RFLAGS", e->from_rflags, e->to_rflags);
    row(out, "CR3", e->from_cr3, e->to_cr3);
    row_msr(out, names, "GS.base", 0xC0000101, e->from_gs_base, e->to_gs_base, e->cpu);
    row_msr(out, names, "KERNEL_GS_BASE", 0xC0000102, e->from_kernel_gs_base, e->to_kernel_gs_base, e->cpu);
}

/* Where Linux keeps the words of an interrupt's frame: they are the upper end of its struct pt_regs. */
static const char *pt_regs_slot(const char *meaning)
{
    static const struct {
        const char *meaning, *slot;
    } slots[] = {
        {"error code", "pt_regs.orig_ax"},
        {"EIP", "pt_regs.ip"},
        {"RIP", "pt_regs.ip"},
        {"CS", "pt_regs.cs"},
        {"EFLAGS", "pt_regs.flags"},
        {"RFLAGS", "pt_regs.flags"},
        {"ESP", "pt_regs.sp"},
        {"RSP", "pt_regs.sp"},
        {"SS", "pt_regs.ss"},
    };

    for (size_t i = 0; i < ARRAY_LEN(slots); i++)
        if (!strcmp(slots[i].meaning, meaning))
            return slots[i].slot;
    return NULL;
}

static void frame_word(FILE *out, const struct names *names, const struct event_record *e, unsigned i, bool pt_regs)
{
    const char *meaning = event_frame_meaning(e, i), *slot = meaning && pt_regs ? pt_regs_slot(meaning) : NULL;
    u64 word = event_frame_word(e, i);
    int digits = e->frame_word_bytes * 2;
    char symbol[NAMES_LONGEST];

    fprintf(out, "    %016llx  | %*s%0*llx |  %-10s", (ull)(e->frame_address + i * e->frame_word_bytes), 16 - digits,
            "", digits, (ull)word, meaning ? meaning : "");
    if (slot)
        fprintf(out, "  %-15s", slot);
    if (meaning && strstr(meaning, "FLAGS")) {
        fprintf(out, "  ");
        words_flags(out, word);
    } else if (meaning && strstr(meaning, "IP") && names_format(names, word, symbol, sizeof symbol)) {
        fprintf(out, "  %s", symbol);
    }
    fprintf(out, "%s\n", i ? "" : "   <- lowest address");
}

static void frame(FILE *out, const struct names *names, const struct event_record *e)
{
    bool popped = event_frame_is_popped(e);
    u64 offset;
    /* The kernel's own handlers only: what runs before it has others. */
    bool pt_regs = !popped && e->present & EVENT_HAS_VECTOR && e->to_cpl == 0 &&
                   names_lookup(names, e->to_rip, &offset, NULL) != NULL;

    if (!e->frame_words)
        return;
    fprintf(out, "\n  frame %s, %u words of %u bytes at %llx\n", popped ? "popped" : "pushed", e->frame_words,
            e->frame_word_bytes, (ull)e->frame_address);
    if (!(e->present & EVENT_HAS_FRAME) || e->frame_word_bytes > 8) {
        fprintf(out, "    (its memory could not be read when the event was recorded)\n");
        return;
    }
    for (unsigned i = e->frame_words < EVENT_FRAME_WORDS ? e->frame_words : EVENT_FRAME_WORDS; i-- > 0;)
        frame_word(out, names, e, i, pt_regs);
    if (e->frame_words > EVENT_FRAME_WORDS)
        fprintf(out, "    (%u more words above were not kept)\n", e->frame_words - EVENT_FRAME_WORDS);
    if (pt_regs && !(e->present & EVENT_HAS_ERROR))
        fprintf(out, "    (no error code: the kernel's stub fills pt_regs.orig_ax below it)\n");
}

static void registers(FILE *out, const struct event_record *e)
{
    if (e->present & EVENT_HAS_RESULT)
        fprintf(out, "\n  result  rax %llx\n", (ull)e->rax);
    if (!(e->present & EVENT_HAS_REGISTERS))
        return;
    fprintf(out, "\n  registers, as the new code finds them\n");
    for (unsigned i = EVENT_rax; i <= EVENT_r11; i++)
        fprintf(out, "    %-4s %016llx%s", event_field_info(i)->name, (ull)event_get(e, i),
                (i - EVENT_rax) % 3 == 2 || i == EVENT_r11 ? "\n" : "");
}

/* The system call as strace writes it, from the registers and the memory that was kept. */
static void decoded(FILE *out, struct trace_reader *r, const struct call *call, unsigned string_limit)
{
    struct linux_style style = {.string_limit = string_limit ? string_limit : CAPTURE_STRING};
    struct pieces pieces = {0};
    struct decoded d;

    show_collect(r, call->entry_id, &pieces);
    if (call->exit_id)
        show_collect(r, call->exit_id, &pieces);
    decode_call(&d, call, &pieces);
    fprintf(out, "    ");
    linux_print_call(out, &d.call, &style);
    if (d.call.returned) {
        fprintf(out, " = ");
        linux_print_result(out, &d.call, &style);
    }
    fprintf(out, "\n    number %llu of the %s table%s\n", (ull)call->number, words_abi(call->abi),
            call->syscall ? "" : ", which does not have it");
    pieces_free(&pieces);
}

static const char *end_words(enum call_end end)
{
    switch (end) {
    case CALL_OPEN:
    case CALL_NEVER: return "does not come back in this recording";
    case CALL_RETURNED: return "returned";
    case CALL_SIGNAL: return "a signal handler runs first";
    case CALL_RESTARTED: return "to be made again";
    case CALL_EXEC: return "to a new program";
    case CALL_RESUMED: return "to where a signal had interrupted";
    }
    return call_end_name(end);
}

static void call_of(FILE *out, struct trace_reader *r, u64 id, unsigned string_limit)
{
    struct call call;
    enum call_news news = locate_call(r, id, &call);

    if (news == CALL_STARTS_TASK)
        fprintf(out, "\n  to ring 3 without an entry: a new task, or one that had entered before the recording\n");
    if (news != CALL_BEGINS && news != CALL_ENDS && news != CALL_INSIDE)
        return;
    fprintf(out, "\n  %s %s",
            news == CALL_BEGINS ? "begins"
            : news == CALL_ENDS ? "ends"
                                : "inside",
            call.is_syscall ? "a system call"
            : call.nested   ? "an interruption of the kernel"
                            : "a stay in the kernel");
    if (news != CALL_BEGINS)
        fprintf(out, ", entered by #%llu", (ull)call.entry_id);
    if (news != CALL_ENDS && call.end != CALL_NEVER)
        fprintf(out, ", left by #%llu", (ull)call.exit_id);
    fprintf(out, " (%s)\n", end_words(call.end));
    if (call.is_syscall)
        decoded(out, r, &call, string_limit);
    if (call.end == CALL_NEVER)
        return;
    fprintf(out, "    %llu instructions, %llu transitions of this task between", (ull)call.insns_inside,
            (ull)call.events_inside);
    if (call.switched)
        fprintf(out, ", the processor given away %llu times", (ull)call.switched);
    fputc('\n', out);
}

static void print_event(FILE *out, struct trace_reader *r, u64 id, const struct event_record *e,
                        const struct trace_view *view)
{
    const struct names *names = trace_reader_names(r);
    struct trace_telling telling = {names, trace_reader_task(r), view && view->color};

    trace_print_verbose(out, id, e, &telling);
    sides(out, names, e);
    if (event_is_transition(e)) {
        frame(out, names, e);
        registers(out, e);
    }
    show_data(out, r, id, e);
    if (e->rule && e->rule < RULES && *rule_source((enum rule)e->rule))
        fprintf(out, "\n  source of the rule: %s\n", rule_source((enum rule)e->rule));
    if (event_is_transition(e))
        call_of(out, r, id, view ? view->string_limit : 0);
}

enum exit_code trace_show(FILE *out, const char *path, u64 id, const struct trace_view *view, struct error *err)
{
    struct trace_reader *r = trace_reader_open(path, err);
    const struct event_record *e;
    struct event_record kept;
    u64 found = 0, last;

    if (!r)
        return EXIT_FILE;
    last = trace_reader_events(r);
    trace_reader_seek(r, id);
    e = id ? trace_reader_next(r, NULL, &found) : NULL;
    if (!e || found != id) {
        error_set(err, EXIT_USAGE, "%s: there is no event #%llu that can be read (the last one is #%llu)", path,
                  (ull)id, (ull)last);
        view_close(r, path, view);
        return EXIT_USAGE;
    }
    kept = *e; /* the reader moves on */
    if (view && view->format == TRACE_JSON) {
        struct trace_telling telling = {trace_reader_names(r), trace_reader_task(r), false};

        trace_print_json(out, id, &kept, &telling);
    } else {
        print_event(out, r, id, &kept, view);
        if (fault_page_ends(&kept))
            fault_page_recorded(out, r, id);
    }
    view_close(r, path, view);
    return EXIT_OK;
}

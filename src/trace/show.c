/* SPDX-License-Identifier: MIT
 * Everything about one event: before and after, the frame word by word, registers, gate, MSRs and the rule.
 */
#include "trace/fault_page.h"
#include "trace/views.h"
#include "trace/words.h"

typedef unsigned long long ull;

static void row(FILE *out, const char *name, u64 before, u64 after)
{
    fprintf(out, "  %-15s %18llx  %18llx%s\n", name, (ull)before, (ull)after, before != after ? "  *" : "");
}

static void sides(FILE *out, const struct event_record *e)
{
    fprintf(out, "\n  %-15s %18s  %18s\n", "", "before", "after");
    row(out, "CPL", e->from_cpl, e->to_cpl);
    fprintf(out, "  %-15s %18s  %18s%s\n", "mode", event_mode_name(e->from_mode), event_mode_name(e->to_mode),
            e->from_mode != e->to_mode ? "  *" : "");
    row(out, "CS", e->from_cs, e->to_cs);
    row(out, "RIP", e->from_rip, e->to_rip);
    row(out, "SS", e->from_ss, e->to_ss);
    row(out, "RSP", e->from_rsp, e->to_rsp);
    row(out, "RFLAGS", e->from_rflags, e->to_rflags);
    row(out, "CR3", e->from_cr3, e->to_cr3);
    row(out, "GS.base", e->from_gs_base, e->to_gs_base);
    row(out, "KERNEL_GS_BASE", e->from_kernel_gs_base, e->to_kernel_gs_base);
}

static void frame(FILE *out, const struct event_record *e)
{
    int digits = e->frame_word_bytes * 2;

    if (!e->frame_words)
        return;
    fprintf(out, "\n  frame %s, %u words of %u bytes at %llx\n", event_frame_is_popped(e) ? "popped" : "pushed",
            e->frame_words, e->frame_word_bytes, (ull)e->frame_address);
    if (!(e->present & EVENT_HAS_FRAME)) {
        fprintf(out, "    (its memory could not be read when the event was recorded)\n");
        return;
    }
    for (unsigned i = e->frame_words < EVENT_FRAME_WORDS ? e->frame_words : EVENT_FRAME_WORDS; i-- > 0;) {
        const char *meaning = event_frame_meaning(e, i);

        fprintf(out, "    %016llx  | %*s%0*llx |  %s", (ull)(e->frame_address + i * e->frame_word_bytes), 16 - digits,
                "", digits, (ull)event_frame_word(e, i), meaning ? meaning : "");
        if (meaning && strstr(meaning, "FLAGS")) {
            fprintf(out, ": ");
            words_flags(out, event_frame_word(e, i));
        }
        fprintf(out, "%s\n", i ? "" : "   <- lowest address");
    }
    if (e->frame_words > EVENT_FRAME_WORDS)
        fprintf(out, "    (%u more words above were not kept)\n", e->frame_words - EVENT_FRAME_WORDS);
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

static void print_event(FILE *out, u64 id, const struct event_record *e, const struct trace_telling *t)
{
    trace_print_verbose(out, id, e, t);
    sides(out, e);
    if (!event_is_transition(e))
        return;
    frame(out, e);
    registers(out, e);
    if (e->rule && e->rule < RULES && *rule_source((enum rule)e->rule))
        fprintf(out, "\n  source of the rule: %s\n", rule_source((enum rule)e->rule));
}

enum exit_code trace_show(FILE *out, const char *path, u64 id, const struct trace_view *view, struct error *err)
{
    struct trace_reader *r = trace_reader_open(path, err);
    const struct event_record *e;
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
    struct trace_telling telling = {trace_reader_names(r), trace_reader_task(r), view && view->color};
    if (view && view->format == TRACE_JSON)
        trace_print_json(out, id, e, &telling);
    else
        print_event(out, id, e, &telling);
    if (!(view && view->format == TRACE_JSON) && fault_page_ends(e))
        fault_page_recorded(out, r, id);
    view_close(r, path, view);
    return EXIT_OK;
}

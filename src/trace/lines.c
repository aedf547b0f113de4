/* SPDX-License-Identifier: MIT
 * Events told as text. Each event for itself; or calls, where an entry and its exit share a line when nothing that is
 * shown came between, as strace does with system calls, and the two halves name each other when something did.
 */
#include "trace/lines.h"

#include <stdlib.h>
#include <string.h>

#include "trace/decode.h"
#include "trace/words.h"

typedef unsigned long long ull;

struct lines {
    FILE *out;
    struct lines_options options;
    struct calls *calls;
    u64 shown;
    u64 waiting;          /* shown entries whose exit is not shown yet */
    struct call *pending; /* an entry whose line is held back for its exit; NULL */
};

/* What a line keeps of an open call: call->user. */
struct open_line {
    struct pieces pieces;
    bool matches; /* the entry passed the filter */
    bool waits;   /* and its exit is looked for: exit() has none */
    bool told;    /* its own line was printed, as unfinished */
};

static void drop_call(void *context, struct call *call);

struct lines *lines_new(FILE *out, const struct lines_options *options)
{
    struct lines *l = calloc(1, sizeof *l);

    if (!l)
        abort();
    l->out = out;
    l->options = *options;
    l->calls = calls_new(options->linux_kernel);
    calls_on_drop(l->calls, drop_call, l);
    return l;
}

bool lines_full(const struct lines *l) { return (l->options.limit && l->shown >= l->options.limit) || ferror(l->out); }

bool lines_waiting(const struct lines *l) { return l->waiting != 0; }

/* ---- the parts of a line */

/* 1234567 as "1,234,567". */
static void print_count(FILE *out, u64 n)
{
    if (n >= 1000) {
        print_count(out, n / 1000);
        fprintf(out, ",%03llu", (ull)(n % 1000));
    } else {
        fprintf(out, "%llu", (ull)n);
    }
}

static void print_place(const struct lines *l, u64 id, const struct event_record *e, const struct guest_task *task)
{
    if (l->options.color)
        fputs(words_color(e), l->out);
    if (!l->options.no_place)
        fprintf(l->out, "#%-6llu t=%-10llu ", (ull)id, (ull)e->ticks);
    if (l->options.own && task && task->known && task->pid == *l->options.own)
        return;
    if (task && task->known) {
        words_task(l->out, "", task);
        fprintf(l->out, "  ");
    } else if (!l->options.no_place && e->from_cpl == 3) {
        fprintf(l->out, "cr3:%llx  ", (ull)e->from_cr3);
    }
}

static void end_line(struct lines *l)
{
    fputs(l->options.color ? COLOR_END "\n" : "\n", l->out);
    l->shown++;
}

static void decode(struct decoded *d, const struct call *call)
{
    const struct open_line *line = call->user;

    decode_call(d, call, &line->pieces);
}

static void print_system_call(const struct lines *l, const struct decoded *d, const struct call *call)
{
    struct linux_style style = {.string_limit = l->options.string_limit};

    linux_print_call(l->out, &d->call, &style);
    if (!call->exit_id)
        return;
    if (d->restarts) {
        fprintf(l->out, " = ? (to be made again%s)", d->interrupted ? " after a signal handler" : "");
        return;
    }
    fprintf(l->out, " = ");
    linux_print_result(l->out, &d->call, &style);
    if (d->interrupted)
        fprintf(l->out, " (a signal handler runs first)");
    else if (call->end == CALL_EXEC)
        fprintf(l->out, " (a new program)");
    else if (call->end == CALL_RESUMED)
        fprintf(l->out, " (back from a signal handler)");
}

/* What is no system call: the cause, where it happened, and what handles it. */
static void print_other(const struct lines *l, const struct call *call)
{
    const struct event_record *e = &call->entry;
    char name[NAMES_LONGEST];

    fprintf(l->out, "at ");
    words_place(l->out, l->options.names, e->from_cs, e->from_rip, e->from_mode);
    if (e->present & EVENT_HAS_VECTOR && e->vector == VEC_PF && e->mechanism == MECH_FAULT)
        fprintf(l->out, "  cr2=%llx", (ull)e->cr2);
    if (l->options.names && names_format(l->options.names, e->to_rip, name, sizeof name))
        fprintf(l->out, " -> %s", name);
    if (e->present & EVENT_HAS_REGISTERS)
        fprintf(l->out, "  rax=%llu", (ull)e->rax);
    words_rule(l->out, e);
    if (call->end == CALL_SIGNAL)
        fprintf(l->out, "  (back to another place, ");
    if (call->end == CALL_SIGNAL) {
        words_place(l->out, l->options.names, call->exit.to_cs, call->exit.to_rip, call->exit.to_mode);
        fprintf(l->out, ": a signal handler)");
    }
}

static void print_mechanism(const struct lines *l, const struct call *call)
{
    const struct event_record *e = &call->entry;

    fprintf(l->out, "%s", event_mechanism_name(e->mechanism));
    if (call->exit_id)
        fprintf(l->out, "→%s", event_mechanism_name(call->exit.mechanism));
    if (!call->is_syscall)
        words_cause(l->out, e);
    fprintf(l->out, "  ");
}

static void print_rings(const struct lines *l, const struct call *call)
{
    const struct event_record *e = &call->entry;

    fprintf(l->out, "%u→%u", e->from_cpl, e->to_cpl);
    if (call->exit_id)
        fprintf(l->out, "→%u", call->exit.to_cpl);
    fprintf(l->out, "  ");
}

static void print_cost(const struct lines *l, const struct call *call)
{
    if (!call->exit_id)
        return;
    fprintf(l->out, "  (");
    print_count(l->out, call->insns_inside);
    fprintf(l->out, " insns");
    if (call->switched)
        fprintf(l->out, ", other tasks ran %llu time%s", (ull)call->switched, call->switched == 1 ? "" : "s");
    fprintf(l->out, ")");
}

/* before, after: what shows that this is one half of a call */
static void print_call(struct lines *l, const struct call *call, const char *before, const char *after)
{
    struct decoded d;

    print_place(l, before[0] ? call->exit_id : call->entry_id, before[0] ? &call->exit : &call->entry, &call->task);
    if (!l->options.no_place) {
        print_rings(l, call);
        print_mechanism(l, call);
    }
    fputs(before, l->out);
    if (call->is_syscall) {
        decode(&d, call);
        print_system_call(l, &d, call);
    } else {
        if (l->options.no_place)
            print_mechanism(l, call);
        print_other(l, call);
    }
    fputs(after, l->out);
    if (l->options.no_place && call->is_syscall && call->exit_id) {
        fprintf(l->out, "  ");
        fprintf(l->out, "%s→%s", event_mechanism_name(call->entry.mechanism),
                event_mechanism_name(call->exit.mechanism));
    }
    print_cost(l, call);
    end_line(l);
}

/* ---- one object a call */

static void json_system_call(const struct lines *l, const struct call *call)
{
    struct linux_style style = {.string_limit = l->options.string_limit};
    struct decoded d;
    char *text = NULL, *arguments;
    size_t size;
    FILE *memory = open_memstream(&text, &size);

    if (!memory)
        abort();
    decode(&d, call);
    linux_print_call(memory, &d.call, &style);
    fclose(memory);
    fprintf(l->out, ",\"abi\":\"%s\",\"number\":%llu,\"name\":", words_abi(call->abi), (ull)call->number);
    arguments = strchr(text, '(');
    if (arguments) {
        *arguments++ = '\0';
        if (*arguments && arguments[strlen(arguments) - 1] == ')')
            arguments[strlen(arguments) - 1] = '\0';
    }
    words_json(l->out, text);
    fprintf(l->out, ",\"args\":");
    words_json(l->out, arguments ? arguments : "");
    free(text);
    if (!call->exit_id)
        return;
    text = NULL;
    memory = open_memstream(&text, &size);
    if (!memory)
        abort();
    if (d.restarts)
        fprintf(memory, "? RESTART");
    else
        linux_print_result(memory, &d.call, &style);
    fclose(memory);
    fprintf(l->out, ",\"result\":");
    words_json(l->out, text);
    free(text);
}

static void json_call(struct lines *l, const struct call *call)
{
    const struct event_record *e = &call->entry;

    fprintf(l->out, "{\"id\":%llu", (ull)call->entry_id);
    if (call->exit_id)
        fprintf(l->out, ",\"exit\":%llu,\"t\":%llu,\"t.exit\":%llu", (ull)call->exit_id, (ull)e->ticks,
                (ull)call->exit.ticks);
    if (call->task.known) {
        fprintf(l->out, ",\"pid\":%u,\"tgid\":%u,\"comm\":", call->task.pid, call->task.tgid);
        words_json(l->out, call->task.comm);
    } else {
        fprintf(l->out, ",\"cr3\":\"0x%llx\"", (ull)e->from_cr3);
    }
    fprintf(l->out, ",\"mech\":\"%s\",\"from.cpl\":%u,\"from.rip\":\"0x%llx\"", event_mechanism_name(e->mechanism),
            e->from_cpl, (ull)e->from_rip);
    if (e->present & EVENT_HAS_VECTOR)
        fprintf(l->out, ",\"vector\":%u", e->vector);
    if (e->present & EVENT_HAS_ERROR)
        fprintf(l->out, ",\"error\":%u", e->error);
    if (e->present & EVENT_HAS_VECTOR && e->vector == VEC_PF && e->mechanism == MECH_FAULT)
        fprintf(l->out, ",\"cr2\":\"0x%llx\"", (ull)e->cr2);
    if (call->is_syscall)
        json_system_call(l, call);
    fprintf(l->out, ",\"end\":\"%s\"", call_end_name(call->end));
    if (call->exit_id)
        fprintf(l->out, ",\"mech.exit\":\"%s\",\"insns\":%llu,\"switched\":%llu",
                event_mechanism_name(call->exit.mechanism), (ull)call->insns_inside, (ull)call->switched);
    fprintf(l->out, "}\n");
    l->shown++;
}

/* ---- calls */

static void free_line(struct call *call)
{
    struct open_line *line = call->user;

    if (line)
        pieces_free(&line->pieces);
    free(line);
    call->user = NULL;
}

/* Something else is shown now: the entry that was held back gets a line of its own. */
static void tell_pending(struct lines *l)
{
    struct call *call = l->pending;
    struct open_line *line;

    l->pending = NULL;
    if (!call)
        return;
    line = call->user;
    line->told = true;
    print_call(l, call, "", call->is_syscall ? " <unfinished ...>" : "");
}

static void tell_end(struct lines *l, struct call *call)
{
    struct open_line *line = call->user;
    bool held = l->pending == call;

    if (held)
        l->pending = NULL;
    else if (l->options.format != TRACE_JSON)
        tell_pending(l);
    if (l->options.format == TRACE_JSON)
        json_call(l, call);
    else if (held || !line->told)
        print_call(l, call, "", "");
    else
        print_call(l, call, call->is_syscall ? "<... resumed> " : "<... back> ", "");
    if (l->options.on_call && call->is_syscall) {
        struct decoded d;

        decode(&d, call);
        l->options.on_call(l->options.context, call, &d.call);
    }
}

static bool matches(const struct lines *l, u64 id, const struct event_record *e, const struct guest_task *task,
                    const struct call *call)
{
    struct trace_context context = {.id = id, .event = e, .task = task, .call = call};

    return trace_filter_match(l->options.filter, &context);
}

static void take_pieces(struct open_line *line, const struct pieces *pieces)
{
    for (size_t i = 0; pieces && i < pieces->count; i++) {
        struct data_piece piece = pieces_get(pieces, i);

        pieces_add(&line->pieces, (enum data_kind)piece.kind, piece.event, piece.address, piece.bytes, piece.size);
    }
}

static void call_begins(struct lines *l, struct call *call, u64 id, const struct event_record *e,
                        const struct guest_task *task, const struct pieces *pieces)
{
    struct open_line *line = calloc(1, sizeof *line);

    if (!line)
        abort();
    call->user = line;
    line->matches = matches(l, id, e, task, call);
    if (call->is_syscall)
        take_pieces(line, pieces);
    if (!line->matches)
        return;
    line->waits = !call->syscall || !linux_syscall_ends(call->syscall);
    l->waiting += line->waits;
    if (l->options.format == TRACE_JSON)
        return;
    tell_pending(l);
    l->pending = call;
}

static void call_ends(struct lines *l, struct call *call, u64 id, const struct event_record *e,
                      const struct guest_task *task, const struct pieces *pieces)
{
    struct open_line *line = call->user;

    if (call->is_syscall)
        take_pieces(line, pieces);
    l->waiting -= line->waits;
    /* The entry again: only now is it known how its call ended. */
    if (line->matches || matches(l, call->entry_id, &call->entry, &call->task, call) || matches(l, id, e, task, call))
        tell_end(l, call);
    if (call->end == CALL_SIGNAL && l->options.on_signal) {
        tell_pending(l);
        l->options.on_signal(l->options.context, call);
    }
    free_line(call);
}

/* A call that will not come back: exit(), or the end of the recording. */
static void drop_call(void *context, struct call *call)
{
    struct lines *l = context;
    struct open_line *line = call->user;

    if (!line)
        return;
    l->waiting -= line->waits;
    if (line->matches && !line->told && !lines_full(l)) {
        if (l->options.format == TRACE_JSON) {
            json_call(l, call);
        } else {
            if (l->pending != call)
                tell_pending(l);
            print_call(l, call, "", call->is_syscall ? " = ?" : "");
        }
    }
    if (l->pending == call)
        l->pending = NULL;
    free_line(call);
}

/* ---- events */

static void tell_event(struct lines *l, u64 id, const struct event_record *e, const struct guest_task *task,
                       const struct call *call)
{
    struct trace_telling t = {l->options.names, task, l->options.color};

    if (!matches(l, id, e, task, call))
        return;
    if (l->options.calls && l->options.format == TRACE_JSON)
        return; /* objects are calls */
    tell_pending(l);
    switch (l->options.format) {
    case TRACE_TEXT: trace_print_line(l->out, id, e, &t); break;
    case TRACE_VERBOSE: trace_print_verbose(l->out, id, e, &t); break;
    case TRACE_JSON: trace_print_json(l->out, id, e, &t); break;
    }
    l->shown++;
}

void lines_event(struct lines *l, u64 id, const struct event_record *e, const struct guest_task *task,
                 const struct pieces *pieces)
{
    struct call *call;
    enum call_news news = calls_event(l->calls, id, e, task, &call);

    for (size_t i = 0; news == CALL_ENDS && pieces && i < pieces->count; i++) {
        struct data_piece piece = pieces_get(pieces, i);

        call_signal_frame(call, &piece);
    }
    if (!l->options.calls) {
        tell_event(l, id, e, task, call);
        return;
    }
    switch (news) {
    case CALL_BEGINS: call_begins(l, call, id, e, task, pieces); break;
    case CALL_ENDS: call_ends(l, call, id, e, task, pieces); break;
    case CALL_NOTHING:
    case CALL_STARTS_TASK:
    case CALL_INSIDE: tell_event(l, id, e, task, call); break;
    }
}

void lines_free(struct lines *l)
{
    if (!l)
        return;
    if (l->options.calls)
        calls_finish(l->calls);
    calls_free(l->calls);
    free(l);
}

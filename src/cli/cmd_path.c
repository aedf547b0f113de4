/* SPDX-License-Identifier: MIT
 * ringside path: the walk of one crossing. The recording says where it begins and ends; the run is made again up to
 * there, and every instruction between the two is looked at. What passes the door on the way is compared with the
 * recording.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/console.h"
#include "cli/replay.h"
#include "trace/calls.h"
#include "trace/file/reader.h"
#include "trace/fill.h"
#include "trace/lines.h"
#include "trace/walk/vdso.h"
#include "trace/walk/walk.h"

typedef unsigned long long ull;

/* The replay steps from so many ticks before the entry: the user's last instructions are shown. */
#define LEAD_TICKS 64u
/* Of a call that never returns: when its task has not run for so many instructions, the walk ends. */
#define AWAY_LIMIT 5000000u

struct path_options {
    const char *words[2]; /* ID, FILE */
    unsigned word_count;
    struct walk_style style;
    enum walk_insns insns;
    enum color_choice color;
    bool json;
};

struct path {
    struct path_options options;
    const char *file;
    u64 id;
    struct trace_reader *reader;
    struct trace_properties run;
    struct event_record entry, exit;
    u64 exit_id; /* 0: it never returned */
    enum call_end end;
    /* The replay. */
    struct run_options run_options;
    struct console console;
    struct machine *machine;
    struct cpu_observer observer;
    struct trace_walk *walk;
    struct vdso *vdso;
    u64 compared;   /* event number of the recorded transition compared last */
    u64 after;      /* instructions since the walk ended */
    u64 away_since; /* retired when another task took over; 0: it has not */
    bool stopped;
    struct error *err; /* the replay differs: set, with EXIT_DIFFERENT */
    bool differs;
};

/* ---- options */

static bool parse_depth(struct path_options *o, const char *text, struct error *err)
{
    char *end;
    unsigned long depth = strtoul(text, &end, 10);

    if (end == text || *end != '\0' || *text == '-' || depth == 0 || depth > 10000)
        return error_set(err, EXIT_USAGE, "--depth wants a number of calls from 1, not '%s'", text);
    o->style.depth = (unsigned)depth;
    return true;
}

static bool apply(struct path_options *o, const char *name, const char *value, struct error *err)
{
    if (strcmp(name, "depth") == 0)
        return parse_depth(o, value, err);
    if (strcmp(name, "color") == 0)
        return cli_parse_color(&o->color, value, err);
    if (strcmp(value, "text") != 0 && strcmp(value, "json") != 0)
        return error_set(err, EXIT_USAGE, "--format %s: text or json", value);
    o->json = strcmp(value, "json") == 0;
    return true;
}

static bool parse_insns(struct path_options *o, const char *value, struct error *err)
{
    if (*value != '\0' && strcmp(value, "=stubs") != 0 && strcmp(value, "=all") != 0)
        return error_set(err, EXIT_USAGE, "--insns%s: --insns shows the stubs, --insns=all everything", value);
    o->insns = strcmp(value, "=all") == 0 ? WALK_INSNS_ALL : WALK_INSNS_STUBS;
    return true;
}

static bool parse_option(struct path_options *o, int argc, char **argv, int *i, struct error *err)
{
    static const char *const known[] = {"depth", "format", "color", "insns", "full", NULL};
    const char *name = argv[*i] + (argv[*i][0] == '-') + (argv[*i][0] == '-' && argv[*i][1] == '-');
    size_t length = strcspn(name, "=");
    const char *near;
    char word[32];

    snprintf(word, sizeof word, "%.*s", (int)(length < 31 ? length : 31), name);
    if (strcmp(word, "insns") == 0)
        return parse_insns(o, name + length, err);
    if (strcmp(name, "full") == 0) {
        o->style.full = true;
        return true;
    }
    if (strcmp(word, "depth") != 0 && strcmp(word, "format") != 0 && strcmp(word, "color") != 0) {
        near = cli_nearest(word, known);
        return error_set(err, EXIT_USAGE, "unknown option '%s'%s%s%s", argv[*i], near ? ", did you mean '--" : "",
                         near ? near : "", near ? "'?" : "");
    }
    if (name[length] == '=')
        return apply(o, word, name + length + 1, err);
    if (*i + 1 >= argc)
        return error_set(err, EXIT_USAGE, "option '%s' wants a value", argv[*i]);
    return apply(o, word, argv[++*i], err);
}

static bool parse(struct path *p, int argc, char **argv, struct error *err)
{
    struct path_options *o = &p->options;
    char *end;

    for (int i = 1; i < argc; i++) {
        if (argv[i][0] == '-' && argv[i][1] != '\0') {
            if (!parse_option(o, argc, argv, &i, err))
                return false;
            continue;
        }
        if (o->word_count == 2)
            return error_set(err, EXIT_USAGE, "'%s' is one word too many", argv[i]);
        o->words[o->word_count++] = argv[i];
    }
    if (o->word_count != 2)
        return error_set(err, EXIT_USAGE, "path wants an event number and a recording: path ID FILE");
    p->id = strtoull(o->words[0] + (o->words[0][0] == '#'), &end, 10);
    if (*end != '\0' || p->id == 0)
        return error_set(err, EXIT_USAGE, "'%s' is not an event number; 'ringside report' prints them", o->words[0]);
    p->file = o->words[1];
    return true;
}

static void usage(void)
{
    fputs("usage: ringside path ID FILE [OPTIONS]\n\n"
          "The walk of one crossing: event ID enters the kernel from ring 3; every function called until the return, "
          "with "
          "the\ninstructions that each executed. The recorded run is made again up to there.\n\n"
          "  --insns          also each instruction of the entry and exit stubs, and the registers that it changes\n"
          "  --insns=all      of everything\n"
          "  --depth N        calls no deeper than N\n"
          "  --full           repeated calls one by one\n"
          "  --format F       text or json\n"
          "  --color WHEN     auto, always or never\n",
          stdout);
}

/* ---- what the recording says */

static bool is_from_user(struct path *p, u64 found, const struct event_record *e, struct error *err)
{
    if (e == NULL || found != p->id)
        return error_set(err, EXIT_USAGE, "%s: there is no event #%llu that can be read (the last one is #%llu)",
                         p->file, (ull)p->id, (ull)trace_reader_events(p->reader));
    if (!event_is_entry(e) || e->from_cpl != 3)
        return error_set(
            err, EXIT_USAGE,
            "#%llu does not enter from ring 3: give the number of an entry, as 'ringside report -e cpl=3:0' "
            "prints them",
            (ull)p->id);
    return true;
}

/* Find the exit that belongs to the entry, and write the call as one line. */
static bool read_crossing(struct path *p, FILE *header, struct error *err)
{
    const struct names *names = trace_reader_names(p->reader);
    struct trace_filter filter = {.from = p->id, .to = p->id};
    struct lines_options options = {.format = p->options.json ? TRACE_JSON : TRACE_TEXT,
                                    .filter = &filter,
                                    .names = names,
                                    .calls = true,
                                    .linux_kernel = names->kernel != NULL,
                                    .color = p->options.style.color};
    struct calls *calls = calls_new(names->kernel != NULL);
    const struct event_record *e;
    struct pieces pieces = {0};
    struct lines *lines;
    struct call *call;
    u64 id = 0;

    trace_reader_seek(p->reader, p->id);
    e = trace_reader_next(p->reader, NULL, &id);
    if (!is_from_user(p, id, e, err)) {
        calls_free(calls);
        return false;
    }
    p->entry = *e;
    lines = lines_new(header, &options);
    for (; e != NULL && p->exit_id == 0; e = trace_reader_next(p->reader, NULL, &id)) {
        trace_reader_pieces(p->reader, &pieces);
        lines_event(lines, id, e, trace_reader_task(p->reader), &pieces);
        if (calls_event(calls, id, e, trace_reader_task(p->reader), &call) == CALL_ENDS && call->entry_id == p->id) {
            p->exit_id = id;
            p->exit = *e;
            p->end = call->end;
        }
    }
    lines_free(lines);
    calls_free(calls);
    pieces_free(&pieces);
    trace_reader_seek(p->reader, p->id);
    return true;
}

/* ---- the replay, as its observer sees it */

static void stop(struct path *p)
{
    if (!p->stopped)
        machine_quit(p->machine);
    p->stopped = true;
    p->observer.insn = NULL;
}

static bool same_event(const struct event_record *a, const struct event_record *b)
{
    return a->ticks == b->ticks && a->retired == b->retired && a->mechanism == b->mechanism && a->vector == b->vector &&
           a->from_rip == b->from_rip && a->to_rip == b->to_rip && a->from_rsp == b->from_rsp &&
           a->to_rsp == b->to_rsp && a->to_cpl == b->to_cpl;
}

/* The next recorded transition must be this one. returns: its number, 0 when it is not or there is none */
static u64 compare(struct path *p, const struct event_record *e)
{
    const struct event_record *recorded;
    u64 id = 0;

    do
        recorded = trace_reader_next(p->reader, NULL, &id);
    while (recorded != NULL && !event_is_transition(recorded));
    if (recorded != NULL && same_event(recorded, e)) {
        p->compared = id;
        return id;
    }
    if (recorded == NULL && p->exit_id == 0) { /* a call that was open when the recording was left */
        stop(p);
        return 0;
    }
    p->differs = true;
    if (recorded == NULL)
        error_set(
            p->err, EXIT_DIFFERENT,
            "the replay differs from the recording: it has a transition at tick %llu, the recording ends at #%llu",
            (ull)e->ticks, (ull)p->compared);
    else
        error_set(
            p->err, EXIT_DIFFERENT,
            "the replay differs from the recording: #%llu is %s at tick %llu from %llx to %llx, the replay has %s at "
            "tick %llu from %llx to %llx",
            (ull)id, event_mechanism_name(recorded->mechanism), (ull)recorded->ticks, (ull)recorded->from_rip,
            (ull)recorded->to_rip, event_mechanism_name(e->mechanism), (ull)e->ticks, (ull)e->from_rip, (ull)e->to_rip);
    stop(p);
    return 0;
}

static void on_transition(void *context, struct cpu *cpu, const struct transition *t)
{
    struct path *p = context;
    struct event_record e;
    enum walk_state before;
    u64 id;

    if (p->stopped || p->observer.insn == NULL)
        return;
    event_clear(&e);
    event_fill_transition(&e, cpu, t);
    event_fill_frame(&e, cpu);
    before = walk_state(p->walk);
    if (before == WALK_ENDED) {
        stop(p); /* no more of the user's code */
        return;
    }
    if (before == WALK_WAITS && e.ticks < p->entry.ticks)
        return;
    id = compare(p, &e);
    if (id != 0)
        walk_transition(p->walk, id, &e);
}

static void on_side(void *context, struct cpu *cpu, const struct side_event *event)
{
    struct path *p = context;
    struct event_record e;

    if (p->observer.insn == NULL || walk_state(p->walk) != WALK_INSIDE)
        return;
    event_clear(&e);
    event_fill_side(&e, cpu, event, 0);
    walk_side(p->walk, &e);
}

static void on_insn(void *context, struct cpu *cpu, unsigned length)
{
    struct path *p = context;

    if (p->stopped)
        return;
    switch (walk_feed_insn(p->walk, cpu, length)) {
    case WALK_WAITS: break;
    case WALK_INSIDE: p->away_since = 0; break;
    case WALK_AWAY:
        if (p->away_since == 0)
            p->away_since = clock_retired(cpu->clock);
        if (p->exit_id == 0 && clock_retired(cpu->clock) - p->away_since > AWAY_LIMIT)
            stop(p);
        break;
    case WALK_ENDED:
        if (++p->after > WALK_USER_INSNS)
            stop(p);
        break;
    }
}

/* A little before the entry: from here on one instruction at a time. */
static void begin_stepping(void *context, struct machine *m)
{
    struct path *p = context;

    engine_select(machine_cpu(m), ENGINE_STEP);
    p->observer.insn = on_insn;
}

static bool peek(void *context, u64 address, void *out, size_t size)
{
    struct path *p = context;

    return mmu_peek(&machine_cpu(p->machine)->mmu, address, out, size);
}

static bool find_symbol(void *context, u64 address, bool user, struct walk_symbol *s)
{
    struct path *p = context;

    if (user)
        return vdso_symbol(p->vdso, peek, p, address, s);
    return walk_names_symbol((void *)(uintptr_t)trace_reader_names(p->reader), address, user, s);
}

/* ---- the run */

static bool prepare(struct path *p, struct error *err)
{
    struct walk_options walk = {.context = p, .symbol = find_symbol, .peek = peek, .insns = p->options.insns};
    struct machine_options *m = &p->run_options.machine;
    u64 from = p->entry.ticks > LEAD_TICKS ? p->entry.ticks - LEAD_TICKS : 0;

    p->run = (struct trace_properties){0};
    if (!trace_read_properties(p->file, &p->run, NULL, err) ||
        !replay_options_from(&p->run_options, p->file, &p->run, err))
        return false;
    p->console = (struct console){.in = -1, .out = -1};
    console_world(&p->console, &m->world);
    m->world.output = NULL;
    m->world.input = NULL;
    m->engine = ENGINE_BLOCK;
    m->clock = CLOCK_VIRTUAL;
    m->max_ticks = 0;
    m->checkpoints =
        (struct machine_checkpoints){.every = 1, .from = from, .to = from, .show = begin_stepping, .context = p};
    p->machine = machine_new(m, err);
    if (p->machine == NULL)
        return false;
    p->walk = walk_new(&walk);
    p->vdso = vdso_new();
    p->observer = (struct cpu_observer){.context = p, .transition = on_transition, .side = on_side};
    machine_cpu(p->machine)->host.observer = &p->observer;
    if (!trace_replay(p->file, machine_input(p->machine), NULL, err))
        return false;
    console_catch_signals();
    machine_power_on(p->machine);
    return true;
}

static bool replay(struct path *p, struct error *err)
{
    struct machine_result result;

    p->err = err;
    machine_run(p->machine, &result);
    console_release_signals();
    if (p->differs)
        return false;
    if (result.end == END_INTERRUPTED)
        return error_set(err, EXIT_INTERRUPTED, "interrupted at tick %llu, the entry is at %llu", (ull)result.ticks,
                         (ull)p->entry.ticks);
    if (walk_state(p->walk) == WALK_WAITS)
        return error_set(err, EXIT_DIFFERENT,
                         "the replay differs from the recording: it ended (%s) at tick %llu without #%llu",
                         machine_end_name(result.end), (ull)result.ticks, (ull)p->id);
    return true;
}

/* ---- what is printed */

static void print_end(const struct path *p, const struct walk_tree *t)
{
    static const struct trace_telling plain;
    struct trace_telling telling = plain;

    telling.names = trace_reader_names(p->reader);
    telling.color = p->options.style.color;
    if (t->end == WALK_RETURNED) {
        trace_print_line(stdout, t->exit_id, &t->exit, &telling);
        printf("%s after %llu ticks (deliveries, faults and iterations of REP take time, too)",
               p->exit_id == t->exit_id ? call_end_name(p->end) : "left for ring 3",
               (ull)(t->exit.ticks - t->entry.ticks));
    } else if (t->end == WALK_GONE) {
        printf("never returned: the task is gone");
    } else {
        printf("not returned: the walk ends here");
    }
    if (t->switched != 0)
        printf("; other tasks ran %llu time%s, %llu instructions", (ull)t->switched, t->switched == 1 ? "" : "s",
               (ull)t->others);
    printf("\n");
    if (!t->symbols)
        printf("the kernel's symbols are not known: instructions of other tasks, if any ran, are counted with it\n");
    if (p->exit_id != 0 && p->exit_id != t->exit_id)
        printf("the recording's pairing says otherwise: #%llu ends with #%llu\n", (ull)p->id, (ull)p->exit_id);
}

/* returns: the exit code */
static int print(struct path *p, const char *header)
{
    const struct walk_tree *tree = walk_tree(p->walk);
    bool whole;

    if (p->options.json) {
        printf("{\"call\":%.*s,\"walk\":", (int)strcspn(header, "\n"), header);
        whole = walk_print_json(stdout, tree);
        printf("}\n");
    } else {
        fputs(header, stdout);
        whole = walk_print(stdout, tree, &p->options.style);
        print_end(p, tree);
    }
    return whole ? EXIT_OK : EXIT_DIFFERENT;
}

static void close_path(struct path *p)
{
    if (p->machine != NULL)
        machine_free(p->machine);
    walk_free(p->walk);
    vdso_free(p->vdso);
    trace_properties_free(&p->run);
    if (p->reader != NULL)
        trace_reader_close(p->reader);
}

static int walk_path(struct path *p, struct error *err)
{
    char *header = NULL;
    size_t size;
    FILE *memory;
    bool ok;
    int code;

    p->reader = trace_reader_open(p->file, err);
    if (p->reader == NULL)
        return cli_fail(err);
    memory = open_memstream(&header, &size);
    if (memory == NULL)
        abort();
    ok = read_crossing(p, memory, err);
    fclose(memory);
    ok = ok && prepare(p, err) && replay(p, err);
    code = ok ? print(p, header) : cli_fail(err);
    free(header);
    return code;
}

int cmd_path(int argc, char **argv)
{
    struct path p = {0};
    struct error err;
    int code;

    for (int i = 1; i < argc; i++)
        if (cli_wants_help(2, argv + i - 1)) {
            usage();
            return EXIT_OK;
        }
    if (!parse(&p, argc, argv, &err))
        return cli_fail(&err);
    p.options.style.color = cli_color(p.options.color, stdout);
    code = walk_path(&p, &err);
    close_path(&p);
    return code;
}

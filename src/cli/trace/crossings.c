/* SPDX-License-Identifier: MIT
 * The crossings of a traced program as they are printed: the recorder's lines, filtered to its task, from its execve()
 * on; with --path the walk of each call is kept on the way.
 */
#include "cli/trace/crossings.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "cli/trace/tally.h"
#include "trace/fault/post_mortem.h"
#include "trace/fill.h"
#include "trace/lines.h"
#include "trace/walk/walk.h"

/* execve() as the guest's first process, which is ours, calls it: by SYSCALL, or INT 80h on a 32-bit kernel. */
enum { EXECVE_AMD64 = 59, EXECVE_I386 = 11 };

#define MECHANISM_BIT(m) (1ull << (m))

struct trace_crossings {
    const struct trace_options *options;
    FILE *out;
    FILE *nowhere; /* -c: where the lines go */
    bool kernel64;
    struct kernel *kernel;
    struct guest *guest;
    struct names *names;
    struct trace_filter filter;
    struct lines *lines;
    struct recorder *recorder;
    struct trace_tally *tally;
    struct machine *machine;
    struct post_mortem post_mortem;
    u32 pid;
    bool watching;
    bool told; /* the program's task was seen */
    struct cpu_observer observer;
    const struct cpu_observer *inner; /* watching: the recorder */
    struct trace_walk *walk;          /* of the crossing at hand; NULL: none */
    bool wanted;                      /* its call passed the filter */
};

/* ---- what is told */

static bool is_ours(const struct trace_crossings *c, const struct guest_task *task)
{
    return task->known && (c->options->follow ? task->pid >= c->pid : task->tgid == c->pid || task->pid == c->pid);
}

static void on_call(void *context, const struct call *call, const struct linux_call *linux_call)
{
    struct trace_crossings *c = context;

    c->wanted = true;
    if (c->tally != NULL)
        trace_tally_add(c->tally, call, linux_call->result);
}

/* The number is the handler's first argument, in a register. Linux's calling convention of signal handlers: RDI, or EAX
 * in 32-bit code. */
static void on_signal(void *context, const struct call *call)
{
    struct trace_crossings *c = context;
    const struct cpu *cpu = machine_cpu(c->machine);
    u64 number = call->exit.to_mode == MODE_LONG ? cpu->arch.gpr[RDI] : (u32)call->exit.rax;
    const char *name = number < 65 ? linux_signal_name((unsigned)number) : NULL;

    if (!is_ours(c, &call->task) || c->tally != NULL)
        return;
    if (c->options->follow || call->task.pid != c->pid)
        fprintf(c->out, "%s[%u]  ", call->task.comm, call->task.pid);
    if (name != NULL)
        fprintf(c->out, "--- %s (handler at 0x%llx) ---\n", name, (unsigned long long)call->exit.to_rip);
    else
        fprintf(c->out, "--- signal %llu (handler at 0x%llx) ---\n", (unsigned long long)number,
                (unsigned long long)call->exit.to_rip);
}

/* ---- the walk of each call */

static bool peek(void *context, u64 address, void *out, size_t size)
{
    struct trace_crossings *c = context;

    return mmu_peek(&machine_cpu(c->machine)->mmu, address, out, size);
}

static bool find_symbol(void *context, u64 address, bool user, struct walk_symbol *symbol)
{
    struct trace_crossings *c = context;

    return walk_names_symbol(c->names, address, user, symbol);
}

static void end_walk(struct trace_crossings *c)
{
    struct walk_style style = {.color = cli_color(c->options->color, c->out)};

    if (c->wanted && c->tally == NULL) {
        walk_print(c->out, walk_tree(c->walk), &style);
        fputc('\n', c->out);
    }
    walk_free(c->walk);
    c->walk = NULL;
}

static void walk_on(struct trace_crossings *c, struct cpu *cpu, const struct transition *t)
{
    struct walk_options options = {.context = c, .symbol = find_symbol, .peek = peek};
    struct event_record e;

    if (c->walk == NULL) {
        if (t->from.cpl != 3 || t->to.cpl != 0 || !is_ours(c, guest_task(c->guest)))
            return;
        c->walk = walk_new(&options);
        c->wanted = false;
    }
    event_clear(&e);
    event_fill_transition(&e, cpu, t);
    event_fill_frame(&e, cpu);
    if (walk_transition(c->walk, recorder_events(c->recorder), &e) == WALK_ENDED)
        end_walk(c);
}

/* ---- before the program's execve()
 * Nothing is watched where the kernel's image alone says where its tasks keep their numbers. Else that is learnt from
 * how the kernel starts: the guest is looked at until it is known. */

static void learn(void *context, struct cpu *cpu, const struct transition *t)
{
    struct trace_crossings *c = context;

    guest_look(c->guest, cpu, t->from.cpl == 3 || t->to.cpl == 3);
    c->names->slid = guest_slide(c->guest, &c->names->slide);
    if (c->names->slid && guest_task(c->guest)->known)
        cpu->host.observer = NULL;
}

static bool is_execve(const struct trace_crossings *c, const struct cpu *cpu, const struct transition *t)
{
    return t->from.cpl == 3 && t->mechanism == (c->kernel64 ? MECH_SYSCALL : MECH_INT_N) &&
           cpu->arch.gpr[RAX] == (c->kernel64 ? EXECVE_AMD64 : EXECVE_I386);
}

static void begin(struct trace_crossings *c, struct cpu *cpu)
{
    recorder_attach(c->recorder, cpu, NULL);
    c->inner = cpu->host.observer;
    if (c->options->path)
        cpu->host.observer = &c->observer;
    c->watching = true;
}

static void on_transition(void *context, struct cpu *cpu, const struct transition *t)
{
    struct trace_crossings *c = context;
    bool begins = !c->watching && is_execve(c, cpu, t);

    if (begins)
        begin(c, cpu);
    if (!c->watching)
        return;
    c->inner->transition(c->inner->context, cpu, t);
    if (begins)
        c->told = is_ours(c, guest_task(c->guest));
    if (c->options->path)
        walk_on(c, cpu, t);
}

static void on_side(void *context, struct cpu *cpu, const struct side_event *event)
{
    struct trace_crossings *c = context;
    struct event_record e;

    if (c->watching && c->inner->side != NULL)
        c->inner->side(c->inner->context, cpu, event);
    if (c->walk == NULL || walk_state(c->walk) != WALK_INSIDE)
        return;
    event_clear(&e);
    event_fill_side(&e, cpu, event, 0);
    walk_side(c->walk, &e);
}

static void on_insn(void *context, struct cpu *cpu, unsigned length)
{
    struct trace_crossings *c = context;

    if (c->walk != NULL && walk_feed_insn(c->walk, cpu, length) == WALK_ENDED)
        end_walk(c);
}

void trace_crossings_watch(struct trace_crossings *c, struct machine *m)
{
    c->machine = m;
    post_mortem_attach(&c->post_mortem, machine_cpu(m));
    c->observer = (struct cpu_observer){.context = c, .transition = learn};
    if (!c->kernel->layout.known)
        machine_cpu(m)->host.observer = &c->observer;
}

void trace_crossings_start(struct trace_crossings *c, u32 pid)
{
    struct cpu *cpu = machine_cpu(c->machine);

    c->pid = pid;
    if (c->options->follow)
        c->filter.pid_from = pid;
    else
        c->filter.pid[c->filter.pids++] = pid;
    c->observer = (struct cpu_observer){
        .context = c, .transition = on_transition, .side = on_side, .insn = c->options->path ? on_insn : NULL};
    cpu->host.observer = &c->observer;
    if (c->options->path) {
        engine_select(cpu, ENGINE_STEP); /* at the next boundary: instructions are looked at one by one */
        cpu_attention(cpu);
    }
}

/* ---- life */

/* Without a term that says what is to be seen: system calls; with --rings every transition. */
static void set_filter(struct trace_crossings *c)
{
    struct trace_filter *f = &c->filter;

    *f = c->options->filter;
    if (f->kinds != 0)
        return;
    if (c->options->rings)
        trace_filter_transitions(f);
    else if (f->mechanisms == 0 && !f->by_vector && f->rings == 0 && f->directions == 0 && !f->by_rule)
        f->mechanisms = MECHANISM_BIT(MECH_SYSCALL) | MECHANISM_BIT(MECH_SYSENTER) | MECHANISM_BIT(MECH_INT_N);
    else
        trace_filter_transitions(f);
}

static bool open_kernel(struct trace_crossings *c, const char *path, struct error *err)
{
    c->kernel = kernel_open(path, c->options->vmlinux, err);
    if (c->kernel == NULL)
        return false;
    if (symbols_count(c->kernel->symbols) == 0)
        return error_set(err, EXIT_FILE,
                         "no symbols were found in the kernel '%s', by which a process is told from others: give its "
                         "unstripped ELF with -vmlinux FILE, or another kernel",
                         path);
    c->guest = guest_new(c->kernel);
    c->names = calloc(1, sizeof *c->names);
    if (c->names == NULL)
        abort();
    c->names->kernel = c->kernel;
    return true;
}

static bool open_lines(struct trace_crossings *c, struct error *err)
{
    struct lines_options options = {.format = TRACE_TEXT,
                                    .filter = &c->filter,
                                    .names = c->names,
                                    .calls = true,
                                    .linux_kernel = true,
                                    .color = cli_color(c->options->color, c->out),
                                    .own = c->options->follow ? NULL : &c->pid,
                                    .no_place = true,
                                    .string_limit = c->options->string_limit,
                                    .on_call = on_call,
                                    .on_signal = on_signal,
                                    .context = c};

    if (c->options->counts) {
        c->tally = trace_tally_new();
        c->nowhere = fopen("/dev/null", "we");
        if (c->nowhere == NULL)
            return error_set(err, EXIT_FILE, "cannot open /dev/null");
    }
    c->lines = lines_new(c->options->counts ? c->nowhere : c->out, &options);
    return true;
}

struct trace_crossings *trace_crossings_open(const struct trace_options *o, const char *kernel, bool kernel64,
                                             FILE *out, struct error *err)
{
    struct trace_crossings *c = calloc(1, sizeof *c);
    struct recorder_options options = {.string_limit = o->string_limit};

    if (c == NULL)
        abort();
    c->options = o;
    c->out = out;
    c->kernel64 = kernel64;
    set_filter(c);
    if (!open_kernel(c, kernel, err) || !open_lines(c, err)) {
        trace_crossings_free(c);
        return NULL;
    }
    options.live = c->lines;
    options.guest = c->guest;
    options.names = c->names;
    c->recorder = recorder_open(&options, err);
    if (c->recorder == NULL) {
        trace_crossings_free(c);
        return NULL;
    }
    return c;
}

static void print_end(const struct trace_crossings *c, int status)
{
    const char *name;

    if (WIFEXITED(status)) {
        fprintf(c->out, "+++ exited with %d +++\n", WEXITSTATUS(status));
        return;
    }
    name = linux_signal_name((unsigned)WTERMSIG(status));
    if (name != NULL)
        fprintf(c->out, "+++ killed by %s%s +++\n", name, WCOREDUMP(status) ? " (core dumped)" : "");
    else
        fprintf(c->out, "+++ killed by signal %d +++\n", WTERMSIG(status));
}

void trace_crossings_finish(struct trace_crossings *c, const int *ended)
{
    struct error err;

    if (c->machine == NULL)
        return;
    machine_cpu(c->machine)->host.observer = NULL;
    recorder_close(c->recorder, NULL, &err);
    c->recorder = NULL;
    lines_free(c->lines);
    c->lines = NULL;
    if (!c->watching)
        return;
    if (c->tally != NULL)
        trace_tally_print(c->tally, c->out);
    else if (ended != NULL)
        print_end(c, *ended);
    if (!c->told)
        fprintf(stderr, "ringside: the program's task was not found in the kernel, so that its calls are missing\n");
}

void trace_crossings_explain(struct trace_crossings *c)
{
    fputc('\n', stderr);
    post_mortem_print(stderr, &c->post_mortem, machine_cpu(c->machine), c->guest, c->names);
}

void trace_crossings_free(struct trace_crossings *c)
{
    struct error err;

    if (c == NULL)
        return;
    if (c->recorder != NULL)
        recorder_close(c->recorder, NULL, &err);
    lines_free(c->lines);
    post_mortem_free(&c->post_mortem);
    if (c->nowhere != NULL)
        fclose(c->nowhere);
    walk_free(c->walk);
    trace_tally_free(c->tally);
    guest_free(c->guest);
    kernel_free(c->kernel);
    free(c->names);
    free(c);
}

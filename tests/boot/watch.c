/* SPDX-License-Identifier: MIT
 * Boot a kernel and write down what guest/guest.h says of it: each piece of news, who called WRMSR, and whether what
 * getpid() and gettid() return to programs is what was said of the running task.
 *
 * usage: guest_watch NEWS KERNEL INITRD APPEND [CPU [ALL]]     console on stdout, news in the file NEWS
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "cpu/ring/transition.h"
#include "guest/guest.h"
#include "machine/machine.h"

#define FRAMES 24u

struct watch {
    struct guest *guest;
    const struct kernel *kernel;
    FILE *out;
    bool all; /* every change of task, not only new ones */
    u64 looks, task_news, agreed, unknown;
    /* The number that the last entry from ring 3 asked for: 'p'id, 't'id, 0 something else. */
    char asked;
    u64 asked_task;
    unsigned wrong;
    u32 seen[65536];
    size_t seens;
};

static const char *describe(const struct watch *w, u64 address, char *out, size_t size)
{
    struct symbol s;
    u64 slide, offset;

    snprintf(out, size, "%" PRIx64, address);
    if (!guest_slide(w->guest, &slide))
        return out;
    if (symbols_lookup(w->kernel->symbols, w->kernel->is64 ? address - slide : (u32)(address - slide), &s, &offset))
        snprintf(out, size, "%s+%" PRIx64, s.name, offset);
    return out;
}

static void show_task(struct watch *w, u64 tick)
{
    const struct guest_task *t = guest_task(w->guest);
    u32 hash = t->pid * 31 + t->tgid;

    if (!t->known) {
        w->unknown++;
        if (w->all)
            fprintf(w->out, "%" PRIu64 " task %" PRIx64 " unknown\n", tick, t->task);
        return;
    }
    for (unsigned i = 0; i < GUEST_COMM; i++)
        hash = hash * 31 + (u8)t->comm[i];
    for (size_t i = 0; i < w->seens && !w->all; i++)
        if (w->seen[i] == hash)
            return;
    if (w->seens < ARRAY_LEN(w->seen))
        w->seen[w->seens++] = hash;
    fprintf(w->out, "%" PRIu64 " task %" PRIx64 " pid=%u tgid=%u comm=%s\n", tick, t->task, t->pid, t->tgid, t->comm);
}

static void look(struct watch *w, struct cpu *cpu, bool at_user)
{
    unsigned news = guest_look(w->guest, cpu, at_user);
    u64 slide = 0, tick = cpu->clock->ticks;

    w->looks++;
    if (news & GUEST_SLIDE)
        fprintf(w->out, "%" PRIu64 " slide %s\n", tick,
                guest_slide(w->guest, &slide) ? guest_slide_how(w->guest) : "lost");
    if (news & GUEST_TASK) {
        w->task_news++;
        show_task(w, tick);
    }
    for (size_t i = 0; (news & GUEST_MODULE) && i < guest_modules(w->guest); i++) {
        const struct guest_module *m = guest_module(w->guest, i);

        fprintf(w->out, "%" PRIu64 " module %s %" PRIx64 " %" PRIu64 " symbols=%zu", tick, m->name, m->base, m->size,
                symbols_count(m->symbols));
        for (size_t j = 0; j < symbols_count(m->symbols); j++) {
            struct symbol s = symbols_at(m->symbols, j);

            fprintf(w->out, " %c:%s=%" PRIx64, s.type, s.name, s.address);
        }
        fputc('\n', w->out);
    }
}

/* What programs are told their numbers are. */
static void compare_numbers(struct watch *w, const struct cpu *cpu, const struct transition *t)
{
    const struct guest_task *task = guest_task(w->guest);
    bool amd64 = t->mechanism == MECH_SYSCALL && t->from.mode == MODE_LONG;
    u64 rax = cpu->arch.gpr[RAX];

    if (t->from.cpl == 3 && t->to.cpl == 0) {
        w->asked = 0;
        if (t->mechanism == MECH_SYSCALL || t->mechanism == MECH_SYSENTER ||
            (t->mechanism == MECH_INT_N && t->vector == 0x80)) {
            u32 number = (u32)rax;

            w->asked = number == (amd64 ? 39 : 20) ? 'p' : number == (amd64 ? 186 : 224) ? 't' : 0;
            w->asked_task = task->task;
        }
    } else if (t->from.cpl == 0 && t->to.cpl == 3 && w->asked && task->task == w->asked_task) {
        u32 said = w->asked == 'p' ? task->tgid : task->pid;

        if (task->known && said == (u32)rax)
            w->agreed++;
        else if (w->wrong++ < 20)
            fprintf(w->out, "%" PRIu64 " WRONG: get%cid gave %u, the task is known=%d pid=%u tgid=%u comm=%s\n",
                    cpu->clock->ticks, w->asked, (u32)rax, task->known, task->pid, task->tgid, task->comm);
        w->asked = 0;
    }
}

static void on_transition(void *context, struct cpu *cpu, const struct transition *t)
{
    struct watch *w = context;

    look(w, cpu, t->from.cpl != t->to.cpl);
    compare_numbers(w, cpu, t);
}

static void on_side(void *context, struct cpu *cpu, const struct side_event *event)
{
    struct watch *w = context;
    u64 frame[FRAMES];
    char text[256];
    size_t n;

    look(w, cpu, false);
    if (event->kind != SIDE_WRMSR || (event->number >> 4) == 0x80)
        return;
    if (event->number != 0xC0000082 && event->number != 0xC0000083 && event->number != 0x176 &&
        event->number != 0x174 && event->number != 0xC0000101 && event->number != 0x277)
        return;
    n = guest_backtrace(w->guest, cpu, frame, FRAMES);
    fprintf(w->out, "%" PRIu64 " wrmsr %x = %" PRIx64 ":", cpu->clock->ticks, event->number, event->new_value);
    for (size_t i = 0; i < n; i++)
        fprintf(w->out, "%s %s", i ? " <-" : "", describe(w, frame[i], text, sizeof text));
    fputc('\n', w->out);
}

static void output(void *context, unsigned port, const u8 *bytes, size_t size)
{
    (void)context;
    if (port == 0)
        fwrite(bytes, 1, size, stdout);
}

int main(int argc, char **argv)
{
    struct machine_options options;
    struct machine_result result;
    struct watch *w = calloc(1, sizeof *w);
    struct error err;
    struct machine *m;
    struct kernel *kernel;

    if (argc < 5 || !w) {
        fprintf(stderr, "usage: guest_watch NEWS KERNEL INITRD APPEND [CPU [ALL]]\n");
        return EXIT_USAGE;
    }
    machine_options_init(&options);
    options.kernel = argv[2];
    options.initrd = argv[3];
    options.append = argv[4];
    options.no_reboot = false;
    options.engine = ENGINE_BLOCK;
    options.world.output = output;
    w->all = argc > 6;
    w->out = fopen(argv[1], "w");
    kernel = kernel_open(argv[2], NULL, &err);
    if ((argc > 5 && !cpu_model_parse(&options.model, argv[5], &err)) || !kernel || !w->out ||
        !(m = machine_new(&options, &err))) {
        fprintf(stderr, "guest_watch: %s\n", w->out ? err.text : argv[1]);
        return EXIT_FILE;
    }
    setvbuf(w->out, NULL, _IOLBF, 0);
    w->kernel = kernel;
    w->guest = guest_new(kernel);
    machine_cpu(m)->host.observer = &(struct cpu_observer){.context = w, .transition = on_transition, .side = on_side};
    machine_power_on(m);
    machine_run(m, &result);
    fprintf(w->out, "end %s looks=%" PRIu64 " task_news=%" PRIu64 " unknown=%" PRIu64 " agreed=%" PRIu64 " wrong=%u\n",
            machine_end_name(result.end), w->looks, w->task_news, w->unknown, w->agreed, w->wrong);
    machine_free(m);
    guest_free(w->guest);
    kernel_free(kernel);
    fclose(w->out);
    return w->wrong ? EXIT_DIFFERENT : result.exit_code;
}

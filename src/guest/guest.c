/* SPDX-License-Identifier: MIT
 * The look: what changed since the last one. Slow questions are asked when something that answers them moved, and about
 * what is not known at ever longer intervals.
 */
#include "guest/internal.h"

#include <stdio.h>
#include <stdlib.h>

#define PATIENCE_FIRST 64u
#define PATIENCE_MAX 65536u
#define LAYOUT_TRIES 64u
#define NEVER (~0ull)

_Static_assert(offsetof(struct guest, view) == 0, "guest_look() takes a guest for its view");

/* Nothing is known of the kernel that runs. */
static void forget(struct guest *g)
{
    task_forget(g);
    modules_forget(g);
    g->slid = false;
    g->slide = 0;
    g->patience = g->view.looks = PATIENCE_FIRST;
    g->layout = g->kernel->layout;
    g->idle = 0;
    g->layout_tries = 0;
    g->anchors = 0;
    snprintf(g->slide_how, sizeof g->slide_how, "not known");
}

struct guest *guest_new(const struct kernel *kernel)
{
    struct guest *g = calloc(1, sizeof *g);

    if (!g)
        abort();
    g->kernel = kernel;
    g->view.is64 = kernel->is64;
    if (!kernel->is64 || !symbols_find(kernel->symbols, "this_cpu_off", &g->this_cpu_off))
        g->this_cpu_off = 0;
    forget(g);
    return g;
}

void guest_free(struct guest *g)
{
    if (!g)
        return;
    modules_free(g);
    free(g);
}

void guest_reset(struct guest *g)
{
    forget(g);
    g->view.idt_base = g->view.lstar = 0;
    g->task = (struct guest_task){0};
}

/* The kernel's entries moved, or it is time to search again. Host pointers are found anew even under the same slide: it
 * may be another kernel's. */
static unsigned look_for_kernel(struct guest *g, const struct cpu *cpu)
{
    struct guest before = *g; /* for what is plain data in it */
    bool found, same;
    u64 slide = 0;

    forget(g);
    g->patience = before.patience;
    g->view.idt_base = cpu->arch.idtr.base;
    g->view.lstar = cpu->arch.msr.lstar;
    found = slide_find(g, cpu, &slide);
    same = found && before.slid && slide == before.slide;
    g->slid = found;
    g->slide = found ? slide : 0;
    if (found)
        g->patience = PATIENCE_FIRST;
    if (same) { /* what was found by structure stays true of the same image */
        g->layout = before.layout;
        g->idle = before.idle;
        g->layout_tries = before.layout_tries;
        if (g->anchors <= before.anchors) { /* the most anchors that ever agreed */
            g->anchors = before.anchors;
            memcpy(g->slide_how, before.slide_how, sizeof g->slide_how);
            return 0;
        }
    }
    return found || before.slid ? GUEST_SLIDE : 0;
}

/* When to search again, if everything stays as it is. */
static void be_patient(struct guest *g, bool was_due)
{
    bool layout = !g->layout.known && g->view.task && g->layout_tries < LAYOUT_TRIES;
    bool complete = g->slid && (g->kernel->current_task == 0 || (!g->view.any_area && g->layout.known));

    g->view.ask = layout || g->unformed;
    if (complete) {
        g->view.looks = NEVER;
    } else if (was_due || g->view.looks > g->patience) {
        g->view.looks = g->patience;
        if (g->patience < PATIENCE_MAX)
            g->patience *= 2;
    }
}

/* By structure, when the image does not say it: now and then, and when the first programs run, for then all is there.
 */
static bool layout_is_wanted(struct guest *g, bool due, bool moment)
{
    if (g->layout.known || !g->view.task)
        return false;
    return due || (moment && g->layout_tries < LAYOUT_TRIES && ++g->layout_tries);
}

unsigned guest_look_again(struct guest *g, struct cpu *cpu, bool at_user)
{
    struct guest_view *v = &g->view;
    bool due = v->looks == 0;
    bool moved = cpu->arch.idtr.base != v->idt_base || cpu->arch.msr.lstar != v->lstar;
    struct guest_task before = g->task;
    unsigned news = 0;

    if (moved || (due && !g->slid))
        news |= look_for_kernel(g, cpu);
    if (g->slid) {
        if (task_look(g, cpu))
            news |= GUEST_TASK;
        if (layout_is_wanted(g, due, at_user || (news & GUEST_TASK)) && task_layout_find(g, cpu, v->task) &&
            task_look(g, cpu))
            news |= GUEST_TASK;
        if (modules_locate(g, cpu) && at_user && modules_look(g, cpu))
            news |= GUEST_MODULE;
    } else if (before.task) {
        g->task = (struct guest_task){0};
        news |= GUEST_TASK;
    }
    be_patient(g, due);
    return news;
}

const struct guest_task *guest_task(const struct guest *g) { return &g->task; }

bool guest_slide(const struct guest *g, u64 *slide)
{
    if (g->slid)
        *slide = g->slide;
    return g->slid;
}

const char *guest_slide_how(const struct guest *g) { return g->slide_how; }

size_t guest_modules(const struct guest *g) { return g->modules; }

const struct guest_module *guest_module(const struct guest *g, size_t i)
{
    return i < g->modules ? g->module[i] : NULL;
}

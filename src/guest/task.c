/* SPDX-License-Identifier: MIT
 * The running task. A per-CPU variable of the kernel points to it: on amd64 in the area that the kernel's GS base
 * names, on i386 in the segment of a descriptor that FS is loaded with in the kernel.
 */
#include "base/text.h"
#include "guest/internal.h"

#define PERCPU_SELECTOR 0xD8u /* i386: GDT entry 27, the kernel's per-CPU segment */
#define PRESENT BIT(47)

static void view_task_nowhere(struct guest *g)
{
    struct guest_view *v = &g->view;

    v->pid = v->tgid = v->comm[0] = v->comm[1] = g->nothing;
    v->pid_value = v->tgid_value = 0;
    v->comm_value[0] = v->comm_value[1] = 0;
}

void task_forget(struct guest *g)
{
    struct guest_view *v = &g->view;

    v->any_area = true;
    v->area = v->gdt_base = v->descriptor_value = v->task = 0;
    v->descriptor = v->current = g->nothing;
    view_task_nowhere(g);
}

/* ---- the per-CPU area */

/* Where a per-CPU variable lies in the area of this base. On amd64 to 6.14 it is linked to its offset; later, and on
 * i386, to an address in the kernel, which moves with it. */
static u64 area_variable(const struct guest *g, u64 base, u64 variable)
{
    if (!g->kernel->is64)
        return (u32)(base + variable + g->slide);
    return base + variable + (guest_is_kernel_address(true, variable) ? g->slide : 0);
}

static bool area_accept(struct guest *g, const struct cpu *cpu, u64 base)
{
    struct guest_view *v = &g->view;
    bool is64 = g->kernel->is64;
    u64 self;
    const u8 *current = guest_host(cpu, area_variable(g, base, g->kernel->current_task), is64 ? 8 : 4);

    if (!current || !guest_is_kernel_address(is64, is64 ? load_le64(current) : load_le32(current)))
        return false;
    /* The area's own word for where it is. */
    if (g->this_cpu_off &&
        (!guest_read_pointer(cpu, is64, area_variable(g, base, g->this_cpu_off), &self) || self != base))
        return false;
    v->current = current;
    v->area = base;
    v->any_area = false;
    return true;
}

static bool area_find_64(struct guest *g, const struct cpu *cpu)
{
    u64 gs = cpu->arch.seg[GS].base, other = cpu->arch.msr.kernel_gs_base;
    bool user = cpu->arch.cpl == 3; /* then SWAPGS has put the kernel's base away */

    if (guest_is_kernel_address(true, user ? other : gs) && area_accept(g, cpu, user ? other : gs))
        return true;
    return guest_is_kernel_address(true, user ? gs : other) && area_accept(g, cpu, user ? gs : other);
}

static bool area_find_32(struct guest *g, const struct cpu *cpu)
{
    const struct table_register *gdtr = &cpu->arch.gdtr;
    const u8 *descriptor;
    u64 raw;

    if (gdtr->limit < PERCPU_SELECTOR + 7)
        return false;
    descriptor = guest_host(cpu, gdtr->base + PERCPU_SELECTOR, 8);
    if (!descriptor)
        return false;
    raw = load_le64(descriptor);
    if (!(raw & PRESENT) || !area_accept(g, cpu, bits(raw, 39, 16) | bits(raw, 63, 56) << 24))
        return false;
    g->view.descriptor = descriptor;
    g->view.descriptor_value = raw;
    g->view.gdt_base = gdtr->base;
    return true;
}

static bool area_is_current(const struct guest *g, const struct cpu *cpu)
{
    const struct guest_view *v = &g->view;

    if (v->any_area)
        return false;
    if (g->kernel->is64)
        return cpu->arch.seg[GS].base == v->area || cpu->arch.msr.kernel_gs_base == v->area;
    return cpu->arch.gdtr.base == v->gdt_base && load_le64(v->descriptor) == v->descriptor_value;
}

/* ---- the task */

bool task_comm_is_plausible(const char *comm)
{
    return memchr(comm, 0, GUEST_COMM) != NULL && comm[0] >= ' ' && comm[0] <= '~';
}

/* Fill *task from the task's structure, and point the view there. */
static void task_read(struct guest *g, const struct cpu *cpu, struct guest_task *task)
{
    const struct kernel_layout *layout = &g->layout;
    struct guest_view *v = &g->view;
    const u8 *pid = guest_host(cpu, task->task + layout->task_pid, 4);
    const u8 *tgid = guest_host(cpu, task->task + layout->task_tgid, 4);
    const u8 *comm = guest_host(cpu, task->task + layout->task_comm, 8);
    const u8 *rest = guest_host(cpu, task->task + layout->task_comm + 8, 8);

    view_task_nowhere(g);
    if (!pid || !tgid || !comm || !rest)
        return;
    v->pid = pid;
    v->tgid = tgid;
    v->comm[0] = comm;
    v->comm[1] = rest;
    task->pid = v->pid_value = load_le32(pid);
    task->tgid = v->tgid_value = load_le32(tgid);
    v->comm_value[0] = load_le64(comm);
    v->comm_value[1] = load_le64(rest);
    memcpy(task->comm, v->comm_value, GUEST_COMM);
    task->known = memchr(task->comm, 0, GUEST_COMM) != NULL;
    task->comm[GUEST_COMM - 1] = 0;
    text_make_plain(task->comm);
}

static bool tasks_differ(const struct guest_task *a, const struct guest_task *b)
{
    return a->task != b->task || a->pid != b->pid || a->tgid != b->tgid || a->known != b->known ||
           memcmp(a->comm, b->comm, GUEST_COMM) != 0;
}

bool task_look(struct guest *g, const struct cpu *cpu)
{
    struct guest_view *v = &g->view;
    struct guest_task now = {0};
    bool changed, is64 = g->kernel->is64;

    if (!area_is_current(g, cpu)) {
        task_forget(g);
        if (g->kernel->current_task != 0 && !(is64 ? area_find_64(g, cpu) : area_find_32(g, cpu)))
            task_forget(g);
    }
    if (!v->any_area) {
        now.task = v->task = is64 ? load_le64(v->current) : load_le32(v->current);
        if (guest_is_kernel_address(is64, now.task) && g->layout.known)
            task_read(g, cpu, &now);
        else
            view_task_nowhere(g);
    }
    changed = tasks_differ(&g->task, &now);
    g->task = now;
    return changed;
}

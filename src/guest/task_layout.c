/* SPDX-License-Identifier: MIT
 * pid, tgid and comm inside task_struct, for kernels whose image has neither BTF nor DWARF: found by structure.
 *
 * comm     is where the idle task, or a task that has not changed its name yet, has "swapper" or "swapper/0".
 * the list of all processes is the pointer that leads from task to task at one offset, and back by the pointer behind
 *          it, until it closes; every task on it has a name at comm, one is "kthreadd".
 * pid      is the one pair of equal numbers (processes are on the list, not threads: pid equals tgid) that no two tasks
 *          have in common, that is 0 in one, 1 in one, and 2 in kthreadd.
 * More than one answer to any of these is no answer.
 */
#include "guest/internal.h"

#include <stdlib.h>

#define SEARCH_BYTES 4096u /* of a task_struct: the name lies in the first half of all that were seen */
#define TASKS_MAX 2048u
#define TASKS_LEAST 3u
#define PID_LIMIT (4u << 20) /* the kernel's own */

struct list {
    size_t tasks;
    u64 task[TASKS_MAX];
    u64 kthreadd;
};

/* The whole of comm is the name and zeros. */
static bool is_idle_name(const u8 *comm)
{
    static const char zeros[GUEST_COMM];
    size_t length = strnlen((const char *)comm, GUEST_COMM);

    if (memcmp(comm, "swapper", 7) != 0 || memcmp(comm + length, zeros, GUEST_COMM - length) != 0)
        return false;
    return length == 7 || (length == 9 && comm[7] == '/' && comm[8] >= '0' && comm[8] <= '9');
}

static bool comm_find(const struct cpu *cpu, u64 task, u32 *offset)
{
    u8 bytes[SEARCH_BYTES];
    unsigned found = 0;

    if (!guest_read(cpu, task, bytes, sizeof bytes))
        return false;
    for (u32 o = 0; o + GUEST_COMM <= SEARCH_BYTES; o += 4)
        if (is_idle_name(bytes + o)) {
            *offset = o;
            found++;
        }
    return found == 1;
}

/* Follow the list whose links stand at `offset`, from one task around to it again. */
static bool list_walk(const struct guest *g, const struct cpu *cpu, u64 first, u32 offset, struct list *list)
{
    bool is64 = g->kernel->is64;
    u64 task = first, next, back;

    list->tasks = 0;
    list->kthreadd = 0;
    do {
        char comm[GUEST_COMM];

        if (list->tasks == TASKS_MAX || !guest_is_kernel_address(is64, task) || task % 4 ||
            !guest_read(cpu, task + g->layout.task_comm, comm, sizeof comm) || !task_comm_is_plausible(comm))
            return false;
        if (strcmp(comm, "kthreadd") == 0) {
            if (list->kthreadd)
                return false;
            list->kthreadd = task;
        }
        list->task[list->tasks++] = task;
        if (!guest_read_pointer(cpu, is64, task + offset, &next) ||
            !guest_read_pointer(cpu, is64, next + (is64 ? 8 : 4), &back) || back != task + offset)
            return false;
        task = next - offset;
    } while (task != first);
    return list->tasks >= TASKS_LEAST && list->kthreadd;
}

static int compare_numbers(const void *a, const void *b)
{
    u32 x = *(const u32 *)a, y = *(const u32 *)b;

    return (x > y) - (x < y);
}

/* The numbers at this offset are those of different processes, among them 0, 1 and 2. */
static bool numbers_are_pids(const struct cpu *cpu, const struct list *list, u32 offset)
{
    u32 number[TASKS_MAX];

    for (size_t i = 0; i < list->tasks; i++)
        if (!guest_read(cpu, list->task[i] + offset, &number[i], sizeof number[i]))
            return false;
    qsort(number, list->tasks, sizeof number[0], compare_numbers);
    for (size_t i = 1; i < list->tasks; i++)
        if (number[i] == number[i - 1])
            return false;
    return number[0] == 0 && number[1] == 1 && number[2] == 2;
}

static bool pid_find(const struct cpu *cpu, const struct list *list, u32 comm, u32 *offset)
{
    bool candidate[SEARCH_BYTES / 4];
    unsigned found = 0;

    memset(candidate, 1, sizeof candidate);
    for (size_t i = 0; i < list->tasks; i++) {
        u8 bytes[SEARCH_BYTES];

        if (!guest_read(cpu, list->task[i], bytes, comm))
            return false;
        for (u32 o = 0; o + 8 <= comm; o += 4) {
            u32 pid = load_le32(bytes + o), tgid = load_le32(bytes + o + 4);

            candidate[o / 4] &= pid == tgid && pid < PID_LIMIT && (pid == 2) == (list->task[i] == list->kthreadd);
        }
    }
    for (u32 o = 0; o + 8 <= comm; o += 4)
        if (candidate[o / 4] && numbers_are_pids(cpu, list, o)) {
            *offset = o;
            found++;
        }
    return found == 1;
}

static bool list_find(struct guest *g, const struct cpu *cpu, struct list *list)
{
    unsigned step = g->kernel->is64 ? 8 : 4, found = 0;
    u32 at = 0;

    for (u32 o = 0; o + 2 * step <= g->layout.task_comm; o += step)
        if (list_walk(g, cpu, g->idle, o, list)) {
            at = o;
            found++;
        }
    return found == 1 && list_walk(g, cpu, g->idle, at, list);
}

bool task_layout_find(struct guest *g, const struct cpu *cpu, u64 task)
{
    struct kernel_layout *l = &g->layout;
    struct list *list;
    u32 pid = 0;

    if (!g->idle && comm_find(cpu, task, &l->task_comm))
        g->idle = task;
    if (!g->idle)
        return false;
    list = malloc(sizeof *list);
    if (!list)
        abort();
    l->known = list_find(g, cpu, list) && pid_find(cpu, list, l->task_comm, &pid);
    free(list);
    if (l->known) {
        l->task_pid = pid;
        l->task_tgid = pid + 4;
    }
    return l->known;
}

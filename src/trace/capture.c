/* SPDX-License-Identifier: MIT
 * What a recorder keeps of the guest's memory beside an event. The printer of system calls itself (linux/linux.h) is
 * run on a memory that remembers what it was asked for: so what a later print will read has been kept, and nothing
 * else. Linux's signal frames: the ABI of sigreturn(2), struct sigcontext of amd64 and i386.
 */
#include "trace/capture.h"

#include <stdlib.h>
#include <string.h>

#define TASKS_MAX 65536u /* then all are forgotten */
#define WANT_IN 1u
#define WANT_OUT 2u

struct capture_task {
    u64 task;       /* 0: free */
    u32 pid;        /* a task_struct may be used again */
    u64 entry_rip;  /* of its last entry from ring 3 */
    bool wants_out; /* the call below is open, and its return fills memory */
    bool wants_in;  /* it is open, and a page that it reads was not there yet at its entry */
    struct linux_call call;
};

void capture_init(struct capture *c, unsigned string_limit)
{
    *c = (struct capture){.string_limit = string_limit ? string_limit : CAPTURE_STRING};
    for (unsigned abi = 0; abi < LINUX_ABIS; abi++)
        for (unsigned n = 0; n < CAPTURE_NUMBERS; n++) {
            const struct linux_syscall *s = linux_syscall((enum linux_abi)abi, n);

            if (s)
                c->wanted[abi][n] =
                    (u8)((linux_syscall_reads(s) ? WANT_IN : 0) | (linux_syscall_writes(s) ? WANT_OUT : 0));
        }
}

void capture_free(struct capture *c)
{
    free(c->slot);
    *c = (struct capture){0};
}

static size_t place(const struct capture *c, u64 task)
{
    size_t i = (size_t)((task >> 6) * 0x9E3779B97F4A7C15ull >> 32) & (c->capacity - 1);

    while (c->slot[i].task && c->slot[i].task != task)
        i = (i + 1) & (c->capacity - 1);
    return i;
}

static void grow(struct capture *c)
{
    struct capture_task *old = c->slot;
    size_t capacity = c->capacity;

    c->capacity = capacity ? capacity * 2 : 64;
    c->slot = calloc(c->capacity, sizeof *c->slot);
    if (!c->slot)
        abort();
    for (size_t i = 0; i < capacity; i++)
        if (old[i].task)
            c->slot[place(c, old[i].task)] = old[i];
    free(old);
}

void capture_task(struct capture *c, const struct guest_task *task)
{
    c->current = NULL;
    if (!task->known || !task->task)
        return;
    if (c->tasks == TASKS_MAX) {
        memset(c->slot, 0, c->capacity * sizeof *c->slot);
        c->tasks = 0;
    }
    if (c->tasks * 2 >= c->capacity)
        grow(c);
    c->current = &c->slot[place(c, task->task)];
    if (!c->current->task)
        c->tasks++;
    else if (c->current->pid == task->pid)
        return;
    *c->current = (struct capture_task){.task = task->task, .pid = task->pid};
}

static u8 wanted(const struct capture *c, enum linux_abi abi, u64 number)
{
    return number < CAPTURE_NUMBERS ? c->wanted[abi][number] : (u8)(WANT_IN | WANT_OUT);
}

bool capture_wants(const struct capture *c, const struct cpu *cpu, const struct transition *t)
{
    struct capture_task *task = c->current;

    if (!task)
        return false;
    if (t->to.cpl == 3 && t->from.cpl < 3)
        return task->wants_out || task->wants_in || t->to.rip - task->entry_rip > 15;
    if (t->from.cpl != 3 || t->to.cpl == 3)
        return false;
    task->entry_rip = t->from.rip;
    if (!event_mechanism_is_software_entry(t->mechanism))
        return false;
    return wanted(c, t->from.mode == MODE_LONG && t->mechanism == MECH_SYSCALL ? LINUX_AMD64 : LINUX_I386,
                  cpu->arch.gpr[RAX] & ~0x40000000ull) != 0;
}

/* ---- memory that remembers */

struct remembering {
    struct cpu *cpu;
    struct pieces *pieces; /* NULL: only read */
    u64 event;
    enum data_kind kind;
    bool failed; /* something could not be read */
};

static bool peek(struct cpu *cpu, u64 address, void *out, size_t size)
{
    const u8 *host = size && size <= PAGE_SIZE
                         ? tlb_read_hit(&cpu->mmu.view[VIEW_USER], address & cpu->d.laddr_mask, (unsigned)size)
                         : NULL;

    if (host) {
        memcpy(out, host, size);
        return true;
    }
    return mmu_peek(&cpu->mmu, address, out, size);
}

static bool read_and_remember(void *context, u64 address, void *out, size_t size)
{
    struct remembering *r = context;

    if (!peek(r->cpu, address, out, size)) {
        r->failed = true;
        return false;
    }
    if (r->pieces)
        pieces_add(r->pieces, r->kind, r->event, address, out, size);
    return true;
}

/* What the call reads, or with at_return what it has filled.
 * returns: whether all that was asked for could be read */
static bool gather(const struct capture *c, struct cpu *cpu, u64 id, struct linux_call call, bool at_return,
                   struct pieces *pieces)
{
    struct remembering in = {.cpu = cpu, .pieces = at_return ? NULL : pieces, .event = id, .kind = DATA_MEMORY_IN};
    struct remembering out = {.cpu = cpu, .pieces = pieces, .event = id, .kind = DATA_MEMORY_OUT};
    struct linux_memory in_memory = {&in, read_and_remember}, out_memory = {&out, read_and_remember};
    struct linux_style style = {.string_limit = c->string_limit};

    call.returned = at_return;
    call.in = &in_memory;
    call.out = at_return ? &out_memory : NULL;
    linux_visit_memory(&call, &style);
    return !in.failed && !out.failed;
}

/* ---- entries and returns */

static void at_entry(struct capture *c, struct cpu *cpu, u64 id, const struct event_record *e, struct pieces *pieces)
{
    struct capture_task *task = c->current;
    struct linux_call *call = &task->call;
    u64 sixth;
    u32 word;
    u8 want;

    task->entry_rip = e->from_rip;
    task->wants_out = task->wants_in = false;
    *call = (struct linux_call){0};
    if (!call_is_linux(e, &call->abi, &call->number))
        return;
    call_arguments(e, call->abi, call->arg, &sixth);
    if (sixth && peek(cpu, sixth, &word, sizeof word)) {
        call->arg[5] = word;
        pieces_add(pieces, DATA_MEMORY_IN, id, sixth, &word, sizeof word);
    }
    want = wanted(c, call->abi, call->number);
    task->wants_out = want & WANT_OUT;
    task->wants_in = want & WANT_IN && !gather(c, cpu, id, *call, false, pieces);
}

/* A signal frame lies at the new stack pointer: where it will return to, and with which result.
 * returns: false when what is there cannot be one */
static bool read_signal_frame(struct cpu *cpu, const struct event_record *e, u64 *rip, u64 *rax)
{
    u32 info, word[2];

    if (e->to_mode == MODE_LONG) /* return address, then struct ucontext: 40 bytes, then r8 ... */
        return peek(cpu, e->to_rsp + 48 + 13 * 8, rax, 8) && peek(cpu, e->to_rsp + 48 + 16 * 8, rip, 8);
    /* i386: with SA_SIGINFO the third word points to the siginfo behind the four words; else the registers begin there.
     */
    if (!peek(cpu, e->to_rsp + 8, &info, sizeof info))
        return false;
    u64 context = info == (u32)e->to_rsp + 16 ? e->to_rsp + 16 + 128 + 20 : e->to_rsp + 8;
    if (!peek(cpu, context + 11 * 4, &word[0], 4) || !peek(cpu, context + 14 * 4, &word[1], 4))
        return false;
    *rax = word[0];
    *rip = word[1];
    return true;
}

static void at_return(struct capture *c, struct cpu *cpu, u64 id, const struct event_record *e, struct pieces *pieces)
{
    struct capture_task *task = c->current;
    u64 signal[2] = {0, e->rax};
    bool elsewhere = e->to_rip - task->entry_rip > 15;

    if (elsewhere && read_signal_frame(cpu, e, &signal[0], &signal[1]) && signal[0] - task->entry_rip <= 15) {
        pieces_add(pieces, DATA_SIGNAL, id, e->to_rsp, signal, sizeof signal);
        elsewhere = false;
    }
    if (task->wants_in && !elsewhere) /* the kernel has brought the page in by now */
        gather(c, cpu, id, task->call, false, pieces);
    if (task->wants_out && !elsewhere) {
        task->call.result = call_result(task->call.abi, signal[1]);
        gather(c, cpu, id, task->call, true, pieces);
    }
    task->wants_out = task->wants_in = false;
}

void capture_transition(struct capture *c, struct cpu *cpu, u64 id, const struct event_record *e, struct pieces *pieces)
{
    if (!c->current)
        return;
    if (e->from_cpl == 3 && e->to_cpl < 3)
        at_entry(c, cpu, id, e, pieces);
    else if (e->to_cpl == 3 && e->from_cpl < 3)
        at_return(c, cpu, id, e, pieces);
}

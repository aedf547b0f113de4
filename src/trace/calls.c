/* SPDX-License-Identifier: MIT
 * Pairing of entries and exits. Linux's calling conventions: the ABI supplements for amd64 and i386, the vDSO's
 * __kernel_vsyscall.
 */
#include "trace/calls.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define OPEN_MAX 65536u    /* calls open at one time; the oldest makes room */
#define OPEN_SLOTS 131072u /* of the hash table; a power of two */
#define NESTED_MAX 64u     /* same-ring events open in one task */

/* Whom an entry belongs to: a task, or where none is known an address space and user stack. */
struct owner {
    u64 key[2];
};

struct open_call {
    struct call call;
    struct owner owner;
    u64 left, away; /* instructions completed when the owner lost the processor (0: it has it); while it was gone */
    struct open_call *next; /* in its hash slot */
    struct open_call *older, *newer;
    struct open_call *nested; /* same-ring events of the owner; newest first, linked by next */
    bool placeholder;         /* holds nested events only: the owner is in the kernel for no known reason */
};

struct calls {
    bool linux_kernel;
    u64 seed; /* of the hash: owners must not be made to meet in it; nothing but speed depends on it */
    struct open_call *slot[OPEN_SLOTS];
    struct open_call *oldest, *newest;
    size_t open;
    struct open_call *ended; /* the call told of last; freed at the next event */
    struct calls_counts counts;
    call_dropped_fn *dropped;
    void *dropped_context;
    u64 task; /* current at the event before */
};

const char *call_end_name(enum call_end end)
{
    static const char *const names[] = {"open", "returned", "signal", "restarted", "exec", "resumed", "never"};

    return end <= CALL_NEVER ? names[end] : "?";
}

/* ---- Linux */

bool call_is_linux(const struct event_record *e, enum linux_abi *abi, u64 *number)
{
    if (e->kind != EVENT_KIND_TRANSITION || e->from_cpl != 3 || e->to_cpl != 0)
        return false;
    switch (e->mechanism) {
    case MECH_SYSCALL: *abi = e->from_mode == MODE_LONG ? LINUX_AMD64 : LINUX_I386; break;
    case MECH_SYSENTER: *abi = LINUX_I386; break;
    case MECH_INT_N:
        if (e->vector != 0x80)
            return false;
        *abi = LINUX_I386;
        break;
    default: return false;
    }
    *number = *abi == LINUX_I386 ? (u32)e->rax : e->rax;
    if (*abi == LINUX_AMD64 && (*number & 0x40000000) && *number >> 31 == 0) {
        *abi = LINUX_X32;
        *number &= ~0x40000000ull;
    }
    return true;
}

void call_arguments(const struct event_record *e, enum linux_abi abi, u64 arg[LINUX_ARGS], u64 *sixth)
{
    const u64 amd64[LINUX_ARGS] = {e->rdi, e->rsi, e->rdx, e->r10, e->r8, e->r9};
    const u64 i386[LINUX_ARGS] = {e->rbx, e->rcx, e->rdx, e->rsi, e->rdi, e->rbp};

    *sixth = 0;
    for (unsigned i = 0; i < LINUX_ARGS; i++)
        arg[i] = abi == LINUX_I386 ? (u32)i386[i] : amd64[i];
    if (abi != LINUX_I386 || e->mechanism == MECH_INT_N)
        return;
    /* __kernel_vsyscall pushes ECX, EDX and EBP. For SYSENTER EBP then is the stack pointer; for SYSCALL, which takes
     * ECX for the return address, EBP carries the second argument. */
    if (e->mechanism == MECH_SYSCALL)
        arg[1] = (u32)e->rbp;
    *sixth = e->mechanism == MECH_SYSCALL ? (u32)e->from_rsp : (u32)e->rbp;
    arg[5] = 0;
}

i64 call_result(enum linux_abi abi, u64 rax) { return abi == LINUX_I386 ? (i64)(i32)rax : (i64)rax; }

void call_signal_frame(struct call *call, const struct data_piece *piece)
{
    u64 word[2]; /* RIP, RAX */

    if (call->end != CALL_SIGNAL || piece->kind != DATA_SIGNAL || piece->size != sizeof word)
        return;
    memcpy(word, piece->bytes, sizeof word);
    if (word[0] != call->entry.from_rip) /* else it will be made again: RAX is its number */
        call->result = call_result(call->abi, word[1]);
}

void call_linux(const struct call *call, const struct linux_memory *in, const struct linux_memory *out,
                struct linux_call *l)
{
    u64 sixth;
    u32 word;

    *l = (struct linux_call){.abi = call->abi, .number = call->number, .in = in, .out = out};
    call_arguments(&call->entry, call->abi, l->arg, &sixth);
    if (sixth && in && in->read(in->context, sixth, &word, sizeof word))
        l->arg[5] = word;
    l->returned = call->end != CALL_OPEN && call->end != CALL_NEVER;
    l->result = call_result(call->abi, call->exit.rax);
}

/* ---- the table of open calls */

static unsigned slot_of(const struct calls *c, struct owner owner)
{
    u64 hash = (owner.key[0] ^ c->seed) * 0x9E3779B97F4A7C15ull;

    hash = ((hash ^ hash >> 29) ^ owner.key[1]) * 0xC2B2AE3D27D4EB4Full;
    return (unsigned)(hash >> 40) % OPEN_SLOTS;
}

static bool same_owner(struct owner a, struct owner b) { return a.key[0] == b.key[0] && a.key[1] == b.key[1]; }

static struct open_call *find(struct calls *c, struct owner owner)
{
    struct open_call *o = c->slot[slot_of(c, owner)];

    while (o && !same_owner(o->owner, owner))
        o = o->next;
    return o;
}

static void unlink_call(struct calls *c, struct open_call *o)
{
    struct open_call **at = &c->slot[slot_of(c, o->owner)];

    while (*at != o)
        at = &(*at)->next;
    *at = o->next;
    *(o->older ? &o->older->newer : &c->oldest) = o->newer;
    *(o->newer ? &o->newer->older : &c->newest) = o->older;
    c->open--;
}

static void give_up(struct calls *c, struct open_call *o)
{
    if (o->placeholder)
        return;
    o->call.end = CALL_NEVER;
    if (c->dropped)
        c->dropped(c->dropped_context, &o->call);
}

static void drop_nested(struct calls *c, struct open_call *o)
{
    while (o->nested) {
        struct open_call *n = o->nested;

        o->nested = n->next;
        give_up(c, n);
        free(n);
    }
}

static void drop(struct calls *c, struct open_call *o)
{
    unlink_call(c, o);
    drop_nested(c, o);
    give_up(c, o);
    free(o);
}

static struct open_call *open_new(struct calls *c, struct owner owner)
{
    struct open_call *o = calloc(1, sizeof *o);

    if (!o)
        abort();
    if (c->open >= OPEN_MAX)
        drop(c, c->oldest);
    o->owner = owner;
    o->next = c->slot[slot_of(c, owner)];
    c->slot[slot_of(c, owner)] = o;
    o->older = c->newest;
    *(c->newest ? &c->newest->newer : &c->oldest) = o;
    c->newest = o;
    c->open++;
    return o;
}

struct calls *calls_new(bool linux_kernel)
{
    struct calls *c = calloc(1, sizeof *c);

    if (!c)
        abort();
    c->linux_kernel = linux_kernel;
    if (getrandom(&c->seed, sizeof c->seed, GRND_NONBLOCK) != sizeof c->seed)
        c->seed = 0;
    return c;
}

void calls_free(struct calls *c)
{
    if (!c)
        return;
    c->dropped = NULL;
    calls_finish(c);
    free(c->ended);
    free(c);
}

void calls_on_drop(struct calls *c, call_dropped_fn *fn, void *context)
{
    c->dropped = fn;
    c->dropped_context = context;
}

void calls_finish(struct calls *c)
{
    while (c->oldest)
        drop(c, c->oldest);
}

struct calls_counts calls_counts(const struct calls *c) { return c->counts; }

/* ---- events */

/* A task_struct is used again: its call belongs to a thread that is gone. A thread that executes a program takes over
 * its process's number in the middle of the call. */
static bool is_reused(const struct open_call *o, const struct guest_task *task)
{
    const struct call *call = &o->call;

    return task && task->known && call->task.known && !o->placeholder && task->pid != call->task.pid &&
           !(call->task.tgid == task->pid && call->syscall && !strncmp(linux_syscall_name(call->syscall), "execve", 6));
}

/* The call that is open for the owner; one of a thread that is gone is given up. */
static struct open_call *find_living(struct calls *c, struct owner owner, const struct guest_task *task)
{
    struct open_call *o = find(c, owner);

    if (o && is_reused(o, task)) {
        drop(c, o);
        return NULL;
    }
    return o;
}

static struct owner owner_of(const struct guest_task *task, u64 cr3, u64 rsp)
{
    if (task && task->known)
        return (struct owner){{task->task, ~0ull}};
    return (struct owner){{cr3, rsp}};
}

static void begin(struct calls *c, struct open_call *o, u64 id, const struct event_record *e,
                  const struct guest_task *task)
{
    struct call *call = &o->call;

    call->entry_id = id;
    call->entry = *e;
    if (task)
        call->task = *task;
    if (c->linux_kernel && !call->nested && call_is_linux(e, &call->abi, &call->number)) {
        call->is_syscall = true;
        call->syscall = linux_syscall(call->abi, call->number);
    }
}

/* The call is told of, and kept until the next event. */
static struct call *end(struct calls *c, struct open_call *o, u64 id, const struct event_record *e)
{
    struct call *call = &o->call;

    free(c->ended);
    c->ended = o;
    call->exit_id = id;
    call->exit = *e;
    call->result = call_result(call->abi, e->rax);
    call->insns_inside = e->retired - call->entry.retired - o->away;
    return call;
}

/* SDM 2: an instruction is at most 15 bytes long; INT n and SYSCALL are two. */
static enum call_end how_it_ended(const struct call *call, const struct event_record *e)
{
    u64 moved = e->to_rip - call->entry.from_rip;
    const char *name = call->syscall ? linux_syscall_name(call->syscall) : "";

    if (!call->is_syscall)
        return moved <= 15 ? CALL_RETURNED : CALL_SIGNAL;
    if (!strcmp(name, "rt_sigreturn") || !strcmp(name, "sigreturn"))
        return CALL_RESUMED;
    if ((!strcmp(name, "execve") || !strcmp(name, "execveat")) && (u32)e->rax == 0 && moved != 2)
        return CALL_EXEC;
    if (moved == 0)
        return CALL_RESTARTED;
    /* SYSEXIT and SYSRET to 32-bit code go to where the vDSO says, a few bytes behind the entry. */
    return moved <= 15 ? CALL_RETURNED : CALL_SIGNAL;
}

static enum call_news enter(struct calls *c, u64 id, const struct event_record *e, const struct guest_task *task,
                            struct call **call)
{
    struct owner owner = owner_of(task, e->from_cr3, e->from_rsp);
    struct open_call *o = find(c, owner);

    if (o)
        drop(c, o); /* it cannot come back: its task is in ring 3 */
    o = open_new(c, owner);
    c->counts.entries++;
    begin(c, o, id, e, task);
    *call = &o->call;
    return CALL_BEGINS;
}

static enum call_news leave(struct calls *c, u64 id, const struct event_record *e, const struct guest_task *task,
                            struct call **call)
{
    struct open_call *o = find_living(c, owner_of(task, e->to_cr3, e->to_rsp), task);
    bool known = task && task->known;

    /* A task that was found out about while it was in the kernel. */
    if (!o && known) {
        o = find(c, owner_of(NULL, e->to_cr3, e->to_rsp));
        known = false;
    }
    if (o && !o->placeholder && !known && (e->to_rip - o->call.entry.from_rip > 15))
        o = NULL; /* without a task only what leads back is sure */
    if (!o || o->placeholder || e->retired < o->call.entry.retired) {
        if (o)
            drop(c, o);
        c->counts.unpaired_exits++;
        return CALL_STARTS_TASK;
    }
    unlink_call(c, o);
    drop_nested(c, o);
    c->counts.ended++;
    *call = end(c, o, id, e);
    (*call)->end = how_it_ended(*call, e);
    return CALL_ENDS;
}

/* ---- within one ring */

static bool pushes_frame(const struct event_record *e)
{
    return e->frame_words && !event_frame_is_popped(e) && e->present & EVENT_HAS_VECTOR;
}

static enum call_news nest(struct calls *c, u64 id, const struct event_record *e, const struct guest_task *task,
                           struct call **call)
{
    struct owner owner = owner_of(task, e->from_cr3, 0);
    struct open_call *o = find_living(c, owner, task), *n = calloc(1, sizeof *n);
    unsigned depth = 0;

    if (!n)
        abort();
    if (!o) {
        o = open_new(c, owner);
        o->placeholder = true;
    }
    n->call.nested = true;
    begin(c, n, id, e, task);
    n->next = o->nested;
    o->nested = n;
    /* Frames that were never popped (a handler that went elsewhere) are given up from the oldest on. */
    for (struct open_call **at = &o->nested; *at; at = &(*at)->next)
        if (++depth > NESTED_MAX) {
            struct open_call *old = *at;

            *at = old->next;
            give_up(c, old);
            free(old);
            break;
        }
    *call = &n->call;
    return CALL_BEGINS;
}

static enum call_news unnest(struct calls *c, u64 id, const struct event_record *e, const struct guest_task *task,
                             struct call **call)
{
    struct open_call *o = find_living(c, owner_of(task, e->from_cr3, 0), task);
    u64 frame = e->frame_address;

    for (struct open_call **at = o ? &o->nested : NULL; at && *at; at = &(*at)->next) {
        struct open_call *n = *at;
        u64 pushed = n->call.entry.frame_address;

        /* The error code is taken away before IRET: one word. */
        if (n->call.entry.present & EVENT_HAS_ERROR)
            pushed += n->call.entry.frame_word_bytes;
        if (pushed != frame)
            continue;
        *at = n->next;
        *call = end(c, n, id, e);
        (*call)->end = CALL_RETURNED;
        if (o->placeholder && !o->nested) {
            unlink_call(c, o);
            free(o);
        }
        return CALL_ENDS;
    }
    return CALL_NOTHING;
}

/* ---- time */

/* The switch itself lies between two events; its instructions count for the task that was current before. */
static void count_time(struct calls *c, const struct event_record *e, const struct guest_task *task)
{
    u64 now = task && task->known ? task->task : 0;
    struct open_call *o;

    if (now == c->task)
        return;
    o = c->task ? find(c, (struct owner){{c->task, ~0ull}}) : NULL;
    if (o) {
        o->left = e->retired;
        o->call.switched++;
    }
    o = now ? find(c, (struct owner){{now, ~0ull}}) : NULL;
    if (o && o->left) {
        o->away += e->retired - o->left;
        o->left = 0;
    }
    c->task = now;
}

static enum call_news inside(struct calls *c, const struct event_record *e, const struct guest_task *task,
                             struct call **call)
{
    struct open_call *o = task && task->known ? find_living(c, owner_of(task, 0, 0), task) : NULL;

    (void)e;
    if (!o || o->placeholder)
        return CALL_NOTHING;
    o->call.events_inside++;
    *call = &o->call;
    return CALL_INSIDE;
}

enum call_news calls_event(struct calls *c, u64 id, const struct event_record *e, const struct guest_task *task,
                           struct call **call)
{
    enum call_news news = CALL_NOTHING;

    *call = NULL;
    count_time(c, e, task);
    if (!event_is_transition(e))
        return e->kind == EVENT_KIND_TASK ? CALL_NOTHING : inside(c, e, task, call);
    if (e->from_cpl == 3 && e->to_cpl < 3)
        return enter(c, id, e, task, call);
    if (e->to_cpl == 3 && e->from_cpl < 3)
        return leave(c, id, e, task, call);
    if (e->from_cpl == e->to_cpl) {
        if (pushes_frame(e))
            news = nest(c, id, e, task, call);
        else if (e->mechanism == MECH_IRET_SAME)
            news = unnest(c, id, e, task, call);
    }
    return news != CALL_NOTHING ? news : inside(c, e, task, call);
}

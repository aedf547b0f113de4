/* SPDX-License-Identifier: MIT
 * The call tree of a walk, from a shadow stack of activations.
 *
 * An activation ends when its return address is popped, wherever that then leads: returns are matched by stack pointer
 * and address, not by counting. So what kernels do with calls and returns besides calling comes out right:
 *
 *   tail call                      a jump to another function: that one takes over the activation
 *   jmp to a thunk, thunk returns  the thunk's instructions count for the function that jumped
 *   call of a thunk that jumps     the activation is that of the function jumped to
 *   call 1f; 1: mov x,(%rsp); ret  the local call ends by a return to elsewhere: a jump
 *   call 1f; 1: add $8,%rsp        its return address is dropped
 *   foo jumping to foo.cold        still foo
 *   error_entry                    moves its return address down, below what it pushes: the address alone is matched
 */
#include <stdlib.h>
#include <string.h>

#include "trace/walk/build.h"

#define FRAMES_MAX 2048u
/* Level of code below an interrupt: never the stub of the crossing. */
#define LEVEL_INTERRUPT 0x10000u

static struct walk_frame *top(const struct trace_walk *w) { return &w->frame[w->frames - 1]; }

static bool starts_with(const char *text, const char *prefix) { return strncmp(text, prefix, strlen(prefix)) == 0; }

/* Code that only leads elsewhere: retpolines, return thunks, static calls. */
static bool is_thunk(const struct walk_symbol *s)
{
    static const char *const prefixes[] = {"__x86_indirect_", "__x86_return_", "__indirect_thunk", "__x86_retpoline",
                                           "its_return_",     "srso_",         "retbleed_",        "__SCT__",
                                           "zen_untrain_ret", "entry_untrain", "entry_ibpb",       "__ret"};

    if (s->name == NULL)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(prefixes); i++)
        if (starts_with(s->name, prefixes[i]))
            return true;
    return false;
}

/* Assembly that the entry stub calls and that goes on with its work. */
static bool is_stub_part(const struct walk_symbol *s)
{
    return s->name != NULL &&
           (strcmp(s->name, "error_entry") == 0 || strcmp(s->name, "paranoid_entry") == 0 || is_thunk(s));
}

/* "foo" and "foo.cold" are one function. */
static bool same_function(const struct walk_symbol *a, const struct walk_symbol *b)
{
    size_t length;

    if (a->name == NULL || b->name == NULL)
        return a->name == b->name;
    length = strcspn(a->name, ".");
    return strcspn(b->name, ".") == length && memcmp(a->name, b->name, length) == 0;
}

static struct walk_frame *push(struct trace_walk *w)
{
    if (w->frames == w->frame_room) {
        w->frame_room = w->frame_room ? w->frame_room * 2 : 64;
        w->frame = realloc(w->frame, w->frame_room * sizeof *w->frame);
        if (w->frame == NULL)
            abort();
    }
    w->frame[w->frames] = (struct walk_frame){.stack = w->stack};
    return &w->frame[w->frames++];
}

static void set_range(struct walk_frame *f, const struct walk_symbol *s)
{
    f->lo = s->start;
    f->hi = s->end;
}

static void name_node(struct trace_walk *w, u32 index, const struct walk_symbol *s, u64 address)
{
    struct walk_node *n = walk_node_at(w, index);

    if (n == NULL)
        return;
    n->symbol = *s;
    n->address = address;
}

void graph_begin(struct trace_walk *w, u32 parent, const struct event_record *e, u32 level)
{
    struct walk_symbol s = walk_lookup(w, e->to_rip, false);
    u32 node = walk_node_new(w, parent, WALK_FUNCTION);
    struct walk_frame *f = push(w);

    f->kind = FRAME_BASE;
    f->node = node;
    f->level = level;
    f->ret = e->from_rip;
    f->sp = e->from_rsp;
    set_range(f, &s);
    name_node(w, node, &s, e->to_rip);
}

void graph_call(struct trace_walk *w, u64 target, u64 ret, u64 sp)
{
    struct walk_frame *f = top(w);
    u32 caller = f->node, level = f->level;
    u64 lo = f->lo, hi = f->hi;
    struct walk_symbol s = walk_lookup(w, target, false);
    bool local = target == ret || (target >= lo && target < hi && s.name != NULL && target != s.start);

    if (w->frames >= FRAMES_MAX)
        return; /* deeper than any stack: the callee's instructions count for the caller */
    f = push(w);
    f->ret = ret;
    f->sp = sp;
    f->node = caller;
    f->level = level;
    if (local) {
        f->kind = FRAME_LOCAL;
        f->lo = lo;
        f->hi = hi;
        return;
    }
    f->kind = FRAME_FUNCTION;
    f->level = level + 1;
    f->provisional = is_thunk(&s);
    set_range(f, &s);
    f->node = walk_node_new(w, caller, WALK_FUNCTION);
    name_node(w, f->node, &s, target);
    if (level == 0 && !is_stub_part(&s))
        w->stub_done = true;
}

/* The activation goes on in other code. */
static void jump(struct trace_walk *w, u64 target)
{
    struct walk_frame *f = top(w);
    struct walk_symbol s = walk_lookup(w, target, false);
    struct walk_node *n = walk_node_at(w, f->node);
    bool thunk = is_thunk(&s);
    u32 node;

    set_range(f, &s);
    if (f->provisional) {
        f->provisional = thunk;
        name_node(w, f->node, &s, target);
        if (f->level == 1 && !is_stub_part(&s))
            w->stub_done = true;
        return;
    }
    if (n == NULL || thunk || same_function(&n->symbol, &s))
        return;
    node = walk_node_new(w, n->parent, WALK_FUNCTION);
    f->node = node;
    name_node(w, node, &s, target);
    if (walk_node_at(w, node) != NULL)
        walk_node_at(w, node)->tail = true;
}

void graph_here(struct trace_walk *w, u64 rip)
{
    const struct walk_frame *f = top(w);

    if (rip < f->lo || rip >= f->hi)
        jump(w, rip);
}

void graph_return(struct trace_walk *w, u64 target, u64 freed)
{
    struct walk_frame *f = top(w);

    for (size_t i = w->frames; i-- > 0 && w->frame[i].kind != FRAME_BASE;) {
        f = &w->frame[i];
        if (f->ret == target && f->sp == freed) {
            w->frames = i;
            return;
        }
    }
    f = top(w);
    if (f->kind != FRAME_BASE && f->ret == target) { /* its return address was moved, as by Linux's error_entry */
        w->frames--;
        return;
    }
    if (f->kind != FRAME_BASE && f->sp == freed && f->stack == w->stack) {
        /* Its return address was replaced. What it was goes on at the target: in the function around a local call, or
         * in a function of its own in its place. */
        if (f->kind == FRAME_LOCAL) {
            w->frames--;
        } else {
            struct walk_frame done = *f;

            w->frames--;
            top(w)->node = done.node;
            set_range(top(w), &(struct walk_symbol){.start = done.lo, .end = done.hi});
        }
    }
    graph_here(w, target); /* an address that was pushed, not left by a call: a jump */
}

void graph_drop(struct trace_walk *w, u64 sp)
{
    while (top(w)->kind != FRAME_BASE && top(w)->stack == w->stack && sp >= top(w)->sp) {
        struct walk_frame done = *top(w);

        w->frames--;
        if (done.kind == FRAME_LOCAL)
            continue;
        /* The function threw its return address away: it goes on in the place of its caller. */
        top(w)->node = done.node;
        top(w)->lo = done.lo;
        top(w)->hi = done.hi;
    }
}

bool graph_stack(struct trace_walk *w, u64 from, u64 to)
{
    u64 distance = from < to ? to - from : from - to;
    size_t oldest = 0;

    if (distance <= WALK_STACK_JUMP)
        return false;
    for (size_t i = 0; i < WALK_STACKS; i++) {
        if (w->stacks[i].stack == w->stack) {
            w->stacks[i].sp = from;
            oldest = i;
            break;
        }
        if (w->stacks[i].stack < w->stacks[oldest].stack)
            oldest = i;
    }
    w->stacks[oldest].stack = w->stack;
    w->stacks[oldest].sp = from;
    for (size_t i = 0; i < WALK_STACKS; i++) {
        u64 sp = w->stacks[i].sp;

        if (w->stacks[i].stack != 0 && (sp < to ? to - sp : sp - to) <= WALK_STACK_JUMP) {
            w->stack = w->stacks[i].stack;
            return true;
        }
    }
    w->stack = ++w->stacks_made;
    return true;
}

void graph_interrupt(struct trace_walk *w, const struct event_record *e)
{
    u32 node, stack = w->stack;
    struct walk_node *n;

    if (w->frames >= FRAMES_MAX)
        return; /* handlers that never return: the next one's instructions count for this one */
    node = walk_node_new(w, top(w)->node, WALK_INTERRUPT);
    n = walk_node_at(w, node);
    if (n != NULL) {
        n->a = e->mechanism;
        n->b = e->vector;
        n->number = e->error;
        n->known = (e->present & EVENT_HAS_ERROR) != 0;
        n->address = e->from_rip;
        n->symbol = walk_lookup(w, e->from_rip, false);
    }
    graph_stack(w, e->from_rsp, e->to_rsp);
    graph_begin(w, node, e, LEVEL_INTERRUPT);
    top(w)->stack = stack; /* that of the interrupted code */
}

void graph_interrupt_end(struct trace_walk *w, const struct event_record *e)
{
    for (size_t i = w->frames; i-- > 1;) {
        const struct walk_frame *f = &w->frame[i];

        if (f->kind == FRAME_BASE && f->sp == e->to_rsp) {
            w->stack = f->stack;
            w->frames = i;
            return;
        }
    }
    graph_stack(w, e->from_rsp, e->to_rsp);
}

bool graph_in_stub(const struct trace_walk *w)
{
    const struct walk_frame *f = top(w);
    const struct walk_node *n = &w->node[f->node];

    return f->level == 0 || (f->level == 1 && (f->provisional || is_stub_part(&n->symbol)));
}

const char *graph_name(const struct trace_walk *w)
{
    const char *name = w->node[top(w)->node].symbol.name;

    return name == NULL ? "" : name;
}

bool graph_open(const struct trace_walk *w, const char *name)
{
    for (size_t i = 0; i < w->frames; i++) {
        const char *n = w->node[w->frame[i].node].symbol.name;

        if (n != NULL && strcmp(n, name) == 0)
            return true;
    }
    return false;
}

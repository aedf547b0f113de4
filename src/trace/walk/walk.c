/* SPDX-License-Identifier: MIT
 * A walk is fed: instructions before they execute, transitions, side events. What an instruction did is known when the
 * next one is shown, or a transition says where it led.
 *
 * Instructions are counted by the processor's own count: what passed since the last look belongs to what executed then.
 * So the counts of all nodes are the whole, whatever the tree makes of them.
 */
#include "trace/walk/walk.h"

#include <stdlib.h>
#include <string.h>

#include "trace/walk/build.h"

#define DEFAULT_NODES 500000u
#define CHANGES_KEPT 8u

/* ---- the tree */

static void *grown(void *array, size_t *room, size_t size, size_t limit)
{
    *room = *room ? *room * 2 : 256;
    if (*room > limit)
        *room = limit;
    array = realloc(array, *room * size);
    if (array == NULL)
        abort();
    return array;
}

static u32 link_node(struct trace_walk *w, u32 parent, enum walk_kind kind)
{
    u32 index = (u32)w->tree.nodes++;
    struct walk_node *p = &w->node[parent];

    w->node[index] = (struct walk_node){.kind = (u8)kind, .parent = parent};
    if (p->last != WALK_NONE)
        w->node[p->last].next = index;
    else
        p->first = index;
    p->last = index;
    return index;
}

u32 walk_node_new(struct trace_walk *w, u32 parent, enum walk_kind kind)
{
    if (w->lost != WALK_NONE)
        return w->lost;
    if (w->tree.nodes == w->node_room)
        w->node = grown(w->node, &w->node_room, sizeof *w->node, w->options.max_nodes);
    if (w->tree.nodes + 1 >= w->options.max_nodes) { /* the last place */
        w->lost = link_node(w, 0, WALK_LOST);
        return w->lost;
    }
    return link_node(w, parent, kind);
}

struct walk_node *walk_node_at(struct trace_walk *w, u32 index)
{
    return index == w->lost && w->lost != WALK_NONE ? NULL : &w->node[index];
}

struct walk_node *walk_mark(struct trace_walk *w, enum walk_kind kind)
{
    u32 parent = w->frames == 0 ? 0 : w->frame[w->frames - 1].node;

    return walk_node_at(w, walk_node_new(w, parent, kind));
}

struct walk_symbol walk_lookup(struct trace_walk *w, u64 address, bool user)
{
    struct walk_symbol s = {.start = address & PAGE_MASK, .end = (address & PAGE_MASK) + PAGE_SIZE};

    if (w->options.symbol == NULL || !w->options.symbol(w->options.context, address, user, &s))
        return (struct walk_symbol){.start = address & PAGE_MASK, .end = (address & PAGE_MASK) + PAGE_SIZE};
    w->tree.symbols |= !user;
    return s;
}

/* ---- counting */

static void settle(struct trace_walk *w, u64 retired)
{
    if (retired <= w->retired)
        return;
    w->node[w->count_to].self += retired - w->retired;
    if (w->state == WALK_AWAY)
        w->tree.others += retired - w->retired;
    w->retired = retired;
    w->tree.insns = retired - w->tree.entry.retired;
}

/* ---- what the last instruction did */

/* Stack pointers have the width of the code: the upper half of a 32-bit one is not there. */
static u64 masked(const struct trace_walk *w, u64 value) { return w->tree.is64 ? value : value & 0xFFFFFFFFu; }

static void put_insn(struct walk_node *n, const struct walk_insn *insn)
{
    memcpy(n->insn, insn->bytes, sizeof n->insn);
    n->length = insn->length;
    n->address = insn->rip;
    n->mode = insn->mode;
}

static void put_changes(struct trace_walk *w, const u64 *gpr)
{
    struct walk_node *n = &w->node[w->last_node];

    if (w->last_node == WALK_NONE || gpr == NULL)
        return;
    n->change = (u32)w->tree.changes;
    for (unsigned i = 0; i < 16 && n->changes < CHANGES_KEPT; i++) {
        if (masked(w, gpr[i]) == masked(w, w->last.gpr[i]))
            continue;
        if (w->tree.changes == w->change_room)
            w->change = grown(w->change, &w->change_room, sizeof *w->change, SIZE_MAX / sizeof *w->change);
        w->change[w->tree.changes++] = (struct walk_change){.reg = (u8)i, .value = masked(w, gpr[i])};
        n->changes++;
    }
}

/* Linux changes tasks by loading the stack pointer of the next one; this is where it does. */
static bool is_task_switch(const struct trace_walk *w)
{
    const char *name = graph_name(w);

    return strncmp(name, "__switch_to", 11) == 0 || strcmp(name, "__schedule") == 0 || strcmp(name, "schedule") == 0 ||
           strcmp(name, "context_switch") == 0;
}

static void leave(struct trace_walk *w, u64 sp)
{
    u32 parent = w->frame[w->frames - 1].node, index;

    if (graph_open(w, "do_exit") || graph_open(w, "do_task_dead")) {
        w->state = WALK_ENDED;
        w->tree.end = WALK_GONE;
        return;
    }
    w->tree.switched++;
    index = walk_node_new(w, parent, WALK_OTHERS);
    w->state = WALK_AWAY;
    w->away_sp = sp;
    w->count_to = index;
}

static void moved_stack(struct trace_walk *w, const struct code *code, u64 from, u64 to)
{
    struct walk_node *n;

    if (code->scratch) {
        w->scratch = true;
        w->scratch_from = from;
        return;
    }
    if (w->scratch)
        from = w->scratch_from;
    w->scratch = false;

    if (is_task_switch(w)) {
        leave(w, from);
        return;
    }
    if (!graph_stack(w, from, to))
        return;
    if (!w->stub_done && graph_in_stub(w))
        w->candidate = to;
    n = walk_mark(w, WALK_STACK);
    if (n == NULL)
        return;
    put_insn(n, &w->last);
    n->a = from;
    n->b = to;
}

/* in: gpr  the registers now; NULL when only the stack pointer is known */
static void last_done(struct trace_walk *w, u64 rip, u64 new_sp, const u64 *gpr)
{
    bool is64 = w->last.mode == MODE_LONG;
    u64 from, to = masked(w, new_sp), distance;
    struct code code;

    if (!w->have_last)
        return;
    w->have_last = false;
    put_changes(w, gpr);
    from = masked(w, w->last.gpr[WALK_RSP]);
    distance = from < to ? to - from : from - to;
    code = code_classify(w->last.bytes, w->last.length, is64);
    slots_insn(w, &code, to);
    switch (code.flow) {
    case CODE_CALL:
        if (to < from)
            graph_call(w, rip, w->last.rip + w->last.length, from);
        break;
    case CODE_RETURN: graph_return(w, rip, masked(w, from + (is64 ? 8 : 4))); break;
    default:
        if (distance > WALK_STACK_JUMP)
            moved_stack(w, &code, from, to);
        else if (to > from && !w->scratch)
            graph_drop(w, to);
        break;
    }
}

/* ---- the feed */

static void keep_user(struct trace_walk *w, const struct walk_insn *insn)
{
    w->user[w->user_next] = *insn;
    w->user_next = (w->user_next + 1) % WALK_USER_INSNS;
    if (w->users < WALK_USER_INSNS)
        w->users++;
}

static void user_node(struct trace_walk *w, const struct walk_insn *insn)
{
    struct walk_node *n = walk_node_at(w, walk_node_new(w, 0, WALK_USER));

    if (n == NULL)
        return;
    put_insn(n, insn);
    n->symbol = walk_lookup(w, insn->rip, true);
}

static void keep_insn(struct trace_walk *w)
{
    struct walk_node *n;

    w->last_node = WALK_NONE;
    if (w->options.insns == WALK_INSNS_NONE || (w->options.insns == WALK_INSNS_STUBS && !graph_in_stub(w)))
        return;
    n = walk_mark(w, WALK_INSN);
    if (n == NULL)
        return;
    put_insn(n, &w->last);
    w->last_node = (u32)(n - w->node);
}

/* The task runs again: its stack pointer is what it was. */
static bool comes_back(struct trace_walk *w, const struct walk_insn *insn)
{
    if (insn->ring != 0 || masked(w, insn->gpr[WALK_RSP]) != w->away_sp)
        return false;
    w->state = WALK_INSIDE;
    w->have_last = false;
    return true;
}

enum walk_state walk_insn(struct trace_walk *w, const struct walk_insn *insn)
{
    switch (w->state) {
    case WALK_WAITS:
        if (insn->ring == 3)
            keep_user(w, insn);
        else
            w->users = 0;
        return w->state;
    case WALK_ENDED:
        if (insn->ring == 3 && w->users_after < WALK_USER_INSNS) {
            w->users_after++;
            user_node(w, insn);
        }
        return w->state;
    case WALK_AWAY:
        settle(w, insn->retired);
        if (!comes_back(w, insn))
            return w->state;
        break;
    case WALK_INSIDE:
        settle(w, insn->retired);
        last_done(w, insn->rip, insn->gpr[WALK_RSP], insn->gpr);
        if (w->state != WALK_INSIDE)
            return w->state;
        break;
    }
    graph_here(w, insn->rip);
    w->count_to = w->frame[w->frames - 1].node;
    w->last = *insn;
    w->have_last = true;
    keep_insn(w);
    return w->state;
}

static void stack_mark(struct trace_walk *w, const struct event_record *e)
{
    struct walk_node *n;

    if (e->from_rsp - e->to_rsp <= WALK_STACK_JUMP)
        return; /* grown by the frame */
    if (e->stack_source == STACK_UNCHANGED)
        return;
    n = walk_mark(w, WALK_STACK);
    if (n == NULL)
        return;
    n->a = e->from_rsp;
    n->b = e->to_rsp;
    n->stack_source = e->stack_source;
}

static void begin(struct trace_walk *w, u64 id, const struct event_record *e)
{
    struct walk_node *n;
    u32 entry;

    w->state = WALK_INSIDE;
    w->tree.entry_id = id;
    w->tree.entry = *e;
    w->tree.is64 = e->to_mode == MODE_LONG;
    w->retired = e->retired;
    w->stack = ++w->stacks_made;
    for (unsigned i = 0; i < w->users; i++)
        user_node(w, &w->user[(w->user_next + WALK_USER_INSNS - w->users + i) % WALK_USER_INSNS]);
    entry = walk_node_new(w, 0, WALK_ENTRY);
    n = walk_node_at(w, entry);
    if (n != NULL) {
        n->a = e->mechanism;
        n->b = e->vector;
    }
    w->count_to = entry; /* the instruction that entered completes behind the event */
    graph_begin(w, 0, e, 0);
    if (e->to_rsp != e->from_rsp)
        stack_mark(w, e);
    slots_hardware(w, e);
}

static void end(struct trace_walk *w, u64 id, const struct event_record *e)
{
    struct walk_node *n = walk_node_at(w, walk_node_new(w, 0, WALK_EXIT));

    if (n != NULL)
        n->a = e->mechanism;
    w->tree.exit_id = id;
    w->tree.exit = *e;
    w->tree.end = WALK_RETURNED;
    w->state = WALK_ENDED;
}

/* The transition came in place of the last instruction (a fault), or is what the last instruction did, or came after
 * it. */
static void before_transition(struct trace_walk *w, const struct event_record *e)
{
    switch (e->mechanism) {
    case MECH_FAULT:
    case MECH_ABORT:
    case MECH_BOUND:
        if (w->have_last && w->last.rip == e->from_rip)
            w->have_last = false;
        break;
    case MECH_TRAP:
    case MECH_IRQ:
    case MECH_NMI: break;
    default: w->have_last = false; return;
    }
    last_done(w, e->from_rip, e->from_rsp, NULL);
    if (w->state == WALK_INSIDE)
        graph_here(w, e->from_rip);
}

static void inside(struct trace_walk *w, const struct event_record *e)
{
    switch (e->mechanism) {
    case MECH_IRET_SAME: graph_interrupt_end(w, e); break;
    case MECH_INT_N:
    case MECH_INT3:
    case MECH_INTO:
    case MECH_INT1:
    case MECH_BOUND:
    case MECH_FAULT:
    case MECH_TRAP:
    case MECH_ABORT:
    case MECH_IRQ:
    case MECH_NMI:
        graph_interrupt(w, e);
        stack_mark(w, e);
        break;
    default: break; /* no call: the code goes on elsewhere */
    }
}

enum walk_state walk_transition(struct trace_walk *w, u64 id, const struct event_record *e)
{
    if (!event_is_transition(e))
        return w->state;
    if (w->state == WALK_WAITS) {
        if (event_is_entry(e) && e->from_cpl == 3)
            begin(w, id, e);
        return w->state;
    }
    if (w->state == WALK_ENDED) {
        w->users_after = WALK_USER_INSNS; /* what comes is not the code returned to */
        return w->state;
    }
    settle(w, e->retired);
    if (w->state == WALK_INSIDE)
        before_transition(w, e);
    if (w->state == WALK_AWAY && e->to_cpl == 3 && w->count_to != w->lost)
        w->node[w->count_to].a++;
    if (w->state != WALK_INSIDE)
        return w->state;
    if (event_is_exit(e))
        end(w, id, e);
    else
        inside(w, e);
    return w->state;
}

void walk_side(struct trace_walk *w, const struct event_record *e)
{
    static const u8 kinds[EVENT_KINDS] = {
        [EVENT_KIND_SWAPGS] = WALK_SWAPGS, [EVENT_KIND_CR3] = WALK_CR3,   [EVENT_KIND_CR0] = WALK_CR0,
        [EVENT_KIND_CR4] = WALK_CR4,       [EVENT_KIND_WRMSR] = WALK_MSR, [EVENT_KIND_UNDELIVERED] = WALK_FAULTS,
    };
    struct walk_node *n;

    if (w->state != WALK_INSIDE || e->kind >= EVENT_KINDS || kinds[e->kind] == 0)
        return;
    if (e->kind != EVENT_KIND_UNDELIVERED && e->kind != EVENT_KIND_SWAPGS && e->old_value == e->new_value)
        return;
    n = walk_mark(w, (enum walk_kind)kinds[e->kind]);
    if (n == NULL)
        return;
    n->address = e->from_rip;
    n->number = e->number;
    n->a = e->kind == EVENT_KIND_UNDELIVERED ? e->vector : e->old_value;
    n->b = e->new_value;
}

/* ---- life */

struct trace_walk *walk_new(const struct walk_options *options)
{
    struct trace_walk *w = calloc(1, sizeof *w);

    if (w == NULL)
        abort();
    w->options = *options;
    if (w->options.max_nodes == 0 || w->options.max_nodes > UINT32_MAX / 2)
        w->options.max_nodes = DEFAULT_NODES;
    if (w->options.max_nodes < 64)
        w->options.max_nodes = 64;
    w->node = grown(NULL, &w->node_room, sizeof *w->node, w->options.max_nodes);
    w->node[0] = (struct walk_node){.kind = WALK_ROOT};
    w->tree.nodes = 1;
    return w;
}

void walk_free(struct trace_walk *w)
{
    if (w == NULL)
        return;
    free(w->node);
    free(w->change);
    free(w->frame);
    free(w);
}

enum walk_state walk_state(const struct trace_walk *w) { return w->state; }

const struct walk_tree *walk_tree(struct trace_walk *w)
{
    for (size_t i = 0; i < w->tree.nodes; i++)
        w->node[i].total = w->node[i].self;
    for (size_t i = w->tree.nodes; i-- > 1;) /* children stand behind their parents */
        w->node[w->node[i].parent].total += w->node[i].total;
    w->tree.node = w->node;
    w->tree.change = w->change;
    return &w->tree;
}

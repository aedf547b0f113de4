/* SPDX-License-Identifier: MIT
 * A walk under construction: what walk.c (the feed), walk_graph.c (calls) and walk_frame.c (pt_regs) share.
 */
#ifndef RINGSIDE_TRACE_WALK_BUILD_H
#define RINGSIDE_TRACE_WALK_BUILD_H

#include "trace/walk/code.h"
#include "trace/walk/walk.h"

#define WALK_RSP 4u
#define WALK_SLOTS_MAX 21u
/* A stack pointer that moves farther in one instruction has changed stacks: no frame of a kernel is as large. */
#define WALK_STACK_JUMP 4096u
#define WALK_STACKS 8u

enum frame_kind {
    FRAME_BASE,     /* entered by a transition: the entry stub, or an interrupt's handler */
    FRAME_FUNCTION, /* by a call */
    FRAME_LOCAL,    /* by a call inside one function: a trick, no function of its own */
};

/* An activation on the shadow stack. The top one executes. */
struct walk_frame {
    u8 kind;          /* enum frame_kind */
    bool provisional; /* a thunk was called: the function is where it jumps to */
    u32 node;         /* what its instructions count for */
    u32 level;        /* calls since the entry; interrupts inside are far from it */
    u32 stack;        /* the stack that `sp` is on */
    u64 lo, hi;       /* the code that belongs to `node` here */
    u64 ret, sp;      /* where a return leads to, and the stack pointer then. BASE: of the interrupted code */
};

struct trace_walk {
    struct walk_options options;
    struct walk_tree tree;
    struct walk_node *node;
    struct walk_change *change;
    size_t node_room, change_room;
    u32 lost; /* the LOST node, or WALK_NONE */
    enum walk_state state;
    u64 retired; /* by which instructions are counted so far */
    u32 count_to;

    struct walk_frame *frame;
    size_t frames, frame_room;

    bool have_last; /* an instruction was shown whose effect is not known yet */
    struct walk_insn last;
    u32 last_node; /* its INSN node, or WALK_NONE */

    /* Stacks met, the present one among them. */
    u32 stack, stacks_made;
    struct {
        u32 stack;
        u64 sp;
    } stacks[WALK_STACKS];

    /* The stack pointer holds a copy of CR3: a kernel that enters by SYSCALL has no other register free. */
    bool scratch;
    u64 scratch_from; /* what it was before */
    u64 away_sp;      /* AWAY: the stack pointer with which the task comes back */

    /* pt_regs. */
    bool stub_done; /* C code was reached: no slot is stored any more */
    u64 top;        /* the address behind the highest word; 0 = no frame yet */
    u64 candidate;  /* a new stack: the frame is there if the next push goes to its top */
    u32 slot_node[WALK_SLOTS_MAX];

    struct walk_insn user[WALK_USER_INSNS]; /* the last of ring 3 before the entry */
    unsigned users, user_next, users_after;
};

/* A new last child. returns: its index; the LOST node's when the tree is full (its fields must then be left alone, see
 * walk_node_at()) */
u32 walk_node_new(struct trace_walk *w, u32 parent, enum walk_kind kind);
/* The node to fill; NULL for the LOST node. */
struct walk_node *walk_node_at(struct trace_walk *w, u32 index);
/* A mark below what executes now. returns: NULL when the tree is full */
struct walk_node *walk_mark(struct trace_walk *w, enum walk_kind kind);
struct walk_symbol walk_lookup(struct trace_walk *w, u64 address, bool user);

/* ---- walk_graph.c */
void graph_begin(struct trace_walk *w, u32 parent, const struct event_record *e, u32 level);
void graph_call(struct trace_walk *w, u64 target, u64 ret, u64 sp);
/* in: sp  before, freed  after the return address was popped */
void graph_return(struct trace_walk *w, u64 target, u64 freed);
/* Code is executed at rip: a jump, if that is outside of what executes now. */
void graph_here(struct trace_walk *w, u64 rip);
/* The stack pointer rose without a return: activations whose return address is gone are over. */
void graph_drop(struct trace_walk *w, u64 sp);
void graph_interrupt(struct trace_walk *w, const struct event_record *e);
void graph_interrupt_end(struct trace_walk *w, const struct event_record *e);
/* The stack pointer is now `to`. returns: true when that is another stack */
bool graph_stack(struct trace_walk *w, u64 from, u64 to);
/* What executes is the entry or exit stub: not called by any C function. */
bool graph_in_stub(const struct trace_walk *w);
/* The name of what executes; "" without. */
const char *graph_name(const struct trace_walk *w);
/* An activation of this name is open. */
bool graph_open(const struct trace_walk *w, const char *name);

/* ---- walk_frame.c */
unsigned slots_count(bool is64);
/* The processor's own frame of the entry. */
void slots_hardware(struct trace_walk *w, const struct event_record *e);
/* The last instruction is done; sp: the stack pointer after it. */
void slots_insn(struct trace_walk *w, const struct code *code, u64 sp);

#endif

/* SPDX-License-Identifier: MIT
 * The walk of one crossing: every instruction from an entry from ring 3 to the return, as a call tree with symbols and
 * counts, and in it what the privilege transition did: SWAPGS, CR3, stacks, pt_regs.
 *
 * It is fed while the machine runs, on the stepping engine, through the observer (walk_feed_*() below): instructions
 * before they execute, transitions and side events as they happen. One walk sees one task; what other tasks did before
 * it came back is counted apart. Use:
 *
 *     w = walk_new(&options)
 *     walk_insn() / walk_transition() / walk_side() for everything, walk_transition() with the entry first
 *     until one returns WALK_ENDED;  then, if wanted, up to WALK_USER_INSNS more walk_insn() of the user's code
 *     walk_print(out, walk_tree(w), &style);  walk_free(w)
 */
#ifndef RINGSIDE_TRACE_WALK_WALK_H
#define RINGSIDE_TRACE_WALK_WALK_H

#include <stdio.h>

#include "trace/event.h"
#include "trace/names.h"

struct trace_walk;

/* User instructions shown before the entry and after the return. */
#define WALK_USER_INSNS 5u
#define WALK_INSN_BYTES 15u

/* A named stretch of code. Unknown code has no name; start and end then hold the address all the same. */
struct walk_symbol {
    const char *name;   /* lives as long as the walk; NULL: none */
    const char *module; /* NULL: the kernel itself */
    u64 start, end;
};

enum walk_insns { WALK_INSNS_NONE, WALK_INSNS_STUBS, WALK_INSNS_ALL };

struct walk_options {
    void *context; /* of both functions */
    /* The symbol that an address lies in; user: code of ring 3. NULL: nothing has a name. */
    bool (*symbol)(void *context, u64 address, bool user, struct walk_symbol *symbol);
    /* Guest memory as it is now, without effects. returns: false when it cannot be read. NULL: no values of slots. */
    bool (*peek)(void *context, u64 address, void *out, size_t size);
    enum walk_insns insns; /* which instructions are kept one by one */
    size_t max_nodes;      /* of the tree; 0 = 500,000. What does not fit is counted in one node */
};

/* The processor before an instruction executes. */
struct walk_insn {
    u64 rip;
    u64 retired; /* instructions completed so far */
    u64 gpr[16]; /* in the order of the encoding; what the mode does not have is ignored */
    u8 bytes[WALK_INSN_BYTES];
    u8 length;
    u8 ring; /* CPL */
    u8 mode; /* enum cpu_mode */
};

enum walk_state {
    WALK_WAITS,  /* the entry has not come */
    WALK_INSIDE, /* the task is in the kernel */
    WALK_AWAY,   /* another task runs */
    WALK_ENDED,  /* back in ring 3, or the task is gone */
};

/* How it ended. */
enum walk_end { WALK_OPEN, WALK_RETURNED, WALK_GONE };

enum walk_kind {
    WALK_ROOT,
    WALK_USER,      /* an instruction of ring 3, before or after; not counted */
    WALK_ENTRY,     /* the instruction that entered, if one did: a = mechanism */
    WALK_FUNCTION,  /* an activation of a function */
    WALK_INTERRUPT, /* a fault or interrupt inside: a = mechanism, b = vector; its children are its handler */
    WALK_OTHERS,    /* other tasks ran: a = how often ring 3 was entered meanwhile */
    WALK_LOST,      /* what did not fit into the tree */
    WALK_EXIT,      /* the transition back to ring 3: a = mechanism */
    /* marks: no counts */
    WALK_INSN,   /* an executed instruction */
    WALK_SLOT,   /* a word of pt_regs was stored: a = slot, b = value (known = it could be read) */
    WALK_STACK,  /* the stack pointer moved to another stack: a -> b; insn: what moved it (length 0: the transition) */
    WALK_SWAPGS, /* GS.base a <-> b */
    WALK_CR3,    /* a -> b */
    WALK_CR0,
    WALK_CR4,
    WALK_MSR,    /* number: a -> b */
    WALK_FAULTS, /* an undelivered fault: a = vector */
};

#define WALK_NONE 0u /* no node: the root is nobody's child */

struct walk_node {
    u8 kind;         /* enum walk_kind */
    bool tail;       /* entered by a jump (or by falling through) from the function before it, which is done */
    bool known;      /* SLOT: the value */
    bool hidden;     /* a slot that was popped again: no slot */
    u8 mode;         /* of the code */
    u8 length;       /* of insn */
    u8 stack_source; /* STACK by a transition: enum stack_source */
    u8 changes;      /* INSN: general registers that it changed, at most 8 are kept */
    u32 parent, first, last, next; /* indices; WALK_NONE: none */
    u32 number;                    /* MSR */
    u32 change;                    /* INSN: index of its first change */
    u64 address;                   /* of a function: where it was entered; of an instruction: its own */
    u64 a, b;
    u64 self, total; /* instructions; total is filled by walk_tree() */
    struct walk_symbol symbol;
    u8 insn[WALK_INSN_BYTES];
};

struct walk_change {
    u8 reg; /* 0-15 */
    u64 value;
};

struct walk_tree {
    const struct walk_node *node; /* node[0] is the root */
    size_t nodes;
    const struct walk_change *change;
    size_t changes;
    u64 entry_id, exit_id; /* 0: not seen */
    struct event_record entry, exit;
    enum walk_end end;
    u64 insns;    /* instructions between the two events, by the processor's count */
    u64 others;   /* of these, by other tasks */
    u64 switched; /* how often another task took over */
    bool is64;    /* the kernel is 64-bit */
    bool symbols; /* any address had a name: task switches are recognised by name only */
};

/* Never returns NULL (aborts when the host has no memory). Options are copied; context is borrowed. */
struct trace_walk *walk_new(const struct walk_options *options);
void walk_free(struct trace_walk *w);
enum walk_state walk_state(const struct trace_walk *w);

/* An instruction is about to execute. returns: the state */
enum walk_state walk_insn(struct trace_walk *w, const struct walk_insn *insn);
/* A transition, at the place where it happened. The first that enters from ring 3 begins the walk.
 * in: id  event number, 0 where there is none */
enum walk_state walk_transition(struct trace_walk *w, u64 id, const struct event_record *e);
/* SWAPGS, CR3, WRMSR...: the instruction that walk_insn() showed last did it. */
void walk_side(struct trace_walk *w, const struct event_record *e);

/* The tree so far, with totals. Valid until the walk is fed again or freed. */
const struct walk_tree *walk_tree(struct trace_walk *w);

/* ---- from a processor (walk_feed.c) */

/* walk_insn() for the instruction at cpu->arch.rip; for cpu_observer.insn. */
enum walk_state walk_feed_insn(struct trace_walk *w, struct cpu *cpu, unsigned length);
/* walk_options.symbol for kernel addresses by names; context is a struct names. */
bool walk_names_symbol(void *context, u64 address, bool user, struct walk_symbol *symbol);

/* ---- rendering (walk_print.c, walk_json.c) */

struct walk_style {
    bool color;
    bool full;      /* do not fold repeated calls */
    unsigned depth; /* of calls; 0 = all */
};

/* The graph, from the user's instructions before to those after, with a line that adds the counts up.
 * returns: whether the counts of the lines add up to tree->insns */
bool walk_print(FILE *out, const struct walk_tree *tree, const struct walk_style *style);
/* One JSON object on one line, without a newline: the nested nodes. returns: as walk_print() */
bool walk_print_json(FILE *out, const struct walk_tree *tree);

/* "orig_rax": slot of Linux's struct pt_regs, from its lowest word; NULL past the end. */
const char *walk_slot_name(bool is64, unsigned slot);

#endif

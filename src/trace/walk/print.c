/* SPDX-License-Identifier: MIT
 * A walk as text: the call graph with counts, and in it the marks of the transition.
 *
 * A line's first number is what no other line counts: of a function its own instructions, of a folded line all that it
 * stands for. The first column therefore adds up to the whole.
 */
#include <string.h>

#include "msr/msr.h"
#include "trace/trace.h"
#include "trace/walk/disasm.h"
#include "trace/walk/walk.h"
#include "trace/words.h"

typedef unsigned long long ull;

/* Calls of one function behind each other become one line: of leaves always, of others when there are many. */
#define FOLD_LEAVES 2u
#define FOLD_TREES 4u
#define TEXT 160

struct printer {
    FILE *out;
    const struct walk_tree *tree;
    struct walk_style style;
    struct disasm *disasm;
    u32 told; /* a SLOT that stands in its instruction's line */
    u64 sum;  /* of the first column */
};

static void start(struct printer *p, unsigned depth)
{
    fprintf(p->out, "%10s %10s  %*s", "", "", (int)(2 * depth), "");
}

static void count(struct printer *p, unsigned depth, u64 self, u64 total)
{
    p->sum += self;
    fprintf(p->out, "%10llu %10llu  %*s", (ull)self, (ull)total, (int)(2 * depth), "");
}

static void begin_dim(struct printer *p) { fputs(p->style.color ? COLOR_DIM : "", p->out); }
static void end_line(struct printer *p) { fprintf(p->out, "%s\n", p->style.color ? COLOR_END : ""); }

static void symbol(FILE *out, const struct walk_symbol *s, u64 address)
{
    if (s->name == NULL)
        fprintf(out, "%llx", (ull)address);
    else if (address != s->start)
        fprintf(out, "%s+0x%llx", s->name, (ull)(address - s->start));
    else
        fputs(s->name, out);
    if (s->name != NULL && s->module != NULL)
        fprintf(out, " [%s]", s->module);
}

static void instruction(struct printer *p, const struct walk_node *n, char *text)
{
    disasm_text(p->disasm, n->mode, n->address, n->insn, n->length, text, TEXT);
}

/* ---- marks */

static void changes(struct printer *p, const struct walk_node *n)
{
    static const char *const names[] = {"ax", "cx", "dx",  "bx",  "sp",  "bp",  "si",  "di",
                                        "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"};

    for (unsigned i = 0; i < n->changes; i++) {
        const struct walk_change *c = &p->tree->change[n->change + i];
        const char *width = c->reg >= 8 ? "" : n->mode == MODE_LONG ? "r" : "e";

        fprintf(p->out, "  %s%s=%llx", width, names[c->reg & 15], (ull)c->value);
    }
}

static void slot(struct printer *p, const struct walk_node *n)
{
    fprintf(p->out, " → pt_regs.%s", walk_slot_name(p->tree->is64, (unsigned)n->a));
    if (n->known)
        fprintf(p->out, " = %llx", (ull)n->b);
}

static void print_insn(struct printer *p, const struct walk_node *n, unsigned depth)
{
    const struct walk_node *next = &p->tree->node[n->next];
    bool stores = n->next != WALK_NONE && next->kind == WALK_SLOT && !next->hidden && next->address == n->address;
    char text[TEXT];

    instruction(p, n, text);
    start(p, depth);
    begin_dim(p);
    fprintf(p->out, "%llx  %-*s", (ull)n->address, n->changes || stores ? 40 : 0, text);
    changes(p, n);
    if (stores) {
        slot(p, next);
        p->told = n->next;
    }
    end_line(p);
}

static void print_slot(struct printer *p, const struct walk_node *n, unsigned depth)
{
    char text[TEXT] = "(processor)";

    if (n->hidden || n == &p->tree->node[p->told])
        return;
    if (n->length != 0)
        instruction(p, n, text);
    start(p, depth);
    begin_dim(p);
    fprintf(p->out, "%-30s", text);
    slot(p, n);
    end_line(p);
}

/* With page-table isolation Linux keeps two sets of tables per process in neighbouring pages; bit 12 says which. */
static const char *page_tables(u64 cr3) { return cr3 & 0x1000 ? "user page tables" : "kernel page tables"; }

static void print_cr3(struct printer *p, const struct walk_node *n)
{
    u64 different = (n->a ^ n->b) & ~(1ull << 63);

    if ((different & ~0x1FFFull) == 0 && (different & 0x1000))
        fprintf(p->out, "── CR3  %llx → %llx  %s → %s", (ull)n->a, (ull)n->b, page_tables(n->a), page_tables(n->b));
    else
        fprintf(p->out, "── CR3  %llx → %llx  another address space", (ull)n->a, (ull)n->b);
}

static void print_stack(struct printer *p, const struct walk_node *n)
{
    char text[TEXT];

    fprintf(p->out, "── stack  %llx → %llx", (ull)n->a, (ull)n->b);
    if (n->length != 0) {
        instruction(p, n, text);
        fprintf(p->out, "  by %s", text);
    } else if (n->stack_source == STACK_IST || n->stack_source == STACK_TSS_RSP ||
               n->stack_source == STACK_TSS_SS_ESP || n->stack_source == STACK_SYSENTER_ESP) {
        fprintf(p->out, "  from %s", event_stack_name(n->stack_source));
    }
}

static void print_mark(struct printer *p, const struct walk_node *n, unsigned depth)
{
    const char *name;

    start(p, depth);
    fputs(p->style.color ? COLOR_IN : "", p->out);
    switch ((enum walk_kind)n->kind) {
    case WALK_STACK: print_stack(p, n); break;
    case WALK_CR3: print_cr3(p, n); break;
    case WALK_SWAPGS: fprintf(p->out, "── SWAPGS  GS.base %llx ↔ %llx", (ull)n->a, (ull)n->b); break;
    case WALK_CR0: fprintf(p->out, "── CR0  %llx → %llx", (ull)n->a, (ull)n->b); break;
    case WALK_CR4: fprintf(p->out, "── CR4  %llx → %llx", (ull)n->a, (ull)n->b); break;
    case WALK_MSR:
        name = msr_name(n->number);
        if (name != NULL)
            fprintf(p->out, "── WRMSR  %s", name);
        else
            fprintf(p->out, "── WRMSR  %08x", n->number);
        fprintf(p->out, "  %llx → %llx", (ull)n->a, (ull)n->b);
        break;
    default:
        name = event_vector_name((unsigned)n->a);
        fprintf(p->out, "── undelivered  %s", name == NULL ? "?" : name);
        break;
    }
    end_line(p);
}

static void print_user(struct printer *p, const struct walk_node *n)
{
    char text[TEXT];

    instruction(p, n, text);
    start(p, 0);
    begin_dim(p);
    fprintf(p->out, "%llx  ", (ull)n->address);
    if (n->symbol.name != NULL) {
        symbol(p->out, &n->symbol, n->address);
        fputs("  ", p->out);
    }
    fputs(text, p->out);
    end_line(p);
}

/* ---- what has counts */

static void print_crossing(struct printer *p, const struct walk_node *n)
{
    const struct event_record *e = n->kind == WALK_ENTRY ? &p->tree->entry : &p->tree->exit;

    if (n->kind == WALK_ENTRY)
        count(p, 0, n->self, n->total);
    else
        start(p, 0);
    fprintf(p->out, "%s── %u→%u %s", p->style.color ? words_color(e) : "", e->from_cpl, e->to_cpl,
            event_mechanism_name(e->mechanism));
    end_line(p);
}

static void print_interrupt(struct printer *p, const struct walk_node *n, unsigned depth)
{
    const char *name = event_exception_name((unsigned)n->a, (unsigned)n->b);

    count(p, depth, n->self, n->total);
    fprintf(p->out, "%s── %s ", p->style.color ? COLOR_FAULT : "", event_mechanism_name((unsigned)n->a));
    if (name != NULL)
        fputs(name, p->out);
    else
        fprintf(p->out, "0x%02llx", (ull)n->b);
    if (n->known)
        fprintf(p->out, "(%x)", n->number);
    fputs("  at ", p->out);
    symbol(p->out, &n->symbol, n->address);
    end_line(p);
}

static bool has_calls(const struct walk_tree *t, const struct walk_node *n)
{
    for (u32 i = n->first; i != WALK_NONE; i = t->node[i].next)
        if (t->node[i].kind == WALK_FUNCTION || t->node[i].kind == WALK_INTERRUPT || t->node[i].kind == WALK_OTHERS)
            return true;
    return false;
}

/* Whether anything below a leaf is worth its own line. */
static bool is_leaf(const struct walk_tree *t, const struct walk_node *n)
{
    return n->first == WALK_NONE && !has_calls(t, n);
}

/* Siblings from i on that are calls of one function. returns: how many; 1 when they are not folded */
static unsigned fold(const struct printer *p, u32 i, u32 *last, u64 *total)
{
    const struct walk_tree *t = p->tree;
    const struct walk_node *first = &t->node[i];
    bool leaves = is_leaf(t, first);
    unsigned n = 1;

    *last = i;
    *total = first->total;
    if (p->style.full || first->tail)
        return 1;
    for (u32 k = first->next; k != WALK_NONE; k = t->node[k].next) {
        const struct walk_node *next = &t->node[k];

        if (next->kind != WALK_FUNCTION || next->tail || next->address != first->address)
            break;
        leaves &= is_leaf(t, next);
        *last = k;
        *total += next->total;
        n++;
    }
    /* The last of them may have been left by a jump: then the function jumped to would stand alone. */
    if (t->node[*last].next != WALK_NONE && t->node[t->node[*last].next].tail)
        return 1;
    return n >= (leaves ? FOLD_LEAVES : FOLD_TREES) ? n : 1;
}

static void print_children(struct printer *p, const struct walk_node *n, unsigned depth);

static u32 print_function(struct printer *p, u32 i, unsigned depth)
{
    const struct walk_node *n = &p->tree->node[i];
    bool cut = p->style.depth != 0 && depth >= p->style.depth && has_calls(p->tree, n);
    u64 total;
    u32 last;
    unsigned calls = fold(p, i, &last, &total);

    if (calls > 1 || cut) {
        if (calls == 1)
            total = n->total;
        count(p, depth, total, total);
        symbol(p->out, &n->symbol, n->address);
        if (calls > 1)
            fprintf(p->out, " ×%u", calls);
        if (cut)
            fputs(" …", p->out);
        end_line(p);
        return calls > 1 ? last : i;
    }
    count(p, depth, n->self, n->total);
    fputs(n->tail ? "→ " : "", p->out);
    symbol(p->out, &n->symbol, n->address);
    end_line(p);
    print_children(p, n, depth + 1);
    return i;
}

static void print_others(struct printer *p, const struct walk_node *n, unsigned depth)
{
    count(p, depth, n->self, n->total);
    fputs("── other tasks ran", p->out);
    if (n->a != 0)
        fprintf(p->out, "; ring 3 was entered %llu times", (ull)n->a);
    end_line(p);
}

/* returns: the node that was printed last: nodes are folded */
static u32 print_node(struct printer *p, u32 i, unsigned depth)
{
    const struct walk_node *n = &p->tree->node[i];

    switch ((enum walk_kind)n->kind) {
    case WALK_ROOT: break;
    case WALK_USER: print_user(p, n); break;
    case WALK_ENTRY:
    case WALK_EXIT: print_crossing(p, n); break;
    case WALK_FUNCTION: return print_function(p, i, depth);
    case WALK_INTERRUPT:
        print_interrupt(p, n, depth);
        print_children(p, n, depth + 1);
        break;
    case WALK_OTHERS: print_others(p, n, depth); break;
    case WALK_LOST:
        count(p, 0, n->self, n->total);
        fputs("(calls for which the tree had no room)", p->out);
        end_line(p);
        break;
    case WALK_INSN: print_insn(p, n, depth); break;
    case WALK_SLOT: print_slot(p, n, depth); break;
    default: print_mark(p, n, depth); break;
    }
    return i;
}

static void print_children(struct printer *p, const struct walk_node *n, unsigned depth)
{
    for (u32 i = n->first; i != WALK_NONE; i = p->tree->node[i].next)
        i = print_node(p, i, depth);
}

bool walk_print(FILE *out, const struct walk_tree *tree, const struct walk_style *style)
{
    struct printer p = {.out = out, .tree = tree, .style = *style, .disasm = disasm_new()};

    fprintf(out, "%10s %10s\n", "self", "total");
    print_children(&p, &tree->node[0], 0);
    fprintf(out, "%10llu instructions; the processor counted %llu between the two events%s\n", (ull)p.sum,
            (ull)tree->insns, p.sum == tree->insns ? ": equal" : ": DIFFERENT");
    disasm_free(p.disasm);
    return p.sum == tree->insns;
}

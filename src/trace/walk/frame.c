/* SPDX-License-Identifier: MIT
 * struct pt_regs of Linux as an entry stub builds it: which word each push, or each store relative to the stack
 * pointer, fills. The words are known by their place: the frame ends at the top of the stack that it is built on, where
 * the processor's own frame ends, or where the stub's stack pointer stood when it came to the stack. Order: the
 * register structure of Linux's ptrace interface, <asm/ptrace.h>.
 */
#include <string.h>

#include "trace/walk/build.h"

static const char *const names64[] = {"r15", "r14",      "r13", "r12", "rbp",    "rbx", "r11",
                                      "r10", "r9",       "r8",  "rax", "rcx",    "rdx", "rsi",
                                      "rdi", "orig_rax", "rip", "cs",  "rflags", "rsp", "ss"};
static const char *const names32[] = {"bx", "cx", "dx",      "si", "di", "bp",    "ax", "ds", "es",
                                      "fs", "gs", "orig_ax", "ip", "cs", "flags", "sp", "ss"};

_Static_assert(ARRAY_LEN(names64) == WALK_SLOTS_MAX, "the larger of the two");

unsigned slots_count(bool is64) { return is64 ? ARRAY_LEN(names64) : ARRAY_LEN(names32); }

const char *walk_slot_name(bool is64, unsigned slot)
{
    if (slot >= slots_count(is64))
        return NULL;
    return is64 ? names64[slot] : names32[slot];
}

static unsigned word_size(const struct trace_walk *w) { return w->tree.is64 ? 8 : 4; }

static struct walk_node *slot_mark(struct trace_walk *w, unsigned slot)
{
    struct walk_node *n = walk_mark(w, WALK_SLOT);

    if (n != NULL) {
        n->a = slot;
        w->slot_node[slot] = (u32)(n - w->node);
    }
    return n;
}

/* A frame of five words, and the error code as a sixth, which stands where orig_rax will. */
void slots_hardware(struct trace_walk *w, const struct event_record *e)
{
    unsigned words = e->frame_words, slots = slots_count(w->tree.is64);

    if (words < 5 || words > 6 || e->frame_word_bytes != word_size(w))
        return;
    w->top = e->frame_address + (u64)words * e->frame_word_bytes;
    for (unsigned i = words; i-- > 0;) {
        struct walk_node *n = slot_mark(w, slots - words + i);

        if (n == NULL)
            continue;
        n->known = (e->present & EVENT_HAS_FRAME) != 0;
        n->b = event_frame_word(e, i);
    }
}

static bool slot_at(const struct trace_walk *w, u64 address, unsigned *slot)
{
    unsigned slots = slots_count(w->tree.is64), word = word_size(w);
    u64 below = w->top - address;

    if (w->top == 0 || address >= w->top || below > (u64)slots * word || below % word != 0)
        return false;
    *slot = slots - (unsigned)(below / word);
    return true;
}

static void stored(struct trace_walk *w, u64 address)
{
    struct walk_node *n;
    unsigned slot;

    if (!slot_at(w, address, &slot))
        return;
    n = slot_mark(w, slot);
    if (n == NULL)
        return;
    memcpy(n->insn, w->last.bytes, sizeof n->insn);
    n->length = w->last.length;
    n->address = w->last.rip;
    n->mode = w->last.mode;
    n->known = w->options.peek != NULL && w->options.peek(w->options.context, address, &n->b, word_size(w));
}

/* What was pushed for a moment only is no slot. */
static void popped(struct trace_walk *w, u64 sp)
{
    unsigned slots = slots_count(w->tree.is64);

    if (sp <= w->top - (u64)slots * word_size(w) || sp > w->top)
        return;
    for (unsigned slot = 0; slot < slots; slot++) {
        u64 address = w->top - (u64)(slots - slot) * word_size(w);

        if (address < sp && w->slot_node[slot] != WALK_NONE) {
            w->node[w->slot_node[slot]].hidden = true;
            w->slot_node[slot] = WALK_NONE;
        }
    }
}

void slots_insn(struct trace_walk *w, const struct code *code, u64 sp)
{
    if (w->stub_done || !graph_in_stub(w))
        return;
    if (code->store == CODE_PUSHES && w->candidate != 0 && sp == w->candidate - word_size(w)) {
        w->top = w->candidate;
        w->candidate = 0;
        memset(w->slot_node, 0, sizeof w->slot_node);
    }
    if (w->top == 0)
        return;
    if (code->store == CODE_PUSHES)
        stored(w, sp);
    else if (code->store == CODE_STORES)
        stored(w, sp + (u64)(i64)code->displacement);
    else if (code->flow == CODE_NEXT)
        popped(w, sp);
}

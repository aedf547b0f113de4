/* SPDX-License-Identifier: MIT
 * What the handlers record, visits, and what the manual expects of an entry.
 * SDM 3A, "Exception- or Interrupt-Handler Procedures".
 */
#include "kernel.h"

struct entry entries[ENTRIES];
unsigned entry_count;
volatile u32 seen[32];
hook_t *hook;

void trap(struct frame *frame);

static bool has_error_code(u32 vector)
{
    return vector == V_DF || (vector >= V_TS && vector <= V_PF) || vector == V_AC;
}

static void record(const struct frame *f, struct entry *e)
{
    e->v86 = f->eflags & FLAG_VM;
    e->outer = e->v86 || (f->cs & 3) != 0;
    e->frame = (struct frame){0};
    __builtin_memcpy(&e->frame, f,
                     e->v86     ? sizeof *f
                     : e->outer ? offsetof(struct frame, v86_es)
                                : offsetof(struct frame, esp));
    e->frame.cs &= 0xFFFF; /* the upper halves of pushed selectors are not defined */
    e->frame.ss &= 0xFFFF;
    e->frame.ds &= 0xFFFF;
    e->frame.es &= 0xFFFF;
    e->frame.fs &= 0xFFFF;
    e->frame.gs &= 0xFFFF;
    e->cs = read_cs();
    e->ss = read_ss();
    e->top = (u32)(uintptr_t)(has_error_code(f->vector) ? &f->error : &f->eip);
    e->cr2 = read_cr2();
    e->cr0 = read_cr0();
    e->dr6 = read_dr6();
    e->tr = read_tr();
    if (f->vector == V_DB)
        write_dr6(0xFFFF0FF0);
}

/* Called by entry.S. returns: go on where the frame says. */
void trap(struct frame *frame)
{
    bool room = entry_count < ENTRIES;

    if (room)
        record(frame, &entries[entry_count++]);
    if (!room || hook == NULL || !hook(frame))
        visit_land();
}

bool hook_until_exit(struct frame *frame) { return frame->vector != INT_EXIT; }

void visit_flags(unsigned ring, const char *code, u32 eflags, hook_t *with_hook)
{
    u16 data = ring_data(ring);
    struct start start = {.eip = (u32)(uintptr_t)code,
                          .cs = ring_code(ring),
                          .eflags = eflags,
                          .esp = ring_stack_top(ring),
                          .ss = data,
                          .es = data,
                          .ds = data,
                          .fs = data,
                          .gs = data};

    entry_count = 0;
    hook = with_hook;
    visit_start(&start);
    hook = NULL;
}

void visit(unsigned ring, const char *code, hook_t *with_hook) { visit_flags(ring, code, FLAG_ONE, with_hook); }

void expect_entries(unsigned count) { check("number of entries into ring 0", count, entry_count); }

void expect_entry(unsigned number, unsigned vector, int error, unsigned ring, const char *eip, u32 eflags)
{
    const struct entry *e = &entries[number];
    unsigned words = (ring != 0 ? 5 : 3) + (error != NO_ERROR);

    if (number >= entry_count) {
        check("number of entries into ring 0, at least", number + 1, entry_count);
        return;
    }
    show_entry(number);
    check("vector", vector, e->frame.vector);
    if (error != NO_ERROR)
        check("error code", (u32)error, e->frame.error);
    check("pushed EIP", (u32)(uintptr_t)eip, e->frame.eip);
    check("pushed CS", ring_code(ring), e->frame.cs);
    check("pushed EFLAGS", eflags, e->frame.eflags & ~(u32)FLAGS_ARITHMETIC);
    check("CS in the handler", CODE0, e->cs);
    check("SS in the handler", DATA0, e->ss);
    check("IF, TF, NT, RF, VM in the handler", 0,
          e->frame.inside_eflags & (FLAG_IF | FLAG_TF | FLAG_NT | FLAG_RF | FLAG_VM));
    check("where the frame was pushed", (ring != 0 ? kernel_stack_top() : ring_stack_top(0)) - 4 * words, e->top);
    if (ring != 0) {
        check("pushed SS", ring_data(ring), e->frame.ss);
        check("pushed ESP", ring_stack_top(ring), e->frame.esp);
    }
}

static const char *vector_name(unsigned vector)
{
    static const char *const names[] = {"#DE", "#DB", "NMI", "#BP", "#OF", "#BR", "#UD", "#NM", "#DF",
                                        "9",   "#TS", "#NP", "#SS", "#GP", "#PF", "15",  "#MF", "#AC"};

    return vector < ARRAY_LEN(names) ? names[vector] : vector < 0x30 ? "IRQ" : "INT";
}

void show_entry(unsigned number)
{
    const struct entry *e = &entries[number];
    const struct frame *f = &e->frame;

    if (e->v86)
        say("%s (%02xh) from VM86 %04x:%04x, stack %04x:%04x -> ring 0 %04x, frame at %04x:%08x",
            vector_name(f->vector), f->vector, f->cs, f->eip, f->ss, f->esp, e->cs, e->ss, e->top);
    else if (e->outer)
        say("%s (%02xh) from ring %u %04x:%08x, stack %04x:%08x -> ring %u %04x, frame at %04x:%08x",
            vector_name(f->vector), f->vector, f->cs & 3, f->cs, f->eip, f->ss, f->esp, e->cs & 3, e->cs, e->ss,
            e->top);
    else
        say("%s (%02xh) from ring 0 %04x:%08x -> ring 0 %04x, same stack, frame at %04x:%08x", vector_name(f->vector),
            f->vector, f->cs, f->eip, e->cs, e->ss, e->top);
    if (has_error_code(f->vector))
        say("   error code %08x; pushed EFLAGS %08x, in the handler %08x", f->error, f->eflags, f->inside_eflags);
    else
        say("   no error code; pushed EFLAGS %08x, in the handler %08x", f->eflags, f->inside_eflags);
}

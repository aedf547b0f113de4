/* SPDX-License-Identifier: MIT
 * What the handlers record, visits, and what the manual expects of an entry.
 * SDM 3A, "Exception and Interrupt Handling in 64-bit Mode".
 */
#include "kernel.h"

struct entry entries[ENTRIES];
unsigned entry_count;
volatile u64 seen[32] USER_DATA;
hook_t *hook;

void trap(struct frame *frame);

static bool has_error_code(u64 vector)
{
    return vector == V_DF || (vector >= V_TS && vector <= V_PF) || vector == V_AC;
}

void seen_clear(void)
{
    for (unsigned i = 0; i < ARRAY_LEN(seen); i++)
        seen[i] = 0;
}

static void record(const struct frame *f, struct entry *e)
{
    e->frame = *f;
    e->cs = read_cs();
    e->ss = read_ss();
    e->top = has_error_code(f->vector) ? (u64)&f->error : (u64)&f->rip;
    e->cr2 = read_cr2();
    e->dr6 = read_dr6();
    e->gs_base = rdmsr(MSR_GS_BASE);
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

bool count_nmi(struct frame *frame)
{
    seen[31] += frame->vector == V_NMI;
    return frame->vector != INT_EXIT;
}

static void visit_full(enum place place, const char *code, u64 rflags, u64 rsp, hook_t *with_hook)
{
    struct start start = {.rip = (u64)code,
                          .cs = place_code(place),
                          .rflags = rflags,
                          .rsp = rsp,
                          .ss = place_data(place),
                          .data = place_data(place)};

    entry_count = 0;
    hook = with_hook;
    visit_start(&start);
    hook = NULL;
}

void visit_flags(enum place place, const char *code, u64 rflags, hook_t *with_hook)
{
    visit_full(place, code, rflags, stack_top(place), with_hook);
}

void visit(enum place place, const char *code, hook_t *with_hook)
{
    visit_full(place, code, FLAG_ONE, stack_top(place), with_hook);
}

void visit_stack(enum place place, const char *code, u64 rsp) { visit_full(place, code, FLAG_ONE, rsp, NULL); }

void expect_entries(unsigned count) { check("number of entries into ring 0", count, entry_count); }

void expect_entry_ist(unsigned number, unsigned vector, int error, enum place place, u64 rip, u64 rflags, unsigned ist)
{
    const struct entry *e = &entries[number];
    u64 top = ist != 0 ? ist_top(ist) : place == RING0 ? stack_top(RING0) : kernel_stack_top();

    if (number >= entry_count) {
        check("number of entries into ring 0, at least", number + 1, entry_count);
        return;
    }
    show_entry(number);
    check("vector", vector, e->frame.vector);
    if (error != NO_ERROR)
        check("error code", (u32)error, e->frame.error);
    check("pushed RIP", rip, e->frame.rip);
    check("pushed CS", place_code(place), e->frame.cs);
    if (vector == V_DF) /* UNVERIFIED: the manual says what faults and traps push for RF, not what an abort does */
        check("pushed RFLAGS but RF", rflags & ~(u64)FLAG_RF, e->frame.rflags & ~(u64)(FLAGS_ARITHMETIC | FLAG_RF));
    else
        check("pushed RFLAGS", rflags, e->frame.rflags & ~(u64)FLAGS_ARITHMETIC);
    check("pushed SS, always there in long mode", place_data(place), e->frame.ss);
    check("pushed RSP", stack_top(place), e->frame.rsp);
    check("CS in the handler", CODE0, e->cs);
    if (place != RING0)
        check("SS in the handler: null", 0, e->ss);
    check("IF, TF, NT, RF, VM in the handler", 0,
          e->frame.inside_rflags & (FLAG_IF | FLAG_TF | FLAG_NT | FLAG_RF | FLAG_VM));
    check("where the frame was pushed", top - 40 - (error != NO_ERROR ? 8 : 0), e->top);
}

void expect_entry(unsigned number, unsigned vector, int error, enum place place, const char *rip, u64 rflags)
{
    expect_entry_ist(number, vector, error, place, (u64)rip, rflags,
                     vector == V_DB    ? IST_DB
                     : vector == V_NMI ? IST_NMI
                                       : 0);
}

static const char *vector_name(u64 vector)
{
    static const char *const names[] = {"#DE", "#DB", "NMI", "#BP", "#OF", "#BR", "#UD", "#NM", "#DF",
                                        "9",   "#TS", "#NP", "#SS", "#GP", "#PF", "15",  "#MF", "#AC"};

    return vector < ARRAY_LEN(names)                                  ? names[vector]
           : vector == INT_TIMER || (vector >= 0x20 && vector < 0x30) ? "IRQ"
                                                                      : "INT";
}

void show_entry(unsigned number)
{
    const struct entry *e = &entries[number];
    const struct frame *f = &e->frame;

    say("%s (%02xh) from ring %u %s %04x:%08llx, stack %04x:%08llx -> ring 0 %04x, frame at %04x:%08llx",
        vector_name(f->vector), (u32)f->vector, (u32)f->cs & 3, f->cs == CODE3_32 ? "compatibility" : "64-bit",
        (u32)f->cs, (unsigned long long)f->rip, (u32)f->ss, (unsigned long long)f->rsp, e->cs, e->ss,
        (unsigned long long)e->top);
    if (has_error_code(f->vector))
        say("   error code %08x; pushed RFLAGS %08x, in the handler %08x", (u32)f->error, (u32)f->rflags,
            (u32)f->inside_rflags);
    else
        say("   no error code; pushed RFLAGS %08x, in the handler %08x", (u32)f->rflags, (u32)f->inside_rflags);
}

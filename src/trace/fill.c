/* SPDX-License-Identifier: MIT
 * Event records from what an observer is given.
 */
#include "trace/fill.h"

#include "cpu/ring/ring.h"

static void put_time(struct event_record *e, const struct cpu *cpu)
{
    e->ticks = cpu->clock->ticks;
    e->retired = clock_retired(cpu->clock);
    e->cpu = (u8)cpu->mmu.who;
}

#define PUT_SIDE(e, side, s)                                                                                           \
    do {                                                                                                               \
        (e)->side##_rip = (s)->rip;                                                                                    \
        (e)->side##_rsp = (s)->rsp;                                                                                    \
        (e)->side##_rflags = (s)->rflags;                                                                              \
        (e)->side##_cr3 = (s)->cr3;                                                                                    \
        (e)->side##_gs_base = (s)->gs_base;                                                                            \
        (e)->side##_kernel_gs_base = (s)->kernel_gs_base;                                                              \
        (e)->side##_cs = (s)->cs;                                                                                      \
        (e)->side##_ss = (s)->ss;                                                                                      \
        (e)->side##_cpl = (s)->cpl;                                                                                    \
        (e)->side##_mode = (s)->mode;                                                                                  \
    } while (0)

static void put_registers(struct event_record *e, const u64 *gpr)
{
    e->present |= EVENT_HAS_REGISTERS;
    e->rax = gpr[RAX];
    e->rbx = gpr[RBX];
    e->rcx = gpr[RCX];
    e->rdx = gpr[RDX];
    e->rsi = gpr[RSI];
    e->rdi = gpr[RDI];
    e->rbp = gpr[RBP];
    e->r8 = gpr[R8];
    e->r9 = gpr[R9];
    e->r10 = gpr[R10];
    e->r11 = gpr[R11];
}

void event_fill_transition(struct event_record *e, const struct cpu *cpu, const struct transition *t)
{
    put_time(e, cpu);
    e->sequence = t->sequence;
    PUT_SIDE(e, from, &t->from);
    PUT_SIDE(e, to, &t->to);
    e->mechanism = (u8)t->mechanism;
    e->present = (u16)((t->has_vector ? EVENT_HAS_VECTOR : 0) | (t->has_error ? EVENT_HAS_ERROR : 0) |
                       (t->rule ? EVENT_HAS_RULE : 0));
    if (t->has_vector)
        e->vector = t->vector;
    if (t->has_error)
        e->error = t->error;
    e->cr2 = t->cr2;
    e->rule = t->rule;
    e->gate = (u8)t->gate;
    e->ist = t->ist;
    e->stack_source = (u8)t->stack_source;
    e->gate_selector = t->gate_selector;
    e->gate_dpl = t->gate_dpl;
    e->parameters = t->parameters;
    e->frame_address = t->frame;
    e->frame_words = t->frame_words;
    e->frame_word_bytes = t->frame_word_bytes;
    e->msrs = t->msrs;
    if (t->msrs > 0)
        e->msr0 = t->msr[0];
    if (t->msrs > 1)
        e->msr1 = t->msr[1];
    if (t->msrs > 2)
        e->msr2 = t->msr[2];
    if (event_mechanism_is_software_entry(t->mechanism)) {
        put_registers(e, cpu->arch.gpr);
    } else if (t->to.cpl > t->from.cpl) {
        e->rax = cpu->arch.gpr[RAX];
        e->present |= EVENT_HAS_RESULT;
    }
}

/* A supervisor TLB hit is the same bytes as the peek, without the walk. */
void event_fill_frame(struct event_record *e, struct cpu *cpu)
{
    unsigned words = e->frame_words < EVENT_FRAME_WORDS ? e->frame_words : EVENT_FRAME_WORDS;
    unsigned width = e->frame_word_bytes, size = words * width;
    u8 bytes[EVENT_FRAME_WORDS * 8];
    u64 word[EVENT_FRAME_WORDS] = {0};
    const u8 *host;

    if (!size || width > 8)
        return;
    host = tlb_read_hit(&cpu->mmu.view[VIEW_SUPERVISOR], e->frame_address, size);
    if (host)
        memcpy(bytes, host, size);
    else if (!mmu_peek(&cpu->mmu, e->frame_address, bytes, size))
        return;
    for (unsigned i = 0; i < words; i++)
        memcpy(&word[i], bytes + i * width, width);
    memcpy((u8 *)e + offsetof(struct event_record, frame0), word, sizeof word);
    e->present |= EVENT_HAS_FRAME;
}

void event_fill_here(struct event_record *e, const struct cpu *cpu, enum event_kind kind, u64 sequence)
{
    struct ring_state now = ring_state_of(cpu, cpu->arch.rip);

    put_time(e, cpu);
    e->kind = (u8)kind;
    e->sequence = sequence;
    PUT_SIDE(e, from, &now);
    PUT_SIDE(e, to, &now);
}

void event_fill_side(struct event_record *e, const struct cpu *cpu, const struct side_event *event, u64 sequence)
{
    event_fill_here(e, cpu, (enum event_kind)(EVENT_KIND_TRANSITION + 1 + event->kind), sequence);
    e->number = event->number;
    e->old_value = event->old_value;
    e->new_value = event->new_value;
    if (event->fault != NULL) {
        e->vector = event->fault->vector;
        e->error = event->fault->error;
        e->cr2 = event->fault->cr2;
        e->rule = event->fault->rule;
        e->present |= EVENT_HAS_VECTOR;
        if (event->fault->has_error)
            e->present |= EVENT_HAS_ERROR;
    }
    /* The change has been made already: put the source side back. */
    if (event->kind == SIDE_CR3) {
        e->from_cr3 = event->old_value;
    } else if (event->kind == SIDE_SWAPGS) {
        e->from_gs_base = event->old_value;
        e->from_kernel_gs_base = event->new_value;
    } else if (event->kind == SIDE_WRMSR && event->number == 0xC0000101) { /* IA32_GS_BASE */
        e->from_gs_base = event->old_value;
    } else if (event->kind == SIDE_WRMSR && event->number == 0xC0000102) { /* IA32_KERNEL_GS_BASE */
        e->from_kernel_gs_base = event->old_value;
    }
}

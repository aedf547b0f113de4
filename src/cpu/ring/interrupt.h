/* SPDX-License-Identifier: MIT
 * Delivery of an event, as its parts by mode share it (interrupt.c, interrupt_real.c, interrupt_long.c).
 * SDM 2A, "INT n/INTO/INT3/INT1-Call to Interrupt Procedure"; SDM 3A, "Interrupt and Exception Handling".
 */
#ifndef RINGSIDE_CPU_RING_INTERRUPT_H
#define RINGSIDE_CPU_RING_INTERRUPT_H

#include "cpu/ring/descriptor.h"
#include "cpu/ring/mechanisms.h"
#include "cpu/ring/stack.h"

/* One delivery under way. */
struct delivery {
    struct cpu *cpu;
    const struct interrupt_event *event;
    bool software; /* INT n, INT3, INTO: the gate's DPL counts, EXT is 0, RF is pushed as 0 */
    u32 ext;       /* EXT bit of the error codes of faults in this delivery (ID-15, ID-28) */
    u64 rflags;    /* before */
    u64 image;     /* RFLAGS as they are pushed (ID-14) */
};

/* The IDT entry as an error code: vector, IDT bit, EXT. */
ALWAYS_INLINE u32 delivery_gate_error(const struct delivery *dv) { return dv->event->vector * 8u + 2u + dv->ext; }
/* A selector as an error code. */
ALWAYS_INLINE u32 delivery_selector_error(const struct delivery *dv, u16 selector)
{
    return selector_error(selector) + dv->ext;
}

/* DPL (software events only) and P of the gate, after its type: ID-02, ID-04, ID-22. */
ALWAYS_INLINE void delivery_check_gate(const struct delivery *dv, const struct descriptor *gate)
{
    COVER(dv->cpu, RULE_ID_22, dv->software && gate->dpl < dv->cpu->arch.cpl && !gate->present);
    if (dv->event->mechanism == MECH_INT1)
        COVER(dv->cpu, RULE_ID_21, gate->dpl < dv->cpu->arch.cpl);
    if (dv->software)
        REQUIRE(dv->cpu, gate->dpl >= dv->cpu->arch.cpl, GP(delivery_gate_error(dv)), RULE_ID_02);
    REQUIRE(dv->cpu, gate->present, NP(delivery_gate_error(dv)), RULE_ID_04);
}

/* The gate's code segment: null, table, type, DPL, in long mode L and D, and P (ID-05 to ID-07). */
ALWAYS_INLINE struct descriptor delivery_code_segment(const struct delivery *dv, u16 selector)
{
    struct cpu *cpu = dv->cpu;
    u32 error = delivery_selector_error(dv, selector);
    struct descriptor cs;

    REQUIRE(cpu, !selector_is_null(selector), GP(dv->ext), RULE_ID_05);
    REQUIRE(cpu, descriptor_fetch(cpu, selector, &cs), GP(error), RULE_ID_05);
    REQUIRE(cpu, descriptor_is_code(&cs), GP(error), RULE_ID_05);
    REQUIRE(cpu, cs.dpl <= cpu->arch.cpl, GP(error), RULE_ID_07);
    if (cpu_long_mode(cpu)) /* UNVERIFIED: the order of this check against P (ID-06) */
        REQUIRE(cpu, (cs.attr & (SEG_L | SEG_DB)) == SEG_L, GP(error), RULE_ID_06);
    REQUIRE(cpu, cs.present, NP(error), RULE_ID_05);
    return cs;
}

/* Begin staging, with the cause filled in for the observer. in: selector, dpl  of the gate */
ALWAYS_INLINE void delivery_transition(struct transition *t, const struct delivery *dv, enum gate_kind gate,
                                       u16 selector, u8 dpl)
{
    const struct interrupt_event *event = dv->event;

    transition_stage(t, dv->cpu, event->mechanism, dv->rflags);
    if (!ring_is_observed(dv->cpu))
        return;
    t->has_vector = true;
    t->vector = event->vector;
    t->has_error = event->has_error;
    t->error = event->error;
    t->cr2 = event->cr2;
    t->rule = event->rule;
    t->gate = gate;
    t->gate_selector = selector;
    t->gate_dpl = dpl;
}

/* RFLAGS of the handler: ID-13, ID-27. */
ALWAYS_INLINE u64 delivery_handler_rflags(const struct delivery *dv, bool interrupt_gate)
{
    u64 clear = FLAG_TF | FLAG_NT | FLAG_RF | FLAG_VM | (interrupt_gate ? FLAG_IF : 0);

    COVER(dv->cpu, RULE_ID_13, interrupt_gate);
    return dv->rflags & ~clear;
}

/* Through a 64-bit gate (EFER.LMA = 1). */
void delivery_long(const struct delivery *dv);
/* Through the IVT, in real mode, or in VM86 by VME's redirection: CPL and mode stay.
 * in: image  FLAGS to push (low 16 bits); clear  the RFLAGS bits that the handler starts without */
void delivery_ivt(const struct delivery *dv, u64 image, u64 clear);
/* INT n in VM86 with VME and a redirection bit of 0 (VM-01).
 * returns: true when it was delivered through the IVT.   raises: #GP(0) */
bool delivery_redirected(const struct delivery *dv);

#endif

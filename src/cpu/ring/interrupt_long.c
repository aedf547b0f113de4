/* SPDX-License-Identifier: MIT
 * Delivery through 64-bit interrupt and trap gates: 16-byte entries, IST, the aligned frame that always holds SS:RSP.
 * SDM 3A, "Exception and Interrupt Handling in 64-bit Mode"; APM 2, "Long-Mode Interrupt Control Transfers".
 */
#include "cpu/mem.h"
#include "cpu/ring/interrupt.h"

#define FRAME_ALIGNMENT 16u

ALWAYS_INLINE struct descriptor fetch_gate(const struct delivery *dv)
{
    struct cpu *cpu = dv->cpu;
    u32 offset = dv->event->vector * 16u;
    struct descriptor gate;
    u64 low, high;

    REQUIRE(cpu, offset + 15 <= cpu->arch.idtr.limit, GP(delivery_gate_error(dv)), RULE_ID_01);
    low = sys_read_wide(cpu, cpu->arch.idtr.base + offset, &high);
    gate = descriptor_parse_wide(low, high);
    REQUIRE(cpu, descriptor_is_system(&gate, SYS_INTERRUPT_GATE) || descriptor_is_system(&gate, SYS_TRAP_GATE),
            GP(delivery_gate_error(dv)), RULE_ID_03);
    delivery_check_gate(dv, &gate);
    return gate;
}

/* IST, then RSP of the inner level, then the present RSP; aligned down (ID-11). */
ALWAYS_INLINE u64 new_rsp(const struct delivery *dv, struct transition *t, u8 ist)
{
    struct cpu *cpu = dv->cpu;
    u64 rsp = cpu->arch.gpr[RSP];

    if (ist != 0) {
        t->stack_source = STACK_IST;
        t->ist = ist;
        rsp = tss_ist_fetch(cpu, ist, dv->ext);
    } else if (t->new_cpl < cpu->arch.cpl) {
        t->stack_source = STACK_TSS_RSP;
        rsp = tss_rsp_fetch(cpu, t->new_cpl, dv->ext, RULE_ID_09);
    }
    return rsp & ~(u64)(FRAME_ALIGNMENT - 1);
}

void delivery_long(const struct delivery *dv)
{
    struct cpu *cpu = dv->cpu;
    unsigned words = dv->event->has_error ? 6 : 5; /* the error code is the last */
    struct descriptor gate = fetch_gate(dv), cs = delivery_code_segment(dv, gate.selector);
    bool interrupt = gate.type == SYS_INTERRUPT_GATE;
    struct stack_cursor stack;
    struct transition t;

    delivery_transition(&t, dv, interrupt ? GATE_INTERRUPT64 : GATE_TRAP64, gate.selector, gate.dpl);
    t.new_cpl = descriptor_is_conforming(&cs) ? cpu->arch.cpl : cs.dpl; /* ID-08 */
    t.rip = gate.offset;
    t.rflags = delivery_handler_rflags(dv, interrupt);
    t.stage = STAGE_RSP | STAGE_CONTROL_FLAGS;
    COVER(cpu, RULE_ID_08, descriptor_is_conforming(&cs));
    COVER(cpu, RULE_ID_11, t.new_cpl != cpu->arch.cpl);
    COVER(cpu, RULE_ID_12, gate.ist != 0 && t.new_cpl == cpu->arch.cpl);
    if (dv->event->mechanism == MECH_NMI)
        COVER(cpu, RULE_SC_10, gate.ist == 0);
    stack = stack_new64(cpu, new_rsp(dv, &t, gate.ist), t.new_cpl, SS_(dv->ext), RULE_ID_10);
    stack_require_room(&stack, words, W64);
    REQUIRE(cpu, cpu_canonical(cpu, t.rip), GP(dv->ext), RULE_ID_23);
    descriptor_set_accessed(cpu, &cs);
    t.cs = descriptor_segment(&cs, selector_with_rpl(gate.selector, t.new_cpl));
    if (t.new_cpl != cpu->arch.cpl) { /* ID-11; UNVERIFIED: SS after an IST entry at the same CPL is kept (ID-12) */
        t.ss = segment_null(t.new_cpl, t.new_cpl);
        t.stage |= STAGE_SS;
    }

    /* ID-19: what is pushed stays below the stack pointer when a later push faults; no register has changed. */
    const u64 word[] = {cpu->arch.seg[SS].selector, cpu->arch.gpr[RSP],    dv->image,
                        cpu->arch.seg[CS].selector, dv->event->return_rip, dv->event->error};

    stack_push_words(&stack, word, words, W64);
    t.rsp = stack.sp;
    t.frame = stack_linear(&stack);
    t.frame_words = (u8)words;
    t.frame_word_bytes = 8;
    ring_commit(cpu, &t);
}

/* SPDX-License-Identifier: MIT
 * Delivery through the interrupt vector table: real mode, and VM86 with VME's interrupt redirection.
 * SDM 3B, "Interrupt and Exception Handling" (8086 Emulation), "Class 3-Software Interrupt Handling in Virtual-8086
 * Mode"; SDM 2A, "INT n/INTO/INT3/INT1-Call to Interrupt Procedure", REAL-ADDRESS-MODE.
 */
#include "cpu/flags.h"
#include "cpu/mem.h"
#include "cpu/ring/interrupt.h"
#include "cpu/ring/task_image.h"

#define REDIRECTION_BYTES 32u /* just below the I/O permission map */

void delivery_ivt(const struct delivery *dv, u64 image, u64 clear)
{
    struct cpu *cpu = dv->cpu;
    bool vm86 = cpu_vm86(cpu);
    u32 offset = dv->event->vector * 4u;
    struct stack_cursor stack = stack_current(cpu, RULE_RM_01);
    struct transition t;
    laddr_t table = vm86 ? 0 : cpu->arch.idtr.base; /* UNVERIFIED: VM86 reads the IVT as supervisor, like an IDT */
    u32 entry;
    u16 cs;

    if (!vm86) /* in VM86 the table is at linear address 0, whatever IDTR holds */
        REQUIRE(cpu, offset + 3 <= cpu->arch.idtr.limit, FAULT(VEC_GP), RULE_RM_01);
    entry = (u32)sys_read(cpu, table + offset, W32);
    stack_require_room(&stack, 3, W16);
    stack_push(&stack, image, W16);
    stack_push(&stack, cpu->arch.seg[CS].selector, W16);
    stack_push(&stack, dv->event->return_rip, W16);

    cs = (u16)(entry >> 16);
    delivery_transition(&t, dv, GATE_IVT, cs, 0);
    t.cs = vm86 ? segment_vm86(cs) : segment_real(&cpu->arch.seg[CS], cs); /* RM-02 */
    t.rip = entry & 0xFFFF;
    t.rsp = stack.sp;
    t.rflags = dv->rflags & ~clear;
    t.stage = STAGE_RSP | STAGE_RFLAGS;
    t.frame = stack_linear(&stack);
    t.frame_words = 3;
    t.frame_word_bytes = 2;
    ring_commit(cpu, &t);
}

/* The redirection bit of a vector. A bit map outside the TSS reads as 1: handled in protected mode. */
static bool redirection_bit(struct cpu *cpu, u8 vector)
{
    const struct segment *tr = &cpu->arch.tr;
    u64 offset;

    /* UNVERIFIED: a 16-bit or too short TSS counts as all ones. */
    if (!tss_has_io_map(tr))
        return true;
    offset = sys_read(cpu, tr->base + TSS_IO_MAP_BASE, W16) - REDIRECTION_BYTES + vector / 8u;
    if (offset > tr->limit)
        return true;
    return sys_read(cpu, tr->base + offset, W8) >> (vector % 8) & 1;
}

bool delivery_redirected(const struct delivery *dv)
{
    struct cpu *cpu = dv->cpu;
    bool iopl3 = cpu_iopl(cpu) == 3;
    u64 image = dv->image;

    if (!(cpu->arch.cr4 & CR4_VME)) {
        REQUIRE(cpu, iopl3, GP(0), RULE_IO_01);
        return false;
    }
    if (redirection_bit(cpu, dv->event->vector)) {
        REQUIRE(cpu, iopl3, GP(0), RULE_VM_01);
        return false;
    }
    if (iopl3) {
        delivery_ivt(dv, image, FLAG_IF | FLAG_TF | FLAG_RF);
    } else {
        image = (image & ~FLAG_IF) | FLAG_IOPL | (image & FLAG_VIF ? FLAG_IF : 0);
        delivery_ivt(dv, image, FLAG_VIF | FLAG_TF | FLAG_RF);
    }
    return true;
}

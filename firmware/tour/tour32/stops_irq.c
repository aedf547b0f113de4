/* SPDX-License-Identifier: MIT
 * Stops: external interrupts through the 8259, and NMIs from the local APIC.
 * SDM 3A, "Maskable Hardware Interrupts", "Nonmaskable Interrupt (NMI)"; SDM 2B, "STI", "MOV" (to SS).
 */
#include "stops.h"

PROBE(wait_forever, "1: jmp 1b\n");

static void irq_from(unsigned ring)
{
    timer_start();
    visit_flags(ring, wait_forever, FLAG_ONE | FLAG_IF, NULL);
    timer_end();
    expect_entries(1);
    expect_entry(0, IRQ_BASE, NO_ERROR, ring, wait_forever, FLAG_ONE | FLAG_IF);
}

static void irq_ring0(void) { irq_from(0); }

static void irq_ring3(void) { irq_from(3); }

static bool end_timer(struct frame *frame)
{
    if (frame->vector == IRQ_BASE)
        timer_end();
    return frame->vector != INT_EXIT;
}

PROBE(halt, "sti\n hlt\n" AT(halt_next) "cli\n" EXIT);
extern const char halt_next[];

static void irq_wakes_halt(void)
{
    timer_start();
    visit(0, halt, end_timer);
    expect_entries(2);
    expect_entry(0, IRQ_BASE, NO_ERROR, 0, halt_next, FLAG_ONE | FLAG_IF);
}

PROBE(sti_shadow, "sti\n nop\n" AT(sti_shadow_end) "nop\n cli\n" EXIT);
extern const char sti_shadow_end[];
PROBE(masked, "nop\n nop\n" EXIT);

static void irq_shadow(void)
{
    timer_start();
    while (!timer_waiting())
        ;
    visit(0, masked, end_timer);
    expect_entries(1);
    check("IF=0: nothing but the exit", INT_EXIT, entries[0].frame.vector);
    visit(0, sti_shadow, end_timer);
    expect_entries(2);
    expect_entry(0, IRQ_BASE, NO_ERROR, 0, sti_shadow_end, FLAG_ONE | FLAG_IF);
}

/* When an NMI comes after the APIC was told is the machine's affair: wait for it, but not for ever. seen[0] counts what
 * the hook saw, seen[1] says how many are awaited. */
#define AWAIT_NMI "mov $10000000, %edx\n 1: mov seen, %eax\n cmp seen + 4, %eax\n jae 2f\n dec %edx\n jnz 1b\n 2:"

/* Ring 3 may write the local APIC here: paging is off. */
PROBE(nmi, "mov $0xFEE00300, %edx\n movl $0x4400, (%edx)\n" AT(nmi_sent) AWAIT_NMI EXIT AT(nmi_end));
extern const char nmi_sent[], nmi_end[];

static bool count_nmi(struct frame *frame)
{
    seen[0] += frame->vector == V_NMI;
    return frame->vector != INT_EXIT;
}

static void await(u32 count)
{
    seen[0] = 0;
    seen[1] = count;
}

static void nmi_in_ring(unsigned ring)
{
    u32 eip;

    await(1);
    visit(ring, nmi, count_nmi);
    expect_entries(2);
    eip = entries[0].frame.eip;
    if (check("the NMI came while it was awaited", true,
              eip >= (u32)(uintptr_t)nmi_sent && eip <= (u32)(uintptr_t)nmi_end))
        expect_entry(0, V_NMI, NO_ERROR, ring, (const char *)(uintptr_t)eip, FLAG_ONE);
}

static void nmi_from_apic(void)
{
    if (!processor.apic) {
        skip("no local APIC");
        return;
    }
    apic_aim_at_self();
    nmi_in_ring(3);
    nmi_in_ring(0);
}

static bool send_another(struct frame *frame)
{
    if (frame->vector == V_NMI && entry_count == 1) {
        apic_send_nmi();
        for (unsigned i = 0; i < 100; i++)
            __asm__ volatile("nop"); /* blocked: it must not arrive here */
    }
    return count_nmi(frame);
}

static void nmi_blocked(void)
{
    if (!processor.apic) {
        skip("no local APIC");
        return;
    }
    apic_aim_at_self();
    await(2);
    visit(3, nmi, send_another);
    expect_entries(3);
    check("first: vector", V_NMI, entries[0].frame.vector);
    check("second: vector", V_NMI, entries[1].frame.vector);
    check("the second waited for IRET: it interrupts ring 3", CODE3, entries[1].frame.cs);
    check("at the instruction that the first returned to", entries[0].frame.eip, entries[1].frame.eip);
}

const struct stop stops_irq[] = {
    {"Timer interrupt in ring 0", irq_ring0},
    {"Timer interrupt in ring 3", irq_ring3},
    {"Timer interrupt ends HLT", irq_wakes_halt},
    {"A waiting interrupt: IF=0, and one instruction after STI", irq_shadow},
    {"NMI sent by the local APIC, in rings 3 and 0", nmi_from_apic},
    {"NMI while an NMI is handled: waits for IRET", nmi_blocked},
};
const unsigned stops_irq_count = ARRAY_LEN(stops_irq);

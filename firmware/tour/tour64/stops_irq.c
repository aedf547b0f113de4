/* SPDX-License-Identifier: MIT
 * Stops: the local APIC's timer, the 8259, NMI.
 * SDM 3A, "APIC Timer", "Nonmaskable Interrupt (NMI)", "Interrupt Command Register (ICR)".
 */
#include "stops.h"

PROBE(wait_forever, "1: jmp 1b\n");

static void apic_timer(void)
{
    static const enum place places[] = {RING3, RING0, COMPAT};

    if (!processor.apic) {
        skip("no local APIC");
        return;
    }
    for (unsigned i = 0; i < ARRAY_LEN(places); i++) {
        apic_timer_start(INT_TIMER);
        visit_flags(places[i], wait_forever, FLAG_ONE | FLAG_IF, NULL);
        apic_timer_end();
        expect_entry(0, INT_TIMER, NO_ERROR, places[i], wait_forever, FLAG_ONE | FLAG_IF);
    }
}

static void pic_timer(void)
{
    timer_start();
    visit_flags(RING3, wait_forever, FLAG_ONE | FLAG_IF, NULL);
    timer_end();
    expect_entry(0, IRQ_BASE, NO_ERROR, RING3, wait_forever, FLAG_ONE | FLAG_IF);
}

KERNEL_PROBE(priority, "mov $15, %eax\n mov %rax, %cr8\n sti\n nop\n nop\n nop\n xor %eax, %eax\n mov %rax, %cr8\n"
                       "nop\n nop\n nop\n" AT(priority_end) EXIT);
extern const char priority_end[];

/* CR8 = 15 holds every interrupt back, IF or not. */
static void task_priority(void)
{
    u64 rip;

    if (!processor.apic) {
        skip("no local APIC");
        return;
    }
    apic_timer_start(INT_TIMER);
    while (!apic_waiting(INT_TIMER))
        ;
    visit(RING0, priority, NULL);
    apic_timer_end();
    show_entry(0);
    rip = entries[0].frame.rip;
    check("vector", INT_TIMER, entries[0].frame.vector);
    check("only after CR8 became 0", true, rip >= (u64)priority_end - 3 && rip <= (u64)priority_end);
}

PROBE(nmi, "mov $0xFEE00300, %edx\n movl $0x4400, (%rdx)\n" AT(nmi_sent) AWAIT_NMI EXIT AT(nmi_end));
extern const char nmi_sent[], nmi_end[];

static void nmi_in(enum place place)
{
    u64 rip;

    seen_clear();
    visit(place, nmi, count_nmi);
    expect_entries(2);
    rip = entries[0].frame.rip;
    if (check("the NMI came while it was awaited", true, rip >= (u64)nmi_sent && rip <= (u64)nmi_end))
        expect_entry_ist(0, V_NMI, NO_ERROR, place, rip, FLAG_ONE, IST_NMI);
}

static void nmi_from_apic(void)
{
    if (!processor.apic) {
        skip("no local APIC");
        return;
    }
    apic_aim_at_self();
    nmi_in(RING3);
    nmi_in(RING0);
}

const struct stop stops_irq[] = {
    {"Interrupt from the local APIC's timer in ring 3, ring 0 and compatibility mode", apic_timer},
    {"Interrupt from the 8254 through the 8259 in ring 3", pic_timer},
    {"CR8: an interrupt waits for the task priority", task_priority},
    {"NMI sent by the local APIC in rings 3 and 0, on its IST stack", nmi_from_apic},
};
const unsigned stops_irq_count = ARRAY_LEN(stops_irq);

/* SPDX-License-Identifier: MIT
 * The interrupt hardware that the tour needs: 8259 pair, 8254 channel 0, local APIC.
 * Intel 8259A and 8254 data sheets; SDM 3A, "Advanced Programmable Interrupt Controller (APIC)".
 */
#include "tour.h"

enum { PIC1 = 0x20, PIC2 = 0xA0, PIT_CHANNEL0 = 0x40, PIT_CONTROL = 0x43 };
enum {
    APIC_ID = 0x20,
    APIC_EOI = 0xB0,
    APIC_SPURIOUS = 0xF0,
    APIC_IRR = 0x200,
    APIC_ICR_LOW = APIC_ICR & 0xFFF,
    APIC_ICR_HIGH = 0x310,
    APIC_LVT_TIMER = 0x320,
    APIC_LINT0 = 0x350,
    APIC_TIMER_COUNT = 0x380,
    APIC_TIMER_DIVIDE = 0x3E0
};
#define APIC_PAGE 0xFEE00000ul
#define MASKED 0x10000u

static volatile u32 *apic(unsigned reg) { return (volatile u32 *)(APIC_PAGE + reg); }

void interrupts_open(void)
{
    outb(PIC1, 0x11); /* ICW1: cascade, ICW4 follows */
    outb(PIC2, 0x11);
    outb(PIC1 + 1, IRQ_BASE);
    outb(PIC2 + 1, IRQ_BASE + 8);
    outb(PIC1 + 1, 4); /* the second chip is on line 2 */
    outb(PIC2 + 1, 2);
    outb(PIC1 + 1, 1); /* 8086 mode, normal end of interrupt */
    outb(PIC2 + 1, 1);
    outb(PIC1 + 1, 0xFF);
    outb(PIC2 + 1, 0xFF);
    if (!processor.apic)
        return;
    *apic(APIC_SPURIOUS) = 0x1FF; /* software enable, spurious vector FFh */
    *apic(APIC_LINT0) = 0x700;    /* ExtINT: the 8259's output passes through */
}

void timer_start(void)
{
    outb(PIT_CONTROL, 0x30); /* channel 0, both bytes, mode 0: interrupt on terminal count */
    outb(PIT_CHANNEL0, 1193 & 0xFF);
    outb(PIT_CHANNEL0, 1193 >> 8);
    outb(PIC1 + 1, 0xFE);
}

void timer_end(void)
{
    outb(PIC1 + 1, 0xFF);
    outb(PIC1, 0x20);
}

void apic_aim_at_self(void) { *apic(APIC_ICR_HIGH) = *apic(APIC_ID) & 0xFF000000; }

void apic_send_nmi(void) { *apic(APIC_ICR_LOW) = APIC_NMI; }

void apic_timer_start(u8 vector)
{
    *apic(APIC_TIMER_DIVIDE) = 0xB; /* by 1 */
    *apic(APIC_LVT_TIMER) = vector; /* one-shot */
    *apic(APIC_TIMER_COUNT) = 100000;
}

void apic_timer_end(void)
{
    *apic(APIC_LVT_TIMER) = MASKED;
    *apic(APIC_EOI) = 0;
}

bool timer_waiting(void)
{
    outb(PIC1, 0x0A); /* the next read gives the request register */
    return inb(PIC1) & 1;
}

bool apic_waiting(u8 vector) { return *apic(APIC_IRR + (vector >> 5) * 0x10u) >> (vector & 31) & 1; }

/* SPDX-License-Identifier: MIT
 * A tour is a table of stops. Each stop does one thing, says what it saw, and checks it against the manual.
 */
#ifndef TOUR_TOUR_H
#define TOUR_TOUR_H

#include "console.h"
#include "types.h"

struct stop {
    const char *title;
    void (*run)(void);
};

/* Run every stop, print the summary, and end the machine: power-off when nothing was wrong. */
void tour_run(const char *name, const struct stop *const tables[], const unsigned sizes[], unsigned count)
    __attribute__((noreturn));

/* One line of what this stop saw. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Compare; a difference is printed and makes the stop wrong. returns: equal. */
bool check(const char *what, u64 expected, u64 got);
/* The stop does not apply to this processor. */
void skip(const char *why);

/* ---- the processor (CPUID) */
struct processor {
    bool intel, amd;
    bool apic, sep, syscall, long_mode, nx, smep, smap, vme;
    char vendor[13], name[49];
};
extern struct processor processor;
void processor_identify(void);

/* ---- interrupt hardware */
#define IRQ_BASE 0x20       /* the 8259 pair is moved to vectors 20h-2Fh */
void interrupts_open(void); /* PIC moved, all lines masked; local APIC on, LINT0 in virtual-wire mode */
void timer_start(void);     /* unmask IRQ 0; one interrupt from PIT channel 0, about a millisecond from now */
void timer_end(void);       /* end of interrupt; mask IRQ 0 */
bool timer_waiting(void);   /* IRQ 0 is requested and not yet taken */
/* The interrupt command register: destination this processor, then a write to APIC_ICR sends. */
#define APIC_ICR 0xFEE00300
#define APIC_NMI 0x4400 /* assert, delivery mode NMI */
void apic_aim_at_self(void);
void apic_send_nmi(void);
/* The local APIC's timer: one interrupt on `vector`, soon. */
void apic_timer_start(u8 vector);
void apic_timer_end(void);
/* Whether an interrupt on `vector` is waiting in the local APIC. */
bool apic_waiting(u8 vector);

#endif

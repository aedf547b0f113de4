/* SPDX-License-Identifier: MIT
 * The tables of stops, one per theme, in the order of the tour.
 */
#ifndef TOUR64_STOPS_H
#define TOUR64_STOPS_H

#include "kernel.h"

#define STOPS(name)                                                                                                    \
    extern const struct stop name[];                                                                                   \
    extern const unsigned name##_count;
STOPS(stops_mode)
STOPS(stops_interrupt)
STOPS(stops_fault)
STOPS(stops_page)
STOPS(stops_irq)
STOPS(stops_gate)
STOPS(stops_syscall)
STOPS(stops_debug)
#undef STOPS

extern u32 boot_cr0[2], boot_efer[2]; /* start.S: before and after setting CR0.PG */
extern u64 page_directories[2048];

#endif

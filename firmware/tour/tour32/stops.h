/* SPDX-License-Identifier: MIT
 * The tables of stops, one per theme, in the order of the tour.
 */
#ifndef TOUR32_STOPS_H
#define TOUR32_STOPS_H

#include "kernel.h"

#define STOPS(name)                                                                                                    \
    extern const struct stop name[];                                                                                   \
    extern const unsigned name##_count;
STOPS(stops_mode)
STOPS(stops_interrupt)
STOPS(stops_fault)
STOPS(stops_irq)
STOPS(stops_gate)
STOPS(stops_fast)
STOPS(stops_vm86)
STOPS(stops_task)
STOPS(stops_debug)
#undef STOPS

/* paging.c: identity mapping of the first 16 MiB, all pages for users; three pages that are not. */
void paging_on(void);
void paging_off(void);
#define PAGE_ABSENT 0xC00000u
#define PAGE_KERNEL 0xC01000u
#define PAGE_READONLY 0xC02000u

#endif

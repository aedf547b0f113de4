/* SPDX-License-Identifier: MIT
 * Selectors, vectors and addresses, for C and assembly.
 */
#ifndef STRESS_LAYOUT_H
#define STRESS_LAYOUT_H

#define CODE0 0x08
#define DATA0 0x10
#define CODE3 0x1B
#define DATA3 0x23
#define CODE0_16 0x28
#define CODE0_32 0x30
#define CODE3_32 0x3B
#define TSS 0x40
#define GDT_ENTRIES 10

#define INT_EXIT 0x41 /* ring 3 may call */
#define INT_USER 0x42 /* likewise; the hook decides */
#define INT_TIMER 0x50
#define IDT_ENTRIES 0x60

#define WINDOW 0x40000000

#endif

/* SPDX-License-Identifier: MIT
 * Selectors of the 32-bit tour's GDT; for C and assembly. The first four user-visible descriptors stand in the order
 * that SYSENTER, SYSEXIT, SYSCALL and SYSRET assume: code 0, data 0, code 3, data 3.
 */
#ifndef TOUR32_SELECTORS_H
#define TOUR32_SELECTORS_H

#define CODE0 0x08
#define DATA0 0x10
#define CODE3 0x1B
#define DATA3 0x23
#define CODE2 0x2A
#define DATA2 0x32
#define CODE1 0x39
#define DATA1 0x41
#define TSS_MAIN 0x48
#define TSS_FAULT 0x50 /* the double-fault task */
#define TSS_OTHER 0x58
#define LDT 0x60
#define CONFORMING 0x68  /* conforming code, DPL 0 */
#define CODE16_0 0x70    /* 16-bit code, base = code16_base */
#define CODE16_3 0x7B    /* the same bytes for ring 3 */
#define DATA16_0 0x80    /* 16-bit data, base 0, limit FFFFh */
#define DATA_ABSENT 0x88 /* data, DPL 0, not present */
#define GATE_RING0 0x93  /* call gates for ring 3, two parameters */
#define GATE_RING1 0x9B
#define GATE_RING2 0xA3
#define GATE_1TO0 0xA8   /* call gate, DPL 1, to ring 0 */
#define GATE_TASK 0xB0   /* task gate to TSS_OTHER */
#define GATE_ABSENT 0xBB /* call gate, DPL 3, not present */
#define GATE16 0xC3      /* 16-bit call gate to ring 0, DPL 3, one parameter */
#define GATE_DPL0 0xC8   /* call gate, DPL 0 */
#define STACK16_3 0xD3   /* 16-bit stack for ring 3, base = its memory */
#define DATA_SMALL 0xDB  /* data, DPL 3, limit FFh */
#define REAL_CODE 0xE0   /* 16-bit code at REAL_BASE: the way into real mode */
#define GDT_ENTRIES 29

#define REAL_BASE 0x10000

/* Gates for INT n in the IDT. */
#define INT_EXIT 0x41       /* ring 3 may call: end of a visit */
#define INT_USER 0x40       /* interrupt gate, DPL 3 */
#define INT_KERNEL 0x42     /* interrupt gate, DPL 0 */
#define INT_TRAP 0x43       /* trap gate, DPL 3 */
#define INT_RING1 0x44      /* interrupt gate, DPL 3, handler in ring 1 */
#define INT_CONFORMING 0x45 /* interrupt gate, DPL 3, handler in conforming code */
#define INT_16BIT 0x46      /* 16-bit interrupt gate, DPL 3 */
#define INT_TASK 0x47       /* task gate, DPL 3, to TSS_OTHER */
#define INT_ABSENT 0x48     /* interrupt gate, DPL 3, not present */
#define INT_LIMIT 0x60      /* the first vector past the IDT's limit */

#endif

/* SPDX-License-Identifier: MIT
 * Selectors of the 64-bit tour's GDT, its vectors and IST entries; for C and assembly. Descriptors 08h-37h stand in the
 * order that SYSENTER, SYSEXIT, SYSCALL and SYSRET assume.
 */
#ifndef TOUR64_SELECTORS_H
#define TOUR64_SELECTORS_H

#define CODE0 0x08 /* 64-bit */
#define DATA0 0x10
#define CODE3_32 0x1B /* compatibility mode */
#define DATA3 0x23
#define CODE3 0x2B       /* 64-bit */
#define DATA3_AGAIN 0x33 /* SYSEXIT with REX.W loads SS = SYSENTER_CS + 40 */
#define CODE1 0x39
#define DATA1 0x41
#define CODE2 0x4A
#define DATA2 0x52
#define CODE0_32 0x58  /* 32-bit code of ring 0: the way out of long mode */
#define TSS 0x60       /* 16 bytes */
#define CALL_GATE 0x73 /* 16 bytes; DPL 3, to 64-bit code of ring 0 */
#define DATA_ABSENT 0x80
#define TSS_OTHER 0x88 /* 16 bytes, available */
#define CODE_L_AND_D 0x98
#define TASK_GATE 0xA0 /* a type that long mode does not have */
#define GDT_ENTRIES 22

#define INT_EXIT 0x41   /* ring 3 may call: end of a visit */
#define INT_USER 0x40   /* interrupt gate, DPL 3 */
#define INT_KERNEL 0x42 /* interrupt gate, DPL 0 */
#define INT_TRAP 0x43   /* trap gate, DPL 3 */
#define INT_IST 0x44    /* interrupt gate, DPL 3, IST 4 */
#define INT_TASK 0x45   /* a task gate, which long mode does not have */
#define INT_ABSENT 0x46 /* not present */
#define INT_TIMER 0x50  /* the local APIC's timer */
#define INT_LINUX 0x80  /* interrupt gate, DPL 3 */
#define IDT_ENTRIES 0x81

#define IST_NMI 1
#define IST_DF 2
#define IST_DB 3
#define IST_SPARE 4

/* Special pages of 4 KiB in the 2 MiB from 600000h; everything else is mapped one to one. */
#define PAGE_ABSENT 0x600000
#define PAGE_KERNEL 0x601000
#define PAGE_READONLY 0x602000
#define PAGE_NO_EXECUTE 0x603000
#define PAGE_RESERVED_BIT 0x604000

#endif

/* SPDX-License-Identifier: MIT
 * Where rule cases run: one machine with descriptor tables of every kind, in each mode and at each privilege level.
 *
 * Everything lies below 256 KiB and linear addresses are physical ones. Cases name the places and selectors here.
 */
#ifndef RINGSIDE_CONFORM_PRESET_H
#define RINGSIDE_CONFORM_PRESET_H

#include "cpu/engine/engine.h"
#include "cpu/ring/transition.h"
#include "devices/lapic.h"

/* Modes and levels: one bit each, so that a case may name several. */
#define PRESETS(X)                                                                                                     \
    X(REAL)                                                                                                            \
    X(VM86)                                                                                                            \
    X(PM16_0)                                                                                                          \
    X(PM16_3)                                                                                                          \
    X(PM32_0)                                                                                                          \
    X(PM32_1)                                                                                                          \
    X(PM32_2)                                                                                                          \
    X(PM32_3) X(PAGED_0) X(PAGED_3) X(PAE_0) X(PAE_3) X(COMPAT_0) X(COMPAT_3) X(LONG_0) X(LONG_1) X(LONG_2) X(LONG_3)

enum preset_index {
#define X(name) INDEX_##name,
    PRESETS(X)
#undef X
        PRESET_COUNT
};
enum preset {
#define X(name) name = 1 << INDEX_##name,
    PRESETS(X)
#undef X
        COMPAT_ANY = COMPAT_0 | COMPAT_3,
    LONG_ANY = LONG_0 | LONG_1 | LONG_2 | LONG_3, /* 64-bit mode */
    LEGACY32_0 = PM32_0 | PAGED_0 | PAE_0,        /* 32-bit code outside long mode, whatever paging */
    LEGACY32_3 = PM32_3 | PAGED_3 | PAE_3,
    PM32_ANY = PM32_0 | PM32_1 | PM32_2 | PM32_3,
    LEGACY_ANY = PM16_0 | PM16_3 | PM32_ANY | PAGED_0 | PAGED_3, /* protected, outside long mode */
};

/* Places. Pages are supervisor and writable unless said otherwise. */
enum place {
    AT_PML4 = 0x1000, /* four-level paging: tables at 1000h-4000h, all supervisor bits in the last one */
    AT_PDPT = 0x2000,
    AT_PD = 0x3000,
    AT_PT = 0x4000,
    AT_PD32 = 0x5000, /* 32-bit paging */
    AT_PT32 = 0x6000,
    AT_HIGH_PDPT = 0x7000, /* maps the last page below the canonical boundary to AT_HIGH */
    AT_HIGH_PD = 0x8000,
    AT_GDT = 0x9000,
    AT_LDT = 0xA000,
    AT_IDT = 0xB000,
    AT_TSS = 0xC000,       /* the current task: 64-bit in long mode, else 32-bit */
    AT_TSS_B = 0xD000,     /* 32-bit, available */
    AT_TSS_BACK = 0xD100,  /* 32-bit, busy: the back link of the current task */
    AT_TSS16 = 0xD200,     /* 16-bit, available */
    AT_TSS_OLD16 = 0xD300, /* 16-bit, for a current task of that size */
    AT_HIGH_PT = 0xE000,
    STACK0 = 0x11000, /* stack tops: initial RSP at each level */
    STACK1 = 0x12000,
    STACK2 = 0x13000,
    STACK3 = 0x14000,  /* a user page below */
    TSS_SP0 = 0x10C00, /* the inner stacks of the TSS */
    TSS_SP1 = 0x11C00,
    TSS_SP2 = 0x12C00,
    TSS_IST1 = 0x15000,
    TSS_IST2 = 0x16000,
    AT_TASK_STACK = 0x18000,
    AT_CODE = 0x20000,    /* 20000h-2EFFFh are user pages; the first holds the case's code, then NOPs */
    AT_HIGH = 0x2F000,    /* a user page, also mapped at HIGH_PAGE */
    AT_HANDLER = 0x30000, /* NOPs; vector v enters at HANDLER(v) */
    AT_LSTAR = 0x31000,
    AT_CSTAR = 0x31100,
    AT_STAR32 = 0x31200,
    AT_SYSENTER = 0x31300,
    AT_TASK = 0x32000, /* code of the other tasks */
    AT_BACK = 0x32100,
    AT_USER = 0x40000, /* data pages: user */
    AT_SUPER = 0x41000,
    AT_USER_RO = 0x42000,  /* user, read-only */
    AT_ABSENT = 0x43000,   /* not present */
    AT_USER_NX = 0x44000,  /* user, execute-disable where the mode has it */
    AT_RESERVED = 0x45000, /* a reserved bit is set (long mode and PAE) */
    AT_SUPER_RO = 0x46000,
};
#define HIGH_PAGE 0x00007FFFFFFFF000ull
#define HANDLER(vector) (AT_HANDLER + (vector)*16u)

/* Selectors of the GDT, RPL 0. K: DPL 0, U: DPL 3. */
enum selector {
    K32 = 0x08,
    KDATA = 0x10,
    K64 = 0x18,
    U32 = 0x20,
    UDATA = 0x28,
    U64 = 0x30,
    CONF32 = 0x38, /* conforming, DPL 0 */
    CONF64 = 0x40,
    K16 = 0x48,     /* 16-bit code with base AT_CODE */
    KDATA16 = 0x50, /* 16-bit data with base 10000h, where the stacks lie */
    U16 = 0x58,
    UDATA16 = 0x60,
    R1CODE = 0x68,
    R1DATA = 0x70,
    R2CODE = 0x78,
    R2DATA = 0x80,
    R1CODE64 = 0x88,
    R2CODE64 = 0x90,
    ABSENT_K32 = 0x98,
    ABSENT_KDATA = 0xA0,
    ABSENT_U32 = 0xA8,
    ABSENT_UDATA = 0xB0,
    ABSENT_K64 = 0xB8,
    ABSENT_U64 = 0xC0,
    KREADONLY = 0xC8,
    UREADONLY = 0xD0,
    KEXECONLY = 0xD8,
    UEXECONLY = 0xE0,
    KDOWN = 0xE8,  /* expand-down data: valid above FFFFh */
    KSMALL = 0xF0, /* 32-bit code with base AT_CODE and limit FFFh */
    USMALL = 0xF8,
    KSMALLDATA = 0x100, /* base AT_USER, limit FFFh */
    USMALLDATA = 0x108,
    TSS = 0x110,
    TSS_B = 0x120,
    TSS_BACK = 0x130,
    TSS16 = 0x140,
    LDT = 0x150,
    GATE_K = 0x160, /* call gate, DPL 3, to ring 0 at HANDLER(1Ah) */
    GATE_16 = 0x170,
    GATE_TASK_B = 0x180, /* task gate, DPL 3, to TSS_B */
    K64D = 0x190,        /* code with L and D both set */
    U64D = 0x198,
    FREE = 0x1A0, /* for the case's own descriptors, 16 bytes each */
    FREE2 = 0x1B0,
    FREE3 = 0x1C0,
    GDT_END = 0x200, /* the first selector past the limit */
    LDT_CODE = 0x04, /* LDT: code DPL 0 of the mode, data DPL 3 */
    LDT_DATA = 0x0C | 3,
    LDT_END = 0x14,
};

/* Attributes as struct segment.attr has them, with DPL 0 and the accessed bit. */
enum attributes {
    ATTR_CODE32 = 0xC9B,
    ATTR_CODE64 = 0xA9B,
    ATTR_CODE16 = 0x09B,
    ATTR_DATA32 = 0xC93,
    ATTR_DATA16 = 0x093,
    ATTR_VM86 = 0x0F3,
    ATTR_DPL = 0x020, /* times the DPL */
};

/* Vectors with gates of their own; all have DPL 3 and lead to HANDLER(vector). Other vectors have interrupt gates of
 * DPL 0 (DPL 3 from 40h on) to ring 0. */
enum own_vector {
    V_INT = 0x80,   /* interrupt gate */
    V_TRAP = 0x81,  /* trap gate */
    V_INT16 = 0x82, /* 16-bit gates (not in long mode) */
    V_TRAP16 = 0x83,
    V_TASK = 0x84,    /* task gate to TSS_B */
    V_ABSENT = 0x85,  /* not present */
    V_TYPE = 0x86,    /* a call gate, which the IDT may not hold */
    V_NULL = 0x87,    /* target CS null */
    V_DATA = 0x88,    /* target is data */
    V_NP = 0x89,      /* target not present */
    V_CONF = 0x8A,    /* target conforming */
    V_RING1 = 0x8B,   /* target DPL 1 */
    V_OUTER = 0x8C,   /* target DPL 3 */
    V_DPL0 = 0x8D,    /* gate DPL 0 */
    V_IST1 = 0x8E,    /* IST 1 */
    V_OFFSET = 0x8F,  /* offset non-canonical, or past its segment's limit */
    V_GDT = 0x90,     /* target past the GDT */
    V_ABSENT0 = 0x91, /* gate DPL 0 and not present */
    V_TYPE0 = 0x92,   /* bad type, DPL 0 and not present */
    V_LDT = 0x93,     /* target in the LDT */
    V_COMPAT = 0x94,  /* long mode: target without L */
    V_LD = 0x95,      /* long mode: target with L and D */
};

#define NO_IRQ 0xFFFFu
#define MAX_SEEN 16u

/* One machine, and what its door showed. */
struct preset_machine {
    struct cpu *cpu;
    struct physmem *pm;
    struct ports *io;
    struct clock clock;
    struct apic_bus *apic_bus;
    struct lapic *lapic; /* for its MSRs: the cases' interrupts do not come from it */
    struct cpu_observer observer;
    struct transition seen[MAX_SEEN];
    unsigned seen_count; /* may exceed MAX_SEEN: the rest is not kept */
    unsigned side_count;
    u16 irq;
    u8 task_priority;
    u64 code_base, code_rip; /* linear address and offset of the case's first instruction */
};

const char *preset_name(enum preset_index index);
bool preset_is_long(enum preset_index index); /* EFER.LMA: 64-bit or compatibility mode */

/* Build the machine and take it to a mode and level. returns: false with err set when the host has no memory. */
bool preset_open(struct preset_machine *m, enum preset_index index, enum cpu_vendor vendor, struct error *err);
void preset_close(struct preset_machine *m);

/* Contents of the tables, for a case's own changes. attr as struct segment.attr; a limit above FFFFFh sets G. */
void preset_descriptor(struct preset_machine *m, u16 selector, u64 base, u32 limit, u16 attr);
/* type with P, DPL: an access byte such as 0x8E. wide: 16 bytes. ist: long mode; parameters: call gates. */
void preset_gate(struct preset_machine *m, paddr_t at, u8 access, u16 selector, u64 offset, u8 ist, bool wide);
/* The last-level entry of one page below 2 MiB, in the tables of all paging modes. */
void preset_page(struct preset_machine *m, u32 address, u64 flags);
void preset_write(struct preset_machine *m, paddr_t at, u64 value, unsigned size);
u64 preset_read(struct preset_machine *m, paddr_t at, unsigned size);

#endif

/* SPDX-License-Identifier: MIT
 * A rule case as the image has it: what to load into the processor and low memory, and what must be there afterwards.
 * Written by make_cases.c on the host, read by guest/main.c; every type has the same layout in both.
 *
 * The image holds struct matrix_header, then one struct matrix_memory for each preset, then the cases. Memory is a list
 * of struct matrix_run, each with its bytes behind it, padded to 8.
 */
#ifndef RINGSIDE_TOOLS_MATRIX_CASE_H
#define RINGSIDE_TOOLS_MATRIX_CASE_H

#ifndef MATRIX_HOST
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
#endif

#define MATRIX_MAGIC 0x4358544Du
#define MATRIX_PRESETS 32
/* Low memory that cases own, and where the image keeps the code and data that it needs while a case runs. */
#define MATRIX_CASE_END 0x50000u
#define MATRIX_RESIDENT 0x60000u
/* The vector by which landing places of no privilege come back, and its gate's interrupt stack in long mode. */
#define MATRIX_VECTOR 0xFDu
#define MATRIX_IST 7u

struct matrix_state {
    u64 gpr[16];
    u64 rip, rflags;
    u64 cr0, cr2, cr3, cr4;
    u64 efer, star, lstar, cstar, fmask, sysenter_cs, sysenter_esp, sysenter_eip;
    u64 fs_base, gs_base, kernel_gs_base;
    u64 dr0, dr1, dr6, dr7;
    u64 gdt_base, idt_base;
    u16 gdt_limit, idt_limit;
    u16 es, cs, ss, ds, fs, gs, ldtr, tr;
    u16 reserved[2];
};

struct matrix_run {
    u32 address, size;
    u32 fill; /* 0: bytes follow; else each byte is fill - 1 */
    u32 reserved;
};

struct matrix_memory {
    u32 bytes; /* of the runs behind this */
    u32 runs;
};

struct matrix_case {
    u32 bytes; /* of the whole record, runs included */
    u32 preset;
    char rule[8], mode[12], title[76];
    u32 runs_before, runs_after; /* against the preset's memory; after: what must be found */
    struct matrix_state before, after;
};

struct matrix_header {
    u32 magic, presets, cases, reserved;
};

#endif

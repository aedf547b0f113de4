/* SPDX-License-Identifier: MIT
 * The 32-bit tour's kernel: tables, stacks, what a handler records, and visits to other rings.
 *
 * A stop *visits* a piece of code in some ring. Whatever enters ring 0 from there is recorded as an `entry`; then the
 * stop's hook decides whether the handler returns to the visited code (IRET) or the visit ends and the stop goes on.
 */
#ifndef TOUR32_KERNEL_H
#define TOUR32_KERNEL_H

#include "../common/tour.h"
#include "selectors.h"

/* A piece of code to visit, written beside the stop that does. AT(name) inside defines a further label. */
#define PROBE(name, text)                                                                                              \
    __asm__(".pushsection .probes,\"ax\"\n.globl " #name "\n" #name ":\n" text "\n.code32\n.popsection\n");            \
    extern const char name[]
#define AT(name) ".globl " #name "\n" #name ":\n"
#define EXIT "int $0x41\n" /* INT_EXIT */

struct descriptor {
    u32 low, high;
};
extern struct descriptor gdt[GDT_ENTRIES], idt[INT_LIMIT];

struct tss {
    u32 link, esp0, ss0, esp1, ss1, esp2, ss2, cr3, eip, eflags, eax, ecx, edx, ebx, esp, ebp, esi, edi;
    u32 es, cs, ss, ds, fs, gs, ldt;
    u16 trap, io_map;
};
/* The main TSS with its I/O bitmap (all ports denied, but for those a stop allows) and the closing FFh. */
extern struct main_tss {
    struct tss tss;
    u8 redirection[32]; /* VME: which INT n of a virtual-8086 program come to ring 0 */
    u8 io[8192 + 1];
} main_tss;
extern struct tss fault_tss, other_tss;

/* Descriptors. type: bits 40-47 of the descriptor (P, DPL, S, type); flags: bits 52-55 (G = 8, B or D = 4). */
void gdt_set(u16 selector, u32 base, u32 limit, u8 type, u8 flags);
void gate_set(struct descriptor *gate, u16 selector, u32 offset, u8 type, u8 parameters);
struct descriptor *gdt_at(u16 selector);
void tables_open(void);
void tss_clear_busy(u16 selector);
bool tss_is_busy(u16 selector);
u16 read_tr(void);
void load_tr(u16 selector);

#define STACK_BYTES 4096
extern u8 ring_stacks[4][STACK_BYTES]; /* [0]: for probes that run in ring 0 */
u32 ring_stack_top(unsigned ring);     /* ESP when a visit to `ring` starts */
u32 kernel_stack_top(void);            /* TSS.ESP0 */
u32 inner_stack_top(unsigned ring);    /* TSS.ESPn for rings 1 and 2 */
u16 ring_code(unsigned ring);          /* flat code and data selectors with RPL = ring */
u16 ring_data(unsigned ring);

/* What the entry stub leaves on the stack, from low to high addresses. The last fields are there only on a change of
 * ring, and the very last only when the processor came from virtual-8086 mode. */
struct frame {
    u32 inside_eflags, gs, fs, es, ds;
    u32 edi, esi, ebp, esp_here, ebx, edx, ecx, eax;
    u32 vector, error;
    u32 eip, cs, eflags;
    u32 esp, ss;
    u32 v86_es, v86_ds, v86_fs, v86_gs;
};

struct entry {
    struct frame frame; /* fields that were not pushed are 0 */
    bool outer, v86;
    u16 cs, ss; /* inside the handler */
    u32 top;    /* address of the lowest word that the processor pushed */
    u32 cr2, dr6, cr0;
    u16 tr;
};

#define ENTRIES 16
extern struct entry entries[ENTRIES];
extern unsigned entry_count;
/* Words that probe code writes for its stop to read. */
extern volatile u32 seen[32];

/* returns: true = go on with the visited code. NULL: the first entry ends the visit. */
typedef bool hook_t(struct frame *frame);
extern hook_t *hook;
bool hook_until_exit(struct frame *frame); /* go on unless it is INT_EXIT */

struct start {
    u32 eip, cs, eflags, esp, ss, es, ds, fs, gs;
};
void visit_start(const struct start *start);
void visit_land(void) __attribute__((noreturn));
/* Run `code` in `ring` on that ring's stack; with_hook may be NULL. Afterwards entries[0..entry_count-1] tell. */
void visit(unsigned ring, const char *code, hook_t *with_hook);
void visit_flags(unsigned ring, const char *code, u32 eflags, hook_t *with_hook);

/* ---- expectations */
#define NO_ERROR (-1)
/* Entry `number` came through `vector` from flat code of `ring` at `eip`, pushing EFLAGS = `eflags` (arithmetic flags
 * aside) and `error`, to the ring-0 handler behind an interrupt gate, on the stack that the manual says. */
void expect_entry(unsigned number, unsigned vector, int error, unsigned ring, const char *eip, u32 eflags);
void expect_entries(unsigned count);
/* Print one entry in a line or two. */
void show_entry(unsigned number);

#endif

/* SPDX-License-Identifier: MIT
 * The stress guest: code that changes itself, its page tables and its debug registers while it runs, and checks what
 * comes of it. Everything it sees goes into a sum, so that two engines that differ anywhere print different sums.
 *
 * A stop places a piece of code (CODE) somewhere, runs it with given registers until its EXIT or until a trap that the
 * stop's hook lands on, and looks at the registers it ended with.
 */
#ifndef STRESS_STRESS_H
#define STRESS_STRESS_H

#include "../tour/common/tour.h"
#include "layout.h"

#ifdef __x86_64__
#define BITS 64
#define AX "%rax"
#define BX "%rbx"
#define CX "%rcx"
#define DX "%rdx"
#define SI "%rsi"
#define DI "%rdi"
#define BP "%rbp"
#define SP "%rsp"
#else
#define BITS 32
#define AX "%eax"
#define BX "%ebx"
#define CX "%ecx"
#define DX "%edx"
#define SI "%esi"
#define DI "%edi"
#define BP "%ebp"
#define SP "%esp"
#endif

/* Position-independent code NAME..NAME_end; AT(label) inside gives an address. */
#define CODE(name, text)                                                                                               \
    __asm__(".pushsection .text\n.globl " #name ", " #name "_end\n" #name ":\n" text "\n" #name                        \
            "_end:\n.popsection\n");                                                                                   \
    extern const char name[], name##_end[]
#define AT(name) ".globl " #name "\n" #name ":\n"
#define EXIT "int $0x41\n"
#define OFFSET(label, name) ((word)(label) - (word)(name)) /* of a label inside its code */

/* ---- the sum, checks (tour.h: say, check, skip) */
void mix(u64 value);
u64 sum_so_far(void);

/* ---- running code */
struct regs {
    word ax, cx, dx, bx, bp, si, di, ip, cs, flags, sp, ss;
};

/* What the entry stub leaves on the stack, from low to high addresses. */
struct frame {
#ifdef __x86_64__
    word r15, r14, r13, r12, r11, r10, r9, r8;
#endif
    word di, si, bp, bx, dx, cx, ax, vector, error, ip, cs, flags;
    word sp, ss; /* 32 bits: only when the trap came from ring 3 */
};

struct trap {
    word vector, error, ip, flags, cr2, dr6, ax, cx, dx, si, di;
};
#define TRAPS 64
extern struct trap traps[TRAPS]; /* the first ones of this run */
extern unsigned trap_count;

/* returns: true = go on where the frame says; false = end the run. INT_EXIT always ends it. NULL: any trap ends it. */
typedef bool hook_t(struct frame *frame);

/* Run at r->ip until it ends; r->cs, flags, sp 0 mean ring 0, no flags, a stack of its own. r holds the registers at
 * the end, with ip and flags as the last trap pushed them. returns: the vector that ended it. */
unsigned run(struct regs *r, hook_t *hook);
/* run() that must end at its EXIT, with no trap before. */
void run_clean(struct regs *r);
/* Copy code to an address. returns: the address */
word place(word address, const char *name, const char *end);
#define PLACE(address, name) place(address, name, name##_end)

/* ---- memory. arena[] are physical pages, mapped one to one like everything else below 1 GiB; WINDOW is a linear area
 * whose pages are what the stop makes them. */
#define ARENA_PAGES 48
extern u8 arena[ARENA_PAGES][4096];
extern u64 window_a[512], window_b[512]; /* page tables of WINDOW in the two address spaces */
extern u64 window_directory_a[512],
    window_directory_b[512];  /* and their directories: 2 MiB from WINDOW for each entry */
extern word space_a, space_b; /* values for CR3 */

enum { P = 1, W = 2, U = 4, PTE_A = 0x20, PTE_D = 0x40, LARGE = 0x80, G = 0x100 };
#define PWU (P | W | U)

word window(unsigned page);              /* linear address of a window page */
u64 frame_of(unsigned arena_page);       /* physical address of an arena page */
void map(unsigned page, unsigned to);    /* window page -> arena page in space A, with INVLPG */
void map_only(unsigned page, u64 entry); /* the entry alone, no INVLPG */
void arena_fill(unsigned page, u8 value);

static inline void invlpg(word address) { __asm__ volatile("invlpg (%0)" : : "r"(address) : "memory"); }

static inline u64 rdtsc(void)
{
    u32 low, high;

    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high) : : "memory");
    return (u64)high << 32 | low;
}

CONTROL_REGISTER(dr1)
CONTROL_REGISTER(dr2)
CONTROL_REGISTER(dr3)
#define DR6_NONE 0xFFFF0FF0u
#define DR6_BS 0x4000u
#define DR7_NONE 0x400u

/* ---- time: one interrupt on INT_TIMER, `ticks` from now */
void interrupt_in(u32 ticks);
void interrupt_end(void);    /* end of interrupt */
void interrupt_cancel(void); /* what was asked for comes no more; what came is taken */
volatile u32 *apic_register(unsigned offset);

struct features {
    bool pcid, invpcid, deadline, x2apic, nx;
};
extern struct features features;

#define STOPS(name)                                                                                                    \
    extern const struct stop name[];                                                                                   \
    extern const unsigned name##_count;
STOPS(stops_code)
STOPS(stops_page)
STOPS(stops_space)
STOPS(stops_string)
STOPS(stops_debug)
STOPS(stops_time)
STOPS(stops_flow)
STOPS(stops_mode)
STOPS(stops_apic)
#undef STOPS

#endif

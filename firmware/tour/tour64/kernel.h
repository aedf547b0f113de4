/* SPDX-License-Identifier: MIT
 * The 64-bit tour's kernel: tables, stacks, what a handler records, and visits to other rings.
 *
 * A stop *visits* a piece of code in some ring. Whatever enters ring 0 from there is recorded as an `entry`; then the
 * stop's hook decides whether the handler returns to the visited code (IRETQ) or the visit ends and the stop goes on.
 */
#ifndef TOUR64_KERNEL_H
#define TOUR64_KERNEL_H

#include "../common/tour.h"
#include "selectors.h"

/* A piece of code to visit, written beside the stop that does. AT(name) inside defines a further label. PROBE stands in
 * the user's page, KERNEL_PROBE in the kernel's. */
#define PROBE_IN(section, bits, name, text)                                                                            \
    __asm__(".pushsection " section ",\"ax\"\n" bits ".globl " #name "\n" #name ":\n" text                             \
            "\n.code64\n.popsection\n");                                                                               \
    extern const char name[]
#define PROBE(name, text) PROBE_IN(".user", ".code64\n", name, text)
#define PROBE_COMPAT(name, text) PROBE_IN(".user", ".code32\n", name, text)
#define KERNEL_PROBE(name, text) PROBE_IN(".text", ".code64\n", name, text)
#define AT(name) ".globl " #name "\n" #name ":\n"
#define EXIT "int $0x41\n" /* INT_EXIT */
#define USER_DATA __attribute__((section(".udata,\"aw\"#")))

#define NON_CANONICAL 0x0100000000000000ull /* for 48 and for 57 bits of linear address */

extern u64 gdt[GDT_ENTRIES];
struct gate {
    u16 offset_low, selector;
    u8 ist, type;
    u16 offset_middle;
    u32 offset_high, reserved;
};
extern struct gate idt[IDT_ENTRIES];
extern struct tss {
    u32 reserved;
    u64 rsp[3], ist[8]; /* ist[0] is reserved */
    u16 reserved3, io_map;
    u32 end;
} __attribute__((packed)) tss;

void tables_open(void);
void gate_set(struct gate *gate, u16 selector, const char *target, u8 type, u8 ist);
u64 ist_top(unsigned ist);
u64 kernel_stack_top(void); /* TSS.RSP0 */

/* Where a visit runs. */
enum place { RING0, RING1, RING2, RING3, COMPAT, PLACES };
u64 stack_top(enum place place); /* RSP when a visit starts */
u16 place_code(enum place place);
u16 place_data(enum place place);

/* What the entry stub leaves on the stack, from low to high addresses. */
struct frame {
    u64 inside_rflags, es, ds;
    u64 r15, r14, r13, r12, r11, r10, r9, r8, rdi, rsi, rbp, rbx, rdx, rcx, rax;
    u64 vector, error;
    u64 rip, cs, rflags, rsp, ss;
};

struct entry {
    struct frame frame;
    u16 cs, ss; /* inside the handler */
    u64 top;    /* address of the lowest word that the processor pushed */
    u64 cr2, dr6, gs_base;
};

#define ENTRIES 16
extern struct entry entries[ENTRIES];
extern unsigned entry_count;
/* Words that probe code writes for its stop to read. */
extern volatile u64 seen[32];
void seen_clear(void);

/* returns: true = go on with the visited code. NULL: the first entry ends the visit. */
typedef bool hook_t(struct frame *frame);
extern hook_t *hook;
bool hook_until_exit(struct frame *frame); /* go on unless it is INT_EXIT */

/* Code that waits for an NMI: when it comes after the APIC was told is the machine's affair. seen[31] counts what
 * count_nmi() saw. */
#define AWAIT_NMI "mov $10000000, %edx\n 1: cmpl $0, seen + 248\n jne 2f\n dec %edx\n jnz 1b\n 2:\n"
bool count_nmi(struct frame *frame); /* go on unless it is INT_EXIT */

struct start {
    u64 rip, cs, rflags, rsp, ss, data;
};
void visit_start(const struct start *start);
void visit_land(void) __attribute__((noreturn));
void visit(enum place place, const char *code, hook_t *with_hook);
void visit_flags(enum place place, const char *code, u64 rflags, hook_t *with_hook);
void visit_stack(enum place place, const char *code, u64 rsp);

/* ---- expectations */
#define NO_ERROR (-1)
#define FAULTED (FLAG_ONE | FLAG_RF) /* a fault pushes RF=1 */
/* Entry `number` came through `vector` from `place` at `rip`, pushing RFLAGS = `rflags` (arithmetic flags aside) and
 * `error`, to the ring-0 handler behind an interrupt gate, on the stack that the manual says: IST `ist`, else RSP0,
 * else the interrupted stack (which then had to stand at its top). */
void expect_entry_ist(unsigned number, unsigned vector, int error, enum place place, u64 rip, u64 rflags, unsigned ist);
void expect_entry(unsigned number, unsigned vector, int error, enum place place, const char *rip, u64 rflags);
void expect_entries(unsigned count);
void show_entry(unsigned number);

#endif

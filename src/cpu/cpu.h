/* SPDX-License-Identifier: MIT
 * struct cpu: one logical processor, in three sections.
 *   architectural  fixed-width, no padding, no pointers: compared and hashed whole
 *   derived        computed from the first (keys, TLB, lazy flags): never saved
 *   host           observer, ports, jump buffer
 */
#ifndef RINGSIDE_CPU_CPU_H
#define RINGSIDE_CPU_CPU_H

#include <setjmp.h>

#include "base/bits.h"
#include "bus/clock.h"
#include "bus/physmem.h"
#include "bus/ports.h"
#include "cpu/model.h"
#include "cpu/registers.h"
#include "cpu/rule.h"
#include "mmu/tlb.h"
#include "msr/msr.h"

/* Hidden ("cached") state of a segment register. attr holds descriptor bits 40-47 in its bits 0-7 (type, S, DPL, P)
 * and bits 52-55 in its bits 8-11 (AVL, L, D/B, G). SEG_UNUSABLE: loaded with a null selector. */
struct segment {
    union {
        struct {
            u16 selector;
            u16 attr;
            u32 limit; /* in bytes, already scaled by G */
        };
        u64 word; /* the three as one: see segment_make() */
    };
    u64 base;
};

/* A segment register's contents, stored and copied in two halves. A transition stages segments and commits them a few
 * cycles later: hosts forward a store to a load only when the load lies within one store. */
ALWAYS_INLINE struct segment segment_make(u16 selector, u16 attr, u32 limit, u64 base)
{
    return (struct segment){.word = selector | (u64)attr << 16 | (u64)limit << 32, .base = base};
}
ALWAYS_INLINE void segment_copy(struct segment *to, const struct segment *from)
{
    /* volatile: compilers join the halves otherwise */
    u64 word = *(const volatile u64 *)&from->word, base = *(const volatile u64 *)&from->base;

    to->word = word;
    to->base = base;
}

struct table_register {
    u64 base;
    u16 limit;
    u16 reserved[3];
};

/* One x87 register: 80-bit extended format. MMX registers are the mantissas. */
struct x87_reg {
    u64 mantissa;
    u16 sign_exponent;
    u16 reserved[3];
};

union xmm_reg {
    u8 u8[16];
    u16 u16[8];
    u32 u32[4];
    u64 u64[2];
};

enum activity { ACTIVE, HALTED, SHUTDOWN, WAIT_FOR_SIPI, MWAITING };

/* Interrupt shadows and other one-instruction state. */
enum shadow { SHADOW_STI = 1, SHADOW_MOV_SS = 2 };

struct cpu_arch {
    union {
        u64 reg[18]; /* addressing forms index this array: [REG_NONE] is always 0, [REG_RIP] is rip */
        struct {
            u64 gpr[16];
            u64 zero;
            u64 rip; /* of the instruction being executed; the bodies see its *start* here */
        };
    };
    u64 rflags; /* arithmetic flags live in the lazy form: use flags.h */
    struct segment seg[6];
    struct segment ldtr, tr;
    struct table_register gdtr, idtr;
    u64 cr0, cr2, cr3, cr4, xcr0;
    u64 dr[8];
    u64 pdpte[4];
    struct msr_file msr;
    u64 pending_debug; /* DR6 bits of debug traps waiting for the instruction boundary */
    u64 smbase;
    struct x87_reg x87[8]; /* physical registers; ST(i) is x87[(top + i) & 7] */
    u64 x87_ip, x87_dp;
    u16 x87_control, x87_status, x87_tag, x87_opcode; /* tag: the full 16-bit word */
    u16 x87_cs, x87_ds;
    u32 mxcsr;
    union xmm_reg xmm[16];
    u64 monitor_address;
    u8 monitor_armed;
    u8 cpl; /* assigned in ring/ring.c only */
    u8 activity;
    u8 shadow; /* enum shadow bits in force for the *next* instruction */
    u8 nmi_pending;
    u8 nmi_blocked;
    u8 init_pending;
    u8 smi_pending;
};

#define REG_NONE 16u
#define REG_RIP 17u

/* Execution modes, derived from CR0.PE, EFLAGS.VM, EFER.LMA, CS.L and CS.D. */
enum cpu_mode { MODE_REAL, MODE_VM86, MODE_PM16, MODE_PM32, MODE_COMPAT16, MODE_COMPAT32, MODE_LONG };

/* "real", "vm86", "pm16", "pm32", "compat16", "compat32", "64-bit". */
const char *cpu_mode_name(enum cpu_mode mode);

/* Decode key: everything outside the bytes that changes what they decode to. At most 16 bits (insn_tag()). */
enum decode_key {
    KEY_WIDTH = 3,      /* 0 = 16-bit, 1 = 32-bit, 2 = 64-bit code */
    KEY_STACK32 = 4,    /* SS.B; 0 in 64-bit mode, where the stack pointer has 64 bits whatever SS holds */
    KEY_REAL_OR_VM = 8, /* real mode or VM86 */
    KEY_VM = 16,
    KEY_CPL_SHIFT = 5, /* two bits */
    KEY_EM = 1 << 7,   /* CR0.EM, CR0.TS, CR0.MP, CR4.OSFXSR, CR4.OSXSAVE: which FPU and SSE rows fault */
    KEY_TS = 1 << 8,
    KEY_MP = 1 << 9,
    KEY_OSFXSR = 1 << 10,
    KEY_OSXSAVE = 1 << 11,
    KEY_FLAT = 1 << 12,    /* CS SS DS ES have base 0 and need no check (CS: for reading): always in 64-bit mode */
    KEY_FLAT_FS = 1 << 13, /* FS needs no check; GS likewise */
    KEY_FLAT_GS = 1 << 14,
};

struct cpu_derived {
    u64 next_rip; /* where execution goes after this instruction; a branch body assigns it */
    /* The instruction that may raise now. While `exact` is false arch.rip stands at the first byte of its block, and
     * the clock counts the whole block: cpu->host.engine knows how to put both right. */
    const struct insn *insn;
    bool exact;
    u64 stop_tick;  /* the run loop leaves its inner loop when clock->ticks reaches this; 0 = attention now */
    u64 slow_value; /* what a SLOW_PATH function gives back */
    u64 flag_result, flag_carries;     /* lazy CF PF AF ZF SF OF: flags.h */
    u64 laddr_mask;                    /* ~0 in 64-bit mode, else FFFFFFFFh */
    u64 seg_base[6];                   /* effective: 0 for ES CS SS DS in 64-bit mode */
    u32 seg_flat_read, seg_flat_write; /* bit per segment: no limit or type check needed */
    u32 decode_key, control_key;       /* the second: the first's bits that come from CR0 and CR4 */
    struct tlb_view *view;             /* data view for accesses at the current CPL and AC */
    struct tlb_view *supervisor_view;  /* implicit supervisor accesses */
    enum access_view view_kind;
    bool align_check; /* CR0.AM, EFLAGS.AC and CPL 3: every access goes the slow way */
    bool watchpoints; /* a data breakpoint is enabled in DR7 */
    bool code_breakpoints;
    enum cpu_mode mode;
    u64 door_count; /* how often ring_commit() ran */
    u64 fetch_page; /* linear page that fetch_host translates, or 1 */
    const u8 *fetch_host;
    paddr_t fetch_paddr;
    u32 fetch_slots;      /* the page's place in the engine's decode cache */
    u64 fetch_generation; /* mmu.flushes when the page was opened */
    bool code_flat;       /* no CS limit check on fetch: 64-bit mode, or a 4 GiB limit */
    bool one_by_one;      /* fetches are checked against CS's limit, or data breakpoints may hit: no blocks */
    bool in_rep;          /* a REP body stopped in its middle: d.next_rip is the instruction itself */
    u8 last_mechanism;    /* of the last transition through the door */
    bool intr;            /* INTR at the last boundary looked at: a device that changes it asks for attention */
};

/* How the processor reaches its interrupt controllers. The machine fills it. */
struct cpu_ports {
    void *context;
    bool (*interrupt_pending)(void *context);    /* INTR is asserted (PIC, or local APIC above its PPR) */
    int (*interrupt_acknowledge)(void *context); /* vector 0-255 */
    u8 (*task_priority_read)(void *context);     /* CR8: TPR[7:4] */
    void (*task_priority_write)(void *context, u8 value);
    bool (*apic_base_write)(void *context, u64 value);            /* false: #GP(0) (MSR-07) */
    bool (*apic_msr_read)(void *context, u32 number, u64 *value); /* x2APIC and TSC-deadline; false: #GP(0) */
    bool (*apic_msr_write)(void *context, u32 number, u64 value);
    u32 (*apic_id)(void *context);
    void (*tsc_moved)(void *context); /* software moved the TSC. May be NULL */
    /* FERR# while CR0.NE is clear: an unmasked x87 exception waits, or is gone. May be NULL: no such pin.
     * With false it may be called in the middle of a block, and must not change INTR.
     * returns: IGNNE#, true when the processor shall ignore the exception for now */
    bool (*ferr)(void *context, bool asserted);
};

struct cpu;
struct fault;
struct transition;
struct side_event;

/* Sees what the processor does; knows nothing that the processor depends on. Any member may be NULL. */
struct cpu_observer {
    void *context;
    void (*transition)(void *context, struct cpu *cpu, const struct transition *t);
    /* SWAPGS, CR3 writes, WRMSR: trace "beside transitions". */
    void (*side)(void *context, struct cpu *cpu, const struct side_event *event);
    /* An instruction of so many bytes stands at arch.rip and executes next: it may still fault, and one that repeats
     * itself may come again. Whole only while the stepping engine runs (engine_select()); the block engine shows those
     * that it steps. Must not change the engine or the processor. */
    void (*insn)(void *context, struct cpu *cpu, unsigned length);
};

/* Sees each fault that no handler will see, apart from the observer: who waits for these only costs the run nothing.
 * The registers are as they were before the delivery that failed (ID-19). */
struct cpu_fault_watch {
    void *context;
    void (*undelivered)(void *context, struct cpu *cpu, const struct fault *fault);
};

struct fault {
    u8 vector;
    bool has_error;
    u32 error;
    u64 cr2;        /* #PF only */
    u16 rule;       /* enum rule: the check that failed, 0 if none */
    u64 debug_bits; /* #DB only: what the fault adds to DR6 */
};

/* What setjmp(host.unwind) returns when something unwound to the engine. */
enum unwind { UNWIND_FAULT = 1, UNWIND_STOP = 2, UNWIND_EXACT = 3 };

/* Why a run stops for good. */
enum stop_reason {
    STOP_NONE,
    STOP_SHUTDOWN,      /* triple fault */
    STOP_UNIMPLEMENTED, /* named in cpu->host.stop_text */
    STOP_REQUESTED,     /* power-off, reset, debug exit, Ctrl-C: the machine knows */
};

struct cpu_host {
    const struct cpu_observer *observer;
    struct cpu_ports ports;
    struct ports *io;
    jmp_buf unwind;     /* set in the engine's run loop only */
    struct fault fault; /* what cpu_raise() recorded */
    enum stop_reason stop;
    char stop_text[160];
    struct engine *engine; /* owned by cpu/engine/ */
    const struct cpu_fault_watch *fault_watch;
#ifdef RINGSIDE_COVERAGE
    u64 rule_hits[2][RULES]; /* how often each check failed [0] and held [1]; fault.h counts */
#endif
};

struct cpu {
    struct cpu_arch arch;
    struct cpu_derived d;
    struct cpu_host host;
    struct cpu_model model;
    struct clock *clock;
    struct physmem *physmem;
    struct mmu mmu; /* last: large */
};

/* Allocate a processor in reset state. Never returns NULL (aborts when the host has no memory). */
struct cpu *cpu_new(const struct cpu_model *model, unsigned number, struct clock *clock, struct physmem *pm,
                    struct ports *io);
void cpu_free(struct cpu *cpu);

/* The registers after INIT (FPU, SSE, XCR0 and MSRs but EFER stay, and CR0.CD and NW: IQ-03), and after power-on or
 * RESET#: all but CS, SS, RSP, RIP, RFLAGS and CPL, which the door commits (ring/reset.c).
 * effects: the TLB and the derived state are the caller's.   source: SDM 3A, "Processor State After Reset" */
void cpu_state_init(struct cpu *cpu);
void cpu_state_power_on(struct cpu *cpu);

ALWAYS_INLINE bool cpu_has(const struct cpu *cpu, enum cpu_feature feature) { return cpu->model.feature[feature]; }

ALWAYS_INLINE bool cpu_is_amd(const struct cpu *cpu) { return cpu->model.vendor == VENDOR_AMD; }

ALWAYS_INLINE bool cpu_long_mode(const struct cpu *cpu) /* EFER.LMA: 64-bit or compatibility mode */
{
    return (cpu->arch.msr.efer & EFER_LMA) != 0;
}

ALWAYS_INLINE bool cpu_64bit(const struct cpu *cpu) { return cpu->d.mode == MODE_LONG; }

ALWAYS_INLINE bool cpu_protected(const struct cpu *cpu) /* PE set and not VM86 */ { return cpu->d.mode >= MODE_PM16; }

ALWAYS_INLINE bool cpu_vm86(const struct cpu *cpu) { return cpu->d.mode == MODE_VM86; }

ALWAYS_INLINE unsigned cpu_iopl(const struct cpu *cpu)
{
    return (unsigned)((cpu->arch.rflags & FLAG_IOPL) >> FLAG_IOPL_SHIFT);
}

/* Canonical by what CR4.LA57 selects now: for addresses in use. */
ALWAYS_INLINE bool cpu_canonical(const struct cpu *cpu, laddr_t laddr)
{
    return is_canonical(laddr, cpu->arch.cr4 & CR4_LA57 ? 57 : 48);
}

/* Leave the inner loop at the next instruction boundary and look for events. */
ALWAYS_INLINE void cpu_attention(struct cpu *cpu) { cpu->d.stop_tick = 0; }

/* Before an effect outside the processor and RAM, which may need the exact tick or end the run of instructions: if
 * arch.rip and the clock are not exact now, the engine begins the instruction again by itself, where they are.
 * in: the instruction has changed nothing yet, memory included. */
NORETURN void cpu_begin_again(struct cpu *cpu);
ALWAYS_INLINE void cpu_demand_exact(struct cpu *cpu)
{
    if (UNLIKELY(!cpu->d.exact))
        cpu_begin_again(cpu);
}

/* Recompute the derived section (mode, keys, flat bits, views, paging mode) after any change to CR0, CR4, EFER, CPL,
 * segment registers, RFLAGS.VM/AC or DR7.
 * effects: does not flush the TLB (callers know the architectural rule). */
void cpu_update_derived(struct cpu *cpu);
/* The same, cheaper, when nothing changed but CS, SS, CPL and RFLAGS: the door's common case. */
void cpu_update_ring(struct cpu *cpu);
/* The same when nothing changed but one data segment register or SS. */
void cpu_update_segment(struct cpu *cpu, enum seg seg);
/* Mirror CR0/CR3/CR4/EFER/PDPTEs into mmu.mode. */
void cpu_update_paging(struct cpu *cpu);
/* The same after a load of CR3: enters the address space, with what the TLB may still use of it (mmu/tlb.h).
 * in: keep  bit 63 of MOV CR3's operand, with CR4.PCIDE: the entries of the PCID stay (PG-03) */
void cpu_switch_address_space(struct cpu *cpu, bool keep);

/* End the run with a named reason: something the guest asked for is not implemented (exit code 5). */
NORETURN void cpu_unimplemented(struct cpu *cpu, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* 64-bit hash of the architectural section, lazy flags folded in. */
u64 cpu_state_hash(struct cpu *cpu);

#endif

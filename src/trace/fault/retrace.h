/* SPDX-License-Identifier: MIT
 * The delivery of an event retraced: which gate, code segment, stack and frame it goes by, from the registers and from
 * memory that a reader gives. Run by the recorder, over the guest's memory, it asks for all that explains the delivery;
 * run by a view, over what was kept, it finds the same again. It tells, it does not judge: which check failed is said
 * by the fault that the delivery raised. SDM 3A, "Exception- or Interrupt-Handler Procedures", "Exception and Interrupt
 * Handling in 64-bit Mode".
 */
#ifndef RINGSIDE_TRACE_FAULT_RETRACE_H
#define RINGSIDE_TRACE_FAULT_RETRACE_H

#include "cpu/ring/descriptor.h"
#include "cpu/ring/transition.h"
#include "trace/fault/data.h"

/* returns: false when any byte is unknown: unmapped, or not kept. */
struct retrace_memory {
    void *context;
    bool (*read)(void *context, enum data_kind kind, u64 address, void *out, u32 size);
};

#define RETRACE_WORDS 10u

/* Something in a table: where it is to stand, and what stands there. */
struct retrace_entry {
    bool asked;    /* the delivery gets so far */
    bool in_table; /* it lies inside the table's limit */
    bool known;    /* its bytes could be read */
    u16 selector;  /* descriptors: their selector */
    u8 bytes;
    u64 address; /* linear */
    struct descriptor d;
};

struct retrace {
    enum gate_kind kind; /* GATE_NONE: the entry is no gate of the present mode, or unknown */
    struct retrace_entry gate, target, stack_segment;
    u8 new_cpl;
    enum stack_source stack_source;
    u8 ist;
    bool tss_asked, tss_inside, tss_known;
    u64 tss_address; /* of the words of the TSS */
    u8 tss_bytes;
    bool stack_known; /* the following are true */
    u64 sp;           /* the stack pointer under which the frame is to stand, aligned */
    u64 stack;        /* its linear address */
    u64 frame;        /* linear address of the lowest word */
    u8 words, word_bytes;
    u64 word[RETRACE_WORDS]; /* from the lowest address; RF of the flags is left as it is */
    const char *word_name[RETRACE_WORDS];
};

/* in: vector, has_error, error  what is to be delivered */
struct retrace retrace_delivery(const struct fault_registers *r, unsigned vector, bool has_error, u32 error,
                                const struct retrace_memory *memory);

/* The descriptor that a selector names: located, and read if it can be. bytes: 8, or 16 */
struct retrace_entry retrace_descriptor(const struct fault_registers *r, u16 selector,
                                        const struct retrace_memory *memory);
/* The entry of the IDT (IVT in real mode). */
struct retrace_entry retrace_gate(const struct fault_registers *r, unsigned vector,
                                  const struct retrace_memory *memory);

#endif

/* SPDX-License-Identifier: MIT
 * Data: bytes of guest memory that were kept beside an event, because the event alone does not explain itself: what the
 * arguments of a system call point to, the descriptors that a fault went by, who called whom.
 */
#ifndef RINGSIDE_TRACE_DATA_H
#define RINGSIDE_TRACE_DATA_H

#include "base/types.h"

enum data_kind {
    DATA_MEMORY_IN = 1,  /* what arguments point to: at the entry; at the return where the page was not there before */
    DATA_MEMORY_OUT = 2, /* at the return to ring 3: what the call filled */
    DATA_GATE = 3,       /* the IDT entry of a fault's vector, address = its linear address; 8 or 16 bytes */
    DATA_DESCRIPTOR = 4, /* the descriptor of the gate's selector, or of the selector in an error code */
    DATA_STACK = 5,      /* the stack that a delivery was to use, from its pointer upwards; address = the pointer */
    DATA_BACKTRACE = 6,  /* u64 return addresses, innermost first (guest_backtrace()) */
    DATA_TSS = 7,        /* the words of the TSS that were used: address = where they stand */
    DATA_CODE = 8,       /* instruction bytes at RIP, up to 15 */
    DATA_SIGNAL = 9,     /* what a signal frame holds of the interrupted call: u64 RIP, u64 RAX */
    DATA_WALK = 10,      /* the page walk of a page fault: struct fault_walk (trace/fault/data.h); address = CR2 */
    DATA_FRAME = 11,     /* the memory where a delivery was to push its frame, as it was found; address = the lowest */
    DATA_REGISTERS = 12, /* struct fault_registers (trace/fault/data.h) */
};

#define DATA_HEADER 24u /* in a DATA section: u64 event, u64 address, u32 size, u32 kind; then the bytes */

/* One piece. */
struct data_piece {
    u64 event; /* number of the event it belongs to */
    u64 address;
    u32 size;
    u32 offset; /* the holder's own */
    u8 kind;    /* enum data_kind */
    const u8 *bytes;
};

#endif

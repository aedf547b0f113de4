/* SPDX-License-Identifier: MIT
 * Which differences are excused: the table excuse.def.
 */
#ifndef RINGSIDE_CONFORM_HARDWARE_EXCUSE_H
#define RINGSIDE_CONFORM_HARDWARE_EXCUSE_H

#include "conform/hardware/compare.h"
#include "cpu/isa/insn.h"
#include "cpu/rule.h"

/* Counts are what is left of the count operand after the processor's mask, 5 bits or 6. */
enum excuse_when {
    WHEN_ALWAYS,
    WHEN_COUNT_NOT_0,
    WHEN_COUNT_ABOVE_1,
    WHEN_COUNT_ABOVE_SIZE,
    WHEN_LEGACY,       /* outside 64-bit mode */
    WHEN_PREFIX_66_64, /* 66h in 64-bit mode */
    WHEN_LOCK,         /* F0h */
    WHEN_LOCK_CR0,     /* F0h before MOV to or from CR0 */
    WHEN_REX_W,        /* a 64-bit operand size by REX.W */
    WHEN_REPEAT,       /* F2h or F3h */
    WHEN_AC,           /* the processor raised #AC */
    WHEN_PF,           /* ...#PF */
    WHEN_FAULT,        /* ...any fault */
    WHEN_WRAPS,        /* outside 64-bit mode, the operand's first 16 bytes reach beyond 4 GiB */
    WHEN_STACK_WRAPS,  /* ...the 32 bytes below the stack pointer reach below 0 */
    WHEN_BEYOND_LOG,   /* FYL2XP1: ST(0) is a number outside the range for which it is defined */
};

enum excuse_part {
    PART_FLAGS,
    PART_DESTINATION, /* all of the general register, or the memory operand, that is written */
    PART_RIP,
    PART_VECTOR,
    PART_X87,            /* everything of the x87 */
    PART_CR2_IN_OPERAND, /* both addresses lie in the memory operand, bits: its size */
    PART_CR2,
    PART_ERROR,
    PART_NULL_SELECTOR, /* 0 there, another null selector here */
    PART_X87_STATUS,
    PART_SINGLES,      /* lanes of the XMM register that is written */
    PART_STACK,        /* any x87 register */
    PART_MEMORY_STACK, /* bytes up to 32 below the stack pointer as it was */
    PART_MEMORY,       /* bytes of the memory operand, given by EXCUSE_BYTES(first, end) */
    PART_ALL,          /* everything: another outcome */
};
#define EXCUSE_BYTES(first, end) ((u64)(first) | (u64)(end) << 32)

enum excuse_kind { EXCUSE_UNDEFINED, EXCUSE_APPROXIMATE, EXCUSE_VENDORS };

struct excuse {
    enum excuse_kind kind;
    const char *mnemonics;
    enum excuse_when when;
    enum excuse_part part;
    u64 bits;       /* EXCUSE_APPROXIMATE: units of the last place */
    enum rule rule; /* EXCUSE_VENDORS */
    const char *source;
};
unsigned excuse_count(void);
const struct excuse *excuse_at(unsigned index);
bool excuse_names(const struct excuse *row, const char *mnemonic);

#define EXCUSES_MAX 128u
/* What the table did so far. */
struct excuse_use {
    u32 used[EXCUSES_MAX]; /* cases that each row excused something of */
    u64 worst[EXCUSES_MAX];
};

/* What a case is, for the table. */
struct excuse_case {
    const struct hardware_case *c;
    const struct hardware_source *source;
    const struct insn *insn;
    enum cpu_vendor vendor; /* under test */
};

enum excuse_verdict {
    VERDICT_SAME, /* nothing differs, or everything that does is excused */
    VERDICT_NOT_COMPARED /* the vendors differ in the outcome as a whole */,
    VERDICT_DIFFERENT,
};
/* Clear the bits of differences that the table excuses. */
enum excuse_verdict excuse_differences(const struct excuse_case *ec, struct hardware_differences *differences,
                                       struct excuse_use *use);

#endif

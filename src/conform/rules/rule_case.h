/* SPDX-License-Identifier: MIT
 * A rule case as data: where it runs, what is prepared, a few bytes of code, and what the manual says comes out.
 *
 *     ROW(SC_01, "without SCE", BOTH, LONG_0 | LONG_3, SETUP(CLEAR(EFER, EFER_SCE)), CODE(SYSCALL_), FAULTS(UD, 0))
 *
 * runs at two levels on two vendors. Whatever a case does not name must be unchanged afterwards: every location of
 * location.def is compared, RIP is expected behind the code (at the first instruction when a fault is expected), and
 * no transition may have been shown at the door but those of SEEN(). A fault is expected under the row's own rule
 * unless BY() names another; it is then also delivered, and its frame and what the door shows are checked.
 */
#ifndef RINGSIDE_CONFORM_RULE_CASE_H
#define RINGSIDE_CONFORM_RULE_CASE_H

#include "conform/rules/location.h"
#include "conform/rules/preset.h"
#include "cpu/rule.h"

enum patch_kind {
    PATCH_NONE,
    PATCH_PUT, /* location, value */
    PATCH_OR,
    PATCH_CLEAR,
    PATCH_MEMORY,     /* address, size, value */
    PATCH_PUSH,       /* size, value: on the current stack */
    PATCH_DESCRIPTOR, /* selector, base, limit, attributes */
    PATCH_GATE,       /* vector, access byte, selector, offset, IST */
    PATCH_CALL_GATE,  /* selector of the gate, access byte, selector, offset, parameters */
    PATCH_PAGE,       /* address, flags */
    PATCH_FEATURE,    /* feature, present */
    PATCH_SEGMENT,    /* enum seg, selector: with its descriptor, unchecked */
    PATCH_LATER,      /* location, value: put after so many steps */
    PATCH_A20,        /* the gate is closed */
};

struct patch {
    enum patch_kind kind;
    u32 where;
    u64 value, base;
    u32 limit;
    u16 attr;
};

enum expectation_kind {
    EXPECT_NONE,
    EXPECT_VALUE, /* location, value */
    EXPECT_PLUS,  /* initial value and this */
    EXPECT_CODE,  /* offset of this byte of the code */
    EXPECT_SET,   /* as expected so far, with bits set */
    EXPECT_CLEAR,
    EXPECT_ANY,        /* these bits are not compared */
    EXPECT_MEMORY,     /* address, size, value */
    EXPECT_FRAME,      /* word of the last frame, from its lowest address; value */
    EXPECT_FRAME_CODE, /* ...offset of a byte of the code */
    EXPECT_FRAME_PLUS, /* ...initial value of a location, and this */
    EXPECT_FRAME_BITS, /* ...these bits set, those clear */
};

struct expectation {
    enum expectation_kind kind;
    u32 where;
    u64 value;
    u32 extra;
    u64 clear;
};

enum vendors { INTEL = 1 << VENDOR_INTEL, AMD = 1 << VENDOR_AMD, BOTH = INTEL | AMD };

enum case_flag {
    CASE_FAULTS = 1,      /* vector, error, by */
    CASE_NO_DELIVERY = 2, /* the fault is not delivered afterwards (its gate or stack is what the case spoils) */
    CASE_UNPINNED = 4,    /* unsettled: executed, and nothing compared */
};

struct rule_case {
    enum rule rule;
    const char *title;
    u8 vendors; /* enum vendors */
    u32 presets;
    const struct patch *setup; /* ends with PATCH_NONE */
    const u8 *code;
    u8 code_size;
    u8 steps; /* instructions and deliveries; 0 = 1 */
    u8 flags;
    u8 vector;
    u32 error;
    enum rule by;   /* 0: the row's own rule */
    const u8 *seen; /* enum mechanism, in order */
    u8 seen_count;
    const struct expectation *expect; /* ends with EXPECT_NONE */
    const char *file;
    int line;
};

struct rule_theme {
    const char *name;
    const struct rule_case *cases;
    unsigned count;
};

#define ROW(id, text, who, where, ...)                                                                                 \
    {                                                                                                                  \
        .rule = RULE_##id, .title = (text), .vendors = (who), .presets = (where), .file = __FILE__, .line = __LINE__,  \
        __VA_ARGS__                                                                                                    \
    }
#define THEME(id, rows) const struct rule_theme theme_##id = {#id, rows, ARRAY_LEN(rows)}

/* ---- fields of a row */

#define SETUP(...)                                                                                                     \
    .setup = (const struct patch[])                                                                                    \
    {                                                                                                                  \
        __VA_ARGS__, { .kind = PATCH_NONE }                                                                            \
    }
#define CODE(...) .code = (const u8[]){__VA_ARGS__}, .code_size = sizeof((const u8[]){__VA_ARGS__})
#define STEPS(n) .steps = (n)
#define FAULTS(vec, code) .flags = CASE_FAULTS, .vector = VEC_##vec, .error = (code)
#define FAULTS_UNDELIVERED(vec, code) .flags = CASE_FAULTS | CASE_NO_DELIVERY, .vector = VEC_##vec, .error = (code)
#define BY(id) .by = RULE_##id
#define UNPINNED .flags = CASE_UNPINNED
#define SEEN(...) .seen = (const u8[]){__VA_ARGS__}, .seen_count = sizeof((const u8[]){__VA_ARGS__})
#define EXPECT(...)                                                                                                    \
    .expect = (const struct expectation[])                                                                             \
    {                                                                                                                  \
        __VA_ARGS__, { .kind = EXPECT_NONE }                                                                           \
    }

/* ---- SETUP */

#define PUT(loc, v)                                                                                                    \
    {                                                                                                                  \
        .kind = PATCH_PUT, .where = L_##loc, .value = (u64)(v)                                                         \
    }
#define OR(loc, bits)                                                                                                  \
    {                                                                                                                  \
        .kind = PATCH_OR, .where = L_##loc, .value = (u64)(bits)                                                       \
    }
#define CLEAR(loc, bits)                                                                                               \
    {                                                                                                                  \
        .kind = PATCH_CLEAR, .where = L_##loc, .value = (u64)(bits)                                                    \
    }
#define MEM8(at, v)                                                                                                    \
    {                                                                                                                  \
        .kind = PATCH_MEMORY, .where = (at), .limit = 1, .value = (u64)(v)                                             \
    }
#define MEM16(at, v)                                                                                                   \
    {                                                                                                                  \
        .kind = PATCH_MEMORY, .where = (at), .limit = 2, .value = (u64)(v)                                             \
    }
#define MEM32(at, v)                                                                                                   \
    {                                                                                                                  \
        .kind = PATCH_MEMORY, .where = (at), .limit = 4, .value = (u64)(v)                                             \
    }
#define MEM64(at, v)                                                                                                   \
    {                                                                                                                  \
        .kind = PATCH_MEMORY, .where = (at), .limit = 8, .value = (u64)(v)                                             \
    }
#define PUSH16(v)                                                                                                      \
    {                                                                                                                  \
        .kind = PATCH_PUSH, .limit = 2, .value = (u64)(v)                                                              \
    }
#define PUSH32(v)                                                                                                      \
    {                                                                                                                  \
        .kind = PATCH_PUSH, .limit = 4, .value = (u64)(v)                                                              \
    }
#define PUSH64(v)                                                                                                      \
    {                                                                                                                  \
        .kind = PATCH_PUSH, .limit = 8, .value = (u64)(v)                                                              \
    }
#define DESCRIPTOR(sel, b, l, a)                                                                                       \
    {                                                                                                                  \
        .kind = PATCH_DESCRIPTOR, .where = (sel), .base = (u64)(b), .limit = (u32)(l), .attr = (u16)(a)                \
    }
#define GATE(vec, access, sel, offset)                                                                                 \
    {                                                                                                                  \
        .kind = PATCH_GATE, .where = (vec), .attr = (access), .limit = (sel), .base = (u64)(offset)                    \
    }
#define GATE_IST(vec, access, sel, offset, ist)                                                                        \
    {                                                                                                                  \
        .kind = PATCH_GATE, .where = (vec), .attr = (access), .limit = (sel), .base = (u64)(offset), .value = (ist)    \
    }
#define CALL_GATE(at, access, sel, offset, words)                                                                      \
    {                                                                                                                  \
        .kind = PATCH_CALL_GATE, .where = (at), .attr = (access), .limit = (sel), .base = (u64)(offset),               \
        .value = (words)                                                                                               \
    }
#define PAGE(at, flags)                                                                                                \
    {                                                                                                                  \
        .kind = PATCH_PAGE, .where = (at), .value = (u64)(flags)                                                       \
    }
#define WITH(feature)                                                                                                  \
    {                                                                                                                  \
        .kind = PATCH_FEATURE, .where = FEAT_##feature, .value = 1                                                     \
    }
#define WITHOUT(feature)                                                                                               \
    {                                                                                                                  \
        .kind = PATCH_FEATURE, .where = FEAT_##feature, .value = 0                                                     \
    }
#define LOADED(seg, sel)                                                                                               \
    {                                                                                                                  \
        .kind = PATCH_SEGMENT, .where = (seg), .value = (sel)                                                          \
    }
#define IRQ_ON(vec)                                                                                                    \
    {                                                                                                                  \
        .kind = PATCH_PUT, .where = L_IRQ, .value = (vec)                                                              \
    }
#define A20_MASKED                                                                                                     \
    {                                                                                                                  \
        .kind = PATCH_A20                                                                                              \
    }
#define LATER(steps_done, loc, v)                                                                                      \
    {                                                                                                                  \
        .kind = PATCH_LATER, .where = L_##loc, .value = (u64)(v), .limit = (steps_done)                                \
    }
/* Flags of PAGE. */
#define P_ABSENT 0u
#define P_SUPER 0x63u
#define P_USER 0x67u
#define P_USER_RO 0x65u
#define P_SUPER_RO 0x61u
#define P_NX BIT(63)
/* Frames for IRET, lowest word last. */
#define FRAME64(rip, cs, flags, rsp, ss) PUSH64(ss), PUSH64(rsp), PUSH64(flags), PUSH64(cs), PUSH64(rip)
#define FRAME32(eip, cs, flags) PUSH32(flags), PUSH32(cs), PUSH32(eip)
#define FRAME32_OUT(eip, cs, flags, esp, ss) PUSH32(ss), PUSH32(esp), PUSH32(flags), PUSH32(cs), PUSH32(eip)
#define FRAME16(ip, cs, flags) PUSH16(flags), PUSH16(cs), PUSH16(ip)

/* ---- EXPECT */

#define EQ(loc, v)                                                                                                     \
    {                                                                                                                  \
        .kind = EXPECT_VALUE, .where = L_##loc, .value = (u64)(v)                                                      \
    }
#define PLUS(loc, n)                                                                                                   \
    {                                                                                                                  \
        .kind = EXPECT_PLUS, .where = L_##loc, .value = (u64)(i64)(n)                                                  \
    }
#define AT(n)                                                                                                          \
    {                                                                                                                  \
        .kind = EXPECT_CODE, .where = L_RIP, .value = (n)                                                              \
    }
#define CODE_AT(loc, n)                                                                                                \
    {                                                                                                                  \
        .kind = EXPECT_CODE, .where = L_##loc, .value = (n)                                                            \
    }
#define SETS(loc, bits)                                                                                                \
    {                                                                                                                  \
        .kind = EXPECT_SET, .where = L_##loc, .value = (u64)(bits)                                                     \
    }
#define CLEARS(loc, bits)                                                                                              \
    {                                                                                                                  \
        .kind = EXPECT_CLEAR, .where = L_##loc, .value = (u64)(bits)                                                   \
    }
#define ANY(loc)                                                                                                       \
    {                                                                                                                  \
        .kind = EXPECT_ANY, .where = L_##loc, .value = ~0ull                                                           \
    }
#define ANYBITS(loc, bits)                                                                                             \
    {                                                                                                                  \
        .kind = EXPECT_ANY, .where = L_##loc, .value = (u64)(bits)                                                     \
    }
#define HAS8(at, v)                                                                                                    \
    {                                                                                                                  \
        .kind = EXPECT_MEMORY, .where = (at), .extra = 1, .value = (u64)(v)                                            \
    }
#define HAS16(at, v)                                                                                                   \
    {                                                                                                                  \
        .kind = EXPECT_MEMORY, .where = (at), .extra = 2, .value = (u64)(v)                                            \
    }
#define HAS32(at, v)                                                                                                   \
    {                                                                                                                  \
        .kind = EXPECT_MEMORY, .where = (at), .extra = 4, .value = (u64)(v)                                            \
    }
#define HAS64(at, v)                                                                                                   \
    {                                                                                                                  \
        .kind = EXPECT_MEMORY, .where = (at), .extra = 8, .value = (u64)(v)                                            \
    }
#define WORD(n, v)                                                                                                     \
    {                                                                                                                  \
        .kind = EXPECT_FRAME, .where = (n), .value = (u64)(v)                                                          \
    }
#define WORD_CODE(n, at)                                                                                               \
    {                                                                                                                  \
        .kind = EXPECT_FRAME_CODE, .where = (n), .value = (at)                                                         \
    }
#define WORD_WAS(n, loc)                                                                                               \
    {                                                                                                                  \
        .kind = EXPECT_FRAME_PLUS, .where = (n), .extra = L_##loc, .value = 0                                          \
    }
#define WORD_BITS(n, set, not )                                                                                        \
    {                                                                                                                  \
        .kind = EXPECT_FRAME_BITS, .where = (n), .value = (u64)(set), .clear = (u64)(not )                             \
    }

/* Segments as transitions leave them. */
#define SEGMENT(s, sel, b, l, a) EQ(s, sel), EQ(s##_BASE, b), EQ(s##_LIMIT, l), EQ(s##_ATTR, a)
#define IN_CODE64(sel, dpl) SEGMENT(CS, sel, 0, 0xFFFFFFFF, ATTR_CODE64 | (dpl)*ATTR_DPL), EQ(CPL, dpl)
#define IN_CODE32(sel, dpl) SEGMENT(CS, sel, 0, 0xFFFFFFFF, ATTR_CODE32 | (dpl)*ATTR_DPL), EQ(CPL, dpl)
#define STACK32(sel, dpl) SEGMENT(SS, sel, 0, 0xFFFFFFFF, ATTR_DATA32 | (dpl)*ATTR_DPL)
#define NULL_SEGMENT(s, sel, dpl) SEGMENT(s, sel, 0, 0, SEG_UNUSABLE | (dpl)*ATTR_DPL)
#define VM86_SEGMENT(s, sel) SEGMENT(s, sel, (u64)(sel) << 4, 0xFFFF, ATTR_VM86)

/* Delivered to a ring-0 handler from another level, or at level 0. words: pushed. */
#define IN_HANDLER64(v, words)                                                                                         \
    EQ(RIP, HANDLER(v)), IN_CODE64(K64, 0), NULL_SEGMENT(SS, 0, 0), EQ(RSP, TSS_SP0 - (words)*8), EQ(MODE, MODE_LONG)
#define IN_HANDLER32(v, words)                                                                                         \
    EQ(RIP, HANDLER(v)), IN_CODE32(K32, 0), STACK32(KDATA, 0), EQ(RSP, TSS_SP0 - (words)*4), EQ(MODE, MODE_PM32)
#define SAME_HANDLER(v, bytes) EQ(RIP, HANDLER(v)), PLUS(RSP, -(bytes))

/* The state after INIT (IQ-03), one NOP behind the reset vector. */
#define RESET_DATA(s) SEGMENT(s, 0, 0, 0xFFFF, ATTR_DATA16)
#define AFTER_INIT                                                                                                     \
    EQ(RAX, 0), EQ(RCX, 0), ANY(RDX), EQ(RBX, 0), EQ(RSP, 0), EQ(RBP, 0), EQ(RSI, 0), EQ(RDI, 0), EQ(R8, 0),           \
        EQ(R9, 0), EQ(R10, 0), EQ(R11, 0), EQ(R12, 0), EQ(R13, 0), EQ(R14, 0), EQ(R15, 0), EQ(RIP, 0xFFF1),            \
        EQ(RFLAGS, 2), EQ(CPL, 0), SEGMENT(CS, 0xF000, 0xFFFF0000, 0xFFFF, ATTR_CODE16), RESET_DATA(DS),               \
        RESET_DATA(ES), RESET_DATA(SS), RESET_DATA(FS), RESET_DATA(GS), SEGMENT(LDTR, 0, 0, 0xFFFF, 0x82),             \
        SEGMENT(TR, 0, 0, 0xFFFF, 0x8B), EQ(GDT_BASE, 0), EQ(GDT_LIMIT, 0xFFFF), EQ(IDT_BASE, 0),                      \
        EQ(IDT_LIMIT, 0xFFFF), EQ(CR0, CR0_ET), EQ(CR2, 0), EQ(CR3, 0), EQ(CR4, 0), EQ(DR0, 0), EQ(DR1, 0),            \
        EQ(DR6, 0xFFFF0FF0), EQ(DR7, 0x400), EQ(EFER, 0), EQ(ACTIVITY, ACTIVE), EQ(INIT_PENDING, 0),                   \
        EQ(MODE, MODE_REAL)

/* ---- CODE: instructions by name */

#define NOP_ 0x90
#define SYSCALL_ 0x0F, 0x05
#define SYSRETL_ 0x0F, 0x07
#define SYSRETQ_ 0x48, 0x0F, 0x07
#define SYSENTER_ 0x0F, 0x34
#define SYSEXIT_ 0x0F, 0x35
#define SYSEXITQ_ 0x48, 0x0F, 0x35
#define SWAPGS_ 0x0F, 0x01, 0xF8
#define INT_(n) 0xCD, (n)
#define INT3_ 0xCC
#define INTO_ 0xCE
#define INT1_ 0xF1
#define IRET_ 0xCF
#define IRET66_ 0x66, 0xCF /* the other of the 16- and 32-bit sizes */
#define IRETQ_ 0x48, 0xCF
#define UD2_ 0x0F, 0x0B
#define HLT_ 0xF4
#define CLI_ 0xFA
#define STI_ 0xFB
#define PUSHF_ 0x9C
#define POPF_ 0x9D
#define RDMSR_ 0x0F, 0x32
#define WRMSR_ 0x0F, 0x30
#define RETF_ 0xCB
#define RETFQ_ 0x48, 0xCB
#define RETF_N_(n) 0xCA, (n)&0xFF, (n) >> 8
#define JMPF32_(off, sel)                                                                                              \
    0xEA, (off)&0xFF, (off) >> 8 & 0xFF, (off) >> 16 & 0xFF, (off) >> 24 & 0xFF, (sel)&0xFF, (sel) >> 8
#define CALLF32_(off, sel)                                                                                             \
    0x9A, (off)&0xFF, (off) >> 8 & 0xFF, (off) >> 16 & 0xFF, (off) >> 24 & 0xFF, (sel)&0xFF, (sel) >> 8
#define JMPF16_(off, sel) 0xEA, (off)&0xFF, (off) >> 8 & 0xFF, (sel)&0xFF, (sel) >> 8
#define CALLF16_(off, sel) 0x9A, (off)&0xFF, (off) >> 8 & 0xFF, (sel)&0xFF, (sel) >> 8
#define JMPF_RBX_ 0xFF, 0x2B /* jmp far [rbx], m16:32 (real mode, VM86 and pm16: [bp+di], m16:16) */
#define CALLF_RBX_ 0xFF, 0x1B
#define MOV_RAX_RBX_MEM_ 0x8B, 0x03 /* mov eax, [rbx] */
#define MOV_MEM_RBX_RAX_ 0x89, 0x03 /* mov [rbx], eax */
#define MOV_SEG_AX_(s) 0x8E, 0xC0 | (s) << 3
#define MOV_CR_RAX_(n) 0x0F, 0x22, 0xC0 | (n) << 3
#define MOV_RAX_CR_(n) 0x0F, 0x20, 0xC0 | (n) << 3
#define MOV_DR_RAX_(n) 0x0F, 0x23, 0xC0 | (n) << 3
#define MOV_RAX_DR_(n) 0x0F, 0x21, 0xC0 | (n) << 3

/* ---- themes */

#define RULE_THEMES(X)                                                                                                 \
    X(syscall)                                                                                                         \
    X(sysret)                                                                                                          \
    X(sysenter)                                                                                                        \
    X(swapgs_msr)                                                                                                      \
    X(idt)                                                                                                             \
    X(nesting) X(shadows_debug) X(iret) X(far) X(segments) X(task) X(vm86_io) X(modes_paging) X(instructions)          \
        X(x2apic)

#define X(name) extern const struct rule_theme theme_##name;
RULE_THEMES(X)
#undef X

#endif

/* SPDX-License-Identifier: MIT
 * Faults during delivery, double fault and shutdown, and the order of what comes together.
 * SDM 3A, "Interrupt 8-Double Fault Exception (#DF)", "Prioritization of Concurrent Events".
 */
#include "conform/rules/rule_case.h"

#define ANY_3 LONG_3 | COMPAT_3 | LEGACY32_3
#define ANY_0 LONG_0 | COMPAT_0 | LEGACY32_0
#define ERROR(vector) ((vector)*8 + 2)
#define EXT 1
#define ABSENT_GATE(vector) GATE(vector, 0x0E, K32, 0)
#define RSP0 (AT_TSS + 4) /* of a 64-bit TSS */
#define ON_IST1(vector) GATE_IST(vector, 0x8E, K64, HANDLER(vector), 1)
#define DIV_EBX 0xF7, 0xF3
#define DOWN_IF CLEARS(RFLAGS, FLAG_IF)
#define X66 0x66

static const struct rule_case rows[] = {
    ROW(NX_01, "#NP while #GP is delivered", BOTH, ANY_3 | ANY_0, SETUP(ABSENT_GATE(VEC_GP)), CODE(INT_(V_TYPE)),
        STEPS(2), FAULTS(DF, 0), BY(ID_04)),
    ROW(NX_01, "#NP while #NP is delivered", BOTH, ANY_3 | ANY_0, SETUP(ABSENT_GATE(VEC_NP)), CODE(INT_(V_ABSENT)),
        STEPS(2), FAULTS(DF, 0), BY(ID_04)),
    ROW(NX_01, "#GP while #DE is delivered", BOTH, ANY_3 | ANY_0, SETUP(GATE(VEC_DE, 0x8E, 0, 0), PUT(RBX, 0)),
        CODE(DIV_EBX), STEPS(2), FAULTS(DF, 0), BY(ID_05)),
    ROW(NX_01, "#GP while #SS is delivered", BOTH, LONG_3,
        SETUP(GATE(VEC_SS, 0x8E, KDATA, 0), PUT(RSP, 0x8000000000000000ull)), CODE(0x50 /* push rax */), STEPS(2),
        FAULTS(DF, 0), BY(ID_05)),
    ROW(NX_01, "#TS while #GP is delivered", BOTH, LEGACY32_3, SETUP(PUT(TR_LIMIT, 3)), CODE(HLT_), STEPS(2),
        FAULTS_UNDELIVERED(DF, 0), BY(ID_09)),
    ROW(NX_01, "#NP while the benign #UD is delivered is no double fault", BOTH, ANY_3 | ANY_0,
        SETUP(ABSENT_GATE(VEC_UD)), CODE(UD2_), STEPS(2), FAULTS(NP, ERROR(VEC_UD) | EXT), BY(ID_04)),

    ROW(NX_02, "#NP while #PF is delivered", BOTH, LONG_3 | PAGED_3 | PAE_0 | COMPAT_3 | PAE_3,
        SETUP(ABSENT_GATE(VEC_PF), PUT(RBX, AT_ABSENT)), CODE(MOV_RAX_RBX_MEM_), STEPS(2), FAULTS(DF, 0), BY(ID_04),
        EXPECT(EQ(CR2, AT_ABSENT))),
    ROW(NX_02, "#PF while #PF is delivered", BOTH, LONG_3 | COMPAT_3,
        SETUP(MEM64(RSP0, AT_ABSENT + 0x800), ON_IST1(VEC_DF), PUT(RBX, AT_ABSENT)), CODE(MOV_RAX_RBX_MEM_), STEPS(2),
        FAULTS(DF, 0), BY(PF_01), EXPECT(EQ(CR2, AT_ABSENT + 0x7F8 /* NX-10 */))),
    ROW(NX_02, "#PF while #GP is delivered is served", BOTH, LONG_3 | COMPAT_3,
        SETUP(MEM64(RSP0, AT_ABSENT + 0x800), ON_IST1(VEC_PF)), CODE(HLT_), STEPS(2), FAULTS(PF, 2), BY(PF_01)),
    ROW(NX_02, "#PF while #UD is delivered is served", BOTH, LONG_3 | COMPAT_3,
        SETUP(MEM64(RSP0, AT_ABSENT + 0x800), ON_IST1(VEC_PF)), CODE(UD2_), STEPS(2), FAULTS(PF, 2), BY(PF_01)),

    ROW(NX_10, "a #PF that becomes #DF leaves its address in CR2", BOTH, LONG_3 | COMPAT_3,
        SETUP(PUT(RSP, AT_ABSENT + 0x800), GATE(VEC_PF, 0xEE, U64 | 3, AT_CODE), PUT(RBX, AT_SUPER)),
        CODE(MOV_RAX_RBX_MEM_), STEPS(2), FAULTS(DF, 0), BY(PF_01), EXPECT(EQ(CR2, AT_ABSENT + 0x7F8))),
    ROW(NX_10, "a #PF that becomes shutdown leaves its address in CR2", BOTH, LONG_3 | COMPAT_3,
        SETUP(MEM64(RSP0, AT_ABSENT + 0x800), ABSENT_GATE(VEC_GP)), CODE(HLT_), STEPS(3), SEEN(MECH_SHUTDOWN),
        EXPECT(AT(0), EQ(ACTIVITY, SHUTDOWN), EQ(CR2, AT_ABSENT + 0x7F8))),
    ROW(NX_10, "a contributory fault after #PF leaves the first address", BOTH, LONG_3 | PAGED_3 | COMPAT_3 | PAE_3,
        SETUP(ABSENT_GATE(VEC_PF), PUT(RBX, AT_ABSENT + 8)), CODE(MOV_RAX_RBX_MEM_), STEPS(2), FAULTS(DF, 0), BY(ID_04),
        EXPECT(EQ(CR2, AT_ABSENT + 8))),

    ROW(NX_03, "#GP while #NM is delivered", BOTH, LEGACY32_0 | LONG_3 | COMPAT_3,
        SETUP(GATE(VEC_NM, 0x8E, 0, 0), OR(CR0, CR0_TS)), CODE(0xD9, 0xE8 /* fld1 */), STEPS(2), FAULTS(GP, EXT),
        BY(ID_05)),
    ROW(NX_03, "#NP while an NMI is delivered; NMI stays blocked", BOTH, ANY_3 | ANY_0,
        SETUP(ABSENT_GATE(VEC_NMI), PUT(NMI_PENDING, 1)), CODE(NOP_), FAULTS(NP, ERROR(VEC_NMI) | EXT), BY(ID_04),
        EXPECT(EQ(NMI_PENDING, 0), EQ(NMI_BLOCKED, 1))),
    ROW(NX_08, "INT 13 is benign", BOTH, ANY_0, SETUP(ABSENT_GATE(VEC_SS)), CODE(INT_(VEC_SS)),
        FAULTS(NP, ERROR(VEC_SS)), BY(ID_04)),
    ROW(NX_08, "INT 8 is benign", BOTH, ANY_0, SETUP(ABSENT_GATE(VEC_DF)), CODE(INT_(VEC_DF)),
        FAULTS(NP, ERROR(VEC_DF)), BY(ID_04)),
    ROW(NX_08, "an interrupt of vector 12 is benign", BOTH, ANY_3, SETUP(ABSENT_GATE(VEC_SS), IRQ_ON(VEC_SS)),
        CODE(NOP_), FAULTS(NP, ERROR(VEC_SS) | EXT), BY(ID_04)),
    ROW(NX_08, "an interrupt of vector 14 is benign", BOTH, LONG_3 | COMPAT_3,
        SETUP(ABSENT_GATE(VEC_PF), IRQ_ON(VEC_PF)), CODE(NOP_), FAULTS(NP, ERROR(VEC_PF) | EXT), BY(ID_04)),

    ROW(NX_04, "no IDT at all: shutdown", BOTH, ANY_3 | ANY_0 | PM16_0 | VM86, SETUP(PUT(IDT_LIMIT, 0)), CODE(UD2_),
        STEPS(4), SEEN(MECH_SHUTDOWN), EXPECT(AT(0), EQ(ACTIVITY, SHUTDOWN))),
    ROW(NX_04, "no vector table at all: shutdown", BOTH, REAL, SETUP(PUT(IDT_LIMIT, 0)), CODE(UD2_), STEPS(4),
        SEEN(MECH_SHUTDOWN), EXPECT(AT(0), EQ(ACTIVITY, SHUTDOWN))),
    ROW(NX_04, "#NP while #DF is delivered", BOTH, ANY_3 | ANY_0, SETUP(ABSENT_GATE(VEC_GP), ABSENT_GATE(VEC_DF)),
        CODE(INT_(V_TYPE)), STEPS(3), SEEN(MECH_SHUTDOWN), EXPECT(AT(0), EQ(ACTIVITY, SHUTDOWN))),
    ROW(NX_04, "#PF while #DF is delivered", BOTH, LONG_3 | COMPAT_3,
        SETUP(MEM64(RSP0, AT_ABSENT + 0x800), ABSENT_GATE(VEC_GP)), CODE(HLT_), STEPS(3), SEEN(MECH_SHUTDOWN),
        EXPECT(AT(0), EQ(ACTIVITY, SHUTDOWN), EQ(CR2, AT_ABSENT + 0x7F8 /* NX-10 */))),
    ROW(NX_04, "#DF is delivered", BOTH, LONG_0, SETUP(ABSENT_GATE(VEC_GP)), CODE(INT_(V_TYPE)), STEPS(3),
        SEEN(MECH_ABORT), EXPECT(SAME_HANDLER(VEC_DF, 48), DOWN_IF, WORD(0, 0), WORD_CODE(1, 0))),

    ROW(NX_09, "an NMI ends shutdown", BOTH, LONG_0 | PM32_0 | PAGED_0 | PAE_0,
        SETUP(PUT(ACTIVITY, SHUTDOWN), PUT(NMI_PENDING, 1)), CODE(NOP_), SEEN(MECH_NMI),
        EXPECT(EQ(RIP, HANDLER(VEC_NMI)), ANY(RSP), DOWN_IF, EQ(ACTIVITY, ACTIVE), EQ(NMI_PENDING, 0),
               EQ(NMI_BLOCKED, 1))),
    ROW(NX_09, "a maskable interrupt does not", BOTH, ANY_0, SETUP(PUT(ACTIVITY, SHUTDOWN), IRQ_ON(0x50)), CODE(NOP_),
        EXPECT(AT(0), EQ(IRQ, 0x50))),
    ROW(NX_09, "a waiting debug trap does not", BOTH, ANY_0, SETUP(PUT(ACTIVITY, SHUTDOWN), PUT(PENDING_DEBUG, DR6_BS)),
        CODE(NOP_), EXPECT(AT(0))),
    ROW(NX_09, "INIT does", BOTH, LEGACY32_0, SETUP(PUT(ACTIVITY, SHUTDOWN), PUT(INIT_PENDING, 1)), CODE(NOP_),
        SEEN(MECH_INIT), EXPECT(AFTER_INIT)),

    ROW(NX_05, "a fault in its own handler takes time and returns", BOTH, LONG_0 | LEGACY32_0,
        SETUP(GATE(VEC_UD, 0x8E, K64, AT_CODE), DESCRIPTOR(FREE, 0, 0xFFFFFFFF, ATTR_CODE32)), CODE(UD2_), UNPINNED,
        STEPS(100)),

    ROW(NX_06, "the trap of the previous instruction, then NMI", BOTH, LONG_0,
        SETUP(OR(RFLAGS, FLAG_TF), LATER(1, NMI_PENDING, 1), LATER(1, IRQ, 0x50)), CODE(NOP_), STEPS(3),
        SEEN(MECH_TRAP, MECH_NMI),
        EXPECT(EQ(RIP, HANDLER(VEC_NMI)), ANY(RSP), CLEARS(RFLAGS, FLAG_IF | FLAG_TF), EQ(NMI_BLOCKED, 1),
               SETS(DR6, DR6_BS), EQ(IRQ, 0x50))),
    ROW(NX_06, "NMI before an interrupt", BOTH, LONG_0 | LEGACY32_0, SETUP(PUT(NMI_PENDING, 1), IRQ_ON(0x50)),
        CODE(NOP_), SEEN(MECH_NMI),
        EXPECT(EQ(RIP, HANDLER(VEC_NMI)), ANY(RSP), DOWN_IF, EQ(NMI_BLOCKED, 1), EQ(NMI_PENDING, 0), EQ(IRQ, 0x50))),
    ROW(NX_06, "an interrupt before the code breakpoint", BOTH, LONG_0 | LEGACY32_0,
        SETUP(IRQ_ON(0x50), PUT(DR0, AT_CODE), PUT(DR7, 0x401)), CODE(NOP_), SEEN(MECH_IRQ),
        EXPECT(EQ(RIP, HANDLER(0x50)), ANY(RSP), DOWN_IF, WORD_CODE(0, 0))),
    ROW(NX_06, "the code breakpoint before the fetch fault", BOTH, LONG_3 | COMPAT_3,
        SETUP(PUT(RIP, AT_USER_NX), PUT(DR0, AT_USER_NX), PUT(DR7, 0x401)), CODE(NOP_), FAULTS(DB, 0), BY(DB_03),
        EXPECT(SETS(DR6, 1))),
    ROW(NX_06, "the fetch fault before the decode fault", BOTH, LONG_3 | COMPAT_3, SETUP(PUT(RIP, AT_ABSENT)),
        CODE(UD2_), FAULTS(PF, 0x14), BY(PF_01)),
    ROW(NX_06, "the decode fault before the privilege fault", BOTH, ANY_3,
        CODE(0xF0, 0x0F, 0x22, 0xC1 /* lock mov cr0 */), FAULTS(UD, 0), BY(IS_02)),
    ROW(NX_06, "INIT before the trap of the previous instruction and NMI", BOTH, LEGACY32_0,
        SETUP(PUT(INIT_PENDING, 1), PUT(NMI_PENDING, 1), PUT(PENDING_DEBUG, DR6_BS)), CODE(NOP_), SEEN(MECH_INIT),
        EXPECT(AFTER_INIT, EQ(NMI_PENDING, 0), EQ(PENDING_DEBUG, 0))),

    ROW(NX_07, "sixteen bytes", BOTH, LONG_0 | LONG_3 | LEGACY32_0 | REAL | VM86 | COMPAT_3 | COMPAT_0,
        CODE(X66, X66, X66, X66, X66, X66, X66, X66, X66, X66, X66, X66, X66, X66, X66, NOP_), FAULTS(GP, 0)),
    ROW(NX_07, "fifteen bytes", BOTH, LONG_0 | LONG_3 | LEGACY32_0 | REAL | VM86 | COMPAT_3 | COMPAT_0,
        CODE(X66, X66, X66, X66, X66, X66, X66, X66, X66, X66, X66, X66, X66, X66, NOP_)),
    ROW(NX_07, "a page that is absent within the first fifteen bytes comes first", BOTH, LONG_3 | COMPAT_3,
        SETUP(PUT(RIP, AT_ABSENT - 14)), CODE(X66, X66, X66, X66, X66, X66, X66, X66, X66, X66, X66, X66, X66, X66),
        FAULTS(PF, 0x14), BY(PF_01)),
    ROW(NX_07, "a page that is absent behind them does not matter", BOTH, LONG_3 | COMPAT_3,
        SETUP(PUT(RIP, AT_ABSENT - 15)),
        CODE(X66, X66, X66, X66, X66, X66, X66, X66, X66, X66, X66, X66, X66, X66, X66), FAULTS(GP, 0)),

    /* ---- the other side */
    ROW(NX_03, "two contributory exceptions are no benign ones", BOTH, ANY_3 | ANY_0, SETUP(ABSENT_GATE(VEC_GP)),
        CODE(INT_(V_TYPE)), STEPS(2), FAULTS(DF, 0), BY(ID_04)),
    ROW(NX_04, "the benign #AC while #DF is delivered", BOTH, PM32_3 | PAGED_3 | PAE_3,
        SETUP(OR(CR0, CR0_AM), OR(RFLAGS, FLAG_AC), PUT(RSP, STACK3 - 2), ABSENT_GATE(VEC_GP),
              GATE(VEC_DF, 0x8E, U32 | 3, AT_CODE)),
        CODE(HLT_), STEPS(3), FAULTS(AC, 0), BY(AL_01)),
    ROW(NX_08, "the exception of vector 12 is contributory", BOTH, LONG_3 | LONG_0,
        SETUP(ABSENT_GATE(VEC_SS), PUT(RBP, 0x8000000000000000ull)), CODE(0x8B, 0x45, 0x00 /* mov eax, [rbp] */),
        STEPS(2), FAULTS(DF, 0), BY(ID_04)),
    ROW(NX_09, "an NMI outside shutdown", BOTH, LONG_0 | PM32_0 | PAGED_0 | PAE_0, SETUP(PUT(NMI_PENDING, 1)),
        CODE(NOP_), SEEN(MECH_NMI),
        EXPECT(EQ(RIP, HANDLER(VEC_NMI)), ANY(RSP), DOWN_IF, EQ(NMI_PENDING, 0), EQ(NMI_BLOCKED, 1))),
    ROW(NX_05, "#AC while #AC is delivered, without end", BOTH, PM32_3 | PAGED_3 | PAE_3,
        SETUP(OR(CR0, CR0_AM), OR(RFLAGS, FLAG_AC), PUT(RSP, STACK3 - 2), GATE(VEC_AC, 0x8E, U32 | 3, AT_CODE)),
        CODE(0x50 /* push eax */), STEPS(100), FAULTS_UNDELIVERED(AC, 0), BY(AL_01)),
    ROW(NX_05, "another fault ends the loop", BOTH, PM32_3 | PAGED_3 | PAE_3,
        SETUP(OR(CR0, CR0_AM), OR(RFLAGS, FLAG_AC), PUT(RSP, STACK3 - 2), ABSENT_GATE(VEC_AC)), CODE(0x50), STEPS(2),
        FAULTS(NP, ERROR(VEC_AC) | EXT), BY(ID_04)),
};

THEME(nesting, rows);

/* SPDX-License-Identifier: MIT
 * The local APIC by its MSRs: x2APIC mode and the TSC deadline.
 * SDM 3A, "Extended XAPIC (x2APIC)", "TSC-Deadline Mode".
 */
#include "conform/rules/rule_case.h"

#define MSR(number, value) PUT(RCX, number), PUT(RAX, (u32)(value)), PUT(RDX, (u64)(value) >> 32)
#define X2APIC PUT(APIC_BASE, 0xFEE00D00)
#define CPL0 (LONG_0 | COMPAT_0 | LEGACY32_0 | PM16_0 | REAL)
#define WIDE_0 (LONG_0 | COMPAT_0 | LEGACY32_0) /* 32-bit operands without a prefix */
#define MOV_ECX_(v) 0xB9, (v)&0xFF, (v) >> 8 & 0xFF, (v) >> 16 & 0xFF, (v) >> 24 & 0xFF
#define MOV_EAX_(v) 0xB8, (v)&0xFF, (v) >> 8 & 0xFF, (v) >> 16 & 0xFF, (v) >> 24 & 0xFF
#define READ(text, number) ROW(MSR_09, text, BOTH, CPL0, SETUP(X2APIC, PUT(RCX, number)), CODE(RDMSR_), FAULTS(GP, 0))
#define WRITE(text, number, value)                                                                                     \
    ROW(MSR_09, text, BOTH, CPL0, SETUP(X2APIC, MSR(number, value)), CODE(WRMSR_), FAULTS(GP, 0))
#define IS(text, number, value)                                                                                        \
    ROW(MSR_09, text, BOTH, CPL0, SETUP(X2APIC, PUT(RCX, number)), CODE(RDMSR_), EXPECT(EQ(RAX, value), EQ(RDX, 0)))
#define KEEPS(text, number, value)                                                                                     \
    ROW(MSR_09, text, BOTH, CPL0, SETUP(X2APIC, MSR(number, value)), CODE(WRMSR_, RDMSR_), STEPS(2))

static const struct rule_case rows[] = {
    ROW(MSR_09, "a read in xAPIC mode", BOTH, CPL0, SETUP(PUT(RCX, 0x802)), CODE(RDMSR_), FAULTS(GP, 0)),
    ROW(MSR_09, "a write in xAPIC mode", BOTH, CPL0, SETUP(MSR(0x808, 0x20)), CODE(WRMSR_), FAULTS(GP, 0)),
    ROW(MSR_09, "a read while the APIC is disabled", BOTH, CPL0, SETUP(PUT(APIC_BASE, 0xFEE00100), PUT(RCX, 0x803)),
        CODE(RDMSR_), FAULTS(GP, 0)),
    READ("the end of interrupt is not readable", 0x80B),
    READ("the self IPI is not readable", 0x83F),
    READ("there is no destination format", 0x80E),
    READ("there is no upper half of the interrupt command", 0x831),
    READ("a number that no register has", 0x801),
    READ("a number past the registers", 0x840),
    READ("the last number", 0x8FF),
    WRITE("the ID is read-only", 0x802, 0),
    WRITE("the version is read-only", 0x803, 0x14),
    WRITE("the processor priority is read-only", 0x80A, 0),
    WRITE("the logical destination is read-only", 0x80D, 1),
    WRITE("the vectors in service are read-only", 0x810, 0),
    WRITE("the requests are read-only", 0x827, 0),
    WRITE("the current count is read-only", 0x839, 0),
    WRITE("there is no destination format to write", 0x80E, 0xFFFFFFFF),
    WRITE("an end of interrupt is 0", 0x80B, 1),
    WRITE("an error status is written as 0", 0x828, 1),
    WRITE("reserved bit 8 of the task priority", 0x808, 0x100),
    WRITE("the upper half of the task priority", 0x808, BIT(32)),
    WRITE("reserved bit 10 of the spurious vector", 0x80F, 0x5FF),
    WRITE("reserved bit 13 of the interrupt command", 0x830, 0x2041),
    WRITE("reserved bit 20 of the interrupt command", 0x830, 0x100041),
    WRITE("reserved bit 13 of the timer's vector", 0x832, 0x12000),
    WRITE("reserved bit 14 of the error vector", 0x837, 0x14000),
    WRITE("the upper half of the initial count", 0x838, BIT(32)),
    WRITE("reserved bit 2 of the divider", 0x83E, 4),
    WRITE("reserved bit 8 of the self IPI", 0x83F, 0x141),
    ROW(MSR_09, "bit 18 of the timer's vector without the TSC deadline", AMD, CPL0, SETUP(X2APIC, MSR(0x832, 0x50030)),
        CODE(WRMSR_), FAULTS(GP, 0)),
    IS("the ID has 32 bits", 0x802, 0),
    IS("the version", 0x803, 0x01050014),
    IS("the logical ID follows from the ID", 0x80D, 1),
    IS("the spurious vector after a reset", 0x80F, 0xFF),
    KEEPS("the task priority", 0x808, 0x20),
    KEEPS("the interrupt command is one register of 64 bits", 0x830, 0x0000000500000041),
    KEEPS("the mask of a local vector", 0x835, 0x10700),
    KEEPS("the initial count", 0x838, 0x12345678),
    KEEPS("the error status", 0x828, 0),
    ROW(MSR_09, "the end of interrupt", BOTH, CPL0, SETUP(X2APIC, MSR(0x80B, 0)), CODE(WRMSR_)),
    ROW(MSR_09, "the self IPI", BOTH, CPL0, SETUP(X2APIC, MSR(0x83F, 0x41)), CODE(WRMSR_)),

    ROW(MSR_10, "the timer is in one-shot mode", INTEL, CPL0, SETUP(MSR(0x6E0, 0x10000000)), CODE(WRMSR_, RDMSR_),
        STEPS(2), EXPECT(EQ(RAX, 0), EQ(RDX, 0))),
    ROW(MSR_10, "the timer is in TSC-deadline mode", INTEL, WIDE_0, SETUP(X2APIC, MSR(0x832, 0x50030)),
        CODE(WRMSR_, MOV_ECX_(0x6E0), MOV_EAX_(0x10000000), WRMSR_, RDMSR_), STEPS(5),
        EXPECT(EQ(RCX, 0x6E0), EQ(RAX, 0x10000000), EQ(RDX, 0))),
    ROW(MSR_10, "the change of mode clears it", INTEL, WIDE_0, SETUP(X2APIC, MSR(0x832, 0x50030)),
        CODE(WRMSR_, MOV_ECX_(0x6E0), WRMSR_, MOV_ECX_(0x832), MOV_EAX_(0x10030), WRMSR_, MOV_EAX_(0x50030), WRMSR_,
             MOV_ECX_(0x6E0), RDMSR_),
        STEPS(10), EXPECT(EQ(RCX, 0x6E0), EQ(RAX, 0), EQ(RDX, 0))),
    ROW(MSR_01, "IA32_TSC_DEADLINE without the feature", INTEL, CPL0, SETUP(WITHOUT(TSC_DEADLINE), PUT(RCX, 0x6E0)),
        CODE(RDMSR_), FAULTS(GP, 0)),
    ROW(MSR_01, "an x2APIC register without the feature", BOTH, CPL0, SETUP(WITHOUT(X2APIC), PUT(RCX, 0x802)),
        CODE(RDMSR_), FAULTS(GP, 0)),
    ROW(MSR_07, "x2APIC mode without the feature", BOTH, CPL0, SETUP(WITHOUT(X2APIC), MSR(0x1B, 0xFEE00D00)),
        CODE(WRMSR_), FAULTS(GP, 0)),
    ROW(MSR_07, "EXTD without EN", BOTH, CPL0, SETUP(MSR(0x1B, 0xFEE00500)), CODE(WRMSR_), FAULTS(GP, 0)),
    ROW(MSR_07, "x2APIC to EXTD without EN", BOTH, CPL0, SETUP(X2APIC, MSR(0x1B, 0xFEE00500)), CODE(WRMSR_),
        FAULTS(GP, 0)),
    ROW(MSR_07, "x2APIC to disabled", BOTH, CPL0, SETUP(X2APIC, MSR(0x1B, 0xFEE00100)), CODE(WRMSR_),
        EXPECT(EQ(APIC_BASE, 0xFEE00100))),
    ROW(MSR_07, "disabled to xAPIC", BOTH, CPL0, SETUP(PUT(APIC_BASE, 0xFEE00100), MSR(0x1B, 0xFEE00900)), CODE(WRMSR_),
        EXPECT(EQ(APIC_BASE, 0xFEE00900))),
};

THEME(x2apic, rows);

/* SPDX-License-Identifier: MIT
 * Integer types, port and register access shared by the two ring tours.
 */
#ifndef TOUR_TYPES_H
#define TOUR_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef unsigned long word; /* one machine register: 32 bits in tour32, 64 in tour64 */

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

enum {
    FLAG_ONE = 1u << 1,
    FLAG_TF = 1u << 8,
    FLAG_IF = 1u << 9,
    FLAG_DF = 1u << 10,
    FLAG_OF = 1u << 11,
    FLAG_IOPL = 3u << 12,
    FLAG_NT = 1u << 14,
    FLAG_RF = 1u << 16,
    FLAG_VM = 1u << 17,
    FLAG_AC = 1u << 18,
    FLAGS_ARITHMETIC = 0x8D5
};

enum vector { V_DE, V_DB, V_NMI, V_BP, V_OF, V_BR, V_UD, V_NM, V_DF, V_TS = 10, V_NP, V_SS, V_GP, V_PF, V_AC = 17 };

static inline void outb(u16 port, u8 value) { __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port)); }

static inline void outw(u16 port, u16 value) { __asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port)); }

static inline u8 inb(u16 port)
{
    u8 value;

    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static inline u64 rdmsr(u32 number)
{
    u32 low, high;

    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(number));
    return (u64)high << 32 | low;
}

static inline void wrmsr(u32 number, u64 value)
{
    __asm__ volatile("wrmsr" : : "c"(number), "a"((u32)value), "d"((u32)(value >> 32)) : "memory");
}

/* READ_REGISTER(cr2) defines read_cr2(), and so on. */
#define CONTROL_REGISTER(name)                                                                                         \
    static inline word read_##name(void)                                                                               \
    {                                                                                                                  \
        word value;                                                                                                    \
        __asm__ volatile("mov %%" #name ", %0" : "=r"(value) : : "memory");                                            \
        return value;                                                                                                  \
    }                                                                                                                  \
    static inline void write_##name(word value) { __asm__ volatile("mov %0, %%" #name : : "r"(value) : "memory"); }
CONTROL_REGISTER(cr0)
CONTROL_REGISTER(cr2)
CONTROL_REGISTER(cr3)
CONTROL_REGISTER(cr4)
CONTROL_REGISTER(dr0)
CONTROL_REGISTER(dr6)
CONTROL_REGISTER(dr7)

#define SEGMENT_REGISTER(name)                                                                                         \
    static inline u16 read_##name(void)                                                                                \
    {                                                                                                                  \
        u32 value;                                                                                                     \
        __asm__ volatile("movl %%" #name ", %0" : "=r"(value));                                                        \
        return (u16)value;                                                                                             \
    }
SEGMENT_REGISTER(cs)
SEGMENT_REGISTER(ss)

enum { CR0_PE = 1, CR0_TS = 8, CR0_AM = 1 << 18, CR0_WP = 1 << 16 };
#define CR0_PG 0x80000000ul

enum {
    MSR_APIC_BASE = 0x1B,
    MSR_SYSENTER_CS = 0x174,
    MSR_SYSENTER_ESP = 0x175,
    MSR_SYSENTER_EIP = 0x176,
};
#define MSR_EFER 0xC0000080u
#define MSR_STAR 0xC0000081u
#define MSR_LSTAR 0xC0000082u
#define MSR_CSTAR 0xC0000083u
#define MSR_FMASK 0xC0000084u
#define MSR_GS_BASE 0xC0000101u
#define MSR_KERNEL_GS_BASE 0xC0000102u
#define EFER_SCE 1u
#define EFER_LME 0x100u
#define EFER_LMA 0x400u
#define EFER_NXE 0x800u

#endif

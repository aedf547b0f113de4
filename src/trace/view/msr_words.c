/* SPDX-License-Identifier: MIT
 * What the values of the entry registers mean.
 * SDM 4, "IA-32 Architectural MSRs"; APM 2, "SYSCALL and SYSRET MSRs", "SYSENTER and SYSEXIT MSRs".
 */
#include "trace/view/msr_words.h"

#include "msr/msr.h"
#include "trace/words.h"

typedef unsigned long long ull;

static const u32 numbers[ENTRY_MSRS] = {
    [ENTRY_EFER] = 0xC0000080,    [ENTRY_STAR] = 0xC0000081,           [ENTRY_LSTAR] = 0xC0000082,
    [ENTRY_CSTAR] = 0xC0000083,   [ENTRY_FMASK] = 0xC0000084,          [ENTRY_SYSENTER_CS] = 0x174,
    [ENTRY_SYSENTER_ESP] = 0x175, [ENTRY_SYSENTER_EIP] = 0x176,        [ENTRY_FS_BASE] = 0xC0000100,
    [ENTRY_GS_BASE] = 0xC0000101, [ENTRY_KERNEL_GS_BASE] = 0xC0000102,
};

enum entry_msr entry_msr_of(u32 number)
{
    unsigned m = 0;

    while (m < ENTRY_MSRS && numbers[m] != number)
        m++;
    return (enum entry_msr)m;
}

u32 entry_msr_number(enum entry_msr m) { return numbers[m]; }

void msr_label(u32 number, char *out, size_t size)
{
    const char *name = msr_name(number);

    if (!name)
        snprintf(out, size, "MSR %08x", number);
    else
        snprintf(out, size, "%s", strncmp(name, "IA32_", 5) == 0 ? name + 5 : name);
}

static void print_efer(FILE *out, u64 value)
{
    static const struct {
        u64 bit;
        const char *name;
    } names[] = {{EFER_SCE, "SCE"}, {EFER_LME, "LME"}, {EFER_LMA, "LMA"}, {EFER_NXE, "NXE"}, {EFER_FFXSR, "FFXSR"}};

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (value & names[i].bit)
            fprintf(out, " %s", names[i].name);
}

/* The selectors that SYSCALL and SYSRET load. Rules SC-05, SR-04. */
static void print_star(FILE *out, u64 value)
{
    unsigned in = (unsigned)bits(value, 47, 32), back = (unsigned)bits(value, 63, 48);

    if (in | back)
        fprintf(out, " SYSCALL: CS %04x, SS %04x; SYSRET: from base %04x", in & ~3u, in + 8, back);
    if (value & 0xFFFFFFFF)
        fprintf(out, "; legacy EIP %08x", (u32)value);
}

/* Addresses of Linux's cpu_entry_area on x86-64: the kernel's own table of its address space,
 * Documentation/x86/x86_64/mm.rst. */
#define CPU_ENTRY_AREA 0xFFFFFE0000000000ull
#define CPU_ENTRY_AREA_SIZE BIT(39)

static void print_address(FILE *out, const struct names *names, u64 value)
{
    char symbol[NAMES_LONGEST];

    if (names && names_format(names, value, symbol, sizeof symbol))
        fprintf(out, " <%s>", symbol);
    else if (names && names->kernel && names->kernel->is64 && value - CPU_ENTRY_AREA < CPU_ENTRY_AREA_SIZE)
        fprintf(out, " (in the cpu_entry_area)");
    else if (names && names->kernel && names->kernel->is64 && value && value >> 32 == 0 &&
             names_format(names, value | 0xFFFFFFFFull << 32, symbol, sizeof symbol))
        fprintf(out, " (the low half of %s)", symbol);
}

/* In the kernel's half the base of GS is the per-CPU area of the processor itself: that is how Linux finds it. */
static void print_gs_base(FILE *out, const struct names *names, u64 value, unsigned cpu)
{
    char symbol[NAMES_LONGEST];

    if (names && names_format(names, value, symbol, sizeof symbol))
        fprintf(out, " <%s>", symbol);
    if (names && names->kernel && names->kernel->is64 && value >> 63)
        fprintf(out, " (per-CPU area of processor %u)", cpu);
}

void msr_print_meaning(FILE *out, const struct names *names, u32 number, u64 value, unsigned cpu)
{
    switch (entry_msr_of(number)) {
    case ENTRY_EFER: print_efer(out, value); break;
    case ENTRY_STAR: print_star(out, value); break;
    case ENTRY_LSTAR:
    case ENTRY_CSTAR:
    case ENTRY_SYSENTER_EIP:
    case ENTRY_SYSENTER_ESP: print_address(out, names, value); break;
    case ENTRY_FMASK:
        fprintf(out, " clears: ");
        words_flag_names(out, value);
        break;
    case ENTRY_SYSENTER_CS:
        if (value & 0xFFFC)
            fprintf(out, " SYSENTER: CS %04x, SS %04x", (unsigned)(value & 0xFFFC), (unsigned)(value & 0xFFFC) + 8);
        break;
    case ENTRY_GS_BASE:
    case ENTRY_KERNEL_GS_BASE: print_gs_base(out, names, value, cpu); break;
    case ENTRY_FS_BASE:
    case ENTRY_MSRS: break;
    }
}

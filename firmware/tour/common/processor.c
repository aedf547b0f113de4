/* SPDX-License-Identifier: MIT
 * What CPUID says of this processor, as far as the tour's expectations depend on it.
 */
#include "tour.h"

struct processor processor;

static void cpuid(u32 leaf, u32 r[4])
{
    __asm__ volatile("cpuid" : "=a"(r[0]), "=b"(r[1]), "=c"(r[2]), "=d"(r[3]) : "a"(leaf), "c"(0));
}

static void put_word(char *at, u32 value)
{
    for (unsigned i = 0; i < 4; i++)
        at[i] = (char)(value >> (8 * i));
}

void processor_identify(void)
{
    u32 r[4], highest;

    cpuid(0, r);
    highest = r[0];
    put_word(processor.vendor, r[1]);
    put_word(processor.vendor + 4, r[3]);
    put_word(processor.vendor + 8, r[2]);
    processor.intel = r[1] == 0x756E6547;
    processor.amd = r[1] == 0x68747541 || r[1] == 0x6F677948; /* AuthenticAMD, HygonGenuine */
    cpuid(1, r);
    processor.vme = r[3] & 1u << 1;
    processor.apic = r[3] & 1u << 9;
    processor.sep = r[3] & 1u << 11;
    if (highest >= 7) {
        cpuid(7, r);
        processor.smep = r[1] & 1u << 7;
        processor.smap = r[1] & 1u << 20;
    }
    cpuid(0x80000000, r);
    highest = r[0];
    if (highest >= 0x80000001) {
        cpuid(0x80000001, r);
        processor.syscall = r[3] & 1u << 11;
        processor.nx = r[3] & 1u << 20;
        processor.long_mode = r[3] & 1u << 29;
    }
    processor.name[0] = '-';
    processor.name[1] = '\0';
    for (u32 i = 0; highest >= 0x80000004 && i < 3; i++) {
        cpuid(0x80000002 + i, r);
        for (unsigned k = 0; k < 4; k++)
            put_word(processor.name + 16 * i + 4 * k, r[k]);
    }
}

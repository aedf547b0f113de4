/* SPDX-License-Identifier: MIT
 * Executing cases on the processor that runs this program. Linux on x86-64.
 */
#ifndef RINGSIDE_TOOLS_EXECUTE_H
#define RINGSIDE_TOOLS_EXECUTE_H

#include "conform/hardware/corpus.h"

/* Selectors that every case may name. The GDT is Linux's. */
enum {
    SEL_USER32 = 0x23,
    SEL_USER_DATA = 0x2B,
    SEL_USER64 = 0x33,
    SEL_CPU_NUMBER = 0x7B, /* its limit holds the number of the processor: 0, where cases run */
};
/* Our own LDT; the entries as modify_ldt() makes them, all of DPL 3. */
enum ldt_entry {
    LDT_CODE16,     /* base HARDWARE_CODE, limit FFFFh */
    LDT_DATA16,     /* base HARDWARE_DATA; a stack of 16 bits, too */
    LDT_READ_ONLY,  /* data, base HARDWARE_DATA */
    LDT_DOWN,       /* expand-down, valid from 1000h on, base HARDWARE_DATA */
    LDT_CODE32,     /* nonconforming, flat */
    LDT_CONFORMING, /* absent: Linux grants no other */
    LDT_SMALL_CODE, /* base HARDWARE_CODE, limit 7FFh */
    LDT_SMALL_DATA, /* base HARDWARE_DATA, limit FFFh, 32 bits */
    LDT_ABSENT_CODE,
    LDT_ABSENT_DATA,
    LDT_DATA32, /* flat */
    LDT_FS32,   /* base HARDWARE_DATA + 4000h, limit 3FFFh: for FS and GS */
    LDT_DOWN16, /* expand-down without B: valid from 1000h to FFFFh, base HARDWARE_DATA */
    LDT_COUNT
};
#define LDT_SELECTOR(entry) ((u16)((entry) << 3 | 7))

/* Fill in GDT and LDT, and what the machine allows.
 * returns: false with err set when this host is not one that can record */
bool execute_describe(struct hardware_source *source, struct error *err);

enum execute_outcome {
    EXECUTE_RECORDED, /* twice, with the same outcome */
    EXECUTE_UNSTEADY, /* the two differed */
    EXECUTE_LOST,     /* the process died or hung */
};

/* Execute each case twice and fill in what is after. outcomes: one for each case. Changes that do not fit a case count
 * as unsteady.
 * returns: false with err set when the host refuses what this needs */
bool execute_cases(struct hardware_case *cases, unsigned count, u8 *outcomes, struct error *err);

#endif

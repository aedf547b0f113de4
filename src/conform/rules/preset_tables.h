/* SPDX-License-Identifier: MIT
 * The descriptor tables of the rule cases' machine, and the layout of its TSS.
 */
#ifndef RINGSIDE_CONFORM_PRESET_TABLES_H
#define RINGSIDE_CONFORM_PRESET_TABLES_H

#include "conform/rules/preset.h"

/* Offsets in the current TSS. */
#define TSS_REDIRECTION 0x68u /* 32 bytes, just below the I/O map */
#define TSS_IO_MAP 0x88u      /* ports 0-FFh, then the closing byte of ones */
#define TSS_LIMIT 0xA8u

/* Fill GDT, LDT and IDT. long_mode: gates and system descriptors have 16 bytes. */
void preset_tables(struct preset_machine *m, bool long_mode);

#endif

/* SPDX-License-Identifier: MIT
 * The descriptor tables that cases run under.
 */
#ifndef RINGSIDE_TOOLS_SEGMENTS_H
#define RINGSIDE_TOOLS_SEGMENTS_H

#include "execute.h"

/* Fill this process's LDT. returns: false when the kernel refuses */
bool segments_install(void);
/* Fill in GDT and LDT, checked against what LAR and LSL say here. The process must run on processor 0.
 * returns: false with err set */
bool segments_describe(struct hardware_source *source, struct error *err);

#endif

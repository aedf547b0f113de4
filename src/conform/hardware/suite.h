/* SPDX-License-Identifier: MIT
 * The hardware suite beyond what all suites have: what the table of excuses did.
 */
#ifndef RINGSIDE_CONFORM_HARDWARE_SUITE_H
#define RINGSIDE_CONFORM_HARDWARE_SUITE_H

#include "conform/hardware/excuse.h"
#include "conform/suite.h"

/* in: state  of suite_hardware. What its tests excused in this process so far. */
const struct excuse_use *hardware_suite_use(const void *state);
/* Cases in all corpora of an open suite. */
u32 hardware_suite_cases(const void *state);

#endif

/* SPDX-License-Identifier: MIT
 * Bits of IA32_APIC_BASE: the one MSR that the MSR file and the local APIC share. SDM 3A, "Local APIC Status and
 * Location".
 */
#ifndef RINGSIDE_BASE_APIC_BASE_H
#define RINGSIDE_BASE_APIC_BASE_H

#include "base/bits.h"

#define APIC_BASE_BSP BIT(8)
#define APIC_BASE_X2APIC BIT(10)
#define APIC_BASE_ENABLE BIT(11)

#endif

/* SPDX-License-Identifier: MIT
 * ACPI fixed hardware: PM1a event and control blocks, the power-management timer, the SMI command port.
 * ACPI Specification, "ACPI Register Model"; 82371AB (PIIX4), "Power Management I/O Space Registers".
 *
 * There is no SMI handler: the command port changes SCI_EN directly, as firmware's handler would.
 */
#ifndef RINGSIDE_DEVICES_ACPI_PM_H
#define RINGSIDE_DEVICES_ACPI_PM_H

#include "bus/clock.h"
#include "bus/irq.h"
#include "bus/ports.h"

#define ACPI_PM_TIMER_HZ 3579545ull
#define ACPI_PM_ENABLE_COMMAND 0xf1 /* for the FADT: ACPI_ENABLE, ACPI_DISABLE at port B2h */
#define ACPI_PM_DISABLE_COMMAND 0xf0

struct acpi_pm;

/* Claims base..base+3 (PM1a events), base+4..5 (PM1a control), base+8..11 (timer, 24 bits) and B2h-B3h.
 * in: sci  IRQ 9, level; sleep is told SLP_TYP (0-7) when SLP_EN is written. returns: never NULL. */
struct acpi_pm *acpi_pm_new(struct ports *ports, struct clock *clock, u16 base, struct irq_line *sci,
                            void (*sleep)(void *context, unsigned type), void *context);
void acpi_pm_free(struct acpi_pm *pm);
/* The power button was pressed. */
void acpi_pm_power_button(struct acpi_pm *pm);
/* An input_sink for INPUT_POWER_BUTTON (context is the acpi_pm). */
size_t acpi_pm_button_sink(void *acpi_pm, const u8 *bytes, size_t size);

#endif
